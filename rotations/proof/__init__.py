"""The coverage proof: contract → policy → step → schedule → person → a method that works (domain §4.2). Pure.

`evidence` is what goes in; `meant` says whom each target means from when to when, `firings` what a policy does with
that, `links` where it breaks, and `prove` puts it together for every claim.
"""

from rotations.proof.evidence import Claim, Evidence, Ladder, Roster
from rotations.proof.links import NOBODY, Link, Weakness
from rotations.proof.prove import Caution, Certificate, Failure, Proof, Verdict, prove

__all__ = [
    "NOBODY",
    "Caution",
    "Certificate",
    "Claim",
    "Evidence",
    "Failure",
    "Ladder",
    "Link",
    "Proof",
    "Roster",
    "Verdict",
    "Weakness",
    "prove",
]

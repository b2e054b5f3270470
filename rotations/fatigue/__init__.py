"""Fatigue: how much work people can carry, as findings on a plan and as rest owed after a night (FAT-1 … FAT-8). Pure.

Active shifts are work in full. Standby is not work, but call-outs in it are, and a call-out interrupts rest: the full
rest starts again when the work ends. At plan time fatigue wins, at run time coverage does (D13): here are the facts,
and whoever asked acts on them. The product informs; it does not give legal advice.
"""

from rotations.fatigue.plan import Candidate, check, check_change, duties, people, substitute
from rotations.fatigue.rest import (
    Acknowledged,
    blocked_at,
    call_out,
    fit_again,
    is_loaded,
    night_interruptions,
    rest_blocks,
)
from rotations.fatigue.terms import DEFAULT, EU, Duty, Finding, Kind, Person, Profile, Severity

__all__ = [
    "DEFAULT",
    "EU",
    "Acknowledged",
    "Candidate",
    "Duty",
    "Finding",
    "Kind",
    "Person",
    "Profile",
    "Severity",
    "blocked_at",
    "call_out",
    "check",
    "check_change",
    "duties",
    "fit_again",
    "is_loaded",
    "night_interruptions",
    "people",
    "rest_blocks",
    "substitute",
]

"""Whether the policies that are handed out keep the first responses that were promised (ESC-1)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from rotations import bound, proving
from rotations.models import PolicyRule
from rotations.proof import Claim
from supportdesk import instants


@dataclass(frozen=True, slots=True)
class Unkept:
    """A promise that a policy cannot keep: `lines` are the arithmetic, the promise first."""

    policy_id: int
    policy: str
    lines: tuple[str, ...]

    def in_words(self) -> str:
        return f"“{self.policy}” cannot keep what was promised. {' '.join(self.lines)}"


def unkept() -> list[Unkept]:
    """Every promise of the coming 400 days that its policy cannot keep, as the rows stand.

    Asked in the transaction of a save, before it is committed, it tells what the save would break.
    """
    now, rules = instants.now(), proving.handed_out()
    return of(rules, proving.claimed(rules, now, now + proving.ON_SAVE))


def of(rules: Iterable[PolicyRule], claims: Iterable[Claim]) -> list[Unkept]:
    """The same for rules and claims that are loaded already."""
    policies = {rule.policy_id: rule.policy for rule in rules}
    found = []
    for (policy_id, severity, promised), who in _promises(claims).items():
        policy = policies[policy_id].value()
        checked = bound.check(policy, promised, severity, f"{severity} of {_and_more(who)}")
        if not checked.passes:
            found.append(Unkept(policy_id, policy.name, checked.lines))
    return found


def _promises(claims: Iterable[Claim]) -> dict[tuple[int, str, timedelta], list[str]]:
    """Who hangs on each policy with the same severity and promised first response."""
    found: dict[tuple[int, str, timedelta], list[str]] = {}
    for claim in claims:
        if claim.policy is not None and claim.promised is not None:
            given = f"{claim.organization} on plan {claim.plan}"
            found.setdefault((claim.policy, claim.severity, claim.promised), []).append(given)
    return found


def _and_more(names: list[str]) -> str:
    distinct = list(dict.fromkeys(names))
    rest = len(distinct) - 1
    return f"{distinct[0]} and {rest} more" if rest else distinct[0]

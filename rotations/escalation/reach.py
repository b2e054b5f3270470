"""How soon a policy reaches how many people: the check on saving it (ESC-1). Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta

from rotations.escalation.policy import Kind, Policy, Target

LAST_NEW_PERSON = (8, 10)  # the last new person is paged within this part of the first-response target
ENOUGH_PEOPLE = 3

Who = Callable[[Target], Iterable[str]]


@dataclass(frozen=True, slots=True)
class Reached:
    """One more person who had not been paged before: which step pages them, and how long after the start."""

    person: str
    step: int
    after: timedelta


@dataclass(frozen=True, slots=True)
class Finding:
    """Whether a policy passes a check, and the arithmetic in words."""

    passes: bool
    text: str


def one_each(target: Target) -> Iterable[str]:
    """Without knowing the people: every target is one person, and the duty manager is the same one on any phone."""
    return (str(Kind.DUTY_MANAGER if target.kind is Kind.EMERGENCY_PHONE else target),)


def reach(policy: Policy, severity: str = "P1", who: Who = one_each) -> tuple[Reached, ...]:
    """When, at the latest, the first, second, … distinct person has been paged, counted from the start.

    The worst case is that every step finds somebody and every condition on the time holds, so that each step waits:
    an empty or a skipped one only brings the next forward. Steps for other severities do not count.
    """
    reached: dict[str, Reached] = {}
    after = timedelta(0)
    for number, step in enumerate(policy.steps, start=1):
        if step.condition.severities and severity not in step.condition.severities:
            continue
        for target in step.targets:
            for person in () if target.is_channel else who(target):
                reached.setdefault(person, Reached(person, number, after))
        after += step.delay
    return tuple(reached.values())


def check_reach(policy: Policy, first_response: timedelta, severity: str = "P1", who: Who = one_each) -> Finding:
    """ESC-1: the last new person must be paged within 80 % of the first-response target."""
    reached = reach(policy, severity, who)
    if not reached:
        return Finding(False, "No step pages a person: channels alone do not count.")
    last = max(reached, key=lambda person: person.after)
    numerator, denominator = LAST_NEW_PERSON
    limit = first_response * numerator / denominator
    passes = last.after <= limit
    verdict = "in time" if passes else "too late: shorten the delays or bring people into earlier steps"
    return Finding(
        passes,
        f"Step {last.step} pages the last new person at T+{clock(last.after)}. "
        f"{numerator * 100 // denominator} % of the first-response target of {clock(first_response)} "
        f"is T+{clock(limit)}: {verdict}.",
    )


def check_people(policy: Policy, severity: str = "P1", who: Who = one_each) -> Finding:
    """E-10: a chain should reach at least three different people. A warning, not a refusal."""
    count = len({person.person for person in reach(policy, severity, who)})
    passes = count >= ENOUGH_PEOPLE
    sign = "≥" if passes else "<"
    return Finding(passes, f"This policy reaches {count} different people: {count} {sign} {ENOUGH_PEOPLE}.")


def clock(length: timedelta) -> str:
    """A length as minutes and seconds: `8:00`."""
    minutes, seconds = divmod(int(length.total_seconds()), 60)
    return f"{minutes}:{seconds:02d}"

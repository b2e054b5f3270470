"""How late the first, second, … person can be paged, and whether a promised first response survives it (ESC-1). Pure.

Paged means that the first attempt has left for its vendor. What counts, and what does not:

* Steps are anchored to their planned instants (ESC-2), so delays add up and lateness does not: each step is at most one
  beat of the clock late, the first not even that, since it is handed over as the report is stored.
* Whatever no worker takes is done by the clock itself after two seconds.
* A person's own rules may wait before their first attempt (ESC-14).
* A step that finds nobody does not wait (ESC-7), so it can only bring the next person forward.
* The one-minute pause (ESC-6) spares people who were paged already, never somebody new; where that page rang nothing,
  the proof counts the next that does.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import groupby

from rotations.escalation.paging import VENDOR_STEPS
from rotations.escalation.policy import Pager, Policy
from rotations.escalation.reach import Reached, check_reach, clock, reach

TICK = timedelta(seconds=1)  # the clock looks at least this often
HAND_OVER = timedelta(seconds=3)  # two until the clock does what no worker took, one for the round in which it does
VENDOR_ACCEPTS = timedelta(seconds=20)  # a pager of record that has not accepted by then is replaced (ESC-17)


@dataclass(frozen=True, slots=True)
class Kth:
    """The `k`-th distinct person is paged by step `step`, planned `planned` after the report and at most `latest`.

    None stands for never: there is a state of the schedule in which so many people are not reached.
    """

    k: int
    step: int | None
    planned: timedelta | None
    latest: timedelta | None

    def in_words(self) -> str:
        if self.planned is None or self.latest is None:
            return f"person {self.k}: not always reached"
        return f"person {self.k}: T+{clock(self.planned)} planned, T+{clock(self.latest)} at the latest"


@dataclass(frozen=True, slots=True)
class Check:
    """Whether a policy keeps a promise, with the arithmetic line by line."""

    passes: bool
    lines: tuple[str, ...]


def lateness(policy: Policy, reached: Reached) -> timedelta:
    """How much later than planned a page of this step leaves at most."""
    late = HAND_OVER if reached.after == timedelta(0) else HAND_OVER + TICK
    by_vendor = policy.pager is Pager.PAGERDUTY and reached.step <= VENDOR_STEPS
    return late + VENDOR_ACCEPTS if by_vendor else late


def in_order(policy: Policy, reached: Iterable[tuple[Reached, timedelta]]) -> tuple[Kth, ...]:
    """The people a pass reaches, the soonest first; each with what their own rules wait before the first attempt."""
    latest = [(person.after + lead + lateness(policy, person), person) for person, lead in reached]
    latest.sort(key=lambda pair: (pair[0], pair[1].after))
    return tuple(Kth(k, person.step, person.after, late) for k, (late, person) in enumerate(latest, start=1))


def worst(states: Iterable[Sequence[Kth]]) -> tuple[Kth, ...]:
    """The worst for each k over all states the schedule is ever in."""
    seen = list(states)
    most = max((len(state) for state in seen), default=0)
    return tuple(_worst(k, seen) for k in range(1, most + 1))


def _worst(k: int, states: list[Sequence[Kth]]) -> Kth:
    if any(len(state) < k for state in states):
        return Kth(k, None, None, None)
    return max((state[k - 1] for state in states), key=lambda one: one.latest or timedelta.max)


def check(policy: Policy, promised: timedelta, severity: str = "P1", what: str = "") -> Check:
    """Whether a policy keeps a promised first response, whoever its targets turn out to be.

    The last new person is planned within 80 % of it (ESC-1), and what is left covers the lateness. `what` names the
    promise in the first line.
    """
    planned = check_reach(policy, promised, severity)
    people = in_order(policy, ((person, timedelta(0)) for person in reach(policy, severity)))
    lines = [f"{what or severity}: the first response is promised within {clock(promised)}.", *_steps(policy, severity)]
    lines.append(planned.text)
    if not people:
        return Check(False, tuple(lines))
    late = max(person.latest or timedelta(0) for person in people)
    kept = late <= promised
    lines.append(
        f"Counting the clock and the hand-over, which do not add up, everybody has been paged by T+{clock(late)}: "
        + ("within the promise." if kept else f"{clock(late - promised)} after the promise.")
    )
    return Check(planned.passes and kept, tuple(lines))


def _steps(policy: Policy, severity: str) -> Iterable[str]:
    """Each step that pages somebody new: when, as a sum of the delays before it, and whom."""
    number = 0
    for step, people in groupby(reach(policy, severity), key=lambda person: person.step):
        found = list(people)
        who = ", ".join(person.person for person in found)
        places = f"person {number + 1}" if len(found) == 1 else f"persons {number + 1} to {number + len(found)}"
        number += len(found)
        before = policy.steps[: step - 1]
        waited = [s.delay for s in before if not s.condition.severities or severity in s.condition.severities]
        total = " = " + " + ".join(map(clock, waited)) if len(waited) > 1 else ""
        yield f"Step {step} at T+{clock(found[0].after)}{total}: {places} ({who})."

"""When clocks need attention: the timers that must exist for an incident (SLA-14, INV-4)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from incidents.sla.clock import Clock, State, threshold_instants
from incidents.sla.events import Event
from incidents.sla.fold import clocks
from incidents.sla.terms import ClockKind

BREACH = 100  # the threshold at which the target is used up
# A response in the very second of the due is in time, so a miss is certain only when that second is over.
_CERTAIN_AFTER = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Moment:
    """A threshold of one cycle on one basis, and when it takes effect; at 100 that is one second after the due."""

    at: datetime
    kind: ClockKind
    cycle: int
    basis: int
    threshold: int

    @property
    def key(self) -> str:
        """Names the effect: it happens once, however often the moment is planned anew or the timer runs."""
        return f"{self.kind}:{self.cycle}:{self.basis}:{self.threshold}"


def next_moments(events: Iterable[Event], now: datetime) -> list[Moment]:
    """Every moment that must have an effect, in order: of clocks that run, and the breach of those that missed.

    Moments before `now` are among them: a timer that is late must not be withdrawn by whatever happens meanwhile.
    So: plan each key once, move it when its instant moved (a hold), withdraw planned keys that are no longer listed,
    and leave alone those that already had their effect.
    """
    return moments_of(clocks(events, now))


def moments_of(seen: Iterable[Clock]) -> list[Moment]:
    """`next_moments` for clocks that are computed already."""
    found = [moment for clock in seen for moment in _moments(clock)]
    return sorted(found, key=lambda moment: (moment.at, moment.key))


def _moments(clock: Clock) -> Iterator[Moment]:
    if clock.due_at is None or clock.state not in (State.RUNNING, State.MISSED):
        return
    if clock.state is State.RUNNING:
        yield from _warnings(clock)
    yield _moment(clock, clock.due_at + _CERTAIN_AFTER, BREACH)


def _warnings(clock: Clock) -> Iterator[Moment]:
    """Of the thresholds that had passed already when this basis began to apply, only the highest, at that instant."""
    instants = threshold_instants(clock.basis, clock.holds)
    passed = [threshold for threshold, at in instants.items() if at <= clock.based_at]
    if passed:
        yield _moment(clock, clock.based_at, passed[-1])
    for threshold, at in instants.items():
        if threshold not in passed:
            yield _moment(clock, at, threshold)


def _moment(clock: Clock, at: datetime, threshold: int) -> Moment:
    return Moment(at, clock.kind, clock.cycle, clock.basis_number, threshold)

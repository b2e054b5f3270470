"""One cycle of one SLA clock as it stands at an instant: a value, with everything its evidence needs (SLA-18)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from incidents.sla.terms import ClockKind, Commitment, Target, Terms
from supportdesk import calendars
from supportdesk.calendars import Calendar, Interval
from supportdesk.plain import write_instant, write_seconds

ALGORITHM = "1"  # part of the evidence: raise it when the same events would give other clocks
THRESHOLDS = (50, 75, 90)  # percent of the target, in the clock's own time base (SLA-14)


class State(StrEnum):
    """`MET`, `MISSED` and `CANCELLED` are final; a missed clock may still be waiting to be satisfied."""

    RUNNING = "running"
    PAUSED = "paused"
    MET = "met"
    MISSED = "missed"
    CANCELLED = "cancelled"


class Reason(StrEnum):
    """Why a cycle opened or a clock was re-targeted."""

    RECEIVED = "received"
    DECLARED = "declared"
    FIRST_RESPONSE = "first_response"
    UPDATE_SENT = "update_sent"
    UPDATE_MISSED = "update_missed"
    CADENCE_CHANGED = "cadence_changed"
    SEVERITY_RAISED = "severity_raised"
    SEVERITY_LOWERED = "severity_lowered"
    TERMS_CHANGED = "terms_changed"
    GOODWILL_ENDED = "goodwill_ended"
    REOPENED = "reopened"


@dataclass(frozen=True, slots=True)
class Basis:
    """What a due instant is computed from: so much time, counted from `start` in the hours of `calendar`."""

    start: datetime
    target: Target
    calendar: Calendar
    terms: Terms

    def due(self, holds: tuple[Interval, ...] = ()) -> datetime:
        """The earliest instant at which the target has elapsed (SLA-4)."""
        return calendars.add(self.calendar, self.start, self.target.duration, holds)

    def elapsed(self, t: datetime, holds: tuple[Interval, ...] = ()) -> timedelta:
        """Time used up at `t` (SLA-5)."""
        return calendars.elapsed(self.calendar, self.start, t, holds)


@dataclass(frozen=True, slots=True)
class Segment:
    """One stretch of a clock's life under one basis; a new one begins with every change (SLA-13)."""

    at: datetime
    reason: Reason
    severity: str
    basis: Basis
    due_at: datetime | None  # as it stood after the change; None while held

    def to_spec(self) -> dict[str, Any]:
        """The segment as plain JSON values."""
        basis = self.basis
        return {
            "at": write_instant(self.at),
            "reason": str(self.reason),
            "severity": self.severity,
            "plan": basis.terms.plan,
            "plan_version": basis.terms.version,
            "calendar": basis.target.calendar,
            "calendar_version": basis.calendar.version,
            "target_seconds": write_seconds(basis.target.duration),
            "basis_start": write_instant(basis.start),
            "due_at": _text(self.due_at),
        }


@dataclass(frozen=True, slots=True)
class Clock:
    """One cycle of one clock, seen at `as_of` (for a finished cycle the instant it ended).

    `severity` is the one in force, after the end the one that was in force then. `due_at` is None while held (SLA-7).
    `breached_at` is the due instant that passed unmet, whoever noticed it when (SLA-15). `satisfied_by` is the id of
    the message or call that satisfied it. `basis_number` counts the bases of this cycle, `based_at` is when the
    present one began to apply.
    """

    kind: ClockKind
    cycle: int
    reason: Reason
    severity: str
    state: State
    basis: Basis
    basis_number: int
    based_at: datetime
    started_at: datetime
    due_at: datetime | None
    as_of: datetime
    holds: tuple[Interval, ...]
    held_since: datetime | None
    satisfied_at: datetime | None
    satisfied_by: str
    breached_at: datetime | None
    segments: tuple[Segment, ...]

    @property
    def target(self) -> Target:
        """The promise that holds; after a re-target the one whose due is earlier (SLA-10)."""
        return self.basis.target

    @property
    def commitment(self) -> Commitment:
        """Guarantee or objective; under goodwill always an objective (ENT-12)."""
        return Commitment.OBJECTIVE if self.basis.terms.goodwill else self.basis.target.kind

    @property
    def counts(self) -> bool:
        """Whether this cycle counts in attainment; it does not under goodwill (ENT-12)."""
        return not self.basis.terms.goodwill

    @property
    def is_owed(self) -> bool:
        """Whether the customer still waits for it, in time or late. Our own objective is not owed to anybody."""
        waits = self.state in (State.RUNNING, State.PAUSED, State.MISSED)
        return waits and self.satisfied_at is None and self.kind is not ClockKind.ACK

    @property
    def basis_start(self) -> datetime:
        """From where the target is counted."""
        return self.basis.start

    @property
    def effective_start(self) -> datetime:
        """When time begins to count: the basis start, or the next opening after it (SLA-3)."""
        return calendars.next_open(self.basis.calendar, self.basis.start)

    @property
    def elapsed(self) -> timedelta:
        """Time used up at `as_of`, in the clock's own time base."""
        held = self.holds if self.held_since is None else (*self.holds, (self.held_since, self.as_of))
        return self.basis.elapsed(self.as_of, held)

    @property
    def remaining(self) -> timedelta:
        """Time left at `as_of`, in the clock's own time base; zero when it is used up. Frozen while held."""
        return max(self.target.duration - self.elapsed, timedelta())

    @property
    def overrun(self) -> timedelta:
        """How far beyond the target at `as_of`, in the clock's own time base; zero when it is not."""
        return max(self.elapsed - self.target.duration, timedelta())

    @property
    def percent(self) -> int:
        """How much of the target is used up at `as_of`, cut to whole percent; it may exceed 100."""
        return self.elapsed * 100 // self.target.duration

    @property
    def thresholds(self) -> dict[int, datetime] | None:
        """When 50, 75 and 90 % of the target are used up; None while held."""
        if self.due_at is None:
            return None
        return threshold_instants(self.basis, self.holds)

    def to_spec(self) -> dict[str, Any]:
        """The evidence of this cycle as plain JSON values (SLA-18)."""
        return {
            "algorithm": ALGORITHM,
            "kind": str(self.kind),
            "cycle": self.cycle,
            "reason": str(self.reason),
            "severity": self.severity,
            "state": str(self.state),
            "commitment": str(self.commitment),
            "counts": self.counts,
            "started_at": write_instant(self.started_at),
            "effective_start": write_instant(self.effective_start),
            "due_at": _text(self.due_at),
            "satisfied_at": _text(self.satisfied_at),
            "satisfied_by": self.satisfied_by,
            "breached_at": _text(self.breached_at),
            "holds": [[write_instant(begins), write_instant(ends)] for begins, ends in self.holds],
            "held_since": _text(self.held_since),
            "segments": [segment.to_spec() for segment in self.segments],
        }


def threshold_durations(target: timedelta) -> list[timedelta]:
    """How long after the start each of `THRESHOLDS` is reached, to the second."""
    seconds = write_seconds(target)
    return [timedelta(seconds=seconds * percent // 100) for percent in THRESHOLDS]


def threshold_instants(basis: Basis, holds: tuple[Interval, ...]) -> dict[int, datetime]:
    """When each of `THRESHOLDS` is reached."""
    durations = threshold_durations(basis.target.duration)
    return dict(zip(THRESHOLDS, calendars.add_each(basis.calendar, basis.start, durations, holds), strict=True))


def by_kind(clocks: tuple[Clock, ...]) -> Mapping[ClockKind, Clock]:
    """The latest cycle of every kind: what a page about one incident shows."""
    return {clock.kind: clock for clock in clocks}


def _text(instant: datetime | None) -> str | None:
    return None if instant is None else write_instant(instant)

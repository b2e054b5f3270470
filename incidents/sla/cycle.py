"""A cycle while it is being folded from events: the one mutable thing here, which never leaves the fold."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from incidents.sla.clock import Basis, Clock, Reason, Segment, State
from incidents.sla.terms import ClockKind
from supportdesk.calendars import Interval, union


class Pauses(NamedTuple):
    """The time that does not count: what is over, and since when it has been so now."""

    over: tuple[Interval, ...] = ()
    since: datetime | None = None

    def ended(self, at: datetime) -> Pauses:
        """The same, with a pause that is still open ended at `at`."""
        return self if self.since is None else Pauses((*self.over, (self.since, at)))


@dataclass(slots=True)
class Cycle:
    """What has happened to one cycle so far. `started_at` stays; a re-target moves only the basis."""

    kind: ClockKind
    number: int
    reason: Reason
    severity: str
    started_at: datetime
    basis: Basis
    based_at: datetime
    pauses: Pauses
    promised_next: datetime | None = None
    basis_number: int = 1
    due_at: datetime | None = None
    satisfied_at: datetime | None = None
    satisfied_by: str = ""
    breached_at: datetime | None = None
    cancelled_at: datetime | None = None
    segments: list[Segment] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._compute_due()
        self._append_segment(self.based_at, self.reason)

    @property
    def is_running(self) -> bool:
        """Whether it can still be met: running or paused."""
        return self.satisfied_at is None and self.breached_at is None and self.cancelled_at is None

    def pause(self, at: datetime) -> None:
        """Stop counting at `at`, unless the target is used up by then or counting has stopped already."""
        if self.due_at is not None and at < self.due_at:
            self.pauses = Pauses(self.pauses.over, max(at, self.started_at))
            self.due_at = None

    def resume(self, at: datetime) -> None:
        """Count again from `at` on: the due moves by as much time as was held (SLA-7)."""
        if self.pauses.since is not None:
            self.pauses = self.pauses.ended(at)
            self._compute_due()

    def due_if_resumed(self, at: datetime) -> datetime:
        """The due, and while held the due it would have if the hold ended at `at`."""
        return self.due_at or self.basis.due(self.pauses.ended(at).over)

    def rebase(self, basis: Basis, pauses: Pauses, severity: str, at: datetime, reason: Reason) -> None:
        """Count on another basis from now on."""
        self.basis = basis
        self.basis_number += 1
        self.based_at = at
        self.severity = severity
        self.pauses = pauses
        self._compute_due()
        self._append_segment(at, reason)

    def keep_basis(self, severity: str, at: datetime, reason: Reason) -> None:
        """Another severity or other terms are in force, but the old due is earlier and stays (D5)."""
        self.severity = severity
        self._append_segment(at, reason)

    def is_missed_by(self, t: datetime) -> bool:
        """Whether its due has passed unmet at `t`; at the due itself it has not (D7)."""
        return self.due_at is not None and self.due_at < t and self.is_running

    def miss(self) -> datetime:
        """The due passed unmet; returns when."""
        assert self.due_at is not None
        self.breached_at = self.due_at
        return self.due_at

    def cancel(self, at: datetime) -> None:
        """It ends without a result."""
        self.cancelled_at = at

    def satisfy(self, at: datetime, ref: str) -> None:
        """What was promised has happened, in time or late. During a hold, the due is as if the hold had ended now."""
        self.resume(at)
        self.satisfied_at = at
        self.satisfied_by = ref

    def revive(self, pauses: Pauses) -> None:
        """It had ended too early and goes on; a miss stays a miss (SLA-9)."""
        self.satisfied_at = self.cancelled_at = None
        self.satisfied_by = ""
        if self.breached_at is None:
            self.pauses = pauses
            self._compute_due()

    def as_clock(self, now: datetime) -> Clock:
        """The cycle as a value, seen at `now` or when it ended."""
        return Clock(
            kind=self.kind,
            cycle=self.number,
            reason=self.reason,
            severity=self.severity,
            state=self._state(),
            basis=self.basis,
            basis_number=self.basis_number,
            based_at=self.based_at,
            started_at=self.started_at,
            due_at=self.due_at,
            as_of=self.satisfied_at or self.cancelled_at or now,
            holds=union(self.pauses.over),
            held_since=self.pauses.since,
            satisfied_at=self.satisfied_at,
            satisfied_by=self.satisfied_by,
            breached_at=self.breached_at,
            segments=tuple(self.segments),
        )

    def _state(self) -> State:
        if self.breached_at is not None:
            return State.MISSED
        if self.cancelled_at is not None:
            return State.CANCELLED
        if self.satisfied_at is not None:
            return State.MET
        return State.RUNNING if self.pauses.since is None else State.PAUSED

    def _compute_due(self) -> None:
        self.due_at = self.basis.due(self.pauses.over) if self.pauses.since is None else None

    def _append_segment(self, at: datetime, reason: Reason) -> None:
        self.segments.append(Segment(at, reason, self.severity, self.basis, self.due_at))

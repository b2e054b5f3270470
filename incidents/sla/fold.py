"""From events to clocks: every clock is what its events make of it, and nothing else is stored (SLA-13, SLA-18).

The rules by event: received (SLA-3), responses and updates (D4, SLA-16), severity and terms (D5, D6, SLA-10 … SLA-12),
holds (SLA-7, SLA-8), resolved and reopened (SLA-9). Time itself is the other input: a due that passes is a miss, and
the miss of an update opens the next cycle (D16).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from incidents.sla.clock import Basis, Clock, Reason
from incidents.sla.cycle import Cycle, Pauses
from incidents.sla.events import Event, EventKind, in_order
from incidents.sla.terms import ClockKind, Target, Terms
from incidents.states import Hold
from supportdesk.calendars import ALWAYS, Interval
from supportdesk.entitlements import SEVERITIES
from supportdesk.plain import to_second

_KINDS = tuple(ClockKind)
_ANSWERS = (ClockKind.FIRST_RESPONSE, ClockKind.ACK)  # satisfied once, and wanted again when it becomes urgent
_FROM_RECEIPT = (*_ANSWERS, ClockKind.RESOLUTION)
_URGENT = ("P1", "P2")
_NEVER_SILENT = "P1"  # its updates go on during a hold


def clocks(events: Iterable[Event], now: datetime) -> tuple[Clock, ...]:
    """Every cycle of every clock as it stands at `now`, by kind and cycle; events after `now` have not happened yet.

    At the due instant itself a clock still runs: a response in that very second meets it (D7, SLA-4).
    Raises ValueError if the events do not begin with the one received event, and `NeverOpen`.
    """
    now = to_second(now)
    fold = _Fold()
    for event in in_order(events, now):
        fold.advance(event.at)
        fold.apply(event)
    fold.advance(now)
    return fold.as_clocks(now)


def replay(events: Iterable[Event]) -> tuple[Clock, ...]:
    """The clocks as they stood when the last event happened."""
    known = list(events)
    return clocks(known, max(event.at for event in known)) if known else ()


class _Fold:
    """Where one incident stands after the events applied so far."""

    severity: str
    terms: Terms
    received_at: datetime

    def __init__(self) -> None:
        self.cycles: dict[ClockKind, list[Cycle]] = {kind: [] for kind in _KINDS}
        self.satisfied: set[ClockKind] = set()  # since its latest cycle opened
        self.holds: set[Hold] = set()
        self.pauses = Pauses()
        self.stopped_at: datetime | None = None  # resolved, cancelled or merged
        self.stops: tuple[Interval, ...] = ()  # from there until reopened: does not count for the resolution
        self.has_responded = False
        self.is_mitigated = False
        self.agreed_interval: timedelta | None = None

    def apply(self, event: Event) -> None:
        """Let one event happen; `advance` to its instant comes first."""
        _HANDLERS[event.kind](self, event)

    def advance(self, to: datetime) -> None:
        """Let time pass: what was due before `to` is missed, and a missed update opens the next cycle there (D16)."""
        for kind, cycles in self.cycles.items():
            while cycles and cycles[-1].is_missed_by(to):
                missed_at = cycles[-1].miss()
                if kind is ClockKind.NEXT_UPDATE:
                    self.open(kind, missed_at, Reason.UPDATE_MISSED)

    def as_clocks(self, now: datetime) -> tuple[Clock, ...]:
        """All cycles as values."""
        return tuple(cycle.as_clock(now) for cycles in self.cycles.values() for cycle in cycles)

    def running(self, kind: ClockKind) -> Cycle | None:
        """The cycle of a kind that can still be met."""
        cycles = self.cycles[kind]
        return cycles[-1] if cycles and cycles[-1].is_running else None

    def open(
        self,
        kind: ClockKind,
        start: datetime,
        reason: Reason,
        promised_next: datetime | None = None,
        at: datetime | None = None,
    ) -> None:
        """Open the next cycle of a kind, if there is a target for it and the incident is not over.

        A cycle that is counted from before the present, `at`, opens only if it can still be met.
        """
        basis = self._basis(kind, start, promised_next)
        if basis is None or self.stopped_at is not None:
            return
        number = len(self.cycles[kind]) + 1
        pauses = self._pauses(kind, start)
        cycle = Cycle(kind, number, reason, self.severity, start, basis, at or start, pauses, promised_next)
        if at is None or cycle.due_at is None or cycle.due_at > at:
            self.cycles[kind].append(cycle)
            self.satisfied.discard(kind)

    def satisfy(self, kind: ClockKind, event: Event) -> None:
        """Meet what is running, and note on what was missed when it came at last."""
        for cycle in reversed(self.cycles[kind]):
            if cycle.satisfied_at is not None:
                break
            if cycle.cancelled_at is None:
                cycle.satisfy(event.at, event.ref)
        self.satisfied.add(kind)

    # What happened

    def received(self, event: Event) -> None:
        assert event.severity is not None
        assert event.terms is not None
        self.severity, self.terms, self.received_at = event.severity, event.terms, event.at
        for kind in _FROM_RECEIPT:
            self.open(kind, event.at, Reason.RECEIVED)
        if self._has_cadence():
            self.open(ClockKind.NEXT_UPDATE, event.at, Reason.DECLARED)

    def received_moved(self, event: Event) -> None:
        """Nothing happens now: the incident was received earlier from the beginning."""

    def responded(self, event: Event) -> None:
        self.has_responded = True
        self.satisfy(ClockKind.FIRST_RESPONSE, event)
        if self.running(ClockKind.NEXT_UPDATE) is None:
            self.open(ClockKind.NEXT_UPDATE, event.at, Reason.FIRST_RESPONSE)

    def update_sent(self, event: Event) -> None:
        """A status update is a human message the customer sees, so it is a response as well (SLA-17, D4)."""
        self.has_responded = True
        self.satisfy(ClockKind.FIRST_RESPONSE, event)
        self.agreed_interval = event.interval or self.agreed_interval
        if self._just_opened_update(event.at):
            self.cycles[ClockKind.NEXT_UPDATE].pop()  # opens again below, under the same number
        self.satisfy(ClockKind.NEXT_UPDATE, event)
        self.open(ClockKind.NEXT_UPDATE, event.at, Reason.UPDATE_SENT, promised_next=event.promised_next)

    def cadence_agreed(self, event: Event) -> None:
        self.agreed_interval = event.interval
        self._change_cadence(event.at)

    def mitigated(self, event: Event) -> None:
        self.is_mitigated = True
        self._change_cadence(event.at)

    def unmitigated(self, event: Event) -> None:
        """The fix failed: back to the interval of the plan, whatever was agreed for the quiet time."""
        self.is_mitigated = False
        self.agreed_interval = None
        self._change_cadence(event.at)

    def acknowledged(self, event: Event) -> None:
        self.satisfy(ClockKind.ACK, event)

    def severity_changed(self, event: Event) -> None:
        assert event.severity is not None
        old, self.severity = self.severity, event.severity
        if old == event.severity:
            return
        self.agreed_interval = None
        if SEVERITIES.index(event.severity) < SEVERITIES.index(old):
            self._tighten_all(event.at, Reason.SEVERITY_RAISED)
        else:
            self._relax_all(event.at, Reason.SEVERITY_LOWERED)

    def terms_changed(self, event: Event) -> None:
        """An upgrade or a goodwill grant: re-targeted like a raised severity. A downgrade never gets here (D8)."""
        assert event.terms is not None
        if event.terms == self.terms:
            return
        self.terms = event.terms
        self._tighten_all(event.at, Reason.TERMS_CHANGED)

    def goodwill_ended(self, event: Event) -> None:
        """The contract holds again, counted as if there had been no exception: what it guarantees is owed (ENT-12)."""
        assert event.terms is not None
        if self.terms.goodwill:
            self.terms = event.terms
            self._relax_all(event.at, Reason.GOODWILL_ENDED)

    def hold_started(self, event: Event) -> None:
        assert event.hold is not None
        if not event.hold.pauses:
            return
        if not self.holds:
            self.pauses = Pauses(self.pauses.over, event.at)
            for cycle in self._running_cycles():
                if self._is_pausable(cycle.kind):
                    cycle.pause(event.at)
        self.holds.add(event.hold)

    def hold_ended(self, event: Event) -> None:
        assert event.hold is not None
        self.holds.discard(event.hold)
        if not self.holds:
            self.pauses = self.pauses.ended(event.at)
            for cycle in self._running_cycles():
                cycle.resume(event.at)

    def resolved(self, event: Event) -> None:
        if self.stopped_at is not None:
            return
        self.satisfy(ClockKind.RESOLUTION, event)
        just_opened = self._just_opened_update(event.at)
        if just_opened is not None:
            just_opened.cancel(event.at)
        self.satisfy(ClockKind.NEXT_UPDATE, event)
        self.stopped_at = event.at

    def stopped(self, event: Event) -> None:
        """Cancelled or merged: what was not due yet ends without a result."""
        for cycle in self._running_cycles():
            cycle.cancel(event.at)
        self.stopped_at = self.stopped_at or event.at

    def reopened(self, event: Event) -> None:
        """The same resolution clock goes on, without the time in between; updates start afresh (SLA-9)."""
        if self.stopped_at is None:
            return
        stopped_at, self.stopped_at = self.stopped_at, None
        self.stops = (*self.stops, (stopped_at, event.at))
        self.is_mitigated = False
        self.agreed_interval = None
        self._reopen_resolution(stopped_at, event.at)
        for kind in _ANSWERS:
            cycle = self._latest(kind)
            if cycle is not None and cycle.cancelled_at is not None:
                self.open(kind, event.at, Reason.REOPENED)
        if self._has_cadence():
            self.open(ClockKind.NEXT_UPDATE, event.at, Reason.REOPENED)

    # How clocks are re-targeted

    def _tighten_all(self, at: datetime, reason: Reason) -> None:
        """Never later, never born breached (SLA-10); what was answered is wanted again when urgent (SLA-11)."""
        if self.stopped_at is not None:
            return
        for kind in _KINDS:
            cycle = self.running(kind)
            if cycle is not None:
                self._tighten(cycle, at, reason)
            elif self._is_wanted_again(kind, reason):
                self.open(kind, at, reason)

    def _tighten(self, cycle: Cycle, at: datetime, reason: Reason) -> None:
        if not self._is_pausable(cycle.kind):
            cycle.resume(at)
        candidate = self._basis(cycle.kind, at, cycle.promised_next)
        if candidate is not None and candidate.due() < cycle.due_if_resumed(at):
            cycle.rebase(candidate, self._pauses(cycle.kind, at), self.severity, at, reason)
        else:
            cycle.keep_basis(self.severity, at, reason)

    def _relax_all(self, at: datetime, reason: Reason) -> None:
        """Recomputed from the original start; a recorded miss stays, and the new due is a cycle of its own (SLA-12)."""
        if self.stopped_at is not None:
            return
        for kind in _KINDS:
            cycle, latest = self.running(kind), self._latest(kind)
            if cycle is not None:
                self._relax(cycle, at, reason)
            elif kind is ClockKind.NEXT_UPDATE:
                if self._has_cadence():
                    self.open(kind, at, reason)
            elif kind not in self.satisfied:
                start = latest.started_at if latest is not None else self.received_at
                self.open(kind, start, reason, at=at)

    def _relax(self, cycle: Cycle, at: datetime, reason: Reason) -> None:
        basis = self._basis(cycle.kind, cycle.started_at, cycle.promised_next)
        if basis is None or (cycle.kind is ClockKind.NEXT_UPDATE and not self._has_cadence()):
            cycle.cancel(at)
        else:
            cycle.rebase(basis, self._pauses(cycle.kind, cycle.started_at), self.severity, at, reason)

    def _change_cadence(self, at: datetime) -> None:
        """A longer interval counts from the last update, a shorter one from now, so that no due is already past."""
        cycle = self.running(ClockKind.NEXT_UPDATE)
        if cycle is None:
            return
        basis = self._basis(cycle.kind, cycle.started_at, cycle.promised_next)
        if basis is None or basis == cycle.basis:
            return
        if basis.due(cycle.pauses.ended(at).over) >= cycle.due_if_resumed(at):
            self._relax(cycle, at, Reason.CADENCE_CHANGED)
        else:
            self._tighten(cycle, at, Reason.CADENCE_CHANGED)

    def _just_opened_update(self, at: datetime) -> Cycle | None:
        """The update cycle that opened at this very instant: what is sent then belongs to its opening, not its end."""
        cycle = self.running(ClockKind.NEXT_UPDATE)
        return cycle if cycle is not None and cycle.started_at == at else None

    def _reopen_resolution(self, stopped_at: datetime, at: datetime) -> None:
        cycle = self._latest(ClockKind.RESOLUTION)
        if cycle is None or (cycle.satisfied_at is None and cycle.cancelled_at not in (None, stopped_at)):
            self.open(ClockKind.RESOLUTION, at, Reason.REOPENED)
            return
        self.satisfied.discard(ClockKind.RESOLUTION)
        cycle.revive(self._pauses(ClockKind.RESOLUTION, cycle.started_at))
        if not cycle.is_running or (cycle.severity, cycle.basis.terms) == (self.severity, self.terms):
            return
        if SEVERITIES.index(self.severity) > SEVERITIES.index(cycle.severity):
            self._relax(cycle, at, Reason.REOPENED)
        else:
            self._tighten(cycle, at, Reason.REOPENED)

    # What follows from the state

    def _latest(self, kind: ClockKind) -> Cycle | None:
        cycles = self.cycles[kind]
        return cycles[-1] if cycles else None

    def _running_cycles(self) -> list[Cycle]:
        return [cycles[-1] for cycles in self.cycles.values() if cycles and cycles[-1].is_running]

    def _has_cadence(self) -> bool:
        """Updates are due from the declaration on where there is a war room, elsewhere from the first response on."""
        return self.has_responded or self.severity in self.terms.cadence_from_declaration

    def _is_wanted_again(self, kind: ClockKind, reason: Reason) -> bool:
        """An exception only widens the hours: it asks for no second answer to what has been answered."""
        if kind is ClockKind.NEXT_UPDATE:
            return self._has_cadence()
        is_exception = reason is Reason.TERMS_CHANGED and self.terms.goodwill
        return kind not in self.satisfied or (kind in _ANSWERS and self.severity in _URGENT and not is_exception)

    def _is_pausable(self, kind: ClockKind) -> bool:
        if kind is ClockKind.NEXT_UPDATE:
            return self.severity != _NEVER_SILENT
        return kind is ClockKind.RESOLUTION

    def _pauses(self, kind: ClockKind, since: datetime) -> Pauses:
        """What does not count for a clock of this kind that is counted from `since` on."""
        if not self._is_pausable(kind):
            return Pauses()
        over = self.pauses.over + (self.stops if kind is ClockKind.RESOLUTION else ())
        held_since = self.pauses.since
        return Pauses(
            tuple(interval for interval in over if interval[1] > since),
            None if held_since is None else max(held_since, since),
        )

    def _target(self, kind: ClockKind) -> Target | None:
        target = self.terms.target(self.severity, kind)
        if target is None or kind is not ClockKind.NEXT_UPDATE:
            return target
        after_mitigation = self.terms.after_mitigation.get(self.severity) if self.is_mitigated else None
        interval = self.agreed_interval or after_mitigation
        return replace(target, duration=interval) if interval else target

    def _basis(self, kind: ClockKind, start: datetime, promised_next: datetime | None) -> Basis | None:
        """What a clock is counted on from `start`: its target, or an earlier promise, in real time (SLA-16)."""
        target = self._target(kind)
        if target is None:
            return None
        basis = Basis(start, target, self.terms.calendars[target.calendar], self.terms)
        if promised_next is None or not start < promised_next < basis.due():
            return basis
        return replace(basis, target=replace(target, duration=promised_next - start), calendar=ALWAYS)


_HANDLERS: Mapping[EventKind, Callable[[_Fold, Event], None]] = {
    EventKind.RECEIVED: _Fold.received,
    EventKind.RECEIVED_MOVED: _Fold.received_moved,
    EventKind.SEVERITY_CHANGED: _Fold.severity_changed,
    EventKind.TERMS_CHANGED: _Fold.terms_changed,
    EventKind.GOODWILL_ENDED: _Fold.goodwill_ended,
    EventKind.HOLD_STARTED: _Fold.hold_started,
    EventKind.HOLD_ENDED: _Fold.hold_ended,
    EventKind.RESPONDED: _Fold.responded,
    EventKind.UPDATE_SENT: _Fold.update_sent,
    EventKind.CADENCE_AGREED: _Fold.cadence_agreed,
    EventKind.ACKNOWLEDGED: _Fold.acknowledged,
    EventKind.MITIGATED: _Fold.mitigated,
    EventKind.UNMITIGATED: _Fold.unmitigated,
    EventKind.RESOLVED: _Fold.resolved,
    EventKind.REOPENED: _Fold.reopened,
    EventKind.CANCELLED: _Fold.stopped,
    EventKind.MERGED: _Fold.stopped,
}

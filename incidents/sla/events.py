"""What can happen to the clocks of an incident, as values that can be stored and replayed (SLA-13, SLA-18)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from operator import attrgetter
from typing import Any

from incidents.sla.terms import Terms, check_severity
from incidents.states import Hold
from supportdesk.plain import (
    expect,
    read_instant,
    read_member,
    read_seconds,
    read_text,
    refuse_unknown,
    to_second,
    write_instant,
    write_seconds,
)


class EventKind(StrEnum):
    """What happened. In brackets: the fields an event of this kind carries beside `at`, `ref` and `sequence`."""

    RECEIVED = "received"  # our intake accepted the report (severity, terms)
    RECEIVED_MOVED = "received_moved"  # staff moved the received time to an earlier one (moved_to)
    SEVERITY_CHANGED = "severity_changed"  # (severity)
    TERMS_CHANGED = "terms_changed"  # upgrade or goodwill, effective at this instant (terms)
    GOODWILL_ENDED = "goodwill_ended"  # an exception is over: these terms hold again (terms)
    HOLD_STARTED = "hold_started"  # (hold)
    HOLD_ENDED = "hold_ended"  # (hold)
    RESPONDED = "responded"  # a person answered the customer: message or call (D4)
    UPDATE_SENT = "update_sent"  # a qualifying status update (promised_next and interval, both optional) (SLA-17)
    CADENCE_AGREED = "cadence_agreed"  # the customer agreed to another update interval (interval)
    ACKNOWLEDGED = "acknowledged"  # a person has it
    MITIGATED = "mitigated"
    UNMITIGATED = "unmitigated"  # the fix failed
    RESOLVED = "resolved"
    REOPENED = "reopened"
    CANCELLED = "cancelled"
    MERGED = "merged"


_REQUIRED: Mapping[EventKind, tuple[str, ...]] = {
    EventKind.RECEIVED: ("severity", "terms"),
    EventKind.RECEIVED_MOVED: ("moved_to",),
    EventKind.SEVERITY_CHANGED: ("severity",),
    EventKind.TERMS_CHANGED: ("terms",),
    EventKind.GOODWILL_ENDED: ("terms",),
    EventKind.HOLD_STARTED: ("hold",),
    EventKind.HOLD_ENDED: ("hold",),
    EventKind.CADENCE_AGREED: ("interval",),
}
_OPTIONAL: Mapping[EventKind, tuple[str, ...]] = {EventKind.UPDATE_SENT: ("promised_next", "interval")}
_CARRIED = ("severity", "terms", "hold", "interval", "promised_next", "moved_to")


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened, at a whole second: fractions are cut off (SLA-4).

    Events are ordered by `at`, then `sequence` (the number of the timeline entry). `ref` is the evidence: the id of the
    message or call at its channel. Raises ValueError when a field its kind needs is missing, or one is out of place.
    """

    at: datetime
    kind: EventKind
    severity: str | None = None
    terms: Terms | None = None
    hold: Hold | None = None
    interval: timedelta | None = None
    promised_next: datetime | None = None
    moved_to: datetime | None = None
    ref: str = ""
    sequence: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "at", to_second(self.at))
        object.__setattr__(self, "kind", read_member(EventKind, self.kind, "event.kind"))
        if self.hold is not None:
            object.__setattr__(self, "hold", read_member(Hold, self.hold, "event.hold"))
        required = _REQUIRED.get(self.kind, ())
        allowed = required + _OPTIONAL.get(self.kind, ())
        for name in _CARRIED:
            present = getattr(self, name) is not None
            if present and name not in allowed:
                raise ValueError(f"event.{name}: a {self.kind} event does not carry it")
            if not present and name in required:
                raise ValueError(f"event.{name}: a {self.kind} event needs it")
        if self.severity is not None:
            check_severity(self.severity, "event.severity")
        if self.hold is Hold.NONE:
            raise ValueError("event.hold: name the hold that started or ended")
        if self.interval is not None and self.interval < timedelta(seconds=1):
            raise ValueError("event.interval: must be at least one second")
        self._check_instants()

    def _check_instants(self) -> None:
        if self.promised_next is not None:
            object.__setattr__(self, "promised_next", to_second(self.promised_next))
            if self.promised_next <= self.at:
                raise ValueError("event.promised_next: the next update must be promised for later than this one")
        if self.moved_to is not None:
            object.__setattr__(self, "moved_to", to_second(self.moved_to))

    def to_spec(self) -> dict[str, Any]:
        """The event as plain JSON values; `from_spec` reads it back."""
        spec: dict[str, Any] = {"at": write_instant(self.at), "kind": str(self.kind)}
        for name, (_, write) in _FIELDS.items():
            value = getattr(self, name)
            if value not in (None, "", 0):
                spec[name] = write(value)
        return spec

    @classmethod
    def from_spec(cls, spec: Any) -> Event:
        """Read what `to_spec` wrote. Raises ValueError, beginning with the path of the field that is wrong."""
        expect(spec, Mapping, "event", "a mapping with at and kind")
        refuse_unknown(spec, ("at", "kind", *_FIELDS), "event")
        carried = {name: read(spec[name], f"event.{name}") for name, (read, _) in _FIELDS.items() if name in spec}
        return cls(
            at=read_instant(spec.get("at"), "event.at"),
            kind=read_member(EventKind, spec.get("kind"), "event.kind"),
            **carried,
        )


def in_order(events: Iterable[Event], now: datetime) -> list[Event]:
    """What has happened by `now`, in order, with the received event where it was moved to (SLA-1).

    Raises ValueError if the events do not begin with the one received event, or if it was moved later.
    """
    known = sorted((event for event in events if event.at <= now), key=attrgetter("at", "sequence"))
    if not known:
        return known
    if [event.kind for event in known].count(EventKind.RECEIVED) != 1 or known[0].kind is not EventKind.RECEIVED:
        raise ValueError("the events of an incident begin with the one that it was received")
    moves = [event.moved_to for event in known if event.moved_to is not None]
    if any(moved_to > known[0].at for moved_to in moves):
        raise ValueError("the received time may be moved earlier, never later (SLA-1)")
    if moves:
        known[0] = replace(known[0], at=min(moves))
    return known


def _read_terms(value: Any, path: str) -> Terms:
    try:
        return Terms.from_spec(value)
    except ValueError as error:
        raise ValueError(f"{path.removesuffix('terms')}{error}") from error


def _read_hold(value: Any, path: str) -> Hold:
    return read_member(Hold, value, path)


def _read_sequence(value: Any, path: str) -> int:
    return int(expect(value, int, path, "a whole number"))


_FIELDS: Mapping[str, tuple[Callable[[Any, str], Any], Callable[[Any], Any]]] = {
    "severity": (check_severity, str),
    "terms": (_read_terms, Terms.to_spec),
    "hold": (_read_hold, str),
    "interval": (read_seconds, write_seconds),
    "promised_next": (read_instant, write_instant),
    "moved_to": (read_instant, write_instant),
    "ref": (read_text, str),
    "sequence": (_read_sequence, int),
}

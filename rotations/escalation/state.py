"""What an escalation is, what can happen to it, and whom it asks about people. Values only. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from rotations.escalation import reading
from rotations.escalation.policy import Policy, Target


class Status(StrEnum):
    """Where an escalation stands (domain §5.3)."""

    IDLE = "idle"
    TRIGGERED = "triggered"
    ACKNOWLEDGED = "acknowledged"
    EXHAUSTED = "exhausted"
    SUPPRESSED = "suppressed"
    RESOLVED = "resolved"


class EventKind(StrEnum):
    """What can happen. All but `due` are somebody's decision; at one instant those go first (ESC-8)."""

    START = "start"
    DUE = "due"  # the clock says that it is now `at`
    ACK = "ack"
    UNACK = "unack"  # hands back
    HAND_OVER = "hand_over"  # the next shift accepts it
    ACTIVITY = "activity"  # a message, an update, "still on it"
    SEVERITY_UP = "severity_up"
    SEVERITY_DOWN = "severity_down"
    ESCALATE = "escalate"  # a person presses "escalate now"
    UNREACHABLE = "unreachable"  # every way to reach a paged person has failed (ESC-14)
    PAGER_FAILED = "pager_failed"  # the vendor's pager did not accept the page in time (ESC-17)
    ROTA = "rota"  # the schedule changed: somebody else may be on duty since before now
    SUPPRESS = "suppress"  # a maintenance window covers this
    UNSUPPRESS = "unsuppress"  # the window is over and the alert is still firing
    RESOLVE = "resolve"  # resolved, cancelled or merged
    REOPEN = "reopen"


BY_SOMEBODY = frozenset(
    {EventKind.ACK, EventKind.UNACK, EventKind.HAND_OVER, EventKind.ACTIVITY, EventKind.UNREACHABLE}
)


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happens at one instant.

    `by`: who acknowledged, handed back, was active or turned out unreachable.
    `severity`, `policy`: on start and on a change of severity. A `policy` of None means that this severity pages
    nobody: it is not entitled, or only queued.
    `backup_first`: the primary has had enough this shift; backup and primary change places (FAT-5).
    `until`: the end of the maintenance window. A pause always has an end.
    `generation`: of the job that asks; a late job of an older generation changes nothing (ESC-12).
    """

    kind: EventKind
    at: datetime
    by: str = ""
    severity: str = ""
    policy: Policy | None = None
    backup_first: bool = False
    until: datetime | None = None
    generation: int | None = None

    def __post_init__(self) -> None:
        if self.at.tzinfo is None:
            raise ValueError(f"{self.at.isoformat()} has no time zone, so it is not an instant")
        if self.kind in BY_SOMEBODY and not self.by:
            raise ValueError(f"{self.kind}: it has to be known who")
        if self.kind is EventKind.SUPPRESS and self.until is None:
            raise ValueError("suppress: a pause needs an end")


@dataclass(frozen=True, slots=True)
class State:
    """Everything an escalation remembers; it round-trips through JSON.

    `suppressible`: a monitor found this; a customer's report is never suppressed (MON-7).
    `next_step`: index of the step that fires next; equal to the number of steps when the pass is through.
    `planned_at`: the next step while triggered, the next page of the fallback manager while exhausted, the end of the
    window while suppressed.
    `taken_over`: our own pager has taken over from the vendor's for this incident (ESC-17).
    `on_duty`, `watched_from`: the primary when last looked at, and when that was (ESC-5).
    `rung`: whom the current step reached.
    `paged`: whom this incident paged, and when last; None once the one-minute pause does not apply (ESC-6).
    `ackers`: those whose acknowledgement counts, first one first; `responders`: those who joined later.
    """

    status: Status = Status.IDLE
    severity: str = "P1"
    suppressible: bool = False
    generation: int = 1
    pass_number: int = 1
    pass_started: datetime | None = None
    next_step: int = 0
    planned_at: datetime | None = None
    fallback_paged: bool = False
    backup_first: bool = False
    taken_over: bool = False
    on_duty: str | None = None
    watched_from: datetime | None = None
    rung: tuple[str, ...] = ()
    paged: Mapping[str, datetime | None] = field(default_factory=dict)
    excluded: tuple[str, ...] = ()
    ackers: tuple[str, ...] = ()
    responders: tuple[str, ...] = ()
    last_activity: datetime | None = None

    def to_spec(self) -> dict[str, Any]:
        return {item.name: _plain(getattr(self, item.name)) for item in fields(self)}

    @classmethod
    def from_spec(cls, spec: Mapping[str, Any]) -> State:
        """Read a stored state. Raises ValueError or KeyError where it is not one."""
        restored = dict(spec)
        for name in ("pass_started", "planned_at", "watched_from", "last_activity"):
            restored[name] = _instant(spec[name], name)
        for name in ("rung", "excluded", "ackers", "responders"):
            restored[name] = tuple(spec[name])
        restored["status"] = Status(spec["status"])
        restored["paged"] = {person: _instant(at, f"paged.{person}") for person, at in spec["paged"].items()}
        return cls(**restored)


@dataclass(frozen=True, slots=True)
class Found:
    """Who a target means right now: those who can be reached, and those who cannot, each with the reason."""

    people: tuple[str, ...] = ()
    passed_over: tuple[tuple[str, str], ...] = ()


class People(Protocol):
    """Who is who, asked anew at each firing (D11). People are named by an id that means the same everywhere."""

    def resolve(self, target: Target, at: datetime) -> Found:
        """Whom a person target means at `at`. Nobody is an empty answer, never an error."""

    def fallback(self, at: datetime) -> str | None:
        """The fallback manager at `at`; None only where the desk is not set up."""

    def boundary_after(self, at: datetime) -> datetime | None:
        """The first instant strictly after `at` at which a shift of this incident's schedule changes, if any."""


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return reading.written(value)
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    return list(value) if isinstance(value, tuple) else value


def _instant(value: str | None, path: str) -> datetime | None:
    return None if value is None else reading.instant(value, path)

"""What a decision brings about: facts, in order, which the caller records and carries out. Pure.

Every effect carries the instant it was *planned* for, never the instant a late worker got to it. `step` is the step in
force, counted from one: for a shift change the one that is waiting, for an exhausted chain the last.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from rotations.escalation.policy import Pager, Target


class Reason(StrEnum):
    """Why somebody is paged. Where a step's target names them, the target's kind is the reason instead."""

    NO_TARGET = "no_target"  # the step found nobody (ESC-7)
    SHIFT_CHANGE = "shift_change"  # ESC-5
    ACK_TIMEOUT = "ack_timeout"  # ESC-9
    SEVERITY_UP = "severity_up"  # ESC-11
    PAGER_FAILED = "pager_failed"  # ESC-17
    EXHAUSTED = "exhausted"


class Why(StrEnum):
    """Why somebody, or a step, was passed over."""

    JUST_PAGED = "paged less than a minute ago"  # ESC-6
    HANDED_BACK = "handed this incident back"  # ESC-10
    ACKNOWLEDGED = "has acknowledged already"
    NO_WAY_WORKED = "no way to reach them worked"  # ESC-14
    CONDITION = "its condition does not hold"
    OVERTAKEN = "a later step was overdue as well"  # ESC-13


@dataclass(frozen=True, slots=True)
class Page:
    """Ring this person. With `pager` not internal the vendor does the ringing and we only record it (D14)."""

    at: datetime
    person: str
    reason: str
    pass_number: int
    step: int
    pager: Pager = Pager.INTERNAL


@dataclass(frozen=True, slots=True)
class Channel:
    """Tell this channel, or the vendor's pager."""

    at: datetime
    target: Target
    pass_number: int
    step: int


@dataclass(frozen=True, slots=True)
class StepFired:
    """A step fired, whoever it reached."""

    at: datetime
    pass_number: int
    step: int


@dataclass(frozen=True, slots=True)
class StepSkipped:
    """A step did not fire."""

    at: datetime
    why: str
    pass_number: int
    step: int


@dataclass(frozen=True, slots=True)
class Skipped:
    """A person was meant but not paged."""

    at: datetime
    person: str
    why: str
    pass_number: int
    step: int


@dataclass(frozen=True, slots=True)
class NobodyOnCall:
    """There was nobody to page; `fallback` is the manager who stands in, None where there is none either."""

    at: datetime
    fallback: str | None
    pass_number: int
    step: int


@dataclass(frozen=True, slots=True)
class FatigueException:
    """The primary should have been relieved, but no backup was to be had: the primary is kept (FAT-5)."""

    at: datetime
    pass_number: int
    step: int


@dataclass(frozen=True, slots=True)
class Exhausted:
    """Every pass is through and nobody has it: from now on the fallback manager is paged again and again."""

    at: datetime
    pass_number: int


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """Somebody accepted. `claimed`: they had not been paged. `joined`: enough others had accepted before."""

    at: datetime
    person: str
    claimed: bool
    joined: bool


@dataclass(frozen=True, slots=True)
class AckExpired:
    """Whoever acknowledged has not been heard of since: the chain starts again (ESC-9)."""

    at: datetime
    people: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PagerTakenOver:
    """Our own pager pages from now on, instead of the vendor's (ESC-17)."""

    at: datetime
    why: str


Effect = (
    Page
    | Channel
    | StepFired
    | StepSkipped
    | Skipped
    | NobodyOnCall
    | FatigueException
    | Exhausted
    | Acknowledged
    | AckExpired
    | PagerTakenOver
)

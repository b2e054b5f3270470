"""What the fatigue rules speak about: limits, duties, people and findings. Pure values."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import StrEnum
from typing import NamedTuple

from rotations import local_days
from rotations.rules import PRIMARY, Slot
from rotations.timeline import Span

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
WEEK = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Profile:
    """The limits of a region. `legal` names the rules that are law there, not only good sense."""

    daily_rest: timedelta = 11 * HOUR
    week_warns: timedelta = 48 * HOUR
    week_blocks: timedelta = 60 * HOUR
    average_week: timedelta = 48 * HOUR
    average_over_weeks: int = 17
    weekly_rest: timedelta = 35 * HOUR
    without_weekly_rest_warns: timedelta = 7 * DAY
    without_weekly_rest_blocks: timedelta = 14 * DAY
    night: tuple[time, time] = local_days.NIGHT
    night_counts_from: timedelta = 2 * HOUR
    nights_in_a_row: int = 3
    rest_after_nights: timedelta = 48 * HOUR
    incidents: int = 2
    incidents_within: timedelta = 12 * HOUR
    longest_streak: int = 7  # days
    streak_blocks: int = 12  # days
    standby_share: float = 0.25
    standby_over: timedelta = 28 * DAY
    shortest_call_out: timedelta = timedelta(minutes=30)
    legal: frozenset[str] = frozenset()


DEFAULT = Profile()
EU = Profile(legal=frozenset({"FAT-1", "FAT-2"}))


class Severity(StrEnum):
    """What a finding means for a plan: not without a manager and the engineer's consent, worth a look, a note."""

    BLOCK = "block"
    WARN = "warn"
    INFO = "info"


class Kind(StrEnum):
    """What being on duty means: working, being reachable, or working because one was called while reachable."""

    ACTIVE = "active"
    STANDBY = "standby"
    CALL_OUT = "call_out"


class Duty(NamedTuple):
    """A stretch of one person's duty in a slot. `all_day`: of a layer on duty around the clock.

    Pieces of one shift (`shift` is its whole extent) belong together: a hole inside it is no rest between two shifts.
    """

    person: str
    start: datetime
    end: datetime
    kind: Kind = Kind.ACTIVE
    slot: Slot = PRIMARY
    all_day: bool = False
    shift: tuple[datetime, datetime] | None = None


class Person(NamedTuple):
    """Whose plan is judged: their own duties in any order, and the zone they sleep in."""

    name: str
    home: str
    duties: tuple[Duty, ...]


class Stretch(NamedTuple):
    """A piece of time, usually work without a break."""

    start: datetime
    end: datetime

    @property
    def length(self) -> timedelta:
        return self.end - self.start


@dataclass(frozen=True, slots=True)
class Finding:
    """One limit passed by one person from `start` until `end`.

    `numbers` are the facts behind `text`; `excess` is how far the limit is passed, in the unit of its rule.
    """

    rule: str
    person: str
    severity: Severity
    start: datetime
    end: datetime
    text: str
    is_legal_limit: bool = False
    numbers: tuple[tuple[str, float], ...] = ()
    excess: float = 0.0


def work(duties: Iterable[Duty]) -> list[Stretch]:
    """What of one person's duties is work, as ordered stretches with rest between them."""
    stretches: list[Stretch] = []
    shift = None
    for duty in sorted((duty for duty in duties if duty.kind is not Kind.STANDBY), key=lambda duty: duty.start):
        goes_on = bool(stretches) and (duty.start <= stretches[-1].end or (shift is not None and shift == duty.shift))
        if goes_on:
            stretches[-1] = Stretch(stretches[-1].start, max(stretches[-1].end, duty.end))
        else:
            stretches.append(Stretch(duty.start, duty.end))
        shift = duty.shift
    return stretches


def joined(spans: Iterable[Span]) -> list[Stretch]:
    """The same time as ordered stretches that neither touch nor overlap."""
    stretches: list[Stretch] = []
    for span in sorted(spans, key=lambda span: span.start):
        if stretches and span.start <= stretches[-1].end:
            stretches[-1] = Stretch(stretches[-1].start, max(stretches[-1].end, span.end))
        else:
            stretches.append(Stretch(span.start, span.end))
    return stretches


def worked_within(stretches: Iterable[Span], start: datetime, end: datetime) -> timedelta:
    """How much of these lies between `start` and `end`."""
    lengths = (min(stretch.end, end) - max(stretch.start, start) for stretch in stretches)
    return sum((length for length in lengths if length > timedelta(0)), timedelta(0))

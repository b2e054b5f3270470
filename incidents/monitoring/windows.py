"""Maintenance windows in local time (MON-7). Pure.

A window is a wall-clock span on certain days of a zone: `01:00–05:00` lasts three hours in the night the clocks go
forward and five in the night they go back. Intervals are half-open.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum

from supportdesk import zones

LONGEST_DAYS = 31


class Repeats(StrEnum):
    """How often a window comes again."""

    ONCE = "once"
    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"


@dataclass(frozen=True, slots=True)
class Window:
    """When maintenance is. `ends` at or before `starts` means the next day; `more_days` are added to that.

    `weekdays` (0 is Monday) are those of a weekly window; empty: the weekday of `first_day`. A monthly window comes on
    the day of the month of `first_day`; months without that day have none.
    """

    zone: str
    first_day: date
    starts: time
    ends: time
    more_days: int = 0
    repeats: Repeats = Repeats.ONCE
    weekdays: frozenset[int] = frozenset()
    last_day: date | None = None

    def __post_init__(self) -> None:
        zones.check_zone(self.zone)
        if not 0 <= self.more_days <= LONGEST_DAYS:
            raise ValueError(f"a window lasts at most {LONGEST_DAYS} days")
        if not all(0 <= day <= 6 for day in self.weekdays):
            raise ValueError("weekdays are 0 (Monday) to 6 (Sunday)")
        if self.last_day is not None and self.last_day < self.first_day:
            raise ValueError("the last day is before the first")

    @property
    def span_days(self) -> int:
        """Calendar days between the day it starts and the day it ends."""
        return self.more_days + (1 if self.ends <= self.starts else 0)

    def falls_on(self, day: date) -> bool:
        """Whether an occurrence starts on this local day."""
        if day < self.first_day or (self.last_day is not None and day > self.last_day):
            return False
        if self.repeats is Repeats.ONCE:
            return day == self.first_day
        if self.repeats is Repeats.WEEKLY:
            return day.weekday() in (self.weekdays or {self.first_day.weekday()})
        if self.repeats is Repeats.MONTHLY:
            return day.day == self.first_day.day
        return True

    def occurrence(self, day: date) -> Occurrence:
        """The occurrence that starts on a local day, as instants."""
        end_day = day + timedelta(days=self.span_days)
        return Occurrence(
            zones.first_instant(datetime.combine(day, self.starts), self.zone),
            zones.last_instant(datetime.combine(end_day, self.ends), self.zone),
        )


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One time a window is open: from `start` up to, and not including, `end`."""

    start: datetime
    end: datetime

    def holds(self, at: datetime) -> bool:
        return self.start <= at < self.end


def occurrences(window: Window, since: datetime, until: datetime) -> Iterator[Occurrence]:
    """Every occurrence that is open at some instant of `[since, until)`, in order."""
    day = max(zones.local(since, window.zone).date() - timedelta(days=window.span_days + 1), window.first_day)
    last = zones.local(until, window.zone).date()
    while day <= last:
        if window.falls_on(day):
            found = window.occurrence(day)
            if found.start < until and found.end > since and found.start < found.end:
                yield found
        day += timedelta(days=1)


def open_at(window: Window, at: datetime) -> Occurrence | None:
    """The occurrence that is open at an instant; of several the one that ends last."""
    found = [one for one in occurrences(window, at, at + timedelta(seconds=1)) if one.holds(at)]
    return max(found, key=lambda one: one.end, default=None)


def quiet_until(windows: Iterable[Window], at: datetime) -> datetime | None:
    """Until when any of these windows is open; None: none is open now."""
    return max((one.end for window in windows if (one := open_at(window, at))), default=None)


def upcoming(window: Window, at: datetime, *, days: int = 62) -> Occurrence | None:
    """The occurrence that is open now, else the next one within so many days."""
    return next(occurrences(window, at, at + timedelta(days=days)), None)

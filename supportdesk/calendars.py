"""Business calendars: when the desk is open, and time counted in open hours only (SLA-3 … SLA-6, D7, D9, ENT-3).

A calendar names its windows in local wall-clock time; everything asked of it is asked and answered in UTC instants.
A window lasts as long as really passes between its opening and its closing instant, so a night window has seven or
nine hours when the clocks change. Windows that touch or overlap count once.

`ALWAYS` is the 24x7 calendar: it has no days, no windows and no time zone.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any, NamedTuple

from supportdesk import calendar_specs
from supportdesk.calendar_specs import Windows
from supportdesk.zones import first_instant, last_instant, local

Interval = tuple[datetime, datetime]  # [from, until) in UTC

_ZERO = timedelta()
_DAY = timedelta(days=1)
_WEEK = timedelta(weeks=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FOREVER = datetime.max.replace(tzinfo=UTC)
_SEARCH = timedelta(days=400)  # without an opening for longer than this, a calendar counts as never open
_HORIZON_WEEKS = 5_218  # a century: what takes longer to add up is a mistake in the calendar or the target


class NeverOpen(ValueError):
    """The calendar has no opening, or no business day, in the next 400 days, or too few in the next hundred years."""


@dataclass(frozen=True)
class Calendar:
    """The opening hours of a desk. Build one with `from_spec`; compare by value.

    `weekly` holds the windows of Monday to Sunday as minutes of the local day, (540, 1020) for 09:00 to 17:00; a window
    that runs into the next day ends after minute 1440 and belongs to the day it begins. `special` replaces the windows
    of single dates (half days, extra days) and wins over `closed`.
    """

    time_zone: str
    weekly: tuple[Windows, ...]
    closed: frozenset[date] = frozenset()
    special: Mapping[date, Windows] = field(default_factory=dict, hash=False)
    version: str = ""
    always: bool = False  # 24x7; the fields above mean nothing then

    @classmethod
    def from_spec(cls, spec: Any) -> Calendar:
        """Read `"24x7"` or a mapping of time_zone, weekly, closed, special and version, as `to_spec` writes it.

        Raises ValueError, beginning with the path of the field that is wrong. Equal specs give the same object, so
        that all incidents under one calendar share its resolved weeks.
        """
        try:
            text = json.dumps(spec, sort_keys=True)
        except (TypeError, ValueError) as error:
            raise ValueError(f"calendar: not plain JSON ({error})") from error
        return _read(text)

    def to_spec(self) -> Any:
        """The calendar as plain JSON values; `from_spec` reads it back."""
        if self.always:
            return calendar_specs.ALWAYS
        return calendar_specs.write(self.time_zone, self.weekly, self.closed, self.special, self.version)

    def windows_on(self, day: date) -> Windows:
        """The windows that begin on the local date `day`, in minutes of that day."""
        if day in self.special:
            return self.special[day]
        return () if day in self.closed else self.weekly[day.weekday()]


ALWAYS = Calendar("UTC", ((),) * 7, version=calendar_specs.ALWAYS, always=True)


def is_open(calendar: Calendar, t: datetime) -> bool:
    """Whether the desk is open at `t`: from the opening instant on, at the closing instant no longer."""
    if calendar.always:
        return True
    return any(opens <= t < closes for opens, closes in _week(calendar, _week_number(t)).spans)


def next_open(calendar: Calendar, t: datetime) -> datetime:
    """`t` if the desk is open then, else the next opening instant (SLA-3). Raises `NeverOpen`."""
    return next(_spans_from(calendar, t))[0]


def closes_at(calendar: Calendar, t: datetime) -> datetime | None:
    """When the desk closes that is open at `t`, or opens next; None if it then stays open for a year and more.

    Raises `NeverOpen`.
    """
    opens, closes = next(_joined(_spans_from(calendar, t), longest=_SEARCH))
    return closes if closes - opens <= _SEARCH else None


def open_windows(calendar: Calendar, start: datetime, end: datetime) -> Iterator[Interval]:
    """The stretches between `start` and `end` in which the desk is open, in order, as large as they go."""
    if calendar.always:
        return iter([(start, end)] if start < end else [])
    numbers = range(_week_number(start), _week_number(end) + 1)
    spans = (span for number in numbers for span in _week(calendar, number).spans)
    clipped = ((max(opens, start), min(closes, end)) for opens, closes in spans)
    return _joined((opens, closes) for opens, closes in clipped if opens < closes)


def between(calendar: Calendar, start: datetime, end: datetime) -> timedelta:
    """Open time in `[start, end)`. Raises ValueError if `end` is before `start`."""
    if end < start:
        raise ValueError(f"the end {end.isoformat()} is before the start {start.isoformat()}")
    if calendar.always:
        return end - start
    first, last = _week_number(start), _week_number(end)
    whole_weeks = sum((_week(calendar, number).total for number in range(first + 1, last)), _ZERO)
    edges = (first,) if first == last else (first, last)
    return whole_weeks + sum((_open_time(_week(calendar, number).spans, start, end) for number in edges), _ZERO)


def elapsed(calendar: Calendar, start: datetime, t: datetime, holds: Iterable[Interval] = ()) -> timedelta:
    """Open time in `[start, t)` outside `holds`, which may overlap each other (SLA-5). Zero before `start`."""
    if t <= start:
        return _ZERO
    held = ((max(begins, start), min(ends, t)) for begins, ends in union(holds))
    removed = sum((between(calendar, begins, ends) for begins, ends in held if begins < ends), _ZERO)
    return between(calendar, start, t) - removed


def add(calendar: Calendar, start: datetime, duration: timedelta, holds: Iterable[Interval] = ()) -> datetime:
    """The earliest instant at which `duration` has elapsed since `start`, holds not counted (SLA-4, D7).

    Raises ValueError for a negative duration and `NeverOpen`.
    """
    return add_each(calendar, start, (duration,), holds)[0]


def add_each(
    calendar: Calendar, start: datetime, durations: Sequence[timedelta], holds: Iterable[Interval] = ()
) -> tuple[datetime, ...]:
    """`add` for several durations, which must ascend, in one walk through the calendar."""
    if durations[0] < _ZERO:
        raise ValueError("a duration to add cannot be negative")
    removed = union(holds)
    if calendar.always and not removed:
        return tuple(start + duration for duration in durations)
    free = _without(_spans_from(calendar, start), removed)
    found = []
    used = _ZERO
    opens, closes = start, start
    for duration in durations:
        while duration > used + (closes - opens):
            used += closes - opens
            opens, closes = next(free)
        found.append(opens + (duration - used))
    return tuple(found)


def business_day_close(calendar: Calendar, after: datetime, n: int) -> datetime:
    """When the desk closes on the `n`-th business day after the local day of `after` (PIR-2).

    Every date with opening hours is a business day; a half day counts as one and is due at its own close.
    Raises ValueError if `n` is not positive or the calendar never closes, and `NeverOpen`.
    """
    if n < 1:
        raise ValueError("the number of business days must be at least 1")
    if calendar.always:
        raise ValueError("a 24x7 calendar has no business days; use the calendar of a desk that closes")
    day = local(after, calendar.time_zone).date()
    last_business_day = day
    while True:
        day += _DAY
        spans = _spans_of(calendar, day)
        if spans:
            n -= 1
            last_business_day = day
        if n == 0:
            return max(closes for _, closes in spans)
        if day - last_business_day > _SEARCH:
            raise NeverOpen(f"this calendar has no business day in the {_SEARCH.days} days after {last_business_day}")


def union(intervals: Iterable[Interval]) -> tuple[Interval, ...]:
    """The same time as `intervals`, in order and without overlap; intervals without length fall away."""
    ordered = sorted([(begins, ends) for begins, ends in intervals if begins < ends])
    return tuple(_joined(ordered) if len(ordered) > 1 else ordered)


class _Week(NamedTuple):
    """Seven days of UTC: the open spans cut off at both ends, and their total. Weeks neither overlap nor leave gaps."""

    spans: tuple[Interval, ...]
    total: timedelta


def _week_number(t: datetime) -> int:
    return (t - _EPOCH) // _WEEK


@lru_cache(maxsize=8192)
def _week(calendar: Calendar, number: int) -> _Week:
    begins = _EPOCH + number * _WEEK
    ends = begins + _WEEK
    # No zone is a whole day away from UTC, and a window ends at most two days after the beginning of its date.
    dates = [begins.date() + days * _DAY for days in range(-3, 8)]
    spans = union(
        (max(opens, begins), min(closes, ends)) for day in dates for opens, closes in _spans_of(calendar, day)
    )
    return _Week(spans, sum((closes - opens for opens, closes in spans), _ZERO))


def _spans_of(calendar: Calendar, day: date) -> tuple[Interval, ...]:
    """The windows of one local date as instants, from the first occurrence of the opening to the last of the close."""
    midnight = datetime(day.year, day.month, day.day)  # noqa: DTZ001 (a wall-clock reading)
    resolved = (
        (
            first_instant(midnight + timedelta(minutes=opens), calendar.time_zone),
            last_instant(midnight + timedelta(minutes=closes), calendar.time_zone),
        )
        for opens, closes in calendar.windows_on(day)
    )
    return tuple((opens, closes) for opens, closes in resolved if opens < closes)


def _spans_from(calendar: Calendar, t: datetime) -> Iterator[Interval]:
    """Open spans from `t` on, without end; a span may come in two parts that touch. Raises `NeverOpen`."""
    if calendar.always:
        yield t, _FOREVER
        return
    first = _week_number(t)
    last_close = t
    for number in range(first, first + _HORIZON_WEEKS):
        spans = _week(calendar, number).spans
        if not spans and _EPOCH + number * _WEEK - last_close > _SEARCH:
            raise NeverOpen(f"this calendar has no opening in the {_SEARCH.days} days after {last_close:%Y-%m-%d}")
        for opens, closes in spans:
            last_close = closes
            if closes > t:
                yield max(opens, t), closes
    raise NeverOpen("this calendar does not open long enough within a hundred years")


def _without(spans: Iterable[Interval], holds: tuple[Interval, ...]) -> Iterator[Interval]:
    """`spans` with `holds` cut out; both in order and without overlap."""
    first = 0
    for opens, closes in spans:
        while first < len(holds) and holds[first][1] <= opens:
            first += 1
        for begins, ends in holds[first:]:
            if begins >= closes:
                break
            if opens < begins:
                yield opens, begins
            opens = ends
        if opens < closes:
            yield opens, closes


def _joined(spans: Iterable[Interval], longest: timedelta = timedelta.max) -> Iterator[Interval]:
    """`spans`, which come in order of their beginning, with those that touch or overlap made one.

    A span that has grown beyond `longest` is given out as it is, so that a desk that never closes can be asked.
    """
    current: Interval | None = None
    for opens, closes in spans:
        if current is None:
            current = opens, closes
        elif opens <= current[1]:
            current = current[0], max(current[1], closes)
        else:
            yield current
            current = opens, closes
        if current[1] - current[0] > longest:
            break
    if current is not None:
        yield current


def _open_time(spans: Iterable[Interval], start: datetime, end: datetime) -> timedelta:
    clipped = ((max(opens, start), min(closes, end)) for opens, closes in spans)
    return sum((closes - opens for opens, closes in clipped if opens < closes), _ZERO)


@lru_cache(maxsize=1024)
def _read(text: str) -> Calendar:
    spec = json.loads(text)
    if spec == calendar_specs.ALWAYS:
        return ALWAYS
    return Calendar(**calendar_specs.read(spec))

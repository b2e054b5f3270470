"""What is measured and how: response times, attainment and percentiles (M-01 … M-04). Pure.

Means alone mislead, so a `Summary` always carries median and p90 with them; and a handful of cycles makes no
percentage, so an `Attainment` of fewer than five has counts only.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from incidents.sla import State
from supportdesk import calendars
from supportdesk.calendars import ALWAYS, Calendar, Interval
from supportdesk.zones import day_start, local

_FEWEST_FOR_PERCENT = 5
_ZERO = timedelta()


@dataclass(frozen=True, slots=True)
class Milestones:
    """When things happened to one incident; None for what has not. `reopened` are its [resolved, reopened) times."""

    detected_at: datetime
    received_at: datetime
    impact_started_at: datetime | None = None
    acknowledged_at: datetime | None = None
    first_response_at: datetime | None = None
    mitigated_at: datetime | None = None
    resolved_at: datetime | None = None
    reopened: tuple[Interval, ...] = ()


@dataclass(frozen=True, slots=True)
class Durations:
    """How long things took (M-01); None where an end is missing."""

    to_detect: timedelta | None
    to_acknowledge: timedelta | None
    to_first_response: timedelta | None
    to_mitigate: timedelta | None
    to_resolve: timedelta | None
    impact: timedelta | None


def durations(incident: Milestones, calendar: Calendar = ALWAYS) -> Durations:
    """TTD, TTA, TTFR, TTM, TTR and impact duration.

    TTFR counts the hours of `calendar`, as its clock does; the others are real time. TTR leaves out the time the
    incident was resolved before it was reopened.
    """
    answered_at = incident.first_response_at
    to_resolve = _span(incident.detected_at, incident.resolved_at)
    if to_resolve is not None:
        to_resolve -= sum((ends - begins for begins, ends in calendars.union(incident.reopened)), _ZERO)
    return Durations(
        to_detect=_span(incident.impact_started_at, incident.detected_at),
        to_acknowledge=_span(incident.detected_at, incident.acknowledged_at),
        to_first_response=calendars.elapsed(calendar, incident.received_at, answered_at) if answered_at else None,
        to_mitigate=_span(incident.detected_at, incident.mitigated_at),
        to_resolve=to_resolve,
        impact=_span(incident.impact_started_at, incident.mitigated_at),
    )


@dataclass(frozen=True, slots=True)
class CycleResult:
    """What became of one clock cycle, as attainment asks: `counts` is False under goodwill and for drills."""

    due_at: datetime | None
    state: str
    counts: bool = True
    is_excused: bool = False


@dataclass(frozen=True, slots=True)
class Attainment:
    """Cycles met and missed; of the missed, how many have an approved excuse."""

    met: int
    missed: int
    excused: int = 0

    @property
    def total(self) -> int:
        """All cycles that had a result."""
        return self.met + self.missed

    @property
    def percent(self) -> float | None:
        """Share met, cut to a tenth of a percent so that only a flawless record reads 100; None for fewer than five."""
        return _percent(self.met, self.total)

    @property
    def percent_with_excuses(self) -> float | None:
        """The same with excused misses left out; shown beside the raw value, never instead of it."""
        return _percent(self.met, self.total - self.excused)


def attainment(results: Iterable[CycleResult], period: Interval) -> Attainment:
    """Attainment over the cycles due in `period` (M-02, M-04).

    Cycles that still run, were cancelled or merged, or do not count are left out.
    """
    begins, ends = period
    due = [result for result in results if result.counts and result.due_at and begins <= result.due_at < ends]
    missed = [result for result in due if result.state == State.MISSED]
    return Attainment(
        met=sum(result.state == State.MET for result in due),
        missed=len(missed),
        excused=sum(result.is_excused for result in missed),
    )


def month(year: int, number: int, zone: str) -> Interval:
    """A calendar month as it begins and ends in `zone`."""
    following = date(year + number // 12, number % 12 + 1, 1)
    return day_start(date(year, number, 1), zone), day_start(following, zone)


def month_of(instant: datetime, zone: str) -> tuple[int, int]:
    """The year and month an instant belongs to in `zone` (M-02)."""
    wall = local(instant, zone)
    return wall.year, wall.month


@dataclass(frozen=True, slots=True)
class Summary:
    """Mean, median and p90 of `count` values in seconds."""

    count: int
    mean: float
    median: float
    p90: float


def summary(seconds: Iterable[float]) -> Summary | None:
    """Summarise values (M-03): the median of an even number lies between the middle two. None without values."""
    values = sorted(seconds)
    if not values:
        return None
    middle = len(values) // 2
    median = values[middle] if len(values) % 2 else (values[middle - 1] + values[middle]) / 2
    return Summary(len(values), sum(values) / len(values), median, percentile(values, 90))


def percentile(ordered: Sequence[float], percent: int) -> float:
    """Nearest rank: the smallest value that at least `percent` % of all do not exceed (M-03).

    `ordered` ascends. Raises ValueError without values, or if `percent` is not from 1 to 100.
    """
    if not ordered or not 1 <= percent <= 100:
        raise ValueError("a percentile needs values, and a percentage from 1 to 100")
    rank = -(-percent * len(ordered) // 100)
    return ordered[rank - 1]


def _span(start: datetime | None, end: datetime | None) -> timedelta | None:
    return None if start is None or end is None else end - start


def _percent(met: int, total: int) -> float | None:
    return None if total < _FEWEST_FOR_PERCENT else met * 1000 // total / 10

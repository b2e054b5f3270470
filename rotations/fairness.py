"""Who carries how much: hours, nights, weekends and holidays per person, and how evenly they lie (R-23). Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import combinations
from types import MappingProxyType

from rotations import local_days
from rotations.timeline import Span

_HOUR = timedelta(hours=1)
_EVEN_ENOUGH = 95
_WEEKEND = (5, 6)


@dataclass(frozen=True, slots=True)
class Share:
    """What one person carried: hours on call, and of those how many at night, on weekends and on holidays at home.

    `overload` is hours over the team's mean, less one, in whole percent: 25 is a quarter more than the mean.
    """

    person: str
    hours: float
    night_hours: float
    weekend_hours: float
    holiday_hours: float
    overload: int


def balance(hours: Collection[float]) -> int:
    """How evenly hours are shared, in whole percent: the mean over all pairs of the smaller by the larger.

    From 95 on it counts as 100. Fewer than two people are always even.
    """
    pairs = list(combinations(hours, 2))
    if not pairs:
        return 100
    percent = 100 * sum(min(pair) / max(pair) if max(pair) else 1.0 for pair in pairs) / len(pairs)
    return 100 if percent >= _EVEN_ENOUGH else round(percent)


def overload(hours: Mapping[str, float]) -> dict[str, int]:
    """Each person's hours over the mean of all, less one, in whole percent."""
    mean = sum(hours.values()) / len(hours) if hours else 0.0
    return {person: round(100 * (own / mean - 1)) if mean else 0 for person, own in hours.items()}


def shares(
    duties: Mapping[str, Collection[Span]],
    homes: Mapping[str, str],
    holidays: Mapping[str, Collection[date]] = MappingProxyType({}),
) -> tuple[Share, ...]:
    """The share of everyone in `duties`, those without any included. `homes` are people's own zones, `holidays` the
    public holidays where they live."""
    hours = {person: sum((span.end - span.start) / _HOUR for span in spans) for person, spans in duties.items()}
    over = overload(hours)
    return tuple(
        _share(person, duties[person], homes[person], holidays.get(person, ()), over[person]) for person in duties
    )


def _share(person: str, spans: Collection[Span], home: str, holidays: Collection[date], over: int) -> Share:
    days = [part for span in spans for part in local_days.days(span.start, span.end, home)]
    nights = [part for span in spans for part in local_days.nights(span.start, span.end, home)]
    return Share(
        person,
        hours=_hours(days),
        night_hours=_hours(nights),
        weekend_hours=_hours([part for part in days if part[0].weekday() in _WEEKEND]),
        holiday_hours=_hours([part for part in days if part[0] in holidays]),
        overload=over,
    )


def _hours(parts: Collection[local_days.Part]) -> float:
    return sum(length / _HOUR for _, length in parts)

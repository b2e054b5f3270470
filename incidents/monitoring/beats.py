"""When a ping is expected, and when its absence is an alarm (MON-8). Pure.

A period counts from the last ping; a cron expression names wall-clock times of a zone. A time the clocks jump over is
expected at the first instant after the jump; one that comes twice is expected once, the first time, unless the
expression runs every hour anyway.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from cronsim import CronSim, CronSimError

from supportdesk import zones

SHORTEST_PERIOD = timedelta(seconds=10)
LONGEST_PERIOD = timedelta(days=366)
LONGEST_GRACE = timedelta(days=31)
_FOLD = timedelta(hours=3)  # no clock was ever set back further


@dataclass(frozen=True, slots=True)
class Rhythm:
    """How often a ping should come: every `period`, or by `cron` in `zone`; and how late it may be."""

    grace: timedelta
    period: timedelta | None = None
    cron: str = ""
    zone: str = "UTC"

    def __post_init__(self) -> None:
        if (self.period is None) == (not self.cron):
            raise ValueError("give either a period or a cron expression")
        if self.period is not None and not SHORTEST_PERIOD <= self.period <= LONGEST_PERIOD:
            raise ValueError("a period is 10 seconds to 366 days")
        if not timedelta() <= self.grace <= LONGEST_GRACE:
            raise ValueError("the grace time is at most 31 days")
        if self.cron:
            zones.check_zone(self.zone)
            check_cron(self.cron)

    def expected_after(self, at: datetime) -> datetime:
        """The instant the next ping is expected at, after a ping at `at`."""
        return at + self.period if self.period is not None else _next_by_cron(self.cron, self.zone, at)

    def late_at(self, last_ping_at: datetime) -> datetime:
        """The instant from which the ping after `last_ping_at` is missed."""
        return self.expected_after(last_ping_at) + self.grace


def check_cron(expression: str) -> str:
    """Return a five-field cron expression that comes round; raises ValueError saying what is wrong with it."""
    if len(expression.split()) != 5:
        raise ValueError("a cron expression has five fields: minute hour day month weekday")
    try:
        next(CronSim(expression, datetime(2000, 1, 1)))  # noqa: DTZ001 (a wall-clock reading)
    except CronSimError as error:
        raise ValueError(f"{expression!r} is not a cron expression: {error}") from error
    except StopIteration as error:
        raise ValueError(f"{expression!r} never comes") from error
    return expression


def _next_by_cron(expression: str, zone: str, at: datetime) -> datetime:
    """The first instant after `at` that the expression names."""
    named = [_first_after(at, expression, zone, zones.first_instant)]
    if expression.split()[1].startswith("*"):
        named.append(_first_after(at, expression, zone, zones.last_instant))
    return min(named)


def _first_after(at: datetime, expression: str, zone: str, instant: Callable[[datetime, str], datetime]) -> datetime:
    readings: Iterator[datetime] = CronSim(expression, zones.local(at, zone).replace(second=0, microsecond=0) - _FOLD)
    return next(found for reading in readings if (found := instant(reading, zone)) > at)

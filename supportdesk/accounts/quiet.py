"""Quiet hours: when a page that is not urgent waits until somebody is up again (ESC-15). Pure.

A person's quiet hours are two readings of their own clock. They begin with the first instant that shows the one and end
with the last that shows the other (D9), so a night stays whole when the clocks change in the middle of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from supportdesk import zones

LONGEST = timedelta(hours=16)  # by the clock: what is quiet nearly all day reaches nobody any more
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class QuietHours:
    """From `start` until `end` by a clock in `zone`, over midnight where `end` is the earlier reading; never where
    the two are the same."""

    start: time
    end: time
    zone: str

    def end_of(self, at: datetime) -> datetime | None:
        """When the quiet period that holds `at` is over; None if none does."""
        if self.start == self.end:
            return None
        today = zones.local(at, self.zone).date()
        periods = (self._period(today - _DAY), self._period(today))
        return next((ends for begins, ends in periods if begins <= at < ends), None)

    def _period(self, day: date) -> tuple[datetime, datetime]:
        """The period that begins on a local date. Empty where the clock jumps over all of it."""
        last = day if self.start < self.end else day + _DAY
        return (
            zones.first_instant(datetime.combine(day, self.start), self.zone),
            zones.last_instant(datetime.combine(last, self.end), self.zone),
        )


def check(start: time | None, end: time | None) -> None:
    """Raises ValueError, in words for whoever sets them, where these are no quiet hours. Neither is fine."""
    if start is None and end is None:
        return
    if start is None or end is None:
        raise ValueError("Give both times, or neither.")
    length = datetime.combine(date.min, end) - datetime.combine(date.min, start)
    if length % _DAY == timedelta(0):
        raise ValueError("Quiet hours begin and end at different times.")
    if length % _DAY > LONGEST:
        raise ValueError("Quiet hours last up to 16 hours, so that somebody is told the same day.")


def kept_until(hours: QuietHours | None, at: datetime, *, severity: str, around_the_clock: bool) -> datetime | None:
    """Until when a page of this severity waits; None where it goes out at `at` (ESC-15).

    `around_the_clock`: the severity is worked at any hour, by its plan or by an exception.
    """
    if hours is None or severity == "P1" or (severity == "P2" and around_the_clock):
        return None
    return hours.end_of(at)

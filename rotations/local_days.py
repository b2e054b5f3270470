"""A stretch of time as the days and nights of somebody's own wall clock. Pure. Lengths are real time."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from supportdesk import zones

NIGHT = (time(23), time(6))
_DAY = timedelta(days=1)

Part = tuple[date, timedelta]  # a local date, and how much of the stretch falls on it


def days(start: datetime, end: datetime, zone: str) -> list[Part]:
    """How much of `start` … `end` falls on each local date of `zone`."""
    return _parts(start, end, zone, (time.min, time.min), zones.local(start, zone).date())


def nights(start: datetime, end: datetime, zone: str, night: tuple[time, time] = NIGHT) -> list[Part]:
    """How much of `start` … `end` falls into each night of `zone`, named by the date on which the night begins."""
    return _parts(start, end, zone, night, zones.local(start, zone).date() - _DAY)


def _parts(start: datetime, end: datetime, zone: str, window: tuple[time, time], day: date) -> list[Part]:
    """The parts in each daily `window` from `day` on; one whose end is not after its start runs into the next day."""
    found = []
    overnight = _DAY if window[1] <= window[0] else timedelta(0)
    while (begins := zones.first_instant(datetime.combine(day, window[0]), zone)) < end:
        ends = zones.first_instant(datetime.combine(day + overnight, window[1]), zone)
        inside = min(end, ends) - max(start, begins)
        if inside > timedelta(0):
            found.append((day, inside))
        day += _DAY
    return found

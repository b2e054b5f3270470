"""Local wall-clock time to instants and back (D9).

A wall-clock reading names no instant by itself: in spring an hour of readings never happens, in autumn an hour of
readings happens twice. A reading that never happens means the first instant after the gap; of a reading that happens
twice there is a first and a last instant. Python alone answers otherwise: it moves a reading from inside a gap forward
by the length of the gap.

Zones are IANA names. Wall-clock readings are naive datetimes, instants are aware ones in UTC.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, available_timezones

_SECOND = timedelta(seconds=1)
_NOT_A_PLACE = {"localtime", "Factory"}  # files beside the zones: this machine's own zone, and none at all


def check_zone(name: str) -> str:
    """Return `name` if it is an IANA time zone we know; raises ValueError otherwise."""
    if name not in _known_zones():
        raise ValueError(f"{name!r} is not a known time zone; use a name such as Europe/Berlin")
    return name


def first_instant(wall: datetime, zone: str) -> datetime:
    """The first instant at which a clock in `zone` shows `wall`; if it never does, the first instant after the gap.

    Raises ValueError if `wall` carries a time zone of its own.
    """
    return _instant(wall, zone, earlier=True)


def last_instant(wall: datetime, zone: str) -> datetime:
    """The last instant at which a clock in `zone` shows `wall`; if it never does, the first instant after the gap.

    Raises ValueError if `wall` carries a time zone of its own.
    """
    return _instant(wall, zone, earlier=False)


def local(instant: datetime, zone: str) -> datetime:
    """What a clock in `zone` shows at `instant`, as a naive datetime. Raises ValueError for a naive `instant`."""
    if instant.tzinfo is None:
        raise ValueError(f"{instant.isoformat()} has no time zone, so it is not an instant")
    return instant.astimezone(_zone(zone)).replace(tzinfo=None, fold=0)


def day_start(day: date, zone: str) -> datetime:
    """The instant at which `day` begins in `zone`; where midnight does not exist, the first instant after the gap."""
    return first_instant(datetime.combine(day, time.min), zone)


def _instant(wall: datetime, zone: str, *, earlier: bool) -> datetime:
    if wall.tzinfo is not None:
        raise ValueError(f"{wall.isoformat()} is not a wall-clock reading: it carries a time zone")
    zone_info = _zone(zone)
    before = wall.replace(tzinfo=zone_info, fold=0).utcoffset() or timedelta()
    after = wall.replace(tzinfo=zone_info, fold=1).utcoffset() or timedelta()
    if before < after:
        return _end_of_gap(wall, before, after, zone_info)
    return (wall - (before if earlier else after)).replace(tzinfo=UTC, fold=0)


def _end_of_gap(wall: datetime, before: timedelta, after: timedelta, zone_info: ZoneInfo) -> datetime:
    """When the clock jumped over `wall`. Clocks jump on whole seconds: halve the stretch around it down to one."""
    earliest = (wall - after).replace(microsecond=0, tzinfo=UTC)
    low, high = 0, (after - before) // _SECOND + 1
    while low < high:
        middle = (low + high) // 2
        if (earliest + middle * _SECOND).astimezone(zone_info).utcoffset() == before:
            low = middle + 1
        else:
            high = middle
    return earliest + low * _SECOND


@lru_cache(maxsize=1024)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(check_zone(name))


@lru_cache(maxsize=1)
def _known_zones() -> frozenset[str]:
    return frozenset(available_timezones()) - _NOT_A_PLACE

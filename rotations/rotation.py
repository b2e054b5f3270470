"""Rotations: whose turn it is, by arithmetic from an anchor (ROT-1, ROT-2, ROT-10, D9). Pure.

A rotation is a ring of people and a rule in local time for handing over. Turn k runs from `handoff(k)` to
`handoff(k + 1)`; its length is wall-clock, so a daily turn lasts 23 or 25 hours when the clocks change.
Nobody is on duty before the anchor: a rotation begins there. The arithmetic itself knows no beginning, so
`handoff(-1)` is a fair question; `shift_at` answers None there.

Person ids are opaque strings. Zones are IANA names. Instants are aware UTC datetimes, intervals half-open.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import lru_cache, partial
from itertools import accumulate, pairwise, repeat
from operator import add
from typing import NamedTuple

from supportdesk import zones


class Unit(StrEnum):
    """What a rotation counts in, always on the wall clock."""

    HOURLY = "hourly"
    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"


_LENGTHS = {Unit.HOURLY: timedelta(hours=1), Unit.DAILY: timedelta(days=1), Unit.WEEKLY: timedelta(weeks=1)}

_DAY = timedelta(days=1)


class RotationShift(NamedTuple):
    """Turn `k` of a rotation: `person` (None in an empty ring) from `start` until `end`."""

    k: int
    person: str | None
    start: datetime
    end: datetime


@dataclass(frozen=True)
class Rotation:
    """A ring that hands over every `every` units of the wall clock, counted from the naive local `anchor`.

    `start_index` is the place in the ring that takes turn 0. An empty ring is allowed and means nobody.
    Raises ValueError for an `every` below 1 or an anchor that carries a time zone.
    """

    unit: Unit
    every: int
    anchor: datetime
    ring: tuple[str, ...]
    start_index: int = 0
    _step: timedelta | None = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "unit", Unit(self.unit))
        if self.every < 1:
            raise ValueError("a rotation hands over every 1 or more units")
        if self.anchor.tzinfo is not None:
            raise ValueError("the anchor of a rotation is local time and carries no time zone")
        length = _LENGTHS.get(self.unit)
        object.__setattr__(self, "_step", None if length is None else length * self.every)

    def handoff(self, k: int, zone: str) -> datetime:
        """The instant turn k starts (ROT-1); it belongs to the incoming person.

        A local time the clock skips means the first instant after the gap, one it shows twice the first (D9).
        An hourly turn that lies wholly inside a skipped hour has no length.
        """
        return zones.first_instant(self._wall(k), zone)

    def handoffs(self, first: int, until: datetime, zone: str) -> list[datetime]:
        """`handoff(first)`, `handoff(first + 1)`, … up to and including the first one at or after `until`."""
        if self._step is not None:
            return evenly(partial(self.handoff, zone=zone), first, until, self._step, zone)
        found = [self.handoff(first, zone)]
        while found[-1] < until:
            found.append(self.handoff(first + len(found), zone))
        return found

    def index_at(self, t: datetime, zone: str) -> int:
        """The k whose turn holds `t`; negative before the anchor. The cost does not grow with the rotation's age."""
        k = self._estimate(zones.local(t, zone))
        while self.handoff(k, zone) > t:
            k -= 1
        while self.handoff(k + 1, zone) <= t:
            k += 1
        return k

    def place(self, k: int) -> int:
        """The place in the ring that takes turn k. The ring must not be empty."""
        return (self.start_index + k) % len(self.ring)

    def person(self, k: int) -> str | None:
        """Who takes turn k; None in an empty ring."""
        return self.ring[self.place(k)] if self.ring else None

    def shift_at(self, t: datetime, zone: str) -> RotationShift | None:
        """The turn that holds `t`; None before the anchor."""
        k = self.index_at(t, zone)
        if k < 0:
            return None
        return RotationShift(k, self.person(k), self.handoff(k, zone), self.handoff(k + 1, zone))

    def _wall(self, k: int) -> datetime:
        if self._step is not None:
            return self.anchor + k * self._step
        return _months_later(self.anchor, k * self.every)

    def _estimate(self, wall: datetime) -> int:
        """A k within a step or two of the right one: changes of clock and short months are left to the correction."""
        if self._step is not None:
            return (wall - self.anchor) // self._step
        months = (wall.year - self.anchor.year) * 12 + wall.month - self.anchor.month
        return months // self.every


def _months_later(anchor: datetime, months: int) -> datetime:
    """The anchor's day of the month, or the last of a shorter month; never cumulative, never overflowing (ROT-2)."""
    year, month = divmod(anchor.year * 12 + anchor.month - 1 + months, 12)
    return anchor.replace(year=year, month=month + 1, day=min(anchor.day, monthrange(year, month + 1)[1]))


def evenly(at: Callable[[int], datetime], first: int, until: datetime, step: timedelta, zone: str) -> list[datetime]:
    """`at(first)`, `at(first + 1)`, … up to and including the first instant at or after `until`.

    `at` tells the instants of wall-clock readings in `zone` that lie `step` apart. Between two changes of its clock
    they are as far apart as the readings, and follow by addition; this is what makes a year of windows cheap.
    """
    found: list[datetime] = []
    k, start = first, at(first)
    while start < until:
        stride = max(1, (min(_settled_until(start, zone), until) - start) // step)
        end = at(k + stride)
        # A reading the clock skipped is no ground to count from: its instant shows another reading.
        if end - start != stride * step:
            stride, end = 1, at(k + 1)
        found += accumulate(repeat(step, stride - 1), add, initial=start)
        k, start = k + stride, end
    return [*found, start]


def _settled_until(start: datetime, zone: str) -> datetime:
    """As far as which no change of the clock of `zone` is near; `start` itself where one is."""
    for day in _restless_days(zone, start.year):
        if start < day + 2 * _DAY:
            return day - _DAY
    return datetime(start.year + 1, 1, 1, tzinfo=UTC)


@lru_cache(maxsize=4096)
def _restless_days(zone: str, year: int) -> tuple[datetime, ...]:
    """The UTC days of a year (one more at either end) in which the clock of `zone` changes."""
    days = [datetime(year, 1, 1, tzinfo=UTC) + i * _DAY for i in range(-1, 368)]
    offsets = [zones.local(day, zone) - day.replace(tzinfo=None) for day in days]
    return tuple(day for day, (before, after) in zip(days, pairwise(offsets), strict=False) if before != after)


@dataclass(frozen=True)
class Revision:
    """One dated edition of a rotation. `effective_from` None: since the rotation's own anchor. Never recomputed."""

    effective_from: datetime | None
    rotation: Rotation


def in_force(revisions: tuple[Revision, ...], t: datetime) -> Revision | None:
    """The one of the ordered `revisions` that is in force at `t`; None before the first."""
    begun = [revision for revision in revisions if revision.effective_from is None or revision.effective_from <= t]
    return begun[-1] if begun else None


def succeed(current: Revision, ring: tuple[str, ...], at: datetime, zone: str) -> Revision:
    """The revision that brings `ring` into force at the next hand-off after `at` (ROT-10).

    Its first turn goes to the successor of whoever holds the turn at `at`: the next person of the new ring, or, where
    the holder is not in it any more, the next one of the old ring who is. The anchor stays, so a monthly rotation of
    the 31st stays one. Before the anchor the new ring starts from its first place.
    """
    rotation = current.rotation
    k = max(rotation.index_at(at, zone), -1)
    place = _successor(rotation, ring, k) if k >= 0 else 0
    start_index = (place - (k + 1)) % len(ring) if ring else 0
    return Revision(rotation.handoff(k + 1, zone), replace(rotation, ring=ring, start_index=start_index))


def _successor(rotation: Rotation, ring: tuple[str, ...], k: int) -> int:
    """The place in the new `ring` that follows the holder of turn k."""
    if not ring or not rotation.ring:
        return 0
    place, holder = rotation.place(k), rotation.person(k)
    if ring[place : place + 1] == (holder,):
        return (place + 1) % len(ring)
    if holder in ring:
        return (ring.index(holder) + 1) % len(ring)
    followers = (rotation.person(k + i) for i in range(1, len(rotation.ring)))
    return next((ring.index(person) for person in followers if person in ring), 0)

"""Resolved shifts and gaps of a stretch of time, and the ledger they are collected in. Pure."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from typing import NamedTuple

from rotations.resolution import Hold, Reason
from rotations.rules import BACKUP, PRIMARY, SLOTS, Slot

Interval = tuple[datetime, datetime]

_WITHOUT_SHIFT = (Reason.NEIGHBOUR, Reason.FALLBACK)
_start, _end = attrgetter("start"), attrgetter("end")


class Shift(NamedTuple):
    """`person` holds `slot` from `start` until `end`, as part of the whole shift `shift_start` … `shift_end`.

    `layer` is None for an override and the fallback. A neighbour or the fallback has no shift of its own: there the
    whole shift is the piece. `reason` is that of its first moment; `who` gives the one of any other.
    """

    slot: Slot
    person: str
    start: datetime
    end: datetime
    layer: str | None
    shift_start: datetime
    shift_end: datetime
    reason: Reason

    def cut(self, start: datetime, end: datetime) -> Shift:
        """The part of it between `start` and `end`."""
        low, high = max(self.start, start), min(self.end, end)
        if self.is_part_of_a_shift:
            return self._replace(start=low, end=high)
        return self._replace(start=low, end=high, shift_start=low, shift_end=high)

    @property
    def is_part_of_a_shift(self) -> bool:
        return self.reason not in _WITHOUT_SHIFT

    def continues(self, earlier: Shift) -> bool:
        """Whether `earlier` goes on in it: same person, layer and whole shift. Two shifts of one person stay two."""
        if earlier.end != self.start or earlier.person != self.person or earlier.layer != self.layer:
            return False
        if self.is_part_of_a_shift and earlier.is_part_of_a_shift:
            return earlier.shift_start == self.shift_start and earlier.shift_end == self.shift_end
        return earlier.reason == self.reason

    def until(self, end: datetime) -> Shift:
        """The same, lasting until a later `end`."""
        return self._replace(end=end) if self.is_part_of_a_shift else self._replace(end=end, shift_end=end)


class Gap(NamedTuple):
    """A stretch without a primary, or with a primary and without a backup."""

    slot: Slot
    start: datetime
    end: datetime

    def cut(self, start: datetime, end: datetime) -> Gap:
        """The part of it between `start` and `end`."""
        return self._replace(start=max(self.start, start), end=min(self.end, end))


@dataclass(frozen=True, slots=True)
class Final:
    """The final schedule from `start` until `end`: the shifts of each slot and the gaps, in order of time."""

    start: datetime
    end: datetime
    primary: tuple[Shift, ...]
    backup: tuple[Shift, ...]
    gaps: tuple[Gap, ...]

    @property
    def shifts(self) -> tuple[Shift, ...]:
        """The shifts of both slots: first all of the primary, then all of the backup."""
        return self.primary + self.backup

    def cut(self, start: datetime, end: datetime) -> Final:
        """The part of it between `start` and `end`, which lie within it."""
        gaps = tuple(gap.cut(start, end) for gap in self.gaps if gap.end > start and gap.start < end)
        return Final(start, end, _cut(self.primary, start, end), _cut(self.backup, start, end), gaps)

    def first_change(self) -> datetime | None:
        """The first instant after its start at which either slot is held by somebody else than just before."""
        changes = (_first_change(shifts, self.start, self.end) for shifts in (self.primary, self.backup))
        return min((change for change in changes if change is not None), default=None)


def _cut(shifts: tuple[Shift, ...], start: datetime, end: datetime) -> tuple[Shift, ...]:
    kept = list(shifts[bisect_right(shifts, start, key=_end) : bisect_left(shifts, end, key=_start)])
    if kept:
        kept[0] = kept[0].cut(start, end)
        kept[-1] = kept[-1].cut(start, end)
    return tuple(kept)


def _first_change(shifts: Iterable[Shift], start: datetime, end: datetime) -> datetime | None:
    holder, edge = None, start
    for shift in shifts:
        if shift.start > edge:
            return edge if edge > start else shift.start
        if shift.start == start:
            holder = shift.person
        elif shift.person != holder:
            return shift.start
        edge = shift.end
    return edge if start < edge < end else None


class Ledger:
    """Collects who holds what, in order of time, and joins pieces of one shift that touch."""

    def __init__(self, start: datetime, end: datetime) -> None:
        self._start, self._end = start, end
        self._shifts: dict[Slot, list[Shift]] = {slot: [] for slot in SLOTS}

    def add(self, slot: Slot, start: datetime, end: datetime, hold: Hold | None) -> None:
        """`hold` has `slot` from `start` until `end`; None: nobody does."""
        if hold is not None:
            person, layer, shift_start, shift_end, reason = hold
            self._append(Shift(slot, person, start, end, layer, shift_start or start, shift_end or end, reason))

    def extend(self, slot: Slot, shifts: Sequence[Shift]) -> None:
        """Add shifts none of which touches another piece of its own shift, except perhaps the first."""
        if shifts:
            self._append(shifts[0])
            self._shifts[slot] += shifts[1:]

    def _append(self, shift: Shift) -> None:
        shifts = self._shifts[shift.slot]
        if shifts and shift.continues(shifts[-1]):
            shifts[-1] = shifts[-1].until(shift.end)
        else:
            shifts.append(shift)

    def final(self) -> Final:
        primary, backup = self._shifts[PRIMARY], self._shifts[BACKUP]
        covered = _covered(primary)
        gaps = [Gap(PRIMARY, *hole) for hole in _holes(covered, self._start, self._end)]
        backed = _covered(backup)
        gaps += [Gap(BACKUP, *hole) for span in covered for hole in _holes(backed, *span)]
        return Final(self._start, self._end, tuple(primary), tuple(backup), tuple(gaps))


def _covered(shifts: Iterable[Shift]) -> list[Interval]:
    """The stretches in which anybody holds the slot."""
    covered: list[Interval] = []
    begin = reached = None
    for shift in shifts:
        if shift.start != reached:
            if begin is not None and reached is not None:
                covered.append((begin, reached))
            begin = shift.start
        reached = shift.end
    if begin is not None and reached is not None:
        covered.append((begin, reached))
    return covered


def _holes(covered: Sequence[Interval], start: datetime, end: datetime) -> list[Interval]:
    """What the ordered, separate intervals of `covered` leave of `start` … `end`."""
    first = bisect_right(covered, start, key=lambda interval: interval[1])
    last = bisect_left(covered, end, key=lambda interval: interval[0])
    edges = [start, *(edge for interval in covered[first:last] for edge in interval), end]
    return [(a, b) for a, b in zip(edges[::2], edges[1::2], strict=True) if a < b]

"""The schedule: rules made ready once, then asked who is on duty, for how long, and what a stretch looks like. Pure.

    schedule = Schedule(rules)
    schedule.who(t).primary
    schedule.shifts(start, end).gaps

Between two change points nothing changes, so the cost of an answer grows with the changes in its range: never with its
minutes, the age of a rotation, or overrides elsewhere. What was worked out is kept, within bounds; answers do not
depend on what was asked before.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import pairwise
from operator import attrgetter
from typing import Any, NamedTuple, TypeVar

from rotations import calm
from rotations.calm import Piece
from rotations.resolution import Hold, Reason, Resolved, Scene, resolve
from rotations.rules import BACKUP, PRIMARY, SLOTS, Move, Override, Rules, Slot
from rotations.shifts import Final, Interval, Ledger
from rotations.timeline import Timeline, strictly_between
from rotations.turns import DAY, Crew, LayerTurns, Turn

# How far ahead a change is looked for: short steps first, since most changes are near.
_HORIZONS = tuple(timedelta(days=days) for days in (1, 8, 64, 400))
_KEPT_DAYS = 800
_KEPT_RANGES = 64

_start, _end = attrgetter("start"), attrgetter("end")

Key = TypeVar("Key")
Kept = TypeVar("Kept")


class OnCall(NamedTuple):
    """Who is on duty at an instant, until `changes_at` (None: no change within 400 days).

    `handover_contact` is the outgoing primary while two sites overlap (ROT-7). `primary_shift` and `backup_shift` name
    the whole shift each holds. `reasons` are short marks in the order decided: `primary:rotation`, `backup:neighbour`,
    `ada:leave`, `zed:already-primary`.
    """

    primary: str | None
    backup: str | None
    handover_contact: str | None
    primary_shift: Hold | None
    backup_shift: Hold | None
    reasons: tuple[str, ...]
    changes_at: datetime | None

    @property
    def scheduled_primary(self) -> str | None:
        """The primary by the schedule itself; None where only the fallback answers, which is a gap (ESC-7)."""
        return None if self.primary_shift and self.primary_shift.reason is Reason.FALLBACK else self.primary


class Away(NamedTuple):
    """Somebody who is not to be put on duty, and why: `leave` or `resting`."""

    person: str
    start: datetime
    end: datetime
    why: str


class Stretch(NamedTuple):
    """The turns that touch a range, layer by layer, with their starts and ends: what an answer is worked out from."""

    turns: tuple[list[Turn], ...]
    starts: tuple[list[datetime], ...]
    ends: tuple[list[datetime], ...]


class _Day(NamedTuple):
    """One UTC day: its change points, and the answers from each to the next as far as anyone asked."""

    stretch: Stretch
    points: list[datetime]
    answers: list[OnCall | None]


class Schedule:
    """Rules made ready to be asked. It never changes; new rules are a new schedule.

    Overlapping overrides are refused on save; should two meet here, the one that began last holds.
    """

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self.layers = [
            LayerTurns(layer, order, rules.backup_offset, rules.inactive) for order, layer in enumerate(rules.layers)
        ]
        # Winner first (ROT-4); the start of the turn decides between equals, and is settled where they meet.
        self._ranked: dict[Slot, list[int]] = {slot: self._rank(slot) for slot in SLOTS}
        self._overrides = {
            slot: Timeline(override for override in rules.overrides if override.slot == slot) for slot in SLOTS
        }
        self._moves: Timeline[Move] = Timeline(move for swap in rules.swaps for move in swap.moves())
        people = self._people()
        self._away = Timeline(away for away in _absences(rules) if away.person in people)
        timelines: tuple[Timeline[Any], ...] = (*self._overrides.values(), self._moves, self._away)
        self._timelines = [timeline for timeline in timelines if timeline]
        self._is_plain = all(crew.is_plain for layer in self.layers for crew in layer.crews)
        self._may_collide = not self._members(PRIMARY).isdisjoint(self._members(BACKUP))
        self._inactive = dict.fromkeys(rules.inactive, "inactive")
        self._days: dict[int, _Day] = {}
        self._finals: dict[tuple[int, int], Final] = {}

    def who(self, t: datetime) -> OnCall:
        """Who is on duty at `t` (ROT-4 … ROT-7)."""
        number = t.astimezone(UTC).toordinal()
        day = self._days.get(number)
        if day is None:
            day = _remember(self._days, number, self._day(number), _KEPT_DAYS)
        i = bisect_right(day.points, t) - 1
        found = day.answers[i]
        if found is None:
            found = day.answers[i] = self._on_call(day.stretch, day.points[i])
        return found

    def shifts(self, start: datetime, end: datetime) -> Final:
        """Every shift and every gap from `start` until `end`, cut at both, each naming the whole shift it is a part of.

        Raises ValueError if `end` is not after `start`.
        """
        if start >= end:
            raise ValueError("the end of a range must be after its start")
        start, end = start.astimezone(UTC), end.astimezone(UTC)
        first, last = _midnight(start), _midnight(end - timedelta.resolution) + DAY
        key = (first.toordinal(), last.toordinal())
        final = self._finals.get(key)
        if final is None:
            final = _remember(self._finals, key, self._sweep(first, last), _KEPT_RANGES)
        return final.cut(start, end)

    def boundary_after(self, t: datetime) -> datetime | None:
        """The first instant after `t` at which primary or backup is somebody else; None if neither is for 400 days."""
        for ahead in _HORIZONS:
            change = self._sweep(t, t + ahead).first_change()
            if change is not None:
                return change
        return None

    def next_layer_after(self, t: datetime) -> Turn | None:
        """The turn of the neighbouring site: of the layers not on duty at `t`, the one that starts soonest (ESC-5a)."""
        stretch = self._stretch(t, t + timedelta.resolution)
        on_duty = self._candidates(stretch, PRIMARY, t)
        return self._next_turn(stretch, t, on_duty[0].crew if on_duty else None)

    def _members(self, slot: Slot) -> frozenset[str]:
        layers = (layer for layer in self.layers if layer.layer.slot == slot)
        return frozenset(person for layer in layers for crew in layer.crews for person in crew.ring)

    def _people(self) -> frozenset[str]:
        """Everybody who could come to hold a slot: the absence of anyone else is no concern of this schedule."""
        rings = self._members(PRIMARY) | self._members(BACKUP)
        named = {override.person for override in self.rules.overrides}
        takers = {person for swap in self.rules.swaps for person in (swap.giver, swap.taker) if person is not None}
        return frozenset(rings | named | takers)

    def _rank(self, slot: Slot) -> list[int]:
        order = [i for i, layer in enumerate(self.rules.layers) if layer.slot == slot]
        return sorted(order, key=lambda i: -self.rules.layers[i].priority)

    def _next_turn(self, stretch: Stretch, t: datetime, on_duty: Crew | None) -> Turn | None:
        others = [i for i in self._ranked[PRIMARY] if on_duty is None or i != on_duty.order]
        upcoming = [self._turn_after(stretch, i, t) for i in others]
        return min((turn for turn in upcoming if turn is not None), key=lambda turn: turn.start, default=None)

    def _turn_after(self, stretch: Stretch, i: int, t: datetime) -> Turn | None:
        k = bisect_right(stretch.starts[i], t)
        return stretch.turns[i][k] if k < len(stretch.starts[i]) else self.layers[i].after(t)

    def _stretch(self, start: datetime, end: datetime) -> Stretch:
        turns = tuple(layer.between(start, end) for layer in self.layers)
        starts, ends = (tuple(list(map(edge, of_layer)) for of_layer in turns) for edge in (_start, _end))
        return Stretch(turns, starts, ends)

    def _points(self, stretch: Stretch, start: datetime, end: datetime) -> list[datetime]:
        """`start`, every instant before `end` at which the answer may change, and `end`."""
        found = {point for timeline in self._timelines for point in timeline.points(start, end)}
        for edges in (*stretch.starts, *stretch.ends):
            found.update(strictly_between(edges, start, end))
        return [start, *sorted(found), end]

    def _candidates(self, stretch: Stretch, slot: Slot, t: datetime) -> list[Turn]:
        """Whose turn it is at `t`, the winner first: higher priority, then the later start, then the order (ROT-4)."""
        found = []
        for i in self._ranked[slot]:
            k = bisect_right(stretch.starts[i], t)
            if k and stretch.turns[i][k - 1].end > t:
                found.append(stretch.turns[i][k - 1])
        if len(found) > 1:
            found.sort(key=lambda turn: turn.start, reverse=True)
            found.sort(key=lambda turn: -turn.crew.priority)
        return found

    def _resolve(self, stretch: Stretch, t: datetime) -> Resolved:
        away = self._away.at(t)
        scene = Scene(
            turns=self._candidates(stretch, PRIMARY, t),
            standing=self._candidates(stretch, BACKUP, t),
            override=_latest(self._overrides[PRIMARY].at(t)),
            backup_override=_latest(self._overrides[BACKUP].at(t)),
            moves=self._moves.at(t),
            away=self._inactive | {absence.person: absence.why for absence in away} if away else self._inactive,
            next_turn=partial(self._next_turn, stretch, t),
            offset=self.rules.backup_offset,
            fallback=self.rules.fallback,
        )
        return resolve(scene)

    def _sweep(self, start: datetime, end: datetime) -> Final:
        """Calm stretches follow from the turns; where anything comes between, each moment is resolved by the rules."""
        stretch = self._stretch(start, end)
        primary, standing = (
            calm.winners((stretch.turns[i] for i in self._ranked[slot]), start, end) for slot in (PRIMARY, BACKUP)
        )
        ledger = Ledger(start, end)
        reached = start
        for begins, ends in self._storms(primary, standing, start, end):
            calm.write(ledger, primary, standing, reached, begins)
            self._write_resolved(ledger, stretch, begins, ends)
            reached = ends
        calm.write(ledger, primary, standing, reached, end)
        return ledger.final()

    def _storms(self, primary: list[Piece], standing: list[Piece], start: datetime, end: datetime) -> list[Interval]:
        """Where the turns alone do not give the answer, as ordered, separate intervals."""
        if not self._is_plain:
            return [(start, end)]
        storms = [interval for timeline in self._timelines for interval in timeline.busy(start, end)]
        if self._may_collide:
            storms += calm.collisions(primary, standing)
        if self.rules.fallback is not None:
            storms += calm.holes(primary, start, end)
        return _merged(storms)

    def _write_resolved(self, ledger: Ledger, stretch: Stretch, start: datetime, end: datetime) -> None:
        for a, b in pairwise(self._points(stretch, start, end)):
            found = self._resolve(stretch, a)
            ledger.add(PRIMARY, a, b, found.primary)
            ledger.add(BACKUP, a, b, found.backup)

    def _day(self, number: int) -> _Day:
        start = datetime.fromordinal(number).replace(tzinfo=UTC)
        stretch = self._stretch(start, start + DAY)
        points = self._points(stretch, start, start + DAY)[:-1]
        return _Day(stretch, points, [None] * len(points))

    def _on_call(self, stretch: Stretch, t: datetime) -> OnCall:
        primary, backup, contact, passed_over = self._resolve(stretch, t)
        marks = [f"{slot}:{hold.reason}" for slot, hold in ((PRIMARY, primary), (BACKUP, backup)) if hold]
        return OnCall(
            primary=primary and primary.person,
            backup=backup and backup.person,
            handover_contact=contact,
            primary_shift=primary,
            backup_shift=backup,
            reasons=(*marks, *passed_over),
            changes_at=self.boundary_after(t),
        )


def _absences(rules: Rules) -> list[Away]:
    return [Away(*leave, "leave") for leave in rules.leave] + [Away(*block, "resting") for block in rules.blocked]


def _latest(overrides: tuple[Override, ...]) -> Override | None:
    return max(overrides, key=lambda override: override.start) if overrides else None


def _merged(intervals: Iterable[Interval]) -> list[Interval]:
    """The same stretches of time as ordered intervals that neither touch nor overlap."""
    merged: list[Interval] = []
    for start, end in sorted(intervals):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((start, end))
    return merged


def _midnight(t: datetime) -> datetime:
    """The beginning of the UTC day of `t`, an instant in UTC."""
    return t.replace(hour=0, minute=0, second=0, microsecond=0)


def _remember(kept: dict[Key, Kept], key: Key, value: Kept, limit: int) -> Kept:
    """Keep `value`, starting afresh when `limit` is reached."""
    if len(kept) >= limit:
        kept.clear()
    kept[key] = value
    return value

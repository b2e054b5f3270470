"""Turns: when each layer is on duty and who holds it, before overrides, leave and swaps (ROT-1 … ROT-3). Pure.

The cost of a range grows with the turns in it, never with the age of a rotation.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from itertools import pairwise
from typing import NamedTuple

from rotations.rotation import Revision, Rotation, evenly, in_force, succeed
from rotations.rules import PRIMARY, Layer, Override
from supportdesk import zones

DAY = timedelta(days=1)
FOREVER = datetime.max.replace(tzinfo=UTC)
_LOOK_AHEAD = (2 * DAY, 32 * DAY, 400 * DAY)

Convert = Callable[[datetime, str], datetime]


@dataclass(frozen=True, slots=True)
class Crew:
    """The ring of one revision of a layer, with the layer's standing among its siblings (ROT-4).

    `spares`: for each place of the ring, the backup derived from it on an ordinary day; empty where there is none.
    `is_plain`: the ring alone answers every ordinary day.
    """

    layer: str
    priority: int
    order: int
    ring: tuple[str, ...]
    spares: tuple[str, ...]
    is_plain: bool

    def walk(self, place: int, offset: int) -> Iterable[str]:
        """Everyone in the ring once, beginning `offset` places from `place` (ROT-6)."""
        begin = (place + offset) % len(self.ring)
        return self.ring[begin:] + self.ring[:begin]


class Turn(NamedTuple):
    """One stretch of one layer, for whoever stands at `place` in the ring of `crew`."""

    start: datetime
    end: datetime
    crew: Crew
    place: int

    @property
    def person(self) -> str:
        """Who holds the turn if nothing comes between."""
        return self.crew.ring[self.place]


_turn = partial(tuple.__new__, Turn)  # a Turn from a plain tuple, without the cost of naming each field


class _Edition(NamedTuple):
    """One revision as it counts: from its begin (never before its anchor) until the next revision takes over."""

    begin: datetime
    end: datetime
    rotation: Rotation
    crew: Crew


class LayerTurns:
    """The turns of one layer. `order` is its place among the layers; `inactive` people have no ordinary day."""

    def __init__(self, layer: Layer, order: int = 0, offset: int = 1, inactive: frozenset[str] = frozenset()) -> None:
        self.layer = layer
        self._zone = layer.time_zone
        self._editions: list[_Edition] = []
        ends = [revision.effective_from or FOREVER for revision in layer.revisions[1:]] + [FOREVER]
        for revision, end in zip(layer.revisions, ends, strict=False):  # a layer may still wait for its first
            rotation = revision.rotation
            if rotation.ring:
                anchor = rotation.handoff(0, self._zone)
                begin = max(anchor, revision.effective_from or anchor)
                crew = _crew(layer, order, rotation.ring, offset, inactive)
                self._editions.append(_Edition(begin, end, rotation, crew))

    @property
    def crews(self) -> list[Crew]:
        return [edition.crew for edition in self._editions]

    def between(self, start: datetime, end: datetime) -> list[Turn]:
        """The turns that touch `start` … `end`, whole, in order. A later turn of a layer supersedes an earlier one."""
        if self.layer.daily_window is None:
            return [turn for edition in self._editions for turn in self._rotation_turns(edition, start, end)]
        return self._window_turns(*self.layer.daily_window, start, end)

    def after(self, t: datetime) -> Turn | None:
        """The first turn that starts after `t`, if one does within 400 days."""
        for ahead in _LOOK_AHEAD:
            for turn in self.between(t, t + ahead):
                if turn.start > t:
                    return turn
        return None

    def _rotation_turns(self, edition: _Edition, start: datetime, end: datetime) -> list[Turn]:
        low, high = max(start, edition.begin), min(end, edition.end)
        if low >= high:
            return []
        rotation, crew = edition.rotation, edition.crew
        k = rotation.index_at(low, self._zone)
        edges = rotation.handoffs(k, high, self._zone)
        edges[0] = max(edges[0], edition.begin)
        edges[-1] = min(edges[-1], edition.end)
        base, size = rotation.place(k), len(rotation.ring)
        return [_turn((a, b, crew, (base + i) % size)) for i, (a, b) in enumerate(pairwise(edges)) if a < b]

    def _window_turns(self, opens: time, closes: time, start: datetime, end: datetime) -> list[Turn]:
        day = zones.local(start, self._zone).date() - DAY
        last_day = day if closes > opens else day + DAY
        starts = self._daily(zones.first_instant, day, opens, end)
        ends = self._daily(zones.last_instant, last_day, closes, end + 2 * DAY)
        if self.layer.weekdays is not None:
            chosen = [i for i in range(len(starts)) if (day.weekday() + i) % 7 in self.layer.weekdays]
            starts, ends = [starts[i] for i in chosen], [ends[i] for i in chosen]
        turns: list[Turn] = []
        for edition in self._editions:
            first, last = bisect_left(starts, edition.begin), bisect_left(starts, min(edition.end, end))
            turns += self._held(edition, starts[first:last], ends[first:last], start)
        return turns

    def _daily(self, convert: Convert, day: date, wall: time, until: datetime) -> list[datetime]:
        """The instants of one wall-clock time on `day` and every day after it, until one at or after `until`."""
        return evenly(lambda i: convert(datetime.combine(day + i * DAY, wall), self._zone), 0, until, DAY, self._zone)

    def _held(
        self, edition: _Edition, starts: Sequence[datetime], ends: Sequence[datetime], since: datetime
    ) -> list[Turn]:
        """The windows that end after `since`, each held by whoever has the rotation's turn when it starts (ROT-3)."""
        if not starts:
            return []
        rotation, crew = edition.rotation, edition.crew
        k = rotation.index_at(starts[0], self._zone)
        handoffs = rotation.handoffs(k, starts[-1], self._zone)
        base, size = rotation.place(k) - 1, len(rotation.ring)
        return [
            _turn((a, b, crew, (base + bisect_right(handoffs, a)) % size))
            for a, b in zip(starts, ends, strict=True)
            if a < b > since
        ]


def _crew(layer: Layer, order: int, ring: tuple[str, ...], offset: int, inactive: frozenset[str]) -> Crew:
    crew = Crew(layer.name, layer.priority, order, ring, (), False)
    spares = tuple(
        next((person for person in crew.walk(place, offset) if person != primary and person not in inactive), "")
        for place, primary in enumerate(ring)
    )
    needs_spare = layer.slot == PRIMARY
    is_plain = inactive.isdisjoint(ring) and not (needs_spare and "" in spares)
    return replace(crew, spares=spares, is_plain=is_plain)


class Revised(NamedTuple):
    """An edited layer, and the overrides that make the edit felt at once where that was asked for."""

    layer: Layer
    overrides: tuple[Override, ...]


def revise(layer: Layer, ring: tuple[str, ...], at: datetime, *, now: bool = False) -> Revised:
    """`layer` with `ring` in force from the next hand-off after `at` (ROT-10).

    The turn then goes to the successor of the current holder. What lies before stays as it was; a revision that was
    still to come is replaced. With `now`, a holder who is not in the new ring is relieved at once: overrides give what
    is left of their turns until that hand-off to the successor. They know this layer only; where another layer goes
    first, the caller leaves them out. Raises ValueError for a layer without revisions.
    """
    current = in_force(layer.revisions, at)
    if current is None:
        return Revised(_restarted(layer, ring), ())
    revision = succeed(current, ring, at, layer.time_zone)
    kept = tuple(past for past in layer.revisions if past.effective_from is None or past.effective_from <= at)
    revised = replace(layer, revisions=(*kept, revision))
    return Revised(revised, _relief(layer, revision, at) if now and ring else ())


def _restarted(layer: Layer, ring: tuple[str, ...]) -> Layer:
    """A layer that has not begun keeps its beginning and starts from the first place of the new ring."""
    if not layer.revisions:
        raise ValueError(f"layer {layer.name!r} has no rotation to revise")
    first = layer.revisions[0]
    assert first.effective_from is not None  # or it would be in force
    k = first.rotation.index_at(first.effective_from, layer.time_zone)
    rotation = replace(first.rotation, ring=ring, start_index=-k % len(ring) if ring else 0)
    return replace(layer, revisions=(Revision(first.effective_from, rotation),))


def _relief(layer: Layer, revision: Revision, at: datetime) -> tuple[Override, ...]:
    """One override for each of the layer's turns, from `at` to the revision, whose holder the new ring has dropped."""
    zone, until = layer.time_zone, revision.effective_from
    assert until is not None
    successor = revision.rotation.person(revision.rotation.index_at(until, zone))
    ring = revision.rotation.ring
    return tuple(
        Override(layer.slot, successor, max(turn.start, at), min(turn.end, until))
        for turn in LayerTurns(layer).between(at, until)
        if successor is not None and turn.person not in ring
    )

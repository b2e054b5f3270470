"""Who is on duty at a minute, worked out the slow way: an independent reading of ROT-1 … ROT-8 to test the fast one by.

Nothing here is shared with `rotations`: local time is found by trying every quarter of an hour, hand-offs are walked
from the anchor, and every list is searched from end to end. Wall-clock times must lie on the quarter.
"""

from __future__ import annotations

import calendar
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

MINUTE = timedelta(minutes=1)
QUARTER = 15 * MINUTE  # the clocks of the zones asked about are set by no less


def shown(instant: datetime, zone: str) -> datetime:
    """What the clock shows."""
    return instant.astimezone(ZoneInfo(zone)).replace(tzinfo=None, fold=0)


@lru_cache(maxsize=20_000)
def first(wall: datetime, zone: str) -> datetime:
    """The first instant at which the clock shows `wall` or, if it skips it, something later."""
    instant = wall.replace(tzinfo=UTC) - timedelta(hours=15)
    while shown(instant, zone) < wall:
        instant += QUARTER
    return instant


@lru_cache(maxsize=20_000)
def last(wall: datetime, zone: str) -> datetime:
    """The last instant at which the clock shows `wall`; if it skips it, the first after the jump."""
    earliest = first(wall, zone)
    later = [earliest + i * QUARTER for i in range(4 * 4)]
    return max((instant for instant in later if shown(instant, zone) == wall), default=earliest)


def handoff_wall(rotation: Any, k: int) -> datetime:
    anchor: datetime = rotation.anchor
    if rotation.unit == "monthly":
        year, month = anchor.year, anchor.month
        for _ in range(k * rotation.every):
            year, month = (year + 1, 1) if month == 12 else (year, month + 1)
        return anchor.replace(year=year, month=month, day=min(anchor.day, calendar.monthrange(year, month)[1]))
    hours = {"hourly": 1, "daily": 24, "weekly": 168}[rotation.unit]
    return anchor + timedelta(hours=hours * rotation.every) * k


@lru_cache(maxsize=2_000)
def handoffs(rotation: Any, zone: str, until: datetime) -> list[datetime]:
    """Every hand-off from the anchor to the first after `until`."""
    found = [first(handoff_wall(rotation, 0), zone)]
    while found[-1] <= until:
        found.append(first(handoff_wall(rotation, len(found)), zone))
    return found


@dataclass(frozen=True)
class SlowTurn:
    layer: int
    start: datetime
    end: datetime
    ring: tuple[str, ...]
    place: int


def place_at(rotation: Any, zone: str, t: datetime, horizon: datetime) -> int | None:
    """Whose turn by counting hand-offs; None before the anchor or in an empty ring."""
    passed = [instant for instant in handoffs(rotation, zone, horizon) if instant <= t]
    if not passed or not rotation.ring:
        return None
    return (rotation.start_index + len(passed) - 1) % len(rotation.ring)


def revision_for(layer: Any, t: datetime) -> Any:
    found = None
    for revision in layer.revisions:
        if revision.effective_from is None or revision.effective_from <= t:
            found = revision
    return found


def slow_turns(number: int, layer: Any, start: datetime, end: datetime) -> list[SlowTurn]:
    """Every turn of a layer that touches the range, and some around it."""
    horizon = end + timedelta(days=20)
    zone = layer.time_zone
    if layer.window is None and layer.weekdays is None:
        return around_the_clock(number, layer, horizon)
    opens, closes = layer.window or (time(0), time(0))
    turns = []
    day = start.date() - timedelta(days=3)
    while day < end.date() + timedelta(days=12):
        begin = first(datetime.combine(day, opens), zone)
        close_day = day if closes > opens else day + timedelta(days=1)
        finish = last(datetime.combine(close_day, closes), zone)
        revision = revision_for(layer, begin)
        if (layer.weekdays is None or day.weekday() in layer.weekdays) and revision and begin < finish:
            place = place_at(revision.rotation, zone, begin, horizon)
            if place is not None:
                turns.append(SlowTurn(number, begin, finish, revision.rotation.ring, place))
        day += timedelta(days=1)
    return turns


def around_the_clock(number: int, layer: Any, horizon: datetime) -> list[SlowTurn]:
    turns = []
    for i, revision in enumerate(layer.revisions):
        rotation = revision.rotation
        edges = handoffs(rotation, layer.time_zone, horizon)
        until = layer.revisions[i + 1].effective_from if i + 1 < len(layer.revisions) else edges[-1]
        for k in range(len(edges) - 1):
            begin = max(edges[k], revision.effective_from or edges[k])
            finish = min(edges[k + 1], until)
            if rotation.ring and begin < finish:
                place = (rotation.start_index + k) % len(rotation.ring)
                turns.append(SlowTurn(number, begin, finish, rotation.ring, place))
    return turns


class Oracle:
    """Rules, asked minute by minute."""

    def __init__(self, rules: Any, start: datetime, end: datetime) -> None:
        self.rules = rules
        self.turns = [slow_turns(i, layer, start, end) for i, layer in enumerate(rules.layers)]

    def away(self, person: str, t: datetime) -> bool:
        absences = [*self.rules.leave, *self.rules.blocked]
        return person in self.rules.inactive or any(a.person == person and a.start <= t < a.end for a in absences)

    def candidates(self, slot: str, t: datetime) -> list[SlowTurn]:
        found = []
        for layer, turns in zip(self.rules.layers, self.turns, strict=True):
            live = [turn for turn in turns if turn.start <= t < turn.end]
            if layer.slot == slot and live:
                found.append(max(live, key=lambda turn: turn.start))
        epoch = datetime(1970, 1, 1, tzinfo=UTC)
        return sorted(
            found, key=lambda turn: (-self.rules.layers[turn.layer].priority, -(turn.start - epoch).total_seconds())
        )

    def override(self, slot: str, t: datetime) -> str | None:
        people = [o.person for o in self.rules.overrides if o.slot == slot and o.start <= t < o.end]
        return people[0] if people else None

    def after_swaps(self, slot: str, person: str, t: datetime) -> str:
        for swap in self.rules.swaps:
            if swap.slot != slot or swap.state not in ("accepted", "applied") or swap.taker is None:
                continue
            if person == swap.giver and swap.start <= t < swap.end:
                person = swap.taker
            elif person == swap.taker and swap.return_start and swap.return_start <= t < swap.return_end:
                person = swap.giver
        return person

    def named_backup(self, taken: str | None, t: datetime) -> str | None:
        people = [self.override("backup", t)]
        people += [self.after_swaps("backup", turn.ring[turn.place], t) for turn in self.candidates("backup", t)]
        for person in people:
            if person is not None and person != taken and not self.away(person, t):
                return person
        return None

    def ring_backup(self, turn: SlowTurn | None, taken: str, t: datetime) -> str | None:
        for i in range(len(turn.ring) if turn else 0):
            person = turn.ring[(turn.place + self.rules.backup_offset + i) % len(turn.ring)]
            if person == taken or self.away(person, t):
                continue
            person = self.after_swaps("backup", person, t)
            if person != taken and not self.away(person, t):
                return person
        return None

    def neighbour(self, turn: SlowTurn | None, taken: str, t: datetime) -> str | None:
        upcoming = [
            other
            for layer, turns in zip(self.rules.layers, self.turns, strict=True)
            for other in turns
            if other.start > t and layer.slot == "primary" and (turn is None or other.layer != turn.layer)
        ]
        if not upcoming:
            return None
        following = min(upcoming, key=lambda o: (o.start, -self.rules.layers[o.layer].priority, o.layer))
        for i in range(len(following.ring)):
            person = following.ring[(following.place + i) % len(following.ring)]
            if person != taken and not self.away(person, t):
                return person
        return None

    def primary(self, t: datetime) -> tuple[str | None, SlowTurn | None, bool]:
        """Who, the turn the backup is derived from, and whether that is the fallback."""
        candidates: list[SlowTurn | None] = list(self.candidates("primary", t))
        override = self.override("primary", t)
        nominees: list[tuple[str, SlowTurn | None]] = [
            (self.after_swaps("primary", turn.ring[turn.place], t), turn) for turn in candidates if turn
        ]
        if override is not None:
            nominees[:1] = [(override, candidates[0] if candidates else None)]
        for person, turn in nominees:
            if not self.away(person, t):
                return person, turn, False
            promoted = self.named_backup(person, t) or self.ring_backup(turn, person, t)
            if promoted is not None:
                return promoted, turn, False
        return self.rules.fallback, None, True

    def who(self, t: datetime) -> tuple[str | None, str | None]:
        """Primary and backup."""
        primary, turn, is_fallback = self.primary(t)
        named = self.named_backup(primary, t)
        if named is not None or primary is None or is_fallback:
            return primary, named
        backup = self.ring_backup(turn, primary, t) or self.neighbour(turn, primary, t)
        if backup is None and self.rules.fallback != primary:
            backup = self.rules.fallback
        return primary, backup

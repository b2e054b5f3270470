"""How components are: the worst of several, what follows what, and the last ninety days. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

OPERATIONAL, UNKNOWN = "operational", "unknown"
WORST_FIRST = (
    "major_outage", "partial_outage", "degraded_performance", "under_maintenance", OPERATIONAL, UNKNOWN,
)  # fmt: skip
DOWN = frozenset({"major_outage", "partial_outage"})  # what counts against uptime; planned work does not
DAYS = 90


def worst(states: Iterable[str], default: str = OPERATIONAL) -> str:
    """The worst of several states."""
    return min(states, key=WORST_FIRST.index, default=default)


@dataclass(frozen=True, slots=True)
class Part:
    """One component: its own state, what it depends on, and whether it is shown as bad as that."""

    state: str
    needs: tuple[int, ...] = ()
    follows: bool = True


@dataclass(frozen=True, slots=True)
class Shown:
    """What a reader sees of a component, and which other components are why."""

    state: str
    affected_by: tuple[int, ...] = ()


def shown(parts: Mapping[int, Part]) -> dict[int, Shown]:
    """Every component as it is shown. What is needed by way of others counts; a circle of needs does no harm."""
    return {key: _shown(key, parts) for key in parts}


def _shown(key: int, parts: Mapping[int, Part]) -> Shown:
    own = parts[key].state
    causes = [other for other in _needed(key, parts) if WORST_FIRST.index(parts[other].state) < WORST_FIRST.index(own)]
    if not parts[key].follows:
        return Shown(own, tuple(causes))
    return Shown(worst([own, *(parts[other].state for other in causes)]), tuple(causes))


def _needed(key: int, parts: Mapping[int, Part]) -> list[int]:
    """Everything a component needs, near before far, itself left out."""
    found: list[int] = []
    ahead = list(parts[key].needs)
    while ahead:
        other = ahead.pop(0)
        if other in parts and other != key and other not in found:
            found.append(other)
            ahead += parts[other].needs
    return found


@dataclass(frozen=True, slots=True)
class Change:
    """From `at` on the component was in `state`."""

    at: datetime
    state: str


@dataclass(frozen=True, slots=True)
class Day:
    """One local day: its worst state (`unknown` before the component was watched), and how long it was down."""

    day: date
    state: str
    down: timedelta = timedelta()


def days(changes: Sequence[Change], since: datetime, now: datetime, zone: ZoneInfo, count: int = DAYS) -> list[Day]:
    """The last `count` local days, oldest first, from changes in order; operational from `since` to the first."""
    today = now.astimezone(zone).date()
    first = today - timedelta(days=count - 1)
    edges = [datetime.combine(first + timedelta(days=n), time(), zone) for n in range(count + 1)]
    spells = _spells(changes, since, now)
    return [_day(start, end, spells) for start, end in pairwise(edges)]


def uptime(changes: Sequence[Change], since: datetime, now: datetime, length: timedelta) -> float | None:
    """The share of the time from `now - length` (or `since`) in which it was not down; None where nothing is known."""
    start = max(since, now - length)
    if now <= start:
        return None
    down = sum((_overlap(s, start, now) for s in _spells(changes, since, now) if s[2] in DOWN), timedelta())
    return 1 - down / (now - start)


_Spell = tuple[datetime, datetime, str]


def _spells(changes: Sequence[Change], since: datetime, now: datetime) -> list[_Spell]:
    if not changes or changes[0].at > since:
        changes = [Change(since, OPERATIONAL), *changes]
    ends = [*(change.at for change in changes[1:]), now]
    return [(c.at, min(end, now), c.state) for c, end in zip(changes, ends, strict=True) if c.at < min(end, now)]


def _overlap(spell: _Spell, start: datetime, end: datetime) -> timedelta:
    return max(min(spell[1], end) - max(spell[0], start), timedelta())


def _day(start: datetime, end: datetime, spells: Sequence[_Spell]) -> Day:
    within = [spell for spell in spells if _overlap(spell, start, end)]
    down = sum((_overlap(spell, start, end) for spell in within if spell[2] in DOWN), timedelta())
    return Day(start.date(), worst((spell[2] for spell in within), UNKNOWN), down)

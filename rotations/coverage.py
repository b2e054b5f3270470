"""What is wrong with a schedule before anybody is paged by it: gaps, thin cover, doubles, orphans (§4.2). Pure.

A schedule is swept over the next 90 days every night, and over 400 on every save: a hole may open only when a far
continent changes its clocks.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import combinations

from rotations.fairness import balance
from rotations.resolution import Reason
from rotations.rules import PRIMARY
from rotations.schedule import Schedule
from rotations.shifts import Final, Gap
from rotations.turns import LayerTurns, Turn

NIGHTLY = timedelta(days=90)
ON_SAVE = timedelta(days=400)
GAP_PAGES_WITHIN = timedelta(hours=72)
GAP_BLOCKS_WITHIN = timedelta(days=14)
ORPHAN_WARNS_WITHIN = timedelta(days=7)
PRACTICAL_CREW = 5  # people per windowed layer: seven primary and seven backup windows a week, with somebody away
PRACTICAL_CREW_ALL_DAY = 8


class Kind(StrEnum):
    """What was found."""

    GAP = "gap"  # nobody is primary
    THIN = "thin"  # a primary without a backup
    DOUBLE = "double"  # two layers of one priority overlap longer than the hand-over needs
    ORPHAN = "orphan"  # on duty: somebody inactive, or without a verified phone
    FEW = "few"  # a ring too small to last


class Action(StrEnum):
    """What to do about it. A blocked save may be confirmed for a gap, not for an orphan."""

    PAGE = "page"
    BLOCK = "block"
    WARN = "warn"
    INFO = "info"
    LIST = "list"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing wrong from `start` until `end`: with which layers or which person, and what to do about it."""

    kind: Kind
    action: Action
    start: datetime
    end: datetime
    layers: tuple[str, ...] = ()
    person: str | None = None


@dataclass(frozen=True, slots=True)
class Sweep:
    """What the findings are judged by: the moment, whether somebody is saving, and who has no verified phone."""

    now: datetime
    is_save: bool = False
    unreachable: frozenset[str] = frozenset()


def findings(schedule: Schedule, start: datetime, end: datetime, sweep: Sweep) -> tuple[Finding, ...]:
    """Everything wrong from `start` until `end`, in order of kind, then of time.

    The fallback does not count as cover: it exists so that a gap pages somebody, not so that it is none.
    """
    bare = Schedule(replace(schedule.rules, fallback=None)) if schedule.rules.fallback is not None else schedule
    final = bare.shifts(start, end)
    return (
        *_gaps(final, sweep),
        *_doubles(bare.layers, start, end),
        *_orphans(bare, start, end, sweep),
        *_small_crews(bare.layers, start, end),
    )


def quality(final: Final) -> int:
    """Quality in whole percent: half coverage, half balance of the primaries' hours. The fallback is no cover."""
    hours: dict[str, float] = {}
    for shift in (shift for shift in final.primary if shift.reason is not Reason.FALLBACK):
        hours[shift.person] = hours.get(shift.person, 0.0) + (shift.end - shift.start).total_seconds()
    covered = 100 * sum(hours.values()) / (final.end - final.start).total_seconds()
    return round((covered + balance(hours.values())) / 2)


def _gaps(final: Final, sweep: Sweep) -> Iterable[Finding]:
    for gap in final.gaps:
        if gap.slot == PRIMARY:
            yield Finding(Kind.GAP, _gap_action(gap, sweep), gap.start, gap.end)
        else:
            yield Finding(Kind.THIN, Action.WARN, gap.start, gap.end)


def _gap_action(gap: Gap, sweep: Sweep) -> Action:
    away = gap.start - sweep.now
    if sweep.is_save:
        return Action.BLOCK if away < GAP_BLOCKS_WITHIN else Action.LIST
    return Action.PAGE if away < GAP_PAGES_WITHIN else Action.LIST


def _doubles(layers: Iterable[LayerTurns], start: datetime, end: datetime) -> Iterable[Finding]:
    for one, other in combinations(layers, 2):
        if (one.layer.slot, one.layer.priority) != (other.layer.slot, other.layer.priority):
            continue
        allowed = max(one.layer.max_overlap, other.layer.max_overlap)
        names = (one.layer.name, other.layer.name)
        for begins, ends in _overlaps(one.between(start, end), other.between(start, end)):
            if ends - begins > allowed and begins < end and ends > start:
                yield Finding(Kind.DOUBLE, Action.INFO, begins, ends, names)


def _overlaps(one: list[Turn], other: list[Turn]) -> Iterable[tuple[datetime, datetime]]:
    """Where turns of two layers hold at the same time, joined where one overlap follows on another."""
    overlaps: list[tuple[datetime, datetime]] = []
    i = j = 0
    while i < len(one) and j < len(other):
        begins, ends = max(one[i].start, other[j].start), min(one[i].end, other[j].end)
        if begins < ends:
            if overlaps and overlaps[-1][1] >= begins:
                overlaps[-1] = (overlaps[-1][0], ends)
            else:
                overlaps.append((begins, ends))
        if one[i].end <= other[j].end:
            i += 1
        else:
            j += 1
    return overlaps


def _orphans(schedule: Schedule, start: datetime, end: datetime, sweep: Sweep) -> Iterable[Finding]:
    """Turns, overrides and swaps that name somebody who cannot be put on duty."""
    rules = schedule.rules
    lost = rules.inactive | sweep.unreachable
    turns = [turn for layer in schedule.layers for turn in layer.between(start, end)]
    named: list[tuple[str, datetime, datetime, tuple[str, ...]]]
    named = [(turn.person, turn.start, turn.end, (turn.crew.layer,)) for turn in turns]
    named += [(override.person, override.start, override.end, ()) for override in rules.overrides]
    named += [(move.taker, move.start, move.end, ()) for swap in rules.swaps for move in swap.moves()]
    for person, begins, ends, layers in sorted(named, key=lambda duty: duty[1]):
        if person in lost and begins < end and ends > start:
            yield Finding(Kind.ORPHAN, _orphan_action(begins, sweep), begins, ends, layers, person)


def _orphan_action(start: datetime, sweep: Sweep) -> Action:
    if sweep.is_save:
        return Action.BLOCK
    return Action.WARN if start - sweep.now < ORPHAN_WARNS_WITHIN else Action.LIST


def _small_crews(layers: Iterable[LayerTurns], start: datetime, end: datetime) -> Iterable[Finding]:
    for turns in layers:
        enough = PRACTICAL_CREW_ALL_DAY if turns.layer.daily_window is None else PRACTICAL_CREW
        if any(len(set(crew.ring)) < enough for crew in turns.crews[-1:]):
            yield Finding(Kind.FEW, Action.WARN, start, end, (turns.layer.name,))

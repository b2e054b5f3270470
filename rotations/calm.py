"""The ordinary day: who holds what while no override, leave or swap comes between (ROT-4, ROT-6). Pure.

Most of any schedule is calm, and there the answer follows from the turns alone: whose turn wins, and who stands next in
the winner's ring. It must agree with `resolution` to the second; it only gets there without asking every question.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import partial
from itertools import groupby, pairwise
from operator import attrgetter, itemgetter

from rotations.resolution import Reason
from rotations.rules import BACKUP, PRIMARY, Slot
from rotations.shifts import Interval, Ledger, Shift
from rotations.turns import Turn

Piece = tuple[datetime, datetime, Turn]  # from, until: this turn wins

_start, _end = itemgetter(0), itemgetter(1)
_shift = partial(tuple.__new__, Shift)  # a Shift from a plain tuple, without the cost of naming each field


def winners(ranked: Iterable[Sequence[Turn]], start: datetime, end: datetime) -> list[Piece]:
    """Which turn wins when, from the turns of each layer, higher priorities first and equal ones in order (ROT-4)."""
    won: list[Piece] = []
    layers = [turns for turns in ranked if turns]
    for _, siblings in groupby(layers, key=lambda turns: turns[0].crew.priority):
        open_stretches = holes(won, start, end)
        if not open_stretches:
            break
        painted = _paint(_by_start(list(siblings)), start, end)
        won = sorted((*won, *(piece for hole in open_stretches for piece in within(painted, *hole))), key=_start)
    return won


def _by_start(siblings: list[Sequence[Turn]]) -> list[Turn]:
    """All turns in order of start; of those that start together the first layer's comes last, to win."""
    return sorted((turn for turns in reversed(siblings) for turn in turns), key=attrgetter("start"))


def _paint(turns: list[Turn], start: datetime, end: datetime) -> list[Piece]:
    """The turn that started last covers those before it; when it ends, the one beneath shows again."""
    if all(earlier[1] <= later[0] for earlier, later in pairwise(turns)):
        return within([(turn[0], turn[1], turn) for turn in turns], start, end)
    painted: list[Piece] = []
    beneath: list[Turn] = []
    reached = start
    for turn in turns:
        begins = turn.start
        if beneath and reached < begins:
            reached = _uncover(painted, beneath, reached, begins)
        if reached < begins:
            reached = begins
        beneath.append(turn)
    _uncover(painted, beneath, reached, end)
    return painted


def _uncover(painted: list[Piece], beneath: list[Turn], reached: datetime, until: datetime) -> datetime:
    """Paint what lies beneath from `reached` as far as `until`, latest start on top; returns how far it went."""
    while beneath and reached < until:
        top = beneath[-1]
        ends = top.end
        if ends <= until:
            beneath.pop()
        if ends > reached:
            ends = ends if ends < until else until
            painted.append((reached, ends, top))
            reached = ends
    return reached


def within(pieces: list[Piece], start: datetime, end: datetime) -> list[Piece]:
    """The parts of ordered `pieces` that lie between `start` and `end`."""
    chosen = pieces[bisect_right(pieces, start, key=_end) : bisect_left(pieces, end, key=_start)]
    if chosen:
        first, until, turn = chosen[0]
        chosen[0] = (max(first, start), until, turn)
        first, until, turn = chosen[-1]
        chosen[-1] = (first, min(until, end), turn)
    return chosen


def holes(pieces: Sequence[Piece], start: datetime, end: datetime) -> list[Interval]:
    """The stretches of `start` … `end` in which nobody has a turn."""
    found, reached = [], start
    for begins, ends, _ in pieces:
        if reached < begins:
            found.append((reached, begins))
        reached = ends
    return [*found, (reached, end)] if reached < end else found


def collisions(primary: list[Piece], standing: list[Piece]) -> list[Interval]:
    """Where an explicit backup is primary at the same time: not so calm."""
    return [
        (max(a, start), min(b, end))
        for start, end, named in standing
        for a, b, turn in within(primary, start, end)
        if turn.person == named.person
    ]


def write(ledger: Ledger, primary: list[Piece], standing: list[Piece], start: datetime, end: datetime) -> None:
    """Enter the calm stretch `start` … `end`: the winning turns of the primary, and of the explicit backup layers.

    Explicit backups go before derived ones (ROT-6).
    """
    if start >= end:
        return
    pieces, named = within(primary, start, end), within(standing, start, end)
    ledger.extend(PRIMARY, _shifts(PRIMARY, pieces))
    backups = _shifts(BACKUP, named)
    for hole in holes(named, start, end):
        backups += _spares(within(pieces, *hole))
    ledger.extend(BACKUP, sorted(backups, key=attrgetter("start")) if named else backups)


def _shifts(slot: Slot, pieces: list[Piece]) -> list[Shift]:
    """The pieces as shifts of whoever's turn it is."""
    return [
        _shift((slot, crew.ring[place], a, b, crew.layer, begins, ends, Reason.ROTATION))
        for a, b, (begins, ends, crew, place) in pieces
    ]


def _spares(pieces: list[Piece]) -> list[Shift]:
    """The pieces as shifts of the backup derived from each."""
    return [
        _shift((BACKUP, crew.spares[place], a, b, crew.layer, begins, ends, Reason.ROTATION))
        for a, b, (begins, ends, crew, place) in pieces
    ]

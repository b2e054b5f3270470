"""Who holds primary and backup in one stretch of time, and why (ROT-4 … ROT-7). Pure.

A `Scene` is everything that holds between two change points; `resolve` answers for it. Each question is asked in the
order of the rules, and everyone passed over on the way leaves a reason behind.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from rotations.rules import BACKUP, PRIMARY, Move, Override, Slot
from rotations.turns import Crew, Turn


class Reason(StrEnum):
    """Why somebody holds a slot."""

    ROTATION = "rotation"  # their turn in a layer, or the backup that follows from it
    OVERRIDE = "override"
    SWAP = "swap"
    PROMOTION = "promotion"  # the backup stands in for a primary who is away
    NEIGHBOUR = "neighbour"  # the ring is exhausted: the site that starts next
    FALLBACK = "fallback"  # nobody else: the duty manager


class Hold(NamedTuple):
    """Somebody in a slot: of which layer (None for an override or the fallback), as part of which whole shift.

    The shift of an override is the override; a neighbour or the fallback has no shift of its own.
    """

    person: str
    layer: str | None
    shift_start: datetime | None
    shift_end: datetime | None
    reason: Reason


class Resolved(NamedTuple):
    """The answer for a scene. `passed_over`: who would have held a slot but did not, as `person:why`."""

    primary: Hold | None
    backup: Hold | None
    handover_contact: str | None
    passed_over: tuple[str, ...]


@dataclass(slots=True)
class Scene:
    """What holds in one stretch: who has which turn, what replaces whom, who is away, and who starts next.

    `turns` are the candidates for primary and `standing` those of explicit backup layers, the winner first (ROT-4).
    `away` says why somebody is away. `next_turn` is asked only where a ring is exhausted: the turn of the neighbouring
    site, given the crew on duty now.
    """

    turns: list[Turn]
    standing: list[Turn]
    override: Override | None
    backup_override: Override | None
    moves: tuple[Move, ...]
    away: Mapping[str, str]
    next_turn: Callable[[Crew | None], Turn | None]
    offset: int
    fallback: str | None
    passed_over: list[str] = field(default_factory=list)


def resolve(scene: Scene) -> Resolved:
    """Primary by ROT-5, then a backup who differs by ROT-6, and who hands over by ROT-7."""
    primary, turn = _primary(scene)
    backup = _backup(scene, turn, primary)
    passed_over = tuple(dict.fromkeys(scene.passed_over)) if scene.passed_over else ()
    return Resolved(primary, backup, _handover_contact(scene, primary), passed_over)


def _primary(scene: Scene) -> tuple[Hold | None, Turn | None]:
    """Who is primary, and the turn whose ring the backup is derived from."""
    candidates: list[Turn | None] = list(scene.turns)
    override = scene.override
    if override is not None:
        first = candidates[0] if candidates else None
        if _is_here(scene, override.person):
            return _by_override(override), first
        promoted = _promoted(scene, first)
        if promoted is not None:
            return promoted, first
        candidates = candidates[1:]
    for turn in candidates:
        assert turn is not None
        hold = _by_turn(scene, PRIMARY, turn)
        if _is_here(scene, hold.person):
            return hold, turn
        promoted = _promoted(scene, turn)
        if promoted is not None:
            return promoted, turn
    return _by_fallback(scene, taken=None), None


def _promoted(scene: Scene, turn: Turn | None) -> Hold | None:
    """Whoever would be backup, standing in for a primary who is away."""
    backup = _standing_backup(scene, None) or _ring_backup(scene, turn, None)
    return backup and backup._replace(reason=Reason.PROMOTION)


def _backup(scene: Scene, turn: Turn | None, primary: Hold | None) -> Hold | None:
    """Resolved after the primary, and never the same person (ROT-6). A gap in the primary derives no backup."""
    standing = _standing_backup(scene, primary and primary.person)
    if standing is not None or primary is None or primary.reason is Reason.FALLBACK:
        return standing
    taken = primary.person
    return _ring_backup(scene, turn, taken) or _neighbour(scene, turn, taken) or _by_fallback(scene, taken)


def _standing_backup(scene: Scene, taken: str | None) -> Hold | None:
    """The backup somebody named: an override, or an explicit backup layer."""
    for hold in _named_backups(scene):
        if hold.person == taken:
            scene.passed_over.append(f"{hold.person}:already-primary")
        elif _is_here(scene, hold.person):
            return hold
    return None


def _named_backups(scene: Scene) -> Iterator[Hold]:
    override = scene.backup_override
    if override is not None:
        yield _by_override(override)
    for turn in scene.standing:
        yield _by_turn(scene, BACKUP, turn)


def _ring_backup(scene: Scene, turn: Turn | None, taken: str | None) -> Hold | None:
    """The first of the primary's ring, from `offset` places on, who is here and not taken."""
    if turn is None:
        return None
    for person in turn.crew.walk(turn.place, scene.offset):
        if person == taken or not _is_here(scene, person):
            continue
        hold = _swapped(scene, BACKUP, person, turn)
        if hold.person != taken and _is_here(scene, hold.person):
            return hold
    return None


def _neighbour(scene: Scene, turn: Turn | None, taken: str) -> Hold | None:
    """Somebody of the neighbouring site: the person of its next window, or the next one of its ring."""
    following = scene.next_turn(turn.crew if turn else None)
    if following is None:
        return None
    for person in following.crew.walk(following.place, 0):
        if person != taken and _is_here(scene, person):
            return Hold(person, following.crew.layer, None, None, Reason.NEIGHBOUR)
    return None


def _by_fallback(scene: Scene, taken: str | None) -> Hold | None:
    if scene.fallback is None or scene.fallback == taken:
        return None
    return Hold(scene.fallback, None, None, None, Reason.FALLBACK)


def _by_override(override: Override) -> Hold:
    return Hold(override.person, None, override.start, override.end, Reason.OVERRIDE)


def _by_turn(scene: Scene, slot: Slot, turn: Turn) -> Hold:
    return _swapped(scene, slot, turn.person, turn)


def _swapped(scene: Scene, slot: Slot, person: str, turn: Turn) -> Hold:
    """`person`, or whoever took the duty over; a later swap sees the outcome of the earlier ones."""
    start, end, crew, _ = turn
    holder, last = person, None
    for move in scene.moves:
        if move.slot == slot and move.giver == holder and move.swap is not last:
            holder, last = move.taker, move.swap
    return Hold(holder, crew.layer, start, end, Reason.ROTATION if holder == person else Reason.SWAP)


def _is_here(scene: Scene, person: str) -> bool:
    why = scene.away.get(person)
    if why is not None:
        scene.passed_over.append(f"{person}:{why}")
    return why is None


def _handover_contact(scene: Scene, primary: Hold | None) -> str | None:
    """The outgoing primary while two sites of one priority overlap: shown, not paged (ROT-7)."""
    if len(scene.turns) < 2:
        return None
    incoming, outgoing = scene.turns[:2]
    if outgoing.crew.priority != incoming.crew.priority or outgoing.start >= incoming.start:
        return None
    person = _by_turn(scene, PRIMARY, outgoing).person
    return None if person in scene.away or (primary and person == primary.person) else person

"""Whom each target of a policy means from when to when: the people of the escalation engine, for a whole stretch. Pure.

`oncall.LivePeople` answers the same questions for one instant, from rows; a test holds the two together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from itertools import pairwise
from typing import NamedTuple

from rotations.escalation.policy import Kind, Target
from rotations.proof.evidence import Evidence, Roster
from rotations.proof.sites import neighbours
from rotations.proof.tracks import Track, joined
from rotations.responders import EMERGENCY
from rotations.rules import BACKUP, PRIMARY, Slot
from rotations.schedule import Schedule
from rotations.timeline import Span


class Meant(NamedTuple):
    """Whom a target means. Nobody has causes: who would have held the slot but is away, as `ada:leave`."""

    people: tuple[str, ...] = ()
    causes: tuple[str, ...] = ()


NOBODY = Meant()


class Desk:
    """Who is who from `start` until `end`. Every answer is worked out once and shared by all policies."""

    def __init__(self, evidence: Evidence, start: datetime, end: datetime) -> None:
        self.evidence = evidence
        self.start, self.end = start, end
        self._schedules: dict[str, Schedule] = {}
        self._tracks: dict[tuple[str, Target], Track[Meant]] = {}
        self._fallbacks: dict[str, Track[str]] = {}

    def meant(self, roster: str, target: Target) -> Track[Meant]:
        """Whom a person target means to policies of a roster."""
        key = (roster, target)
        if key not in self._tracks:
            self._tracks[key] = _MEANT[target.kind](self, roster, target)
        return self._tracks[key]

    def fallback(self, roster: str) -> Track[str]:
        """The first last resort who can be reached: the roster's own, the duty managers, the emergency number."""
        if roster not in self._fallbacks:
            own = self.roster(roster).fallback
            duty = self.meant(roster, Target(Kind.DUTY_MANAGER))

            def first(found: tuple[Meant, ...]) -> str:
                chain = (own, *found[0].people)
                reachable = (person for person in chain if person and not self.evidence.why_not(person))
                return next(reachable, EMERGENCY)

            self._fallbacks[roster] = joined([duty], first)
        return self._fallbacks[roster]

    def roster(self, key: str) -> Roster:
        return self.evidence.rosters[key]

    def schedule(self, key: str) -> Schedule:
        """The roster's schedule without its fallback, who is no cover."""
        if key not in self._schedules:
            schedule = self.roster(key).schedule
            if schedule.rules.fallback is not None:
                schedule = Schedule(replace(schedule.rules, fallback=None))
            self._schedules[key] = schedule
        return self._schedules[key]

    def always(self, people: Iterable[str | None]) -> Track[Meant]:
        """The same people all the time."""
        return Track([(self.start, Meant(tuple(dict.fromkeys(person for person in people if person))))])


def _primary(desk: Desk, roster: str, target: Target) -> Track[Meant]:
    return Track(_held(desk, roster, PRIMARY))


def _backup(desk: Desk, roster: str, target: Target) -> Track[Meant]:
    return Track(_held(desk, roster, BACKUP))


def _held(desk: Desk, roster: str, slot: Slot) -> Iterator[tuple[datetime, Meant]]:
    """Who holds a slot from when on, and in a gap of the primary, piece by piece, why nobody does."""
    schedule = desk.schedule(roster)
    final = schedule.shifts(desk.start, desk.end)
    reached = desk.start
    for shift in final.primary if slot == PRIMARY else final.backup:
        if reached < shift.start:
            yield from _gap(schedule, slot, reached, shift.start)
        yield shift.start, Meant((shift.person,))
        reached = shift.end
    if reached < desk.end:
        yield from _gap(schedule, slot, reached, desk.end)


def _gap(schedule: Schedule, slot: Slot, start: datetime, end: datetime) -> Iterator[tuple[datetime, Meant]]:
    if slot == BACKUP:
        yield start, NOBODY
        return
    rules = schedule.rules
    spans: list[Span] = [turn for layer in schedule.layers for turn in layer.between(start, end)]
    spans += [*rules.leave, *rules.blocked, *rules.overrides, *(move for swap in rules.swaps for move in swap.moves())]
    edges = {edge for span in spans for edge in (span.start, span.end) if start < edge < end}
    for begins, _ in pairwise([start, *sorted(edges), end]):
        reasons = schedule.who(begins).reasons
        yield begins, Meant((), tuple(reason for reason in reasons if not reason.startswith(("primary:", "backup:"))))


def _neighbour(desk: Desk, roster: str, target: Target) -> Track[Meant]:
    found = neighbours(desk.schedule(roster), desk.start, desk.end)
    return Track((point, Meant((person,)) if person else NOBODY) for point, person in found)


def _other_schedule(desk: Desk, roster: str, target: Target) -> Track[Meant]:
    known = target.ref in desk.evidence.rosters
    return desk.meant(target.ref, Target(Kind.PRIMARY)) if known else desk.always(())


def _named(desk: Desk, roster: str, target: Target) -> Track[Meant]:
    return desk.always([target.ref])


def _duty_manager(desk: Desk, roster: str, target: Target) -> Track[Meant]:
    tracks = [desk.meant(key, Target(Kind.PRIMARY)) for key in desk.evidence.duty]
    if not tracks:
        return desk.always(())
    return joined(tracks, _everybody)


def _everybody(found: tuple[Meant, ...]) -> Meant:
    people = tuple(dict.fromkeys(person for meant in found for person in meant.people))
    return Meant(people, () if people else tuple(cause for meant in found for cause in meant.causes))


def _manager(desk: Desk, roster: str, target: Target) -> Track[Meant]:
    return joined([desk.fallback(roster)], lambda found: Meant(found))


def _seniors(desk: Desk, roster: str, target: Target) -> Track[Meant]:
    return desk.always(desk.evidence.seniors)


def _head_of_support(desk: Desk, roster: str, target: Target) -> Track[Meant]:
    return desk.always([desk.roster(roster).manager])


_MEANT: dict[Kind, Callable[[Desk, str, Target], Track[Meant]]] = {
    Kind.PRIMARY: _primary,
    Kind.BACKUP: _backup,
    Kind.NEIGHBOUR: _neighbour,
    Kind.SCHEDULE: _other_schedule,
    Kind.PERSON: _named,
    Kind.TEAM: _named,
    Kind.SENIORS: _seniors,
    Kind.DUTY_MANAGER: _duty_manager,
    Kind.EMERGENCY_PHONE: _duty_manager,
    Kind.MANAGER: _manager,
    Kind.HEAD_OF_SUPPORT: _head_of_support,
}

"""Plan time: what a plan, or a change to one, does to the people in it (FAT-1 … FAT-4, FAT-7, FAT-8). Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from rotations.fatigue.limits import LIMITS
from rotations.fatigue.terms import DEFAULT, Duty, Finding, Kind, Person, Profile, Severity, worked_within
from rotations.resolution import Reason
from rotations.rules import PRIMARY, Layer
from rotations.shifts import Final, Shift

_LOAD_OVER = timedelta(days=28)
_SUBSTITUTE_PASSES = frozenset({"FAT-1", "FAT-2", "FAT-3", "FAT-4"})


def check(people: Iterable[Person], profile: Profile = DEFAULT) -> tuple[Finding, ...]:
    """Every limit a plan passes, person by person (FAT-1 … FAT-4, FAT-7, FAT-8)."""
    return tuple(finding for person in people for rule in LIMITS for finding in rule(person, profile))


def check_change(before: Iterable[Person], after: Iterable[Person], profile: Profile = DEFAULT) -> tuple[Finding, ...]:
    """What a change to a plan makes worse: findings that are new or go further. For swaps, give both people (ROT-8)."""
    known = check(before, profile)
    return tuple(finding for finding in check(after, profile) if not any(_covers(old, finding) for old in known))


def _covers(old: Finding, new: Finding) -> bool:
    """Whether the plan before was as bad here already."""
    if (old.rule, old.person) != (new.rule, new.person) or old.excess < new.excess:
        return False
    return old.start < new.end and new.start < old.end


def people(final: Final, layers: Iterable[Layer], homes: Mapping[str, str]) -> tuple[Person, ...]:
    """Everyone on duty in a final schedule, ready to be checked. `homes` are the zones people sleep in, by person."""
    by_person: dict[str, list[Duty]] = {}
    for duty in duties(final, layers):
        by_person.setdefault(duty.person, []).append(duty)
    return tuple(Person(name, homes[name], tuple(own)) for name, own in sorted(by_person.items()))


def duties(final: Final, layers: Iterable[Layer]) -> tuple[Duty, ...]:
    """The duties a final schedule gives to people: the primary of a windowed layer works, everyone else is reachable.

    An override counts as a window where every primary layer has one. The fallback is not on duty.
    """
    windowed = {layer.name: layer.daily_window is not None for layer in layers if layer.slot == PRIMARY}
    windowed_everywhere = bool(windowed) and all(windowed.values())
    return tuple(
        _duty(shift, windowed.get(shift.layer or "", windowed_everywhere))
        for shift in final.shifts
        if shift.reason is not Reason.FALLBACK
    )


def _duty(shift: Shift, is_windowed: bool) -> Duty:
    kind = Kind.ACTIVE if is_windowed and shift.slot == PRIMARY else Kind.STANDBY
    whole = (shift.shift_start, shift.shift_end)
    return Duty(shift.person, shift.start, shift.end, kind, shift.slot, all_day=not is_windowed, shift=whole)


class Candidate(NamedTuple):
    """Somebody who might stand in: their plan so far, and whether their phone is verified."""

    person: Person
    has_phone: bool


def substitute(
    candidates: Sequence[Candidate], absent: str, start: datetime, end: datetime, profile: Profile = DEFAULT
) -> str | None:
    """Who stands in for `absent`, the primary: reachable, fit by FAT-1 … FAT-4, and least on call in 28 days.

    Equal loads go by the order given. None: keep the primary, page the manager, record a fatigue exception.
    """
    fit = [
        candidate.person
        for candidate in candidates
        if candidate.has_phone and candidate.person.name != absent and _stays_fit(candidate.person, start, end, profile)
    ]
    chosen = min(fit, key=lambda person: _load(person, start), default=None)
    return chosen.name if chosen else None


def _stays_fit(person: Person, start: datetime, end: datetime, profile: Profile) -> bool:
    with_it = person._replace(duties=(*person.duties, Duty(person.name, start, end)))
    added = check_change([person], [with_it], profile)
    return not any(finding.rule in _SUBSTITUTE_PASSES and finding.severity is Severity.BLOCK for finding in added)


def _load(person: Person, until: datetime) -> timedelta:
    return worked_within(person.duties, until - _LOAD_OVER, until)

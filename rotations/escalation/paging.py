"""Whom a firing rings: targets to people, one page each, never nobody. Pure.

Everything here works on a `Decision`, one decision in the making.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from rotations.escalation.effects import (
    Channel,
    Effect,
    FatigueException,
    NobodyOnCall,
    Page,
    PagerTakenOver,
    Reason,
    Skipped,
    Why,
)
from rotations.escalation.policy import Kind, Pager, Policy, Step, Target
from rotations.escalation.state import People, State

SAME_PERSON_PAUSE = timedelta(seconds=60)  # ESC-6
VENDOR_STEPS = 2  # without an acknowledgement by step 3 our own pager takes over (ESC-17)

_PRIMARY, _BACKUP = Target(Kind.PRIMARY), Target(Kind.BACKUP)
_SWAPPED = {_PRIMARY: _BACKUP, _BACKUP: _PRIMARY}
_SWAPPED_STEPS = 2


@dataclass(slots=True)
class Decision:
    """One decision in the making. `now` is when it is made; what it does may have been planned for earlier."""

    policy: Policy
    state: State
    people: People
    now: datetime
    effects: list[Effect] = field(default_factory=list)

    @property
    def place(self) -> tuple[int, int]:
        """Pass and step, counted from one: the step that fired last."""
        return self.state.pass_number, self.state.next_step

    def move(self, **changes: Any) -> None:
        self.state = replace(self.state, **changes)

    def note(self, effect: Effect) -> None:
        self.effects.append(effect)


def ring_step(d: Decision, step: Step, at: datetime) -> bool:
    """Ring everybody a step means, once each (ESC-6). False when that is nobody; channels do not count (ESC-7)."""
    targets = _relieved(d, step.targets, at)
    for target in targets:
        if target.is_channel:
            d.note(Channel(at, target, *d.place))
    pager = _pager(d, at)
    found = _found(d, targets, at)
    for person, reason in found.items():
        _page_unless_acknowledged(d, person, reason, at, pager)
    d.move(rung=tuple(found))
    return bool(found)


def ring_incoming(d: Decision, incoming: str | None, at: datetime) -> None:
    """A shift began: page the new primary, or say that there is none (ESC-5)."""
    found = _found(d, (_PRIMARY,), at) if incoming else {}
    if not found:
        nobody(d, at)
    for person in found:
        _page_unless_acknowledged(d, person, Reason.SHIFT_CHANGE, at)
    d.move(rung=tuple(dict.fromkeys((*d.state.rung, *found))))


def ring_again(d: Decision, people: Iterable[str], reason: Reason, at: datetime) -> None:
    """Ring certain people besides those the step rings, if they can be reached now (ESC-9, ESC-11, ESC-17)."""
    for person in people:
        if person in d.state.rung:
            continue
        for found in _reachable(d, Target(Kind.PERSON, person), at):
            _page_unless_acknowledged(d, found, reason, at)
            d.move(rung=(*d.state.rung, found))


def nobody(d: Decision, at: datetime) -> None:
    """Record that there is nobody, and page the fallback manager at once, once per pass (D12, ESC-7)."""
    d.note(NobodyOnCall(at, d.people.fallback(d.now), *d.place))
    if not d.state.fallback_paged:
        d.move(fallback_paged=True)
        page_fallback(d, Reason.NO_TARGET, at)


def page_fallback(d: Decision, reason: Reason, at: datetime) -> None:
    """Page the fallback manager: the last resort, so whatever they said before."""
    if (manager := d.people.fallback(d.now)) is not None:
        _page(d, manager, reason, at)


def _page_unless_acknowledged(
    d: Decision, person: str, reason: str, at: datetime, pager: Pager = Pager.INTERNAL
) -> None:
    """Page a person, unless they are one of those who have this already while more are needed."""
    if person in d.state.ackers:
        d.note(Skipped(at, person, Why.ACKNOWLEDGED, *d.place))
    else:
        _page(d, person, reason, at, pager)


def _page(d: Decision, person: str, reason: str, at: datetime, pager: Pager = Pager.INTERNAL) -> None:
    """Page a person, unless this incident did so less than a minute ago of real time (ESC-6)."""
    last = d.state.paged.get(person)
    if last is not None and d.now - last < SAME_PERSON_PAUSE:
        d.note(Skipped(at, person, Why.JUST_PAGED, *d.place))
        return
    d.note(Page(at, person, reason, *d.place, pager))
    by_us = d.now if pager is Pager.INTERNAL else None  # what the vendor rings does not hold back our own pages
    d.move(paged={**d.state.paged, person: by_us})


def take_over(d: Decision, why: str, at: datetime) -> None:
    """From now on our own pager pages for this incident (ESC-17)."""
    d.move(taken_over=True)
    d.note(PagerTakenOver(at, why))


def vendor_pages(d: Decision) -> bool:
    """Whether the vendor is the pager of record and still has this incident."""
    return d.policy.pager is not Pager.INTERNAL and not d.state.taken_over


def primary(d: Decision, at: datetime) -> str | None:
    """The primary at `at`, if there is one who can be reached."""
    return next(iter(d.people.resolve(_PRIMARY, at).people), None)


def _pager(d: Decision, at: datetime) -> Pager:
    pass_number, step = d.place
    if vendor_pages(d) and (step > VENDOR_STEPS or pass_number > 1):
        take_over(d, f"no acknowledgement by step {step}", at)
    return d.policy.pager if vendor_pages(d) else Pager.INTERNAL


def _found(d: Decision, targets: Iterable[Target], at: datetime) -> dict[str, str]:
    """The people the targets mean right now, in order, each with the first target that names them."""
    found: dict[str, str] = {}
    for target in targets:
        if not target.is_channel:
            for person in _reachable(d, target, at):
                found.setdefault(person, target.kind)
    return found


def _reachable(d: Decision, target: Target, at: datetime) -> list[str]:
    """The people of one target, without those who handed back; everybody left out is on record."""
    answer = d.people.resolve(target, d.now)
    gone = [(person, Why.HANDED_BACK) for person in answer.people if person in d.state.excluded]
    for person, why in (*answer.passed_over, *gone):
        d.note(Skipped(at, person, why, *d.place))
    return [person for person in answer.people if person not in d.state.excluded]


def _relieved(d: Decision, targets: tuple[Target, ...], at: datetime) -> tuple[Target, ...]:
    """FAT-5: backup and primary change places in steps 1 and 2, if there is a backup at all."""
    _, step = d.place
    if not d.state.backup_first or step > _SWAPPED_STEPS:
        return targets
    if set(d.people.resolve(_BACKUP, d.now).people) - set(d.state.excluded):
        return tuple(_SWAPPED.get(target, target) for target in targets)
    if step == 1 and _PRIMARY in targets:
        d.note(FatigueException(at, *d.place))
    return targets

"""Whom `primary`, `backup` and `neighbour` mean on a schedule. Pure.

A schedule that has nobody names its fallback instead. To an escalation that is nobody: it pages the fallback manager by
itself, says so, and goes on without waiting (D12, ESC-7).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from rotations.escalation.policy import MANAGERS, Kind, Target
from rotations.escalation.state import Found
from rotations.resolution import Hold, Reason
from rotations.schedule import Schedule


def primary(schedule: Schedule, at: datetime) -> str | None:
    """Who is primary at `at`; None in a gap."""
    return _person(schedule.who(at).primary_shift)


def backup(schedule: Schedule, at: datetime) -> str | None:
    """Who is backup at `at`, if anybody but the fallback is."""
    return _person(schedule.who(at).backup_shift)


def neighbour(schedule: Schedule, at: datetime) -> str | None:
    """The primary of the neighbouring site: whoever holds the window that starts next (ESC-5a)."""
    turn = schedule.next_layer_after(at)
    if turn is None:
        return None
    hold = schedule.who(turn.start).primary_shift
    if hold is not None and hold.layer not in (None, turn.crew.layer):
        return turn.person  # a layer of higher priority is on duty then too: the neighbour is still this one
    return _person(hold)


def _person(hold: Hold | None) -> str | None:
    return None if hold is None or hold.reason is Reason.FALLBACK else hold.person


_ON_DUTY = {Kind.PRIMARY: primary, Kind.BACKUP: backup, Kind.NEIGHBOUR: neighbour}


class SchedulePeople:
    """People by a schedule, a manager, and fixed answers for other targets; everybody can be reached. For what-if."""

    def __init__(
        self, schedule: Schedule, *, manager: str | None = None, others: Mapping[str, tuple[str, ...]] | None = None
    ) -> None:
        self.schedule = schedule
        self.manager = manager
        self.others = others or {}

    def resolve(self, target: Target, at: datetime) -> Found:
        if target.kind in _ON_DUTY:
            person = _ON_DUTY[target.kind](self.schedule, at)
        elif target.kind in MANAGERS:
            person = self.manager
        elif target.kind is Kind.PERSON:
            person = target.ref
        else:
            return Found(self.others.get(str(target), ()))
        return Found((person,) if person else ())

    def fallback(self, at: datetime) -> str | None:
        return self.manager

    def boundary_after(self, at: datetime) -> datetime | None:
        return self.schedule.who(at).changes_at  # kept with the answer, and asked for at every event

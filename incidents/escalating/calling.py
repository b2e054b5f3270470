"""Calling somebody by name, outside the steps of any policy."""

from __future__ import annotations

from collections.abc import Iterable

from incidents.escalating.carrying import carry_out
from incidents.escalating.pages import OUTSIDE_THE_CHAIN, UPDATE_LATE
from incidents.escalating.work import Work
from incidents.models import Incident, Page
from rotations.escalation import effects as fx
from rotations.escalation.policy import Kind
from rotations.models import Schedule
from rotations.oncall import EMERGENCY, Directory, LivePeople
from supportdesk import instants
from supportdesk.integrations.lines import Lines


def page_incoming(incident: Incident, lines: Lines, user_id: int) -> None:
    """The next shift has not accepted what is open: their phone rings (ROT-11)."""
    _call(incident, LivePeople(None, Directory(lines)), lines, str(user_id), "hand_over")


def page_duty_manager(incident: Incident, lines: Lines, *, reason: str = Kind.DUTY_MANAGER) -> None:
    """The duty manager hears of it whatever the plan, or whoever stands in (ENT-10, SLA-14). No guarantee arises.

    `reason` is a key of `REASONS`: what they are told they are called for.
    """
    people = _duty(lines)
    _call(incident, people, lines, people.fallback(instants.now()) or EMERGENCY, reason)


def page_commander(incident: Incident, lines: Lines) -> None:
    """Whoever commands it, or has it, is called because an update is late; without anybody the chain rings (SLA-14)."""
    person = incident.owner_id or incident.acknowledged_by_id
    if person is not None:
        _call(incident, _duty(lines), lines, str(person), UPDATE_LATE)


def page_again(incident: Incident, withdrawn: Iterable[Page]) -> None:
    """Page those whose page was taken back before it left, unless something rings them by now."""
    lines = Lines.load() if withdrawn else None
    for page in withdrawn:
        rings = Page.objects.filter(incident=incident, user=page.user_id, state=Page.State.OPEN).exists()
        if lines is not None and not rings:
            effect = fx.Page(instants.now(), str(page.user_id), fx.Reason.SEVERITY_UP, page.turn, page.step)
            carry_out(Work(incident, LivePeople(None, Directory(lines)), lines), (effect,))


def _duty(lines: Lines) -> LivePeople:
    return LivePeople(Schedule.objects.filter(duty=True).first(), Directory(lines))


def _call(incident: Incident, people: LivePeople, lines: Lines, person: str, reason: str) -> None:
    effect = fx.Page(instants.now(), person, reason, pass_number=1, step=OUTSIDE_THE_CHAIN)
    carry_out(Work(incident, people, lines), (effect,))

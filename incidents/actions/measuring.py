"""What a running clock brings about by itself: warnings, the record of a miss, and the nagging after it (SLA-14,
SLA-15)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from incidents import clockwork, escalating, facts, sla, telling, timeline
from incidents.actions.entry import locked
from incidents.models import Incident, Page
from incidents.routing import Audience
from incidents.sla import BREACH, ClockKind
from incidents.timeline import Fact
from incidents.war_room import guarding, seats
from supportdesk import instants, readable
from supportdesk.accounts.models import User
from supportdesk.actors import Actor
from supportdesk.integrations.lines import Lines
from supportdesk.plain import to_second
from supportdesk.queue import timers

CLOCK_NAMES = {
    ClockKind.FIRST_RESPONSE: "First response",
    ClockKind.NEXT_UPDATE: "Next update",
    ClockKind.RESOLUTION: "Resolution",
    ClockKind.ACK: "Acknowledgement",
}
_WAITS_FOR = {ClockKind.FIRST_RESPONSE: "a first answer", ClockKind.NEXT_UPDATE: "an update"}
NAG = "incidents.tasks.nag"
NAG_EVERY = timedelta(minutes=5)
_LAST_CALL = 90
_SPOKEN = (ClockKind.FIRST_RESPONSE, ClockKind.NEXT_UPDATE)  # the promises a message keeps

_TO_WHOEVER_HAS_IT = (Audience.RESPONDER,)
_TO_THE_TEAM = (Audience.RESPONDER, Audience.DESK_CHANNEL)
_TO_THE_DUTY_MANAGER = (Audience.RESPONDER, Audience.DUTY_MANAGER, Audience.DESK_CHANNEL)
_PROMISES = {50: _TO_WHOEVER_HAS_IT, 75: _TO_THE_TEAM, _LAST_CALL: _TO_THE_DUTY_MANAGER}
_UPDATES = {50: (), 75: _TO_WHOEVER_HAS_IT, _LAST_CALL: _TO_WHOEVER_HAS_IT}
# Who hears that a threshold has passed; the timeline has every one of them (SLA-14). Our own objective nags nobody.
HEARD_BY: dict[ClockKind, dict[int, tuple[Audience, ...]]] = {
    ClockKind.FIRST_RESPONSE: _PROMISES,
    ClockKind.RESOLUTION: _PROMISES,
    ClockKind.NEXT_UPDATE: _UPDATES,
    ClockKind.ACK: {},
}


def pass_threshold(
    incident_id: int, *, actor: Actor, generation: int, kind: str, cycle: int, basis: int, threshold: int
) -> Incident:
    """A clock passed part of its target, or all of it. Told once per cycle; what was met meanwhile is not told."""
    with transaction.atomic():
        incident = locked(incident_id, actor, "view")
        if incident.generation != generation:
            return incident
        clocks = clockwork.refresh(incident)
        clock = next((c for c in clocks if c.kind == kind and c.cycle == cycle), None)
        if clock is None or clock.due_at is None or (threshold < BREACH and clock.satisfied_at is not None):
            return incident
        if threshold == BREACH:
            _missed(incident, actor, clock)
        else:
            _warn(incident, actor, clock, basis, threshold)
    return incident


def nag(incident_id: int, *, actor: Actor, generation: int) -> Incident:
    """An update of a P1 is late and still owed: its commander is paged again, as often as it takes (SLA-14)."""
    with transaction.atomic():
        incident = locked(incident_id, actor, "view")
        late = _late_update(incident) if incident.generation == generation else None
        if late is None:
            return incident
        waited = readable.duration(instants.now() - late)
        timeline.record(incident, actor, Fact("update_late", f"The update is {waited} late. Paging the commander."))
        escalating.page_commander(incident, Lines.load())
        _arm_nag(incident)
    return incident


def stop_nagging(incident: Incident) -> None:
    """The update has gone out: nobody is paged for it any more."""
    timers.cancel(incident.subject, run=NAG)
    late = Page.objects.filter(incident=incident, reason=escalating.UPDATE_LATE)
    escalating.hush(late, state=Page.State.STOPPED, why="the update has been sent")


def lateness(incident: Incident, clocks: tuple[sla.Clock, ...], at: datetime) -> dict[str, Any]:
    """What a message says that keeps a promise too late: when it was due, and by how much it missed (SLA-14)."""
    kept = [clock for clock in clocks if clock.breached_at and clock.satisfied_at == to_second(at)]
    due = min((clock.breached_at for clock in kept if clock.breached_at and clock.kind in _SPOKEN), default=None)
    if due is None:
        return {}
    return {"late_by": readable.duration(at - due), "late_local": facts.moment(due, incident.zone)}


def _warn(incident: Incident, actor: Actor, clock: sla.Clock, basis: int, threshold: int) -> None:
    left = readable.duration(clock.due_at - instants.now()) if clock.due_at else ""
    text = f"{CLOCK_NAMES[clock.kind]}: {threshold} % of the target is used, {left} left."
    data = {"clock": clock.kind, "cycle": clock.cycle, "threshold": threshold}
    timeline.record(incident, actor, Fact("sla_warning", text, data=data))
    heard_by = HEARD_BY[clock.kind].get(threshold, ())
    key = f"{clock.kind}:{clock.cycle}:{basis}:{threshold}"
    if heard_by and not guarding.warn(incident, clock, threshold, key):
        due_local = facts.moment(clock.due_at, incident.zone) if clock.due_at else ""
        waits_for = _WAITS_FOR.get(clock.kind, "")
        telling.tell(
            incident, "warning", key, heard_by=heard_by, warning=text, due_local=due_local, waits_for=waits_for
        )
    is_last_call = threshold == _LAST_CALL and incident.severity == "P1" and Audience.DUTY_MANAGER in heard_by
    if is_last_call and not _rings_a_manager(incident):
        escalating.page_duty_manager(incident, Lines.load(), reason="almost_missed")


def _missed(incident: Incident, actor: Actor, clock: sla.Clock) -> None:
    """Recorded for ever, and told to the people who can still make it better; the duty manager is paged for P1, P2."""
    due = clock.due_at or instants.now()
    late = "and came late" if clock.satisfied_at else "and has not happened"
    text = f"{CLOCK_NAMES[clock.kind]} was due at {readable.clock_time(due, incident.zone)} {late}."
    data = {"clock": clock.kind, "cycle": clock.cycle}
    timeline.record(incident, actor, Fact("sla_missed", text, at=due, data=data))
    if clock.kind is ClockKind.ACK:
        return
    is_owed = clock.satisfied_at is None
    said: dict[str, Any] = {
        "warning": text,
        "promise": CLOCK_NAMES[clock.kind],
        "due_local": facts.moment(due, incident.zone),
    }
    said |= {"is_owed": is_owed, "waits_for": _WAITS_FOR.get(clock.kind, "") if is_owed else ""}
    telling.tell(incident, "breach", f"{clock.kind}:{clock.cycle}", **said)
    guarding.say_sorry(incident, clock)
    if not is_owed or clock.kind is ClockKind.RESOLUTION or incident.severity not in escalating.URGENT:
        return
    lines = Lines.load()
    calls_commander = clock.kind is ClockKind.NEXT_UPDATE and incident.severity == "P1"
    if calls_commander:
        escalating.page_commander(incident, lines)
        _arm_nag(incident)
    if not (calls_commander and _commands(incident, seats.duty_manager(lines))):
        escalating.page_duty_manager(incident, lines, reason="breach")


def _commands(incident: Incident, person: User | None) -> bool:
    """Whether it is theirs: one reason to be called at an instant is enough (ESC-6)."""
    return person is not None and person.pk == (incident.owner_id or incident.acknowledged_by_id)


def _late_update(incident: Incident) -> datetime | None:
    """Since when an update of a P1 is owed and late; None where none is."""
    if incident.severity != "P1" or incident.is_resolved or not incident.is_open:
        return None
    clocks = clockwork.refresh(incident)
    owed = [c for c in clocks if c.kind is ClockKind.NEXT_UPDATE and c.breached_at and c.satisfied_at is None]
    return owed[0].breached_at if owed else None


def _arm_nag(incident: Incident) -> None:
    at = instants.now() + NAG_EVERY
    key = f"nag:{incident.pk}:{incident.generation}:{at.isoformat()}"
    timers.replace(
        incident.subject, NAG, [timers.Planned(key, NAG, incident.subject, at, generation=incident.generation)]
    )


def _rings_a_manager(incident: Incident) -> bool:
    """Whether a manager is being paged for it already: one ringing phone is enough."""
    reasons = ("duty_manager", "emergency_phone", "manager", "exhausted", "almost_missed", "breach", "dispute")
    return incident.pages.filter(generation=incident.generation, state=Page.State.OPEN, reason__in=reasons).exists()

"""What a running clock brings about by itself: warnings, and the record of a miss (SLA-14, SLA-15)."""

from __future__ import annotations

from django.db import transaction

from incidents import clockwork, escalating, sla, telling, timeline
from incidents.actions.entry import locked
from incidents.models import Incident
from incidents.timeline import Fact
from supportdesk import instants, readable
from supportdesk.actors import Actor
from supportdesk.integrations.lines import Lines

CLOCK_NAMES = {
    sla.ClockKind.FIRST_RESPONSE: "First response",
    sla.ClockKind.NEXT_UPDATE: "Next update",
    sla.ClockKind.RESOLUTION: "Resolution",
    sla.ClockKind.ACK: "Acknowledgement",
}
BREACH = 100


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
        name = CLOCK_NAMES[clock.kind]
        if threshold == BREACH:
            _missed(incident, actor, clock, name)
        else:
            _warn(incident, actor, clock, name, basis, threshold)
    return incident


def _warn(incident: Incident, actor: Actor, clock: sla.Clock, name: str, basis: int, threshold: int) -> None:
    left = readable.duration(clock.due_at - instants.now()) if clock.due_at else ""
    text = f"{name}: {threshold} % of the target is used, {left} left."
    timeline.record(
        incident,
        actor,
        Fact("sla_warning", text, data={"clock": clock.kind, "cycle": clock.cycle, "threshold": threshold}),
    )
    if threshold > 50:
        telling.tell(incident, "warning", f"{clock.kind}:{clock.cycle}:{basis}:{threshold}", warning=text)


def _missed(incident: Incident, actor: Actor, clock: sla.Clock, name: str) -> None:
    """Recorded for ever, and told to the people who can still make it better; the duty manager is paged for P1, P2."""
    due = clock.due_at or instants.now()
    late = "and came late" if clock.satisfied_at else "and has not happened"
    text = f"{name} was due at {readable.clock_time(due, incident.zone)} {late}."
    timeline.record(incident, actor, Fact("sla_missed", text, at=due, data={"clock": clock.kind, "cycle": clock.cycle}))
    if clock.kind is sla.ClockKind.ACK:
        return
    telling.tell(incident, "breach", f"{clock.kind}:{clock.cycle}", warning=text)
    still_open = clock.satisfied_at is None and clock.kind is not sla.ClockKind.RESOLUTION
    if still_open and incident.severity in escalating.URGENT:
        escalating.page_duty_manager(incident, Lines.load())

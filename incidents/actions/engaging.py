"""Acting on a decision: page now, wait for the desk to open, or leave it to a manager (ENT-5 … ENT-8)."""

from __future__ import annotations

from typing import Any

from incidents import escalating, facts
from incidents.models import Incident
from incidents.timeline import Fact
from rotations.escalation import EventKind
from supportdesk.actors import Actor
from supportdesk.entitlements import Decision, Engagement
from supportdesk.integrations.lines import Lines
from supportdesk.queue import timers

OPEN_QUEUE = "incidents.tasks.enter_triage"
FIELDS = ("decision", "engagement", "queued_until", "war_room", "updated_at")


def adopt(incident: Incident, decision: Decision, *, is_worked: bool = False) -> Fact:
    """Write a decision on the incident, unsaved, and return its entry. What is worked already goes on being worked."""
    incident.decision = decision.to_spec()
    incident.war_room = incident.war_room or decision.war_room
    if is_worked:
        incident.engagement, incident.queued_until = Engagement.NOW, None
    else:
        incident.engagement, incident.queued_until = decision.engagement, decision.opens_at
    return decided(decision)


def decided(decision: Decision) -> Fact:
    """The entry of a decision, with its reasons."""
    return Fact("decided", "Paging on-call now." if decision.pages else "Nobody is paged.", data=decision.to_spec())


def act(
    incident: Incident, decision: Decision, lines: Lines | None = None, *, kind: EventKind = EventKind.START
) -> None:
    """Page whom the decision pages, or wait for the desk to open. The incident is adopted and saved before."""
    lines = lines or Lines.load()
    wait_for_opening(incident)
    if decision.pages:
        escalating.start(incident, lines, kind=kind)
    if decision.pages_duty_manager:
        escalating.page_duty_manager(incident, lines)


def wait_for_opening(incident: Incident) -> None:
    """Make the timer that opens the desk for an incident agree with what the incident waits for."""
    planned = []
    if incident.engagement == Engagement.QUEUED and incident.queued_until is not None:
        at, generation = incident.queued_until, incident.generation
        key = f"open:{incident.pk}:{generation}:{at.isoformat()}"
        planned = [timers.Planned(key, OPEN_QUEUE, incident.subject, at, generation=generation)]
    timers.replace(incident.subject, OPEN_QUEUE, planned)


def stand_down(incident: Incident, actor: Actor, decision: Decision, *, why: str) -> None:
    """What pages nobody any more stops ringing; unless somebody has it, it waits for the desk to open."""
    escalating.feed(incident, EventKind.SEVERITY_DOWN, severity=incident.severity, policy=None)
    if not incident.is_acknowledged:
        escalating.stop_pages(incident, actor, why=why)
        wait_for_opening(incident)


def promise(incident: Incident, decision: Decision) -> dict[str, Any]:
    """What the reader may expect, in the organization's zone with its offset (ENT-7)."""
    zone = incident.zone
    return {
        "opens_local": facts.moment(decision.opens_at, zone) if decision.opens_at else "",
        "due_local": facts.moment(decision.first_response_due, zone) if decision.first_response_due else "",
        "plan": decision.plan,
        "pages": decision.pages,
        "account_manager": incident.organization.account_manager.name
        if incident.organization and incident.organization.account_manager
        else "",
    }

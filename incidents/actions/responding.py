"""Taking an incident, passing it on, and what time does to it meanwhile."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction

from incidents import clockwork, escalating, facts, sla, telling, timeline
from incidents.actions import handing_over
from incidents.actions.entry import locked, move, require_open
from incidents.models import Incident, Page
from incidents.states import Status
from incidents.timeline import CUSTOMER, Fact
from incidents.war_room import following
from rotations.escalation import EventKind
from supportdesk import instants
from supportdesk.actors import Actor
from supportdesk.errors import WrongState
from supportdesk.queue import timers

DRILL_OVER = "incidents.tasks.end_drill"


def acknowledge(incident_id: int, *, actor: Actor) -> Incident:
    """Someone has it: stops the ringing. The customer's clock keeps running until a human answers them (D4)."""
    with transaction.atomic():
        incident = locked(incident_id, actor, "acknowledge")
        if incident.is_resolved or not incident.is_open:
            return incident  # a late press after the end is not an error
        if incident.is_acknowledged and incident.acknowledged_name == actor.name:
            escalating.feed(incident, EventKind.ACTIVITY, by=_who(actor))
            own = Page.objects.filter(incident=incident, user_id=actor.user_id)
            escalating.hush(own, state=Page.State.ACKNOWLEDGED, via=actor.via, why=f"acknowledged by {actor.name}")
            return incident  # a second press is not an error, but it shows that they are still on it (ESC-9)
        if incident.is_acknowledged and handing_over.offered_to(incident, actor) is not None:
            return handing_over.accept_hand_over(incident_id, actor=actor)  # whatever rang, they have it now
        first = not incident.is_acknowledged
        _take(incident, actor)
        escalating.feed(incident, EventKind.ACK, by=_who(actor))
        escalating.stop_pages(incident, actor, by_user_id=actor.user_id, why=f"acknowledged by {actor.name}")
        if first:
            now = instants.now()
            clocks = clockwork.append(incident, sla.Event(now, sla.EventKind.ACKNOWLEDGED, ref=actor.via))
            said: dict[str, Any] = {"who": actor.name, "due_local": _first_answer_due(incident, clocks, now)}
            telling.tell(incident, "acknowledged", f"{incident.generation}:{_who(actor)}", **said)
            following.follow(incident)
        if incident.is_drill:
            timers.arm([timers.Planned(f"drill:{incident.pk}:over", DRILL_OVER, incident.subject, instants.now())])
    return incident


def _first_answer_due(incident: Incident, clocks: tuple[sla.Clock, ...], now: datetime) -> str:
    """When a person answers the customer at the latest; empty once one has, or is late."""
    first = sla.by_kind(clocks).get(sla.ClockKind.FIRST_RESPONSE)
    due = first.due_at if first is not None and first.satisfied_at is None else None
    return facts.moment(due, incident.zone) if due is not None and due > now else ""


def _take(incident: Incident, actor: Actor) -> None:
    """Write down who has it; whoever comes later joins (ESC-8)."""
    now = instants.now()
    first = not incident.is_acknowledged
    if first:
        incident.acknowledged_name = actor.name
        incident.acknowledged_by_id = actor.user_id
        incident.owner_id = incident.owner_id or actor.user_id
        incident.acked_at = incident.acked_at or now
        if incident.status == Status.NEW:
            move(incident, Status.TRIAGING, now)
        incident.save()
        timeline.record(incident, actor, Fact("acknowledged", f"{actor.name} has it.", CUSTOMER))
    else:
        timeline.record(
            incident, actor, Fact("joined", f"{actor.name} joins; {incident.acknowledged_name} had it first.")
        )


def _who(actor: Actor) -> str:
    """What the escalation engine calls an actor: their key, or their name where they have none."""
    return str(actor.user_id) if actor.user_id is not None else actor.name


def claim(incident_id: int, *, actor: Actor) -> Incident:
    """Become the owner; taking it also acknowledges it."""
    with transaction.atomic():
        incident = locked(incident_id, actor, "claim")
        require_open(incident, "claiming")
        if incident.owner_id == actor.user_id and incident.is_acknowledged:
            following.follow(incident, was_claimed=True)  # the first to come has the command only for the time being
            return incident
        before = incident.owner.name if incident.owner else "nobody"
        incident.owner_id = actor.user_id
        incident.save(update_fields=["owner", "updated_at"])
        timeline.record(incident, actor, Fact("claimed", f"{actor.name} owns it now, after {before}."))
        if not incident.is_acknowledged:
            acknowledge(incident_id, actor=actor)
            incident.refresh_from_db()
        else:
            escalating.feed(incident, EventKind.ACTIVITY, by=_who(actor))
        following.follow(incident, was_claimed=True)
    return incident


def escalate(incident_id: int, *, actor: Actor, reason: str = "") -> Incident:
    """Page the next step at once."""
    with transaction.atomic():
        incident = locked(incident_id, actor, "escalate")
        require_open(incident, "escalating")
        timeline.record(
            incident, actor, Fact("escalated", reason.strip() or f"{actor.name} asks for the next step now.")
        )
        if not escalating.feed(incident, EventKind.ESCALATE):
            escalating.start(incident)
    return incident


def hand_back(incident_id: int, *, actor: Actor, reason: str = "") -> Incident:
    """Give it up: the next step is paged at once, without the one who gave up (ESC-10). Whoever only commands gives up
    the command, and whoever has it keeps it."""
    with transaction.atomic():
        incident = locked(incident_id, actor, "hand_back")
        require_open(incident, "handing back")
        has_it, commands = incident.acknowledged_by_id == actor.user_id, incident.owner_id == actor.user_id
        if actor.user_id is None or not (has_it or commands):
            whose = f"{incident.acknowledged_name} has it" if incident.is_acknowledged else "Nobody has it"
            raise WrongState(f"{incident.ref} is not yours to hand back. {whose}.")
        if has_it:
            incident.acknowledged_name, incident.acknowledged_by = "", None
        incident.owner = None if commands else incident.owner
        incident.save(update_fields=["acknowledged_name", "acknowledged_by", "owner", "updated_at"])
        timeline.record(incident, actor, Fact("handed_back", reason.strip() or f"{actor.name} hands it back."))
        if has_it:
            escalating.feed(incident, EventKind.UNACK, by=_who(actor))
        following.follow(incident)
    return incident


def advance(incident_id: int, *, actor: Actor, generation: int) -> Incident:
    """Time has come for the escalation to do something; the engine knows what. An old generation does nothing
    (ESC-12)."""
    with transaction.atomic():
        incident = locked(incident_id, actor, "escalate")
        if incident.generation != generation or incident.is_resolved:
            return incident
        was_acknowledged = incident.is_acknowledged
        escalating.feed(incident, EventKind.DUE)
        if was_acknowledged and not escalating.has_somebody(incident):
            incident.acknowledged_name, incident.acknowledged_by = "", None
            incident.save(update_fields=["acknowledged_name", "acknowledged_by", "updated_at"])
    return incident


def page_failed(page_id: int, *, actor: Actor) -> None:
    """One attempt of a page failed: the next follows at once; when none is left, the person counts as unreachable
    (ESC-14)."""
    with transaction.atomic():
        page = Page.objects.select_related("user").get(pk=page_id)
        incident = locked(page.incident_id, actor, "escalate")
        page = Page.objects.select_for_update().get(pk=page_id)
        if page.state != Page.State.OPEN or page.generation != incident.generation:
            return
        if escalating.hurry(page):
            return
        page.state, page.ended_at = Page.State.UNREACHABLE, instants.now()
        page.save(update_fields=["state", "ended_at"])
        timeline.record(incident, actor, Fact("unreachable", f"{page.recipient} could not be reached by any method."))
        escalating.feed(incident, EventKind.UNREACHABLE, by=str(page.user_id or "emergency"))


def pager_failed(incident_id: int, *, actor: Actor, why: str) -> Incident:
    """PagerDuty did not take the page: our own pager takes over for this incident (ESC-17).

    Where it is only the watchdog our own pager has been paging all along, and nothing changes.
    """
    with transaction.atomic():
        incident = locked(incident_id, actor, "escalate")
        if incident.is_resolved or incident.is_acknowledged or not escalating.is_paged_by_vendor(incident):
            return incident
        timeline.record(incident, actor, Fact("pager_failed", f"PagerDuty did not take the page: {why}"))
        escalating.feed(incident, EventKind.PAGER_FAILED)
    return incident

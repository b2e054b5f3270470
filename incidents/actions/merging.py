"""Two reports of the same thing by the same customer become one, and two again if that was wrong (domain §1.2)."""

from __future__ import annotations

from django.db import transaction

from incidents import clockwork, sla, telling, timeline
from incidents.actions.discretion import words_for_customer
from incidents.actions.entry import locked, move, require_open
from incidents.actions.finishing import end_generation, go_on, stop_ringing
from incidents.models import Incident
from incidents.states import Status
from incidents.timeline import CUSTOMER, Fact
from incidents.war_room import following
from supportdesk import instants
from supportdesk.actors import Actor
from supportdesk.audit import trail
from supportdesk.errors import Invalid, NotAllowed, WrongState


def merge(incident_id: int, *, actor: Actor, into_id: int, reason: str, is_checked: bool = False) -> Incident:
    """A duplicate: what rings or counts for it stops, and messages about it go to the one that goes on.

    Never across organizations. For a P1 this is the commander's or a manager's call.
    """
    with transaction.atomic():
        Incident.objects.lock_together(incident_id, into_id)
        incident, survivor = locked(incident_id, actor, "merge"), locked(into_id, actor, "merge")
        if incident.status == Status.MERGED and incident.merged_into_id == survivor.pk:
            return incident
        why = words_for_customer(incident, actor, reason, "reason", is_checked=is_checked, longest=500)
        now = instants.now()
        _require_mergeable(incident, survivor, actor)
        move(incident, Status.MERGED, now)
        incident.merged_into, incident.closed_at = survivor, now
        end_generation(incident)
        incident.save()
        timeline.record(incident, actor, Fact("merged", f"It goes on as {survivor.ref}: {why}", CUSTOMER))
        timeline.record(survivor, actor, Fact("merged_here", f"{incident.ref} goes on here: {why}", CUSTOMER))
        trail.record(actor, "merge", incident.subject, after=survivor.ref, reason=why)
        stop_ringing(incident, actor, why="merged")
        clockwork.append(incident, sla.Event(now, sla.EventKind.MERGED))
        telling.tell(incident, "merged", f"{incident.generation}", text=why, survivor=survivor.ref, author=actor.name)
        following.follow(incident)
    return incident


def _require_mergeable(incident: Incident, survivor: Incident, actor: Actor) -> None:
    if incident.pk == survivor.pk:
        raise Invalid("An incident cannot be merged into itself.", field="into")
    if incident.organization_id != survivor.organization_id or incident.is_drill != survivor.is_drill:
        raise Invalid("Only incidents of the same customer are merged. Link them to a master instead.", field="into")
    require_open(incident, "merging it")
    require_open(survivor, "merging into it")
    if incident.linked.exists():
        raise WrongState(f"Others are linked to {incident.ref}. Unlink them, or merge the other way round.")
    if incident.severity == "P1" and actor.role != "manager" and incident.owner_id != actor.user_id:
        raise NotAllowed("A P1 is merged by its commander or a manager only.")


def unmerge(incident_id: int, *, actor: Actor) -> Incident:
    """It was something else after all: its own clocks go on and on-call is called for it, as if it was reopened."""
    with transaction.atomic():
        incident = locked(incident_id, actor, "unmerge")
        survivor = incident.merged_into
        if incident.status != Status.MERGED or survivor is None:
            return incident
        now = instants.now()
        move(incident, Status.INVESTIGATING, now)
        incident.merged_into = incident.closed_at = None
        incident.reopen_count += 1  # a pager never opens a closed key again (ESC-17)
        incident.acknowledged_name, incident.acknowledged_by = "", None
        end_generation(incident)
        incident.save()
        apart = f"Taken apart from {survivor.ref} again.{_written_there(incident, survivor)}"
        timeline.record(incident, actor, Fact("unmerged", apart, CUSTOMER))
        timeline.record(survivor, actor, Fact("unmerged", f"{incident.ref} is on its own again.", CUSTOMER))
        trail.record(actor, "unmerge", incident.subject, before=survivor.ref)
        go_on(incident, actor, now)
        following.follow(incident, is_declared_anew=True)
        telling.tell(
            incident,
            "reopened",
            f"{incident.generation}",
            text=f"It is no duplicate of {survivor.ref}.",
            author=actor.name,
        )
    return incident


def _written_there(incident: Incident, survivor: Incident) -> str:
    """What was said about it meanwhile stays where it was said; its own page says where that is."""
    goes_on = Incident.objects.get(pk=Incident.objects.survivor_of(survivor.pk))
    count = goes_on.timeline.filter(kind="message", data__written_on=incident.pk).count()
    if not count:
        return ""
    return f" {'One message' if count == 1 else f'{count} messages'} written meanwhile can be read at {goes_on.ref}."

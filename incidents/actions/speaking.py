"""Everything said: internal notes, messages to and from the customer, status updates."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction

from incidents import clockwork, escalating, facts, sla, telling, timeline
from incidents.actions.entry import locked, move, words
from incidents.actions.responding import acknowledge
from incidents.models import Incident, TimelineEntry
from incidents.states import Hold, Status
from incidents.timeline import CUSTOMER, Fact
from rotations.escalation import EventKind
from supportdesk import instants
from supportdesk.actors import Actor
from supportdesk.errors import Invalid, WrongState

SOONEST_NEXT_UPDATE = timedelta(minutes=1)
AGREES_WITHIN = timedelta(minutes=2)


def write_note(incident_id: int, *, actor: Actor, text: str) -> TimelineEntry:
    """An internal note: seen by staff only, satisfies no clock (D4)."""
    with transaction.atomic():
        incident = locked(incident_id, actor, "write_note")
        (entry,) = timeline.record(incident, actor, Fact("note", words(text)))
        escalating.feed(incident, EventKind.ACTIVITY, by=str(actor.user_id))
    return entry


def write_message(incident_id: int, *, actor: Actor, text: str, said_at: datetime | None = None) -> TimelineEntry:
    """A message the customer sees, from us or from them. Our first one stops the first-response clock (D4).

    `said_at` is the channel's own time of a customer's message; the desk's time counts unless the two agree (SLA-1).
    """
    with transaction.atomic():
        incident = locked(incident_id, actor, "write_message")
        if incident.status in (Status.CLOSED, Status.MERGED):
            raise WrongState(f"{incident.ref} is closed. Please report a new incident, and name {incident.ref} in it.")
        (entry,) = timeline.record(incident, actor, Fact("message", words(text), CUSTOMER))
        if actor.is_staff:
            _said_to_customer(incident, actor, entry)
            telling.tell(incident, "message", str(entry.pk), text=entry.text, author=actor.name)
        else:
            _heard_from_customer(incident, actor, received_at(said_at, instants.now()))
            telling.tell(incident, "customer_message", str(entry.pk), text=entry.text, author=actor.name)
    return entry


def received_at(said_at: datetime | None, now: datetime) -> datetime:
    """When a message counts as received: the channel's time if it is at most two minutes off, else ours (SLA-1)."""
    if said_at is None or abs(now - said_at) > AGREES_WITHIN:
        return now
    return min(said_at, now)


def _said_to_customer(incident: Incident, actor: Actor, entry: TimelineEntry) -> None:
    """A human answered: the first-response clock is satisfied, and whoever wrote clearly has it."""
    if not incident.is_acknowledged and incident.is_open and not incident.is_resolved:
        acknowledge(incident.pk, actor=actor)
        incident.refresh_from_db()
    clockwork.append(incident, sla.Event(entry.at, sla.EventKind.RESPONDED, ref=f"entry:{entry.pk}"))
    if incident.first_response_at is None:
        incident.first_response_at = entry.at
        incident.save(update_fields=["first_response_at", "updated_at"])
    escalating.feed(incident, EventKind.ACTIVITY, by=str(actor.user_id))


def _heard_from_customer(incident: Incident, actor: Actor, at: datetime) -> None:
    """Any customer message ends a hold that waits for the customer, at its received time (SLA-7)."""
    if incident.hold == Hold.CUSTOMER:
        ended_at = max(at, clockwork.latest_event_at(incident) or at)
        clockwork.append(incident, sla.Event(ended_at, sla.EventKind.HOLD_ENDED, hold=Hold.CUSTOMER))
        incident.hold = Hold.NONE
        incident.save(update_fields=["hold", "updated_at"])
        timeline.record(incident, actor, Fact("released", "The customer answered: the clocks run again."))


def post_update(
    incident_id: int,
    *,
    actor: Actor,
    state: str,
    doing: str,
    next_update_at: datetime | None = None,
    status: str = "",
) -> TimelineEntry:
    """A status update: what is, what we do, when we speak again.

    Closes an update cycle and opens the next (SLA-16, SLA-17).
    """
    with transaction.atomic():
        incident = locked(incident_id, actor, "post_update")
        if incident.is_resolved or not incident.is_open:
            raise WrongState(f"{incident.ref} is {incident.status}; write a message, or reopen it.")
        now = instants.now()
        if next_update_at is not None and next_update_at < now + SOONEST_NEXT_UPDATE:
            raise Invalid("The next update must be promised for later than now.", field="next_update_at")
        _move_to(incident, status, now)
        text = f"{words(state, 'state')}\n\nNext: {words(doing, 'doing')}"
        (entry,) = timeline.record(
            incident,
            actor,
            Fact(
                "update",
                text,
                CUSTOMER,
                data={
                    "state": state,
                    "doing": doing,
                    "status": incident.status,
                    "next_update_at": next_update_at.isoformat() if next_update_at else None,
                },
            ),
        )
        _said_to_customer(incident, actor, entry)
        clocks = clockwork.append(
            incident,
            sla.Event(entry.at, sla.EventKind.UPDATE_SENT, promised_next=next_update_at, ref=f"entry:{entry.pk}"),
        )
        telling.tell(
            incident,
            "update",
            str(entry.pk),
            state=state,
            doing=doing,
            author=actor.name,
            next_local=_next_promised(incident, clocks, next_update_at),
        )
    return entry


def _move_to(incident: Incident, status: str, now: datetime) -> None:
    if not status or status == incident.status:
        return
    try:
        wanted = Status(status)
    except ValueError as error:
        raise Invalid(f"{status} is not a status.", field="status") from error
    if wanted not in (Status.INVESTIGATING, Status.IDENTIFIED, Status.MITIGATING, Status.MONITORING):
        raise Invalid("An update can move to investigating, identified, mitigating or monitoring.", field="status")
    mitigated = incident.mitigated_at
    move(incident, wanted, now)
    incident.save()
    if wanted is Status.MONITORING and mitigated is None:
        clockwork.append(incident, sla.Event(now, sla.EventKind.MITIGATED))


def _next_promised(incident: Incident, clocks: tuple[sla.Clock, ...], promised: datetime | None) -> str:
    """When the reader hears from us again: the promise we made, or the one the contract makes."""
    due = promised or next(
        (c.due_at for c in clocks if c.kind is sla.ClockKind.NEXT_UPDATE and c.satisfied_at is None and c.due_at), None
    )
    return facts.moment(due, incident.zone) if due else ""

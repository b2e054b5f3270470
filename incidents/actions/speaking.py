"""Everything said: internal notes, messages to and from the customer, status updates."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction

from incidents import clockwork, escalating, facts, sla, telling, timeline
from incidents.actions import measuring
from incidents.actions.discretion import words_for_customer
from incidents.actions.entry import locked, move, words
from incidents.actions.linking import lock_with_linked
from incidents.actions.responding import acknowledge
from incidents.models import Incident, TimelineEntry
from incidents.routing import Audience
from incidents.states import Hold, Status
from incidents.timeline import CUSTOMER, Fact
from incidents.war_room import following
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
        telling.tell(incident, "note", str(entry.pk), text=entry.text, author=actor.name, via=actor.via)
        escalating.feed(incident, EventKind.ACTIVITY, by=str(actor.user_id))
    return entry


def write_message(
    incident_id: int,
    *,
    actor: Actor,
    text: str,
    said_at: datetime | None = None,
    is_checked: bool = False,
    heard_by: tuple[Audience, ...] | None = None,
) -> TimelineEntry:
    """A message the customer sees, from us or from them. Our first one stops the first-response clock (D4).

    On a duplicate it goes to the incident that goes on for it. `is_checked` as in `discretion`.
    `said_at` is the channel's own time of a customer's message; the desk's time counts unless the two agree (SLA-1).
    `heard_by`: who has yet to hear ours, where some have read it already.
    """
    with transaction.atomic():
        incident = locked(Incident.objects.survivor_of(incident_id), actor, "write_message")
        if incident.status in (Status.CLOSED, Status.MERGED):
            raise WrongState(f"{incident.ref} is closed. Please report a new incident, and name {incident.ref} in it.")
        said = words_for_customer(incident, actor, text, is_checked=is_checked)
        written_on = {"written_on": incident_id} if incident.pk != incident_id else {}
        (entry,) = timeline.record(incident, actor, Fact("message", said, CUSTOMER, data=written_on))
        if actor.is_staff:
            clocks = said_to_customer(incident, actor, entry)
            sorry = measuring.lateness(incident, clocks, entry.at)
            told = {"text": entry.text, "author": actor.name, **sorry}
            telling.tell(incident, "message", str(entry.pk), heard_by=heard_by, **told)
        else:
            _heard_from_customer(incident, actor, received_at(said_at, instants.now()))
            telling.tell(incident, "customer_message", str(entry.pk), text=entry.text, author=actor.name, via=actor.via)
    return entry


def received_at(said_at: datetime | None, now: datetime) -> datetime:
    """When a message counts as received: the channel's time if it is at most two minutes off, else ours (SLA-1)."""
    if said_at is None or abs(now - said_at) > AGREES_WITHIN:
        return now
    return min(said_at, now)


def said_to_customer(incident: Incident, actor: Actor, entry: TimelineEntry) -> tuple[sla.Clock, ...]:
    """A human answered: the first-response clock is satisfied, and whoever wrote clearly has it."""
    if not incident.is_acknowledged and incident.is_open and not incident.is_resolved:
        acknowledge(incident.pk, actor=actor)
        incident.refresh_from_db()
    clocks = clockwork.append(incident, sla.Event(entry.at, sla.EventKind.RESPONDED, ref=f"entry:{entry.pk}"))
    if incident.first_response_at is None:
        incident.first_response_at = entry.at
        incident.save(update_fields=["first_response_at", "updated_at"])
    escalating.feed(incident, EventKind.ACTIVITY, by=str(actor.user_id))
    return clocks


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
    is_checked: bool = False,
    is_for_linked: bool = False,
) -> TimelineEntry:
    """A status update: what is, what we do, when we speak again.

    Closes an update cycle and opens the next (SLA-16, SLA-17). `is_for_linked`: said once on a master, it is an update
    of every incident that hangs on it as well; all of them or none. `is_checked` as in `discretion`.
    """
    with transaction.atomic():
        linked = lock_with_linked(incident_id) if is_for_linked else []
        incident = locked(incident_id, actor, "post_update")
        if incident.is_resolved or not incident.is_open:
            raise WrongState(f"{incident.ref} is {incident.status}; write a message, or reopen it.")
        now = instants.now()
        if next_update_at is not None and next_update_at < now + SOONEST_NEXT_UPDATE:
            raise Invalid("The next update must be promised for later than now.", field="next_update_at")
        said = {
            field: words_for_customer(incident, actor, told, field, is_checked=is_checked)
            for field, told in (("state", state), ("doing", doing))
        }
        has_moved = _move_to(incident, status, now)
        text = "{state}\n\nNext: {doing}".format_map(said)
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
        said_to_customer(incident, actor, entry)
        clocks = clockwork.append(
            incident,
            sla.Event(entry.at, sla.EventKind.UPDATE_SENT, promised_next=next_update_at, ref=f"entry:{entry.pk}"),
        )
        measuring.stop_nagging(incident)
        if has_moved:
            following.follow(incident)
        telling.tell(
            incident,
            "update",
            str(entry.pk),
            state=state,
            doing=doing,
            author=actor.name,
            next_local=_next_promised(incident, clocks, next_update_at),
            **measuring.lateness(incident, clocks, entry.at),
        )
        for pk in linked:
            post_update(pk, actor=actor, state=state, doing=doing, next_update_at=next_update_at, is_checked=is_checked)
        if linked:
            sent_to = ", ".join(f"INC-{pk}" for pk in linked)
            timeline.record(incident, actor, Fact("sent_to_linked", f"Sent to {sent_to} as well."))
    return entry


def _move_to(incident: Incident, status: str, now: datetime) -> bool:
    """Move to the status an update names. False where it names none, or the present one."""
    if not status or status == incident.status:
        return False
    try:
        wanted = Status(status)
    except ValueError as error:
        raise Invalid(f"{status} is not a status.", field="status") from error
    if wanted not in (Status.INVESTIGATING, Status.IDENTIFIED, Status.MITIGATING, Status.MONITORING):
        raise Invalid("An update can move to investigating, identified, mitigating or monitoring.", field="status")
    before = Status(incident.status)
    move(incident, wanted, now)
    incident.save()
    note_mitigation(incident, before, now)
    return True


def note_mitigation(incident: Incident, before: Status, now: datetime) -> None:
    """A fix in place slows the updates down; one that failed brings the interval of the plan back (§6)."""
    if incident.status == Status.MONITORING:
        clockwork.append(incident, sla.Event(now, sla.EventKind.MITIGATED))
    elif before is Status.MONITORING:
        clockwork.append(incident, sla.Event(now, sla.EventKind.UNMITIGATED))


def _next_promised(incident: Incident, clocks: tuple[sla.Clock, ...], promised: datetime | None) -> str:
    """When the reader hears from us again: the promise we made, or the one the contract makes."""
    due = promised or next(
        (c.due_at for c in clocks if c.kind is sla.ClockKind.NEXT_UPDATE and c.satisfied_at is None and c.due_at), None
    )
    return facts.moment(due, incident.zone) if due else ""

"""What was promised, corrected by people: when it began, how often we speak, and why a miss is excused."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction

from incidents import clockwork, escalating, facts, sla, telling, timeline
from incidents.actions.discretion import words_for_customer
from incidents.actions.entry import locked, require_open, words
from incidents.models import Breach, Incident
from incidents.states import Status
from incidents.timeline import CUSTOMER, Fact
from rotations.escalation import EventKind
from supportdesk import instants, readable
from supportdesk.actors import Actor, Role
from supportdesk.audit import trail
from supportdesk.errors import Invalid, NotAllowed, NotFound, WrongState
from supportdesk.plain import to_second

EARLIEST = timedelta(days=31)
LONG_AFTER = timedelta(hours=2)
AGREED_MINUTES = (30, 60)


def move_received(incident_id: int, *, actor: Actor, received_at: datetime, reason: str) -> Incident:
    """We had the report earlier than we wrote down: every clock counts from there. Never later (SLA-1)."""
    with transaction.atomic():
        incident = locked(incident_id, actor, "move_received")
        if incident.status in (Status.CLOSED, Status.CANCELLED, Status.MERGED):
            raise WrongState(f"{incident.ref} is {incident.status}: its times are settled.")
        moved_to, before = to_second(received_at), incident.received_at
        if moved_to == to_second(before):
            return incident
        if moved_to > before:
            raise Invalid("The received time moves earlier only, never later.", field="received_at")
        if moved_to < before - EARLIEST:
            raise Invalid(f"That is more than {EARLIEST.days} days before. Please check the date.", field="received_at")
        why = words(reason, "reason", longest=500)
        incident.received_at, incident.detected_at = moved_to, min(incident.detected_at, moved_to)
        incident.save(update_fields=["received_at", "detected_at", "updated_at"])
        text = f"Received at {readable.utc_time(moved_to)}, not {readable.utc_time(before)}: {why}"
        data = {"before": before.isoformat(), "after": moved_to.isoformat()}
        (entry,) = timeline.record(incident, actor, Fact("received_moved", text, data=data))
        trail.record(actor, "move_received", incident.subject, before=data["before"], after=data["after"], reason=why)
        event = sla.Event(instants.now(), sla.EventKind.RECEIVED_MOVED, moved_to=moved_to, ref=f"entry:{entry.pk}")
        clockwork.append(incident, event)
    return incident


def agree_cadence(
    incident_id: int, *, actor: Actor, minutes: int, agreement: str, is_checked: bool = False
) -> Incident:
    """A long incident: fewer updates from now on, because the customer agreed to it, in writing here (SLA-16)."""
    if minutes not in AGREED_MINUTES:
        raise Invalid("Agree on an update every 30 or every 60 minutes.", field="minutes")
    with transaction.atomic():
        incident = locked(incident_id, actor, "agree_cadence")
        require_open(incident, "another rhythm of updates")
        if actor.role is not Role.MANAGER and incident.owner_id != actor.user_id:
            raise NotAllowed("The rhythm of updates is agreed by the commander. Claim the incident first.")
        interval, now = timedelta(minutes=minutes), instants.now()
        present = _present_rhythm(incident, now)
        if present.target.duration == interval:
            return incident
        if now < incident.received_at + LONG_AFTER:
            raise WrongState("Another rhythm can be agreed when an incident has lasted two hours.")
        if interval < present.target.duration:
            every = readable.duration(present.target.duration)
            raise WrongState(f"Updates come every {every} already. To speak sooner, just promise it in an update.")
        said = words_for_customer(incident, actor, agreement, "agreement", is_checked=is_checked, longest=2_000)
        every = readable.duration(interval)
        text = f"Agreed with the customer: an update every {every} from now on. {said}"
        (entry,) = timeline.record(incident, actor, Fact("cadence", text, CUSTOMER, data={"minutes": minutes}))
        trail.record(actor, "agree_cadence", incident.subject, after={"minutes": minutes}, reason=said)
        event = sla.Event(now, sla.EventKind.CADENCE_AGREED, interval=interval, ref=f"entry:{entry.pk}")
        due = sla.by_kind(clockwork.append(incident, event))[sla.ClockKind.NEXT_UPDATE].due_at
        escalating.feed(incident, EventKind.ACTIVITY, by=str(actor.user_id))
        telling.tell(
            incident,
            "cadence",
            str(entry.pk),
            interval_words=every,
            next_local=facts.moment(due, incident.zone) if due else "",
        )
    return incident


def _present_rhythm(incident: Incident, now: datetime) -> sla.Clock:
    """The update clock that runs. Raises `WrongState` where none does."""
    events = clockwork.events_of(incident)
    running = [
        clock
        for clock in (sla.clocks(events, now) if events else ())
        if clock.kind is sla.ClockKind.NEXT_UPDATE and clock.state in (sla.State.RUNNING, sla.State.PAUSED)
    ]
    if not running:
        raise WrongState(f"No updates are promised for {incident.ref} right now, so there is no rhythm to change.")
    return running[-1]


def annotate_breach(breach_id: int, *, actor: Actor, category: str, text: str) -> Breach:
    """Say why a miss is excused. It stays a miss; reports show both views (SLA-15)."""
    with transaction.atomic():
        found = Breach.objects.filter(pk=breach_id).first()
        if found is None:
            raise NotFound("There is no such miss.")
        incident = locked(found.incident_id, actor, "annotate_breach")
        breach = Breach.objects.select_for_update().get(pk=breach_id)
        if breach.withdrawn_at is not None:
            raise WrongState("This miss was withdrawn: the received time was corrected meanwhile.")
        if category not in Breach.Excuse.values:
            raise Invalid(f"The category is one of {', '.join(Breach.Excuse.values)}.", field="category")
        why = words(text, longest=2_000)
        if (breach.excused_category, breach.excused_text) == (category, why):
            return breach
        before = {"category": breach.excused_category, "text": breach.excused_text} if breach.is_excused else None
        breach.excused_category, breach.excused_text = category, why
        breach.excused_at, breach.excused_by_id = instants.now(), actor.user_id
        breach.save(update_fields=["excused_category", "excused_text", "excused_at", "excused_by"])
        data = {"breach": breach.pk, "category": category}
        label = f"Excused, {breach.get_excused_category_display()}: {why}"
        timeline.record(incident, actor, Fact("breach_excused", label, data=data))
        trail.record(actor, "annotate_breach", incident.subject, before=before, after={**data, "text": why}, reason=why)
    return breach

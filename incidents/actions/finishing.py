"""Bringing an incident to its end: resolved by us, confirmed or reopened by the customer, cancelled, closed."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction

from incidents import clockwork, escalating, facts, owed, sla, telling, timeline
from incidents.actions import engaging, measuring
from incidents.actions.discretion import words_for_customer
from incidents.actions.disputing import arm_dispute
from incidents.actions.entitling import fall_back, mark_lapse, take_over
from incidents.actions.entry import locked, move
from incidents.actions.goodwill import arm_expiries
from incidents.models import Incident
from incidents.states import Hold, Status
from incidents.timeline import CUSTOMER, Fact
from incidents.war_room import following
from rotations.escalation import EventKind
from supportdesk import instants
from supportdesk.actors import Actor
from supportdesk.audit import trail
from supportdesk.entitlements import is_better
from supportdesk.errors import NotAllowed, WrongState
from supportdesk.queue import timers

REOPEN_WINDOW = timedelta(hours=72)
REPORT_AFTER = timedelta(hours=1)
AUTO_CONFIRM = "incidents.tasks.auto_confirm"


def resolve(incident_id: int, *, actor: Actor, summary: str, is_checked: bool = False) -> Incident:
    """Service is restored. Everything that rings or counts stops; the customer is asked to confirm (ESC-12).

    `is_checked` as in `discretion`, here and in every other verb whose words the customer reads.
    """
    with transaction.atomic():
        incident = locked(incident_id, actor, "resolve")
        if incident.is_resolved:
            return incident
        text = words_for_customer(incident, actor, summary, "summary", is_checked=is_checked)
        now = instants.now()
        answered = incident.first_response_at is not None
        move(incident, Status.RESOLVED, now)
        incident.resolved_at = now  # of a reopened incident the last time counts
        incident.mitigated_at = incident.mitigated_at or now
        incident.first_response_at = incident.first_response_at or now
        waited = end_generation(incident)
        if not incident.is_acknowledged:
            incident.acknowledged_name, incident.acknowledged_by_id = actor.name, actor.user_id
        incident.save()
        (entry,) = timeline.record(incident, actor, Fact("resolved", text, CUSTOMER))
        stop_ringing(incident, actor, why="resolved")
        clocks = clockwork.append(incident, *_closing_events(now, f"entry:{entry.pk}", waited, answered=answered))
        timers.arm(
            [
                timers.Planned(
                    f"confirm:{incident.pk}:{incident.generation}",
                    AUTO_CONFIRM,
                    incident.subject,
                    now + REOPEN_WINDOW,
                    generation=incident.generation,
                ),
                timers.Planned(
                    f"draft:{incident.pk}:{incident.generation}",
                    settings.REPORT_DRAFT_TASK,
                    incident.subject,
                    now + REPORT_AFTER,
                    generation=incident.generation,
                ),
            ]
        )
        said: dict[str, Any] = {
            "text": text,
            "author": actor.name,
            "closes_local": facts.moment(now + REOPEN_WINDOW, incident.zone),
        }
        said |= measuring.lateness(incident, clocks, now)
        telling.tell(incident, "resolved", f"{incident.generation}", **said)
        following.follow(incident)
    return incident


def _closing_events(now: datetime, ref: str, waited: Hold, *, answered: bool) -> list[sla.Event]:
    """The resolution notice is also an answer, should it be the first one; what was waited for is over as well."""
    events = [sla.Event(now, sla.EventKind.HOLD_ENDED, hold=waited)] if waited.pauses else []
    if not answered:
        events.append(sla.Event(now, sla.EventKind.RESPONDED, ref=ref))
    return [*events, sla.Event(now, sla.EventKind.RESOLVED, ref=ref)]


def end_generation(incident: Incident) -> Hold:
    """A new generation: jobs and timers that belong to the old one do nothing (ESC-12). Returns what was waited for."""
    waited = Hold(incident.hold)
    incident.generation += 1
    incident.hold = Hold.NONE
    return waited


def stop_ringing(incident: Incident, actor: Actor, *, why: str) -> None:
    escalating.feed(incident, EventKind.RESOLVE)
    escalating.stop_pages(incident, actor, why=why)
    timers.cancel(incident.subject)


def confirm(incident_id: int, *, actor: Actor, text: str = "", is_checked: bool = False) -> Incident:
    """The customer says it works. Follow-up begins."""
    with transaction.atomic():
        incident = locked(incident_id, actor, "confirm")
        if incident.status in (Status.FOLLOW_UP, Status.CLOSED):
            return incident
        if incident.status != Status.RESOLVED:
            raise WrongState(f"{incident.ref} is not resolved yet, so there is nothing to confirm.")
        said = words_for_customer(incident, actor, text, is_checked=is_checked) if text.strip() else ""
        move(incident, Status.FOLLOW_UP, instants.now())
        incident.confirmed_at = instants.now()
        incident.save()
        timeline.record(incident, actor, Fact("confirmed", said or f"{actor.name} confirmed that it works.", CUSTOMER))
        timers.cancel(incident.subject, run=AUTO_CONFIRM)
        telling.tell(incident, "confirmed", f"{incident.generation}", who=actor.name, text=said)
        following.follow(incident)
    return incident


def auto_confirm(incident_id: int, *, actor: Actor, generation: int) -> Incident:
    """72 hours without a word against it count as confirmation."""
    with transaction.atomic():
        incident = locked(incident_id, actor, "confirm")
        if incident.generation != generation or incident.status != Status.RESOLVED:
            return incident
        return confirm(incident_id, actor=actor, text="No objection for 72 hours: counted as confirmed.")


def reopen(incident_id: int, *, actor: Actor, reason: str, is_checked: bool = False) -> Incident:
    """It is not over. The clocks go on, and on-call is paged as if it had just begun (SLA-9, ESC-12)."""
    with transaction.atomic():
        incident = locked(incident_id, actor, "reopen")
        if incident.status not in (Status.RESOLVED, Status.FOLLOW_UP, Status.CLOSED):
            return incident
        _require_reopenable(incident, actor)
        why, now = words_for_customer(incident, actor, reason, "reason", is_checked=is_checked), instants.now()
        move(incident, Status.INVESTIGATING, now)
        incident.reopen_count += 1
        incident.confirmed_at = incident.closed_at = None
        incident.acknowledged_name, incident.acknowledged_by = "", None
        end_generation(incident)
        incident.save()
        timeline.record(incident, actor, Fact("reopened", why, CUSTOMER))
        timers.cancel(incident.subject)
        go_on(incident, actor, now)
        following.follow(incident, is_declared_anew=True)
        telling.tell(incident, "reopened", f"{incident.generation}", text=why, author=actor.name)
    return incident


def go_on(incident: Incident, actor: Actor, now: datetime) -> None:
    """Clocks, paging and whatever else had stopped, under what the incident began with, or better (§2.4)."""
    live = owed.to(incident.organization, now)
    if _is_late(incident, now):
        fall_back(incident, live, actor)
    clockwork.append(incident, sla.Event(now, sla.EventKind.REOPENED))
    if is_better(live, owed.held_by(incident)):
        take_over(incident, live, now, actor)
    else:
        mark_lapse(incident, live, actor)
    arm_expiries(incident)
    arm_dispute(incident)
    decision = owed.decide(incident, now)
    entry = engaging.adopt(incident, decision)
    incident.save(update_fields=engaging.FIELDS)
    timeline.record(incident, actor, entry)
    engaging.act(incident, decision, kind=EventKind.REOPEN)


def _is_late(incident: Incident, now: datetime) -> bool:
    return incident.resolved_at is not None and now > incident.resolved_at + REOPEN_WINDOW


def _require_reopenable(incident: Incident, actor: Actor) -> None:
    if actor.is_staff and actor.role == "manager":
        if incident.status == Status.CLOSED:
            trail.record(actor, "reopen_closed", incident.subject, before=incident.status, after=Status.INVESTIGATING)
        return
    if incident.status == Status.CLOSED or _is_late(incident, instants.now()):
        raise WrongState(
            f"{incident.ref} was resolved more than 72 hours ago. Please report a new incident and name "
            f"{incident.ref} in it: we will link the two."
        )


def cancel(incident_id: int, *, actor: Actor, reason: str, is_checked: bool = False) -> Incident:
    """A false alarm. For a P1 this is the commander's or a manager's call."""
    with transaction.atomic():
        incident = locked(incident_id, actor, "cancel")
        if incident.status == Status.CANCELLED:
            return incident
        why, now = words_for_customer(incident, actor, reason, "reason", is_checked=is_checked), instants.now()
        if incident.severity == "P1" and actor.role != "manager" and incident.owner_id != actor.user_id:
            raise NotAllowed("A P1 is cancelled by its commander or a manager only.")
        move(incident, Status.CANCELLED, now)
        incident.closed_at = now
        end_generation(incident)
        incident.save()
        timeline.record(incident, actor, Fact("cancelled", why, CUSTOMER))
        trail.record(actor, "cancel", incident.subject, after=Status.CANCELLED, reason=why)
        stop_ringing(incident, actor, why="cancelled")
        clockwork.append(incident, sla.Event(now, sla.EventKind.CANCELLED))
        telling.tell(incident, "cancelled", f"{incident.generation}", text=why, author=actor.name)
        following.follow(incident)
    return incident


def close(incident_id: int, *, actor: Actor) -> Incident:
    """Follow-up is done: the report is published or waived."""
    with transaction.atomic():
        incident = locked(incident_id, actor, "resolve")
        if incident.status == Status.CLOSED:
            return incident
        if incident.status != Status.FOLLOW_UP:
            raise WrongState(f"{incident.ref} is closed after the customer has confirmed; it is {incident.status} now.")
        move(incident, Status.CLOSED, instants.now())
        incident.save()
        timeline.record(incident, actor, Fact("closed", "Closed."))
    return incident

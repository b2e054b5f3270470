"""Severity, status and hold: the facts about an incident that people correct as they learn."""

from __future__ import annotations

from django.db import transaction

from incidents import clockwork, escalating, sla, telling, timeline
from incidents.actions.entry import locked, move, require_open, words
from incidents.models import Incident
from incidents.states import Hold, Status
from incidents.timeline import CUSTOMER, Fact
from rotations.escalation import EventKind
from supportdesk import entitlements, instants
from supportdesk.actors import Actor
from supportdesk.audit import trail
from supportdesk.entitlements import SEVERITIES
from supportdesk.errors import Invalid, NotAllowed
from supportdesk.organizations import terms


def change_severity(incident_id: int, *, actor: Actor, severity: str, reason: str) -> Incident:
    """Correct the severity, with a reason the customer sees.

    A raise pages anew; a fall never hides a miss (D5, D6, ESC-11).
    """
    if severity not in SEVERITIES:
        raise Invalid("Severity is P1, P2, P3 or P4.", field="severity")
    with transaction.atomic():
        incident = locked(incident_id, actor, "change_severity")
        require_open(incident, "changing the severity")
        if incident.severity == severity:
            return incident
        why = words(reason, "reason", longest=500)
        before, raised = incident.severity, severity < incident.severity
        incident.severity = severity
        incident.save(update_fields=["severity", "updated_at"])
        text = f"Severity changed from {before} to {severity}: {why}"
        timeline.record(
            incident,
            actor,
            Fact("severity_changed", text, CUSTOMER, data={"before": before, "after": severity, "reason": why}),
        )
        trail.record(actor, "change_severity", incident.subject, before=before, after=severity, reason=why)
        clockwork.append(incident, sla.Event(instants.now(), sla.EventKind.SEVERITY_CHANGED, severity=severity))
        _follow(incident, raised=raised)
        telling.tell(
            incident,
            "severity_changed",
            f"{incident.generation}:{before}:{severity}:{instants.now().isoformat()}",
            before=before,
            reason=why,
            author=actor.name,
        )
    return incident


def _follow(incident: Incident, *, raised: bool) -> None:
    """Page by the new severity's policy if it is entitled to it right now; a conscious ack is asked for again on a
    raise."""
    now = instants.now()
    owed = terms.entitlement(incident.organization, now) if incident.organization else terms.own_platform()
    decision = entitlements.decide(owed, incident.severity, now)
    if raised and decision.pages:
        incident.acknowledged_name, incident.acknowledged_by = "", None
        incident.engagement, incident.queued_until = decision.engagement, None
        incident.save(
            update_fields=["acknowledged_name", "acknowledged_by", "engagement", "queued_until", "updated_at"]
        )
    if decision.pages or not raised:
        escalating.change_severity(incident, raised=raised)


def change_status(incident_id: int, *, actor: Actor, status: str) -> Incident:
    """Move the working status along the allowed moves."""
    try:
        wanted = Status(status)
    except ValueError as error:
        raise Invalid(f"{status} is not a status.", field="status") from error
    if wanted in (Status.RESOLVED, Status.FOLLOW_UP, Status.CLOSED, Status.CANCELLED, Status.MERGED, Status.NEW):
        raise Invalid(f"{wanted.value} has a verb of its own.", field="status")
    with transaction.atomic():
        incident = locked(incident_id, actor, "change_status")
        now, was_monitoring = instants.now(), incident.status == Status.MONITORING
        if not move(incident, wanted, now):
            return incident
        incident.save()
        timeline.record(
            incident, actor, Fact("status_changed", f"Now {wanted.value}.", CUSTOMER, data={"status": wanted})
        )
        if wanted is Status.MONITORING:
            clockwork.append(incident, sla.Event(now, sla.EventKind.MITIGATED))
        elif was_monitoring:
            clockwork.append(incident, sla.Event(now, sla.EventKind.UNMITIGATED))
        escalating.feed(incident, EventKind.ACTIVITY, by=str(actor.user_id))
    return incident


def hold(incident_id: int, *, actor: Actor, kind: str, question: str = "") -> Incident:
    """Wait, and say for what. Waiting for the customer needs a question the customer can see (SLA-7)."""
    try:
        wanted = Hold(kind)
    except ValueError as error:
        raise Invalid("Wait for the customer, for a change window, or for a third party.", field="kind") from error
    if wanted is Hold.NONE:
        return release(incident_id, actor=actor)
    with transaction.atomic():
        incident = locked(incident_id, actor, "hold")
        require_open(incident, "waiting")
        if incident.hold == wanted:
            return incident
        if incident.severity == "P1" and incident.owner_id != actor.user_id:
            raise NotAllowed("A P1 is put on hold by its commander only. Claim it first.")
        text = (
            words(question, "question")
            if wanted.pauses
            else question.strip() or "We wait for a third party; our clocks keep running."
        )
        now = instants.now()
        if Hold(incident.hold).pauses:
            clockwork.append(incident, sla.Event(now, sla.EventKind.HOLD_ENDED, hold=Hold(incident.hold)))
        incident.hold = wanted
        incident.save(update_fields=["hold", "updated_at"])
        (entry,) = timeline.record(
            incident, actor, Fact("held", text, CUSTOMER if wanted.pauses else timeline.INTERNAL, data={"hold": wanted})
        )
        if wanted.pauses:
            clockwork.append(incident, sla.Event(now, sla.EventKind.HOLD_STARTED, hold=wanted, ref=f"entry:{entry.pk}"))
            telling.tell(incident, "message", str(entry.pk), text=text, author=actor.name)
    return incident


def release(incident_id: int, *, actor: Actor) -> Incident:
    """End a hold: paused clocks go on from where they stood."""
    with transaction.atomic():
        incident = locked(incident_id, actor, "hold")
        before = Hold(incident.hold)
        if before is Hold.NONE:
            return incident
        incident.hold = Hold.NONE
        incident.save(update_fields=["hold", "updated_at"])
        timeline.record(incident, actor, Fact("released", "The wait is over: the clocks run again."))
        if before.pauses:
            clockwork.append(incident, sla.Event(instants.now(), sla.EventKind.HOLD_ENDED, hold=before))
    return incident

"""Severity, status and hold: the facts about an incident that people correct as they learn."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction

from incidents import clockwork, escalating, facts, owed, sla, telling, timeline
from incidents.actions import engaging, measuring
from incidents.actions.claims import watch_claims
from incidents.actions.discretion import words_for_customer
from incidents.actions.entitling import retarget
from incidents.actions.entry import locked, move, require_open
from incidents.actions.speaking import note_mitigation, said_to_customer
from incidents.models import Incident, SeverityDispute
from incidents.states import Hold, LoweringCode, Status
from incidents.timeline import CUSTOMER, Fact
from incidents.war_room import following
from rotations.escalation import EventKind
from supportdesk import instants, readable
from supportdesk.actors import Actor
from supportdesk.audit import trail
from supportdesk.entitlements import SEVERITIES, Engagement
from supportdesk.errors import Invalid, NotAllowed, WrongState

LATE = 75  # percent of a promise used up, from which lowering needs a reason code (SLA-12)


def change_severity(
    incident_id: int, *, actor: Actor, severity: str, reason: str, code: str = "", is_checked: bool = False
) -> Incident:
    """Correct the severity, with a reason the customer sees.

    A raise pages anew; a fall never hides a miss (D5, D6, ESC-11). Lowering when three quarters of a promise are used
    up needs a `code`, one of `LoweringCode`, and the duty manager hears of it (SLA-12).
    """
    if severity not in SEVERITIES:
        raise Invalid("Severity is P1, P2, P3 or P4.", field="severity")
    with transaction.atomic():
        incident = locked(incident_id, actor, "change_severity")
        require_open(incident, "changing the severity")
        if incident.severity == severity:
            return incident
        why = words_for_customer(incident, actor, reason, "reason", is_checked=is_checked, longest=500)
        before = incident.severity
        is_lowered = severity > before
        said = _lowering(incident, code) if is_lowered else None
        set_severity(incident, actor, severity, why, data={"code": said} if said else {})
        if said:
            telling.tell(
                incident,
                "lowered_late",
                f"{before}:{severity}:{instants.now().isoformat()}",
                before=before,
                reason=why,
                code_words=said.words,
                author=actor.name,
            )
        if is_lowered:
            watch_claims(incident)
    return incident


def _lowering(incident: Incident, code: str) -> LoweringCode | None:
    """The reason code of a late fall, None where none is needed. Raises `Invalid` without one, `WrongState` while a
    dispute is open."""
    if SeverityDispute.objects.filter(incident=incident, decided_at=None).exists():
        raise WrongState("The customer disputes the severity: it stands until a manager decides.")
    if code and code not in list(LoweringCode):
        raise Invalid(f"The code is one of {', '.join(LoweringCode)}.", field="code")
    events = clockwork.events_of(incident)
    waiting = [clock for clock in sla.clocks(events, instants.now()) if clock.is_owed] if events else []
    if not any(clock.percent >= LATE for clock in waiting):
        return None
    if not code:
        raise Invalid(
            f"More than {LATE} % of a promise is used up. Say by its code why it is lowered now: "
            f"{', '.join(LoweringCode)}.",
            field="code",
        )
    return LoweringCode(code)


def set_severity(
    incident: Incident, actor: Actor, severity: str, why: str, *, data: dict[str, str], is_told: bool = True
) -> None:
    """Write another severity on a locked incident, and let clocks and escalation follow."""
    before, raised, now = incident.severity, severity < incident.severity, instants.now()
    incident.severity = severity
    incident.save(update_fields=["severity", "updated_at"])
    text = f"Severity changed from {before} to {severity}: {why}"
    details = {"before": before, "after": severity, "reason": why, **data}
    timeline.record(incident, actor, Fact("severity_changed", text, CUSTOMER, data=details))
    trail.record(actor, "change_severity", incident.subject, before=before, after=severity, reason=why)
    _retarget(incident, severity, now)
    _follow(incident, actor, raised=raised)
    following.follow(incident, is_declared_anew=raised)
    if is_told:
        telling.tell(
            incident,
            "severity_changed",
            f"{incident.generation}:{before}:{severity}:{now.isoformat()}",
            before=before,
            before_word=readable.severity(before),
            next_local=_next_word(incident, now),
            reason=why,
            author=actor.name,
            may_dispute=not raised and not SeverityDispute.objects.filter(incident=incident).exists(),
        )


def _next_word(incident: Incident, now: datetime) -> str:
    """When the customer hears from us next, by the promises as they are now; empty where that is owed already."""
    due = [
        clock.due_at
        for clock in clockwork.refresh(incident)
        if clock.kind in (sla.ClockKind.FIRST_RESPONSE, sla.ClockKind.NEXT_UPDATE)
        and clock.satisfied_at is None
        and clock.due_at is not None
    ]
    return facts.moment(min(due), incident.zone) if due and min(due) > now else ""


def _retarget(incident: Incident, severity: str, now: datetime) -> None:
    """Tell the clocks. What the contract covers around the clock at this severity needs no exception any more, what it
    does not may have one (ENT-12)."""
    promised = owed.terms(incident, now)
    if promised is not None and not promised.goodwill:
        retarget(incident, now, sla.EventKind.GOODWILL_ENDED)
    clockwork.append(incident, sla.Event(now, sla.EventKind.SEVERITY_CHANGED, severity=severity))
    retarget(incident, now)


def _follow(incident: Incident, actor: Actor, *, raised: bool) -> None:
    """Page by the new severity's policy if it is entitled to it right now, and stop where it no longer is; a conscious
    ack is asked for again on a raise (ESC-11)."""
    decision = owed.decide(incident, instants.now())
    is_taken = incident.is_acknowledged and not (raised and decision.pages)
    if raised and decision.pages:
        incident.acknowledged_name, incident.acknowledged_by = "", None
    was_worked = incident.engagement == Engagement.NOW
    engaging.adopt(incident, decision, is_worked=is_taken or decision.pages or (raised and was_worked))
    incident.save(update_fields=[*engaging.FIELDS, "acknowledged_name", "acknowledged_by"])
    if decision.pages:
        escalating.change_severity(incident, raised=raised)
    elif not raised:
        engaging.stand_down(incident, actor, decision, why=f"lowered to {incident.severity}")


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
        now, before = instants.now(), Status(incident.status)
        if not move(incident, wanted, now):
            return incident
        incident.save()
        timeline.record(
            incident, actor, Fact("status_changed", f"Now {wanted.value}.", CUSTOMER, data={"status": wanted})
        )
        note_mitigation(incident, before, now)
        escalating.feed(incident, EventKind.ACTIVITY, by=str(actor.user_id))
        following.follow(incident)
    return incident


def hold(incident_id: int, *, actor: Actor, kind: str, question: str = "", is_checked: bool = False) -> Incident:
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
            words_for_customer(incident, actor, question, "question", is_checked=is_checked)
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
        if wanted.pauses:  # a question the customer reads is an answer to them as well (D4)
            clocks = said_to_customer(incident, actor, entry)
            clockwork.append(incident, sla.Event(now, sla.EventKind.HOLD_STARTED, hold=wanted, ref=f"entry:{entry.pk}"))
            said: dict[str, Any] = {"text": text, "author": actor.name, "waits": wanted is Hold.CUSTOMER}
            telling.tell(incident, "message", str(entry.pk), **said | measuring.lateness(incident, clocks, entry.at))
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

"""The customer sees the severity differently: once an incident, decided by a manager within half an hour (ENT-13)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from incidents import escalating, telling, timeline
from incidents.actions.discretion import words_for_customer
from incidents.actions.entry import locked, require_open, words
from incidents.actions.triage import set_severity
from incidents.models import Incident, SeverityDispute
from incidents.timeline import CUSTOMER, Fact
from supportdesk import instants, readable
from supportdesk.actors import Actor
from supportdesk.audit import trail
from supportdesk.errors import WrongState
from supportdesk.integrations.lines import Lines
from supportdesk.queue import timers

DECIDE_WITHIN = timedelta(minutes=30)
CHECK_DISPUTE = "incidents.tasks.check_dispute"


def dispute_severity(incident_id: int, *, actor: Actor, text: str) -> SeverityDispute:
    """The customer disagrees with a fall. The higher severity stands, with everything it brings, until decided."""
    with transaction.atomic():
        incident = locked(incident_id, actor, "dispute_severity")
        before = SeverityDispute.objects.filter(incident=incident).first()
        if before is not None and before.is_open:
            return before
        require_open(incident, "disputing the severity")
        if before is not None:
            raise WrongState("The severity was disputed before, and a manager has decided. Please write to us instead.")
        higher = severity_before_fall(incident)
        if higher is None:
            raise WrongState(f"The severity of {incident.ref} was not lowered, so there is nothing to dispute.")
        said, now = words(text, longest=2_000), instants.now()
        dispute = SeverityDispute.objects.create(
            incident=incident,
            disputed_at=now,
            disputed_by=actor.name,
            text=said,
            severity=higher,
            lowered_to=incident.severity,
            decide_by=now + DECIDE_WITHIN,
        )
        timeline.record(incident, actor, Fact("disputed", said, CUSTOMER, data={"severity": higher}))
        trail.record(actor, "dispute_severity", incident.subject, before=incident.severity, after=higher, reason=said)
        why = "the lower one is disputed; this stands until a manager has decided."
        set_severity(incident, actor, higher, why, data={"dispute": "open"})
        lines = Lines.load()
        escalating.page_duty_manager(incident, lines, reason="dispute")
        telling.tell(incident, "disputed", "disputed", lines, **_facts(dispute), author=actor.name, text=said)
        _arm(dispute, dispute.decide_by)
    return dispute


def severity_before_fall(incident: Incident) -> str | None:
    """The severity before the last fall, of several in a row before the first; None where the last change was none."""
    changes = incident.timeline.filter(kind="severity_changed").order_by("-at", "-pk").values_list("data", flat=True)
    higher = None
    for data in changes:
        if data["after"] < data["before"]:
            break
        higher = data["before"]
    return higher


def decide_dispute(
    incident_id: int, *, actor: Actor, uphold: bool, reason: str, is_checked: bool = False
) -> SeverityDispute:
    """The manager's word: `uphold` keeps the higher severity, otherwise the lower one holds; the customer reads why."""
    with transaction.atomic():
        incident = locked(incident_id, actor, "decide_dispute")
        dispute = SeverityDispute.objects.select_for_update().filter(incident=incident).first()
        if dispute is None:
            raise WrongState(f"Nobody disputes the severity of {incident.ref}.")
        if not dispute.is_open:
            return dispute
        require_open(incident, "deciding the dispute")
        why = words_for_customer(incident, actor, reason, "reason", is_checked=is_checked, longest=500)
        now = instants.now()
        dispute.decided_at, dispute.decided_by_id = now, actor.user_id
        dispute.is_upheld, dispute.reason = uphold, why
        dispute.save(update_fields=["decided_at", "decided_by", "is_upheld", "reason"])
        final = dispute.severity if uphold else dispute.lowered_to
        text = f"Dispute decided, {final} holds: {why}"
        data = {"upheld": uphold, "severity": final, "reason": why}
        timeline.record(incident, actor, Fact("dispute_decided", text, CUSTOMER, data=data))
        trail.record(actor, "decide_dispute", incident.subject, before=incident.severity, after=final, reason=why)
        if incident.severity < final:
            set_severity(incident, actor, final, why, data={"dispute": "decided"}, is_told=False)
        timers.cancel(incident.subject, run=CHECK_DISPUTE)
        telling.tell(incident, "dispute_decided", "decided", upheld=uphold, reason=why, author=actor.name)
    return dispute


def check_dispute(incident_id: int, *, actor: Actor) -> None:
    """Half an hour is over and nobody has decided: the duty manager is called again, as often as it takes."""
    with transaction.atomic():
        incident = locked(incident_id, actor, "decide_dispute")
        dispute = SeverityDispute.objects.filter(incident=incident).first()
        is_over = incident.is_resolved or not incident.is_open
        if dispute is None or not dispute.is_open or is_over or instants.now() < dispute.decide_by:
            return
        overdue = instants.now() - dispute.decide_by
        number = overdue // DECIDE_WITHIN
        if incident.timeline.filter(kind="dispute_overdue", data__number=number).exists():
            return
        text = f"The dispute is undecided since {readable.duration(instants.now() - dispute.disputed_at)}."
        timeline.record(incident, actor, Fact("dispute_overdue", text, data={"number": number}))
        lines = Lines.load()
        escalating.page_duty_manager(incident, lines, reason="dispute")
        telling.tell(incident, "dispute_overdue", str(number), lines, **_facts(dispute))
        _arm(dispute, dispute.decide_by + (number + 1) * DECIDE_WITHIN)


def arm_dispute(incident: Incident) -> None:
    """Let an open dispute be looked at again, after the timers of its incident were stopped and it goes on."""
    dispute = SeverityDispute.objects.filter(incident=incident, decided_at=None).first()
    if dispute is not None:
        _arm(dispute, max(dispute.decide_by, instants.now()))


def _arm(dispute: SeverityDispute, at: datetime) -> None:
    incident = dispute.incident
    key = f"dispute:{incident.pk}:{incident.generation}:{at.isoformat()}"
    timers.arm([timers.Planned(key, CHECK_DISPUTE, incident.subject, at, generation=incident.generation)])


def _facts(dispute: SeverityDispute) -> dict[str, Any]:
    return {"lowered_to": dispute.lowered_to, "decide_by_utc": readable.clock_time(dispute.decide_by, "UTC")}

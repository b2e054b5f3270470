"""Open incidents follow the contract: an upgrade applies at once, a loss never does (§2.4, D8)."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from incidents import clockwork, escalating, owed, sla, telling, timeline
from incidents.actions import engaging
from incidents.actions.entry import locked
from incidents.models import Incident
from incidents.states import Status
from incidents.timeline import CUSTOMER, Fact
from incidents.war_room import following
from supportdesk import instants
from supportdesk.actors import Actor
from supportdesk.audit import trail
from supportdesk.calendars import ALWAYS
from supportdesk.entitlements import Engagement, Entitlement, is_better, is_worse
from supportdesk.organizations.models import Organization


def follow_contract(organization_id: int, *, actor: Actor, at: datetime | None = None) -> list[Incident]:
    """Let every open incident of an organization follow its contract; returns those that changed.

    `at` is when the contract changed, should this run late: an upgrade counts from there.
    """
    now = instants.now()
    with transaction.atomic():
        organization = (
            Organization.objects.select_related("calendar", "account_manager").filter(pk=organization_id).first()
        )
        if organization is None:
            return []
        live = owed.to(organization, now)
        open_ones = Incident.objects.open().filter(organization=organization).exclude(status=Status.RESOLVED)
        incidents = [
            locked(pk, actor, "follow_contract") for pk in open_ones.order_by("pk").values_list("pk", flat=True)
        ]
        return [incident for incident in incidents if _follow(incident, live, min(at or now, now), actor)]


def _follow(incident: Incident, live: Entitlement, at: datetime, actor: Actor) -> bool:
    """One incident follows. False where nothing changes for it."""
    held = owed.held_by(incident)
    if incident.is_resolved or not incident.is_open:
        return False
    if not is_better(live, held):
        return mark_lapse(incident, live, actor)
    take_over(incident, live, at, actor)
    decision = owed.decide(incident, instants.now())
    is_newly_covered = live.calendar(incident.severity) is ALWAYS is not held.calendar(incident.severity)
    is_paged = decision.pages and (is_newly_covered or not incident.is_acknowledged)
    if is_paged:  # whoever has it may have gone home when the old hours ended
        incident.acknowledged_name, incident.acknowledged_by = "", None
    was_worked = incident.engagement == Engagement.NOW or incident.is_acknowledged
    entry = engaging.adopt(incident, decision, is_worked=was_worked)
    incident.save(update_fields=[*engaging.FIELDS, "acknowledged_name", "acknowledged_by"])
    timeline.record(incident, actor, entry)
    engaging.wait_for_opening(incident)
    if is_paged:
        escalating.change_severity(incident, raised=True)
    said = engaging.promise(incident, decision) | {"pages": is_paged}
    telling.tell(incident, "upgraded", f"{incident.generation}:{live.contract_id}:{at.isoformat()}", **said)
    following.follow(incident)
    return True


def take_over(incident: Incident, live: Entitlement, at: datetime, actor: Actor) -> None:
    """Work a locked incident under a better entitlement from `at` on: clocks are re-targeted from there (D5)."""
    before = owed.held_by(incident)
    incident.entitlement, incident.contract_id, incident.entitlement_lapsed = live.to_spec(), live.contract_id, False
    incident.save(update_fields=["entitlement", "contract", "entitlement_lapsed", "updated_at"])
    old, new = _label(before), _label(live)
    timeline.record(
        incident,
        actor,
        Fact("upgraded", f"{new} applies from now on, instead of {old}.", CUSTOMER, data={"before": old, "after": new}),
    )
    trail.record(actor, "upgrade", incident.subject, before=old, after=new)
    effective = max(at, incident.received_at, clockwork.latest_event_at(incident) or at)
    retarget(incident, effective)


def retarget(incident: Incident, at: datetime, kind: sla.EventKind = sla.EventKind.TERMS_CHANGED) -> None:
    """Bring the clocks under the terms that hold now; where nothing was promised before, they begin (ENT-5)."""
    now = instants.now()
    wanted, present = owed.terms(incident, now), clockwork.terms_now(incident)
    if wanted is None or wanted == present:
        return
    if present is None:
        begun = sla.Event(at, sla.EventKind.RECEIVED, severity=incident.severity, terms=wanted, ref="contract")
        clockwork.append(incident, begun)
    else:
        clockwork.append(incident, sla.Event(at, kind, terms=wanted))


def mark_lapse(incident: Incident, live: Entitlement, actor: Actor) -> bool:
    """Note that the contract gives less than a locked incident began with, or that it does not any more. The incident
    keeps what it has (D8). False where nothing changes."""
    held = owed.held_by(incident)
    has_lapsed = is_worse(live, held)
    if has_lapsed == incident.entitlement_lapsed:
        return False
    incident.entitlement_lapsed = has_lapsed
    incident.save(update_fields=["entitlement_lapsed", "updated_at"])
    why = " ".join(reason.text for reason in live.reasons[:1])
    if has_lapsed:
        text = f"{why} This incident keeps {_label(held)} until it is over."
        timeline.record(incident, actor, Fact("entitlement_lapsed", text))
        telling.tell(
            incident,
            "lapsed",
            f"{incident.generation}:{instants.now().isoformat()}",
            why=why,
            plan=held.plan.code if held.plan else "",
        )
    else:
        timeline.record(incident, actor, Fact("entitlement_renewed", f"{why} The contract covers this again."))
    return True


def fall_back(incident: Incident, live: Entitlement, actor: Actor) -> None:
    """After its reopen window an incident keeps nothing a contract no longer gives: the present plan holds, if any."""
    held = owed.held_by(incident)
    if live.plan is None or not is_better(held, live):
        return
    incident.entitlement, incident.contract_id, incident.entitlement_lapsed = live.to_spec(), live.contract_id, False
    incident.save(update_fields=["entitlement", "contract", "entitlement_lapsed", "updated_at"])
    old, new = _label(held), _label(live)
    timeline.record(incident, actor, Fact("fell_back", f"{new} applies now, instead of {old}.", CUSTOMER))
    trail.record(actor, "fall_back", incident.subject, before=old, after=new)
    retarget(incident, instants.now())


def _label(entitlement: Entitlement) -> str:
    return f"plan {entitlement.plan.code} {entitlement.plan.name}" if entitlement.plan else "no contract"

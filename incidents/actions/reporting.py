"""Taking in an incident: stored first, decided at once, and everybody told what happens next."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import transaction

from incidents import clockwork, escalating, facts, sla, telling, timeline
from incidents.actions.entry import locked, words
from incidents.models import Incident
from incidents.models.incident import Impact, Urgency
from incidents.permissions import may
from incidents.states import RAISERS, severity_of
from incidents.timeline import CUSTOMER, Fact
from supportdesk import entitlements, instants
from supportdesk.actors import Actor
from supportdesk.entitlements import Decision, Engagement, Entitlement
from supportdesk.errors import Invalid, NotAllowed
from supportdesk.integrations.lines import Lines
from supportdesk.organizations import terms
from supportdesk.organizations.models import Contact, Organization, Service
from supportdesk.queue import timers

OPEN_QUEUE = "incidents.tasks.enter_triage"
DUTY_OF_CARE = frozenset({"security_exposure", "data_loss"})


@dataclass(frozen=True, slots=True)
class Report:
    """What somebody or something told us. `request_key` makes the same report sent twice one incident."""

    title: str
    source: str
    impact: int
    urgency: int
    description: str = ""
    raisers: tuple[str, ...] = ()
    organization: Organization | None = None
    reporter: Contact | None = None
    service: Service | None = None
    severity: str = ""  # monitors map their own (MON-10); people never name one
    request_key: str = ""
    detected_at: datetime | None = None
    is_drill: bool = False
    data: dict[str, Any] = field(default_factory=dict)


def report(said: Report, *, actor: Actor) -> Incident:
    """Accept an incident. Whatever the plan, it is stored; the plan decides what happens next (ENT-6, D1)."""
    _check(said, actor)
    with transaction.atomic():
        existing = _already(said)
        if existing is not None:
            return existing
        now = instants.now()
        entitlement = _entitlement(said.organization, now)
        severity = said.severity or severity_of(said.impact, said.urgency, said.raisers)
        decision = entitlements.decide(
            entitlement,
            severity,
            now,
            duty_of_care=bool(DUTY_OF_CARE & set(said.raisers)),
            monitor=said.reporter is None,
        )
        incident = _create(said, severity, entitlement, decision, now)
        timeline.record(incident, actor, _reported(said, severity), _decided(decision))
        _start_clocks(incident, entitlement, severity, now)
        _engage(incident, decision)
    return incident


def _check(said: Report, actor: Actor) -> None:
    organization_id = said.organization.pk if said.organization else None
    if not may(actor, "report", organization_id):
        raise NotAllowed("You may not report incidents for this organization.")
    words(said.title, "title", longest=200)
    if said.impact not in Impact.values:
        raise Invalid("Impact is 1 (widespread), 2 (significant) or 3 (limited).", field="impact")
    if said.urgency not in Urgency.values:
        raise Invalid("Urgency is 1 (critical), 2 (high) or 3 (normal).", field="urgency")
    if unknown := set(said.raisers) - set(RAISERS):
        raise Invalid(f"{sorted(unknown)[0]} is not known; use {', '.join(RAISERS)}.", field="raisers")
    if said.service and said.service.organization_id not in (None, organization_id):
        raise Invalid("There is no such service.", field="service")
    if len(said.description) > 20_000:
        raise Invalid("The description is longer than 20,000 characters.", field="description")


def _already(said: Report) -> Incident | None:
    """The incident an earlier copy of this report made: a second press is not an error."""
    if not said.request_key:
        return None
    return Incident.objects.filter(request_key=_request_key(said)).first()


def _request_key(said: Report) -> str | None:
    return (
        f"{said.organization.pk if said.organization else '-'}:{said.request_key}"[:160] if said.request_key else None
    )


def _entitlement(organization: Organization | None, at: datetime) -> Entitlement:
    return terms.entitlement(organization, at) if organization else terms.own_platform()


def _create(said: Report, severity: str, entitlement: Entitlement, decision: Decision, now: datetime) -> Incident:
    return Incident.objects.create(
        organization=said.organization,
        service=said.service,
        reporter=said.reporter,
        title=words(said.title, "title", longest=200),
        description=said.description.strip(),
        source=said.source,
        impact=said.impact,
        urgency=said.urgency,
        raisers=list(said.raisers),
        severity=severity,
        claimed_severity=severity,
        engagement=decision.engagement,
        queued_until=decision.opens_at,
        decision=decision.to_spec(),
        entitlement={
            "plan": entitlement.plan.code if entitlement.plan else "",
            "version": entitlement.plan.version if entitlement.plan else None,
            "features": sorted(entitlement.plan.features) if entitlement.plan else [],
            "state": entitlement.state,
            "zone": entitlement.zone,
        },
        contract_id=entitlement.contract_id,
        request_key=_request_key(said),
        detected_at=min(said.detected_at or now, now),
        received_at=now,
        is_drill=said.is_drill,
    )


def _reported(said: Report, severity: str) -> Fact:
    return Fact(
        "reported",
        said.description.strip() or said.title,
        CUSTOMER,
        data={
            "source": said.source,
            "impact": said.impact,
            "urgency": said.urgency,
            "severity": severity,
            "raisers": list(said.raisers),
            **said.data,
        },
    )


def _decided(decision: Decision) -> Fact:
    verdict = "Paging on-call now." if decision.pages else "Nobody is paged."
    return Fact("decided", verdict, data=decision.to_spec())


def _start_clocks(incident: Incident, entitlement: Entitlement, severity: str, now: datetime) -> None:
    promised = clockwork.terms_of(entitlement)
    if promised is not None:
        event = sla.Event(now, sla.EventKind.RECEIVED, severity=severity, terms=promised, ref=incident.source)
        clockwork.append(incident, event, before=[])


def _engage(incident: Incident, decision: Decision) -> None:
    """Page, queue or ask a manager; and say so to whoever reported it (ENT-6, ENT-7)."""
    lines = Lines.load()
    if decision.pages:
        escalating.start(incident, lines)
    elif decision.opens_at is not None and decision.engagement is Engagement.QUEUED:
        timers.arm([timers.Planned(f"open:{incident.pk}", OPEN_QUEUE, incident.subject, decision.opens_at)])
    if decision.pages_duty_manager:
        escalating.page_duty_manager(incident, lines)
    kind = {
        Engagement.NOW: "received",
        Engagement.QUEUED: "received_queued",
        Engagement.UNENTITLED: "received_no_contract",
    }
    telling.tell(incident, kind[decision.engagement], "receipt", lines, **_promise(incident, decision))
    if decision.pages:
        telling.tell(incident, "declared", "declared", lines, **_promise(incident, decision))


def _promise(incident: Incident, decision: Decision) -> dict[str, Any]:
    """What the reader may expect, in the organization's zone with its offset (ENT-7)."""
    zone = incident.zone
    return {
        "opens_local": facts.moment(decision.opens_at, zone) if decision.opens_at else "",
        "due_local": facts.moment(decision.first_response_due, zone) if decision.first_response_due else "",
        "plan": decision.plan,
        "pages": decision.pages,
        "account_manager": incident.organization.account_manager.name
        if incident.organization and incident.organization.account_manager
        else "",
    }


def enter_triage(incident_id: int, *, actor: Actor) -> Incident:
    """The desk has opened: what waited is worked now, by severity and then by age (ENT-8)."""
    with transaction.atomic():
        incident = locked(incident_id, actor, "acknowledge")
        if incident.engagement != Engagement.QUEUED or not incident.is_open:
            return incident
        now = instants.now()
        entitlement = _entitlement(incident.organization, now)
        decision = entitlements.decide(entitlement, incident.severity, now)
        incident.engagement, incident.queued_until = Engagement.NOW, None
        incident.save(update_fields=["engagement", "queued_until", "updated_at"])
        timeline.record(
            incident,
            actor,
            Fact("desk_opened", "The desk is open: this enters triage now.", CUSTOMER),
            _decided(decision),
        )
        if decision.pages and not incident.is_acknowledged:
            escalating.start(incident)
    return incident

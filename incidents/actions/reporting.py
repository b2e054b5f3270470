"""Taking in an incident: stored first, decided at once, and everybody told what happens next."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import transaction

from incidents import clockwork, escalating, owed, sla, telling, timeline
from incidents.actions import engaging
from incidents.actions.entry import locked, words
from incidents.actions.linking import link
from incidents.actions.responding import acknowledge
from incidents.models import Incident
from incidents.models.incident import Impact, Urgency
from incidents.permissions import may
from incidents.slack import headline
from incidents.states import RAISERS, severity_of
from incidents.timeline import CUSTOMER, Fact
from incidents.war_room import following
from supportdesk import actors, calendars, entitlements, instants, sitting
from supportdesk.actors import Actor
from supportdesk.entitlements import Decision, Engagement, Entitlement
from supportdesk.errors import Invalid, NotAllowed
from supportdesk.integrations.lines import Lines
from supportdesk.organizations.models import Contact, Organization, Service

_RECEIPTS = {
    Engagement.NOW: "received",
    Engagement.QUEUED: "received_queued",
    Engagement.UNENTITLED: "received_no_contract",
}


@dataclass(frozen=True, slots=True)
class Report:
    """What somebody or something told us. `request_key` makes the same report sent twice one incident.

    `answered_as` is set where a responder answered the call that reported it, to what proves it, such as the call's id:
    the customer has their first answer then (SLA-2).
    """

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
    drill_for: int | None = None  # a drill for one person: nobody else is paged
    answered_as: str = ""
    data: dict[str, Any] = field(default_factory=dict)


def report(said: Report, *, actor: Actor) -> Incident:
    """Accept an incident. Whatever the plan, it is stored; the plan decides what happens next (ENT-6, D1)."""
    _check(said, actor)
    with sitting.atomic():
        existing = _already(said)
        if existing is not None:
            return existing
        now = instants.now()
        entitlement = owed.to(said.organization, now)
        severity = said.severity or severity_of(said.impact, said.urgency, said.raisers)
        care = bool(owed.DUTY_OF_CARE & set(said.raisers))
        decision = entitlements.decide(entitlement, severity, now, duty_of_care=care)
        incident = _create(said, severity, entitlement, decision, now)
        sitting.begin(incident.subject, headline.subject(incident))
        timeline.record(incident, actor, _reported(said, severity), engaging.decided(decision))
        _start_clocks(incident, entitlement, said, severity, now)
        _engage(incident, decision, said)
        link(incident, actor)
        following.follow(incident)
        if said.answered_as:
            sitting.hand_in()  # from here on it is an incident like any other
            acknowledge(incident.pk, actor=actor)
            incident.refresh_from_db()
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
    if said.answered_as and not actor.is_staff:
        raise NotAllowed("Only a responder can answer a call.")
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
        entitlement=entitlement.to_spec(),
        war_room=decision.war_room,
        first_response_at=now if said.answered_as else None,
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


def _start_clocks(incident: Incident, entitlement: Entitlement, said: Report, severity: str, now: datetime) -> None:
    """Begin the ledger. Hours that never come can be counted by nobody: said loudly, and the report is kept."""
    promised = clockwork.terms_of(entitlement)
    if promised is None or said.is_drill:
        return
    events = [sla.Event(now, sla.EventKind.RECEIVED, severity=severity, terms=promised, ref=said.source)]
    if said.answered_as:
        events.append(sla.Event(now, sla.EventKind.RESPONDED, ref=said.answered_as))
    try:
        clockwork.append(incident, *events, before=[])  # raises before it writes
    except calendars.NeverOpen:
        text = "The hours agreed for this severity never come, so no clock runs. A manager has to correct the calendar."
        timeline.record(incident, actors.desk(), Fact("no_clocks", text))


def _engage(incident: Incident, decision: Decision, source: Report) -> None:
    """Page, queue or ask a manager; and say so to whoever reported it (ENT-6, ENT-7)."""
    lines = Lines.load()
    if source.drill_for is not None:
        escalating.start_for(incident, source.drill_for, lines)
        return
    engaging.act(incident, decision, lines)
    said = engaging.promise(incident, decision)
    telling.tell(incident, _RECEIPTS[decision.engagement], "receipt", lines, **said)
    if decision.pages:
        telling.tell(incident, "declared", "declared", lines, **said)


def enter_triage(incident_id: int, *, actor: Actor) -> Incident:
    """The desk has opened: what waited is worked now, by severity and then by age (ENT-8).

    Decided for the instant it opened at: a desk that was down all day pages late rather than never.
    """
    with transaction.atomic():
        incident = locked(incident_id, actor, "acknowledge")
        now, opened_at = instants.now(), incident.queued_until
        is_waiting = incident.engagement == Engagement.QUEUED and incident.is_open and not incident.is_resolved
        if not is_waiting or opened_at is None or now < opened_at:
            return incident
        decision = owed.decide(incident, opened_at)
        entry = engaging.adopt(incident, decision, is_worked=True)
        incident.save(update_fields=engaging.FIELDS)
        opened = Fact("desk_opened", "The desk is open: this enters triage now.", CUSTOMER)
        timeline.record(incident, actor, opened, entry)
        if not incident.is_acknowledged:
            engaging.act(incident, decision)
    return incident

"""The verbs of reports: drafted, edited, reviewed, published."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from incidents import clockwork, sla, telling, timeline
from incidents.boards.clocks import LABELS
from incidents.models import Incident
from incidents.timeline import CUSTOMER, Fact
from incidents.war_room import following
from reports import builder, lint, tickets
from reports.models import PostIncidentReport, ReportRevision
from reports.sections import BY_SLUG, CUSTOMER_SECTIONS
from supportdesk import calendars, instants
from supportdesk.actors import Actor
from supportdesk.audit import trail
from supportdesk.errors import Invalid, NotAllowed, NotFound, WrongState

DRAFT_DAYS, FINAL_DAYS = 2, 5
LONGEST_SECTION = 50_000
Status = PostIncidentReport.Status


def draft(incident_id: int, *, actor: Actor) -> PostIncidentReport:
    """Draft a report from the timeline. Drafting twice gives the same report."""
    _require_staff(actor)
    with transaction.atomic():
        incident = Incident.objects.lock(incident_id)
        existing = PostIncidentReport.objects.filter(incident=incident).first()
        if existing is not None:
            return existing
        if incident.resolved_at is None:
            raise WrongState(f"{incident.ref} is not resolved yet: there is nothing to look back on.")
        facts = _facts(incident)
        draft_due, final_due = _due(incident)
        report = PostIncidentReport.objects.create(
            incident=incident,
            owner_id=incident.owner_id,
            sections=builder.internal(facts),
            customer_sections=builder.customer(facts),
            draft_due_at=draft_due,
            final_due_at=final_due,
            created_at=instants.now(),
        )
        timeline.record(
            incident, actor, Fact("report_drafted", "A post-incident report was drafted from the timeline.")
        )
    return report


def _require_staff(actor: Actor) -> None:
    if not actor.is_staff and actor.kind != "desk":
        raise NotAllowed("Reports are written by staff.")


def _facts(incident: Incident) -> builder.Facts:
    return builder.Facts(
        ref=incident.ref,
        title=incident.title,
        organization=incident.organization.name if incident.organization else "our platform",
        service=incident.service.name if incident.service else "",
        severity=incident.severity,
        zone=incident.zone,
        source=incident.source,
        detected_at=incident.detected_at,
        acked_at=incident.acked_at,
        first_response_at=incident.first_response_at,
        mitigated_at=incident.mitigated_at,
        resolved_at=incident.resolved_at,
        resolution=incident.timeline.filter(kind="resolved").order_by("-pk").values_list("text", flat=True).first()
        or "",
        staff=_staff(incident),
        rows=[
            builder.Row(
                row.at,
                row.kind,
                row.text,
                row.actor,
                _role(row.actor_role, row.is_from_customer),
                row.visibility == CUSTOMER,
                not row.is_from_human,
            )
            for row in incident.timeline.order_by("at", "pk")
        ],
        promises=_promises(incident),
    )


def _staff(incident: Incident) -> list[tuple[str, str]]:
    """Everybody of ours whom the timeline names, with their role."""
    roles = (
        incident.timeline.exclude(user=None)
        .exclude(actor_role="customer")
        .values_list("actor", "actor_role")
        .distinct()
    )
    paged = incident.pages.exclude(user=None).values_list("recipient", "user__role").distinct()
    return sorted({(name, _role(role, False)) for name, role in (*roles, *paged)}, key=lambda pair: -len(pair[0]))


def _role(role: str, from_customer: bool) -> str:
    return "you" if from_customer else {"engineer": "engineer", "manager": "support manager"}.get(role, "the desk")


def _promises(incident: Incident) -> list[builder.Promise]:
    events = clockwork.events_of(incident)
    if not events:
        return []
    return [
        builder.Promise(
            f"{LABELS[c.kind]} {c.cycle}" if c.cycle > 1 else LABELS[c.kind],
            c.target.duration,
            c.due_at,
            c.satisfied_at,
            c.breached_at is None,
            c.commitment is sla.Commitment.GUARANTEE,
        )
        for c in sla.clocks(events, instants.now())
        if c.kind is not sla.ClockKind.ACK and c.state is not sla.State.CANCELLED
    ]


def _due(incident: Incident) -> tuple[Any, Any]:
    """The closes of the second and fifth business day after resolution, in the contract's calendar (PIR-2)."""
    events = clockwork.events_of(incident)
    terms = next((e.terms for e in events if e.terms is not None), None)
    calendar = next((c for c in terms.calendars.values() if c is not calendars.ALWAYS), None) if terms else None
    if calendar is None or incident.resolved_at is None:
        return None, None
    return tuple(
        calendars.business_day_close(calendar, incident.resolved_at, days) for days in (DRAFT_DAYS, FINAL_DAYS)
    )  # type: ignore[return-value]


def _locked(report_id: int, actor: Actor) -> PostIncidentReport:
    _require_staff(actor)
    report = (
        PostIncidentReport.objects.select_for_update(of=("self",))
        .select_related("incident__organization")
        .filter(pk=report_id)
        .first()
    )
    if report is None:
        raise NotFound("There is no such report.")
    return report


def edit(
    report_id: int, *, actor: Actor, version: int, sections: Mapping[str, str], customer_sections: Mapping[str, str]
) -> PostIncidentReport:
    """Save both versions. If somebody saved meanwhile, nothing is overwritten and the editor is told (version)."""
    with transaction.atomic():
        report = _locked(report_id, actor)
        if report.is_published:
            raise WrongState("This report is published. Withdraw it first, then edit.")
        if report.version != version:
            raise WrongState(
                "Somebody saved this report while you were writing. Your text is below; copy it before you reload."
            )
        known = {s.slug for s in CUSTOMER_SECTIONS}
        internal = {slug: _text(text, slug) for slug, text in sections.items() if slug in BY_SLUG}
        external = {slug: _text(text, slug) for slug, text in customer_sections.items() if slug in known}
        ReportRevision.objects.create(
            report=report,
            version=report.version,
            sections=report.sections,
            customer_sections=report.customer_sections,
            author_id=actor.user_id,
            at=instants.now(),
        )
        report.sections = {**report.sections, **internal}
        report.customer_sections = {**report.customer_sections, **external}
        report.version += 1
        if report.status == Status.APPROVED:
            report.status = Status.IN_REVIEW  # what was approved is no longer what it says
        report.save()
    return report


def _text(text: str, field: str) -> str:
    if len(text) > LONGEST_SECTION:
        raise Invalid(f"This section is longer than {LONGEST_SECTION:,} characters.", field=field)
    if "\0" in text:
        raise Invalid("The text contains a NUL character.", field=field)
    return text.replace("\r\n", "\n").strip()


def submit(report_id: int, *, actor: Actor) -> PostIncidentReport:
    """Ask for a review."""
    with transaction.atomic():
        report = _locked(report_id, actor)
        if report.status == Status.DRAFT:
            report.status = Status.IN_REVIEW
            report.save(update_fields=["status"])
            timeline.record(report.incident, actor, Fact("report_in_review", "The report is ready for review."))
    return report


def publish(report_id: int, *, actor: Actor) -> PostIncidentReport:
    """Give the customer their version. What is still open in it, or should not leave the house, holds it back."""
    with transaction.atomic():
        report = _locked(report_id, actor)
        if report.is_published:
            return report
        problems = lint.blocking(report.customer_sections, others=_other_names(report.incident))
        if problems:
            raise Invalid("Before this can be published: " + " ".join(problems), field="customer_sections")
        now = instants.now()
        report.status, report.published_at, report.reviewed_by_id = Status.PUBLISHED, now, actor.user_id
        report.save(update_fields=["status", "published_at", "reviewed_by"])
        timeline.record(
            report.incident,
            actor,
            Fact("report_published", "The post-incident report is published in your portal.", CUSTOMER),
        )
        trail.record(actor, "publish_report", f"report:{report.pk}", after={"version": report.version})
        telling.tell(report.incident, "report_published", f"{report.pk}:{report.version}", author=actor.name)
        tickets.file(report)
        following.follow(report.incident)
    return report


def withdraw(report_id: int, *, actor: Actor, reason: str) -> PostIncidentReport:
    """Take a published report back to the desk."""
    with transaction.atomic():
        report = _locked(report_id, actor)
        if not report.is_published:
            return report
        if not reason.strip():
            raise Invalid("Please say why.", field="reason")
        report.status, report.published_at = Status.IN_REVIEW, None
        report.save(update_fields=["status", "published_at"])
        trail.record(actor, "withdraw_report", f"report:{report.pk}", reason=reason)
        timeline.record(report.incident, actor, Fact("report_withdrawn", f"The report was withdrawn: {reason.strip()}"))
    return report


def _other_names(incident: Incident) -> list[str]:
    """Other customers' names: never in what this customer reads."""
    organizations = type(incident.organization).objects if incident.organization else None
    return (
        list(organizations.exclude(pk=incident.organization_id).values_list("name", flat=True)) if organizations else []
    )

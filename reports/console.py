"""Reports in the console."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_GET, require_POST

from reports import actions, item_pages, lint
from reports.models import PostIncidentReport
from reports.sections import SECTIONS
from supportdesk.actors import Actor
from supportdesk.errors import DeskError, NotFound
from supportdesk.web.doors import door
from supportdesk.web.pages import page

INTERNAL, CUSTOMER = "internal-", "customer-"


@require_GET
@door("console", staff=True)
def index(request: HttpRequest, actor: Actor) -> HttpResponse:
    """All reports, newest first."""
    reports = PostIncidentReport.objects.select_related("incident__organization", "owner")[:200]
    return page(request, "console/reports.html", {"section": "reports", "reports": reports})


@require_POST
@door("console", staff=True)
def draft(request: HttpRequest, actor: Actor, incident_pk: int) -> HttpResponse:
    """Draft a report from an incident's timeline."""
    return redirect("reports:report", actions.draft(incident_pk, actor=actor).pk)


@door("console", staff=True)
def show(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    """Read and edit one report: both versions side by side."""
    report = (
        PostIncidentReport.objects.select_related("incident__organization", "owner", "reviewed_by")
        .filter(pk=pk)
        .first()
    )
    if report is None:
        raise NotFound("There is no such report.")
    if request.method == "POST":
        return _save(request, actor, report)
    return _show(request, report, report.sections, report.customer_sections)


def _written(request: HttpRequest, prefix: str) -> dict[str, str]:
    """The sections of one version, as the form sent them."""
    return {name.removeprefix(prefix): str(text) for name, text in request.POST.items() if name.startswith(prefix)}


def _save(request: HttpRequest, actor: Actor, report: PostIncidentReport) -> HttpResponse:
    sections, customer = _written(request, INTERNAL), _written(request, CUSTOMER)
    try:
        version = request.POST.get("version", "")
        actions.edit(
            report.pk,
            actor=actor,
            version=int(version) if version.isdigit() else 0,
            sections=sections,
            customer_sections=customer,
        )
    except DeskError as error:  # nothing the editor wrote may be lost
        return _show(request, report, {**report.sections, **sections}, {**report.customer_sections, **customer}, error)
    return redirect("reports:report", report.pk)


def _show(
    request: HttpRequest,
    report: PostIncidentReport,
    sections: dict[str, str],
    customer: dict[str, str],
    error: DeskError | None = None,
) -> HttpResponse:
    incident = report.incident
    people = incident.timeline.exclude(user=None).order_by("user__name").values_list("user__name", flat=True).distinct()
    context = {
        "section": "reports",
        "report": report,
        "incident": incident,
        "error": error,
        "rows": [(s, sections.get(s.slug, ""), customer.get(s.slug, "")) for s in SECTIONS],
        "items": [(item, item_pages.for_changing(item)) for item in report.action_items.select_related("owner")],
        "add_item": item_pages.AddForm(auto_id="new-item-%s"),
        "warnings": lint.warnings(sections, people),
        "blocking": lint.blocking(customer),
    }
    response = page(request, "console/report.html", context)
    response.status_code = error.status if error else 200
    return response


_VERBS = {
    "submit": lambda pk, actor, said: actions.submit(pk, actor=actor),
    "publish": lambda pk, actor, said: actions.publish(pk, actor=actor),
    "withdraw": lambda pk, actor, said: actions.withdraw(pk, actor=actor, reason=said.get("reason", "")),
}


@require_POST
@door("console", staff=True)
def act(request: HttpRequest, actor: Actor, pk: int, verb: str) -> HttpResponse:
    """Submit, publish or withdraw."""
    if verb not in _VERBS:
        raise NotFound("There is no such verb.")
    _VERBS[verb](pk, actor, request.POST)
    return redirect("reports:report", pk)

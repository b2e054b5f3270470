"""Published reports in the customer's portal."""

from __future__ import annotations

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from reports.models import PostIncidentReport
from reports.sections import CUSTOMER_SECTIONS
from supportdesk.actors import Actor
from supportdesk.errors import NotFound
from supportdesk.web.doors import door
from supportdesk.web.pages import page


def _published(actor: Actor) -> QuerySet[PostIncidentReport]:
    return PostIncidentReport.objects.filter(
        incident__organization_id=actor.organization_id,
        incident__is_drill=False,
        status__in=[PostIncidentReport.Status.PUBLISHED, PostIncidentReport.Status.CLOSED],
    ).select_related("incident__organization")


@require_GET
@door("portal", customer=True)
def index(request: HttpRequest, actor: Actor) -> HttpResponse:
    """What was published for this organization."""
    return page(request, "portal/reports.html", {"section": "reports", "reports": _published(actor)})


@require_GET
@door("portal", customer=True)
def show(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    """The customer's version of one report."""
    report = _published(actor).filter(pk=pk).first()
    if report is None:
        raise NotFound("There is no such report.")
    sections = [(s.customer_title, report.customer_sections.get(s.slug, "")) for s in CUSTOMER_SECTIONS]
    context = {
        "section": "reports",
        "report": report,
        "incident": report.incident,
        "sections": [(t, x) for t, x in sections if x],
    }
    return page(request, "portal/report_published.html", context)

"""The public's door: components and notices, readable while logged out.

Built from allow-listed fields only (security S24).
"""

from __future__ import annotations

from datetime import timedelta
from itertools import groupby
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET

from incidents.models import Component, Notice, StatusPage
from supportdesk import instants
from supportdesk.errors import NotFound
from supportdesk.web.errors import answer

HISTORY = timedelta(days=14)
_WORST_FIRST = ("major_outage", "partial_outage", "degraded_performance", "under_maintenance", "operational")
_OVERALL = {
    "major_outage": "Major outage",
    "partial_outage": "Partial outage",
    "degraded_performance": "Some services are slower than usual",
    "under_maintenance": "Maintenance is under way",
    "operational": "Everything is working",
}


@login_not_required
@require_GET
def front(request: HttpRequest) -> HttpResponse:
    """The first public page."""
    first = StatusPage.objects.filter(is_public=True).first()
    return (
        redirect("status:page", first.slug) if first else answer(request, NotFound("There is no public status page."))
    )


def _public(slug: str) -> StatusPage | None:
    return StatusPage.objects.filter(slug=slug, is_public=True).first()


def summary(page: StatusPage) -> dict[str, Any]:
    """Everything the page says, as plain values: the one source of its HTML and its JSON."""
    now = instants.now()
    components = list(Component.objects.filter(page=page))
    notices = list(Notice.objects.filter(page=page, is_posted=True).prefetch_related("updates", "components"))
    overall = min((c.state for c in components), key=_WORST_FIRST.index, default="operational")
    return {
        "page": page,
        "status_name": page.name,
        "now": now,
        "overall": overall,
        "headline": page.headline or _OVERALL[overall],
        "groups": [
            (name, list(items))
            for name, items in groupby(sorted(components, key=lambda c: (c.group, c.position)), lambda c: c.group)
        ],
        "current": [n for n in notices if not n.is_over and n.state != Notice.State.SCHEDULED],
        "planned": [n for n in notices if n.state == Notice.State.SCHEDULED],
        "past": [n for n in notices if n.is_over and n.starts_at > now - HISTORY],
    }


@login_not_required
@require_GET
def show(request: HttpRequest, slug: str) -> HttpResponse:
    """The page for people."""
    page = _public(slug)
    if page is None:
        return answer(request, NotFound("There is no such status page."))
    response = render(request, "statuspage/page.html", summary(page))
    response["Cache-Control"] = "public, max-age=30"
    return response


@login_not_required
@require_GET
def as_json(request: HttpRequest, slug: str) -> HttpResponse:
    """The page for machines."""
    page = _public(slug)
    if page is None:
        return answer(request, NotFound("There is no such status page."))
    said = summary(page)
    body = {
        "page": {"name": page.name, "slug": page.slug},
        "status": said["overall"],
        "headline": said["headline"],
        "components": [
            {"name": c.name, "group": group, "status": c.state}
            for group, components in said["groups"]
            for c in components
        ],
        "notices": [_notice(n) for n in (*said["current"], *said["planned"], *said["past"])],
    }
    response = JsonResponse(body)
    response["Cache-Control"] = "public, max-age=30"
    return response


def _notice(notice: Notice) -> dict[str, Any]:
    return {
        "title": notice.title,
        "status": notice.state,
        "starts_at": notice.starts_at.isoformat(),
        "ends_at": notice.ends_at.isoformat() if notice.ends_at else None,
        "components": [c.name for c in notice.components.all()],
        "updates": [{"status": u.state, "text": u.text, "at": u.at.isoformat()} for u in notice.updates.all()],
    }

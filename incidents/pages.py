"""The door a page opens: one screen, one button, no log-in. GET shows, POST acts (security S12)."""

from __future__ import annotations

from datetime import datetime

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from incidents import actions, senders
from incidents.models import Escalation, Incident, Page
from supportdesk import instants, links
from supportdesk.errors import DeskError, NotFound
from supportdesk.web.errors import answer

_VERBS = {"acknowledge": actions.acknowledge, "escalate": actions.escalate}


def _answer_by(incident: Incident) -> datetime | None:
    """When the customer was promised a person's words, while that is still to come."""
    waiting = incident.clocks.filter(kind="first_response", satisfied_at=None).order_by("-cycle").first()
    return waiting.due_at if waiting else None


@login_not_required
@require_http_methods(["GET", "POST"])
def show(request: HttpRequest, token: str) -> HttpResponse:
    """What rang, and the button that stops it. A link scanner that only reads changes nothing."""
    read = links.read_page_token(token)
    page = (
        Page.objects.select_related("incident__organization", "incident__service", "incident__reporter", "user")
        .filter(pk=read[0], user_id=read[1])
        .first()
        if read
        else None
    )
    if page is None:
        return answer(request, NotFound("This link is no longer valid. Please use the console, or answer the phone."))
    try:
        actor = senders.page_actor(page, "link")
        if request.method == "POST":
            verb = _VERBS.get(request.POST.get("verb", ""))
            if verb is None:
                raise NotFound("There is no such verb.")
            verb(page.incident_id, actor=actor)
            return redirect("page", token)
    except DeskError as error:
        return answer(request, error)
    escalation = Escalation.objects.filter(incident=page.incident).first()
    context = {
        "page": page,
        "incident": page.incident,
        "token": token,
        "now": instants.now(),
        "answer_by": _answer_by(page.incident),
        "next_at": escalation.next_at if escalation and escalation.status == "triggered" else None,
        "is_mine": page.incident.acknowledged_by_id is not None and page.incident.acknowledged_by_id == page.user_id,
    }
    response = render(request, "console/page.html", context)
    response["Cache-Control"] = "no-store"
    response["Referrer-Policy"] = "same-origin"  # no-referrer makes browsers send the form from origin "null": refused
    return response

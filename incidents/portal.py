"""The customers' door: report, read, answer, confirm. Each organization sees its own and nothing else."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.views.decorators.http import require_GET, require_POST

from incidents import actions
from incidents.actions.commanding import SCORES
from incidents.boards import customers, promises
from incidents.boards import incident as incident_board
from incidents.forms import ReportForm
from incidents.models import Component, Incident
from incidents.models.incident import Source
from incidents.status_pages import access
from supportdesk import instants
from supportdesk.actors import Actor
from supportdesk.errors import NotFound
from supportdesk.integrations import endpoints
from supportdesk.organizations.models import Contact
from supportdesk.web.doors import door
from supportdesk.web.pages import page

_MOST_RUNNING = 10  # open incidents whose clocks the plan page shows


def _contact(actor: Actor) -> Contact:
    contact = (
        Contact.objects.select_related("organization__calendar", "organization__account_manager")
        .filter(pk=actor.contact_id, is_active=True)
        .first()
    )
    if contact is None:
        raise NotFound("This account belongs to no customer. Please ask your account manager.")
    return contact


@require_GET
@door("portal", customer=True)
def home(request: HttpRequest, actor: Actor) -> HttpResponse:
    """What is open, what they can count on, and the one big button."""
    organization, now = _contact(actor).organization, instants.now()
    incidents = Incident.objects.visible_to(actor).prefetch_related("clocks")
    context = customers.promised(organization, now) | {
        "section": "home",
        "organization": organization,
        "open_incidents": [_with_next(one, now) for one in incidents.open()[:20]],
        "private_pages": access.private_pages_of(organization),
        "components": Component.objects.filter(page__is_public=True, is_shown=True)[:12],
    }
    return page(request, "portal/home.html", context, {"open": "portal/_open.html"})


def _with_next(incident: Incident, now: Any) -> Incident:
    waiting = [
        c.due_at
        for c in incident.clocks.all()
        if c.kind in ("next_update", "first_response") and c.satisfied_at is None and c.due_at
    ]
    incident.next_word_at = min(waiting, default=None)  # type: ignore[attr-defined]
    return incident


@require_GET
@door("portal", customer=True)
def list_incidents(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Everything this organization ever reported, newest first."""
    incidents = Incident.objects.visible_to(actor).select_related("service")[:200]
    return page(
        request,
        "portal/incidents.html",
        {"section": "incidents", "organization": _contact(actor).organization, "incidents": incidents},
    )


@door("portal", customer=True)
def report(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Report an emergency."""
    contact, now = _contact(actor), instants.now()
    organization = contact.organization
    form = ReportForm(
        request.POST or None, organization=organization, initial={"request_key": secrets.token_urlsafe(12)}
    )
    if request.method == "POST" and form.is_valid():
        incident = actions.report(form.report(Source.PORTAL, contact), actor=actor)
        return redirect("portal:incident", incident.pk)
    context = customers.promised(organization, now) | {"section": "report", "organization": organization, "form": form}
    return page(request, "portal/report.html", context)


@require_GET
@door("portal", customer=True)
def show_incident(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    """One incident, in the customer's words: what we do, when they hear from us next."""
    incident = (
        Incident.objects.visible_to(actor)
        .select_related("organization", "service", "reporter", "owner")
        .filter(pk=pk)
        .first()
    )
    if incident is None:
        raise NotFound("There is no such incident.")
    context = incident_board.page(incident, actor, instants.now()) | {
        "section": "incidents",
        "organization": incident.organization,
        "survey_scores": [(score, word.rstrip(".")) for score, word in SCORES.items()],
    }
    fragments = {name: f"portal/_{name}.html" for name in ("state", "timeline")}
    return page(request, "portal/incident.html", context, fragments)


Verb = Callable[[int, Actor, QueryDict], Any]

VERBS: dict[str, Verb] = {
    "message": lambda pk, actor, said: actions.write_message(pk, actor=actor, text=said.get("text", "")),
    "confirm": lambda pk, actor, said: actions.confirm(pk, actor=actor, text=said.get("text", "")),
    "dispute": lambda pk, actor, said: actions.dispute_severity(pk, actor=actor, text=said.get("text", "")),
    "survey": lambda pk, actor, said: actions.answer_survey(
        pk, actor=actor, score=said.get("score", ""), text=said.get("text", "")
    ),
    "reopen": lambda pk, actor, said: actions.reopen(pk, actor=actor, reason=said.get("reason", "")),
}


@require_POST
@door("portal", customer=True)
def act(request: HttpRequest, actor: Actor, pk: int, verb: str) -> HttpResponse:
    """Press one button."""
    if verb not in VERBS:
        raise NotFound("There is no such verb.")
    VERBS[verb](pk, actor, request.POST)
    return redirect("portal:incident", pk)


@require_GET
@door("portal", customer=True)
def plan(request: HttpRequest, actor: Actor) -> HttpResponse:
    """What their contract promises, in their zone, and who they are to us."""
    organization, now = _contact(actor).organization, instants.now()
    running = promises.running(Incident.objects.visible_to(actor).open()[:_MOST_RUNNING], now)
    context = customers.detail(organization, now) | {"section": "plan", "running": running}
    context["has_webhooks"] = endpoints.is_customer_admin(actor)
    return page(request, "portal/plan.html", context)

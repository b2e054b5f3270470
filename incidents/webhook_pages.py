"""Webhook endpoints in the console: what was sent to each, what it answered, and once more."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_GET, require_POST

from supportdesk.actors import Actor
from supportdesk.errors import NotFound
from supportdesk.integrations import endpoints, kinds
from supportdesk.integrations.models import Connection
from supportdesk.integrations.webhooks import EVENT, TEST_TYPE
from supportdesk.queue.models import Delivery
from supportdesk.web.doors import door
from supportdesk.web.pages import page

SHOWN = 50


@dataclass(frozen=True, slots=True)
class Sent:
    """One event as the page shows it: what went out, and when it was tried with what answer."""

    delivery: Delivery
    event: dict[str, Any]
    body: str
    tries: list[tuple[datetime, str]]


def endpoint_of(actor: Actor, code: str) -> Connection:
    row = endpoints.visible_to(actor).filter(code=code).first()
    if row is None:
        raise NotFound("There is no such webhook.")
    return row


@require_GET
@door("console", staff=True)
def list_endpoints(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Every endpoint, and how it is doing."""
    rows = list(endpoints.visible_to(actor).order_by("organization__name", "name"))
    return page(request, "console/webhooks.html", {"section": "admin", "endpoints": rows})


@require_GET
@door("console", staff=True)
def show_endpoint(request: HttpRequest, actor: Actor, code: str) -> HttpResponse:
    """One endpoint: the last events, and every try of each."""
    endpoint = endpoint_of(actor, code)
    return page(request, "console/webhook.html", {"section": "admin", **what_was_sent(endpoint, request)})


def what_was_sent(endpoint: Connection, request: HttpRequest) -> dict[str, Any]:
    """What the page of one endpoint shows, ours and a customer's: the last events, and every try of each."""
    state = request.GET.get("state", "")
    sent = endpoint.deliveries.filter(kind__in=(EVENT, kinds.TEST)).order_by("-pk")
    shown = sent.filter(state=state) if state in Delivery.State.values else sent
    return {
        "endpoint": endpoint,
        "sent": [_sent(delivery) for delivery in shown[:SHOWN]],
        "state": state,
        "states": [("", "All"), (Delivery.State.FAILED.value, "Not taken"), (Delivery.State.PENDING.value, "Waiting")],
    }


def _sent(delivery: Delivery) -> Sent:
    event = delivery.facts.get(EVENT) or {"type": TEST_TYPE}
    tries = [(datetime.fromisoformat(one["at"]), one["words"]) for one in delivery.receipt.get("tries", [])]
    return Sent(delivery, event, json.dumps(event, indent=2, ensure_ascii=False), tries)


@require_POST
@door("console", staff=True)
def send_again(request: HttpRequest, actor: Actor, code: str, pk: int) -> HttpResponse:
    """One event once more."""
    row = endpoint_of(actor, code).deliveries.filter(pk=pk, kind=EVENT).first()
    if row is None:
        raise NotFound("There is no such event.")
    endpoints.send_again(row, actor=actor)
    messages.success(request, "On its way again. Reload in a moment to see what was answered.")
    return redirect("console:webhook", code)


@require_POST
@door("console", staff=True)
def switch(request: HttpRequest, actor: Actor, code: str) -> HttpResponse:
    """On or off."""
    endpoint = endpoint_of(actor, code)
    on = request.POST.get("on") == "1"
    endpoints.save(endpoint, actor=actor, is_enabled=on)
    messages.success(request, f"{endpoint.name} is switched {'on' if on else 'off'}.")
    return redirect("console:webhook", code)

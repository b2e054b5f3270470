"""The engineers' door to what is promised: exceptions, disputes, corrections, evidence, and what is left to do."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from incidents import actions
from incidents.boards import promises
from incidents.models import Breach, Incident
from supportdesk import instants
from supportdesk.actors import Actor
from supportdesk.errors import Invalid, NotFound
from supportdesk.web.doors import door
from supportdesk.web.pages import page

Verb = Callable[[int, Actor, QueryDict], Any]


@require_GET
@door("console", staff=True)
def show_evidence(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    """Every clock of an incident at once, every event they rest on, and whether the ledger is intact."""
    incident = Incident.objects.visible_to(actor).select_related("organization").filter(pk=pk).first()
    if incident is None:
        raise NotFound("There is no such incident.")
    context = promises.evidence_page(incident, instants.now()) | {"section": "queue"}
    return page(request, "console/evidence.html", context)


@require_GET
@door("console", staff=True)
def list_follow_ups(request: HttpRequest, actor: Actor) -> HttpResponse:
    """What managers still have to do because of an incident, and what they did lately."""
    return page(request, "console/follow_ups.html", promises.follow_ups_page(actor) | {"section": "follow-ups"})


@require_POST
@door("console", staff=True)
def finish_follow_up(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    """Say what came of one."""
    actions.finish_follow_up(pk, actor=actor, answer=request.POST.get("answer", ""))
    return redirect("console:follow-ups")


def _grant_goodwill(pk: int, actor: Actor, said: QueryDict) -> None:
    hours = _whole(said.get("hours", ""), "hours", most=24)
    expires_at = instants.now() + timedelta(hours=hours)
    actions.grant_goodwill(
        pk, actor=actor, scope=said.getlist("scope"), reason=said.get("reason", ""), expires_at=expires_at
    )


def _decide_dispute(pk: int, actor: Actor, said: QueryDict) -> None:
    if said.get("decision") not in ("uphold", "lower"):
        raise Invalid("Choose which severity holds.", field="decision")
    actions.decide_dispute(
        pk,
        actor=actor,
        uphold=said["decision"] == "uphold",
        reason=said.get("reason", ""),
        is_checked=bool(said.get("is_checked")),
    )


def _move_received(pk: int, actor: Actor, said: QueryDict) -> None:
    received_at = _local_instant(said.get("received_at", ""), "received_at")
    actions.move_received(pk, actor=actor, received_at=received_at, reason=said.get("reason", ""))


def _agree_cadence(pk: int, actor: Actor, said: QueryDict) -> None:
    minutes = _whole(said.get("minutes", ""), "minutes", most=1440)
    actions.agree_cadence(
        pk,
        actor=actor,
        minutes=minutes,
        agreement=said.get("agreement", ""),
        is_checked=bool(said.get("is_checked")),
    )


def _excuse(pk: int, actor: Actor, said: QueryDict) -> None:
    breach = _whole(said.get("breach", ""), "breach", most=2**31)
    if not Breach.objects.filter(pk=breach, incident_id=pk).exists():
        raise NotFound("This incident has no such miss.")
    actions.annotate_breach(breach, actor=actor, category=said.get("category", ""), text=said.get("text", ""))


# Buttons of the incident page; `incidents.console` presses them.
VERBS: dict[str, Verb] = {
    "goodwill": _grant_goodwill,
    "decide-dispute": _decide_dispute,
    "received": _move_received,
    "cadence": _agree_cadence,
    "excuse": _excuse,
}


def _whole(text: str, field: str, *, most: int) -> int:
    if not re.fullmatch(r"[0-9]{1,10}", text) or not 1 <= int(text) <= most:
        raise Invalid("This is not one of the choices.", field=field)
    return int(text)


def _local_instant(text: str, field: str) -> datetime:
    """What a date and time field says, in the zone the reader's pages are in."""
    try:
        said = datetime.fromisoformat(text)
    except ValueError as error:
        raise Invalid("Give a date and a time.", field=field) from error
    return timezone.make_aware(said) if said.tzinfo is None else said

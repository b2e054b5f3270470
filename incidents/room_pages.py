"""The doors of the war room and of the customer liaison: pages that work on a phone, and their buttons."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.views.decorators.http import require_GET, require_POST

from incidents import actions
from incidents.boards import liaison as liaison_board
from incidents.boards import room as room_board
from incidents.models import Incident
from incidents.war_room.drafts import BRIEFED
from supportdesk import instants
from supportdesk.actors import Actor
from supportdesk.errors import Invalid, NotFound
from supportdesk.web import unsent
from supportdesk.web.doors import door
from supportdesk.web.pages import page


@require_GET
@door("console", staff=True)
def show(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    """Roles, tasks, decisions, briefings, and what comes next by itself."""
    incident = (
        Incident.objects.visible_to(actor)
        .select_related("organization", "service", "owner")
        .filter(pk=pk, room__isnull=False)
        .first()
    )
    if incident is None:
        raise NotFound("This incident has no war room.")
    kept = unsent.take(request, f"room:{pk}")
    context = room_board.page(incident, actor, instants.now(), kept) | {"section": "queue"}
    return page(request, "console/room.html", context, {"board": "console/_room.html"})


@require_GET
@door("console", staff=True)
def show_liaison(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    """Everything said to and heard from the customer, what was agreed, and what they hear next."""
    incident = (
        Incident.objects.visible_to(actor)
        .select_related("organization__account_manager", "service", "owner", "reporter")
        .filter(pk=pk, organization__isnull=False)
        .first()
    )
    if incident is None:
        raise NotFound("There is no such incident of a customer.")
    context = liaison_board.page(incident, actor, instants.now()) | {"section": "queue"}
    return page(request, "console/liaison.html", context, {"spoken": "console/_spoken.html"})


def _number(said: QueryDict, field: str) -> int:
    text = said.get(field, "")
    if not text.isdigit() or len(text) > 18:
        raise Invalid("This is not one of the choices.", field=field)
    return int(text)


Verb = Callable[[int, Actor, QueryDict], Any]
VERBS: dict[str, Verb] = {
    "take": lambda pk, actor, said: actions.take_role(pk, actor=actor, role=said.get("role", "")),
    "give": lambda pk, actor, said: actions.hand_over_role(
        pk, actor=actor, role=said.get("role", ""), user_id=_number(said, "user")
    ),
    "leave": lambda pk, actor, said: actions.leave_role(pk, actor=actor, role=said.get("role", "")),
    "decision": lambda pk, actor, said: actions.record_decision(pk, actor=actor, text=said.get("text", "")),
    "task": lambda pk, actor, said: actions.add_task(pk, actor=actor, text=said.get("text", "")),
    "tick": lambda pk, actor, said: actions.tick_task(_number(said, "task"), actor=actor),
    "runbook": lambda pk, actor, said: actions.follow_runbook(pk, actor=actor, runbook_id=_number(said, "runbook")),
    "briefing": lambda pk, actor, said: actions.approve_briefing(
        _number(said, "briefing"),
        actor=actor,
        external_text=said.get("external_text", ""),
        is_checked=bool(said.get("is_checked")),
        **{name: said.get(name, "") for name in BRIEFED if name in said},
    ),
}


@require_POST
@door("console", staff=True)
def act(request: HttpRequest, actor: Actor, pk: int, verb: str) -> HttpResponse:
    """Press one button of the war room."""
    if verb not in VERBS:
        raise NotFound("There is no such verb.")
    with unsent.kept(request, f"room:{pk}", verb):
        VERBS[verb](pk, actor, request.POST)
    return redirect("console:room", pk)

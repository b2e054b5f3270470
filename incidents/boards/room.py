"""The war room as its page shows it: who has which role, what is to be done, what comes next by itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q

from incidents.models import Briefing, HeldRole, Incident, Prompt, Runbook, WarRoom
from incidents.war_room import briefings, seats
from incidents.war_room.drafts import BRIEFED
from incidents.war_room.roles import BOARD, REQUIRED, IncidentRole
from supportdesk.accounts.models import User
from supportdesk.actors import Actor, Role

_DECISIONS_SHOWN = 20
_LABELS = {
    "headline": "In one line",
    "effect": "Business effect",
    "cause": "Cause",
    "plan": "Plan",
    "decision": "Decision needed",
    "mood": "Customer mood",
}
PROMPT_WORDS = {
    "notice_draft": "Draft a status notice",
    "liaison": "Find a customer liaison",
    "commander": "Duty manager becomes commander, unless claimed",
    "briefing_draft": "Draft the executive briefing",
    "briefing": "Executive briefing",
    "briefing_unreviewed": "Send the briefing unreviewed",
    "roles": "Check the role board",
    "second_responder": "Offer a second responder",
    "relief": "Ask for relief",
    "hand_off": "Ask for a hand-off note",
    "verification": "Begin to verify the fix",
    "last_briefing": "Closing briefing",
    "reminder": "Ask the customer again",
    "survey": "Ask how it was",
    "archive": "Archive the channel",
}


@dataclass(frozen=True, slots=True)
class Place:
    """One place of the role board."""

    role: IncidentRole
    held: HeldRole | None
    is_you: bool
    is_required: bool


@dataclass(frozen=True, slots=True)
class Coming:
    """One prompt: what the desk does by itself, when, and what came of it."""

    label: str
    row: Prompt


def page(incident: Incident, actor: Actor, now: datetime, unsent: dict[str, Any] | None = None) -> dict[str, Any]:
    """The context of the war room's page. `unsent` is what somebody wrote and the desk refused, once."""
    briefing = briefings.waiting(incident)
    kept = unsent["said"] if unsent and unsent["form"] == "briefing" else {}
    return {
        "incident": incident,
        "room": WarRoom.objects.filter(incident=incident).first(),
        "places": places(incident, actor),
        "colleagues": User.objects.filter(is_active=True).exclude(role=Role.CUSTOMER).order_by("name"),
        "tasks": incident.tasks.select_related("runbook__runbook"),
        "decisions": incident.timeline.filter(kind="decision").order_by("-at", "-pk")[:_DECISIONS_SHOWN],
        "briefing": briefing,
        "briefing_fields": [(name, _LABELS[name], kept.get(name, briefing.facts.get(name, ""))) for name in BRIEFED]
        if briefing
        else [],
        "external_text": kept.get("external_text", briefing.external_text if briefing else ""),
        "unsent": unsent or {},
        "briefings": Briefing.objects.filter(incident=incident, state=Briefing.State.SENT),
        "may_approve": actor.role == Role.MANAGER or incident.owner_id == actor.user_id,
        "executives": incident.organization.contacts.filter(is_executive=True, is_active=True)
        if incident.organization
        else (),
        "runbooks": Runbook.objects.filter(Q(services=None) | Q(services=incident.service)).distinct(),
        "prompts": prompts(incident),
    }


def places(incident: Incident, actor: Actor) -> list[Place]:
    """The role board, in the order of the roles."""
    held = seats.held(incident)
    return [
        Place(role, row := held.get(role), row is not None and row.user_id == actor.user_id, role in REQUIRED)
        for role in BOARD
    ]


def prompts(incident: Incident) -> list[Coming]:
    """Everything planned, sent or cancelled, in order."""
    return [Coming(PROMPT_WORDS[row.kind], row) for row in incident.prompts.order_by("planned_at", "pk")]

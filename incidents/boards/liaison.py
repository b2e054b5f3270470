"""What the customer liaison needs on one page: all that was said and heard, what was agreed, who hears what, and what
was promised next (domain §1.3, §6)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from incidents import clockwork, sla
from incidents.boards import clocks, composer, timeline
from incidents.models import Incident
from incidents.timeline import CUSTOMER
from incidents.war_room import seats
from incidents.war_room.roles import IncidentRole
from supportdesk.actors import Actor
from supportdesk.integrations.lines import Lines

# What the liaison is asked before sending: who would hear this?
_KINDS = (
    ("update", "A status update"),
    ("message", "A message"),
    ("severity_changed", "Another severity"),
    ("update_late", "That an update is late"),
    ("resolved", "That it is solved"),
    ("reminder", "The question whether it works"),
    ("briefing_external", "What is approved for executives"),
)
_AGREEMENTS = ("cadence", "goodwill", "held", "dispute_decided")


@dataclass(frozen=True, slots=True)
class Readers:
    """Who hears one kind of message."""

    label: str
    names: list[str]


def page(incident: Incident, actor: Actor, now: datetime) -> dict[str, Any]:
    """The context of the liaison's page, of an incident that has a customer."""
    events = clockwork.events_of(incident)
    seen = sla.clocks(events, now) if events else ()
    told = incident.timeline.filter(visibility=CUSTOMER).order_by("at", "pk")
    keys = {f"e{pk}" for pk in told.values_list("pk", flat=True)}
    heard_by = _heard_by(incident)
    contacts = incident.organization.contacts.filter(is_active=True) if incident.organization else ()
    return {
        "incident": incident,
        "liaison": seats.holder(incident, IncidentRole.LIAISON),
        "entries": [_to_them(entry, heard_by) for entry in timeline.entries(incident, actor) if entry.key in keys],
        "first_answer": clocks.face_of(sla.ClockKind.FIRST_RESPONSE, seen, now),
        "next_update": clocks.face_of(sla.ClockKind.NEXT_UPDATE, seen, now),
        "agreements": told.filter(kind__in=_AGREEMENTS),
        "contacts": contacts,
        "notices": incident.notices.filter(is_posted=True).select_related("page"),
        "heard_by": heard_by,
    }


def _to_them(entry: timeline.Entry, heard_by: list[Readers]) -> timeline.Entry:
    """An entry with the receipts of the customer alone: what our own channels and systems got is told elsewhere."""
    theirs = {name.removesuffix(" by e-mail") for one in heard_by for name in one.names}
    return replace(entry, receipts=[receipt for receipt in entry.receipts if receipt.to in theirs])


def _heard_by(incident: Incident) -> list[Readers]:
    lines = Lines.load()
    return [Readers(label, composer.readers(incident, kind, lines)) for kind, label in _KINDS]

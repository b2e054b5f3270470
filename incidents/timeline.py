"""Writing what happened. The timeline is append-only; everything shown, sent, measured and reported is read from it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from incidents import webhooks
from incidents.models import Incident, TimelineEntry
from incidents.slack import following
from supportdesk import instants
from supportdesk.actors import Actor
from supportdesk.web import live

INTERNAL = TimelineEntry.Visibility.INTERNAL
CUSTOMER = TimelineEntry.Visibility.CUSTOMER


@dataclass(frozen=True, slots=True)
class Fact:
    """One entry to be written. `at` is when it happened, now unless known better."""

    kind: str
    text: str = ""
    visibility: str = INTERNAL
    at: datetime | None = None
    data: dict[str, Any] = field(default_factory=dict)


def record(incident: Incident, actor: Actor, *facts: Fact) -> list[TimelineEntry]:
    """Append entries and tell whoever is watching, in the caller's transaction."""
    now = instants.now()
    entries = TimelineEntry.objects.bulk_create([_entry(incident, actor, fact, now) for fact in facts])
    webhooks.publish(incident, entries)
    following.follow(incident, entries)
    live.changed("incident", incident.pk, incident.organization_id)
    return entries


def _entry(incident: Incident, actor: Actor, fact: Fact, now: datetime) -> TimelineEntry:
    return TimelineEntry(
        incident=incident,
        at=fact.at or now,
        kind=fact.kind,
        visibility=fact.visibility,
        actor=actor.name,
        actor_kind=actor.kind,
        actor_role=actor.role or "",
        user_id=actor.user_id,
        contact_id=actor.contact_id,
        via=actor.via,
        text=fact.text,
        data=fact.data,
    )


def visible(entries: Iterable[TimelineEntry], actor: Actor) -> list[TimelineEntry]:
    """The entries an actor may read: staff all, a customer only what was meant for them."""
    return [entry for entry in entries if actor.is_staff or entry.visibility == CUSTOMER]

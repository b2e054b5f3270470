"""What “search or jump to” finds: incidents by number or words, customers by name."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from django.db.models import Q, QuerySet
from django.urls import reverse

from incidents.models import Incident
from supportdesk.actors import Actor
from supportdesk.organizations.models import Organization

_INCIDENTS, _CUSTOMERS = 12, 5
_LONGEST = 100
_LONGEST_NUMBER = 18  # digits of the largest id a database can hold, at least


@dataclass(frozen=True, slots=True)
class Found:
    """One line of an answer."""

    kind: str
    label: str
    hint: str
    url: str

    def to_spec(self) -> dict[str, Any]:
        return asdict(self)


def find(asked: str, actor: Actor) -> list[Found]:
    """Incidents first, newest first; nothing for an empty question."""
    words = asked.strip()[:_LONGEST].replace("\0", "")
    if not words:
        return []
    incidents = _incidents(words, actor).select_related("organization").order_by("-received_at")[:_INCIDENTS]
    customers = Organization.objects.filter(name__icontains=words, is_hidden=False)[:_CUSTOMERS]
    return [*map(_incident, incidents), *map(_customer, customers)]


def _incidents(words: str, actor: Actor) -> QuerySet[Incident]:
    seen = Incident.objects.visible_to(actor)
    number = words.upper().removeprefix("INC-")
    if number.isascii() and number.isdigit() and len(number) <= _LONGEST_NUMBER:
        return seen.filter(pk=int(number))
    return seen.filter(Q(title__icontains=words) | Q(organization__name__icontains=words))


def _incident(row: Incident) -> Found:
    whose = row.organization.name if row.organization else "our platform"
    return Found("incident", f"{row.ref} {row.title}", whose, reverse("console:incident", args=[row.pk]))


def _customer(row: Organization) -> Found:
    return Found("customer", row.name, "customer", reverse("console:customer", args=[row.slug]))

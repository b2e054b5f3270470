"""What an incident hangs on, what hangs on it, and what it could be linked to or merged into."""

from __future__ import annotations

from typing import Any

from incidents.models import Incident
from incidents.states import Status

MOST = 40


def page(incident: Incident, can: dict[str, bool]) -> dict[str, Any]:
    """The part of the incident page about other incidents. Asks only for what a button will offer."""
    others = _others(incident) if can["link"] or can["merge"] else []
    return {
        "linked": list(incident.linked.select_related("organization").order_by("pk")),
        "masters": [one for one in others if one.master_id is None] if can["link"] else [],
        "twins": [one for one in others if one.organization_id == incident.organization_id] if can["merge"] else [],
    }


def _others(incident: Incident) -> list[Incident]:
    """Open incidents, those of the same service first."""
    rows = Incident.objects.open().exclude(status=Status.RESOLVED).exclude(pk=incident.pk).filter(is_drill=False)
    found = list(rows.select_related("organization").order_by("-received_at")[:MOST])
    return sorted(found, key=lambda one: one.service_id != incident.service_id)

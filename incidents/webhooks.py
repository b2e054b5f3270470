"""What webhook endpoints hear of incidents: the timeline's entries, as events."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from incidents.models import Incident, TimelineEntry
from supportdesk import links
from supportdesk.integrations import endpoints
from supportdesk.integrations.models import Connection

# What an entry of the timeline is called outside. Entries that are not named here are nobody else's business.
EVENTS = {
    "reported": "incident.reported",
    "acknowledged": "incident.acknowledged",
    "message": "incident.message",
    "update": "incident.update",
    "status_changed": "incident.status_changed",
    "severity_changed": "incident.severity_changed",
    "resolved": "incident.resolved",
    "confirmed": "incident.confirmed",
    "reopened": "incident.reopened",
    "cancelled": "incident.cancelled",
    "closed": "incident.closed",
    "sla_missed": "incident.promise_missed",
    "report_published": "report.published",
}
# These an organization hears of its own incidents although their words are ours: that they happened is its business.
_WITHOUT_WORDS = frozenset({"acknowledged", "status_changed", "severity_changed", "closed"})


def publish(incident: Incident, entries: Sequence[TimelineEntry]) -> None:
    """Post what just happened to whoever listens, in the caller's transaction."""
    if incident.is_drill:
        return
    for entry in entries:
        kind = EVENTS.get(entry.kind)
        if kind is None:
            continue
        endpoints.publish(
            f"entry:{entry.pk}",
            kind,
            incident.subject,
            lambda endpoint, entry=entry: _data(incident, entry, endpoint),
            organization_id=incident.organization_id,
            is_public=_is_public(entry) or entry.kind in _WITHOUT_WORDS,
        )


def _is_public(entry: TimelineEntry) -> bool:
    return entry.visibility == TimelineEntry.Visibility.CUSTOMER


def _data(incident: Incident, entry: TimelineEntry, endpoint: Connection) -> dict[str, Any]:
    """The incident as it is now, and the entry; words only for whoever may read them."""
    is_ours = endpoint.organization_id is None
    place = "console:incident" if is_ours else "portal:incident"
    return {
        "incident": {
            "ref": incident.ref,
            "id": incident.pk,
            "title": incident.title,
            "organization": incident.organization.slug if incident.organization else None,
            "service": incident.service.slug if incident.service else None,
            "severity": incident.severity,
            "status": incident.status,
            "stage": incident.stage.value,
            "received_at": incident.received_at.isoformat(),
            "resolved_at": incident.resolved_at.isoformat() if incident.resolved_at else None,
            "url": links.absolute(place, incident.pk),
        },
        "entry": {
            "id": entry.pk,
            "kind": entry.kind,
            "at": entry.at.isoformat(),
            "text": entry.text if is_ours or _is_public(entry) else "",
            "by": entry.actor if is_ours else "you" if entry.is_from_customer else "support",
        },
    }

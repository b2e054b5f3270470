"""The facts messages are made of: plain values, frozen when a message is posted."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from incidents.models import Incident
from supportdesk import links, readable
from supportdesk.localised import Moment

SPOKEN_NUMBERS = {"P1": "one", "P2": "two", "P3": "three", "P4": "four"}


def about(incident: Incident, *, zone: str = "UTC", **more: Any) -> dict[str, Any]:
    """What every message may say of an incident, with times in the reader's zone."""
    return {
        "ref": incident.ref,
        "number": incident.pk,
        "title": incident.title,
        "org": incident.organization.name if incident.organization else "our platform",
        "service": incident.service.name if incident.service else "",
        "severity": incident.severity,
        "severity_word": readable.severity(incident.severity),
        "severity_meaning": readable.severity_meaning(incident.severity),
        "spoken_severity": f"Priority {SPOKEN_NUMBERS[incident.severity]}",
        "status": incident.status,
        "description": incident.description[:500],
        "received_local": moment(incident.received_at, zone),
        "received_utc": readable.clock_time(incident.received_at, "UTC"),
        "thread": thread(incident),
        "drill": incident.is_drill,
        "late_by": "",
        "late_local": "",
        "waits": False,
        "copied": False,  # whether the reader only listens: they did not report it and cannot answer
        **more,
    }


def for_staff(incident: Incident, *, zone: str = "", **more: Any) -> dict[str, Any]:
    """The same, pointing into the console; in a channel many of us read, in the organization's zone."""
    place = {"url": links.absolute("console:incident", incident.pk), "button": "Open in the console", "for_staff": True}
    return about(incident, zone=zone or incident.zone, **place | more)


def for_customer(incident: Incident, **more: Any) -> dict[str, Any]:
    """The same, pointing into the portal, in the organization's zone."""
    place = {"url": links.absolute("portal:incident", incident.pk), "button": "Open in the portal", "for_staff": False}
    return about(incident, zone=incident.zone, **place | more)


def in_room(incident: Incident) -> dict[str, Any]:
    """Facts that point into the war room instead: where roles, tasks and briefings are."""
    return {"url": links.absolute("console:room", incident.pk), "button": "Open the war room"}


def thread(incident: Incident) -> str:
    """What all messages of an incident share.

    PagerDuty never reopens a resolved key, so a reopening gets a new one (ESC-17).
    """
    suffix = f":reopen-{incident.reopen_count}" if incident.reopen_count else ""
    return f"supportdesk-{incident.pk}{suffix}"


def moment(at: datetime, zone: str) -> Moment:
    """An instant in a zone, always with its offset: “Mon 26 Oct 09:00 (UTC+1)”. Said anew for readers elsewhere."""
    return Moment(at, zone)

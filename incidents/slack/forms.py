"""The forms Slack opens for people: what they are asked, and with what the answers begin."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from incidents import facts
from incidents.models import Incident
from incidents.models.incident import Impact, Urgency
from incidents.states import Status
from supportdesk import links
from supportdesk.integrations import kinds
from supportdesk.integrations.models import Connection
from supportdesk.organizations.models import Organization
from supportdesk.queue import outbox
from supportdesk.queue.models import Lane
from supportdesk.queue.outbox import Post

INTERVALS = (5, 10, 15, 30, 60, 120)
TOO_LATE = "Slack gave us too little time to open the form. Please press again, or use the desk: {url}"
_TOLD = (Status.INVESTIGATING, Status.IDENTIFIED, Status.MITIGATING, Status.MONITORING)


def about_update(incident: Incident) -> dict[str, Any]:
    """A status update: begins with what the customer was told last."""
    last = incident.timeline.filter(kind="update").order_by("-at", "-pk").first()
    said = last.data if last else {}
    return {
        "form": "update",
        "ref": incident.ref,
        "draft": {"state": said.get("state", ""), "doing": said.get("doing", "")},
        "statuses": [(status.value, status.value.capitalize()) for status in _TOLD],
        "intervals": [(str(minutes), f"{minutes} minutes") for minutes in INTERVALS],
        "url": facts.for_staff(incident)["url"],
    }


def about_resolving(incident: Incident) -> dict[str, Any]:
    return {"form": "resolve", "ref": incident.ref, "url": facts.for_staff(incident)["url"]}


def about_declaring(title: str, *, is_staff: bool) -> dict[str, Any]:
    """A new incident; our own people say whose it is."""
    customers = Organization.objects.filter(is_hidden=False).order_by("name") if is_staff else ()
    return {
        "form": "declare",
        "ref": "",
        "title": title,
        "organizations": [("-", "Our own platform"), *((row.slug, row.name) for row in customers)] if is_staff else [],
        "impacts": [(str(value), label) for value, label in Impact.choices],
        "urgencies": [(str(value), label) for value, label in Urgency.choices],
        "url": links.absolute("console:declare" if is_staff else "portal:report"),
    }


def open_for(
    line: Connection, user: str, channel: str, trigger: str, asked: Mapping[str, Any], about: Mapping[str, Any]
) -> None:
    """Have a form opened for somebody who has just pressed or typed: within three seconds, or not at all."""
    outbox.post(
        [
            Post(
                key=f"form:{trigger}"[:200],
                kind=kinds.FORM,
                connection=line,
                vendor="slack",
                to=channel,
                subject=f"connection:{line.pk}",
                recipient=user,
                facts={
                    **asked,
                    "text": TOO_LATE.format(url=asked["url"]),
                    "user": user,
                    "about": dict(about),
                    "token": trigger,
                    "thread": "",
                },
                lane=Lane.PAGE,
                most_attempts=1,
                secrets=("token",),
            )
        ]
    )


def whisper(line: Connection, key: str, user: str, channel: str, text: str, *, buttons: tuple[str, ...] = ()) -> None:
    """Say something to one person in a channel."""
    outbox.post(
        [
            Post(
                key=f"whisper:{key}"[:200],
                kind=kinds.WHISPER,
                connection=line,
                vendor="slack",
                to=channel,
                subject=f"connection:{line.pk}",
                recipient=user,
                facts={"text": text, "user": user, "buttons": list(buttons), "ref": "", "thread": "", "token": ""},
                most_attempts=3,
            )
        ]
    )

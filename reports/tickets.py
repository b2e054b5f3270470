"""A Jira ticket for every action item: filed when the report is published, and done where it is done."""

from __future__ import annotations

from typing import Any

from reports.models import ActionItem, PostIncidentReport
from supportdesk import links
from supportdesk.integrations.lines import Lines
from supportdesk.integrations.models import Connection
from supportdesk.queue import outbox
from supportdesk.queue.models import Lane
from supportdesk.queue.outbox import Post

SUBJECT = "action-item:"


def file(report: PostIncidentReport, lines: Lines | None = None) -> None:
    """Post a ticket for each open item that has none, in our own Jira: action items are ours, not the customer's."""
    line = (lines or Lines.load()).line("jira")
    if line is not None:
        waiting = report.action_items.filter(status=ActionItem.Status.OPEN, jira_key="").select_related("owner")
        outbox.post([_post(item, line, "action_item") for item in waiting])


def close(item: ActionItem, lines: Lines | None = None) -> None:
    """Move the ticket of an item that is no longer open."""
    line = (lines or Lines.load()).line("jira")
    if line is not None and item.jira_key:
        outbox.post([_post(item, line, "action_item_done")])


def heard(subject: str, verb: str, ticket: str) -> None:
    """What Jira says of a ticket: its key, once it is made; that it is done."""
    number = subject.removeprefix(SUBJECT)
    items = ActionItem.objects.filter(pk=int(number)) if number.isdigit() else ActionItem.objects.none()
    if verb == "ticketed":
        items.update(jira_key=ticket)
        for item in items.exclude(status=ActionItem.Status.OPEN).select_related("owner", "report__incident__service"):
            close(item)  # it was done while its ticket was still being made
    elif verb == "resolve_hint":
        items.filter(status=ActionItem.Status.OPEN).update(status=ActionItem.Status.DONE)


def _post(item: ActionItem, line: Connection, kind: str) -> Post:
    incident = item.report.incident
    said: dict[str, Any] = {
        "ref": incident.ref,
        "title": item.title,
        "kind": item.get_kind_display(),
        "due": item.due_on.isoformat() if item.due_on else "",
        "owner": item.owner.name if item.owner else "",
        "severity": incident.severity,
        "org": "",
        "service": incident.service.name if incident.service else "",
        "thread": f"{SUBJECT}{item.pk}",
        "url": links.absolute("console:incident", incident.pk),
    }
    return Post(
        key=f"{kind}:{item.pk}:{line.pk}",
        kind=kind,
        connection=line,
        vendor=line.vendor,
        to="ticket",
        subject=f"{SUBJECT}{item.pk}",
        recipient=line.name,
        facts=said,
        lane=Lane.INTEGRATIONS,
    )

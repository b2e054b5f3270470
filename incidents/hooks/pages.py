"""Answers to pages, by whatever way they came: acknowledge, escalate, hand back; and what became of a message."""

from __future__ import annotations

from incidents import senders
from incidents.actions import acknowledge, escalate, hand_back
from incidents.hooks.said import Handler
from incidents.models import Incident
from supportdesk import words
from supportdesk.actors import Actor
from supportdesk.errors import NotFound
from supportdesk.integrations.base import Reply
from supportdesk.integrations.models import Connection
from supportdesk.queue import outbox, storms
from supportdesk.queue.models import Delivery


def _acknowledge(connection: Connection, reply: Reply) -> str:
    incident, actor = senders.responder(connection, reply)
    already = incident.acknowledged_name
    acknowledge(incident.pk, actor=actor)
    with_it = _acknowledge_together(reply.data.get("delivery", ""), incident, actor)
    outbox.settle(reply.data.get("delivery", ""), "confirmed", {"answer": "acknowledged"})
    if with_it:
        return f"You have {incident.ref} and {with_it} more. Paging has stopped. Thank you."
    if already and already != actor.name:
        return f"{already} had it first; you have joined. Thank you."
    return f"You have {incident.ref}. Paging has stopped. Thank you."


def _acknowledge_together(delivery: str, incident: Incident, actor: Actor) -> int:
    """In a storm one call names several incidents, and one key takes them all. Returns how many more there were."""
    subjects = {other.subject for other in storms.sent_together(delivery)} - {incident.subject}
    for subject in sorted(subjects):
        acknowledge(int(subject.removeprefix("incident:")), actor=actor)
    return len(subjects)


def _escalate(connection: Connection, reply: Reply) -> str:
    incident, actor = senders.responder(connection, reply)
    escalate(incident.pk, actor=actor, reason=reply.text)
    outbox.settle(reply.data.get("delivery", ""), "confirmed", {"answer": "escalated"})
    return f"{incident.ref} goes to the next step now."


def _unacknowledge(connection: Connection, reply: Reply) -> str:
    incident, actor = senders.responder(connection, reply)
    hand_back(incident.pk, actor=actor)
    return f"{incident.ref} goes to the next step now."


def _repeat(connection: Connection, reply: Reply) -> str:
    delivery = Delivery.objects.filter(key=reply.data.get("delivery", "")).first()
    if delivery is None:
        raise NotFound("This page is no longer known.")
    return words.render(delivery.kind, delivery.vendor, delivery.facts)[1]


def _delivery_status(connection: Connection, reply: Reply) -> str:
    """A vendor reports how a message ended. Only a digit or a press says that somebody was reached (ESC-16)."""
    ended_unanswered = connection.vendor == "phone" and reply.data.get("final")
    failed = reply.data.get("failed") or ended_unanswered
    if failed or reply.data.get("final"):
        outbox.settle(_delivery_key(connection, reply), "failed" if failed else "confirmed", dict(reply.data))
    return ""


def _delivery_key(connection: Connection, reply: Reply) -> str:
    """The delivery a status is about; none where another line carried it, or carries it by now.

    PagerDuty never hears our delivery keys: there it is the newest trigger of the incident.
    """
    if connection.vendor != "pagerduty":
        mine = Delivery.objects.filter(key=reply.subject, connection=connection)
        return mine.values_list("key", flat=True).first() or ""
    triggers = Delivery.objects.filter(
        connection=connection, facts__thread=reply.subject, facts__action="trigger", settled_at=None
    )
    return triggers.order_by("-pk").values_list("key", flat=True).first() or ""


VERBS: dict[str, Handler] = {
    "acknowledge": _acknowledge,
    "escalate": _escalate,
    "unacknowledge": _unacknowledge,
    "repeat": _repeat,
    "delivery_status": _delivery_status,
}

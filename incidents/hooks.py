"""The door vendors come through: verify, store, answer; then apply, each thing once.

`POST /hooks/<vendor>/<code>/`. What is answered 2xx is stored. One dict maps what vendors say to our verbs.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from uuid import uuid4

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.db import transaction
from django.db.models import F
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from incidents import alerts, senders
from incidents.actions import acknowledge, escalate, hand_back, write_message
from incidents.models import Incident
from incidents.timeline import Fact, record
from supportdesk import actors, instants, words
from supportdesk.errors import DeskError, Invalid, NotFound
from supportdesk.integrations.base import BadPayload, BadSignature, Outcome, Reply, Request
from supportdesk.integrations.models import Connection
from supportdesk.queue import outbox
from supportdesk.queue.handover import wake_clock
from supportdesk.queue.models import Delivery, InboundEvent
from supportdesk.web.errors import answer

log = logging.getLogger("supportdesk.hooks")

MOST_ATTEMPTS = 3


@csrf_exempt
@login_not_required
@require_POST
def receive(request: HttpRequest, vendor: str, code: str) -> HttpResponse:
    """One call from a vendor."""
    connection = Connection.objects.filter(vendor=vendor, code=code, is_enabled=True).first()
    if connection is None:
        return answer(request, NotFound("No connection answers at this address."))
    integration, asked = outbox.build(connection), _value(request)
    try:
        replies = integration.receive(asked)
    except BadSignature as error:
        refusal = DeskError(str(error) or "The signature does not match.")
        refusal.status, refusal.code, refusal.title = (
            401,
            "bad-signature",
            "This does not come from the vendor it claims to come from",
        )
        return answer(request, refusal)
    except BadPayload as error:
        return answer(request, Invalid(error.detail, field=error.field))
    outcomes = (
        [_at_once(connection, reply) for reply in replies]
        if integration.answers_at_once
        else _later(connection, replies)
    )
    said = integration.answer(asked, outcomes)
    return HttpResponse(said.body, status=said.status, content_type=said.content_type)


def _value(request: HttpRequest) -> Request:
    """The request as an integration reads it; the address is the public one, as the vendor called it."""
    return Request(
        method=request.method or "POST",
        url=settings.PUBLIC_URL + request.get_full_path(),
        query=request.META.get("QUERY_STRING", ""),
        headers={name.lower(): value for name, value in request.headers.items()},
        body=request.body,
    )


def _later(connection: Connection, replies: list[Reply]) -> list[Outcome]:
    """Store now, apply from the queue: the vendor has its answer before anything slow happens."""
    now = instants.now()
    with transaction.atomic():
        InboundEvent.objects.bulk_create([_row(connection, reply, now) for reply in replies], ignore_conflicts=True)
        wake_clock()
    return [Outcome(reply, "ok", "") for reply in replies]


def _at_once(connection: Connection, reply: Reply) -> Outcome:
    """Somebody is on the line: store and apply in one go. The same key again gets the same answer and does nothing."""
    InboundEvent.objects.bulk_create([_row(connection, reply, instants.now())], ignore_conflicts=True)
    event = InboundEvent.objects.get(connection=connection, key=reply.key[:200])
    if event.state == InboundEvent.State.DONE:
        return Outcome(
            reply,
            "already" if event.outcome.get("result") == "ok" else event.outcome.get("result", "already"),
            event.outcome.get("text", ""),
        )
    process(event.pk)
    event.refresh_from_db()
    return Outcome(
        reply,
        event.outcome.get("result", "refused"),
        event.outcome.get("text") or "This did not work. Please use the console.",
    )


def _row(connection: Connection, reply: Reply, now: datetime) -> InboundEvent:
    """An alert said again is counted again (MON-1), so each telling has a key of its own; everything else happens
    once."""
    key = f"{reply.key[:160]}:{uuid4().hex}" if reply.verb == "alert" else reply.key[:200]
    return InboundEvent(
        connection=connection, key=key, verb=reply.verb, reply=asdict(reply), received_at=now, due_at=now
    )


def process(pk: int) -> bool:
    """Apply one stored event. A failure is counted first and tried again by the clock; the third sets it aside."""
    counted = InboundEvent.objects.filter(pk=pk, state=InboundEvent.State.STORED, attempts__lt=MOST_ATTEMPTS)
    if not counted.update(attempts=F("attempts") + 1):
        return False
    try:
        with transaction.atomic():
            event = InboundEvent.objects.select_for_update().select_related("connection").get(pk=pk)
            if event.state != InboundEvent.State.STORED:
                return False
            outcome = _apply(event.connection, Reply(**event.reply))
            event.state, event.processed_at = InboundEvent.State.DONE, instants.now()
            event.outcome = {"result": outcome.result, "text": outcome.text}
            event.save(update_fields=["state", "processed_at", "outcome"])
    except Exception as error:
        log.exception("inbound event %s", pk)
        spent = InboundEvent.objects.filter(pk=pk, attempts__gte=MOST_ATTEMPTS)
        InboundEvent.objects.filter(pk=pk).update(error=f"{type(error).__name__}: {error}"[:2000])
        spent.update(state=InboundEvent.State.QUARANTINED)
        return False
    return True


def _apply(connection: Connection, reply: Reply) -> Outcome:
    handler = VERBS.get(reply.verb)
    if handler is None:
        return Outcome(reply, "unknown", "The desk does not know what to do with this.")
    try:
        return Outcome(reply, "ok", handler(connection, reply))
    except DeskError as error:
        return Outcome(reply, "refused", error.detail)


def _acknowledge(connection: Connection, reply: Reply) -> str:
    incident, actor = senders.responder(connection, reply)
    already = incident.acknowledged_name
    acknowledge(incident.pk, actor=actor)
    outbox.settle(reply.data.get("delivery", ""), "confirmed", {"answer": "acknowledged"})
    if already and already != actor.name:
        return f"{already} had it first; you have joined. Thank you."
    return f"You have {incident.ref}. Paging has stopped. Thank you."


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
    """The delivery a status is about.

    PagerDuty never hears our delivery keys: there it is the newest trigger of the incident.
    """
    if connection.vendor != "pagerduty":
        return reply.subject
    triggers = Delivery.objects.filter(
        connection=connection, facts__thread=reply.subject, facts__action="trigger", settled_at=None
    )
    return triggers.order_by("-pk").values_list("key", flat=True).first() or ""


def _resolve_hint(connection: Connection, reply: Reply) -> str:
    """The vendor considers it resolved; only the desk resolves an incident."""
    incident = senders.incident_of(reply.subject)
    record(
        incident,
        actors.machine(connection.name, connection.vendor),
        Fact("resolve_hint", f"{connection.name} considers this resolved."),
    )
    return ""


def _message(connection: Connection, reply: Reply) -> str:
    """A customer's message in their own channel is a message on their incident."""
    contact = senders.contact_in_channel(reply.subject, reply.sender)
    incident = Incident.objects.open().filter(organization=contact.organization).order_by("-received_at").first()
    if incident is None:
        raise NotFound("There is no open incident to add this to.")
    actor = senders.contact_actor(contact, connection.vendor)
    write_message(incident.pk, actor=actor, text=reply.text, said_at=_said_at(reply))
    return f"Added to {incident.ref}."


def _said_at(reply: Reply) -> datetime | None:
    """The channel's own time of a message, where it gives one: seconds since 1970 (SLA-1)."""
    try:
        return datetime.fromtimestamp(float(reply.data.get("ts") or ""), UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _alert(connection: Connection, reply: Reply) -> str:
    incident = alerts.take(connection, reply.data["signal"])
    return incident.ref if incident else ""


VERBS: dict[str, Callable[[Connection, Reply], str]] = {
    "acknowledge": _acknowledge,
    "escalate": _escalate,
    "unacknowledge": _unacknowledge,
    "repeat": _repeat,
    "delivery_status": _delivery_status,
    "resolve_hint": _resolve_hint,
    "message": _message,
    "alert": _alert,
}

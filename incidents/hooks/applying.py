"""Doing what a stored event asks for, once."""

from __future__ import annotations

import logging

from django.db import transaction
from django.db.models import F

from incidents.hooks import counterparts, mail, monitors, pages, slack, telephone
from incidents.hooks.said import Handler, Said
from supportdesk import instants
from supportdesk.errors import DeskError
from supportdesk.integrations.base import Outcome, Reply
from supportdesk.integrations.models import Connection
from supportdesk.plain import storable
from supportdesk.queue.models import InboundEvent

log = logging.getLogger("supportdesk.hooks")

MOST_ATTEMPTS = 3
# What vendors say, in our verbs. A vendor with words of its own brings a file of this package; its verbs come in here.
VERBS: dict[str, Handler] = {
    **pages.VERBS,
    **counterparts.VERBS,
    **mail.VERBS,
    **monitors.VERBS,
    **slack.VERBS,
    **telephone.VERBS,
}


def process(pk: int) -> bool:
    """Apply one stored event. A failure is counted first and tried again by the clock; the third sets it aside."""
    counted = InboundEvent.objects.filter(pk=pk, state=InboundEvent.State.STORED, attempts__lt=MOST_ATTEMPTS)
    if not counted.update(attempts=F("attempts") + 1):
        return False
    try:
        with transaction.atomic():
            event = InboundEvent.objects.select_for_update(of=("self",)).select_related("connection").get(pk=pk)
            if event.state != InboundEvent.State.STORED:
                return False
            outcome = _apply(event.connection, Reply(**event.reply))
            event.state, event.processed_at = InboundEvent.State.DONE, instants.now()
            said = {"result": outcome.result, "text": outcome.text, "data": dict(outcome.data)}
            event.outcome = storable(said)
            event.save(update_fields=["state", "processed_at", "outcome"])
    except Exception as error:
        log.exception("inbound event %s", pk)
        spent = InboundEvent.objects.filter(pk=pk, attempts__gte=MOST_ATTEMPTS)
        InboundEvent.objects.filter(pk=pk).update(error=storable(f"{type(error).__name__}: {error}")[:2000])
        spent.update(state=InboundEvent.State.QUARANTINED)
        return False
    return True


def _apply(connection: Connection, reply: Reply) -> Outcome:
    handler = VERBS.get(reply.verb)
    if handler is None:
        return Outcome(reply, "unknown", "The desk does not know what to do with this.")
    try:
        said = handler(connection, reply)
    except DeskError as error:
        return Outcome(reply, "refused", error.detail, {"field": getattr(error, "field", "")})
    return Outcome(reply, "ok", said.text, said.data) if isinstance(said, Said) else Outcome(reply, "ok", said)

"""What vendors tell us, kept as rows before anything is done about it: by their webhooks, or by their answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from uuid import uuid4

from django.db import transaction

from supportdesk import instants
from supportdesk.integrations.base import Reply
from supportdesk.integrations.models import Connection
from supportdesk.queue.handover import wake_clock
from supportdesk.queue.models import InboundEvent


def store(connection: Connection, replies: Sequence[Reply]) -> None:
    """Keep replies for the clock to apply, each key once."""
    if not replies:
        return
    now = instants.now()
    with transaction.atomic():
        InboundEvent.objects.bulk_create([row(connection, reply, now) for reply in replies], ignore_conflicts=True)
        wake_clock()


def row(connection: Connection, reply: Reply, now: datetime) -> InboundEvent:
    """One reply as a row, unsaved.

    An alert said again is counted again (MON-1), so each telling has a key of its own; everything else happens once.
    """
    key = f"{reply.key[:160]}:{uuid4().hex}" if reply.verb == "alert" else reply.key[:200]
    return InboundEvent(
        connection=connection, key=key, verb=reply.verb, reply=asdict(reply), received_at=now, due_at=now
    )

"""What vendors tell us, kept as rows before anything is done about it: by their webhooks, or by their answers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import uuid4

from django.db import connection as database

from supportdesk import instants
from supportdesk.integrations.base import Reply
from supportdesk.integrations.models import Connection
from supportdesk.plain import storable
from supportdesk.queue.handover import CLOCK_CHANNEL
from supportdesk.queue.models import InboundEvent
from supportdesk.queue.rows import as_json, insertion

# Stored and told to the clocks in one statement, which is its own transaction where there is none: a vendor waits.
_STORE = f"WITH stored AS ({insertion(InboundEvent)}) SELECT pg_notify(%s, '')"


def store(connection: Connection, replies: Sequence[Reply]) -> None:
    """Keep replies for the clock to apply, each key once."""
    if not replies:
        return
    now = instants.now()
    with database.cursor() as cursor:
        cursor.execute(_STORE, [as_json([row(connection, reply, now) for reply in replies]), CLOCK_CHANNEL])


def key_of(reply: Reply) -> str:
    """The key a reply is kept under."""
    return str(storable(reply.key))[:200]


def row(connection: Connection, reply: Reply, now: datetime) -> InboundEvent:
    """One reply as a row, unsaved.

    An alert said again is counted again (MON-1), so each telling has a key of its own; everything else happens once.
    """
    key = f"{key_of(reply)[:160]}:{uuid4().hex}" if reply.verb == "alert" else key_of(reply)
    said = storable({name: getattr(reply, name) for name in Reply.__slots__})
    return InboundEvent(connection=connection, key=key, verb=reply.verb, reply=said, received_at=now, due_at=now)

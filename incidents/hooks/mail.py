"""Mail, whether a provider posted it or a mailbox was asked for it."""

from __future__ import annotations

import base64
from dataclasses import asdict, replace

from incidents import mailroom
from incidents.hooks.said import Handler
from supportdesk.integrations.base import Reply
from supportdesk.integrations.models import Connection
from supportdesk.queue import inbox
from supportdesk.queue.models import InboundEvent


def _mail(connection: Connection, reply: Reply) -> str:
    """Do what the mail asks for; its bytes are then forgotten here, and kept where they belong."""
    words = mailroom.take(connection, base64.b64decode(reply.data["raw"]))
    event = InboundEvent.objects.filter(connection=connection, key=inbox.key_of(reply))
    event.update(reply=asdict(replace(reply, data={})))
    return words


VERBS: dict[str, Handler] = {"mail": _mail}

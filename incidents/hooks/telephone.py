"""What callers of the emergency line, and those who are rung for them, do."""

from __future__ import annotations

from incidents import emergency_line
from incidents.hooks.said import Handler, Said
from supportdesk.integrations.base import Reply
from supportdesk.integrations.models import Connection


def _called(connection: Connection, reply: Reply) -> Said:
    return Said(*emergency_line.called(connection, reply.subject, reply.sender, _number(reply)))


def _entered(connection: Connection, reply: Reply) -> Said:
    return Said(*emergency_line.entered(reply.subject, reply.text, _number(reply)))


def _screened(connection: Connection, reply: Reply) -> Said:
    return Said(*emergency_line.screened(reply.subject))


def _taken(connection: Connection, reply: Reply) -> Said:
    return Said(*emergency_line.taken(reply.subject, int(reply.data["leg"])))


def _dialed(connection: Connection, reply: Reply) -> Said:
    return Said(*emergency_line.dialed(reply.subject, int(reply.data["leg"])))


def _recorded(connection: Connection, reply: Reply) -> Said:
    return Said(*emergency_line.recorded(reply.subject, str(reply.data["url"]), str(reply.data["seconds"])))


def _ended(connection: Connection, reply: Reply) -> str:
    emergency_line.ended(reply.subject)
    return ""


def _number(reply: Reply) -> str:
    """The number that was called: our own."""
    return str(reply.data.get("number", ""))


VERBS: dict[str, Handler] = {
    "line_called": _called,
    "line_pin": _entered,
    "line_screen": _screened,
    "line_taken": _taken,
    "line_dialed": _dialed,
    "line_recorded": _recorded,
    "line_ended": _ended,
}

"""A vendor lets the desk in no more: its managers hear of it by mail, which needs that vendor for nothing."""

from __future__ import annotations

from supportdesk import links
from supportdesk.accounts.models import User
from supportdesk.actors import Role
from supportdesk.integrations.lines import Lines
from supportdesk.integrations.models import Connection
from supportdesk.queue import outbox
from supportdesk.queue.models import Timer
from supportdesk.queue.outbox import Post

KIND = "locked_out"


def tell(timer: Timer) -> None:
    """What the queue does once for every refusal of what a connection was given: one mail to each manager.

    A mail account that is refused cannot say so itself; the auditor's own ways do.
    """
    refused = Connection.objects.filter(pk=timer.args["connection"], is_enabled=True).first()
    line = Lines.load().line("email")
    if refused is None or line is None or line.pk == refused.pk:
        return
    said = {
        "name": refused.name,
        "answer": timer.args["answer"],
        "url": links.absolute("admin:supportdesk_connection_change", refused.pk),
        "button": "Open the connection",
        "thread": f"connection-{refused.pk}",
    }
    outbox.post(
        Post(
            key=f"{timer.key}:{manager.pk}",
            kind=KIND,
            connection=line,
            vendor=line.vendor,
            to=manager.email,
            subject=timer.subject,
            recipient=manager.name,
            user_id=manager.pk,
            facts={**said, "reader": manager.name},
        )
        for manager in User.objects.filter(role=Role.MANAGER, is_active=True).exclude(email="").order_by("pk")
    )

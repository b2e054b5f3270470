"""What monitors say."""

from __future__ import annotations

from incidents.hooks.said import Handler
from incidents.monitoring import intake
from supportdesk.integrations.base import Reply
from supportdesk.integrations.models import Connection
from supportdesk.queue import outbox
from supportdesk.queue.models import Lane
from supportdesk.queue.outbox import Post


def _alert(connection: Connection, reply: Reply) -> str:
    """One signal. A vendor that repeats itself says `alert` and is counted; one that names each telling says
    `notified`, and the same name again is the same telling."""
    return intake.take(intake.Sender.over(connection), reply.data["signal"]).words


def _subscribe(connection: Connection, reply: Reply) -> str:
    """A topic asks whether we want its messages: we do, and say so from the queue of integrations."""
    post = Post(
        key=f"subscribe:{connection.pk}:{reply.key}"[:200],
        kind="subscribe",
        connection=connection,
        vendor=connection.vendor,
        to=reply.data["url"],
        subject=f"connection:{connection.pk}",
        recipient=connection.name,
        facts={"ref": connection.name, "thread": reply.subject},
        lane=Lane.INTEGRATIONS,
    )
    outbox.post([post])
    return "The subscription is being confirmed."


def _unsubscribed(connection: Connection, reply: Reply) -> str:
    """Somebody ended the subscription. The connection shows it, so that silence is not mistaken for health."""
    words = "The subscription was ended at the other side: nothing comes in here any more."
    Connection.objects.filter(pk=connection.pk).update(works=False, check_result=words)
    return words


VERBS: dict[str, Handler] = {
    "alert": _alert,
    "notified": _alert,
    "subscribe": _subscribe,
    "unsubscribed": _unsubscribed,
}

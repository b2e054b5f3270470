"""Where a connection cannot send, the one named as its fallback takes the message over: same row, same key, at once."""

from __future__ import annotations

from supportdesk import instants
from supportdesk.integrations.base import IntegrationError
from supportdesk.integrations.models import Connection
from supportdesk.queue.models import Delivery

TRIED = "lines"  # in the receipt: the connections that could not


def take_over(delivery: Delivery, error: IntegrationError) -> Delivery | None:
    """The delivery on its fallback line, to be handed over again; None where there is none, or it was tried already.

    A page moves with the first failure: a second ring is better than silence. Everything else moves when its own line
    has failed for good.
    """
    line = delivery.connection
    spent = error.permanent or delivery.attempts >= delivery.max_attempts
    if line is None or line.fallback_id is None or not (delivery.is_urgent or spent):
        return None
    tried = [*delivery.receipt.get(TRIED, []), line.pk]
    second = Connection.objects.filter(pk=line.fallback_id, is_enabled=True).exclude(pk__in=tried).first()
    if second is None or second.vendor != line.vendor:
        return None
    now = instants.now()
    mine = Delivery.objects.filter(pk=delivery.pk, attempts=delivery.attempts, state=Delivery.State.SENDING)
    moved = mine.update(
        connection=second,
        state=Delivery.State.PENDING,
        attempts=0,
        due_at=now,
        handed_at=now,
        lease_until=None,
        receipt={**delivery.receipt, TRIED: tried},
        error=f"{line.name}: {error.detail}"[:2000],
    )
    return Delivery.objects.get(pk=delivery.pk) if moved else None

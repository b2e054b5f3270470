"""One message after the other: what a reader sees in a channel comes in the order it was said.

Only where an integration asks for it, and never for pages: a page waits for nothing, and nothing waits for a page.
"""

from __future__ import annotations

from datetime import timedelta

from django.db.models import Q

from supportdesk import instants
from supportdesk.integrations.base import Integration
from supportdesk.queue.admission import PutOff
from supportdesk.queue.models import Delivery

LONGEST_BEHIND = timedelta(minutes=10)  # what has been stuck for longer holds nothing up any more
LOOK_AGAIN = timedelta(seconds=1)


def keep(delivery: Delivery, integration: Integration) -> None:
    """Raises `PutOff` while an earlier message of this thread to this place is on its way or waits for a new try."""
    if delivery.is_urgent or not integration.keeps_order:
        return
    now = instants.now()
    earlier = Delivery.objects.filter(
        connection=delivery.connection,
        to=delivery.to,
        subject=delivery.subject,
        state__in=Delivery.OPEN,
        is_urgent=False,
    )
    started = Q(attempts__gt=0) | Q(due_at__lte=now)
    if earlier.filter(started, pk__lt=delivery.pk, planned_at__gt=now - LONGEST_BEHIND).exists():
        raise PutOff(now + LOOK_AGAIN, "an earlier message to the same place has not arrived yet")

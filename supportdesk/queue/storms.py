"""Storms: many incidents page one person at once. Their telephone rings once and names all of them (reliability F25).

The first page of every incident goes out alone and at once. What follows it (the call a minute later, the next step) is
gathered once somebody has had five pages in five minutes by the same way: one message, at most every ninety seconds.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db.models import F, Max

from supportdesk import instants, integrations
from supportdesk.integrations import kinds
from supportdesk.queue import admission
from supportdesk.queue.admission import PutOff
from supportdesk.queue.models import Delivery

WORDS = "storm"  # templates/messages/storm.*
WINDOW = timedelta(minutes=5)
PAGES = 5  # by one way to one person within the window: from then on it is a storm
SPACING = timedelta(seconds=90)  # between two messages of a storm: ten in a quarter of an hour
MOST_TOGETHER = 50
NAMED = 5  # incidents said by name


def gather(delivery: Delivery, lease: timedelta) -> list[Delivery]:
    """The other pages this one takes along, leased with it; none outside a storm. Raises `PutOff`
    while the last message of the storm is too fresh.
    """
    if not _may_be_gathered(delivery):
        return []
    now = instants.now()
    recent = _same_way(delivery).filter(sent_at__gt=now - WINDOW)
    last = recent.aggregate(last=Max("sent_at"))["last"]
    if last is None or recent.count() < PAGES:
        return []
    if last + SPACING > now:
        raise PutOff(last + SPACING, "several incidents page this person: the next call names all of them")
    due = _same_way(delivery).filter(state=Delivery.State.PENDING, planned_at__lte=now).exclude(pk=delivery.pk)
    waiting = [row.pk for row in due.order_by("planned_at", "pk") if _may_be_gathered(row)][:MOST_TOGETHER]
    taken = []
    for pk in waiting:  # one by one: another worker may be faster with any of them
        mine = Delivery.objects.filter(pk=pk, state=Delivery.State.PENDING)
        if mine.update(state=Delivery.State.SENDING, attempts=F("attempts") + 1, lease_until=now + lease):
            taken.append(Delivery.objects.select_related("connection").get(pk=pk))
    return taken


def _same_way(delivery: Delivery) -> Any:
    """Pages to the same address over the same connection."""
    return Delivery.objects.filter(kind=kinds.PAGE, connection_id=delivery.connection_id, to=delivery.to)


def _may_be_gathered(delivery: Delivery) -> bool:
    return (
        delivery.kind == kinds.PAGE
        and delivery.connection is not None
        and integrations.get(delivery.vendor).gathers
        and not admission.is_first_page(delivery)
    )


def facts(delivery: Delivery, others: list[Delivery]) -> dict[str, Any]:
    """What the words of a gathered page are made of."""
    every = sorted([delivery, *others], key=lambda row: row.planned_at)
    refs = list(dict.fromkeys(str(row.facts.get("ref", "")) for row in every))
    named = [
        f"{row.facts.get('severity', '')} {row.facts.get('ref', '')} {row.facts.get('title', '')}"[:60]
        for row in every[:NAMED]
    ]
    return {
        **delivery.facts,
        "count": len(refs),
        "named": "; ".join(named),
        "more": max(len(refs) - NAMED, 0),
        "queue_url": f"{settings.PUBLIC_URL}/console/",
    }


def sent_together(key: str) -> list[Delivery]:
    """The other pages that left in the same message as this one and have not ended."""
    one = Delivery.objects.filter(key=key).exclude(vendor_id="").first()
    if one is None or one.kind != kinds.PAGE or one.sent_at is None:
        return []
    same = Delivery.objects.filter(vendor=one.vendor, vendor_id=one.vendor_id, to=one.to, settled_at=None)
    return list(same.exclude(pk=one.pk))

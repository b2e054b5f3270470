"""Histograms for /metrics, added up from the rows calls leave. One process at a time adds, and it is never a sender."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import connection, transaction

from supportdesk.auditor.models import Tally
from supportdesk.integrations.calls import VendorCall

BOUNDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0)
CALLS_KEPT = timedelta(days=1)
_LOCK = 0x5D_A0D17  # advisory: two auditors do not count the same call twice

_UNCOUNTED = """
UPDATE supportdesk_vendorcall SET is_counted = true
 WHERE id IN (SELECT id FROM supportdesk_vendorcall WHERE NOT is_counted ORDER BY id LIMIT 20000)
RETURNING vendor, lane, outcome, seconds, due_to_claimed, claimed_to_sent
"""

Key = tuple[str, tuple[tuple[str, str], ...]]


def add_up() -> int:
    """Count every call that is not counted yet. Returns how many."""
    seen: dict[Key, list[float]] = defaultdict(list)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
        cursor.execute(_UNCOUNTED)
        rows = cursor.fetchall()
        for vendor, lane, outcome, seconds, due_to_claimed, claimed_to_sent in rows:
            seen["vendor_call", (("outcome", outcome), ("vendor", vendor))].append(seconds)
            if due_to_claimed is not None:
                seen["due_to_claimed", (("lane", lane),)].append(due_to_claimed)
                seen["claimed_to_sent", (("lane", lane),)].append(claimed_to_sent)
        for (name, labels), values in seen.items():
            _add(name, dict(labels), values)
    return len(rows)


def _add(name: str, labels: dict[str, str], values: Iterable[float]) -> None:
    row, _ = Tally.objects.get_or_create(name=name, labels=labels, defaults={"buckets": [0] * (len(BOUNDS) + 1)})
    for value in values:
        row.buckets[bisect_left(BOUNDS, value)] += 1
        row.count += 1
        row.total += value
    row.save(update_fields=["buckets", "count", "total"])


def forget(now: datetime) -> None:
    """Calls older than a day: they are counted."""
    VendorCall.objects.filter(at__lt=now - CALLS_KEPT, is_counted=True).delete()

"""The clock: claims what is due and hands it to the clusters; does urgent work itself when no worker has taken it.

Any number of clocks may run: rows are claimed with SKIP LOCKED, so each is handed over once. The database's clock
decides what is due (reliability F13).
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection, transaction

from supportdesk import instants
from supportdesk.queue import outbox, timers
from supportdesk.queue.handover import hand_over
from supportdesk.queue.models import Delivery, InboundEvent, Lane, Timer

log = logging.getLogger("supportdesk.queue")

BATCH = 500
LONGEST_SLEEP = 1.0
RUN_TIMER = "supportdesk.queue.timers.run"
# An urgent row that no worker has taken so long after it was handed over is done by the clock itself.
PATIENCE = timedelta(seconds=2)
INBOUND_BATCH = 200

_CLAIM_TIMERS = """
UPDATE supportdesk_timer AS timer
SET state = 'handed', attempts = attempts + 1, handed_at = %(now)s, lease_until = %(lease)s
FROM (
    SELECT id FROM supportdesk_timer WHERE state = 'armed' AND due_at <= %(now)s
    ORDER BY due_at LIMIT %(batch)s FOR UPDATE SKIP LOCKED
) AS due
WHERE timer.id = due.id RETURNING timer.id, timer.attempts, timer.lane
"""
_CLAIM_DELIVERIES = """
UPDATE supportdesk_delivery AS delivery SET handed_at = %(now)s
FROM (
    SELECT id FROM supportdesk_delivery
    WHERE state = 'pending' AND due_at <= %(now)s
      AND (handed_at IS NULL OR handed_at < %(stale)s)
    ORDER BY is_urgent DESC, due_at LIMIT %(batch)s FOR UPDATE SKIP LOCKED
) AS due
WHERE delivery.id = due.id RETURNING delivery.key, delivery.lane
"""
_TAKE_BACK_TIMERS = """
UPDATE supportdesk_timer SET
    state = CASE WHEN attempts >= %(most)s THEN 'quarantined' ELSE 'armed' END,
    error = CASE WHEN error = '' THEN 'the worker went away' ELSE error END
WHERE state = 'handed' AND lease_until <= %(now)s
"""
_TAKE_BACK_DELIVERIES = """
UPDATE supportdesk_delivery SET
    state = CASE WHEN attempts >= max_attempts THEN 'failed' ELSE 'pending' END,
    settled_at = CASE WHEN attempts >= max_attempts THEN %(now)s ELSE NULL END,
    handed_at = NULL, lease_until = NULL, due_at = %(now)s, receipt = receipt || '{"ambiguous": true}',
    error = 'the worker went away while sending'
WHERE state = 'sending' AND lease_until <= %(now)s
"""
# A task handed to a cluster can be lost with its broker; the row offers it again after this long.
_OFFER_AGAIN = timedelta(seconds=120)
_NEXT = """
SELECT min(at) FROM (
    SELECT min(due_at) AS at FROM supportdesk_timer WHERE state = 'armed'
    UNION ALL SELECT min(due_at) FROM supportdesk_delivery WHERE state = 'pending' AND handed_at IS NULL
    UNION ALL SELECT min(lease_until) FROM supportdesk_timer WHERE state = 'handed'
    UNION ALL SELECT min(lease_until) FROM supportdesk_delivery WHERE state = 'sending'
) AS upcoming
"""


def tick(now: datetime | None = None, *, run: Callable[[Callable[[], Any]], Any] | None = None) -> int:
    """One round: claim and hand over what is due, take back what was dropped. Returns how many rows moved.

    `run` executes work the clock does itself (a thread pool in the process, at once in tests).
    """
    now = now or database_now()
    moved = _take_back(now)
    moved += _hand_over_timers(now)
    moved += _hand_over_deliveries(now)
    moved += _hand_over_inbound(now)
    if run is not None:
        moved += _do_neglected(now, run)
    return moved


def database_now() -> datetime:
    """What time it is by the database, or by the test's stopped clock."""
    if (frozen := instants.frozen()) is not None:
        return frozen
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        return cursor.fetchone()[0]


def next_due() -> datetime | None:
    """The earliest instant at which a row wants attention, or None."""
    with connection.cursor() as cursor:
        cursor.execute(_NEXT)
        return cursor.fetchone()[0]


def beat(name: str, now: datetime, count: int) -> None:
    """Record completed work under a name."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO supportdesk_heartbeat (name, at, count, detail) VALUES (%s, %s, %s, '{}') "
            "ON CONFLICT (name) DO UPDATE SET at = EXCLUDED.at, count = supportdesk_heartbeat.count + EXCLUDED.count",
            [name, now, count],
        )


def _take_back(now: datetime) -> int:
    with connection.cursor() as cursor:
        cursor.execute(_TAKE_BACK_TIMERS, {"now": now, "most": timers.MOST_ATTEMPTS})
        moved = cursor.rowcount
        cursor.execute(_TAKE_BACK_DELIVERIES, {"now": now})
        return moved + cursor.rowcount


def _hand_over_timers(now: datetime) -> int:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_CLAIM_TIMERS, {"now": now, "lease": now + timers.LEASE, "batch": BATCH})
        claimed = cursor.fetchall()
        for lane in {row[2] for row in claimed}:
            hand_over(lane, RUN_TIMER, [(pk, attempt) for pk, attempt, row_lane in claimed if row_lane == lane])
    return len(claimed)


def _hand_over_deliveries(now: datetime) -> int:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_CLAIM_DELIVERIES, {"now": now, "stale": now - _OFFER_AGAIN, "batch": BATCH})
        claimed = cursor.fetchall()
        for lane in {row[1] for row in claimed}:
            hand_over(lane, outbox.DELIVER, [(key,) for key, row_lane in claimed if row_lane == lane])
    return len(claimed)


def _hand_over_inbound(now: datetime) -> int:
    """Inbound events are handed over in batches; whoever processes them claims them again one by one."""
    with transaction.atomic():
        waiting = list(
            InboundEvent.objects.select_for_update(skip_locked=True)
            .filter(state=InboundEvent.State.STORED, attempts__lt=timers.MOST_ATTEMPTS, due_at__lte=now)
            .order_by("pk")
            .values_list("pk", flat=True)[:INBOUND_BATCH]
        )
        if waiting:
            InboundEvent.objects.filter(pk__in=waiting).update(due_at=now + timers.LEASE)
            hand_over(Lane.SLA, settings.INBOUND_TASK, [(waiting,)])
    return len(waiting)


def _do_neglected(now: datetime, run: Callable[[Callable[[], Any]], Any]) -> int:
    """Urgent work that was handed over and not taken: the clock does it, through the same functions; the claim
    decides."""
    late = now - PATIENCE
    keys = Delivery.objects.filter(state=Delivery.State.PENDING, is_urgent=True, handed_at__lt=late, due_at__lte=now)
    stuck = Timer.objects.filter(state=Timer.State.HANDED, lane=Lane.SLA, handed_at__lt=late, lease_until__gt=now)
    work: list[Callable[[], Any]] = [_call(outbox.deliver, key) for key in keys.values_list("key", flat=True)[:50]]
    work += [_call(timers.run, *row) for row in stuck.values_list("pk", "attempts")[:100]]
    for job in work:
        run(job)
    return len(work)


def _call(function: Callable[..., Any], *args: Any) -> Callable[[], Any]:
    return lambda: function(*args)


def record_beat(moved: int) -> None:
    """The clock's own heartbeat."""
    beat("clock", database_now(), moved)

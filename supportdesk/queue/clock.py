"""The clock: claims what is due and hands it to the clusters; does urgent work itself when no worker has taken it.

Any number of clocks may run: rows are claimed with SKIP LOCKED, so each is handed over once. The database's clock
decides what is due, a monotonic clock when a lease is over (reliability F13).
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.models import F

from supportdesk import instants
from supportdesk.queue import outbox, timers
from supportdesk.queue.handover import hand_over
from supportdesk.queue.leases import Leases
from supportdesk.queue.models import Delivery, InboundEvent, Lane, Timer

log = logging.getLogger("supportdesk.queue")

BATCH = 500
RUN_TIMERS = "supportdesk.queue.timers.run"
# A burst is handed over in tasks of several rows: a task costs more than the claim of a row. One that failed before
# goes alone, so that nobody else is counted when it kills its worker.
MOST_IN_A_TASK = 20
TASKS_IN_A_ROUND = 8
# An urgent row that no worker has taken so long after it was handed over is done by the clock itself.
PATIENCE = timedelta(seconds=2)
# A task handed to a cluster can be lost with its broker; the row is offered again after this long.
OFFER_AGAIN = timedelta(seconds=120)
INBOUND_BATCH = 200
# What the clock does itself at any moment: so many at most, and not all of them with one vendor that hangs.
MOST_AT_ONCE, MOST_WITH_ONE_VENDOR = 8, 3

# Materialized: a planner that ran the limited question again for each row would claim more than it returns. Ordered at
# the end, because an UPDATE returns its rows as it finds them, and what was due first is to be handed over first.
_CLAIM_TIMERS = """
WITH due AS MATERIALIZED (
    SELECT id FROM supportdesk_timer WHERE state = 'armed' AND due_at <= %(now)s
    ORDER BY due_at LIMIT %(batch)s FOR UPDATE SKIP LOCKED
), claimed AS (
    UPDATE supportdesk_timer AS timer SET state = 'handed', handed_at = %(now)s, lease_until = NULL
    FROM due WHERE timer.id = due.id RETURNING timer.*
)
SELECT id, lane, attempts FROM claimed ORDER BY due_at, id
"""
_CLAIM_DELIVERIES = """
WITH due AS MATERIALIZED (
    SELECT id FROM supportdesk_delivery WHERE state = 'pending' AND due_at <= %(now)s AND handed_at IS NULL
    ORDER BY is_urgent DESC, due_at LIMIT %(batch)s FOR UPDATE SKIP LOCKED
), claimed AS (
    UPDATE supportdesk_delivery AS delivery SET handed_at = %(now)s
    FROM due WHERE delivery.id = due.id RETURNING delivery.*
)
SELECT key, lane FROM claimed ORDER BY is_urgent DESC, due_at, id
"""
_LOOK = """
SELECT statement_timestamp(),
    (SELECT min(due_at) FROM supportdesk_timer WHERE state = 'armed'),
    (SELECT min(due_at) FROM supportdesk_delivery WHERE state = 'pending' AND handed_at IS NULL),
    (SELECT min(due_at) FROM supportdesk_inboundevent WHERE state = 'stored'),
    EXISTS (SELECT FROM supportdesk_timer WHERE state = 'handed')
        OR EXISTS (SELECT FROM supportdesk_delivery WHERE state = 'sending')
        OR EXISTS (SELECT FROM supportdesk_delivery WHERE state = 'pending' AND handed_at IS NOT NULL)
        OR EXISTS (SELECT FROM supportdesk_inboundevent WHERE state = 'stored' AND attempts > 0)
"""
_NEXT_LEASE = """
SELECT min(at) FROM (
    SELECT min(lease_until) AS at FROM supportdesk_timer WHERE state = 'handed'
    UNION ALL SELECT min(lease_until) FROM supportdesk_delivery WHERE state = 'sending'
) AS upcoming
"""
_OFFER_TIMERS_AGAIN = """
UPDATE supportdesk_timer SET state = 'armed'
WHERE id IN (
    SELECT id FROM supportdesk_timer WHERE state = 'handed' AND lease_until IS NULL AND handed_at < %(stale)s
    FOR UPDATE SKIP LOCKED
)
"""
_OFFER_DELIVERIES_AGAIN = """
UPDATE supportdesk_delivery SET handed_at = NULL
WHERE id IN (
    SELECT id FROM supportdesk_delivery WHERE state = 'pending' AND handed_at < %(stale)s FOR UPDATE SKIP LOCKED
)
"""


@dataclass(frozen=True, slots=True)
class View:
    """What the rows say: the time by the database, the next instant of each kind of work, and whether any is open."""

    now: datetime
    timer: datetime | None
    delivery: datetime | None
    inbound: datetime | None
    is_under_way: bool  # something was handed over and is not finished: a sweep may find it dropped

    @property
    def upcoming(self) -> datetime | None:
        return min(filter(None, (self.timer, self.delivery, self.inbound)), default=None)


@dataclass
class Watch:
    """What one clock process remembers between its rounds: the leases it has seen."""

    timers: Leases = field(default_factory=lambda: Leases(timers.LEASE))
    deliveries: Leases = field(default_factory=lambda: Leases(outbox.LEASE))


class Hands:
    """The work a clock does itself, in threads: bounded, never the same thing twice, never all with one vendor."""

    def __init__(self, submit: Callable[[Callable[[], Any]], Any]) -> None:
        self._submit = submit
        self._busy: dict[Hashable, str] = {}

    def do(self, name: Hashable, vendor: str, work: Callable[[], Any]) -> bool:
        """Begin, unless both hands are full. True if it was begun."""
        busy = dict(self._busy)
        if name in busy or len(busy) >= MOST_AT_ONCE or Counter(busy.values())[vendor] >= MOST_WITH_ONE_VENDOR:
            return False
        self._busy[name] = vendor
        self._submit(lambda: self._do(name, work))
        return True

    def _do(self, name: Hashable, work: Callable[[], Any]) -> None:
        try:
            work()
        finally:
            self._busy.pop(name, None)


_watch = Watch()


def tick() -> int:
    """One whole round, with whatever is to be swept. Returns how many rows moved."""
    view = look()
    return hand_over_due(view) + sweep(view.now, _watch)


def look() -> View:
    """What time it is by the database (or the test's stopped clock), and what comes next, in one statement."""
    with connection.cursor() as cursor:
        cursor.execute(_LOOK)
        now, *upcoming = cursor.fetchone()
    return View(instants.frozen() or now, *upcoming)


def hand_over_due(view: View) -> int:
    """Give everything that is due to the clusters. Returns how many rows moved."""
    moved, now = 0, view.now
    if view.timer is not None and view.timer <= now:
        moved += _hand_over_timers(now)
    if view.delivery is not None and view.delivery <= now:
        moved += _hand_over_deliveries(now)
    if view.inbound is not None and view.inbound <= now:
        moved += _hand_over_inbound(now)
    return moved


def sweep(now: datetime, watch: Watch, hands: Hands | None = None) -> int:
    """Take back what was dropped, offer again what was lost, and do urgent work nobody took. Once a second is enough.

    `hands` does the clock's own work; without it the clock only hands over.
    """
    moved = _take_back(now, watch) + _offer_again(now)
    if hands is not None:
        moved += _do_neglected(now, hands)
    return moved


def database_now() -> datetime:
    """What time it is by the database, or by the test's stopped clock."""
    if (frozen := instants.frozen()) is not None:
        return frozen
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        return cursor.fetchone()[0]


def next_due() -> datetime | None:
    """The earliest instant at which a row wants attention, the end of a lease included; None where none does."""
    with connection.cursor() as cursor:
        cursor.execute(_NEXT_LEASE)
        (lease,) = cursor.fetchone()
    return min(filter(None, (lease, look().upcoming)), default=None)


def beat(name: str, now: datetime, count: int) -> None:
    """Record completed work under a name."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO supportdesk_heartbeat (name, at, count, detail) VALUES (%s, %s, %s, '{}') "
            "ON CONFLICT (name) DO UPDATE SET at = EXCLUDED.at, count = supportdesk_heartbeat.count + EXCLUDED.count",
            [name, now, count],
        )


def _take_back(now: datetime, watch: Watch) -> int:
    held = Timer.objects.filter(state=Timer.State.HANDED, lease_until__isnull=False)
    gone = watch.timers.over(held.values_list("pk", "attempts", "lease_until"), now)
    moved = timers.take_back(gone) if gone else 0
    sending = Delivery.objects.filter(state=Delivery.State.SENDING, lease_until__isnull=False)
    lost = watch.deliveries.over(sending.values_list("pk", "attempts", "lease_until"), now)
    return moved + sum(outbox.take_back(pk, attempt) for pk, attempt in lost)


def _offer_again(now: datetime) -> int:
    """Rows whose task vanished with its broker; and inbound events that killed their worker three times."""
    with connection.cursor() as cursor:
        cursor.execute(_OFFER_TIMERS_AGAIN, {"stale": now - OFFER_AGAIN})
        moved = cursor.rowcount
        cursor.execute(_OFFER_DELIVERIES_AGAIN, {"stale": now - OFFER_AGAIN})
        moved += cursor.rowcount
    spent = InboundEvent.objects.filter(
        state=InboundEvent.State.STORED, attempts__gte=timers.MOST_ATTEMPTS, due_at__lte=now
    )
    return moved + spent.update(state=InboundEvent.State.QUARANTINED, error="the worker went away while processing it")


def _hand_over_timers(now: datetime) -> int:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_CLAIM_TIMERS, {"now": now, "batch": BATCH})
        claimed = cursor.fetchall()
        for lane in dict.fromkeys(row[1] for row in claimed):
            fresh = [pk for pk, row_lane, attempts in claimed if row_lane == lane and not attempts]
            again = [pk for pk, row_lane, attempts in claimed if row_lane == lane and attempts]
            hand_over(lane, RUN_TIMERS, [(ids,) for ids in [*_shares(fresh), *([pk] for pk in again)]])
    return len(claimed)


def _shares(ids: Sequence[int]) -> list[Sequence[int]]:
    """What is due at once, divided among tasks: alone when there is little, by the dozen in a burst."""
    size = min(max(len(ids) // TASKS_IN_A_ROUND, 1), MOST_IN_A_TASK)
    return [ids[start : start + size] for start in range(0, len(ids), size)]


def _hand_over_deliveries(now: datetime) -> int:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_CLAIM_DELIVERIES, {"now": now, "batch": BATCH})
        claimed = cursor.fetchall()
        for lane in dict.fromkeys(row[1] for row in claimed):
            hand_over(lane, outbox.DELIVER, [(key,) for key, row_lane in claimed if row_lane == lane])
    return len(claimed)


def _hand_over_inbound(now: datetime) -> int:
    """Inbound events are handed over in batches; whoever processes them claims them again one by one."""
    with transaction.atomic():
        rows = list(
            InboundEvent.objects.select_for_update(skip_locked=True)
            .filter(state=InboundEvent.State.STORED, attempts__lt=timers.MOST_ATTEMPTS, due_at__lte=now)
            .order_by("pk")
            .values_list("pk", "attempts")[:INBOUND_BATCH]
        )
        if rows:
            InboundEvent.objects.filter(pk__in=[pk for pk, _ in rows]).update(due_at=now + timers.LEASE)
            fresh = [pk for pk, attempts in rows if not attempts]
            again = [[pk] for pk, attempts in rows if attempts]
            hand_over(Lane.SLA, settings.INBOUND_TASK, [(list(ids),) for ids in [*_shares(fresh), *again]])
    return len(rows)


def _do_neglected(now: datetime, hands: Hands) -> int:
    """Urgent work that was handed over and not taken: the clock does it, through the same functions; the lease
    decides."""
    late = now - PATIENCE
    pages = Delivery.objects.filter(state=Delivery.State.PENDING, is_urgent=True, handed_at__lt=late, due_at__lte=now)
    begun = 0
    for key, vendor in pages.order_by("due_at").values_list("key", "vendor")[:50]:
        begun += hands.do(key, vendor, _call(outbox.deliver, key))
    stuck = Timer.objects.filter(
        state=Timer.State.HANDED, lane=Lane.SLA, handed_at__lt=late, lease_until__isnull=True
    ).order_by(F("due_at"))
    for pk in stuck.values_list("pk", flat=True)[:MOST_AT_ONCE]:
        begun += hands.do(pk, "", _call(timers.run, [pk]))
    return begun


def _call(function: Callable[..., Any], *args: Any) -> Callable[[], Any]:
    return lambda: function(*args)

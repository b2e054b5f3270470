"""Timers: arming, cancelling and running what is to happen at an instant.

Each firing has a row and a key of its own; a function run by a timer is idempotent for its subject's generation. The
effect and the mark `done` are one transaction, so a timer that ran twice has one effect.

    armed → handed (the clock, to a cluster) → leased and counted (a worker, before it does anything) → done
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import InterfaceError, OperationalError, connection, transaction
from django.utils.module_loading import import_string
from django_q.exceptions import TimeoutException

from supportdesk import instants, sitting
from supportdesk.queue.handover import wake_clock
from supportdesk.queue.models import Lane, Timer
from supportdesk.queue.outages import first_line

log = logging.getLogger("supportdesk.queue")

MOST_ATTEMPTS = 3
LEASE = timedelta(seconds=15)
# A worker with several timers in hand gives back what it has not begun after so long: others may have time for them.
LONGEST_ROUND_SECONDS = 2.0
# Timers due later than this need no notification: the clock looks at least as often by itself.
CLOCK_LOOKS_WITHIN = timedelta(seconds=1)
# The database was away, or somebody held a lock too long: not the timer's fault, so it is no step towards quarantine.
_NOT_ITS_FAULT = (OperationalError, InterfaceError)


@dataclass(frozen=True, slots=True)
class Planned:
    """One firing to arm. `run` is the dotted name of a function that takes the `Timer`."""

    key: str
    run: str
    subject: str
    at: datetime
    generation: int = 0
    lane: str = Lane.SLA
    args: dict[str, Any] = field(default_factory=dict)
    planned_at: datetime | None = None


# Rows a worker has are passed by, not waited for: it holds its timer and asks for the incident, whoever arms holds the
# incident. DO UPDATE alone would lock the row before its WHERE is asked.
_ARM = """
INSERT INTO supportdesk_timer
    (key, run, subject, generation, planned_at, due_at, lane, args, state, attempts, error)
SELECT key, run, subject, generation, planned_at, due_at, lane, args::jsonb, 'armed', 0, ''
FROM unnest(%s::text[], %s::text[], %s::text[], %s::int[], %s::timestamptz[], %s::timestamptz[], %s::text[], %s::text[])
    AS planned (key, run, subject, generation, planned_at, due_at, lane, args)
WHERE NOT EXISTS (
    SELECT FROM supportdesk_timer AS gone WHERE gone.key = planned.key AND gone.state NOT IN ('armed', 'cancelled')
)
ON CONFLICT (key) DO UPDATE
    SET state = 'armed', due_at = EXCLUDED.due_at, planned_at = EXCLUDED.planned_at, args = EXCLUDED.args,
        generation = EXCLUDED.generation, attempts = 0, lease_until = NULL
    WHERE supportdesk_timer.state IN ('armed', 'cancelled')
"""


def arm(planned: Iterable[Planned]) -> None:
    """Arm firings in the caller's transaction. A key that is already handed over or done stays as it is."""
    sitting.collect(_write, planned)


def _write(planned: Sequence[Planned]) -> None:
    """One statement for all; of a key planned twice the later stands."""
    rows = list({p.key: p for p in planned}.values())
    columns: list[Any] = [
        [p.key for p in rows],
        [p.run for p in rows],
        [p.subject for p in rows],
        [p.generation for p in rows],
        [p.planned_at or p.at for p in rows],
        [p.at for p in rows],
        [str(p.lane) for p in rows],
        [json.dumps(p.args) for p in rows],
    ]
    with connection.cursor() as cursor:
        cursor.execute(_ARM, columns)
    if min(p.at for p in rows) <= instants.now() + CLOCK_LOOKS_WITHIN:
        wake_clock()


def cancel(subject: str, *, run: str | None = None, keep: Iterable[str] = ()) -> int:
    """Cancel what is armed for a subject (of one function, if named), except the keys to keep. Returns how many."""
    keep = set(keep)
    if sitting.is_new(subject):
        return _take_away(subject, run, keep)
    sitting.hand_in()
    armed = Timer.objects.filter(subject=subject, state=Timer.State.ARMED)
    if run:
        armed = armed.filter(run=run)
    if keep:
        armed = armed.exclude(key__in=keep)
    return armed.update(state=Timer.State.CANCELLED)


def _take_away(subject: str, run: str | None, keep: set[str]) -> int:
    """Of a subject that has nothing stored yet, what is planned is only waiting to be written."""
    waiting = sitting.waiting(_write)
    kept = [p for p in waiting if p.subject != subject or run not in (None, p.run) or p.key in keep]
    gone = len(waiting) - len(kept)
    waiting[:] = kept
    return gone


def is_armed(subject: str, run: str, *, by: datetime) -> bool:
    """Whether a function will run for a subject at `by` or sooner."""
    if any(p.subject == subject and p.run == run and p.at <= by for p in sitting.waiting(_write)):
        return True
    armed = Timer.objects.filter(subject=subject, run=run, state=Timer.State.ARMED, due_at__lte=by)
    return not sitting.is_new(subject) and armed.exists()


def replace(subject: str, run: str, planned: Iterable[Planned]) -> None:
    """Make the armed firings of one function exactly these: what no longer holds is cancelled, what is new is armed."""
    rows = list(planned)
    cancel(subject, run=run, keep=[p.key for p in rows])
    arm(rows)


_TAKE = """
UPDATE supportdesk_timer AS timer SET attempts = attempts + 1, lease_until = %s
FROM (
    SELECT id FROM supportdesk_timer WHERE id = ANY(%s) AND state = 'handed' AND lease_until IS NULL
    FOR UPDATE SKIP LOCKED
) AS free
WHERE timer.id = free.id RETURNING timer.id, timer.attempts
"""
_GIVE_BACK = """
UPDATE supportdesk_timer AS timer SET state = 'armed', attempts = timer.attempts - 1, lease_until = NULL
FROM unnest(%s::bigint[], %s::int[]) AS mine (id, attempts)
WHERE timer.id = mine.id AND timer.attempts = mine.attempts AND timer.state = 'handed'
"""
# Begins the transaction of the effect: whoever holds the row is the one that finishes it, the rest walk away.
_FINISH = """
UPDATE supportdesk_timer SET state = 'done', done_at = %s, error = ''
WHERE id = (
    SELECT id FROM supportdesk_timer WHERE id = %s AND state = 'handed' AND attempts = %s FOR UPDATE SKIP LOCKED
)
RETURNING *
"""
_TAKE_BACK = """
UPDATE supportdesk_timer AS timer SET
    state = CASE WHEN timer.attempts >= %s THEN 'quarantined' ELSE 'armed' END, lease_until = NULL,
    error = CASE WHEN timer.error = '' THEN 'the worker went away' ELSE timer.error END
FROM (
    SELECT held.id FROM supportdesk_timer AS held
    JOIN unnest(%s::bigint[], %s::int[]) AS gone (id, attempts) ON gone.id = held.id AND gone.attempts = held.attempts
    WHERE held.state = 'handed' AND held.lease_until IS NOT NULL FOR UPDATE OF held SKIP LOCKED
) AS free
WHERE timer.id = free.id
"""
_Taken = tuple[int, int]  # a timer's id, and which attempt at it is ours


def run(ids: Sequence[int]) -> int:
    """Run timers the clock handed over; returns how many were done.

    Those that somebody else has, or that were cancelled meanwhile, are left alone.
    """
    taken, done = _take(ids), 0
    until = time.monotonic() + LONGEST_ROUND_SECONDS
    for number, mine in enumerate(taken):
        if number and time.monotonic() > until:
            _give_back(taken[number:])
            break
        done += _run_one(*mine)
    return done


def _take(ids: Sequence[int]) -> list[_Taken]:
    """Lease and count, before the work: what kills its worker has been counted (reliability F4)."""
    with connection.cursor() as cursor:
        cursor.execute(_TAKE, [instants.now() + LEASE, list(ids)])
        taken = dict(cursor.fetchall())
    return [(pk, taken[pk]) for pk in ids if pk in taken]


def _give_back(untried: Sequence[_Taken]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_GIVE_BACK, [[pk for pk, _ in untried], [attempt for _, attempt in untried]])
    wake_clock()


def _run_one(timer_id: int, attempt: int) -> bool:
    try:
        with transaction.atomic():
            timer = next(iter(Timer.objects.raw(_FINISH, [instants.now(), timer_id, attempt])), None)
            if timer is None:
                return False
            import_string(timer.run)(timer)
    except _NOT_ITS_FAULT as error:
        log.warning("timer %s has to wait: %s", timer_id, first_line(error))
        _put_back(timer_id, attempt, error)
        return False
    except (Exception, TimeoutException) as error:  # recorded on the row, and tried again by the clock
        log.exception("timer %s failed (attempt %s)", timer_id, attempt)
        _put_back(timer_id, attempt, error)
        return False
    return True


def _put_back(timer_id: int, attempt: int, error: BaseException) -> None:
    tries = attempt - 1 if isinstance(error, _NOT_ITS_FAULT) else attempt
    Timer.objects.filter(pk=timer_id, state=Timer.State.HANDED, attempts=attempt).update(
        state=Timer.State.QUARANTINED if tries >= MOST_ATTEMPTS else Timer.State.ARMED,
        attempts=tries,
        lease_until=None,
        due_at=instants.now() + timedelta(seconds=2**attempt),
        error=f"{type(error).__name__}: {error}"[:2000],
    )


def take_back(taken: Sequence[_Taken]) -> int:
    """Offer again what was leased and never finished: its worker has gone. The third time sets it aside."""
    with connection.cursor() as cursor:
        cursor.execute(_TAKE_BACK, [MOST_ATTEMPTS, [pk for pk, _ in taken], [attempt for _, attempt in taken]])
        return cursor.rowcount

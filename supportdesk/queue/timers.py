"""Timers: arming, cancelling and running what is to happen at an instant.

Each firing has a row and a key of its own; a function run by a timer is idempotent for its subject's generation. The
effect and the mark `done` are one transaction, so a timer that ran twice has one effect.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.utils.module_loading import import_string

from supportdesk import instants
from supportdesk.queue.handover import wake_clock
from supportdesk.queue.models import Lane, Timer

log = logging.getLogger("supportdesk.queue")

MOST_ATTEMPTS = 3
LEASE = timedelta(seconds=15)


class TimerGone(Exception):
    """Another worker finished this timer first: everything this one did is rolled back."""


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


_ARM = """
INSERT INTO supportdesk_timer
    (key, run, subject, generation, planned_at, due_at, lane, args, state, attempts, error)
SELECT key, run, subject, generation, planned_at, due_at, lane, args::jsonb, 'armed', 0, ''
FROM unnest(%s::text[], %s::text[], %s::text[], %s::int[], %s::timestamptz[], %s::timestamptz[], %s::text[], %s::text[])
    AS planned (key, run, subject, generation, planned_at, due_at, lane, args)
ON CONFLICT (key) DO UPDATE
    SET state = 'armed', due_at = EXCLUDED.due_at, planned_at = EXCLUDED.planned_at, args = EXCLUDED.args,
        generation = EXCLUDED.generation, attempts = 0
    WHERE supportdesk_timer.state IN ('armed', 'cancelled')
"""


def arm(planned: Iterable[Planned]) -> None:
    """Arm firings in the caller's transaction. A key that is already handed over or done stays as it is."""
    rows = list(planned)
    if not rows:
        return
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
    wake_clock()


def cancel(subject: str, *, run: str | None = None, keep: Iterable[str] = ()) -> int:
    """Cancel what is armed for a subject (of one function, if named), except the keys to keep. Returns how many."""
    armed = Timer.objects.filter(subject=subject, state=Timer.State.ARMED)
    if run:
        armed = armed.filter(run=run)
    if keep := list(keep):
        armed = armed.exclude(key__in=keep)
    return armed.update(state=Timer.State.CANCELLED)


def replace(subject: str, run: str, planned: Iterable[Planned]) -> None:
    """Make the armed firings of one function exactly these: what no longer holds is cancelled, what is new is armed."""
    rows = list(planned)
    cancel(subject, run=run, keep=[p.key for p in rows])
    arm(rows)


def run(timer_id: int, attempt: int) -> bool:
    """Run a timer that the clock handed over. False when it was done, taken back or cancelled meanwhile."""
    try:
        with transaction.atomic():
            timer = Timer.objects.filter(pk=timer_id, state=Timer.State.HANDED, attempts=attempt).first()
            if timer is None:
                return False
            import_string(timer.run)(timer)
            _finish(timer)
    except TimerGone:
        return False
    except Exception as error:  # a timer's failure is recorded on its row and tried again by the clock
        log.exception("timer %s failed (attempt %s)", timer_id, attempt)
        _put_back(timer_id, attempt, error)
        return False
    return True


def _finish(timer: Timer) -> None:
    done = Timer.objects.filter(pk=timer.pk, state=Timer.State.HANDED, attempts=timer.attempts).update(
        state=Timer.State.DONE, done_at=instants.now(), error=""
    )
    if done != 1:
        raise TimerGone(timer.key)


def _put_back(timer_id: int, attempt: int, error: Exception) -> None:
    poison = attempt >= MOST_ATTEMPTS
    Timer.objects.filter(pk=timer_id, state=Timer.State.HANDED, attempts=attempt).update(
        state=Timer.State.QUARANTINED if poison else Timer.State.ARMED,
        due_at=instants.now() + timedelta(seconds=2**attempt),
        error=f"{type(error).__name__}: {error}"[:2000],
    )

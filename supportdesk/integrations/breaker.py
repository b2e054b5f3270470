"""A circuit breaker for every connection, in a row all processes share (reliability F20, F21).

After five failures in a row nobody waits for that vendor any more: calls end at once until a pause is over, then one
call tries. What a vendor refuses for good (a wrong address, a revoked token) says nothing about whether it is there.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection as database
from django.db import models

from supportdesk import instants
from supportdesk.integrations.base import IntegrationError
from supportdesk.integrations.models import Connection

OPENS_AFTER = 5  # failures in a row
FIRST_PAUSE = 10.0  # seconds; doubles with every try that fails
LONGEST_PAUSE = 120.0
LONGEST_ASKED = 300.0  # the most a vendor's Retry-After holds everything else back
PROBE = timedelta(seconds=20)  # how long the others wait for the one that tries
SLOW = timedelta(seconds=2)  # a call that takes longer than this is holding a worker up
MOST_SLOW = 2  # calls of one connection that may hold workers up at once


class Breaker(models.Model):
    """How a connection is doing."""

    connection = models.OneToOneField(Connection, on_delete=models.CASCADE, primary_key=True, related_name="breaker")
    failures = models.PositiveIntegerField(default=0, help_text="in a row")
    open_until = models.DateTimeField(null=True, help_text="nobody tries before; empty: closed")
    asked_until = models.DateTimeField(null=True, help_text="the vendor asked us to wait until then")
    error = models.TextField(blank=True)
    changed_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.connection_id}: {self.failures} failures"

    @property
    def is_open(self) -> bool:
        return self.failures >= OPENS_AFTER


@dataclass(frozen=True, slots=True)
class State:
    """Whether a call may go out now.

    `until`: when to ask again, where it may not. `is_broken`: the vendor is down or hangs, rather than busy.
    """

    may_call: bool
    until: datetime | None = None
    is_broken: bool = False
    why: str = ""


OPEN = State(True)

_LOOK = """
SELECT breaker.failures, breaker.open_until, breaker.asked_until, breaker.error, (
    SELECT count(*) FROM supportdesk_delivery
    WHERE state = 'sending' AND connection_id = %(connection)s AND key <> %(key)s
      AND is_urgent = %(urgent)s AND lease_until BETWEEN %(now)s AND %(slow)s)
FROM (SELECT %(connection)s::bigint AS id) AS wanted LEFT JOIN supportdesk_breaker AS breaker
    ON breaker.connection_id = wanted.id
"""
_PROBE = """
UPDATE supportdesk_breaker SET open_until = %(until)s, changed_at = %(now)s
WHERE connection_id = %(connection)s AND failures >= %(opens)s AND open_until <= %(now)s
"""
_FAILED = """
INSERT INTO supportdesk_breaker (connection_id, failures, error, changed_at)
VALUES (%(connection)s, 1, %(error)s, %(now)s)
ON CONFLICT (connection_id) DO UPDATE SET
    failures = supportdesk_breaker.failures + 1, error = EXCLUDED.error, changed_at = EXCLUDED.changed_at,
    open_until = CASE WHEN supportdesk_breaker.failures + 1 < %(opens)s THEN NULL ELSE
        %(now)s + least(%(first)s * power(2, least(supportdesk_breaker.failures + 1 - %(opens)s, 10)), %(longest)s)
            * interval '1 second' END
"""
_ASKED = """
INSERT INTO supportdesk_breaker (connection_id, failures, asked_until, error, changed_at)
VALUES (%(connection)s, 0, %(until)s, %(error)s, %(now)s)
ON CONFLICT (connection_id) DO UPDATE SET
    asked_until = EXCLUDED.asked_until, error = EXCLUDED.error, changed_at = EXCLUDED.changed_at
"""


def look(connection_id: int, *, key: str, is_urgent: bool, lease: timedelta) -> State:
    """May a call go out over this connection now? `key` is the delivery that asks, already leased for `lease`.

    Urgent calls and others have workers of their own: each counts its own slow ones.
    """
    now = instants.now()
    said: dict[str, Any] = {
        "connection": connection_id,
        "key": key,
        "urgent": is_urgent,
        "now": now,
        "slow": now + lease - SLOW,
    }
    with database.cursor() as cursor:
        cursor.execute(_LOOK, said)
        failures, open_until, asked_until, error, slow = cursor.fetchone()
    if failures is not None and failures >= OPENS_AFTER:
        if open_until is not None and open_until > now:
            return State(False, open_until, True, f"It has failed {failures} times in a row: {error}")
        if not _may_probe(connection_id, now):
            return State(False, now + PROBE, True, "Somebody else is just trying whether it is back.")
        return OPEN
    if slow >= MOST_SLOW:
        return State(False, now + timedelta(seconds=1), True, f"{slow} calls are waiting for an answer already.")
    if asked_until is not None and asked_until > now:
        return State(False, asked_until, False, f"It asked us to wait: {error}")
    return OPEN


def _may_probe(connection_id: int, now: datetime) -> bool:
    """One of all that ask gets to try; the conditional update decides who."""
    with database.cursor() as cursor:
        cursor.execute(_PROBE, {"connection": connection_id, "now": now, "until": now + PROBE, "opens": OPENS_AFTER})
        return cursor.rowcount == 1


def note_success(connection_id: int) -> None:
    """It answered: whatever was wrong is over."""
    Breaker.objects.filter(connection_id=connection_id).exclude(failures=0, asked_until=None).update(
        failures=0, open_until=None, asked_until=None, error="", changed_at=instants.now()
    )


def note_failure(connection_id: int, error: IntegrationError) -> None:
    """It did not: counted, unless the refusal is about what we sent."""
    if error.permanent:
        return
    now = instants.now()
    said: dict[str, Any] = {"connection": connection_id, "now": now, "error": error.detail[:500]}
    if error.retry_after is not None and not error.ambiguous:
        wait = min(max(error.retry_after, 1.0), LONGEST_ASKED)
        statement, said = _ASKED, said | {"until": now + timedelta(seconds=wait)}
    else:
        statement = _FAILED
        said |= {"opens": OPENS_AFTER, "first": FIRST_PAUSE, "longest": LONGEST_PAUSE}
    with database.cursor() as cursor:
        cursor.execute(statement, said)

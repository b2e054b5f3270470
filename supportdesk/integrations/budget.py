"""How much a vendor takes of us: a bucket of calls for every connection, in a row all processes share.

A part of every bucket is kept for pages: ten thousand notices cannot use it up (security S19). The first page of an
incident goes out whatever the bucket says.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db import connection as database
from django.db import models

from supportdesk import instants
from supportdesk.integrations.models import Connection

RESERVE = 0.5  # the part of a bucket that only urgent calls may use


class Budget(models.Model):
    """What is left in a connection's bucket, and when that was counted."""

    connection = models.OneToOneField(Connection, on_delete=models.CASCADE, primary_key=True, related_name="budget")
    left = models.FloatField()
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.connection_id}: {self.left:.0f} left"


_FILL = "least(%(size)s, budget.left + extract(epoch FROM greatest(%(now)s - budget.at, interval '0')) * %(rate)s)"
_OPEN = """
INSERT INTO supportdesk_budget (connection_id, "left", at) VALUES (%(connection)s, %(size)s, %(now)s)
ON CONFLICT (connection_id) DO NOTHING
"""
_TAKE = f"""
UPDATE supportdesk_budget AS budget SET "left" = {_FILL} - 1, at = greatest(%(now)s, budget.at)
WHERE budget.connection_id = %(connection)s AND {_FILL} - 1 >= %(floor)s
"""  # noqa: S608 (no value is in the text)
_LEFT = f"SELECT {_FILL} FROM supportdesk_budget AS budget WHERE budget.connection_id = %(connection)s"  # noqa: S608


def take(connection_id: int, per_minute: int, *, is_urgent: bool, is_first_page: bool = False) -> datetime | None:
    """Take one call out of a connection's bucket. None: go; else the instant to ask again.

    `per_minute`: what the vendor takes of us; 0 where it never says no.
    """
    if not per_minute:
        return None
    now = instants.now()
    floor = float("-inf") if is_first_page else 0.0 if is_urgent else per_minute * RESERVE
    rate = per_minute / 60
    said: dict[str, Any] = {
        "connection": connection_id,
        "size": float(per_minute),
        "rate": rate,
        "now": now,
        "floor": floor,
    }
    with database.cursor() as cursor:
        cursor.execute(_TAKE, said)
        if cursor.rowcount == 1:
            return None
        cursor.execute(_OPEN, said)
        if cursor.rowcount == 1:  # the first call over this connection
            cursor.execute(_TAKE, said)
            return None
        cursor.execute(_LEFT, said)
        (left,) = cursor.fetchone()
    return now + timedelta(seconds=max((floor + 1 - left) / rate, 0.1))

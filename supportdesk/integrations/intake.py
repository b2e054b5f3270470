"""How much the desk takes of one connection: a bucket of calls each, in a row all processes share (MON-12).

One sender gone mad cannot fill the disk or keep the others' calls waiting. Only calls that were proved genuine count,
so nobody without the secret can use a bucket up; what is turned away is told when to come again.
"""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.db import connection as database
from django.db import models

from supportdesk import instants
from supportdesk.integrations.models import Connection


class Intake(models.Model):
    """What is left in a connection's bucket of inbound calls, and when that was counted."""

    connection = models.OneToOneField(Connection, on_delete=models.CASCADE, primary_key=True, related_name="intake")
    left = models.FloatField()
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.connection_id}: {self.left:.0f} left"


_FILL = "least(%(size)s, intake.left + extract(epoch FROM greatest(%(now)s - intake.at, interval '0')) * %(rate)s)"
_TAKE = f"""
INSERT INTO supportdesk_intake AS intake (connection_id, "left", at) VALUES (%(connection)s, %(size)s - 1, %(now)s)
ON CONFLICT (connection_id) DO UPDATE SET "left" = {_FILL} - 1, at = greatest(%(now)s, intake.at) WHERE {_FILL} >= 1
"""  # noqa: S608 (no value is in the text)
_LEFT = f"SELECT {_FILL} FROM supportdesk_intake AS intake WHERE connection_id = %(connection)s"  # noqa: S608


def take(connection_id: int) -> timedelta | None:
    """Count one call of a connection. None: it may come in; else how long its sender should wait.

    A bucket holds `HOOKS_PER_MINUTE` calls and refills within a minute; 0 turns counting off.
    """
    per_minute = settings.HOOKS_PER_MINUTE
    if not per_minute:
        return None
    rate = per_minute / 60
    said = {"connection": connection_id, "size": float(per_minute), "rate": rate, "now": instants.now()}
    with database.cursor() as cursor:
        cursor.execute(_TAKE, said)
        if cursor.rowcount == 1:
            return None
        cursor.execute(_LEFT, said)
        (left,) = cursor.fetchone()
    return timedelta(seconds=max((1 - left) / rate, 0.0))

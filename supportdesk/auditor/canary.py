"""A task through every queue, every twenty seconds: what comes back proves work, not a process that is alive."""

from __future__ import annotations

import json
import os
import socket
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection, transaction

from supportdesk import instants, version
from supportdesk.queue.handover import hand_over
from supportdesk.queue.models import Heartbeat

EVERY_SECONDS = 20.0
SING = "supportdesk.auditor.canary.sing"
_AWAY = timedelta(seconds=70)  # a longer pause between two canaries: the auditor was not there, nobody is to blame

_SENT = """
INSERT INTO supportdesk_heartbeat (name, at, count, detail)
VALUES (%(name)s, %(now)s, 1, jsonb_build_object('first', %(now)s::timestamptz))
ON CONFLICT (name) DO UPDATE SET at = EXCLUDED.at, count = supportdesk_heartbeat.count + 1,
    detail = CASE WHEN supportdesk_heartbeat.at < %(away)s THEN EXCLUDED.detail ELSE supportdesk_heartbeat.detail END
"""
_SUNG = """
INSERT INTO supportdesk_heartbeat (name, at, count, detail) VALUES (%s, %s, 1, %s)
ON CONFLICT (name) DO UPDATE SET at = greatest(supportdesk_heartbeat.at, EXCLUDED.at),
    count = supportdesk_heartbeat.count + 1, detail = EXCLUDED.detail
"""


def send(now: datetime | None = None) -> None:
    """One canary into every lane's queue, past the clock: it is the cluster that is asked."""
    now = now or instants.now()
    for lane in settings.QUEUE_LANES:
        if _is_flooding(lane, now):
            continue
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(_SENT, {"name": f"canary-sent:{lane}", "now": now, "away": now - _AWAY})
            hand_over(lane, SING, [(lane, now.isoformat())])


def _is_flooding(lane: str, now: datetime) -> bool:
    """A queue nobody empties gets one canary a minute, not three."""
    beats = dict(Heartbeat.objects.filter(name__in=[f"canary-sent:{lane}", f"canary:{lane}"]).values_list("name", "at"))
    sent, sung = beats.get(f"canary-sent:{lane}"), beats.get(f"canary:{lane}")
    is_silent = sung is None or now - sung > timedelta(minutes=2)
    return is_silent and sent is not None and now - sent < timedelta(seconds=60)


def sing(lane: str, sent_at: str) -> None:
    """What the worker does: say that it was here, and in which process group, so that it can be found."""
    now = instants.now()
    took = max((now - datetime.fromisoformat(sent_at)).total_seconds(), 0.0)
    group = os.getpgid(0)
    detail = json.dumps(
        {
            "lane": lane,
            "seconds": round(took, 4),
            "host": socket.gethostname(),
            "group": group,
            "began": began(group),
            "version": version.code(),
        }
    )
    with connection.cursor() as cursor:
        cursor.execute(_SUNG, [f"canary:{lane}", now, detail])
        cursor.execute(_SUNG, [f"worker:{lane}:{socket.gethostname()[:30]}:{group}"[:80], now, detail])


def began(pid: int) -> str:
    """When a process began, in the kernel's own count: with its number, its name for ever. Empty where it is gone."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
            return file.read().rsplit(")", 1)[1].split()[19]
    except (OSError, IndexError):
        return ""

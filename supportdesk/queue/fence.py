"""The version fence: processes of old code take no work once newer code has begun that writes what they cannot read.

Raise `PAYLOAD` in the commit after which old code must not run timers, deliveries or tasks any more (a renamed task, a
fact with a new meaning). Most deployments do not need it: additive changes leave it alone.
"""

from __future__ import annotations

import time

from django.db import connection

PAYLOAD = 1
_NAME = "payload-version"
_LOOK_EVERY_SECONDS = 2.0
_seen: tuple[float, int] = (float("-inf"), 0)

_RAISE = """
INSERT INTO supportdesk_heartbeat (name, at, count, detail) VALUES (%s, clock_timestamp(), %s, '{}')
ON CONFLICT (name) DO UPDATE SET at = EXCLUDED.at, count = greatest(supportdesk_heartbeat.count, EXCLUDED.count)
RETURNING count
"""


def is_behind() -> bool:
    """Whether newer code works here: then this process leaves everything to it. Says its own version the first time.

    Asked before work is taken; looks at the row every two seconds.
    """
    global _seen
    at, version = _seen
    if time.monotonic() - at > _LOOK_EVERY_SECONDS:
        with connection.cursor() as cursor:
            if version:
                cursor.execute("SELECT count FROM supportdesk_heartbeat WHERE name = %s", [_NAME])
            else:
                cursor.execute(_RAISE, [_NAME, PAYLOAD])
            row = cursor.fetchone()
        _seen = (time.monotonic(), row[0] if row else PAYLOAD)
    return _seen[1] > PAYLOAD

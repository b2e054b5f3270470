"""One at a time: two reports of the same condition, or of the same service, never decide side by side."""

from __future__ import annotations

from django.db import connection


def hold(name: str) -> None:
    """Hold the lock of that name until the transaction ends. Take the key's before the service's, always."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [name])

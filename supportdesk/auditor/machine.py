"""What rows cannot tell: this machine's clock and disks, and whether the database takes writes."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from django.conf import settings
from django.db import connection

from supportdesk import instants

MOST_SKEW_SECONDS = 2.0
LEAST_FREE = 0.1  # of a disk


def skew_seconds() -> float:
    """How far this machine's clock is ahead of the database's."""
    with connection.cursor() as cursor:
        before = datetime.now(UTC)
        cursor.execute("SELECT clock_timestamp()")
        (theirs,) = cursor.fetchone()
        after = datetime.now(UTC)
    return float((before + (after - before) / 2 - theirs).total_seconds())


def skew(now: datetime) -> Sequence[tuple[str, str]]:
    """The clocks, where they disagree. A test's stopped clock is nobody's."""
    apart = skew_seconds()
    if instants.frozen() is not None or abs(apart) <= MOST_SKEW_SECONDS:
        return ()
    return [("clock", f"this machine is {abs(apart):.0f} s {'ahead' if apart > 0 else 'behind'}")]


def free_parts() -> dict[str, float]:
    """How much of each disk the desk writes to is free, as a part of it. `AUDITOR_DISKS` names the places."""
    parts = {}
    for place in settings.AUDITOR_DISKS:
        found = next((p for p in (Path(place), *Path(place).parents) if p.exists()), Path("/"))
        usage = shutil.disk_usage(found)
        parts[place] = usage.free / usage.total
    return parts


def full_disks(now: datetime) -> Sequence[tuple[str, str]]:
    """Disks that are nearly full."""
    return [(f"disk:{place}", f"{place}: {part:.0%} free") for place, part in free_parts().items() if part < LEAST_FREE]


def read_only(now: datetime) -> Sequence[tuple[str, str]]:
    """The database, where it would refuse to store an incident."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_is_in_recovery(), current_setting('default_transaction_read_only') = 'on'")
        is_replica, refuses = cursor.fetchone()
    if is_replica or refuses:
        return [("database", "it is a replica" if is_replica else "it is set to read only")]
    return ()

"""The one clock of the desk.

`now()` is the database's time: it is read once in a while and carried forward by the monotonic clock, so that a jump of
this machine's wall clock moves nothing, and several machines agree on what is due (reliability F13). Tests move it.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

from django.db import DatabaseError, connection

_RECHECK_SECONDS = 10.0
_calibration: tuple[datetime, float] | None = None
_frozen: datetime | None = None


def now() -> datetime:
    """The current instant in UTC, by the database's clock."""
    if _frozen is not None:
        return _frozen
    monotonic = time.monotonic()
    if _calibration is None or monotonic - _calibration[1] > _RECHECK_SECONDS:
        _calibrate()
    if _calibration is None:
        return datetime.now(UTC)
    base, at = _calibration
    return base + timedelta(seconds=time.monotonic() - at)


def _calibrate() -> None:
    """Read the database's clock; keep the old reading when it does not answer."""
    global _calibration
    if connection.needs_rollback:
        return
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT clock_timestamp()")
            _calibration = (cursor.fetchone()[0].astimezone(UTC), time.monotonic())
    except DatabaseError:
        if _calibration is not None:
            _calibration = (
                _calibration[0] + timedelta(seconds=time.monotonic() - _calibration[1]),
                time.monotonic(),
            )


def freeze(at: datetime | None) -> None:
    """Stop the clock at an instant, or let it run again with None. For tests and for nothing else."""
    global _frozen
    _frozen = at


def frozen() -> datetime | None:
    """The instant the clock is stopped at, or None: what the clock process claims by in tests."""
    return _frozen

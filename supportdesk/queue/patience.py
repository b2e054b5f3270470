"""A database that holds the line and says nothing: after a while we hang up, as if it had.

PostgreSQL's own timeouts need a server that lives, and TCP's a peer that is gone; a black hole between the two, or a
frozen server, would keep a process waiting for ever (reliability F9).
"""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

import psycopg

AGAIN_SECONDS = 3.0  # the clearing up may meet the same silence: it is cut short too


@contextmanager
def answers_within(seconds: float) -> Iterator[None]:
    """Raises `psycopg.OperationalError` in the main thread when the block lasts longer. Not to be nested."""
    before = signal.signal(signal.SIGALRM, _give_up)
    signal.setitimer(signal.ITIMER_REAL, seconds, AGAIN_SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _give_up(signum: int, frame: FrameType | None) -> None:
    raise psycopg.OperationalError("the database holds the line and does not answer")

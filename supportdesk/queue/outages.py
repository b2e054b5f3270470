"""A database that is away is told once, once a minute while it lasts, and once when it is back: never per attempt."""

from __future__ import annotations

import logging
import time

log = logging.getLogger("supportdesk.queue")

REMIND_EVERY_SECONDS = 60.0


class Outages:
    """One process's connection to PostgreSQL, as its log tells it. `who` is the process, in words."""

    def __init__(self, who: str) -> None:
        self.who = who
        self._since: float | None = None
        self._told = 0.0

    def lost(self, error: Exception) -> None:
        """An attempt failed."""
        now = time.monotonic()
        if self._since is None:
            self._since = self._told = now
            log.warning("%s: the database is away (%s); trying again until it is back", self.who, first_line(error))
        elif now - self._told >= REMIND_EVERY_SECONDS:
            self._told = now
            log.warning("%s: the database has been away for %.0f s", self.who, now - self._since)

    def over(self) -> None:
        """An attempt succeeded."""
        if self._since is not None:
            log.warning("%s: the database is back after %.1f s", self.who, time.monotonic() - self._since)
            self._since = None


def first_line(error: Exception) -> str:
    """What an error says, without the context PostgreSQL adds below."""
    return next(iter(str(error).strip().splitlines()), type(error).__name__)

"""What `manage.py auditor` does all day: canaries, rounds, alarms, and the ping that says all is well."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence

import psycopg
from django.conf import settings
from django.db import DatabaseError, InterfaceError, close_old_connections, connection

from supportdesk import instants
from supportdesk.auditor import alarm, canary, findings, rounds
from supportdesk.auditor.models import Finding

log = logging.getLogger("supportdesk.auditor")

TICK_SECONDS = 1.0
FIRST_ROUND_AFTER_SECONDS = 5.0  # whoever starts beside it gets a moment to say that it works
DATABASE_AWAY_SECONDS = 45.0
AWAY_SAID_AGAIN_SECONDS = 600.0


class Watch:
    """One auditor. Any number may run; a finding is kept once."""

    def __init__(self, every: float = rounds.EVERY_SECONDS, canaries: float = canary.EVERY_SECONDS) -> None:
        self.every = every
        self.canaries = canaries
        self.stop = threading.Event()
        self._next_round = time.monotonic() + FIRST_ROUND_AFTER_SECONDS
        self._next_canary = 0.0
        self._last_good = time.monotonic()
        self._away_said = 0.0

    def run(self) -> None:
        """Until told to stop."""
        while not self.stop.is_set():
            self.tick()
            self.stop.wait(TICK_SECONDS)

    def tick(self) -> None:
        """Do what is due. A lost database is noticed, waited for, and after a while told."""
        now = time.monotonic()
        try:
            if now >= self._next_canary:
                self._next_canary = now + self.canaries
                canary.send()
            if now >= self._next_round:
                self._next_round = now + self.every
                self.round()
            self._last_good = time.monotonic()
            self._away_said = 0.0
        except (DatabaseError, InterfaceError, psycopg.Error) as error:
            self._hang_up(error)

    def round(self) -> None:
        """One round, and everything that follows from it."""
        close_old_connections()
        found, news = rounds.hold()
        if findings.pause(found.at) is not None:
            return  # the outside hears nothing either: it says for itself when that lasts too long
        say(news.to_say, news.over)
        alarm.ping(is_well=found.is_well, failed=found.failed)

    def _hang_up(self, error: Exception) -> None:
        log.warning("auditor: %s; connecting again", str(error).strip().splitlines()[:1])
        connection.close()
        self._next_round = self._next_canary = 0.0
        away = time.monotonic() - self._last_good
        said_lately = self._away_said and time.monotonic() - self._away_said < AWAY_SAID_AGAIN_SECONDS
        if away < DATABASE_AWAY_SECONDS or said_lately:
            return
        self._away_said = time.monotonic()
        words = f"The auditor has had no database for {away:.0f} s: {error}\nNothing is accepted and nobody is paged."
        alarm.raise_alarm("The database is away", words)
        alarm.ping(is_well=False, failed=["database"])


def say(begun: Sequence[Finding], over: Sequence[Finding]) -> None:
    """One alarm for everything a round found, and one line for what is over."""
    gone = [row for row in over if row.alarmed_at is not None]
    if not begun and not gone:
        return
    subject = begun[0].title if begun else f"Over: {gone[0].title}"
    if len(begun) + len(gone) > 1:
        subject += f" (and {len(begun) + len(gone) - 1} more)"
    parts = [f"{row.title}\n  {row.detail}\n  What to do: {row.remedy}\n  ({row.invariant})" for row in begun]
    parts += [f"Over: {row.title} ({row.invariant})" for row in gone]
    parts.append(f"{settings.PUBLIC_URL}/console/health/")
    alarm.raise_alarm(subject, "\n\n".join(parts))
    for row in begun:
        row.alarmed_at = instants.now()
        row.save(update_fields=["alarmed_at"])

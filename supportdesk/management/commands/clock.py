"""`manage.py clock`: hand over what is due, sub-second, for ever. Any number of them may run."""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
from django.core.management.base import BaseCommand
from django.db import close_old_connections, connection

from supportdesk.queue import clock, fence
from supportdesk.queue.broker import SILENCE_SECONDS, DatabaseAway, listen
from supportdesk.queue.handover import CLOCK_CHANNEL
from supportdesk.queue.outages import Outages
from supportdesk.queue.patience import answers_within

log = logging.getLogger("supportdesk.queue")

LONGEST_SLEEP_SECONDS = 1.0
SWEEP_EVERY_SECONDS = 1.0
BEAT_EVERY_SECONDS = 5.0
# After a round, wait a moment in proportion to what it moved: one row goes at once, and the busier it gets the larger
# the transactions become, which leaves the machine to the workers (measured: docs/reliability.md).
GATHER_SECONDS_PER_ROW, LONGEST_GATHER_SECONDS = 0.0015, 0.02
# A row that is due but locked by somebody is looked at again after this long.
LOCKED_SECONDS = 0.02
# Own work that still runs when we are told to stop gets so long; its lease brings it back.
STOP_WITHIN_SECONDS = 8.0


class Command(BaseCommand):
    help = "Claims due timers and deliveries and hands them to the clusters."
    requires_system_checks = []

    def handle(self, **options: Any) -> None:
        self.stop = threading.Event()
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, lambda *_: self.stop.set())
        self.listener: psycopg.Connection[Any] | None = None
        self.pool = ThreadPoolExecutor(clock.MOST_AT_ONCE, thread_name_prefix="clock")
        self.hands, self.watch, self.outages = clock.Hands(self.submit), clock.Watch(), Outages("clock")
        self.moved, self.beaten, self.swept = 0, 0.0, 0.0
        while not self.stop.is_set():
            try:
                with answers_within(SILENCE_SECONDS):
                    self.round()
                self.outages.over()
            except DatabaseAway as error:
                self.outages.lost(error)
                self.hang_up()
                self.stop.wait(0.2)
        self.leave()

    def round(self) -> None:
        if self.listener is None or self.listener.closed:
            self.listener = listen(CLOCK_CHANNEL)
        if fence.is_behind():
            self.stop.wait(LONGEST_SLEEP_SECONDS)
            return
        view = clock.look()
        moved = clock.hand_over_due(view)
        if view.is_under_way and time.monotonic() - self.swept > SWEEP_EVERY_SECONDS:
            moved += clock.sweep(view.now, self.watch, self.hands)
            self.swept = time.monotonic()
        self.moved += moved
        if time.monotonic() - self.beaten > BEAT_EVERY_SECONDS:
            clock.beat("clock", view.now, self.moved)
            self.moved, self.beaten = 0, time.monotonic()
        if moved >= clock.BATCH:
            return
        if moved:
            self.stop.wait(min(moved * GATHER_SECONDS_PER_ROW, LONGEST_GATHER_SECONDS))
            return
        self.sleep(view)

    def sleep(self, view: clock.View) -> None:
        """Until the next due row, a notification, or a second: whichever is first."""
        wait = LONGEST_SLEEP_SECONDS
        if view.upcoming is not None:
            until = (view.upcoming - view.now).total_seconds()
            wait = min(wait, until if until > 0 else LOCKED_SECONDS)
        for _ in self.listener.notifies(timeout=wait, stop_after=1):  # type: ignore[union-attr]
            pass

    def submit(self, job: Callable[[], Any]) -> None:
        self.pool.submit(self._run, job)

    @staticmethod
    def _run(job: Callable[[], Any]) -> None:
        close_old_connections()
        try:
            job()
        except Exception:
            log.exception("clock: work it did itself failed")

    def hang_up(self) -> None:
        if self.listener is not None:
            self.listener.close()
        self.listener = None
        connection.close()

    def leave(self) -> None:
        """End with the work that is under way, but not because of work that hangs."""
        self.pool.shutdown(wait=False, cancel_futures=True)
        waiting = threading.Thread(target=self.pool.shutdown, daemon=True)
        waiting.start()
        waiting.join(STOP_WITHIN_SECONDS)
        if waiting.is_alive():
            log.warning("clock: stopping although its own work has not ended; its leases bring it back")
            os._exit(0)

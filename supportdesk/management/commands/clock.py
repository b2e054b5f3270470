"""`manage.py clock`: hand over what is due, sub-second, for ever. Any number of them may run."""

from __future__ import annotations

import logging
import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
from django.core.management.base import BaseCommand
from django.db import Error, close_old_connections, connection

from supportdesk.queue import clock
from supportdesk.queue.broker import listen
from supportdesk.queue.handover import CLOCK_CHANNEL

log = logging.getLogger("supportdesk.queue")

# After a small batch, wait a moment: fewer, larger transactions leave more of the machine to the workers (measured).
GATHER_SECONDS = 0.02
BEAT_EVERY_SECONDS = 5.0


class Command(BaseCommand):
    help = "Claims due timers and deliveries and hands them to the clusters."
    requires_system_checks = []

    def handle(self, **options: Any) -> None:
        self.stop = threading.Event()
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, lambda *_: self.stop.set())
        self.listener: psycopg.Connection[Any] | None = None
        self.pool = ThreadPoolExecutor(8, thread_name_prefix="clock")
        self.moved, self.beaten = 0, 0.0
        while not self.stop.is_set():
            try:
                self.round()
            except (Error, psycopg.Error) as error:
                log.warning("clock: %s; connecting again", str(error).strip().splitlines()[:1])
                self.hang_up()
                self.stop.wait(0.2)
        self.pool.shutdown(wait=True, cancel_futures=True)

    def round(self) -> None:
        if self.listener is None or self.listener.closed:
            self.listener = listen(CLOCK_CHANNEL)
        moved = clock.tick(run=self.run_job)
        self.moved += moved
        if time.monotonic() - self.beaten > BEAT_EVERY_SECONDS:
            clock.beat("clock", clock.database_now(), self.moved)
            self.moved, self.beaten = 0, time.monotonic()
        if moved >= clock.BATCH:
            return
        if moved:
            self.stop.wait(GATHER_SECONDS)
            return
        self.sleep()

    def sleep(self) -> None:
        """Until the next due row, a notification, or a second: whichever is first."""
        upcoming = clock.next_due()
        wait = clock.LONGEST_SLEEP
        if upcoming is not None:
            wait = min(wait, max((upcoming - clock.database_now()).total_seconds(), 0.001))
        for _ in self.listener.notifies(timeout=wait, stop_after=1):  # type: ignore[union-attr]
            pass

    def run_job(self, job: Callable[[], Any]) -> None:
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

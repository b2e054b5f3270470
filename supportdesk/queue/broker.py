"""django-q2's queue on PostgreSQL: claimed in one statement, woken by NOTIFY, timed by the database's clock.

Replaces the ORM broker that polls five times a second and opens a connection for each step (measured in
docs/reliability.md). Tasks are enqueued in the caller's own transaction: no commit, no task.
"""

from __future__ import annotations

import logging
import os
import re
import time
from collections.abc import Iterable, Sequence
from typing import Any

import psycopg
from django.conf import settings
from django.db import DatabaseError, InterfaceError, close_old_connections, connections
from django_q.brokers.orm import ORM
from django_q.conf import Conf

log = logging.getLogger("supportdesk.queue")

_DJANGOS_OWN = ("cursor_factory", "context", "prepare_threshold")

# How long to sleep when nobody notifies: bounds the wait for a task whose notification was lost.
LONGEST_WAIT_SECONDS = 1.0

_CLAIM = """
UPDATE django_q_ormq AS q SET lock = clock_timestamp() + %s * interval '1 second'
FROM (
    SELECT id FROM django_q_ormq WHERE key = %s AND lock <= clock_timestamp()
    ORDER BY lock LIMIT %s FOR UPDATE SKIP LOCKED
) AS due
WHERE q.id = due.id RETURNING q.id, q.payload
"""
_ENQUEUE = """
INSERT INTO django_q_ormq (key, payload, lock) SELECT %s, payload, clock_timestamp() FROM unnest(%s::text[]) AS payload
"""


def channel(queue: str) -> str:
    """The NOTIFY channel of a queue."""
    return "supportdesk_q_" + re.sub(r"\W", "_", queue)[:40]


class PostgresBroker(ORM):
    """The `broker_class` of every cluster. `list_key` is the queue's name."""

    _listener: psycopg.Connection[Any] | None = None
    _listener_pid: int | None = None

    @property
    def _connection(self) -> Any:
        return connections[Conf.ORM]

    @property
    def queue(self) -> str:
        return self.list_key or Conf.CLUSTER_NAME

    def enqueue(self, task: str) -> int:
        """Add one signed package; returns how many were added, as django-q2 only logs it."""
        return self.enqueue_many([task])

    def enqueue_many(self, tasks: Iterable[str]) -> int:
        """Add signed packages in one statement, in the caller's transaction."""
        packages = list(tasks)
        with self._connection.cursor() as cursor:
            cursor.execute(_ENQUEUE, [self.queue, packages])
            cursor.execute("SELECT pg_notify(%s, '')", [channel(self.queue)])
        return len(packages)

    def dequeue(self) -> Sequence[tuple[int, str]] | None:
        """Claim up to `bulk` tasks, waiting for a notification when there are none. Survives a lost database."""
        try:
            listener = self._listen()
            close_old_connections()
            if claimed := self._claim():
                return claimed
            for _ in listener.notifies(timeout=LONGEST_WAIT_SECONDS, stop_after=1):
                pass
            return self._claim() or None
        except (psycopg.Error, DatabaseError, InterfaceError) as error:
            log.warning("queue %s: %s; connecting again", self.queue, str(error).strip().splitlines()[:1])
            self._hang_up()
            time.sleep(0.2)
            return None

    def _claim(self) -> list[tuple[int, str]]:
        with self._connection.cursor() as cursor:
            cursor.execute(_CLAIM, [Conf.RETRY, self.queue, Conf.BULK])
            return cursor.fetchall()

    def _listen(self) -> psycopg.Connection[Any]:
        """A connection of this process's own that LISTENs; psycopg connections must not cross a fork."""
        if self._listener is None or self._listener_pid != os.getpid() or self._listener.closed:
            self._listener = listen(channel(self.queue))
            self._listener_pid = os.getpid()
        return self._listener

    def _hang_up(self) -> None:
        if self._listener is not None and self._listener_pid == os.getpid():
            self._listener.close()
        self._listener = None
        self._connection.close()

    def __getstate__(self) -> tuple[Any, Any]:
        return self.list_key, self._info


def listening_parameters() -> dict[str, Any]:
    """How to reach PostgreSQL with a session that may LISTEN."""
    if settings.LISTEN_DATABASE_URL:
        return {"conninfo": settings.LISTEN_DATABASE_URL}
    said = connections[Conf.ORM].get_connection_params()
    return {
        name: value for name, value in said.items() if name not in ("cursor_factory", "context", "prepare_threshold")
    }


def listen(name: str) -> psycopg.Connection[Any]:
    """Open a connection that LISTENs on a channel (never through a transaction-pooling proxy: set
    LISTEN_DATABASE_URL)."""
    connection = psycopg.connect(autocommit=True, **listening_parameters())
    connection.execute(psycopg.sql.SQL("LISTEN {}").format(psycopg.sql.Identifier(name)))
    return connection

"""django-q2's queue on PostgreSQL: claimed in one statement, woken by NOTIFY, timed by the database's clock.

Replaces the ORM broker that polls five times a second and opens a connection for each step (measured in
docs/reliability.md). Tasks are enqueued in the caller's own transaction: no commit, no task.
"""

from __future__ import annotations

import logging
import os
import re
import socket
import time
from collections.abc import Iterable, Sequence
from typing import Any

import psycopg
from django.conf import settings
from django.db import DatabaseError, InterfaceError, close_old_connections, connections
from django_q.brokers.orm import ORM
from django_q.conf import Conf
from django_q.models import OrmQ

from supportdesk.queue import fence
from supportdesk.queue.outages import Outages
from supportdesk.queue.patience import answers_within

log = logging.getLogger("supportdesk.queue")

# What "the database is away" looks like, from psycopg and through Django.
DatabaseAway = (psycopg.Error, DatabaseError, InterfaceError)

# How long to sleep when nobody notifies: bounds the wait for a task whose notification was lost.
LONGEST_WAIT_SECONDS = 2.0
SILENCE_SECONDS = 12.0  # longer than any statement may take
# Deliveries of one task before it is set aside: a task that kills its worker must not do so for ever (reliability E2).
MOST_CLAIMS = 5
_SET_ASIDE_UNTIL = "9999-01-01 00:00:00+00"

# Materialized, so that the limit holds: inside a join it may be run again, and passes over what was just claimed.
# `statement_timestamp` and not `clock_timestamp`: the first is stable within a statement, so the index may be used.
_CLAIM = """
WITH due AS MATERIALIZED (
    SELECT id FROM django_q_ormq WHERE key = %s AND lock <= statement_timestamp()
    ORDER BY lock, id LIMIT %s FOR UPDATE SKIP LOCKED
)
UPDATE django_q_ormq AS q
SET supportdesk_claims = q.supportdesk_claims + 1, supportdesk_holder = %s,
    lock = CASE WHEN q.supportdesk_claims >= %s THEN %s::timestamptz
           ELSE statement_timestamp() + %s * interval '1 second' END
FROM due
WHERE q.id = due.id RETURNING q.id, q.payload, q.supportdesk_claims
"""
_ENQUEUE = """
WITH added AS (
    INSERT INTO django_q_ormq (key, payload, lock)
    SELECT %s, payload, clock_timestamp() FROM unnest(%s::text[]) AS payload RETURNING id
)
SELECT min(id), pg_notify(%s, '') FROM added
"""
_ENQUEUE_EVERYWHERE = """
WITH added AS (
    INSERT INTO django_q_ormq (key, payload, lock)
    SELECT key, payload, clock_timestamp() FROM unnest(%s::text[], %s::text[]) AS package (key, payload)
)
SELECT pg_notify(channel, '') FROM unnest(%s::text[]) AS channel
"""
_RELEASE = """
UPDATE django_q_ormq SET lock = statement_timestamp()
WHERE key = %s AND supportdesk_holder = %s AND lock > statement_timestamp() AND supportdesk_claims <= %s
"""
_ACKNOWLEDGE = "DELETE FROM django_q_ormq WHERE id = ANY(%s)"


def channel(queue: str) -> str:
    """The NOTIFY channel of a queue."""
    return "supportdesk_q_" + re.sub(r"\W", "_", queue)[:40]


def enqueue_everywhere(packages: Sequence[tuple[str, str]]) -> None:
    """Add signed packages, each to its queue, and notify, in one statement and in the caller's transaction."""
    queues = [queue for queue, _ in packages]
    channels = [channel(queue) for queue in dict.fromkeys(queues)]
    with connections[Conf.ORM].cursor() as cursor:
        cursor.execute(_ENQUEUE_EVERYWHERE, [queues, [package for _, package in packages], channels])


class PostgresBroker(ORM):
    """The `broker_class` of every cluster. `list_key` is the queue's name."""

    _listener: psycopg.Connection[Any] | None = None
    _listener_pid: int | None = None
    _outages: Outages | None = None
    _ran_dry = False  # the last claim found nothing: wait for a notification before the next

    @staticmethod
    def get_connection(list_key: str | None = None) -> Any:
        """The queue's rows. Unlike django-q2's own, it does not open a connection just to make a broker."""
        return OrmQ.objects.using(Conf.ORM)

    @property
    def _connection(self) -> Any:
        return connections[Conf.ORM]

    @property
    def queue(self) -> str:
        return self.list_key or Conf.CLUSTER_NAME

    @property
    def outages(self) -> Outages:
        """How this process tells that the database is away."""
        if self._outages is None:
            self._outages = Outages(f"queue {self.queue}")
        return self._outages

    def info(self) -> str:
        return f"PostgreSQL {Conf.ORM}"

    def enqueue(self, task: str) -> int:
        """Add one signed package; returns its row's id, which django-q2 logs."""
        return self.enqueue_many([task])

    def enqueue_many(self, tasks: Iterable[str]) -> int:
        """Add signed packages and notify, in one statement, in the caller's transaction. Returns the first id."""
        with self._connection.cursor() as cursor:
            cursor.execute(_ENQUEUE, [self.queue, list(tasks), channel(self.queue)])
            return int(cursor.fetchone()[0] or 0)

    def dequeue(self) -> Sequence[tuple[int, str]] | None:
        """Claim up to `bulk` tasks, waiting for a notification when there are none. Survives a lost database."""
        try:
            with answers_within(SILENCE_SECONDS):
                if fence.is_behind():
                    time.sleep(LONGEST_WAIT_SECONDS)
                    return None
                listener = self._listen()
                if self._ran_dry:
                    for _ in listener.notifies(timeout=LONGEST_WAIT_SECONDS, stop_after=1):
                        pass
                claimed = self._claim()
                self._ran_dry = not claimed
                self.outages.over()
                return claimed or None
        except DatabaseAway as error:
            self.outages.lost(error)
            self.hang_up()
            time.sleep(0.2)
            return None

    def release(self, group: int) -> None:
        """Offer again at once what a process group held that was just ended: nobody works on it any more."""
        with self._connection.cursor() as cursor:
            cursor.execute(_RELEASE, [self.queue, holder(group), MOST_CLAIMS])

    def acknowledge(self, task_id: int) -> None:
        """The task is done: its row goes."""
        self.acknowledge_many([task_id])

    def acknowledge_many(self, ids: Sequence[int]) -> None:
        """The same for many, in one statement."""
        with self._connection.cursor() as cursor:
            cursor.execute(_ACKNOWLEDGE, [list(ids)])

    def delete(self, task_id: int) -> None:
        self.acknowledge(task_id)

    def _claim(self) -> list[tuple[int, str]]:
        with self._connection.cursor() as cursor:
            cursor.execute(
                _CLAIM, [self.queue, Conf.BULK, holder(os.getpgid(0)), MOST_CLAIMS, _SET_ASIDE_UNTIL, Conf.RETRY]
            )
            claimed = cursor.fetchall()
        for pk, _payload, claims in claimed:
            if claims > MOST_CLAIMS:
                log.error("queue %s: task %s was never finished in %s tries and is set aside", self.queue, pk, claims)
        return [(pk, payload) for pk, payload, claims in claimed if claims <= MOST_CLAIMS]

    def _listen(self) -> psycopg.Connection[Any]:
        """A connection of this process's own that LISTENs; psycopg connections must not cross a fork."""
        if self._listener is None or self._listener_pid != os.getpid() or self._listener.closed:
            close_old_connections()
            self._listener, self._ran_dry = listen(channel(self.queue)), False
            self._listener_pid = os.getpid()
        return self._listener

    def hang_up(self) -> None:
        """Give up both connections; the next call makes new ones."""
        if self._listener is not None and self._listener_pid == os.getpid():
            self._listener.close()
        self._listener = None
        self._connection.close()

    def __getstate__(self) -> tuple[Any, Any]:
        return self.list_key, self._info


def holder(group: int) -> str:
    """Who holds a claimed task: a process group on this machine."""
    return f"{socket.gethostname()}:{group}"


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

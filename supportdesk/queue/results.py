"""A cluster's monitor: takes results from the workers and lets the done tasks' rows go, many in one statement.

django-q2's own acknowledges one task a transaction and dies with its database connection, which here would restart the
whole cluster. What we keep of it: failures and whatever asks for it (`save`, `cached`, groups, chains, hooks) are
stored by django-q2's own functions, and its signal is sent.
"""

from __future__ import annotations

import logging
from queue import Empty
from typing import Any

from django.db import connections
from django_q.conf import Conf
from django_q.monitor import save_cached, save_task
from django_q.signals import post_execute

from supportdesk.queue.broker import SILENCE_SECONDS, DatabaseAway, PostgresBroker
from supportdesk.queue.outages import Outages
from supportdesk.queue.patience import answers_within

log = logging.getLogger("supportdesk.queue")

AT_ONCE = 100
TRY_AGAIN_SECONDS = 0.5
# Acknowledgements that cannot be written are dropped beyond this many: the tasks come again, and do nothing.
MOST_WAITING = 10_000


class Results:
    """Runs in the monitor process of one cluster."""

    def __init__(self, queue: Any, broker: PostgresBroker) -> None:
        self.queue, self.broker = queue, broker
        self.outages = Outages(f"results of queue {broker.queue}")
        self.done: list[int] = []
        self.stopping = False

    def run(self) -> None:
        while not self.stopping:
            for task in self._take():
                self._settle(task)
            self._acknowledge()
        self._acknowledge()

    def _take(self) -> list[dict[str, Any]]:
        """Wait for one result, and take with it what is there already."""
        taken: list[dict[str, Any]] = []
        while len(taken) < AT_ONCE:
            try:
                wait = None if not (taken or self.done) else 0 if taken else TRY_AGAIN_SECONDS
                task = self.queue.get(block=wait != 0, timeout=wait or None)
            except Empty:
                break
            if task == "STOP":
                self.stopping = True
                break
            taken.append(task)
        return taken

    def _settle(self, task: dict[str, Any]) -> None:
        if task.get("cached", False):
            save_cached(task, self.broker)
        elif not task["success"] or task.get("save", Conf.SAVE_LIMIT >= 0):
            save_task(task, self.broker)
        ack_id = task.pop("ack_id", None)
        if ack_id and (task["success"] or task.get("ack_failure", False)):
            self.done.append(ack_id)
        post_execute.send(sender="django_q", task=task)
        if not task["success"]:
            log.error("task %s of queue %s failed: %s", task["func"], self.broker.queue, task["result"])

    def _acknowledge(self) -> None:
        """Let the rows go. A connection that died while there was nothing to do is no outage: one fresh one first."""
        if not self.done:
            return
        for is_last in (False, True):
            try:
                with answers_within(SILENCE_SECONDS):
                    self.broker.acknowledge_many(self.done)
                self.done.clear()
                self.outages.over()
                return
            except DatabaseAway as error:
                connections[Conf.ORM].close()
                if is_last:
                    self.outages.lost(error)
                    del self.done[:-MOST_WAITING]


def take_in(queue: Any, broker: PostgresBroker) -> None:
    """What the monitor process runs."""
    Results(queue, broker).run()

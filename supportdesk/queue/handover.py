"""Giving work to django-q2, many tasks in one statement, inside the caller's transaction."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django_q.tasks import async_task

from supportdesk import sitting
from supportdesk.queue import broker

CLOCK_CHANNEL = "supportdesk_clock"


class _Collector:
    """Stands in for a broker while `async_task` builds and signs a package; keeps the packages for one insert."""

    def __init__(self, queue: str) -> None:
        self.list_key = queue
        self.packages: list[str] = []

    def enqueue(self, package: str) -> int:
        self.packages.append(package)
        return len(self.packages)


def hand_over(lane: str, function: str, arguments: Iterable[tuple[Any, ...]]) -> int:
    """Enqueue `function(*args)` on a lane for each of `arguments`. Returns how many."""
    collector = _Collector(lane)
    for args in arguments:
        async_task(function, *args, broker=collector, save=False)
    sitting.collect(broker.enqueue_everywhere, [(lane, package) for package in collector.packages])
    return len(collector.packages)


def wake_clock() -> None:
    """Tell the clock processes, at commit, that something may be due earlier than they think."""
    sitting.notify(CLOCK_CHANNEL)

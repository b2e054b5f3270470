"""Celery on Redis, as a peer: `python bench_queue_celery.py MODE N RATE` sends; `celery -A bench_queue_celery worker`
works. Runs in an environment of its own."""

from __future__ import annotations

import os
import sys
import time
from datetime import UTC, datetime

import bench_queue_tasks
from bench_queue_send import send
from celery import Celery

app = Celery("bench", broker=os.environ["BENCH_BROKER"])
app.conf.update(task_ignore_result=True, broker_connection_retry_on_startup=True)


@app.task(name="stamp")
def stamp(due: float) -> None:
    bench_queue_tasks.stamp(due)


def now(due: float) -> None:
    stamp.delay(due)


def later(due: float) -> None:
    stamp.apply_async((due,), eta=datetime.fromtimestamp(due, UTC))


if __name__ == "__main__":
    now(time.time())  # opens the connection; the reader leaves out the first
    send(sys.argv[1:], now, later)

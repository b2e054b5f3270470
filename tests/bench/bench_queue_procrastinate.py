"""procrastinate on PostgreSQL, as a peer: `python bench_queue_procrastinate.py MODE N RATE` sends, `… schema` prepares;
`procrastinate --app bench_queue_procrastinate.app worker` works. Runs in an environment of its own."""

from __future__ import annotations

import os
import sys
import time
from datetime import UTC, datetime

import bench_queue_tasks
from bench_queue_send import send
from procrastinate import App, PsycopgConnector, SyncPsycopgConnector

URL = os.environ["BENCH_DATABASE"]
app = App(connector=PsycopgConnector(conninfo=URL))


@app.task(name="stamp")
def stamp(due: float) -> None:
    bench_queue_tasks.stamp(due)


def now(due: float) -> None:
    stamp.defer(due=due)


def later(due: float) -> None:
    stamp.configure(schedule_at=datetime.fromtimestamp(due, UTC)).defer(due=due)


if __name__ == "__main__":
    with app.replace_connector(SyncPsycopgConnector(conninfo=URL)) as app, app.open():
        if sys.argv[1] == "schema":
            app.schema_manager.apply_schema()
        else:
            now(time.time())
            send(sys.argv[1:], now, later)

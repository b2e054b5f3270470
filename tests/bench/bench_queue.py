"""The queue beside its peers, in one run on one machine: prints one JSON object with figures and ratios.

    python tests/bench/bench_queue.py [--quick] [--only ROW …] [--without-peers]

Ours are the real clock and the real clusters on a real, durable PostgreSQL. Celery, procrastinate and django-q2 as
shipped run the same sixteen-byte task with two workers each, one after the other. A peer that cannot be had is listed
under `absent`. Shared machines drift: compare within one run, and trust ratios before figures.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1])]

import bench_queue_tasks as tasks  # noqa: E402 (after the path they are found on)
from bench_queue_peers import PEERS, PEERS_BY_NAME, Absent, Peer, a_database_for, wait_for  # noqa: E402
from bench_queue_send import ARMED_AHEAD  # noqa: E402

from tests.chaos.database import Database  # noqa: E402

GOALS = {
    "report_to_vendor_ms": "p50 <= 50, p99 <= 250",
    "timer_claimed_ms": "p99 < 25 at 333/s",
    "timer_started_333_ms": "p50 < 15, p99 < 40",
    "timer_started_100_ms": "p50 < 8, p99 < 20",
    "burst_5000_s": "all claimed < 0.6, all done <= Celery's",
    "enqueue_to_start_ms": "p50 < 5, p99 < 17",
    "tasks_per_second": ">= 1.3 x Celery",
    "pages_while_integrations_hang": "p99 change <= 10 %",
    "back_after_kill_s": "<= 2, 0 lost",
    "first_task_after_database_crash_s": "< 1",
    "idle_percent_of_a_core": "< 1",
}


COMPARED = (
    ("enqueue_to_start_ms", "p50"),
    ("timer_started_100_ms", "p99"),
    ("timer_started_333_ms", "p99"),
    ("burst_5000_s", "done"),
    ("tasks_per_second", "per_second"),
)


def milliseconds(lateness: list[float]) -> dict[str, float]:
    """The middle, the last hundredth and the worst of a list of seconds."""
    if not lateness:
        return {"n": 0}
    late = sorted(max(one, 0.0) * 1000 for one in lateness)
    p99 = late[min(int(len(late) * 0.99), len(late) - 1)]
    figures = {"p50": statistics.median(late), "p99": p99, "max": late[-1]}
    return {**{name: round(value, 2) for name, value in figures.items()}, "n": len(late)}


def begun() -> list[float]:
    """How long after it was due each task began."""
    return [at - due for due, at in tasks.written()]


class Bench:
    """One run: the sizes, and what has been found."""

    def __init__(self, quick: bool, only: list[str]) -> None:
        self.quick, self.only = quick, only
        self.rows: dict[str, dict[str, Any]] = {}
        self.absent: dict[str, str] = {}

    def size(self, full: int, quick: int) -> int:
        return quick if self.quick else full

    def row(self, name: str, who: str, measure: Callable[[], Any]) -> None:
        """Measure one row of the table for one queue."""
        if self.only and name not in self.only:
            return
        tasks.forget()
        began = time.monotonic()
        try:
            found = measure()
        except Exception as error:
            found = {"failed": f"{type(error).__name__}: {error}"[:300]}
        self.rows.setdefault(name, {"goal": GOALS.get(name, "")})[who] = found
        sys.stderr.write(f"{name:<36}{who:<20}{json.dumps(found)}  ({time.monotonic() - began:.0f} s)\n")


def measure_peer(bench: Bench, peer: Peer) -> None:
    """Every row that a general task queue can be asked for."""
    slow = peer.name == "django_q2_shipped"
    with peer:
        time.sleep(4.0)  # workers start
        bench.row("enqueue_to_start_ms", peer.name, lambda: _drip(peer, bench.size(100, 40)))
        if slow:
            bench.row("timer_started_100_ms", peer.name, lambda: _timers(peer, "timers", bench.size(60, 20), 20, 60))
            if not bench.quick:
                bench.row("timer_started_333_ms", peer.name, lambda: "over capacity: not tried")
        else:
            bench.row(
                "timer_started_100_ms", peer.name, lambda: _timers(peer, "timers", bench.size(1000, 300), 100, 30)
            )
            if not bench.quick:
                bench.row("timer_started_333_ms", peer.name, lambda: _timers(peer, "timers", 5000, 333, 45))
            burst = bench.size(5000, 1000)
            bench.row("burst_5000_s", peer.name, lambda: _burst(peer, burst))
        filling = bench.size(3000, 1500) if peer.name == "celery" else bench.size(400, 200)
        peer.stop_workers()
        bench.row("tasks_per_second", peer.name, lambda: _throughput(peer, filling))


def _drip(peer: Peer, count: int) -> dict[str, float]:
    peer.send("drip", count, 10)
    wait_for(count + 1, 20)
    return milliseconds(begun()[1:])


def _timers(peer: Peer, mode: str, count: int, rate: float, within: float) -> dict[str, float]:
    peer.send(mode, count, rate)
    complete = wait_for(count + 1, count / rate + ARMED_AHEAD + within)
    return {**milliseconds(begun()[1:]), "complete": complete}


def _burst(peer: Peer, count: int) -> dict[str, Any]:
    peer.send("burst", count)
    complete = wait_for(count + 1, 60)
    return {"done": _all_done(), "n": count, "complete": complete}


def _all_done() -> float:
    """Seconds from the first due to the last begun."""
    found = sorted(tasks.written())[1:]
    return round(max(at for _, at in found) - found[0][0], 2)


def _throughput(peer: Peer, count: int) -> dict[str, float]:
    peer.send("fill", count)
    peer.start_workers()
    wait_for(count, 60)
    return rate_of_work()


def rate_of_work() -> dict[str, float]:
    """Tasks a second while working flat out: the first and last tenth, start and end, do not count."""
    at = sorted(at for _, at in tasks.written())
    middle = at[len(at) // 10 : -len(at) // 10 or None]
    return {"per_second": round((len(middle) - 1) / max(middle[-1] - middle[0], 1e-6)), "n": len(at)}


def summary(bench: Bench) -> dict[str, Any]:
    """The rows, and what they come to beside the peers."""
    ratios = {}
    for name, unit in COMPARED:
        row = bench.rows.get(name, {})
        ours = row.get("ours", {}).get(unit) if isinstance(row.get("ours"), dict) else None
        for who, found in row.items():
            if ours and isinstance(found, dict) and who != "ours" and found.get(unit):
                ratios[f"{name}.{unit}: ours / {who}"] = round(ours / found[unit], 3)
    return {
        "group": "queue",
        "quick": bench.quick,
        "load": round(os.getloadavg()[1], 1),
        "rows": bench.rows,
        "ratios": ratios,
        "absent": bench.absent,
        "goals": goals(bench, ratios),
    }


def goals(bench: Bench, ratios: dict[str, float]) -> dict[str, bool]:
    """Which goals of the table were met; those that were not measured are left out."""
    ours = {name: row["ours"] for name, row in bench.rows.items() if isinstance(row.get("ours"), dict)}

    def below(name: str, **most: float) -> None:
        if name in ours:
            found[name] = all(ours[name].get(unit, float("inf")) <= limit for unit, limit in most.items())

    found: dict[str, bool] = {}
    below("report_to_vendor_ms", p50=50, p99=250)
    below("timer_claimed_ms", p99=25)
    below("timer_started_333_ms", p50=15, p99=40)
    below("timer_started_100_ms", p50=8, p99=20)
    below("enqueue_to_start_ms", p50=5, p99=17)
    below("pages_while_integrations_hang", p99_ratio=1.1)
    below("back_after_kill_s", max=2, lost=0)
    below("first_task_after_database_crash_s", max=1)
    below("idle_percent_of_a_core", percent=1)
    below("burst_5000_s", claimed_after_the_last_was_due=0.6)
    for name, ratio, holds in (
        ("tasks_per_second", "tasks_per_second.per_second: ours / celery", lambda value: value >= 1.3),
        ("burst_beside_celery", "burst_5000_s.done: ours / celery", lambda value: value <= 1.0),
    ):
        if ratio in ratios:
            found[name] = holds(ratios[ratio])
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--quick", action="store_true", default=os.environ.get("BENCH_QUICK") == "1")
    parser.add_argument("--only", nargs="*", default=[], choices=list(GOALS), metavar="ROW")
    parser.add_argument("--without-peers", action="store_true")
    arguments = parser.parse_args()
    bench = Bench(arguments.quick, arguments.only)
    with ExitStack() as stack:
        place = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        os.environ["BENCH_STAMPS"] = str(place / "stamps")
        database = stack.enter_context(Database("bench"))
        from bench_queue_ours import measure  # ours needs Django's settings, and those need the database

        measure(bench, database, place)
        if not arguments.without_peers:
            _measure_peers(bench, database)
    sys.stdout.write(json.dumps(summary(bench)) + "\n")
    return 0


def _measure_peers(bench: Bench, database: Database) -> None:
    PEERS.mkdir(parents=True, exist_ok=True)
    for name, kind in PEERS_BY_NAME.items():
        try:
            peer = kind(a_database_for(name, database.url()))
            if peer.packages:
                peer.install()
            peer.prepare()
            measure_peer(bench, peer)
        except Absent as why:
            bench.absent[name] = str(why)
        finally:
            peer.__exit__()


if __name__ == "__main__":
    sys.exit(main())

"""Our half of the queue's table: a real desk, asked what the peers are asked, and what only a desk can be asked."""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import bench_queue_tasks as tasks
import psycopg
from bench_queue import Bench, begun, milliseconds, rate_of_work
from bench_queue_peers import wait_for
from bench_queue_send import instants

from tests.chaos.database import Database
from tests.chaos.desk import CHECKOUT, LANES, Desk
from tests.chaos.oracle import Log, listen
from tests.chaos.processes import Processes, Service
from tests.fakes import Fakes

STAMP, TIMER = "tests.bench.bench_queue_tasks.stamp", "tests.bench.bench_queue_tasks.timer"
ARMING_CHUNK = 1000
BETWEEN_REPORTS = 0.5  # seconds: two emergencies a second, each with its room, its messages and its pages
MANAGE = [sys.executable, "manage.py"]


def measure(bench: Bench, database: Database, place: Path) -> None:
    """Every row, on a desk of its own."""
    with Fakes() as fakes:
        log = Log()
        listen(fakes, log)
        desk = Desk(fakes, database.url(), database.url())
        desk.prepare()
        os.environ.update(desk.env())
        os.environ["DJANGO_SETTINGS_MODULE"] = "supportdesk.settings"
        import django

        django.setup()
        with (place / "desk.log").open("wb") as output:
            ours = Ours(bench, desk, database, log, output)
            with ours.clusters(*LANES):
                ours.measure_running()
            ours.measure_throughput()


class Ours:
    """The desk's queue under measurement."""

    def __init__(self, bench: Bench, desk: Desk, database: Database, log: Log, output: Any) -> None:
        self.bench, self.desk, self.database, self.log, self.output = bench, desk, database, log, output
        self.processes: Processes | None = None

    def clusters(self, *lanes: str, clock: bool = True) -> Processes:
        services = [Service(lane, [*MANAGE, "cluster", lane], self.desk.env()) for lane in lanes]
        if clock:
            services.append(Service("clock", [*MANAGE, "clock"], self.desk.env()))
        self.processes = Processes(services, self.output, CHECKOUT)
        return self.processes

    def measure_running(self) -> None:
        row, size = self.bench.row, self.bench.size
        self.until_running()
        row("enqueue_to_start_ms", "ours", lambda: self.drip(size(100, 40)))
        row("timer_started_100_ms", "ours", lambda: self.timers(size(1000, 300), 100))
        row("timer_started_333_ms", "ours", lambda: self.timers(size(10_000, 1500), 333))
        row("timer_claimed_ms", "ours", self.claimed)
        row("burst_5000_s", "ours", lambda: self.burst(size(5000, 1000)))
        row("idle_percent_of_a_core", "ours", lambda: self.idle(size(20, 8)))
        row("back_after_kill_s", "ours", lambda: self.kills(size(40, 6)))
        row("first_task_after_database_crash_s", "ours", lambda: self.crashes(size(5, 2)))
        # Last: what was reported goes on being worked for.
        row("report_to_vendor_ms", "ours", lambda: self.reports(size(100, 30)))
        row("pages_while_integrations_hang", "ours", lambda: self.hanging(size(100, 30)))

    def until_running(self) -> None:
        """Every lane has done something."""
        tasks.forget()
        for lane in LANES:
            self.enqueue(lane)
        if not wait_for(len(LANES), 60):
            raise RuntimeError("the clusters did not start")
        time.sleep(1.0)

    # --- tasks -------------------------------------------------------------------------------------------------------

    def enqueue(self, lane: str = "sla") -> None:
        from supportdesk.queue.handover import hand_over

        hand_over(lane, STAMP, [(time.time(),)])

    def drip(self, count: int) -> dict[str, float]:
        for _ in range(count):
            time.sleep(0.1)
            self.enqueue()
        wait_for(count, 20)
        return milliseconds(begun())

    def measure_throughput(self) -> None:
        def work() -> dict[str, float]:
            from supportdesk.queue.handover import hand_over

            count = self.bench.size(6000, 3000)
            began = time.monotonic()
            for _ in range(count // 100):
                for _ in range(100):
                    hand_over("sla", STAMP, [(time.time(),)])
            enqueued = count / (time.monotonic() - began)
            with self.clusters("sla", clock=False):
                wait_for(count, 60)
            return {**rate_of_work(), "enqueued_per_second": round(enqueued)}

        self.bench.row("tasks_per_second", "ours", work)

    # --- timers ------------------------------------------------------------------------------------------------------

    def arm(self, due: list[float]) -> None:
        from datetime import UTC, datetime

        from django.db import transaction

        from supportdesk.queue import timers

        run = f"{time.time():.3f}"
        for start in range(0, len(due), ARMING_CHUNK):
            chunk = list(enumerate(due[start : start + ARMING_CHUNK], start))
            with transaction.atomic():
                timers.arm(
                    timers.Planned(f"bench:{run}:{n}", TIMER, "bench", datetime.fromtimestamp(at, UTC))
                    for n, at in chunk
                )

    def timers(self, count: int, rate: float) -> dict[str, float]:
        self._clear()
        self.arm(instants("timers", count, rate))
        complete = wait_for(count, count / rate + 30)
        return {**milliseconds(begun()), "complete": complete}

    def claimed(self) -> dict[str, float]:
        """Of the timers just run: how long after it was due each was handed over, by the database's clock."""
        return milliseconds(self._query("SELECT extract(epoch FROM handed_at - planned_at) FROM supportdesk_timer"))

    def burst(self, count: int) -> dict[str, Any]:
        self._clear()
        self.arm(instants("burst", count, 0))
        complete = wait_for(count, 60)
        found = sorted(tasks.written())
        time.sleep(0.3)
        first = "(SELECT min(planned_at) FROM supportdesk_timer WHERE subject = 'bench')"
        (last_due,) = self._query(f"SELECT extract(epoch FROM max(planned_at) - {first}) FROM supportdesk_timer")
        (claimed,) = self._query(f"SELECT extract(epoch FROM max(handed_at) - {first}) FROM supportdesk_timer")
        done = max(at for _, at in found) - found[0][0]
        return {
            "done": round(done, 2),
            "claimed": round(float(claimed), 2),
            "claimed_after_the_last_was_due": round(float(claimed - last_due), 2),
            "n": count,
            "complete": complete,
        }

    # --- pages -------------------------------------------------------------------------------------------------------

    def reports(self, count: int) -> dict[str, float]:
        """From the commit of a report to the first page at a vendor's socket."""
        late = []
        for number in range(count):
            committed, incident = self._report(number)
            until = time.monotonic() + 30
            while self.log.first_page(incident) is None and time.monotonic() < until:
                time.sleep(0.0005)
            at = self.log.first_page(incident)
            late.append(30.0 if at is None else at - committed)
            time.sleep(BETWEEN_REPORTS)
        return milliseconds(late)

    def hanging(self, count: int) -> dict[str, Any]:
        """The same while every integration worker hangs, and once more without, to tell it from the machine's drift."""
        from supportdesk.queue.handover import hand_over

        before = self.reports(count)
        hand_over("integrations", "time.sleep", [(20,)] * 60)
        time.sleep(1.0)
        during = self.reports(count)
        self._execute("DELETE FROM django_q_ormq")
        return {"calm": before, "hanging": during, "p99_ratio": round(during["p99"] / before["p99"], 2),
                "p50_ratio": round(during["p50"] / before["p50"], 2)}  # fmt: skip

    def _report(self, number: int) -> tuple[float, int]:
        from incidents import actions
        from incidents.actions.reporting import Report
        from supportdesk.organizations.models import Contact

        alice = Contact.objects.select_related("organization", "user").get(email="alice@acme.example")
        said = Report(title=f"Bench {number}", source="api", impact=1, urgency=1, organization=alice.organization,
                      reporter=alice)  # fmt: skip
        incident = actions.report(said, actor=alice.user.actor("api"))
        return time.monotonic(), incident.pk

    # --- faults ------------------------------------------------------------------------------------------------------

    def kills(self, count: int) -> dict[str, Any]:
        """Kill one process of the cluster, idle workers too; then let one timer fall due, and wait for its effect."""
        assert self.processes is not None
        service = next(service for service in self.processes.services if service.name == "sla")
        chance, back, due = random.Random(1), [], set()
        self._clear()
        for _ in range(count):
            time.sleep(chance.uniform(0.5, 2.0))
            victims = self.processes.of(service)
            with suppress(ProcessLookupError, IndexError):
                os.kill(chance.choice(victims[1:] or victims), signal.SIGKILL)
            at = time.time()
            due.add(at)
            self.arm([at])
            self._await(at)
            back.append(time.time() - at)
        seen = [round(one, 3) for one, _ in tasks.written()]
        lost = len({round(one, 3) for one in due} - set(seen))
        return {"kills": count, "p50": round(sorted(back)[len(back) // 2], 2), "max": round(max(back), 2), "lost": lost,
                "twice": len(seen) - len(set(seen))}  # fmt: skip

    def _await(self, due: float) -> None:
        until = time.monotonic() + 30
        while time.monotonic() < until and not any(abs(one - due) < 0.001 for one, _ in tasks.written()):
            time.sleep(0.002)

    def crashes(self, count: int) -> dict[str, Any]:
        """Crash PostgreSQL, let it be away a while, start it; from its first answer to the first task."""
        from django.db import connection

        found = []
        for number in range(count):
            tasks.forget()
            connection.close()
            self.database.crash(down=1.0 + number % 2)
            up = time.time()
            self.enqueue()
            wait_for(1, 30)
            found.append(tasks.written()[0][1] - up)
        return {"max": round(max(found), 2), "all": [round(one, 2) for one in found]}

    def idle(self, seconds: int) -> dict[str, float]:
        """Processor time of the clock and every cluster with 10 000 timers armed and nothing due."""
        assert self.processes is not None
        self._clear()
        self.arm([time.time() + 86_400 + number for number in range(10_000)])
        time.sleep(3.0)
        before, began = self._ticks(), time.monotonic()
        time.sleep(seconds)
        spent = sum(now - before[pid] for pid, now in self._ticks().items() if pid in before)
        share = spent / os.sysconf("SC_CLK_TCK") / (time.monotonic() - began) * 100
        self._clear()
        return {"percent": round(share, 2), "processes": len(before), "memory_mb": self._memory()}

    def _ticks(self) -> dict[int, int]:
        assert self.processes is not None
        found = {}
        for pid in self.processes.everybody():
            with suppress(OSError):
                said = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
                found[pid] = int(said[11]) + int(said[12])
        return found

    def _memory(self) -> int:
        """Proportional set size: shared pages are counted once."""
        assert self.processes is not None
        total = 0
        for pid in self.processes.everybody():
            with suppress(OSError):
                words = Path(f"/proc/{pid}/smaps_rollup").read_text().split("Pss:")[1].split()
                total += int(words[0])
        return total // 1024

    # --- rows --------------------------------------------------------------------------------------------------------

    def _clear(self) -> None:
        self._execute("DELETE FROM supportdesk_timer WHERE subject = 'bench'")

    def _execute(self, sql: str) -> None:
        with psycopg.connect(self.database.url(), autocommit=True) as connection:
            connection.execute(sql)

    def _query(self, sql: str) -> list[float]:
        with psycopg.connect(self.database.url()) as connection:
            return [float(row[0]) for row in connection.execute(f"{sql} WHERE subject = 'bench'").fetchall()]

"""`make chaos` in short, and what it stands on: a cluster that dies with its parent and comes back from anything."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django_q.tasks import async_task

from supportdesk.embedded import guardian
from supportdesk.queue import broker, handover
from tests.chaos.database import Database
from tests.chaos.desk import CHECKOUT, Desk
from tests.chaos.processes import Processes, Service
from tests.fakes import Fakes

MANAGE = [sys.executable, "manage.py"]
WITHIN = 40.0


def test_a_minute_of_chaos_loses_nothing():
    done = subprocess.run(
        [sys.executable, "-m", "tests.chaos", "--kills", "12"],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr[-3000:]
    found = json.loads(done.stdout)
    assert found["incidents"] > 0
    assert (found["lost"], found["duplicates_without_key"], found["orphans"]) == (0, 0, 0)
    assert list(found) == [
        *("incidents", "kills", "lost", "duplicates", "duplicates_without_key", "late_p99_s", "late_max_s"),
        *("orphans", "recovered_within_s"),
    ]


class Cluster:
    """One real cluster on a real database, and proofs that it works."""

    def __init__(self, desk: Desk, database: Database, place: Path) -> None:
        self.desk, self.database, self.place, self.count = desk, database, place, 0
        self.log = place / "log"

    @contextmanager
    def run(self, *argv: str) -> Iterator[Processes]:
        env = {**self.desk.env(), "SUPPORTDESK_QUEUE_KEY": settings.QUEUE_SIGNING_KEYS[0], "SUPPORTDESK_LOG": "INFO"}
        service = Service("cluster", [*MANAGE, *argv], env)
        with self.log.open("ab") as log, Processes([service], log, CHECKOUT) as processes:
            yield processes

    def works(self, queue: str = "sla") -> bool:
        """A task put into its queue is done; twice is as good, for a blow may fall between work and receipt."""
        self.count += 1
        proof = self.place / f"proof-{self.count}"
        collected = handover._Collector(queue)
        async_task("os.makedirs", str(proof), exist_ok=True, broker=collected, save=False)
        with self.database.connect() as connection:
            connection.execute(broker._ENQUEUE, [queue, collected.packages, broker.channel(queue)])
        return until(proof.exists)


def until(look: Callable[[], Any], within: float = WITHIN) -> bool:
    end = time.monotonic() + within
    while not look():
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


@pytest.fixture(scope="module")
def database() -> Iterator[Database]:
    with Fakes() as fakes, Database("clusters") as made:
        Desk(fakes, made.url(), made.url()).manage("migrate", "--verbosity", "0")
        yield made


@pytest.fixture
def cluster(database: Database, vendors: Fakes, tmp_path: Path) -> Cluster:
    with database.connect() as connection:
        connection.execute("DELETE FROM django_q_ormq")  # what the blows of the test before left unacknowledged
    return Cluster(Desk(vendors, database.url(), database.url()), database, tmp_path)


FULL = 6  # parent, leader, two workers, monitor, pusher


def members(processes: Processes) -> list[int]:
    """Everybody of the cluster, once it is complete: it may be on its way back from the last blow."""
    assert until(lambda: len(processes.of(processes.services[0])) >= FULL)
    return processes.of(processes.services[0])


def kill(pid: int, number: signal.Signals = signal.SIGKILL) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, number)


def test_the_cluster_works_again_whichever_idle_process_is_killed(cluster: Cluster):
    """Reliability E1, F2: as shipped, an idle worker takes the queue's lock with it and the cluster hangs for good."""
    with cluster.run("cluster", "sla") as processes:
        assert cluster.works()
        for victim in (1, 3, 4):  # the leader, and whoever comes third and fourth: workers, monitor, pusher
            kill(members(processes)[victim])
            assert cluster.works(), f"killed number {victim}"
        assert processes.services[0].starts == 1  # the parent brought it back each time


def test_a_stopped_process_does_not_wedge_the_cluster(cluster: Cluster):
    with cluster.run("cluster", "sla") as processes:
        assert cluster.works()
        kill(random.choice(members(processes)[2:]), signal.SIGSTOP)
        assert cluster.works()


def test_nobody_outlives_the_parent(cluster: Cluster):
    """Reliability E6, F3: no ghost workers that go on with old code."""
    with cluster.run("cluster", "sla") as processes:
        assert cluster.works()
        before = members(processes)
        kill(before[0])
        assert until(lambda: not set(before) & set(guardian.marked(processes.mark)))
        assert cluster.works()


def test_sigterm_ends_it_in_good_order(cluster: Cluster):
    with cluster.run("cluster", "sla") as processes:
        assert cluster.works()
        processes.stop(patience=WITHIN)
        assert not processes.everybody()


def test_a_database_that_is_away_is_told_once(cluster: Cluster):
    with cluster.run("cluster", "sla"):
        assert cluster.works()
        cluster.database.crash(down=4.0)
        assert cluster.works()
    said = cluster.log.read_text()
    assert said.count("supportdesk.queue queue sla: the database is away") == 1
    assert said.count("supportdesk.queue queue sla: the database is back") == 1
    assert "Traceback" not in said


def test_qcluster_works_as_its_users_expect(cluster: Cluster):
    """django-q2's own command, on our broker: its default queue, a task, an orderly end."""
    with cluster.run("qcluster") as processes:
        assert cluster.works("supportdesk")
        processes.stop(patience=WITHIN)
        assert not processes.everybody()

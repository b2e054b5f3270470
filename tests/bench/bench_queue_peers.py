"""The other queues: installed into environments of their own under build/peers, started, asked, stopped.

A peer that cannot be had here is absent from the figures, with the reason.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import ClassVar

import bench_queue_tasks as tasks
import psycopg
from peers import INSTALL_WITHIN, PEERS, Absent, install, python_of

from supportdesk.embedded import guardian
from supportdesk.embedded.processes import free_port

HERE = Path(__file__).resolve().parent


class Peer(ABC):
    """One other queue. `with peer:` has its workers running."""

    name: ClassVar[str]
    packages: ClassVar[tuple[str, ...]] = ()
    script: ClassVar[str]

    def __init__(self, database: str) -> None:
        self.database = database
        self.running: list[subprocess.Popen[bytes]] = []

    @property
    def python(self) -> str:
        return python_of(self.name)

    @property
    def env(self) -> dict[str, str]:
        place = {"PYTHONPATH": str(HERE), "BENCH_DATABASE": self.database, "BENCH_STAMPS": str(tasks.stamps())}
        kept = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
        return {**kept, **place}

    def install(self) -> None:
        """Have the packages, in an environment of their own. Raises `Absent`."""
        install(self.name, *self.packages)

    @abstractmethod
    def prepare(self) -> None:
        """What must be there before the workers: schema, broker."""

    @abstractmethod
    def worker(self) -> list[str]:
        """The command that runs two workers."""

    def start(self, argv: list[str]) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            argv,
            cwd=HERE,
            env=self.env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=guardian.dying_with_parent(15),
        )
        self.running.append(process)
        return process

    def send(self, mode: str, count: int, rate: float = 0.0) -> None:
        order = [self.python, self.script, mode, str(count), str(rate)]
        subprocess.run(order, cwd=HERE, env=self.env, check=True, timeout=120, capture_output=True)

    def __enter__(self) -> Peer:
        self.start_workers()
        return self

    def start_workers(self) -> None:
        self.start(self.worker())

    def stop_workers(self) -> None:
        self._stop(self.running.pop())

    def __exit__(self, *_: object) -> None:
        while self.running:
            self._stop(self.running.pop())

    def _stop(self, process: subprocess.Popen[bytes]) -> None:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(8)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, 9)
        process.wait()


class Celery(Peer):
    """Celery on Redis: prefork, acknowledged early, as it comes. Redis holds the tasks in memory."""

    name, packages, script = "celery", ("celery[redis]==5.7.0",), "bench_queue_celery.py"

    def prepare(self) -> None:
        redis = shutil.which("redis-server")
        if redis is None and os.geteuid() == 0 and shutil.which("apt-get"):
            get = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", "redis-server"]
            subprocess.run(get, capture_output=True, timeout=INSTALL_WITHIN)
            redis = shutil.which("redis-server")
        if redis is None:
            raise Absent("there is no redis-server; apt-get install redis-server")
        self.port = free_port("127.0.0.1", 16379)
        self.start([redis, "--port", str(self.port), "--save", "", "--bind", "127.0.0.1", "--dir", str(PEERS)])
        time.sleep(0.5)

    @property
    def env(self) -> dict[str, str]:
        return {**super().env, "BENCH_BROKER": f"redis://127.0.0.1:{self.port}/0"}

    def worker(self) -> list[str]:
        return [self.python, "-m", "celery", "-A", "bench_queue_celery", "worker", "-c", "2", "-l", "CRITICAL"]


class Procrastinate(Peer):
    """procrastinate: tasks in PostgreSQL, two at a time."""

    name, packages, script = (
        "procrastinate",
        ("procrastinate==3.10.0", "psycopg[binary]"),
        "bench_queue_procrastinate.py",
    )

    def prepare(self) -> None:
        subprocess.run([self.python, self.script, "schema"], cwd=HERE, env=self.env, check=True, capture_output=True)

    def worker(self) -> list[str]:
        app = "bench_queue_procrastinate.app"
        return [self.python, "-m", "procrastinate", "--app", app, "worker", "--concurrency", "2"]


class Shipped(Peer):
    """django-q2 as shipped: ORM broker, polling, its own scheduler. The package is the one we use."""

    name, script = "django_q2_shipped", "bench_queue_shipped.py"

    @property
    def python(self) -> str:
        return sys.executable

    @property
    def env(self) -> dict[str, str]:
        return {**super().env, "DJANGO_SETTINGS_MODULE": "bench_queue_shipped"}

    def prepare(self) -> None:
        migrate = [self.python, "-m", "django", "migrate", "--verbosity", "0"]
        subprocess.run(migrate, cwd=HERE, env=self.env, check=True, capture_output=True)

    def worker(self) -> list[str]:
        return [self.python, "-m", "django", "qcluster"]


PEERS_BY_NAME = {peer.name: peer for peer in (Celery, Procrastinate, Shipped)}


def a_database_for(name: str, server: str) -> str:
    """A database of its own on the same server."""
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return server.rsplit("/", 1)[0] + f"/{name}"


def wait_for(count: int, within: float, look: Callable[[], int] = lambda: len(tasks.written())) -> bool:
    """Until so many have begun. False when they have not within the time."""
    until = time.monotonic() + within
    while look() < count:
        if time.monotonic() > until:
            return False
        time.sleep(0.05)
    return True

"""A whole desk with real processes: fake vendors, a database of its own, a clock, clusters, the auditor."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from supportdesk.embedded import guardian, postgres
from supportdesk.embedded.instance import Instance
from tests.fakes import Fakes

ROOT = Path(__file__).resolve().parents[2]
PREPARE = """
import json, sys, django
django.setup()
from django.core.management import call_command
from incidents import demo
from supportdesk import instants
call_command("migrate", verbosity=0)
demo.build(instants.now(), vendors=json.loads(sys.argv[1]))
"""
REPORT = """
import sys, django
django.setup()
from incidents import actions, demo
from supportdesk import actors
world = demo.load()
alice = world.contacts["alice"]
said = actions.Report(title=sys.argv[1], source="customer_portal", impact=1, urgency=1,
                      organization=alice.organization, reporter=alice)
made = actions.report(said, actor=alice.user.actor("portal"))
if sys.argv[2:] == ["and resolve"]:
    actions.acknowledge(made.pk, actor=world.users["bob"].actor("console"))
    actions.resolve(made.pk, actor=world.users["bob"].actor("console"), summary="It was a test.")
"""
VENDORS = ("email", "slack", "phone", "sms")


class Desk:
    """Starts everything, ends everything; every process leads a session of its own."""

    def __init__(self, *, every: float = 5.0, lanes: tuple[str, ...] = ("page", "sla", "integrations", "bulk")) -> None:
        self.every = every
        self.lanes = lanes
        self.instance = Instance("test")
        self.name = f"sabotage_{os.getpid()}"
        self.fakes = Fakes()
        self.processes: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> Desk:
        postgres.hold(self.instance)
        self.server = psycopg.connect(postgres.url(self.instance, "postgres"), autocommit=True)
        self.server.execute(f"DROP DATABASE IF EXISTS {self.name} WITH (FORCE)")
        self.server.execute(f"CREATE DATABASE {self.name}")
        self.fakes.__enter__()
        urls = ",".join(f"{slug}={url}" for slug, url in self.fakes.base_urls().items())
        self.env = {
            **{key: value for key, value in os.environ.items() if key != "SUPPORTDESK_TEST_DATABASE"},
            "DATABASE_URL": postgres.url(self.instance, self.name),
            "SUPPORTDESK_MODE": "test",
            "DJANGO_SETTINGS_MODULE": "supportdesk.settings",
            "SUPPORTDESK_VENDOR_URLS": urls,
            "SUPPORTDESK_EMERGENCY_NUMBER": "+4930555000",
            "SUPPORTDESK_LOG": "ERROR",
        }
        self.run(PREPARE, json.dumps({slug: self.fakes.values(slug) for slug in VENDORS}))
        self.rows = psycopg.connect(postgres.url(self.instance, self.name), autocommit=True)
        self.start("clock", "clock")
        for lane in self.lanes:
            self.start(lane, "cluster", lane)
        self.start("auditor", "auditor", "--every", str(self.every))
        return self

    def __exit__(self, *_: object) -> None:
        for name in list(self.processes):
            self.end(name)
        self.rows.close()
        self.server.execute(f"DROP DATABASE IF EXISTS {self.name} WITH (FORCE)")
        self.server.close()
        self.fakes.__exit__(None, None, None)

    def run(self, program: str, *args: str) -> None:
        subprocess.run([sys.executable, "-c", program, *args], env=self.env, cwd=ROOT, check=True, timeout=180)

    def start(self, name: str, *command: str) -> None:
        env = self.env | ({"Q_CLUSTER_NAME": name} if command[0] == "cluster" else {}) | {"SUPPORTDESK_PROCESS": name}
        argv = [sys.executable, "manage.py", *command]
        mortal = guardian.dying_with_parent(signal.SIGTERM)
        self.processes[name] = subprocess.Popen(argv, env=env, cwd=ROOT, start_new_session=True, preexec_fn=mortal)

    def end(self, name: str, number: signal.Signals = signal.SIGKILL) -> None:
        process = self.processes.pop(name)
        for pid in (*self.children(process.pid), process.pid):
            _kill(pid, number)
        process.wait(30)

    def children(self, pid: int) -> list[int]:
        """Everything below a process, whatever session it hides in."""
        parents: dict[int, list[int]] = {}
        for stat in Path("/proc").glob("[0-9]*/stat"):
            try:
                fields = stat.read_text(errors="replace").rsplit(")", 1)[1].split()
            except OSError:
                continue
            parents.setdefault(int(fields[1]), []).append(int(stat.parent.name))
        found, todo = [], [pid]
        while todo:
            below = parents.get(todo.pop(), [])
            found += below
            todo += below
        return found

    def value(self, sql: str, *args: object) -> object:
        row = self.rows.execute(sql, args).fetchone()
        return row[0] if row else None

    def is_wrong(self, invariant: str) -> bool:
        sql = "SELECT count(*) FROM supportdesk_finding WHERE invariant = %s AND cleared_at IS NULL"
        return bool(self.value(sql, invariant))

    def is_well(self) -> bool:
        sql = "SELECT ok FROM supportdesk_auditrun ORDER BY at DESC LIMIT 1"
        return bool(self.value(sql)) and not self.value(
            "SELECT count(*) FROM supportdesk_finding WHERE cleared_at IS NULL AND level = 'alarm'"
        )

    @contextmanager
    def stopped(self, name: str, *, with_children: bool = False) -> Iterator[None]:
        """SIGSTOP a process: alive by every look at the process table, and doing nothing."""
        pid = self.processes[name].pid
        pids = [pid, *(self.children(pid) if with_children else [])]
        for each in pids:
            _kill(each, signal.SIGSTOP)
        try:
            yield
        finally:
            for each in pids:
                _kill(each, signal.SIGCONT)


def _kill(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


def until(what: Callable[[], bool], within: float) -> float | None:
    """Seconds until something is so; None where it is not within `within` seconds."""
    begun = time.monotonic()
    while time.monotonic() - begun < within:
        if what():
            return round(time.monotonic() - begun, 1)
        time.sleep(0.25)
    return None


def sabotage(desk: Desk, *, wedge: bool = True) -> dict[str, float | None]:
    """Stop what must not stop, with real signals; returns after how many seconds the auditor noticed."""
    until(desk.is_well, 120)
    noticed: dict[str, float | None] = {}
    with desk.stopped("clock"):
        noticed["clock stopped"] = until(lambda: desk.is_wrong("H1-clock"), 120)
    noticed["well again"] = until(desk.is_well, 120)
    if wedge:
        with desk.stopped("page", with_children=True):  # its supervisor too: nobody but the auditor can see it
            noticed["page cluster stopped"] = until(lambda: desk.is_wrong("H2-lanes"), 120)
        noticed["page cluster well again"] = until(desk.is_well, 120)
    return noticed


def soak(desk: Desk, minutes: float) -> list[str]:
    """Emergencies come and go and processes are restarted gently; returns what was alarmed, which should be nothing."""
    until(desk.is_well, 120)
    begun = desk.value("SELECT clock_timestamp()")
    end, turn = time.monotonic() + minutes * 60, 0
    while time.monotonic() < end:
        desk.run(REPORT, f"Soak {turn}", "and resolve")
        name = ("clock", *desk.lanes)[turn % (len(desk.lanes) + 1)]
        process = desk.processes.pop(name)
        process.terminate()
        process.wait(60)
        desk.start(name, *(("clock",) if name == "clock" else ("cluster", name)))
        turn += 1
        time.sleep(min(30.0, max(end - time.monotonic(), 0)))
    sql = "SELECT invariant || ': ' || detail FROM supportdesk_finding WHERE since >= %s AND level = 'alarm'"
    return [row[0] for row in desk.rows.execute(sql, [begun])]

"""What `make run` does: one desk per checkout, its database first, then everything else, until Ctrl-C."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

from supportdesk.embedded import postgres, processes
from supportdesk.embedded.instance import Instance, try_lock
from supportdesk.embedded.processes import Address
from supportdesk.embedded.stand_ins import SLUGS, StandIns, wanted
from supportdesk.embedded.supervisor import Lines, Supervisor
from supportdesk.embedded.welcome import welcome

WAIT_FOR_DATABASE = 30.0  # seconds for the database to stop, its last user having gone


def run(
    instance: Instance, *, is_embedded: bool, host: str, port: int, prepare: Callable[[StandIns | None], str]
) -> None:
    """Open the desk and stay until told to stop. `prepare` brings the database up to date. Raises EmbeddedError."""
    instance.make_room()
    lock_path = instance.home / "run.lock"
    lock = try_lock(lock_path)
    if lock is None:
        sys.stdout.write(f"{_already_running(lock_path)}\n")
        return
    try:
        _run(instance, is_embedded, _address(host, port), lock_path, prepare)
    finally:
        os.close(lock)


def _run(
    instance: Instance, is_embedded: bool, address: Address, note: Path, prepare: Callable[[StandIns | None], str]
) -> None:
    stand_ins = _stand_ins(address, instance) if wanted() else None
    children = processes.desk(address, instance if is_embedded else None, stand_ins)
    if is_embedded:
        children.append(processes.database(instance))
    lines = Lines(child.name for child in children)
    begun = time.monotonic()
    note.write_text(json.dumps({"pid": os.getpid(), "url": address.url}))
    if is_embedded:
        postgres.hold(instance)
    try:
        on_call = prepare(stand_ins)
        lines("database", f"ready and up to date after {time.monotonic() - begun:.1f} s")
        words = welcome(address.url, on_call, stand_ins.pocket if stand_ins else "")
        Supervisor(children, lines, on_ready=lambda: lines.print(words)).run()
    finally:
        if is_embedded:
            _close_database(instance, lines)
    lines.print("supportdesk is closed.")


def _already_running(note: Path) -> str:
    try:
        found = json.loads(note.read_text())
    except ValueError:  # it took the lock a moment ago and has not written its note yet
        return "supportdesk is just starting in another process. Nothing was started here."
    return f"supportdesk is already running at {found['url']} (pid {found['pid']}). Nothing was started."


def _address(host: str, wanted: int) -> Address:
    port = processes.free_port(host, wanted)
    live_port = processes.free_port(host, wanted + 1, taken=(port,))
    if port != wanted:
        sys.stdout.write(f"Port {wanted} is taken by another program; using {port} instead.\n")
    return Address(host, port, live_port)


def _stand_ins(address: Address, instance: Instance) -> StandIns:
    """A free port for each stand-in, beside the desk's own."""
    taken: list[int] = [address.port, address.live_port]
    ports = {}
    for slug in SLUGS:
        ports[slug] = processes.free_port("127.0.0.1", address.port + 10, taken=tuple(taken))
        taken.append(ports[slug])
    return StandIns(ports, instance.home / "stand-ins.json")


def _close_database(instance: Instance, lines: Lines) -> None:
    """Let go of the database and see it stop, unless somebody else still works with it."""
    postgres.release(instance)
    deadline = time.monotonic() + WAIT_FOR_DATABASE
    while instance.is_running() and time.monotonic() < deadline:
        if instance.has_users():
            lines("database", "stays up: another command is using it, and stops when that ends")
            return
        time.sleep(0.05)
    lines("database", "stopped")

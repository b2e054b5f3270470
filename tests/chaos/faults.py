"""What goes wrong, one fault a function. Each returns a few words for the diary."""

from __future__ import annotations

import os
import random
import signal
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psycopg

from tests.chaos.database import Database
from tests.chaos.processes import Processes, what
from tests.chaos.proxy import FaultProxy

FAKETIME = next(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"), None)


@dataclass
class Place:
    """What faults work on."""

    database: Database
    proxy: FaultProxy
    processes: Processes
    random: random.Random
    clock_file: Path
    halted: threading.Event


def kill(place: Place) -> str:
    """`kill -9` of any process, idle workers too; sometimes it is only stopped, and goes on later or never."""
    service = place.random.choice(place.processes.services)
    victims = place.processes.of(service) or place.processes.everybody()
    if not victims:
        return "nobody to kill"
    pid = place.random.choice(victims)
    words = f"{service.name}: {what(pid)}"
    with suppress(ProcessLookupError):
        if place.random.random() < 0.2:
            os.kill(pid, signal.SIGSTOP)
            after = place.random.uniform(1.0, 8.0)
            threading.Thread(target=_go_on, args=(pid, after, place.halted), daemon=True).start()
            return f"SIGSTOP {pid} for {after:.1f} s ({words})"
        os.kill(pid, signal.SIGKILL)
    return f"SIGKILL {pid} ({words})"


def _go_on(pid: int, after: float, halted: threading.Event) -> None:
    halted.wait(after)
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGCONT)


def crash_database(place: Place) -> str:
    """`pg_ctl restart -m immediate`."""
    down = place.random.uniform(0.0, 2.0)
    place.database.crash(down)
    return f"PostgreSQL crashed and came back after {down:.1f} s"


def half_open(place: Place) -> str:
    """Lines to the database that stay open and carry nothing, until both ends give up."""
    length = place.random.uniform(2.0, 6.0)
    place.proxy.go_deaf()
    place.halted.wait(length)
    place.proxy.hear_again()
    return f"lines to the database went dead for {length:.1f} s"


def stuck_transaction(place: Place) -> str:
    """Somebody holds the newest incident and its deliveries for a while."""
    length = place.random.uniform(2.0, 6.0)
    threading.Thread(target=_hold, args=(place.database, length, place.halted), daemon=True).start()
    return f"a transaction holds the newest incidents for {length:.1f} s"


def _hold(database: Database, length: float, halted: threading.Event) -> None:
    with suppress(psycopg.Error), psycopg.connect(database.url()) as connection:
        connection.execute("SELECT 1 FROM incidents_incident ORDER BY id DESC LIMIT 3 FOR UPDATE")
        connection.execute("SELECT 1 FROM supportdesk_timer WHERE state = 'armed' ORDER BY due_at LIMIT 5 FOR UPDATE")
        halted.wait(length)


def clock_jump(place: Place) -> str:
    """The wall clock of one machine jumps: that of the second clock process and of the page cluster."""
    hours = place.random.choice([2, -2, 26])
    place.clock_file.write_text(f"{hours:+d}h\n" if FAKETIME else "")
    place.halted.wait(2.0)
    place.clock_file.write_text("+0\n")
    return f"the wall clock of one clock process jumped by {hours} h and back" if FAKETIME else "no libfaketime here"


def rolling_restart(place: Place) -> str:
    """A deployment: every service in turn is asked to end, and comes back."""
    for service in place.processes.services:
        place.processes.signal(service, signal.SIGTERM)
        if place.halted.wait(0.7):
            break
    return "rolling restart"


RARE: tuple[Callable[[Place], str], ...] = (
    crash_database,
    half_open,
    stuck_transaction,
    clock_jump,
    rolling_restart,
)


def faketime_env(clock_file: Path) -> dict[str, str]:
    """What puts a process under a clock that the file can move."""
    clock_file.write_text("+0\n")
    if FAKETIME is None:
        return {}
    return {
        "LD_PRELOAD": str(FAKETIME),
        "FAKETIME_TIMESTAMP_FILE": str(clock_file),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }

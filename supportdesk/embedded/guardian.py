"""Two small processes that outlive a kill -9 and tidy up after it.

`keep` runs PostgreSQL for as long as anybody uses it. Users hold a shared lock on one file; the kernel drops a dead
user's lock, however it died, and the keeper that can take the lock for itself stops the database in good order.

`guard` waits for the supervisor to go, then ends every process that was started under it, in whatever process group or
session it hides: they all carry the supervisor's mark in their environment.

Run by path (`python -I -S guardian.py …`), so only the standard library is here: it starts in milliseconds.
"""

from __future__ import annotations

import ctypes
import fcntl
import functools
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

MARK = "SUPPORTDESK_CHILD_OF"  # environment variable: "<run>:<child name>"
PR_SET_PDEATHSIG = 1
TICK = 0.1  # seconds
FAST_SHUTDOWN = 20.0  # seconds PostgreSQL gets to end its sessions and write a checkpoint
IMMEDIATE_SHUTDOWN = 5.0

_libc = ctypes.CDLL(None, use_errno=True)


def die_with_parent(parent: int, number: signal.Signals) -> None:
    """Have the kernel send us this signal when the thread that started us ends; `parent` is that thread's process."""
    if sys.platform == "linux":
        _libc.prctl(PR_SET_PDEATHSIG, number)
    if os.getppid() != parent:  # it died before we could ask
        os.kill(os.getpid(), number)


def dying_with_parent(number: signal.Signals) -> Callable[[], None]:
    """`die_with_parent` as a `preexec_fn`. A change of user clears the setting; Popen makes that change before."""
    return functools.partial(die_with_parent, os.getpid(), number)


def marked(mark: str) -> list[int]:
    """The ids of living processes with this mark: `"<run>:"` for all of a run, `"<run>:<name>"` for one child."""
    wanted = f"{MARK}={mark}".encode()
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            variables = (entry / "environ").read_bytes().split(b"\0")
        except OSError:  # gone meanwhile, or not ours to read
            continue
        if any(v.startswith(wanted) if mark.endswith(":") else v == wanted for v in variables):
            found.append(int(entry.name))
    return found


def end_marked(mark: str, *, patience: float) -> None:
    """SIGTERM everything that carries this mark, SIGKILL what is left after `patience` seconds (0: at once)."""
    begun = time.monotonic()
    told: set[int] = set()
    while pids := marked(mark):
        waited = time.monotonic() - begun
        if waited > patience + 10:  # in uninterruptible sleep; the kernel will end it when the disk answers
            return
        for pid in pids:
            if waited >= patience:
                send(pid, signal.SIGKILL)
            elif pid not in told:
                told.add(pid)
                send(pid, signal.SIGTERM)
        time.sleep(TICK / 2)


def send(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


def guard(run: str) -> None:
    """Wait until the supervisor closes our standard input, by exiting or by dying; then end what it left behind."""
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    while os.read(0, 4096):
        pass
    end_marked(f"{run}:", patience=2.0)


def keep(order: dict[str, Any]) -> None:
    """Run PostgreSQL (`order["argv"]`) in the background until its last user has gone or it ends by itself."""
    lock = os.open(order["keeper_lock"], os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX)  # waits for those who are just looking whether a keeper lives
    if os.fork():
        os._exit(0)  # the starter sees a finished process and no zombie; the lock stays with the other half
    stop_wanted = False

    def want_stop(*_: object) -> None:
        nonlocal stop_wanted
        stop_wanted = True

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, want_stop)
    users = os.open(order["users_lock"], os.O_RDWR | os.O_CREAT, 0o600)
    as_account = {} if order["uid"] is None else {"user": order["uid"], "group": order["gid"], "extra_groups": []}
    postgres = subprocess.Popen(
        order["argv"],
        stdin=subprocess.DEVNULL,
        cwd="/",
        umask=0o077,
        start_new_session=True,
        preexec_fn=dying_with_parent(signal.SIGINT),  # a fast shutdown, should we be killed
        **as_account,
    )
    while postgres.poll() is None and not stop_wanted and not _taken(users):
        time.sleep(TICK)
    _stop(postgres)
    os.close(lock)  # first this one: whoever waits for the users' lock next must not take us for alive


def _taken(users: int) -> bool:
    """Take the users' lock for ourselves. Once taken it stays ours: newcomers wait until we have finished."""
    try:
        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _stop(postgres: subprocess.Popen[bytes]) -> None:
    for number, patience in (
        (signal.SIGINT, FAST_SHUTDOWN),
        (signal.SIGQUIT, IMMEDIATE_SHUTDOWN),
        (signal.SIGKILL, None),
    ):
        if postgres.poll() is not None:
            return
        postgres.send_signal(number)
        try:
            postgres.wait(patience)
        except subprocess.TimeoutExpired:
            continue


if __name__ == "__main__":
    role, argument = sys.argv[1:]
    if role == "keep":
        keep(json.loads(argument))
    else:
        guard(argument)

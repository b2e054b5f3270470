"""A django-q2 cluster that is never half alive.

django-q2 replaces a dead worker in place; but a worker killed while it waits holds the queue's read lock for ever,
and the cluster looks healthy while it does nothing (django-q2 #23, #339). So: any unexpected death of a child ends
the whole process group, and the parent starts a fresh one. Tasks are rows; nothing is lost with a process.
"""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import time
from types import FrameType
from typing import Any

from django.db import connections
from django_q import cluster

log = logging.getLogger("supportdesk.queue")

_RECYCLED = -2  # django-q2's mark for a worker that ended on purpose
RESTART_SECONDS = 0.2
# SIGTERM lets running tasks end; a cluster that still has not gone then (django-q2 #346) is killed.
DRAIN_SECONDS = 30.0


class CrashOnlySentinel(cluster.Sentinel):
    """Guards like django-q2's, but treats the unexpected death of a child as the end of all of them."""

    def reincarnate(self, process: Any) -> None:
        timer = getattr(process, "timer", None)
        if timer is not None and int(timer.value) in (_RECYCLED, 0):
            super().reincarnate(process)  # recycled on purpose, or timed out and already told to go
            return
        log.critical("process %s of the cluster died; starting the whole cluster again", process.pid)
        os.killpg(0, signal.SIGKILL)


class Supervised:
    """Runs one cluster in a process group of its own, again and again, until told to stop."""

    def __init__(self) -> None:
        self.stopping = False
        self.group: int | None = None

    def run(self) -> None:
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, self._stop)
        while not self.stopping:
            self.group = _spawn()
            self._wait()
            _kill_group(self.group)
            if not self.stopping:
                time.sleep(RESTART_SECONDS)

    def _stop(self, signum: int, frame: FrameType | None) -> None:
        self.stopping = True
        if self.group is not None:
            _signal(self.group, signal.SIGTERM)
            signal.signal(signal.SIGALRM, lambda *_: _kill_group(self.group))
            signal.setitimer(signal.ITIMER_REAL, DRAIN_SECONDS)

    def _wait(self) -> None:
        while True:
            try:
                os.waitpid(self.group or -1, 0)
            except InterruptedError:
                continue
            except ChildProcessError:
                pass
            return


def _spawn() -> int:
    """Fork a cluster into a new process group; returns the group."""
    connections.close_all()
    pid = os.fork()
    if pid:
        return pid
    try:
        os.setsid()
        cluster.Sentinel = CrashOnlySentinel
        guarded = cluster.Cluster()
        guarded.start()
        if guarded.sentinel is not None:
            guarded.sentinel.join()
    except BaseException:
        log.exception("the cluster could not start")
    finally:
        os._exit(0)


def _kill_group(group: int | None) -> None:
    if group is not None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(group, signal.SIGKILL)


def _signal(pid: int, name: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, name)

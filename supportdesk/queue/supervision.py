"""A django-q2 cluster that is never half alive.

django-q2 replaces a dead worker in place; but a worker killed while it waits holds the queue's read lock for ever,
and the cluster looks healthy while it does nothing (django-q2 #23, #339). So: any unexpected death of a child ends
the whole process group, and the parent starts a fresh one. Tasks are rows; nothing is lost with a process.

    manage.py cluster page          Supervised, the parent: outside the group, starts it, ends it
    └─ cluster                      leads the process group; dies with the parent
       └─ sentinel                  CrashOnlySentinel; dies with the cluster
          ├─ workers, pusher        django-q2's own; die with the sentinel
          └─ monitor                results.py
"""

from __future__ import annotations

import contextlib
import logging
import os
import select
import signal
import time
from collections.abc import Callable
from multiprocessing import connection as waiting
from pathlib import Path
from types import FrameType
from typing import Any

from django.db import connections
from django_q import cluster
from django_q.conf import Conf
from django_q.status import Stat

from supportdesk.embedded.guardian import die_with_parent
from supportdesk.queue.broker import DatabaseAway, PostgresBroker
from supportdesk.queue.patience import answers_within
from supportdesk.queue.results import take_in

log = logging.getLogger("supportdesk.queue")

_RECYCLED, _TIMED_OUT = -2.0, 0.0  # django-q2's marks on a worker that ended on purpose, or was out of time
LOCK_WITHIN_SECONDS = 0.2  # for a worker's timer: whoever was killed holding its lock never lets go
END_WITHIN_SECONDS = 1.0  # for a worker that was told that its time is up
RESTART_SECONDS, LONGEST_RESTART_SECONDS = 0.1, 5.0
QUICK_SECONDS = 1.0  # a cluster that lived for less has failed to start: the waits grow
GUARD_SECONDS = 2.0
FROZEN_SECONDS = 2.0  # a process that is stopped for so long wedges the others: the group starts again
LOOK_SECONDS, LOOK_WHILE_ENDING_SECONDS = 2.0, 0.5
RELEASE_SECONDS = 2.0  # for one statement: a database that is away must not keep the cluster from starting
# SIGTERM lets running tasks end; a cluster that still has not gone then (django-q2 #346) is killed, and its tasks
# come again. Never longer than what runs the desk waits for us.
DRAIN_SECONDS = 8.0


class CrashOnlySentinel(cluster.Sentinel):
    """Guards like django-q2's, but treats the unexpected death of a child as the end of all of them."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        die_with_parent(os.getppid(), signal.SIGKILL)
        super().__init__(*args, **kwargs)

    def spawn_process(self, target: Callable[..., Any], *args: Any) -> Any:
        """Every child dies with the sentinel: no worker goes on unguarded, with old code (reliability F3)."""
        if target is cluster.monitor:
            target = take_in
        mortal = _Mortal(target, os.getpid())
        process = cluster.get_mp_context().Process(target=mortal, args=args)
        process.daemon = True
        if target is cluster.worker:
            process.daemon = Conf.DAEMONIZE_WORKERS
            process.timer = args[2]
            self.pool.append(process)
        process.start()
        return process

    def guard(self) -> None:
        """Until told to stop: see who died, at once, and whose time is up, every two seconds."""
        self.start_event.set()
        while not self.stop_event.is_set():
            began = time.monotonic()
            children = [*self.pool, self.monitor, self.pusher]
            waiting.wait([child.sentinel for child in children], timeout=GUARD_SECONDS)
            for child in children:
                if not child.is_alive():
                    self.reincarnate(child)
            for worker in list(self.pool):
                self._count_down(worker, time.monotonic() - began)
            Stat(self).save()
        self.stop()

    def _count_down(self, worker: Any, passed: float) -> None:
        """Take the passed seconds from a busy worker's time; without its lock, which a dead one may hold, wait."""
        lock = worker.timer.get_lock()
        if not lock.acquire(timeout=LOCK_WITHIN_SECONDS):
            return
        try:
            left = worker.timer.get_obj().value
            if left > 0:
                left = worker.timer.get_obj().value = max(left - passed, 0.0)
        finally:
            lock.release()
        if left == _TIMED_OUT:
            self.reincarnate(worker)

    def reincarnate(self, process: Any) -> None:
        """Replace a worker that ended on purpose; whatever else died takes the cluster with it."""
        timer = getattr(process, "timer", None)
        mark = None if timer is None else timer.get_obj().value
        if mark == _TIMED_OUT:  # it was told to go; killing it here might take a lock of everybody's with it
            process.join(END_WITHIN_SECONDS)
        if mark in (_RECYCLED, _TIMED_OUT) and not process.is_alive() and process in self.pool:
            connections.close_all()
            self.pool.remove(process)
            self.spawn_worker()
            self.reincarnations += 1
            return
        log.critical("process %s of the cluster died; starting the whole cluster again", process.pid)
        os.killpg(0, signal.SIGKILL)


class _Mortal:
    """A process's work, begun by asking the kernel to end it with its parent."""

    def __init__(self, target: Callable[..., Any], parent: int) -> None:
        self.target, self.parent = target, parent

    def __call__(self, *args: Any) -> None:
        die_with_parent(self.parent, signal.SIGKILL)
        self.target(*args)


class Supervised:
    """Runs one cluster in a process group of its own, again and again, until told to stop."""

    def __init__(self) -> None:
        self.stopping = False
        self.kill_at: float | None = None
        self.group: int | None = None

    def run(self) -> None:
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, self._stop)
        quick = 0
        while not self.stopping:
            began = time.monotonic()
            self.group = _spawn()
            if self.stopping:  # we were told while it was being made
                _kill_group(self.group)
            self._watch(self.group)
            quick = quick + 1 if time.monotonic() - began < QUICK_SECONDS else 0
            self.group = None
            if not self.stopping:
                time.sleep(min(RESTART_SECONDS * 2**quick, LONGEST_RESTART_SECONDS))

    def _stop(self, signum: int, frame: FrameType | None) -> None:
        self.stopping = True
        if self.kill_at is None:
            self.kill_at = time.monotonic() + DRAIN_SECONDS
        if self.group is not None:
            _signal(self.group, signal.SIGTERM)

    def _watch(self, group: int) -> None:
        """Until the group's leader has gone, and then until nobody of the group is left."""
        leader, frozen = os.pidfd_open(group), _Frozen()
        try:
            while not select.select([leader], [], [], self._pause())[0]:
                if self.kill_at is not None and time.monotonic() > self.kill_at:
                    log.warning("the cluster did not end within %.0f s and is killed", DRAIN_SECONDS)
                    _kill_group(group)
                elif frozen.too_long(group):
                    log.critical("a process of the cluster is stopped; starting the whole cluster again")
                    _kill_group(group)
        finally:
            os.close(leader)
        _kill_group(group)  # before the leader is reaped: until then the number is the group's and nobody else's
        os.waitpid(group, 0)
        self._release(group)

    def _pause(self) -> float:
        return LOOK_SECONDS if self.kill_at is None else LOOK_WHILE_ENDING_SECONDS

    def _release(self, group: int) -> None:
        """What the group had claimed is offered again at once; when the database is away, after `retry` seconds."""
        with contextlib.suppress(*DatabaseAway), answers_within(RELEASE_SECONDS):
            PostgresBroker(Conf.CLUSTER_NAME).release(group)


class _Frozen:
    """Whether somebody of a process group has been stopped (SIGSTOP, a debugger) for too long."""

    def __init__(self) -> None:
        self._since: dict[int, float] = {}

    def too_long(self, group: int) -> bool:
        now = time.monotonic()
        self._since = {pid: self._since.get(pid, now) for pid in _stopped(group)}
        return any(now - since >= FROZEN_SECONDS for since in self._since.values())


def _stopped(group: int) -> list[int]:
    """The stopped ones among a process and its descendants."""
    found, waiting_for = [], [group]
    while waiting_for:
        pid = waiting_for.pop()
        with contextlib.suppress(OSError, IndexError):
            if (Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]) in "Tt":
                found.append(pid)
            waiting_for += map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())
    return found


def _spawn() -> int:
    """Fork a cluster into a new process group; returns the group."""
    connections.close_all()
    parent = os.getpid()
    pid = os.fork()
    if pid:
        with contextlib.suppress(PermissionError, ProcessLookupError):
            os.setpgid(pid, pid)  # whoever is first: nobody may signal the group before it is one
        return pid
    try:
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, signal.SIG_DFL)
        with contextlib.suppress(PermissionError):
            os.setpgid(0, 0)
        die_with_parent(parent, signal.SIGKILL)
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

"""The desk's processes under an init of our own: started again when they die, found again when they hide."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from supportdesk.embedded import guardian

RESTART_SECONDS = 0.2


@dataclass
class Service:
    """One process to keep running, as systemd would with Restart=always."""

    name: str
    argv: list[str]
    env: Mapping[str, str]
    process: subprocess.Popen[bytes] | None = None
    starts: int = 0
    ended: float = field(default=0.0)


class Processes:
    """Keeps services running from a thread of its own. All they start carries one mark."""

    def __init__(self, services: list[Service], log: IO[bytes], cwd: Path) -> None:
        self.services = services
        self.mark = f"chaos-{os.getpid()}-{time.time_ns():x}:desk"
        self._log, self._cwd = log, cwd
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="init")

    def __enter__(self) -> Processes:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        guardian.end_marked(self.mark, patience=0)

    def stop(self, patience: float = 14.0) -> None:
        """Ask everybody to end, and wait. What does not end is somebody's bug: it is counted, then killed."""
        if self._stopping.is_set():
            return
        self._stopping.set()
        for service in self.services:
            self.signal(service, signal.SIGTERM)
        until = time.monotonic() + patience
        while guardian.marked(self.mark) and time.monotonic() < until:
            time.sleep(0.1)
        self._thread.join()

    def signal(self, service: Service, number: signal.Signals) -> None:
        if service.process is not None:
            with contextlib.suppress(ProcessLookupError):
                service.process.send_signal(number)

    def everybody(self) -> list[int]:
        """Every living process of the desk, however deep."""
        return guardian.marked(self.mark)

    def of(self, service: Service) -> list[int]:
        """A service's own process and everything below it."""
        root = service.process.pid if service.process is not None else 0
        return [pid for pid in self.everybody() if root in _ancestors(pid)]

    def orphans(self) -> list[int]:
        """Processes of the desk that none of the services is an ancestor of."""
        roots = {service.process.pid for service in self.services if service.process is not None}
        return [pid for pid in self.everybody() if not roots & set(_ancestors(pid))]

    def _keep(self) -> None:
        while not self._stopping.is_set() or any(s.process and s.process.poll() is None for s in self.services):
            for service in self.services:
                self._look(service)
            time.sleep(0.05)

    def _look(self, service: Service) -> None:
        if service.process is not None:
            if service.process.poll() is None:
                return
            service.process, service.ended = None, time.monotonic()
        if not self._stopping.is_set() and time.monotonic() - service.ended >= RESTART_SECONDS:
            service.starts += 1
            service.process = subprocess.Popen(
                service.argv,
                env={**os.environ, **service.env, guardian.MARK: self.mark},
                cwd=self._cwd,
                stdin=subprocess.DEVNULL,
                stdout=self._log,
                stderr=self._log,
                start_new_session=True,
                preexec_fn=guardian.dying_with_parent(signal.SIGKILL),
            )


def _ancestors(pid: int) -> list[int]:
    found = [pid]
    while pid > 1:
        try:
            pid = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
        except (OSError, IndexError):
            break
        found.append(pid)
    return found


def what(pid: int) -> str:
    """A process in a few words, for the diary."""
    with contextlib.suppress(OSError):
        words = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        return " ".join(Path(part).name for part in words.split())[:60]
    return "gone"

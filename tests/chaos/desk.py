"""A whole desk on a throwaway database: its processes, its demo people, and those who report and acknowledge."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from supportdesk.embedded.processes import free_port
from tests.chaos.oracle import Log
from tests.chaos.processes import Service
from tests.fakes import Fakes

CHECKOUT = Path(__file__).resolve().parents[2]
LANES = ("page", "sla", "integrations", "bulk")
ACKNOWLEDGE_AFTER = 2.0
GIVE_UP_REPORTING = 60.0  # seconds a reporter tries the same report for: longer than any fault lasts


@dataclass
class Desk:
    """How to start the desk's processes and commands. `direct` and `indirect` are two ways to the database."""

    fakes: Fakes
    direct: str
    indirect: str
    port: int = field(default_factory=lambda: free_port("127.0.0.1", 18400 + os.getpid() % 400))

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def env(self, database: str | None = None) -> dict[str, str]:
        return {
            "SUPPORTDESK_MODE": "demo",
            "SUPPORTDESK_STAND_INS": "0",
            "DATABASE_URL": database or self.direct,
            "LISTEN_DATABASE_URL": database or self.direct,
            "SUPPORTDESK_VENDOR_URLS": ",".join(f"{slug}={url}" for slug, url in self.fakes.base_urls().items()),
            "SUPPORTDESK_URL": self.base,
            "SUPPORTDESK_API_RATE": "100000/min",
            "SUPPORTDESK_LOG": "WARNING",
            "PYTHONUNBUFFERED": "1",
        }

    def manage(self, *arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=CHECKOUT,
            env={**os.environ, **self.env()},
            capture_output=True,
            text=True,
        )
        if done.returncode:
            raise RuntimeError(f"manage.py {' '.join(arguments)}:\n{done.stderr[-2000:]}")
        return done.stdout.strip()

    def prepare(self) -> tuple[str, str]:
        """The schema, the demo people, and a token for alice and one for bob."""
        self.manage("migrate", "--verbosity", "0")
        self.manage("seed_demo", "--smtp-port", str(self.fakes.smtp.port))
        alice = self.manage("token", "alice@acme.example", "chaos", "--scope", "read", "--scope", "report")
        bob = self.manage("token", "bob@desk.example", "chaos", "--scope", "read", "--scope", "operate")
        return alice, bob

    def services(self, clock_env: dict[str, str] | None = None) -> list[Service]:
        """Web, two clocks, and a cluster a lane; some of them reach the database by the way that may go deaf."""
        manage = [sys.executable, "manage.py"]
        web = [
            *(sys.executable, "-m", "gunicorn", "supportdesk.wsgi:application", "--bind", f"127.0.0.1:{self.port}"),
            *("--worker-class", "gthread", "--workers", "2", "--threads", "4", "--no-control-socket"),
            *("--log-level", "critical", "--graceful-timeout", "5"),
        ]
        return [
            Service("web", web, self.env()),
            Service("clock-1", [*manage, "clock"], self.env()),
            Service("clock-2", [*manage, "clock"], {**self.env(self.indirect), **(clock_env or {})}),
            Service("page", [*manage, "cluster", "page"], self.env(self.indirect)),
            *(Service(lane, [*manage, "cluster", lane], self.env()) for lane in LANES[1:]),
        ]


class People:
    """Alice reports again and again; bob acknowledges what somebody was paged for. Both try again until it is heard."""

    def __init__(self, base: str, alice: str, bob: str, log: Log, every: float) -> None:
        self.base, self.log, self.every = base, log, every
        self.tokens = {"alice": alice, "bob": bob}
        self.accepted: dict[int, float] = {}
        self.refused: list[str] = []
        self.stop = threading.Event()
        self._acknowledged: set[int] = set()
        self._threads = [
            threading.Thread(target=self._report_again_and_again, args=(n,), name=f"alice-{n}") for n in range(2)
        ]
        self._threads.append(threading.Thread(target=self._acknowledge_what_rang, name="bob"))

    def begin(self) -> None:
        for thread in self._threads:
            thread.start()

    def end(self) -> None:
        self.stop.set()
        for thread in self._threads:
            thread.join()

    def _report_again_and_again(self, number: int) -> None:
        count = 0
        while not self.stop.wait(self.every * 2):
            count += 1
            self.report(f"{number}-{count}")

    def report(self, key: str) -> None:
        """The same report until it is accepted, as any careful sender does."""
        body = {"title": f"Checkout is down {key}", "impact": 1, "urgency": 1}
        until = time.monotonic() + GIVE_UP_REPORTING
        while time.monotonic() < until:
            answer = self._call("alice", "incidents/", body, key)
            if answer is not None and answer.status_code == 201:
                self.accepted.setdefault(answer.json()["id"], time.monotonic())
                return
            if answer is not None and answer.status_code < 500:
                self.refused.append(f"{answer.status_code} {answer.text[:200]}")
                return
            time.sleep(0.3)

    def _acknowledge_what_rang(self) -> None:
        while not self.stop.wait(0.2):
            for incident in list(self.accepted):
                rang = self.log.first_page(incident)
                due = rang is not None and time.monotonic() - rang > ACKNOWLEDGE_AFTER
                if due and incident not in self._acknowledged:
                    answer = self._call("bob", f"incidents/{incident}/acknowledge/", {}, f"ack-{incident}")
                    if answer is not None and answer.status_code < 500:
                        self._acknowledged.add(incident)

    def _call(self, who: str, path: str, body: dict[str, object], key: str) -> httpx.Response | None:
        headers = {"Authorization": f"Bearer {self.tokens[who]}", "Idempotency-Key": key}
        try:
            return httpx.post(f"{self.base}/api/v1/{path}", json=body, headers=headers, timeout=15, trust_env=False)
        except httpx.HTTPError:
            return None

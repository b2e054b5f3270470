"""A PostgreSQL of our own on a TCP port: durable as in production, crashed on demand, gone at the end."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import subprocess
import time

import psycopg

from supportdesk.embedded import guardian
from supportdesk.embedded.instance import Instance, make_directory, service_account
from supportdesk.embedded.processes import free_port
from supportdesk.embedded.programs import find, runnable_by

READY_WITHIN = 60.0
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "max_connections": "200",
    "timezone": "UTC",
    "jit": "off",
    "fsync": "on",
    "synchronous_commit": "on",
    "shared_buffers": "128MB",
}


class Database:
    """`with Database("chaos") as database:` runs it; `url()` is how to reach it, or it through another port."""

    def __init__(self, name: str) -> None:
        self.instance = Instance(f"{name}-{os.getpid()}")
        self.account = service_account(self.instance)
        self.programs = runnable_by(find(), self.account, self.instance)
        self.port = free_port("127.0.0.1", 55600 + os.getpid() % 300)
        self.password = secrets.token_urlsafe(16)
        self.server: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Database:
        self.instance.make_room()
        make_directory(self.instance.data, 0o700, self.account)
        self._initialise()
        self.start()
        with psycopg.connect(self.url(name="postgres"), autocommit=True) as connection:
            connection.execute("CREATE DATABASE supportdesk")
        return self

    def __exit__(self, *_: object) -> None:
        if self.server is not None:
            self.server.send_signal(signal.SIGQUIT)
            self.server.wait(20)
        shutil.rmtree(self.instance.home, ignore_errors=True)

    def url(self, port: int | None = None, name: str = "supportdesk") -> str:
        return f"postgres://supportdesk:{self.password}@127.0.0.1:{port or self.port}/{name}"

    def connect(self) -> psycopg.Connection:
        return psycopg.connect(self.url(), autocommit=True)

    def start(self) -> None:
        """Start the server and wait until it answers."""
        options = [part for name, value in SETTINGS.items() for part in ("-c", f"{name}={value}")]
        sockets = ["-k", str(self.instance.data)]
        argv = [self.programs.bin / "postgres", "-D", self.instance.data, "-p", str(self.port), *sockets, *options]
        with self.instance.log.open("ab") as log:
            self.server = subprocess.Popen(
                argv,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                start_new_session=True,
                preexec_fn=guardian.dying_with_parent(signal.SIGQUIT),
                **self._as_account(),
            )
        self._wait()

    def crash(self, down: float = 0.0) -> None:
        """What `pg_ctl restart -m immediate` does, with a while of silence in between."""
        assert self.server is not None
        self.server.send_signal(signal.SIGQUIT)
        self.server.wait(20)
        time.sleep(down)
        self.start()

    def _wait(self) -> None:
        until = time.monotonic() + READY_WITHIN
        while True:
            try:
                psycopg.connect(self.url(name="postgres"), connect_timeout=2).close()
                return
            except psycopg.OperationalError:
                if time.monotonic() > until:
                    raise
                time.sleep(0.02)

    def _initialise(self) -> None:
        note = self.instance.home / "password"
        note.write_text(self.password)
        note.chmod(0o644)  # read once, by the account it is for; the directory goes with us
        subprocess.run(
            [
                *(self.programs.bin / "initdb", "--pgdata", self.instance.data, "--username", "supportdesk"),
                *("--pwfile", note, "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"),
                "--no-instructions",
            ],
            check=True,
            capture_output=True,
            cwd="/",
            **self._as_account(),
        )
        note.unlink()

    def _as_account(self) -> dict[str, object]:
        if self.account is None:
            return {}
        return {"user": self.account.uid, "group": self.account.gid, "extra_groups": []}

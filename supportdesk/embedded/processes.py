"""The processes of `make run`, in one list. To add one, add one."""

from __future__ import annotations

import errno
import http.client
import os
import socket
import sys
from collections.abc import Callable
from dataclasses import dataclass

from supportdesk.embedded.instance import CHECKOUT, EmbeddedError, Instance
from supportdesk.embedded.postgres import HELD
from supportdesk.embedded.stand_ins import StandIns
from supportdesk.embedded.supervisor import Child

LANES = ("page", "sla", "integrations", "bulk")
PORTS_TRIED = 100


@dataclass(frozen=True)
class Address:
    """Where the desk answers: one port for pages, one for live updates."""

    host: str
    port: int
    live_port: int

    @property
    def url(self) -> str:
        return f"http://{reachable(self.host)}:{self.port}"


def reachable(host: str) -> str:
    """The name to call a bound host by: nobody can open 0.0.0.0."""
    return {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, host)  # noqa: S104


def database(instance: Instance) -> Child:
    """Holds the embedded PostgreSQL and brings it back when it dies."""
    argv = (sys.executable, "-m", "supportdesk.embedded.hold", instance.name)
    return Child("database", argv, order=0)


def desk(address: Address, instance: Instance | None, stand_ins: StandIns | None = None) -> list[Child]:
    """Everything but the database. `instance` is the embedded one they work with, None with a DATABASE_URL.

    Pages come first, so that the desk opens soon; clock and queues have the processors when they are up.
    """
    python, manage = sys.executable, str(CHECKOUT / "manage.py")
    env = {
        "PYTHONUNBUFFERED": "1",
        "SUPPORTDESK_URL": os.environ.get("SUPPORTDESK_URL", address.url),
        "SUPPORTDESK_LIVE_PORT": str(address.live_port),
        **({HELD: str(instance.home)} if instance else {}),
        **({"SUPPORTDESK_VENDOR_URLS": stand_ins.vendor_urls} if stand_ins else {}),
    }
    web = (
        *(python, "-m", "gunicorn", "supportdesk.wsgi:application", "--bind", f"{address.host}:{address.port}"),
        *("--worker-class", "gthread", "--workers", "2", "--threads", "4", "--graceful-timeout", "5"),
        *("--preload", "--no-control-socket", "--log-level", "warning"),
    )
    live = (
        *(python, "-m", "uvicorn", "supportdesk.live:application", "--host", address.host),
        *("--port", str(address.live_port), "--timeout-graceful-shutdown", "3", "--log-level", "warning"),
    )

    def child(name: str, *argv: str, order: int, ready: Callable[[], bool] | None = None, **more: str) -> Child:
        return Child(name, argv, {**env, "SUPPORTDESK_PROCESS": name, **more}, ready, order)

    vendors = [child("vendors", python, *stand_ins.argv(address.url), order=0)] if stand_ins else []
    return [
        *vendors,
        child("web", *web, order=1, ready=lambda: answers(address.host, address.port, "/healthz/live")),
        child("live", *live, order=1, ready=lambda: answers(address.host, address.live_port, "/")),
        child("clock", python, manage, "clock", order=2),
        child("auditor", python, manage, "auditor", order=3),
        child("mail", python, manage, "fetch_mail", "--forever", order=3),
        *(child(lane, python, manage, "cluster", lane, order=2, Q_CLUSTER_NAME=lane) for lane in LANES),
    ]


def answers(host: str, port: int, path: str) -> bool:
    """Whether something there speaks HTTP and has no error of its own to report."""
    connection = http.client.HTTPConnection(reachable(host).strip("[]"), port, timeout=1)
    try:
        connection.request("GET", path)
        return connection.getresponse().status < 500
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def free_port(host: str, wanted: int, *, taken: tuple[int, ...] = ()) -> int:
    """The first port from `wanted` upwards that we could listen on."""
    for port in range(wanted, min(wanted + PORTS_TRIED, 65536)):
        if port not in taken and _is_free(host, port):
            return port
    raise EmbeddedError(f"No free port from {wanted} to {wanted + PORTS_TRIED - 1}. Choose one with PORT=…")


def _is_free(host: str, port: int) -> bool:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the servers do
        try:
            probe.bind((host, port))
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise EmbeddedError(f"Cannot listen on {host}, port {port}: {error.strerror}.") from error
            return False
    return True

"""A fake vendor: a real HTTP server on loopback that records, obeys a script, and remembers every surprise."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit


class Surprise(Exception):
    """A request the vendor does not know: it is refused, and the test that caused it fails."""

    def __init__(self, detail: str, *, status: int = 400, body: Any = None) -> None:
        super().__init__(detail)
        self.status, self.body = status, body if body is not None else {"error": detail}


class Refusal(Exception):
    """The vendor says no, as it may: an answer, not a surprise."""

    def __init__(self, status: int, body: Any) -> None:
        super().__init__(str(body))
        self.status, self.body = status, body


@dataclass
class Step:
    """One scripted misbehaviour. `acts`: whether the vendor does what was asked before misbehaving."""

    status: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    hang: float = 0.0
    drop: bool = False
    drip: float = 0.0
    acts: bool = False
    path: str = ""


@dataclass
class Seen:
    """One request as the vendor saw it."""

    vendor: str
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes
    data: dict[str, Any]
    step: Step | None = None
    status: int = 0

    def line(self) -> str:
        """One JSON line for people watching."""
        return json.dumps(
            {"vendor": self.vendor, "call": f"{self.method} {self.path}", "got": self.data, "answer": self.status}
        )


@dataclass
class Reaction:
    """What goes back on the wire."""

    status: int
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)

    def content(self) -> bytes:
        if isinstance(self.body, bytes):
            return self.body
        return self.body.encode() if isinstance(self.body, str) else json.dumps(self.body).encode()


class FakeVendor:
    """Subclass and implement `react`. Start with `start()`, stop with `stop()`."""

    name = ""
    prefix = ""  # what the client's base address ends in

    def __init__(self, port: int = 0) -> None:
        self.seen: list[Seen] = []
        self.surprises: list[str] = []
        self.watcher: Callable[[str], None] | None = None
        self.lock = threading.RLock()
        self.closing = threading.Event()
        self._script: list[Step] = []
        self._server = _Server(("127.0.0.1", port), _handler_for(self))

    def react(self, seen: Seen) -> Reaction:
        """Act on one request and answer as the vendor would. Raises `Surprise` or `Refusal`."""
        raise NotImplementedError

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}{self.prefix}"

    def start(self) -> None:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), name=f"fake-{self.name}", daemon=True).start()

    def close(self) -> None:
        self._server.server_close()

    def stop(self) -> None:
        self.closing.set()
        self._server.shutdown()
        self._server.server_close()

    def next(
        self,
        *,
        status: int = 0,
        headers: Mapping[str, str] | None = None,
        body: Any = None,
        hang: float = 0.0,
        drop: str = "",
        drip: float = 0.0,
        redirect: str = "",
        acts: bool | None = None,
        path: str = "",
    ) -> None:
        """Script the next request (to `path`, if given).

        `drop="before"` closes the line without acting, `drop="after"` acts and then closes it; `hang` waits so many
        seconds before answering; `drip` sends one byte every so many seconds; `redirect` answers 307 to there. With
        `acts` the vendor does what was asked although it answers something else.
        """
        if redirect:
            status, headers = status or 307, {"Location": redirect}
        acts = acts if acts is not None else (drop == "after" or bool(drip) or not (status or drop or hang or body))
        step = Step(status, headers or {}, body, hang, bool(drop), drip, acts, path)
        with self.lock:
            self._script.append(step)

    def take_step(self, path: str) -> Step | None:
        with self.lock:
            for step in self._script:
                if step.path in path:
                    self._script.remove(step)
                    return step
        return None

    def trouble(self) -> list[str]:
        """What should not have happened, and what should have but did not."""
        waiting = [f"{self.name}: scripted but never asked for: {step}" for step in self._script]
        return [f"{self.name}: {surprise}" for surprise in self.surprises] + waiting

    def reset(self) -> None:
        """Forget everything that happened."""
        with self.lock:
            self.seen.clear()
            self.surprises.clear()
            self._script.clear()

    def handle(self, seen: Seen) -> Reaction | None:
        """The answer to one request, or None for a dead line. Script first, then the vendor's own manners."""
        with self.lock:
            self.seen.append(seen)
            step = seen.step = self.take_step(seen.path)
            reaction = self._act(seen) if step is None or step.acts else Reaction(200, {})
        if step is not None:
            if step.hang:
                self.closing.wait(step.hang)
            if step.drop:
                return None
            if step.status or step.body is not None:
                body = step.body if step.body is not None else {"error": "scripted"}
                reaction = Reaction(step.status or 200, body, step.headers)
        seen.status = reaction.status
        if self.watcher:
            self.watcher(seen.line())
        return reaction

    def _act(self, seen: Seen) -> Reaction:
        try:
            return self.react(seen)
        except Refusal as refusal:
            return Reaction(refusal.status, refusal.body)
        except Surprise as surprise:
            self.surprises.append(f"{seen.method} {seen.path}: {surprise}")
            return Reaction(surprise.status, surprise.body)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Nothing: the other side hung up, which is what half of the tests are about."""


def _handler_for(vendor: FakeVendor) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _serve(self) -> None:
            self.close_connection = True
            seen = self._read()
            reaction = vendor.handle(seen)
            if reaction is None:
                self.connection.shutdown(socket.SHUT_RDWR)
            else:
                self._write(reaction, seen.step.drip if seen.step else 0.0)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _serve  # noqa: N815 (the names http.server asks for)

        def _read(self) -> Seen:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            url = urlsplit(self.path)
            headers = {name.lower(): value for name, value in self.headers.items()}
            query = dict(parse_qsl(url.query, keep_blank_values=True))
            return Seen(vendor.name, self.command, url.path, query, headers, body, parsed(headers, body))

        def _write(self, reaction: Reaction, drip: float) -> None:
            content = reaction.content()
            self.send_response_only(reaction.status)
            if "Date" not in reaction.headers:
                self.send_header("Date", self.date_time_string())
            kind = "application/json" if not isinstance(reaction.body, str | bytes) else "text/html"
            for name, value in {
                "Content-Type": kind,
                "Content-Length": str(len(content)),
                "Connection": "close",
                **reaction.headers,
            }.items():
                self.send_header(name, value)
            self.end_headers()
            if not drip:
                self.wfile.write(content)
                return
            for byte in content:
                self.wfile.write(bytes([byte]))
                if vendor.closing.wait(drip):
                    return

        def log_message(self, *_: Any) -> None:
            """Nothing: `Seen.line` is the log."""

    return Handler


def parsed(headers: Mapping[str, str], body: bytes) -> dict[str, Any]:
    """The body's fields, whichever of JSON and form it is; repeated form fields become a list."""
    kind = headers.get("content-type", "")
    try:
        if "json" in kind:
            value = json.loads(body or b"{}")
            return value if isinstance(value, dict) else {"": value}
        fields: dict[str, Any] = {}
        for name, value in parse_qsl(body.decode(), keep_blank_values=True):
            fields[name] = value if name not in fields else [*_listed(fields[name]), value]
        return fields
    except ValueError:
        return {}


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]

"""`/live/`: server-sent events, one small ASGI process beside the web.

No database, no session: a signed token says what may be heard.

    uvicorn supportdesk.live:application

One LISTEN connection per process is fanned out to all viewers. An event says what changed; the page fetches it again.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import django
import psycopg

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "supportdesk.settings")
django.setup(set_prefix=False)

from django.conf import settings  # noqa: E402
from django.core import signing  # noqa: E402

from supportdesk.queue.broker import listening_parameters  # noqa: E402
from supportdesk.web.live import CHANNEL, GOOD_FOR_SECONDS, SALT  # noqa: E402

log = logging.getLogger("supportdesk.live")

Send = Callable[[dict[str, Any]], Awaitable[None]]
Receive = Callable[[], Awaitable[dict[str, Any]]]

PING_SECONDS = 15.0
MOST_VIEWERS = 2_000
BACKLOG = 100  # events a slow viewer may fall behind before it is told to fetch everything


class Hub:
    """Everybody who listens in this process, and the one connection that hears PostgreSQL."""

    def __init__(self) -> None:
        self.viewers: dict[asyncio.Queue[str], str] = {}
        self._task: asyncio.Task[None] | None = None

    def join(self, scope: str) -> asyncio.Queue[str]:
        queue: asyncio.Queue[str] = asyncio.Queue(BACKLOG)
        self.viewers[queue] = scope
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._hear())
        return queue

    def leave(self, queue: asyncio.Queue[str]) -> None:
        self.viewers.pop(queue, None)

    async def _hear(self) -> None:
        """Listen for ever; a lost database is a reconnection, and everybody is told to look again."""
        while True:
            try:
                async with await psycopg.AsyncConnection.connect(
                    autocommit=True, **listening_parameters()
                ) as connection:
                    await connection.execute(f"LISTEN {CHANNEL}")
                    self._spread(json.dumps({"kind": "everything", "id": 0, "organization": None}))
                    async for notification in connection.notifies():
                        self._spread(notification.payload)
            except (psycopg.Error, OSError) as error:
                log.warning("live: %s; connecting again", error)
                await asyncio.sleep(1)

    def _spread(self, payload: str) -> None:
        change = json.loads(payload)
        for queue, scope in list(self.viewers.items()):
            if may_hear(scope, change):
                self._put(queue, f"{change['kind']}:{change['id']}")

    @staticmethod
    def _put(queue: asyncio.Queue[str], topic: str) -> None:
        if queue.full():
            while not queue.empty():
                queue.get_nowait()
            topic = "everything:0"
        queue.put_nowait(topic)


def may_hear(scope: str, change: dict[str, Any]) -> bool:
    """Staff hear everything; a customer what concerns their own organization. That a private status page changed is
    for none of the others to know."""
    if scope == "staff" or change["kind"] == "everything":
        return True
    return change["organization"] is not None and scope == f"organization:{change['organization']}"


hub = Hub()


async def application(scope: dict[str, Any], receive: Receive, send: Send) -> None:
    """The ASGI application."""
    if scope["type"] == "lifespan":
        await _lifespan(receive, send)
        return
    if scope["type"] != "http":
        return
    token = parse_qs(scope.get("query_string", b"").decode("latin-1")).get("token", [""])[0]
    heard, origin = _scope_of(token), _origin(scope)
    if scope["path"] == "/":
        await _answer(send, 200, b"live")
    elif heard is None:
        await _answer(send, 403, b"This address is no longer valid; reload the page.")
    elif len(hub.viewers) >= MOST_VIEWERS:
        await _answer(send, 503, b"Too many viewers; the page looks again every 30 seconds.")
    else:
        await _stream(heard, origin, receive, send)


def _scope_of(token: str) -> str | None:
    try:
        return str(signing.loads(token, salt=SALT, max_age=GOOD_FOR_SECONDS)["scope"])
    except (signing.BadSignature, KeyError, TypeError):
        return None


async def _stream(scope: str, origin: bytes, receive: Receive, send: Send) -> None:
    queue = hub.join(scope)
    await send(
        {"type": "http.response.start", "status": 200, "headers": _headers(b"text/event-stream; charset=utf-8", origin)}
    )
    gone = asyncio.create_task(_until_gone(receive))
    try:
        await send({"type": "http.response.body", "body": b"retry: 2000\n\n", "more_body": True})
        while not gone.done():
            body = await _next(queue, gone)
            if body:
                await send({"type": "http.response.body", "body": body, "more_body": True})
    finally:
        hub.leave(queue)
        gone.cancel()


async def _next(queue: asyncio.Queue[str], gone: asyncio.Task[None]) -> bytes:
    getter = asyncio.create_task(queue.get())
    done, _ = await asyncio.wait({getter, gone}, timeout=PING_SECONDS, return_when=asyncio.FIRST_COMPLETED)
    if getter in done:
        return f"data: {getter.result()}\n\n".encode()
    getter.cancel()
    return b"" if gone in done else b"event: ping\ndata: 1\n\n"


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _answer(send: Send, status: int, body: bytes) -> None:
    await send({"type": "http.response.start", "status": status, "headers": _headers(b"text/plain; charset=utf-8")})
    await send({"type": "http.response.body", "body": body})


def _origin(scope: dict[str, Any]) -> bytes:
    """The page that asks, if it is one of ours: the same host, whatever its port."""
    sent = dict(scope["headers"])
    asked, host = sent.get(b"origin", b"").decode("latin-1"), sent.get(b"host", b"").decode("latin-1")
    same = urlsplit(asked).hostname == urlsplit(f"//{host}").hostname
    return asked.encode("latin-1") if asked and same else settings.PUBLIC_URL.encode()


def _headers(content_type: bytes, origin: bytes = b"") -> list[tuple[bytes, bytes]]:
    headers = [(b"content-type", content_type), (b"cache-control", b"no-store"), (b"x-accel-buffering", b"no")]
    return [*headers, (b"access-control-allow-origin", origin), (b"vary", b"Origin")] if origin else headers


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return

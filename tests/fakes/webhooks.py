"""A fake receiver of webhooks: checks signatures as Standard Webhooks say, keeps what it took, refuses on demand."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from dataclasses import dataclass
from typing import Any

from tests.fakes.server import FakeVendor, Reaction, Refusal, Seen, Surprise


@dataclass(frozen=True)
class Event:
    """One event as it arrived."""

    id: str
    type: str
    data: dict[str, Any]
    path: str
    signatures: tuple[str, ...]


class FakeReceiver(FakeVendor):
    """`events` is what was taken; `answers` is the status it gives while it is not 200."""

    name = "webhooks"
    secret = "whsec_" + base64.b64encode(b"a receiver's own secret, 32 byte").decode()

    def __init__(self, port: int = 0) -> None:
        super().__init__(port)
        self.events: list[Event] = []
        self.answers = 200

    @property
    def values(self) -> dict[str, str]:
        """What an endpoint that posts here is made with."""
        return {"url": f"{self.base_url}/events", "secret": self.secret, "events": ""}

    def reset(self) -> None:
        super().reset()
        self.events.clear()
        self.answers = 200

    def react(self, seen: Seen) -> Reaction:
        given = {name: seen.headers.get(f"webhook-{name}", "") for name in ("id", "timestamp", "signature")}
        key = base64.b64decode(self.secret.removeprefix("whsec_"))
        signed = f"{given['id']}.{given['timestamp']}.".encode() + seen.body
        expected = "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
        if seen.method != "POST" or "." in given["id"] or expected not in given["signature"].split():
            raise Surprise("not signed as Standard Webhooks say", status=401)
        body = json.loads(seen.body)
        if set(body) != {"type", "timestamp", "data"}:
            raise Surprise(f"a body of {sorted(body)}")
        if self.answers != 200:
            raise Refusal(self.answers, {"error": "not now"})
        signatures = tuple(given["signature"].split())
        self.events.append(Event(given["id"], body["type"], body["data"], seen.path, signatures))
        return Reaction(200, {"taken": True})

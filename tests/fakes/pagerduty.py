"""A fake PagerDuty: accepts events, keeps alerts by their key, and reports what its people do."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from tests.fakes.desk import JSON, Desk, DeskAnswer
from tests.fakes.server import FakeVendor, Reaction, Refusal, Seen, Surprise

FIELDS = {"routing_key", "event_action", "dedup_key", "payload", "links", "images", "client", "client_url"}
PAYLOAD = {"summary", "source", "severity", "timestamp", "component", "group", "class", "custom_details"}
STATUS = {"trigger": "triggered", "acknowledge": "acknowledged", "resolve": "resolved"}


@dataclass
class Alert:
    """What PagerDuty knows under one key."""

    key: str
    status: str
    events: list[dict[str, Any]] = field(default_factory=list)


class FakePagerDuty(FakeVendor):
    """`alerts` by key; `webhook` is PagerDuty telling the desk."""

    name = "pagerduty"
    routing_key = "R" * 32
    webhook_secret = "pagerduty-webhook-secret"

    def __init__(self, port: int = 0) -> None:
        super().__init__(port)
        self.alerts: dict[str, Alert] = {}
        self.hook_url = ""
        self._numbers = count(1)

    @property
    def values(self) -> dict[str, str]:
        """What a connection to this PagerDuty is made with."""
        return {"routing_key": self.routing_key, "webhook_secret": self.webhook_secret}

    def reset(self) -> None:
        super().reset()
        self.alerts.clear()

    def react(self, seen: Seen) -> Reaction:
        if (seen.method, seen.path) != ("POST", "/v2/enqueue"):
            raise Surprise("no such address", status=404)
        event = seen.data
        if event.get("routing_key") != self.routing_key:
            raise Refusal(400, {"status": "invalid event", "message": "invalid routing key", "errors": ["routing_key"]})
        wrong = [*_wrong(event)]
        if wrong:
            raise Surprise("; ".join(wrong), body={"status": "invalid event", "message": "invalid", "errors": wrong})
        key = event.get("dedup_key") or f"pd-{next(self._numbers)}"
        alert = self.alerts.setdefault(key, Alert(key, ""))
        alert.status = STATUS[event["event_action"]]
        alert.events.append(event)
        return Reaction(202, {"status": "success", "message": "Event processed", "dedup_key": key})

    def webhook(
        self, happened: str, key: str, desk: Desk, *, agent: str | None = "PLH1HKV", **event: Any
    ) -> DeskAnswer:
        """Tell the desk that an incident was `triggered`, `acknowledged`, `resolved`, …"""
        number = next(self._numbers)
        who = {"id": agent, "summary": "Carol Backup", "type": "user_reference"} if agent else None
        body = {
            "event": {
                "id": f"5ac64822-4adc-4fda-ade0-{number:012d}",
                "event_type": f"incident.{happened}",
                "resource_type": "incident",
                "occurred_at": "2026-01-01T00:01:00.000Z",
                "agent": who,
                "client": {"name": "PagerDuty"},
                "data": {
                    "id": "PGR0VU2",
                    "type": "incident",
                    "html_url": "https://acme.pagerduty.com/incidents/PGR0VU2",
                    "status": happened,
                    "incident_key": key,
                    "title": "db down",
                    "priority": None,
                },
                **event,
            }
        }
        return self.post(body, desk)

    def post(self, body: Mapping[str, Any], desk: Desk) -> DeskAnswer:
        content = json.dumps(body).encode()
        return desk(self.hook_url, content, {"Content-Type": JSON, **self.signed(content)})

    def signed(self, body: bytes, *, secret: str = "") -> dict[str, str]:
        """The header that proves a request comes from this PagerDuty."""
        digest = hmac.new((secret or self.webhook_secret).encode(), body, hashlib.sha256).hexdigest()
        return {"X-PagerDuty-Signature": f"v1={digest}"}


def _wrong(event: Mapping[str, Any]) -> list[str]:
    found = [f"unknown field {name}" for name in set(event) - FIELDS]
    action = event.get("event_action")
    if action not in STATUS:
        found.append("event_action")
    if action != "trigger" and not event.get("dedup_key"):
        found.append("dedup_key is missing")
    if len(event.get("dedup_key", "")) > 255:
        found.append("dedup_key is too long")
    return found + (_wrong_payload(event.get("payload")) if action == "trigger" else [])


def _wrong_payload(payload: Any) -> list[str]:
    if not isinstance(payload, dict):
        return ["payload is missing"]
    found = [f"unknown field payload.{name}" for name in set(payload) - PAYLOAD]
    if payload.get("severity") not in ("critical", "error", "warning", "info"):
        found.append("payload.severity")
    if not payload.get("source") or not 0 < len(payload.get("summary", "")) <= 1024:
        found.append("payload needs a source and a summary of at most 1024 characters")
    return found

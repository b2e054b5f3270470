"""A fake PagerDuty: accepts events, opens incidents, keeps notes, and reports what its people do."""

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
CHANGE = {"routing_key", "payload", "links", "images"}
STATUS = {"trigger": "triggered", "acknowledge": "acknowledged", "resolve": "resolved"}


@dataclass
class Alert:
    """What PagerDuty knows under one key."""

    key: str
    status: str
    events: list[dict[str, Any]] = field(default_factory=list)


class FakePagerDuty(FakeVendor):
    """`alerts` by key, `incidents` by id; `webhook` is PagerDuty telling the desk.

    With `opens_incidents` off it is the PagerDuty that says 202 and does nothing.
    """

    name = "pagerduty"
    routing_key = "R" * 32
    webhook_secret = "pagerduty-webhook-secret"
    api_token = "pagerduty-token"
    schedule_id = "PI7DH85"

    def __init__(self, port: int = 0) -> None:
        super().__init__(port)
        self.hook_url = ""
        self._forget()

    def _forget(self) -> None:
        self.alerts: dict[str, Alert] = {}
        self.incidents: dict[str, dict[str, Any]] = {}
        self.notes: dict[str, list[str]] = {}
        self.status_updates: dict[str, list[str]] = {}
        self.changes: list[dict[str, Any]] = []
        self.people = {"PLH1HKV": ("Carol Backup", "carol@elsewhere.example")}  # name and address by id
        self.on_call = {"PLH1HKV"}
        self.opens_incidents = True
        self._numbers = count(1)

    @property
    def values(self) -> dict[str, str]:
        """What a connection to this PagerDuty is made with."""
        return {"routing_key": self.routing_key, "webhook_secret": self.webhook_secret}

    @property
    def rest_values(self) -> dict[str, str]:
        """What the same connection needs to read and write over REST."""
        return {"api_token": self.api_token, "from_email": "desk@acme.example"}

    def reset(self) -> None:
        super().reset()
        self._forget()

    def react(self, seen: Seen) -> Reaction:
        if (seen.method, seen.path) == ("POST", "/v2/enqueue"):
            return self._event(seen)
        if (seen.method, seen.path) == ("POST", "/v2/change/enqueue"):
            return self._change(seen)
        if seen.headers.get("authorization") != f"Token token={self.api_token}":
            raise Refusal(401, {"error": {"message": "Invalid token", "code": 2006}})
        return self._rest(seen)

    def _change(self, seen: Seen) -> Reaction:
        payload = seen.data.get("payload", {})
        if set(seen.data) - CHANGE or not payload.get("summary") or seen.data.get("routing_key") != self.routing_key:
            raise Surprise(f"not a change: {seen.data}")
        self.changes.append(seen.data)
        return Reaction(202, {"status": "success", "message": "Change event processed"})

    def _rest(self, seen: Seen) -> Reaction:
        if seen.method != "GET" and "from" not in seen.headers and seen.path.startswith("/incidents"):
            raise Surprise("who writes?", body={"error": {"message": "From header is required"}})
        match seen.method, [part for part in seen.path.split("/") if part]:
            case "GET", ["abilities"]:
                return Reaction(200, {"abilities": ["teams"]})
            case "GET", ["oncalls"]:
                who = [{"id": key, "summary": name} for key, (name, _) in self.people.items() if key in self.on_call]
                return Reaction(200, {"oncalls": [{"user": one} for one in who]})
            case "GET", ["schedules"]:
                return Reaction(200, {"schedules": [{"id": self.schedule_id, "summary": "Emergency rota"}]})
            case "GET", ["users"]:
                asked = seen.query.get("query", "")
                found = [self._user(key) for key, (name, email) in self.people.items() if asked in f"{name} {email}"]
                return Reaction(200, {"users": found})
            case "GET", ["users", person] if person in self.people:
                return Reaction(200, {"user": self._user(person)})
            case "GET", ["incidents"]:
                found = [i for i in self.incidents.values() if i["incident_key"] == seen.query.get("incident_key")]
                return Reaction(200, {"incidents": found[::-1][:1]})
            case "POST", ["incidents"]:
                return self._create(seen.data["incident"])
            case "PUT", ["incidents", incident]:
                self.incidents[incident]["status"] = seen.data["incident"]["status"]
                return Reaction(200, {"incident": self.incidents[incident]})
            case "GET", ["incidents", incident, "notes"]:
                return Reaction(200, {"notes": [{"content": note} for note in self.notes.get(incident, [])]})
            case "POST", ["incidents", incident, "notes"]:
                self.notes.setdefault(incident, []).append(seen.data["note"]["content"])
                return Reaction(200, {"note": {"id": f"N{len(self.notes[incident])}", "content": "…"}})
            case "POST", ["incidents", incident, "status_updates"]:
                self.status_updates.setdefault(incident, []).append(seen.data["message"])
                return Reaction(200, {"status_update": {"id": "S1", "message": seen.data["message"]}})
        raise Surprise("no such address", status=404)

    def _user(self, person: str) -> dict[str, str]:
        name, email = self.people[person]
        return {"id": person, "summary": name, "name": name, "email": email}

    def _create(self, given: dict[str, Any]) -> Reaction:
        key = given["incident_key"]
        if any(i["incident_key"] == key and i["status"] != "resolved" for i in self.incidents.values()):
            raise Refusal(400, {"error": {"message": "Open incident with matching dedup key already exists"}})
        return Reaction(201, {"incident": self._open(key)})

    def _open(self, key: str) -> dict[str, Any]:
        """Somebody is being paged."""
        name = f"PGR{next(self._numbers):04d}"
        link = f"https://acme.pagerduty.com/incidents/{name}"
        self.incidents[name] = {"id": name, "incident_key": key, "status": "triggered", "html_url": link}
        return self.incidents[name]

    def acknowledges(self, key: str, who: str = "Carol Backup") -> None:
        """Somebody takes it in PagerDuty's app; no webhook tells of it."""
        (incident,) = [i for i in self.incidents.values() if i["incident_key"] == key]
        taken = {"at": "2026-01-01T00:02:00Z", "acknowledger": {"id": "PLH1HKV", "summary": who}}
        incident |= {"status": "acknowledged", "acknowledgements": [taken]}

    def _event(self, seen: Seen) -> Reaction:
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
        if self.opens_incidents:
            self._follow(key, alert.status)
        return Reaction(202, {"status": "success", "message": "Event processed", "dedup_key": key})

    def _follow(self, key: str, status: str) -> None:
        """An alert opens an incident, or moves the one it belongs to."""
        open_ones = [i for i in self.incidents.values() if i["incident_key"] == key and i["status"] != "resolved"]
        if open_ones:
            open_ones[-1]["status"] = status if status != "triggered" else open_ones[-1]["status"]
        elif status == "triggered":
            self._open(key)

    def notes_down(self, incident: str, words: str, desk: Desk, who: str = "Carol Backup") -> DeskAnswer:
        """Somebody writes a note in PagerDuty."""
        about = {"incident": {"id": incident, "type": "incident_reference"}, "content": words, "type": "incident_note"}
        body = {
            "event": {
                "id": f"note-{next(self._numbers)}",
                "event_type": "incident.annotated",
                "resource_type": "incident",
                "occurred_at": "2026-01-01T00:01:00.000Z",
                "agent": {"id": "PLH1HKV", "summary": who, "type": "user_reference"},
                "data": about,
            }
        }
        return self.post(body, desk)

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

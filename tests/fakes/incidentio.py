"""A fake incident.io: incidents with updates, alerts by their key, and webhooks signed as Svix signs them."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from itertools import count
from typing import Any

from tests.fakes.desk import JSON, Desk, DeskAnswer
from tests.fakes.server import FakeVendor, Reaction, Refusal, Seen, Surprise

SEVERITIES = ("Minor", "Major", "Critical")
STATUSES = ("triage", "live", "learning", "closed", "canceled")
EDITABLE = {"name", "summary", "severity_id", "incident_status_id", "incident_role_assignments"}
CREATABLE = EDITABLE | {"idempotency_key", "visibility"}
ALERT = {"title", "status", "deduplication_key", "description", "source_url", "metadata"}
LEAD = {"id": "role-lead", "name": "Incident Lead", "role_type": "lead"}


class FakeIncidentIo(FakeVendor):
    """`incidents` by id, `alerts` by key; `says`, `ends` and `leads` are people there."""

    name = "incidentio"
    api_key = "incidentio-key"
    webhook_secret = "whsec_" + base64.b64encode(b"incidentio-webhook-secret").decode()

    def __init__(self, port: int = 0) -> None:
        super().__init__(port)
        self.hook_url = ""
        self._forget()

    @property
    def values(self) -> dict[str, str]:
        """What a connection to this incident.io is made with."""
        return {"api_key": self.api_key, "webhook_secret": self.webhook_secret, "alert_source": "SRC1"}

    def _forget(self) -> None:
        self.incidents: dict[str, dict[str, Any]] = {}
        self.alerts: dict[str, str] = {}
        self.updates: dict[str, list[dict[str, Any]]] = {}
        self.attachments: list[dict[str, Any]] = []
        self._numbers = count(1)

    def reset(self) -> None:
        super().reset()
        self._forget()

    def react(self, seen: Seen) -> Reaction:
        if seen.headers.get("authorization") != f"Bearer {self.api_key}":
            raise Refusal(401, {"errors": [{"code": "unauthorized", "message": "No API key"}]})
        parts = [part for part in seen.path.split("/") if part]
        match seen.method, parts:
            case "GET", ["v1", "identity"]:
                return Reaction(200, {"identity": {"name": "Support desk", "roles": []}})
            case "GET", ["v1", "severities"]:
                return Reaction(200, {"severities": [{"id": f"sev-{s}", "name": s} for s in SEVERITIES]})
            case "GET", ["v1", "incident_statuses"]:
                return Reaction(200, {"incident_statuses": [_status(category) for category in STATUSES]})
            case "GET", ["v2", "incident_roles"]:
                return Reaction(200, {"incident_roles": [LEAD]})
            case "POST", ["v2", "alert_events", "http", _]:
                return self._alert(seen.data)
            case "POST", ["v2", "incidents"]:
                return self._create(seen.data)
            case "POST", ["v2", "incidents", incident, "actions", "edit"]:
                return self._edit(self._known(incident), seen.data)
            case "GET", ["v2", "incidents", incident]:
                return Reaction(200, {"incident": self._known(incident)})
            case "GET", ["v2", "incident_updates"]:
                return Reaction(200, {"incident_updates": self.updates.get(seen.query["incident_id"], [])})
            case "POST", ["v1", "incident_attachments"]:
                self.attachments.append(seen.data)
                return Reaction(201, {"incident_attachment": {"id": f"a{next(self._numbers)}"}})
        raise Surprise("no such address", status=404)

    def _known(self, incident: str) -> dict[str, Any]:
        if incident not in self.incidents:
            raise Refusal(404, {"errors": [{"code": "not_found", "message": "No such incident"}]})
        return self.incidents[incident]

    def _alert(self, given: dict[str, Any]) -> Reaction:
        if set(given) - ALERT or given.get("status") not in ("firing", "resolved") or not given.get("title"):
            raise Surprise(f"not an alert event: {given}", status=422)
        self.alerts[given["deduplication_key"]] = given["status"]
        return Reaction(202, {"status": "success", "message": "ok", "deduplication_key": given["deduplication_key"]})

    def _create(self, given: dict[str, Any]) -> Reaction:
        if (
            set(given) - CREATABLE
            or not given.get("idempotency_key")
            or given.get("visibility") not in ("public", "private")
        ):
            raise Surprise(f"not an incident: {given}", status=422)
        made = [i for i in self.incidents.values() if i["idempotency_key"] == given["idempotency_key"]]
        if not made:
            key = f"inc-{next(self._numbers)}"
            link = f"https://app.incident.io/incidents/{key}"
            self.incidents[key] = {"id": key, "permalink": link, "incident_status": _status("triage"), **given}
            made = [self.incidents[key]]
        return Reaction(200, {"incident": made[0]})

    def _edit(self, incident: dict[str, Any], given: dict[str, Any]) -> Reaction:
        changes = given.get("incident", {})
        if set(changes) - EDITABLE or "notify_incident_channel" not in given:
            raise Surprise(f"not an edit: {given}", status=422)
        if "incident_status_id" in changes:
            incident["incident_status"] = _status(changes["incident_status_id"].removeprefix("st-"))
        incident |= changes
        return Reaction(200, {"incident": incident})

    # --- as people ---------------------------------------------------------------------------------------------------

    def says(self, incident: str, words: str, who: str = "Carol Jensen") -> None:
        """Somebody posts an update there."""
        update = {"id": f"u{next(self._numbers)}", "message": words, "created_at": "2026-11-29T08:20:00Z"}
        self.updates.setdefault(incident, []).insert(0, update | {"updater": {"user": {"name": who}}})

    def ends(self, incident: str) -> None:
        """Somebody closes it there."""
        self.incidents[incident]["incident_status"] = _status("closed")
        update = {"id": f"u{next(self._numbers)}", "created_at": "2026-11-29T08:30:00Z"}
        self.updates.setdefault(incident, []).insert(0, update | {"new_incident_status": _status("closed")})

    def leads(self, incident: str, email: str, name: str) -> None:
        """Somebody takes the lead there."""
        role = {"role": LEAD, "assignee": {"email": email, "name": name}}
        self.incidents[incident]["incident_role_assignments"] = [role]

    def webhook(self, incident: str, desk: Desk, happened: str = "public_incident.incident_updated_v2") -> DeskAnswer:
        return self.post({"event_type": happened, happened: {"id": incident}}, desk)

    def post(self, body: dict[str, Any], desk: Desk) -> DeskAnswer:
        content = json.dumps(body).encode()
        return desk(self.hook_url, content, {"Content-Type": JSON, **self.signed(content)})

    def signed(self, body: bytes, *, at: float | None = None, secret: str = "", name: str = "") -> dict[str, str]:
        """The headers that prove a request comes from this incident.io."""
        stamp = str(int(time.time() if at is None else at))
        name = name or f"msg_{next(self._numbers)}"
        try:
            key = base64.b64decode((secret or self.webhook_secret).removeprefix("whsec_"), validate=True)
        except ValueError:
            key = secret.encode()
        digest = hmac.new(key, f"{name}.{stamp}.".encode() + body, hashlib.sha256).digest()
        signature = f"v1,{base64.b64encode(digest).decode()}"
        return {"Webhook-Id": name, "Webhook-Timestamp": stamp, "Webhook-Signature": signature}


def _status(category: str) -> dict[str, str]:
    return {"id": f"st-{category}", "category": category, "name": category.title()}

"""A fake Statuspage: pages keep incidents, components and subscribers, and mail is counted."""

from __future__ import annotations

import json
from itertools import count
from typing import Any

from tests.fakes.desk import JSON, Desk, DeskAnswer
from tests.fakes.server import FakeVendor, Reaction, Refusal, Seen, Surprise

REALTIME = {"investigating", "identified", "monitoring", "resolved"}
PLANNED = {"scheduled", "in_progress", "verifying", "completed"}
STATES = {"operational", "under_maintenance", "degraded_performance", "partial_outage", "major_outage"}
INCIDENT = {
    "name", "status", "body", "components", "component_ids", "deliver_notifications", "metadata", "scheduled_for",
    "scheduled_until", "scheduled_auto_in_progress", "scheduled_auto_completed",
}  # fmt: skip


class FakeStatuspage(FakeVendor):
    """`incidents` by id, `components` by id, `mails`: how often subscribers were written to."""

    name = "statuspage"
    prefix = "/v1"
    api_key = "statuspage-key"
    page_id = "p1"

    def __init__(self, port: int = 0) -> None:
        super().__init__(port)
        self.hook_url = ""
        self._forget()

    @property
    def values(self) -> dict[str, str]:
        """What a connection to this Statuspage is made with."""
        return {"api_key": self.api_key, "page_id": self.page_id, "notify": "yes"}

    def _forget(self) -> None:
        self.incidents: dict[str, dict[str, Any]] = {}
        self.subscribers: dict[str, str] = {}
        self.mails = 0
        names = {"c1": "Checkout", "c2": "Search"}
        self.components = {key: {"id": key, "name": name, "status": "operational"} for key, name in names.items()}
        self._numbers = count(1)

    def reset(self) -> None:
        super().reset()
        self._forget()

    def react(self, seen: Seen) -> Reaction:
        if seen.headers.get("authorization") != f"OAuth {self.api_key}":
            raise Refusal(401, {"error": "Could not authenticate"})
        begin = f"{self.prefix}/pages/{self.page_id}"
        if not seen.path.startswith(begin):
            raise Refusal(404, {"error": "Could not find page"})
        parts = [part for part in seen.path.removeprefix(begin).split("/") if part]
        match seen.method, parts:
            case "GET", []:
                return Reaction(200, {"id": self.page_id, "name": "Acme Status", "url": "https://status.example"})
            case "GET", ["components"]:
                return Reaction(200, list(self.components.values()))
            case "GET", ["incidents"]:
                return Reaction(200, list(self.incidents.values())[::-1])
            case "POST", ["incidents"]:
                return self._create(seen.data.get("incident"))
            case "PATCH", ["incidents", incident]:
                return self._update(self._known(incident), seen.data.get("incident"))
            case "PUT", ["incidents", incident, "postmortem"]:
                self._known(incident)["postmortem_body"] = seen.data["postmortem"]["body_draft"]
                return Reaction(200, {"body_draft": seen.data["postmortem"]["body_draft"]})
            case "PUT", ["incidents", incident, "postmortem", "publish"]:
                self._known(incident)["status"] = "postmortem"
                return Reaction(200, {})
            case "GET", ["subscribers", "count"]:
                return Reaction(200, {"email": len(self.subscribers), "sms": 0})
        raise Surprise("no such address", status=404)

    def _known(self, incident: str) -> dict[str, Any]:
        if incident not in self.incidents:
            raise Refusal(404, {"error": "Not found"})
        return self.incidents[incident]

    def _create(self, given: Any) -> Reaction:
        self._check(given)
        key = f"i{next(self._numbers)}"
        self.incidents[key] = {"id": key, "shortlink": f"https://stspg.io/{key}", "incident_updates": []}
        if given["status"] in PLANNED and not (given.get("scheduled_for") and given.get("scheduled_until")):
            raise Surprise("planned work without a time", status=422)
        return Reaction(201, self._tell(self.incidents[key], given))

    def _update(self, incident: dict[str, Any], given: Any) -> Reaction:
        self._check(given)
        return Reaction(200, self._tell(incident, given))

    def _check(self, given: Any) -> None:
        wrong = set(given or {}) - INCIDENT
        if not given or wrong or given.get("status") not in REALTIME | PLANNED or not given.get("name"):
            raise Surprise(f"not an incident: {sorted(wrong)} {given}", status=422)
        if any(not isinstance(value, dict) for value in given.get("metadata", {}).values()):
            raise Surprise("metadata values have to be objects", status=422)
        unknown = set(given.get("components", {})) - set(self.components)
        if unknown:
            raise Surprise(f"no such components {sorted(unknown)}", status=422)

    def _tell(self, incident: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
        for component, state in given.get("components", {}).items():
            self.components[component]["status"] = state
        incident |= {key: value for key, value in given.items() if key not in ("body", "components")}
        incident["incident_updates"].insert(0, {"status": given["status"], "body": given.get("body", "")})
        self.mails += bool(given.get("deliver_notifications"))
        return incident

    def post(self, body: dict[str, Any], desk: Desk) -> DeskAnswer:
        """Tell a subscriber by webhook; Statuspage signs nothing."""
        return desk(self.hook_url, json.dumps(body).encode(), {"Content-Type": JSON})

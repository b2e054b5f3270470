"""Statuspage beside our own page: what is published here is published there too. https://developer.statuspage.io/

Statuspage knows no idempotency keys and mails its subscribers, so every incident carries our key in its metadata, and
we look for it before creating.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from supportdesk.integrations import inbound, kinds, monitors
from supportdesk.integrations.base import (
    Field,
    Integration,
    IntegrationError,
    Message,
    Receipt,
    Reply,
    Request,
    Signal,
)
from supportdesk.integrations.statuspage_client import StatuspageClient

MARK = "supportdesk"  # our entry in an incident's metadata; values there have to be objects
PLANNED = frozenset({"scheduled", "in_progress", "completed"})
STATES = frozenset({"investigating", "identified", "monitoring", "resolved"}) | PLANNED
NOT_THERE_YET = 20.0  # seconds until an update asks again for an incident that is still being created
NAME_LIMIT = 200
# Somebody else's page is a hint, and its calls carry no signature: never critical.
IMPACTS = {"critical": "error", "major": "warning", "minor": "info", "none": "info", "maintenance": "info"}
OVER = frozenset({"resolved", "completed", "postmortem"})


class Statuspage(Integration):
    """Publish notices, their updates, planned maintenance and reports on a Statuspage page."""

    slug = "statuspage"
    label = "Statuspage"
    address_label = "Statuspage page"
    default_base_url = "https://api.statuspage.io/v1"
    kinds = frozenset({"notice", kinds.TEST})
    fields = (
        Field("api_key", "API key", secret=True, help="Of a user who may manage the page."),
        Field("page_id", "Page id", help="Under API info in your profile."),
        Field("notify", "Notify subscribers", required=False, default="yes", help="yes or no."),
    )

    def send(self, message: Message, previous: Receipt | None = None) -> Receipt:
        if message.kind == kinds.TEST:
            return Receipt(self.check()[:200])
        return (self._report if message.action == "report" else self._publish)(message, previous)

    def find(self, message: Message) -> Receipt | None:
        """The incident with our key, where it already says what this message says."""
        if message.action not in ("open", "update"):
            return None
        found = _of(message, self._client().recent_incidents())
        return _receipt(found) if found and _says(found, message) else None

    def check(self) -> str:
        client = self._client()
        page, parts, readers = client.page(), client.components(), client.count_subscribers()
        return f"Connected to the page {page.get('name', '')}: {len(parts)} components, {readers} subscribers."

    def _client(self) -> StatuspageClient:
        key, page = self.values.get("api_key", ""), self.values.get("page_id", "")
        if not key or not page:
            raise IntegrationError("Statuspage needs an API key and a page id.", permanent=True)
        return StatuspageClient(key, page, base_url=self.base_url, timeout=self.timeout)

    @property
    def _notifies(self) -> bool:
        return self.value("notify") != "no"

    # --- out ---------------------------------------------------------------------------------------------------------

    def _publish(self, message: Message, previous: Receipt | None) -> Receipt:
        client = self._client()
        incident = self._incident(message)
        parts, unknown = _components(message, client)
        incident |= {"components": parts, "component_ids": sorted(parts)} if parts else {}
        known = previous.id if previous else (_of(message, client.recent_incidents()) or {}).get("id", "")
        if known:
            return _receipt(client.update_incident(known, incident), unknown)
        if message.action == "update":
            raise IntegrationError("The incident is not on the page yet.", retry_after=NOT_THERE_YET)
        return _receipt(client.create_incident(incident | _opening(message)), unknown)

    def _incident(self, message: Message) -> dict[str, Any]:
        state = str(message.facts.get("state", ""))
        if state not in STATES:
            raise IntegrationError(f"Statuspage knows no state {state!r}.", permanent=True)
        return {
            "name": message.subject[:NAME_LIMIT],
            "status": state,
            "body": message.text,
            "deliver_notifications": self._notifies,
            "metadata": {MARK: {"key": message.thread}},
        }

    def _report(self, message: Message, previous: Receipt | None) -> Receipt:
        """A post-incident report: written first, then published, both as often as needed."""
        client = self._client()
        known = previous.id if previous else (_of(message, client.recent_incidents()) or {}).get("id", "")
        if not known:
            raise IntegrationError("The incident this report is about is not on the page.", permanent=True)
        client.write_postmortem(known, message.text)
        client.publish_postmortem(known, notify=self._notifies)
        return Receipt(known)

    # --- in ----------------------------------------------------------------------------------------------------------

    def receive(self, request: Request) -> list[Reply]:
        """Another company's page tells its subscribers of an incident: a signal. Our own page tells us nothing new."""
        body = inbound.json_object(request.body)
        page, incident = inbound.text(body, "page.id"), body.get("incident")
        if incident is None or page == self.values.get("page_id"):
            return []
        key, status = inbound.text(body, "incident.id", limit=80), inbound.text(body, "incident.status")
        signal = _signal(body, f"{page}:{key}"[:100], status)
        return [Reply("alert", "", page, f"{key}:{status}", text=signal.title, data={"signal": asdict(signal)})]


def _opening(message: Message) -> dict[str, Any]:
    """What only a new incident says: when planned work begins and ends."""
    if message.facts.get("state") not in PLANNED:
        return {}
    if not message.facts.get("starts_at") or not message.facts.get("ends_at"):
        raise IntegrationError("Planned maintenance needs a beginning and an end.", permanent=True)
    return {
        "scheduled_for": message.facts["starts_at"],
        "scheduled_until": message.facts["ends_at"],
        "scheduled_auto_in_progress": False,  # people say when it begins and when it is over
        "scheduled_auto_completed": False,
    }


def _components(message: Message, client: StatuspageClient) -> tuple[dict[str, str], list[str]]:
    """Ids and states of the components the message names, and the names the page does not know."""
    wanted = {str(one["name"]).casefold(): one for one in message.facts.get("components", ())}
    if not wanted:
        return {}, []
    known = {str(one.get("name", "")).casefold(): one for one in client.components() if not one.get("group")}
    parts = {str(known[name]["id"]): str(one["state"]) for name, one in wanted.items() if name in known}
    return parts, [str(one["name"]) for name, one in wanted.items() if name not in known]


def _of(message: Message, incidents: list[dict[str, Any]]) -> dict[str, Any] | None:
    """The incident that carries our key."""
    return next((i for i in incidents if inbound.member(i, f"metadata.{MARK}.key") == message.thread), None)


def _says(incident: Mapping[str, Any], message: Message) -> bool:
    updates = incident.get("incident_updates") or []
    said = {(one.get("status"), one.get("body")) for one in updates if isinstance(one, Mapping)}
    return (message.facts.get("state"), message.text) in said


def _receipt(incident: Mapping[str, Any], unknown: list[str] | None = None) -> Receipt:
    return Receipt(str(incident["id"]), {"url": incident.get("shortlink") or "", "unknown": unknown or []})


def _signal(body: Mapping[str, Any], key: str, status: str) -> Signal:
    at = monitors.known_instant(inbound.text(body, "incident.updated_at", limit=64), "incident.updated_at")
    name = inbound.text(body, "incident.name", limit=inbound.NAME_LIMIT)
    return Signal(
        dedup_key=key,
        status="resolved" if status in OVER else "firing",
        severity=IMPACTS.get(inbound.hint(body, "incident.impact"), "info"),
        title=name,
        at=at,
        check="statuspage",
        url=inbound.hint(body, "incident.shortlink"),
    )

"""incident.io's REST API. https://api-docs.incident.io/"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from supportdesk.integrations.json_api import JsonApi


class IncidentIoClient:
    """Calls the API. `timeout` in seconds, for all calls together. Every method raises `IntegrationError`.

    Alert sources have tokens of their own, the API has keys.
    """

    def __init__(self, api_key: str, *, alert_token: str = "", base_url: str, timeout: float) -> None:
        self._api, self._alerts = (
            JsonApi("incident.io", base_url, headers={"Authorization": f"Bearer {token}"}, timeout=timeout)
            for token in (api_key, alert_token or api_key)
        )

    def identity(self) -> dict[str, Any]:
        return self._part(self._api.call("GET", "/v1/identity"), "identity", dict)

    def severities(self) -> list[dict[str, Any]]:
        return self._part(self._api.call("GET", "/v1/severities"), "severities", list)

    def statuses(self) -> list[dict[str, Any]]:
        return self._part(self._api.call("GET", "/v1/incident_statuses"), "incident_statuses", list)

    def roles(self) -> list[dict[str, Any]]:
        return self._part(self._api.call("GET", "/v2/incident_roles"), "incident_roles", list)

    def send_alert(self, source: str, event: Mapping[str, Any]) -> str:
        """One alert event; returns the key it was filed under."""
        said = self._alerts.call("POST", f"/v2/alert_events/http/{quote(source, safe='')}", dict(event))
        return self._part(said, "deduplication_key", str)

    def create_incident(self, incident: Mapping[str, Any]) -> dict[str, Any]:
        """Safe to repeat: `idempotency_key` names the incident."""
        return self._part(self._api.call("POST", "/v2/incidents", dict(incident)), "incident", dict)

    def edit_incident(self, incident_id: str, changes: Mapping[str, Any]) -> dict[str, Any]:
        body = {"incident": dict(changes), "notify_incident_channel": True}
        said = self._api.call("POST", f"{self._incident(incident_id)}/actions/edit", body)
        return self._part(said, "incident", dict)

    def incident(self, incident_id: str) -> dict[str, Any]:
        return self._part(self._api.call("GET", self._incident(incident_id)), "incident", dict)

    def updates(self, incident_id: str) -> list[dict[str, Any]]:
        query = {"incident_id": incident_id, "page_size": "100"}
        return self._part(self._api.call("GET", "/v2/incident_updates", query=query), "incident_updates", list)

    def attach(self, incident_id: str, url: str, title: str) -> None:
        """Our page beside the incident."""
        resource = {"resource_type": "arbitrary_url", "url": url, "external_id": url, "title": title}
        self._api.call("POST", "/v1/incident_attachments", {"incident_id": incident_id, "resource": resource})

    def _incident(self, incident_id: str) -> str:
        return f"/v2/incidents/{quote(incident_id, safe='')}"

    def _part(self, said: Any, name: str, kind: type) -> Any:
        part = said.get(name) if isinstance(said, Mapping) else None
        if not isinstance(part, kind):
            raise self._api.unreadable(f"no {name}")
        return part

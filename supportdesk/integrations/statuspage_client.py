"""Atlassian Statuspage's REST API. https://developer.statuspage.io/

One request a second and token: whatever one call can carry (components inside an incident) is not spread over several.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from supportdesk.integrations.json_api import JsonApi

PAGE_SIZE = 100


class StatuspageClient:
    """Calls one page's API. `timeout` in seconds, for all calls together. Every method raises `IntegrationError`."""

    def __init__(self, api_key: str, page_id: str, *, base_url: str, timeout: float) -> None:
        headers = {"Authorization": f"OAuth {api_key}"}
        self._api = JsonApi("Statuspage", base_url, headers=headers, timeout=timeout)
        self._page = f"/pages/{quote(page_id, safe='')}"

    def page(self) -> dict[str, Any]:
        return self._object(self._api.call("GET", self._page))

    def components(self) -> list[dict[str, Any]]:
        return self._list(self._api.call("GET", f"{self._page}/components", query={"per_page": str(PAGE_SIZE)}))

    def recent_incidents(self) -> list[dict[str, Any]]:
        """The newest incidents and maintenances, over or not."""
        return self._list(self._api.call("GET", f"{self._page}/incidents", query={"limit": str(PAGE_SIZE)}))

    def create_incident(self, incident: Mapping[str, Any]) -> dict[str, Any]:
        return self._named(self._api.call("POST", f"{self._page}/incidents", {"incident": dict(incident)}))

    def update_incident(self, incident_id: str, incident: Mapping[str, Any]) -> dict[str, Any]:
        return self._named(self._api.call("PATCH", self._incident(incident_id), {"incident": dict(incident)}))

    def write_postmortem(self, incident_id: str, text: str) -> None:
        path = f"{self._incident(incident_id)}/postmortem"
        self._api.call("PUT", path, {"postmortem": {"body_draft": text}})

    def publish_postmortem(self, incident_id: str, *, notify: bool) -> None:
        path = f"{self._incident(incident_id)}/postmortem/publish"
        self._api.call("PUT", path, {"postmortem": {"notify_subscribers": notify}})

    def count_subscribers(self) -> int:
        """How many people hear of what the page says, by whatever way."""
        counted = self._object(self._api.call("GET", f"{self._page}/subscribers/count"))
        return sum(value for value in counted.values() if isinstance(value, int) and not isinstance(value, bool))

    def _incident(self, incident_id: str) -> str:
        return f"{self._page}/incidents/{quote(incident_id, safe='')}"

    def _object(self, said: Any) -> dict[str, Any]:
        if not isinstance(said, dict) or "error" in said:
            raise self._api.unreadable(f"{said}"[:120])
        return said

    def _named(self, said: Any) -> dict[str, Any]:
        """The answer to something made: it has a name, or we do not know what became of it."""
        if not isinstance(self._object(said).get("id"), str):
            raise self._api.unreadable("no id")
        return said

    def _list(self, said: Any) -> list[dict[str, Any]]:
        if not isinstance(said, list):
            raise self._api.unreadable("no list")
        return [one for one in said if isinstance(one, dict)]

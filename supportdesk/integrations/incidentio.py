"""incident.io beside the desk: alerts and incidents out, what its people do back in. https://api-docs.incident.io/

Its webhooks arrive in any order and say nothing of private incidents, so a webhook only makes us read the incident
again: what counts is what it is now.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import time
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from supportdesk.integrations import inbound, kinds
from supportdesk.integrations.base import (
    BadSignature,
    Field,
    Integration,
    IntegrationError,
    Message,
    Receipt,
    Reply,
    Request,
)
from supportdesk.integrations.incidentio_client import IncidentIoClient
from supportdesk.integrations.mappings import pairs

TOLERANCE = 300.0  # seconds a signed request may be old or early
NAME_LIMIT, SUMMARY_LIMIT = 200, 4_000
NOT_THERE_YET = 20.0
INCIDENT_EVENT = ("public_incident.incident_", "private_incident.incident_")
ENDED = frozenset({"closed", "learning", "canceled", "declined", "merged"})
# Where our ends lead there: the first category the account has a status of.
STATUSES = {
    "acknowledged": ("live",),
    "reopened": ("live",),
    "resolved": ("learning", "closed"),
    "cancelled": ("canceled", "declined", "closed"),
    "merged": ("canceled", "closed"),
}


class IncidentIo(Integration):
    """Raise alerts, open and follow incidents, and hear what was said and decided there."""

    slug = "incidentio"
    label = "incident.io"
    address_label = "incident.io incident"
    default_base_url = "https://api.incident.io"
    kinds = frozenset({"ticket", "reread", "update", "severity_changed", *STATUSES, kinds.TEST})
    fields = (
        Field("api_key", "API key", secret=True, help="May create and edit incidents and view incident data."),
        Field(
            "webhook_secret",
            "Webhook secret",
            secret=True,
            required=False,
            help="Starts with whsec_. While changing it: the new and the old, separated by a space.",
        ),
        Field("incidents", "Open incidents", required=False, default="yes", help="yes or no."),
        Field("alert_source", "Alert source id", required=False, help="Of an HTTP alert source; empty: no alerts."),
        Field("alert_token", "Alert source token", secret=True, required=False, help="Shown beside the alert source."),
        Field("visibility", "Visibility", required=False, default="public", help="public or private."),
        Field(
            "severities",
            "Severities",
            required=False,
            default="P1=Critical; P2=Major; P3=Minor; P4=Minor",
            help="What ours are called there.",
        ),
    )

    def send(self, message: Message, previous: Receipt | None = None) -> Receipt:
        if message.kind == kinds.TEST:
            return Receipt(self.check()[:200])
        if message.kind == "reread":
            return self._read(message.to)
        client = self._client()
        self._alert(client, message)
        if self.value("incidents") == "no":
            return Receipt(message.thread)
        if message.action == "open":
            return self._open(client, message)
        known = (previous.detail.get("incident") if previous else "") or ""
        if not known:
            raise IntegrationError("The incident is not there yet.", retry_after=NOT_THERE_YET)
        changes = self._changes(client, message)
        return _receipt(client.edit_incident(known, changes)) if changes else _receipt(client.incident(known))

    def check(self) -> str:
        client = self._client()
        who = client.identity()
        missing = sorted(set(self._severities().values()) - {str(s.get("name")) for s in client.severities()})
        if missing:
            raise IntegrationError(f"incident.io has no severity called {', '.join(missing)}.", permanent=True)
        return f"Connected to incident.io as {who.get('name', 'an API key')}."

    def _client(self) -> IncidentIoClient:
        if not self.values.get("api_key"):
            raise IntegrationError("incident.io needs an API key.", permanent=True)
        return IncidentIoClient(
            self.values["api_key"],
            alert_token=self.values.get("alert_token", ""),
            base_url=self.base_url,
            timeout=self.timeout,
        )

    # --- out ---------------------------------------------------------------------------------------------------------

    def _alert(self, client: IncidentIoClient, message: Message) -> None:
        """One alert per incident and reopening; ours ends theirs."""
        ends = message.kind in ("resolved", "cancelled", "merged")
        if not self.values.get("alert_source") or not (ends or message.kind in ("ticket", "reopened")):
            return
        event = {
            "title": message.subject[:NAME_LIMIT],
            "status": "resolved" if ends else "firing",
            "deduplication_key": message.thread,
            "description": message.text[:SUMMARY_LIMIT],
            "metadata": {"severity": message.facts.get("severity", ""), "ref": message.ref},
        }
        client.send_alert(self.values["alert_source"], event | ({"source_url": message.url} if message.url else {}))

    def _open(self, client: IncidentIoClient, message: Message) -> Receipt:
        """Repeating it finds the same incident: our key is its idempotency key."""
        incident = {
            "idempotency_key": message.thread,
            "visibility": "private" if self.value("visibility") == "private" else "public",
            "name": message.subject[:NAME_LIMIT],
            "summary": message.text[:SUMMARY_LIMIT],
            **self._severity(client, message),
        }
        made = client.create_incident(incident)
        if message.url and made.get("id"):
            client.attach(str(made["id"]), message.url, message.ref or "Support desk")
        return _receipt(made)

    def _changes(self, client: IncidentIoClient, message: Message) -> dict[str, Any]:
        """What a message changes there. Its words become the summary, which everybody there reads first."""
        changes: dict[str, Any] = {}
        if message.kind in ("update", "resolved"):
            changes["summary"] = message.text[:SUMMARY_LIMIT]
        if message.kind == "severity_changed":
            changes |= self._severity(client, message)
        if wanted := STATUSES.get(message.kind):
            by_category = {str(s.get("category")): s for s in reversed(client.statuses())}
            found = next((by_category[name] for name in wanted if name in by_category), None)
            changes |= {"incident_status_id": found["id"]} if found else {}
        if message.kind == "acknowledged" and message.facts.get("who_email"):
            changes |= self._lead(client, str(message.facts["who_email"]))
        return changes

    def _severity(self, client: IncidentIoClient, message: Message) -> dict[str, Any]:
        wanted = self._severities().get(str(message.facts.get("severity", "")))
        known = {str(s.get("name", "")).casefold(): s.get("id") for s in client.severities()} if wanted else {}
        if wanted and wanted.casefold() not in known:
            raise IntegrationError(f"incident.io has no severity called {wanted!r}.", permanent=True)
        return {"severity_id": known[wanted.casefold()]} if wanted else {}

    def _severities(self) -> dict[str, str]:
        return pairs(self.value("severities"), "Severities")

    def _lead(self, client: IncidentIoClient, email: str) -> dict[str, Any]:
        """Whoever has it here leads there."""
        lead = next((role for role in client.roles() if role.get("role_type") == "lead"), None)
        if lead is None:
            return {}
        return {"incident_role_assignments": [{"incident_role_id": lead["id"], "assignee": {"email": email}}]}

    # --- in ----------------------------------------------------------------------------------------------------------

    def _read(self, incident_id: str) -> Receipt:
        """The incident as it is now, as replies; each update there is told once, by its id."""
        client = self._client()
        incident, updates = client.incident(incident_id), client.updates(incident_id)
        replies = [*_notes(incident_id, updates), *_taken(incident_id, incident), *_end(incident_id, incident, updates)]
        return Receipt(incident_id, {"incident": incident_id}, replies=tuple(replies))

    def receive(self, request: Request) -> list[Reply]:
        self._verify(request)
        body = inbound.json_object(request.body)
        happened = inbound.text(body, "event_type", limit=120)
        if not happened.startswith(INCIDENT_EVENT):
            return []
        about = body.get(happened)  # names contain dots: no path
        named = about.get("incident", about) if isinstance(about, Mapping) else {}
        incident = inbound.text(named, "id", limit=80, where=f"{happened}.")
        return [Reply("reread", incident, "incident.io", request.headers.get("webhook-id", "")[:150])]

    def _verify(self, request: Request) -> None:
        """Svix: HMAC-SHA256 over id, time and body; any one signature of any one secret suffices."""
        name, stamp = request.headers.get("webhook-id", ""), request.headers.get("webhook-timestamp", "")
        if not name or not (stamp.isascii() and stamp.isdigit() and len(stamp) < 12):
            raise BadSignature("the incident.io signature is not readable")
        if abs(time.time() - int(stamp)) > TOLERANCE:
            raise BadSignature("the incident.io request is too old or too early")
        signed = f"{name}.{stamp}.".encode("utf-8", "surrogatepass") + request.body
        expected = [
            "v1," + base64.b64encode(hmac.new(key, signed, sha256).digest()).decode()
            for key in map(_key, inbound.secrets(self.values, "webhook_secret"))
        ]
        given = request.headers.get("webhook-signature", "").split(" ")
        if not any(inbound.same_secret(one, expected) for one in given):
            raise BadSignature("the incident.io signature does not match")


def _key(secret: str) -> bytes:
    """Svix hands secrets out as whsec_ and base64; what is not base64 is taken as it stands."""
    try:
        return base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except (binascii.Error, ValueError):
        return secret.encode()


def _receipt(incident: Mapping[str, Any]) -> Receipt:
    if not isinstance(incident.get("id"), str):
        raise IntegrationError("incident.io answered without the incident's id", ambiguous=True)
    return Receipt(incident["id"], {"incident": incident["id"], "url": incident.get("permalink") or ""})


def _notes(incident_id: str, updates: list[dict[str, Any]]) -> list[Reply]:
    """What people said there. What our own key wrote comes back as well, and is left out."""
    said = []
    for update in updates:
        words, who = inbound.hint(update, "message"), inbound.hint(update, "updater.user.name")
        if words and who and inbound.hint(update, "id"):
            said.append(Reply("note", incident_id, who, f"update:{update['id']}", text=words, data={"agent": who}))
    return said


def _taken(incident_id: str, incident: Mapping[str, Any]) -> list[Reply]:
    """Somebody leads there."""
    assigned = incident.get("incident_role_assignments")
    for one in assigned if isinstance(assigned, list) else []:
        email = inbound.hint(one, "assignee.email")
        if inbound.hint(one, "role.role_type") == "lead" and email:
            data = {"email": email, "agent": inbound.hint(one, "assignee.name")}
            return [Reply("taken", incident_id, email, f"lead:{incident_id}:{email}"[:150], data=data)]
    return []


def _end(incident_id: str, incident: Mapping[str, Any], updates: list[dict[str, Any]]) -> list[Reply]:
    """It is over there now: said once for each update that ended it."""
    if inbound.hint(incident, "incident_status.category") not in ENDED:
        return []
    ends = [u for u in updates if inbound.hint(u, "new_incident_status.category") in ENDED]
    last = max(ends, key=lambda u: inbound.hint(u, "created_at"), default={})
    return [Reply("resolve_hint", incident_id, "incident.io", f"end:{incident_id}:{inbound.hint(last, 'id')}"[:150])]

"""PagerDuty as pager of record: events out, webhooks in. https://developer.pagerduty.com/docs/events-api-v2/overview/"""

from __future__ import annotations

import hmac
import re
from hashlib import sha256
from typing import Any

from supportdesk.integrations import inbound, kinds
from supportdesk.integrations.base import (
    Answer,
    BadSignature,
    Field,
    Integration,
    IntegrationError,
    Message,
    Outcome,
    Receipt,
    Reply,
    Request,
)
from supportdesk.integrations.pagerduty_client import PagerDutyEvents

ACTIONS = frozenset({"trigger", "acknowledge", "resolve"})
SEVERITIES = {"P1": "critical", "P2": "error", "P3": "warning", "P4": "info"}
ROUTING_KEY = re.compile(r"[A-Za-z0-9]{32}")
KEY_LIMIT = 255
REPORT_SECONDS = 20.0
SUMMARY_LIMIT = 1_024

# What PagerDuty tells us, in our verbs. Its resolve is a hint: only the desk resolves an incident.
EVENTS = {
    "incident.triggered": "delivery_status",
    "incident.acknowledged": "acknowledge",
    "incident.unacknowledged": "unacknowledge",
    "incident.resolved": "resolve_hint",
}


class PagerDuty(Integration):
    """Trigger, acknowledge and resolve alerts; hear who took them. Accepted is not paged (ESC-17)."""

    slug = "pagerduty"
    label = "PagerDuty"
    address_label = "PagerDuty routing key"
    default_base_url = "https://events.pagerduty.com"
    kinds = kinds.PAGER
    fields = (
        Field("routing_key", "Routing key", secret=True, help="Integration key of an Events API v2 integration."),
        Field(
            "webhook_secret",
            "Webhook secret",
            secret=True,
            required=False,
            help="Of the v3 webhook subscription. While changing it: the new and the old, separated by a space.",
        ),
    )

    def send(self, message: Message, previous: Receipt | None = None) -> Receipt:
        action = message.action or "trigger"
        if action not in ACTIONS:
            raise IntegrationError(f"PagerDuty knows no action {action!r}", permanent=True)
        if not 0 < len(message.thread) <= KEY_LIMIT:
            raise IntegrationError(f"the dedup key must have 1 to {KEY_LIMIT} characters", permanent=True)
        events = PagerDutyEvents(self._routing_key(message.to), base_url=self.base_url, timeout=self.timeout)
        key = events.send(action, message.thread, _trigger(message) if action == "trigger" else {})
        # Accepted is not paged: where its webhooks reach us, an incident has to be reported in time (ESC-17).
        hears_back = action == "trigger" and bool(self.values.get("webhook_secret"))
        return Receipt(
            key, {"action": action}, settled=not hears_back, report_within=REPORT_SECONDS if hears_back else None
        )

    def _routing_key(self, address: str) -> str:
        """A policy may name another service of the account by its key; any other address means the connection's own."""
        return address if ROUTING_KEY.fullmatch(address) else self.values.get("routing_key", "")

    def receive(self, request: Request) -> list[Reply]:
        self._verify(request)
        event = inbound.json_object(request.body).get("event")
        verb = EVENTS.get(inbound.text(event, "event_type"))
        key = inbound.hint(event, "data.incident_key")
        if verb is None or not key:  # not about an alert of ours
            return []
        return [
            Reply(
                verb=verb,
                subject=key,
                sender=inbound.hint(event, "agent.id"),
                key=inbound.text(event, "id"),
                data=_data(event),
            )
        ]

    def answer(self, request: Request, outcomes: list[Outcome]) -> Answer:
        return Answer(202, "")

    def _verify(self, request: Request) -> None:
        """Any one signature of any one secret suffices: both are several while a secret is being changed."""
        given = [one.strip() for one in request.headers.get("x-pagerduty-signature", "").split(",")]
        expected = [
            "v1=" + hmac.new(secret.encode(), request.body, sha256).hexdigest()
            for secret in inbound.secrets(self.values, "webhook_secret")
        ]
        if not any(inbound.same_secret(one, expected) for one in given):
            raise BadSignature("the PagerDuty signature does not match")


def _trigger(message: Message) -> dict[str, Any]:
    payload = {
        "summary": (message.subject or message.text)[:SUMMARY_LIMIT],
        "source": str(message.facts.get("service") or message.ref or "supportdesk"),
        "severity": SEVERITIES.get(str(message.facts.get("severity", "")), "critical"),
        "custom_details": _details(message),
    }
    event: dict[str, Any] = {"payload": payload, "client": "supportdesk"}
    if message.url:
        event |= {"client_url": message.url, "links": [{"href": message.url, "text": message.ref or "Open"}]}
    return event


def _details(message: Message) -> dict[str, str]:
    """What PagerDuty shows below the alert. Its token is for the person we page ourselves, not for everybody there."""
    return {"text": message.text, **{name: str(value) for name, value in message.facts.items() if name != "token"}}


def _data(event: Any) -> dict[str, Any]:
    """`status` is PagerDuty's word; triggered means it has really opened an incident, which its 202 did not."""
    data = {
        "status": inbound.hint(event, "data.status"),
        "at": inbound.hint(event, "occurred_at"),
        "agent": inbound.hint(event, "agent.summary"),
        "incident": inbound.hint(event, "data.id"),
        "url": inbound.hint(event, "data.html_url"),
    }
    return data | {"failed": False, "final": data["status"] == "triggered"}

"""Calling addresses that subscribers of a status page gave: their own endpoint, or an incoming webhook of Slack.

The address is the message's own; it is somebody else's, so it is called by `guarded` and by nothing else. Endpoints
get what Standard Webhooks describe, signed with a secret made from the address: nothing has to be stored for it.
https://api.slack.com/messaging/webhooks https://www.standardwebhooks.com/
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any

import httpx
from django.utils.crypto import salted_hmac

from supportdesk import instants
from supportdesk.integrations import guarded, kinds, webhooks
from supportdesk.integrations.base import Integration, IntegrationError, Message, Receipt

SLACK_HOST = "hooks.slack.com"
TRIES = 2  # at once: one subscriber's dead address must not hold up the others, so that is all it gets
_TYPES = {"status_notice": "status.posted", "status_confirm": "status.confirm"}
# What a receiver may read; links among them act for the subscriber.
_DATA = ("page", "title", "state", "text", "components", "at", "starts", "ends", "about", "url", "link", "stop")


class StatusHooks(Integration):
    """Post what a status page says to the addresses of its subscribers."""

    slug = "status_hooks"
    label = "Status page subscribers"
    address_label = "subscriber's address"
    kinds = frozenset({"status_notice", "status_confirm", kinds.TEST})
    per_minute = 0

    def send(self, message: Message, previous: Receipt | None = None) -> Receipt:
        """Post once, and once more where nobody answered. Every failure is final, and says nothing of the others."""
        name = webhooks.event_id(message.key)
        for attempt in range(1, TRIES + 1):
            try:
                answer = self._post(message, name)
            except IntegrationError as error:
                if error.permanent or attempt == TRIES:
                    raise IntegrationError(error.detail, permanent=True) from error
                continue
            if answer.is_success:
                return Receipt(name, {"answer": f"HTTP {answer.status}"})
            if answer.status < 500 or attempt == TRIES:
                raise IntegrationError(f"HTTP {answer.status}", permanent=True)
        raise IntegrationError("not tried", permanent=True)

    def _post(self, message: Message, name: str) -> guarded.Fetched:
        is_slack = bool(message.facts.get("is_slack"))
        body = json.dumps(_for_slack(message) if is_slack else _event(message), ensure_ascii=False).encode()
        headers = {"Content-Type": "application/json", "User-Agent": "supportdesk-status/1"}
        if not is_slack:
            stamp = str(int(instants.now().timestamp()))
            signed = webhooks.signatures([secret_of(message.to)], name, stamp, body)
            headers |= {"webhook-id": name, "webhook-timestamp": stamp, "webhook-signature": signed}
        return guarded.fetch(
            self._address(message.to, is_slack),
            method="POST",
            headers=headers,
            body=body,
            timeout=self.timeout / TRIES,
            most_bytes=webhooks.ANSWER_BYTES,
        )

    def _address(self, to: str, is_slack: bool) -> str:
        """Slack's own host may be replaced by a stand-in; nobody else's."""
        if not (is_slack and self.base_url):
            return to
        return self.base_url.rstrip("/") + httpx.URL(to).path

    def check(self) -> str:
        """There is no address of its own to try."""
        return "Subscribers' addresses are called when something is posted."


def secret_of(address: str) -> str:
    """What an endpoint checks our signature with; shown to whoever confirms it. Changes with SECRET_KEY."""
    digest = salted_hmac("supportdesk.status_hooks", address, algorithm="sha256").digest()
    return webhooks.PREFIX + base64.b64encode(digest).decode()


def _event(message: Message) -> dict[str, Any]:
    data = {name: message.facts[name] for name in _DATA if name in message.facts}
    return {
        "type": _TYPES.get(message.kind, webhooks.TEST_TYPE),
        "timestamp": instants.now().isoformat(),
        "data": data,
    }


def _for_slack(message: Message) -> Mapping[str, Any]:
    escaped = f"{message.subject}\n\n{message.text}".replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return {"text": escaped, "mrkdwn": False, "unfurl_links": False}

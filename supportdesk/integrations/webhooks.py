"""Outgoing webhooks, signed as Standard Webhooks say. https://www.standardwebhooks.com/

An endpoint is a connection: of one organization, which hears what its people may read, or of the desk, which hears
everything. The address is somebody else's, so it is called by `guarded` and by nothing else.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import secrets as random
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from supportdesk import instants
from supportdesk.integrations import guarded, inbound, kinds
from supportdesk.integrations.base import Field, Integration, IntegrationError, Message, Receipt
from supportdesk.integrations.outbound import refused

EVENT = "event"
TYPES = (
    "incident.reported",
    "incident.acknowledged",
    "incident.message",
    "incident.update",
    "incident.status_changed",
    "incident.severity_changed",
    "incident.resolved",
    "incident.confirmed",
    "incident.reopened",
    "incident.cancelled",
    "incident.closed",
    "incident.promise_missed",
    "report.published",
)
TEST_TYPE = "desk.test"
PREFIX = "whsec_"
ANSWER_BYTES = 4_096  # of what an endpoint answers; the rest is nobody's business
SHOWN = 300  # characters of the answer that are kept
MINUTE, HOUR = 60.0, 3600.0


class Webhooks(Integration):
    """Post every event to an address of yours, signed, and again until it is taken."""

    slug = "webhooks"
    label = "Outgoing webhook"
    address_label = "endpoint"
    kinds = frozenset({EVENT, kinds.TEST})
    # After the first try: at once, then ever less often for a day. Then the endpoint is switched off.
    waits: ClassVar[tuple[float, ...]] = (5.0, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 8 * HOUR, 8.4 * HOUR)
    fields: ClassVar[tuple[Field, ...]] = (
        Field("url", "Address", help="https://…, where events are posted to."),
        Field(
            "secret",
            "Signing secret",
            secret=True,
            required=False,
            help="Begins with whsec_. Left empty, one is made and shown once. While changing it: the new and the old, "
            "separated by a space.",
        ),
        Field("events", "Events", required=False, help=f"Separated by spaces; empty: all. {' '.join(TYPES)}"),
    )

    def send(self, message: Message, previous: Receipt | None = None) -> Receipt:
        """Post once. Whatever is not 2xx counts as not taken; the id stays the same, so that a second one is known."""
        event = message.facts.get(EVENT) or {"id": event_id(message.key), "type": TEST_TYPE, "data": {"ref": "TEST"}}
        answer = self._post(event)
        shown = answer.body.decode("utf-8", "replace").replace("\x00", "")[:SHOWN]
        words = f"HTTP {answer.status}" + f": {shown}" * bool(shown)
        if answer.is_success:
            return Receipt(str(event["id"]), {"answer": words})
        if answer.status == 410:
            raise IntegrationError(f"{words} (the endpoint asks for nothing more)", permanent=True)
        failure = refused(answer.status, words, answer.headers)
        raise IntegrationError(words, retry_after=failure.retry_after)

    def _post(self, event: Mapping[str, Any]) -> guarded.Fetched:
        now = instants.now()
        content = {name: value for name, value in event.items() if name != "id"}
        body = json.dumps({"timestamp": now.isoformat(), **content}, separators=(",", ":"), ensure_ascii=False).encode()
        stamp = str(int(now.timestamp()))
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "supportdesk-webhooks/1",
            "webhook-id": str(event["id"]),
            "webhook-timestamp": stamp,
            "webhook-signature": signatures(inbound.secrets(self.values, "secret"), str(event["id"]), stamp, body),
        }
        url = self.values.get("url", "")
        return guarded.fetch(
            url, method="POST", headers=headers, body=body, timeout=self.timeout, most_bytes=ANSWER_BYTES
        )

    def check(self) -> str:
        """The address can be read and leads outside; whether anybody listens shows only a test event."""
        guarded.look(self.values.get("url", ""))
        return "The address can be called. Send a test to see whether it is taken."

    @classmethod
    def problems(cls, values: Mapping[str, str]) -> dict[str, str]:
        found = {}
        try:
            guarded.parsed(values.get("url", ""))
        except IntegrationError as error:
            found["url"] = f"{error.detail[:1].upper()}{error.detail[1:]}."
        if unknown := [word for word in values.get("events", "").split() if word not in TYPES]:
            found["events"] = f"{unknown[0]} is not an event; use {', '.join(TYPES)}."
        if not all(_key(secret) for secret in inbound.secrets(values, "secret")):
            found["secret"] = "A secret is whsec_ and 24 to 64 bytes in base64."  # noqa: S105 (words)
        return found

    @classmethod
    def made(cls, values: Mapping[str, str]) -> dict[str, str]:
        return {} if values.get("secret") else {"secret": new_secret()}


def new_secret() -> str:
    return PREFIX + base64.b64encode(random.token_bytes(32)).decode()


def event_id(key: str) -> str:
    """The name of an event at its receivers: the same on every attempt, and no two alike."""
    return f"msg_{hashlib.sha256(key.encode()).hexdigest()[:32]}"


def wants(events: str, kind: str) -> bool:
    """Does an endpoint with this list of events hear this one? An empty list hears all."""
    return not events.split() or kind in events.split()


def signatures(secrets: Sequence[str], name: str, stamp: str, body: bytes) -> str:
    """`v1,…` for every secret: while one is being changed, both the old and the new receiver can check."""
    signed = f"{name}.{stamp}.".encode() + body
    keys = [key for secret in secrets if (key := _key(secret))]
    if not keys:
        raise IntegrationError("the endpoint has no signing secret", permanent=True)
    digests = (hmac.new(key, signed, hashlib.sha256).digest() for key in keys)
    return " ".join(f"v1,{base64.b64encode(digest).decode()}" for digest in digests)


def _key(secret: str) -> bytes:
    """The bytes behind a secret; none where it is not one."""
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        return b""
    return key if 24 <= len(key) <= 64 else b""

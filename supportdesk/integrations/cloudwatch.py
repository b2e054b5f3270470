"""Alarms from Amazon CloudWatch, through an SNS topic with an HTTPS subscription.

https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from supportdesk.integrations import guarded, inbound, monitors
from supportdesk.integrations.base import (
    BadPayload,
    BadSignature,
    Field,
    IntegrationError,
    Message,
    Receipt,
    Reply,
    Request,
    Signal,
)
from supportdesk.integrations.monitors import TITLE_LIMIT, Monitor

CERTIFICATE_LIMIT = 20_000  # bytes
LATEST = timedelta(hours=24)  # SNS goes on trying for hours; a name it has used before counts as the same telling
_TOPIC = re.compile(r"arn:aws(?:-[a-z-]+)?:sns:([a-z0-9-]{5,30}):\d{12}:[A-Za-z0-9_.-]{1,256}")
_HASHES: dict[str, type[hashes.HashAlgorithm]] = {"1": hashes.SHA1, "2": hashes.SHA256}  # theirs to choose
_SIGNED = {
    "Notification": ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    "SubscriptionConfirmation": ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),
    "UnsubscribeConfirmation": ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),
}


class CloudWatch(Monitor):
    """Believes one topic, signed by Amazon; confirms the subscription by itself."""

    slug = "cloudwatch"
    label = "Amazon CloudWatch (SNS)"
    address_label = "subscription address"
    kinds = frozenset({"subscribe"})
    fields = (
        Field("topic_arn", "Topic", help="arn:aws:sns:eu-west-1:123456789012:desk: messages of others are refused."),
        Field(
            "severity",
            "Severity",
            required=False,
            default="critical",
            help="What an alarm is: critical, error, warning.",
        ),
    )

    @classmethod
    def problems(cls, values: Mapping[str, str]) -> dict[str, str]:
        found = {}
        if not _TOPIC.fullmatch(values.get("topic_arn", "")):
            found["topic_arn"] = "This is not the ARN of an SNS topic."
        if values.get("severity", "critical") not in ("critical", "error", "warning", ""):
            found["severity"] = "One of critical, error and warning."
        return found

    def read(self, content: bytes, headers: Mapping[str, str]) -> list[Reply]:
        body = inbound.json_object(content)
        message_id = inbound.text(body, "MessageId", limit=100)
        kind, topic = inbound.text(body, "Type"), self.values.get("topic_arn", "")
        if kind == "Notification":
            signal = self._signal(body)
            return [monitors.signalled(signal, self.slug, message_id, verb="notified")]
        if kind == "SubscriptionConfirmation":
            url = inbound.text(body, "SubscribeURL")
            self._region_of(url)
            return [Reply("subscribe", topic, self.slug, message_id, data={"url": url})]
        return [Reply("unsubscribed", topic, self.slug, message_id)]

    def send(self, message: Message, previous: Receipt | None = None) -> Receipt:
        """Confirm the subscription: open the address SNS gave us, if it is one of SNS."""
        self._region_of(message.to)
        answer = guarded.fetch(self._there(message.to), timeout=self.timeout, most_bytes=CERTIFICATE_LIMIT)
        if not answer.is_success:
            raise IntegrationError(f"SNS: HTTP {answer.status} to the confirmation", permanent=answer.status < 500)
        return Receipt(self.values["topic_arn"], {"status": answer.status})

    def check(self) -> str:
        return f"Waiting for messages of {self.values.get('topic_arn', 'no topic')}; subscribe the address below to it."

    # --- is it Amazon? -----------------------------------------------------------------------------------------------

    def _verify(self, request: Request) -> None:
        """Raises `BadSignature` for anything but a message of our topic, signed by SNS in the topic's region."""
        body = inbound.json_object(request.body)
        texts = {name: value for name, value in body.items() if isinstance(value, str)}
        names, algorithm = _SIGNED.get(texts.get("Type", "")), _HASHES.get(texts.get("SignatureVersion", ""))
        pinned = self.values.get("topic_arn", "")
        region = _TOPIC.fullmatch(pinned)
        if names is None or algorithm is None or region is None:
            raise BadSignature("this is no message of a topic we know")
        if not inbound.same_secret(texts.get("TopicArn", ""), [pinned]):
            raise BadSignature("another topic")
        url = texts.get("SigningCertURL", "")
        if self._region_of(url, BadSignature) != region[1] or not urlsplit(url).path.endswith(".pem"):
            raise BadSignature("the certificate is not Amazon's")
        _check_time(texts.get("Timestamp", ""))
        content = "".join(f"{name}\n{texts[name]}\n" for name in names if name in texts).encode("utf-8", "replace")
        try:
            signature = base64.b64decode(texts.get("Signature", ""), validate=True)
            key = _public_key(self._there(url), self.timeout)
            key.verify(signature, content, padding.PKCS1v15(), algorithm())
        except (InvalidSignature, binascii.Error, ValueError) as error:
            raise BadSignature("the signature does not match") from error

    def _region_of(self, url: str, wrong: type[Exception] = BadPayload) -> str:
        """The region of an address at SNS itself. Raises `wrong` for any other address: we call no other."""
        try:
            parts = urlsplit(url)
            host, port = parts.hostname or "", parts.port
        except ValueError as error:
            raise wrong("this is not an address at SNS") from error
        match = re.fullmatch(r"sns\.([a-z0-9-]{5,30})\.amazonaws\.com(?:\.cn)?", host)
        if match is None or parts.scheme != "https" or port not in (None, 443) or "@" in parts.netloc:
            raise wrong("this is not an address at SNS")
        return match[1]

    def _there(self, url: str) -> str:
        """The same place at the stand-in, where there is one."""
        if not self.base_url:
            return url
        parts = urlsplit(url)
        return self.base_url.rstrip("/") + parts.path + (f"?{parts.query}" if parts.query else "")

    # --- what does it say? -------------------------------------------------------------------------------------------

    def _signal(self, body: Mapping[str, Any]) -> Signal:
        said = inbound.text(body, "Message", limit=100_000)
        try:
            alarm = inbound.json_object(said.encode())
        except BadPayload:
            alarm = {}
        if "AlarmName" not in alarm:
            return self._plain(body, said)
        name, state = inbound.text(alarm, "AlarmName", limit=255), inbound.text(alarm, "NewStateValue")
        at = monitors.known_instant(inbound.text(alarm, "StateChangeTime"), "StateChangeTime")
        severity = self.values.get("severity") or "critical"
        return Signal(
            dedup_key=(inbound.hint(alarm, "AlarmArn") or f"{inbound.hint(alarm, 'AWSAccountId')}:{name}")[-200:],
            status="resolved" if state == "OK" else "firing",
            severity=severity if state == "ALARM" else "info",  # too little data is not yet an alarm
            title=name[:TITLE_LIMIT],
            at=at,
            component=inbound.hint(alarm, "Trigger.Namespace"),
            check=name,
            description="\n\n".join(
                filter(None, (inbound.hint(alarm, "AlarmDescription"), inbound.hint(alarm, "NewStateReason")))
            ),
            labels={"region": inbound.hint(alarm, "Region"), "account": inbound.hint(alarm, "AWSAccountId")},
        )

    def _plain(self, body: Mapping[str, Any], said: str) -> Signal:
        """Something else somebody publishes to the topic: kept as a warning, and it never resolves."""
        title = (inbound.hint(body, "Subject") or said)[:TITLE_LIMIT]
        at = monitors.known_instant(inbound.text(body, "Timestamp"), "Timestamp")
        return Signal(f"message:{title}", "firing", "warning", title, at, description=said[:4_000])


def _check_time(stamp: str) -> None:
    try:
        said = datetime.fromisoformat(stamp)
        age = datetime.now(UTC) - said
    except (ValueError, TypeError) as error:
        raise BadSignature("the time is no time") from error
    if not -monitors.REPLAY_WINDOW <= age <= LATEST:
        raise BadSignature("the signed time is too far from ours")


@lru_cache(maxsize=8)
def _public_key(url: str, timeout: float) -> rsa.RSAPublicKey:
    """The key of the certificate at an address of SNS. Raises ValueError, or `BadSignature` where it cannot be had."""
    try:
        answer = guarded.fetch(url, timeout=timeout, most_bytes=CERTIFICATE_LIMIT)
    except IntegrationError as error:
        raise BadSignature(f"the certificate could not be fetched: {error.detail}") from error
    if not answer.is_success:
        raise BadSignature(f"the certificate could not be fetched: HTTP {answer.status}")
    certificate = x509.load_pem_x509_certificate(answer.body)
    key = certificate.public_key()
    if not isinstance(key, rsa.RSAPublicKey):
        raise ValueError("not an RSA key")
    if not certificate.not_valid_before_utc <= datetime.now(UTC) <= certificate.not_valid_after_utc:
        raise ValueError("the certificate is not valid today")
    return key

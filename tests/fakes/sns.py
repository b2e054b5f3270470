"""A fake Amazon SNS: signs like the real one, serves its certificate, and remembers who confirmed a subscription."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID

from tests.fakes.desk import Desk, DeskAnswer
from tests.fakes.server import FakeVendor, Reaction, Seen, Surprise

TOPIC = "arn:aws:sns:eu-west-1:123456789012:desk"
SNS = "https://sns.eu-west-1.amazonaws.com"
CERTIFICATE = "/SimpleNotificationService-fake.pem"
SIGNED = {
    "Notification": ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    "SubscriptionConfirmation": ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),
}


class FakeSns(FakeVendor):
    """`confirmed` are the tokens somebody confirmed. Messages go to `hook_url`."""

    name = "cloudwatch"
    values = {"topic_arn": TOPIC}

    def __init__(self, port: int = 0) -> None:
        super().__init__(port)
        self.hook_url = ""
        self.confirmed: list[str] = []
        self.key = rsa.generate_private_key(65537, 2048)
        self.certificate = _certificate(self.key)

    def react(self, seen: Seen) -> Reaction:
        if seen.path == CERTIFICATE:
            return Reaction(200, self.certificate)
        if seen.query.get("Action") == "ConfirmSubscription":
            self.confirmed.append(seen.query["Token"])
            return Reaction(200, "<ConfirmSubscriptionResponse/>")
        raise Surprise(f"{seen.method} {seen.path}")

    def reset(self) -> None:
        super().reset()
        self.confirmed.clear()

    def signed(self, message: Mapping[str, Any], *, version: str = "2", key: Any = None) -> dict[str, Any]:
        """The message with a time, a signature and the address of the certificate."""
        whole = {
            "Timestamp": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "TopicArn": TOPIC,
            "SignatureVersion": version,
            "SigningCertURL": SNS + CERTIFICATE,
            **message,
        }
        names = SIGNED[whole["Type"]]
        content = "".join(f"{name}\n{whole[name]}\n" for name in names if name in whole).encode()
        algorithm = hashes.SHA1() if version == "1" else hashes.SHA256()
        signature = (key or self.key).sign(content, padding.PKCS1v15(), algorithm)
        return whole | {"Signature": base64.b64encode(signature).decode()}

    def alarm(self, state: str = "ALARM", *, name: str = "checkout-5xx", number: int = 1) -> dict[str, Any]:
        """An alarm changes its state."""
        said = {
            "AlarmName": name,
            "AlarmArn": f"arn:aws:cloudwatch:eu-west-1:123456789012:alarm:{name}",
            "NewStateValue": state,
            "NewStateReason": "Threshold crossed",
            "StateChangeTime": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "+0000",
        }
        return {
            "Type": "Notification",
            "MessageId": f"message-{number}",
            "Subject": f"{state}: {name}",
            "Message": json.dumps(said),
        }

    def subscription(self) -> dict[str, Any]:
        return {
            "Type": "SubscriptionConfirmation",
            "MessageId": "subscription-1",
            "Token": "t-2336",
            "Message": "You have chosen to subscribe.",
            "SubscribeURL": f"{SNS}/?Action=ConfirmSubscription&TopicArn={TOPIC}&Token=t-2336",
        }

    def post(self, body: Mapping[str, Any], desk: Desk) -> DeskAnswer:
        return desk(self.hook_url, json.dumps(body).encode(), {"Content-Type": "text/plain; charset=UTF-8"})


def _certificate(key: rsa.RSAPrivateKey) -> bytes:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sns.amazonaws.com")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=30))
        .sign(key, hashes.SHA256())
    )
    return made.public_bytes(serialization.Encoding.PEM)

"""Fake mail providers with an HTTP API: they take mail, name it, and tell the desk what became of it."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from email import message_from_bytes
from itertools import count
from typing import Any

from tests.fakes.desk import JSON, Desk, DeskAnswer
from tests.fakes.server import FakeVendor, Reaction, Refusal, Seen, Surprise


class FakePostmark(FakeVendor):
    """Takes one mail a call, as JSON; `mails` as they came, newest last. It signs nothing: a password proves it."""

    name = "postmark"
    prefix = "/"
    token = "postmark-server-token"
    webhook_secret = "desk:s3cret"
    unreachable = ("gone@acme.example",)

    def __init__(self, port: int = 0) -> None:
        super().__init__(port)
        self.hook_url = ""
        self.mails: list[dict[str, Any]] = []
        self._numbers = count(1)

    @property
    def values(self) -> dict[str, str]:
        """What a connection to this provider is made with."""
        return {
            "provider": "postmark",
            "api_key": self.token,
            "webhook_secret": self.webhook_secret,
            "from_address": "Desk <desk@desk.example>",
            "reply_address": "desk@desk.example",
        }

    def reset(self) -> None:
        super().reset()
        self.mails.clear()

    def react(self, seen: Seen) -> Reaction:
        if (seen.method, seen.path) != ("POST", "/email"):
            raise Surprise("no such address", status=404)
        if seen.headers.get("x-postmark-server-token") != self.token:
            raise Refusal(401, {"ErrorCode": 10, "Message": "Bad or missing API token."})
        mail = seen.data
        if any(len(name) > 20 or len(value) > 80 for name, value in mail.get("Metadata", {}).items()):
            raise Surprise("metadata is too long", status=422, body={"ErrorCode": 300, "Message": "Invalid metadata."})
        if mail["To"] in self.unreachable:
            words = f"Found inactive addresses: {mail['To']}. Inactive recipients are ones that bounced."
            raise Refusal(422, {"ErrorCode": 406, "Message": words})
        self.mails.append(mail | {"MessageID": f"00000000-0000-4000-8000-{next(self._numbers):012d}"})
        told = {"ErrorCode": 0, "Message": "OK", "To": mail["To"], "MessageID": self.mails[-1]["MessageID"]}
        return Reaction(200, told)

    def header(self, name: str, mail: int = -1) -> str:
        """A header of a mail, as its reader gets it: without being told to keep ours, Postmark makes a Message-ID."""
        found = {one["Name"].lower(): one["Value"] for one in self.mails[mail].get("Headers", [])}
        if name.lower() == "message-id" and found.get("x-pm-keepid") != "true":
            return f"<{self.mails[mail]['MessageID']}@mtasv.net>"
        return found.get(name.lower(), "")

    def delivered(self, desk: Desk, mail: int = -1, **more: Any) -> DeskAnswer:
        return self._report(desk, mail, {"RecordType": "Delivery", "DeliveredAt": "2026-11-29T08:10:05Z", **more})

    def bounced(self, desk: Desk, mail: int = -1, kind: str = "HardBounce", **more: Any) -> DeskAnswer:
        said = {"RecordType": "Bounce", "Type": kind, "ID": 4323372036854775807, "BouncedAt": "2026-11-29T08:10:05Z"}
        return self._report(desk, mail, {**said, "Details": "smtp;550 5.1.1 no such user", **more})

    def _report(self, desk: Desk, mail: int, said: dict[str, Any]) -> DeskAnswer:
        sent = self.mails[mail]
        about = {"MessageID": sent["MessageID"], "Email": sent["To"], "Metadata": sent.get("Metadata", {})}
        return self.post({**about, **said}, desk)

    def post(self, body: Any, desk: Desk, secret: str = "") -> DeskAnswer:
        proof = base64.b64encode((secret or self.webhook_secret).encode()).decode()
        return desk(self.hook_url, json.dumps(body).encode(), {"Content-Type": JSON, "Authorization": f"Basic {proof}"})


class FakeMailgun(FakeVendor):
    """Takes one mail a call, as a form; signs what it tells."""

    name = "mailgun"
    prefix = "/v3"
    api_key = "mailgun-key"
    signing_key = "mailgun-signing-key"

    def __init__(self, port: int = 0) -> None:
        super().__init__(port)
        self.hook_url = ""
        self.mails: list[dict[str, str]] = []
        self._numbers = count(1)

    @property
    def values(self) -> dict[str, str]:
        """What a connection to this provider is made with."""
        return {
            "provider": "mailgun",
            "api_key": self.api_key,
            "provider_detail": "desk.example",
            "webhook_secret": self.signing_key,
            "from_address": "Desk <desk@desk.example>",
        }

    def reset(self) -> None:
        super().reset()
        self.mails.clear()

    def react(self, seen: Seen) -> Reaction:
        if (seen.method, seen.path) != ("POST", "/v3/desk.example/messages"):
            raise Surprise("no such address", status=404)
        proof = base64.b64encode(f"api:{self.api_key}".encode()).decode()
        if seen.headers.get("authorization") != f"Basic {proof}":
            raise Refusal(401, {"message": "Forbidden"})
        self.mails.append(_fields(seen) | {"id": f"<{next(self._numbers)}.mailgun@desk.example>"})
        return Reaction(200, {"id": self.mails[-1]["id"], "message": "Queued. Thank you."})

    def report(self, desk: Desk, event: str, *, token: str = "", **more: Any) -> DeskAnswer:
        """Tell the desk that the newest mail was `delivered`, `failed`, …"""
        mail = self.mails[-1]
        ours = {name[2:]: value for name, value in mail.items() if name.startswith("v:")}
        about = {
            "event": event,
            "timestamp": 1796000000.5,
            "recipient": mail["to"],
            "message": {"headers": {"message-id": mail["id"].strip("<>")}},
            "user-variables": ours,
        }
        token = token or f"{next(self._numbers):050d}"
        signature = hmac.new(self.signing_key.encode(), f"1796000000{token}".encode(), hashlib.sha256).hexdigest()
        signed = {"timestamp": "1796000000", "token": token, "signature": signature}
        body = json.dumps({"signature": signed, "event-data": {**about, **more}}).encode()
        return desk(self.hook_url, body, {"Content-Type": JSON})


def _fields(seen: Seen) -> dict[str, str]:
    """The fields of a form, in either of its two spellings."""
    kind = seen.headers.get("content-type", "")
    if not kind.startswith("multipart/"):
        return {name: str(value) for name, value in seen.data.items()}
    parts = message_from_bytes(b"Content-Type: " + kind.encode() + b"\r\n\r\n" + seen.body).get_payload()
    return {part.get_param("name", header="content-disposition"): _words(part) for part in parts}


def _words(part: Any) -> str:
    return part.get_payload(decode=True).decode()

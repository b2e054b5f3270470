"""What integrations of monitors share: who is believed, what their words for severity and time mean, and 202."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import math
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any

from supportdesk.integrations import inbound
from supportdesk.integrations.base import Answer, BadPayload, BadSignature, Integration, Outcome, Reply, Request, Signal

TITLE_LIMIT = 200
KEY_LIMIT = 200
REPLAY_WINDOW = timedelta(minutes=5)  # MON-12: how far a signed time may be from ours
# What other people's words for severity mean to us; whatever is not here is a warning (MON-10).
SEVERITIES = {
    "critical": "critical",
    "page": "critical",
    "fatal": "critical",
    "emergency": "critical",
    "p1": "critical",
    "sev1": "critical",
    "error": "error",
    "major": "error",
    "high": "error",
    "p2": "error",
    "sev2": "error",
    "warning": "warning",
    "warn": "warning",
    "minor": "warning",
    "medium": "warning",
    "p3": "warning",
    "p4": "warning",
    "info": "info",
    "none": "info",
    "debug": "info",
    "low": "info",
    "ok": "info",
    "p5": "info",
}


class Monitor(Integration):
    """Something that raises alarms: it only talks to us, and is told 202 when what it said is stored (MON-12)."""

    def receive(self, request: Request) -> list[Reply]:
        self._verify(request)
        return self.read(request.body, request.headers)

    def read(self, content: bytes, headers: Mapping[str, str]) -> list[Reply]:
        """What a body says, whoever sent it: for `receive`, and for people who try a payload. Raises `BadPayload`."""
        raise NotImplementedError

    def answer(self, request: Request, outcomes: list[Outcome]) -> Answer:
        return Answer(202, "stored")

    def _verify(self, request: Request) -> None:
        """Whether this comes from the vendor. Raises `BadSignature`."""
        self._believe_token(request)

    def _believe_token(self, request: Request, name: str = "token") -> None:
        """A Bearer token or Basic password, where one was set. Raises `BadSignature`."""
        wanted = inbound.secrets(self.values, name)
        if wanted and not inbound.same_secret(offered(request.headers.get("authorization", "")), wanted):
            raise BadSignature("the token does not match")


def offered(authorization: str) -> str:
    """The secret in an `Authorization` header; empty where there is none we can read."""
    scheme, _, credentials = authorization.partition(" ")
    if scheme.lower() == "bearer":
        return credentials.strip()
    if scheme.lower() == "basic":
        try:
            return base64.b64decode(credentials, validate=True).decode().partition(":")[2]
        except (binascii.Error, ValueError):
            return ""
    return ""


def check_hmac(given: str, secrets: list[str], content: bytes) -> None:
    """A hex HMAC-SHA256 of `content` by one of the secrets. Raises `BadSignature`."""
    good = [hmac.new(secret.encode(), content, hashlib.sha256).hexdigest() for secret in secrets]
    if not given or not inbound.same_secret(given, good):
        raise BadSignature("the signature does not match")


def check_time(seconds: str, now: datetime) -> None:
    """A signed time in seconds since 1970, within five minutes of ours. Raises `BadSignature`."""
    try:
        said = datetime.fromtimestamp(int(seconds), UTC) if seconds.isascii() and seconds.isdigit() else None
    except (ValueError, OverflowError, OSError):
        said = None
    if said is None or abs(now - said) > REPLAY_WINDOW:
        raise BadSignature("the signed time is more than five minutes from ours")


def severity(word: object) -> str:
    """Critical, error, warning or info, from whatever word a monitor has for it."""
    return SEVERITIES.get(str(word or "").strip().lower(), "warning")


def known_instant(value: object, field: str) -> str:
    """The same where there has to be one. Raises `BadPayload` naming the field."""
    found = instant(value, field)
    if not found:
        raise BadPayload(f"{field} is not an instant", field=field)
    return found


def instant(value: object, field: str) -> str:
    """An instant in UTC, ISO 8601, from ISO text or seconds or milliseconds since 1970; "" where there is none.

    Year 1 is how Go spells "not yet", and reads as "". Raises `BadPayload` naming the field.
    """
    if value in (None, ""):
        return ""
    try:
        moment = _moment(value)
        return moment.astimezone(UTC).isoformat() if moment else ""
    except (ValueError, OverflowError, OSError, TypeError) as error:
        raise BadPayload(f"{field} is not an instant: {error}"[:300], field=field) from error


def _moment(value: object) -> datetime | None:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError("it is neither a text nor a number")
    if isinstance(value, str) and not value.strip().replace(".", "", 1).isdigit():
        if value.startswith("0001-"):
            return None
        moment = datetime.fromisoformat(value.strip()[:64])
        if moment.tzinfo is None:
            raise ValueError("it has no time zone")
        return moment
    seconds = float(value)
    if not math.isfinite(seconds):
        raise ValueError("it is not a time")
    return datetime.fromtimestamp(seconds / 1000 if seconds >= 1e11 else seconds, UTC)


def texts(source: object, field: str, where: str = "") -> dict[str, str]:
    """A map of texts such as labels; missing is empty. Raises `BadPayload` naming the field."""
    values = inbound.member(source, field)
    if values is None:
        return {}
    if not isinstance(values, dict) or not all(isinstance(value, str) for value in values.values()):
        raise BadPayload(f"{where}{field} is not a map of texts", field=where + field)
    return {inbound.clean(name)[: inbound.NAME_LIMIT]: inbound.clean(value) for name, value in values.items()}


def web_address(url: str) -> str:
    """An address people may be sent to; anything else reads as ""."""
    return url if url.startswith(("http://", "https://")) else ""


def signalled(signal: Signal, sender: str, key: str, *, verb: str = "alert", **data: Any) -> Reply:
    """A signal as a reply. `verb` is `notified` where the vendor names each telling, so that one counts once."""
    return Reply(verb, "", sender, key[:KEY_LIMIT], text=signal.title, data={"signal": asdict(signal), **data})


def tags(pairs: str | list[str], separator: str = ",") -> Mapping[str, str]:
    """`service:checkout,env:prod` as a map; what has no colon is left out."""
    listed = pairs.split(separator) if isinstance(pairs, str) else pairs
    found = (str(pair).partition(":") for pair in listed)
    return {
        inbound.clean(name.strip())[: inbound.NAME_LIMIT]: inbound.clean(value.strip())
        for name, colon, value in found
        if colon and name.strip()
    }

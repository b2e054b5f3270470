"""Alarms from anything that can POST JSON: which field means what is filled in, not programmed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from supportdesk.integrations import inbound, json_paths, monitors
from supportdesk.integrations.base import BadPayload, Field, Reply, Request, Signal
from supportdesk.integrations.monitors import KEY_LIMIT, TITLE_LIMIT, Monitor

ITEM_LIMIT = 200
RESOLVED_WORDS = "resolved, ok, closed, recovered, up, normal, false"
_PATHS = ("items", "key", "status", "severity", "title", "at", "service", "component", "check", "organization", "group",
          "description", "url", "labels")  # fmt: skip
_PATH_HELP = "A path such as $.alert.name; several with |, the first that is there counts; =text for a fixed text."


def _path(name: str, label: str, default: str, help_text: str = "") -> Field:
    return Field(name, label, required=False, default=default, help=help_text)


class Generic(Monitor):
    """Takes one alarm, or a list of them, out of whatever JSON arrives."""

    slug = "generic"
    label = "Anything that sends JSON"
    fields = (
        Field("token", "Token", secret=True, required=False, help="Sent as Authorization: Bearer …"),
        Field("signing_secret", "HMAC secret", secret=True, required=False, help="Hex HMAC-SHA256 of the body."),
        Field("signature_header", "Signature header", required=False, default="X-Signature"),
        Field(
            "timestamp_header",
            "Timestamp header",
            required=False,
            help="Seconds since 1970; signed as <time>.<body> then, and at most five minutes old.",
        ),
        _path("items", "List of alarms", "", "Empty: the body is one alarm. " + _PATH_HELP),
        _path("key", "Key", "$.key | $.id", "What names the condition. Empty: service, component and check do."),
        _path("status", "Status", "$.status | $.state"),
        Field("resolved_words", "Words for “over”", required=False, default=RESOLVED_WORDS),
        _path("severity", "Severity", "$.severity | $.level | $.priority"),
        Field(
            "severity_words",
            "Words for severity",
            required=False,
            help="critical=sev1,disaster error=sev2; the usual words are known.",
        ),
        _path("title", "Title", "$.title | $.name | $.message"),
        _path("at", "Time", "$.at | $.timestamp | $.time", "ISO 8601 or seconds since 1970. Nothing there: now."),
        _path("service", "Service", "$.service"),
        _path("component", "Component", "$.component | $.host"),
        _path("check", "Check", "$.check"),
        _path("organization", "Organization", "$.organization"),
        _path("group", "Group", "$.group"),
        _path("description", "Description", "$.description"),
        _path("url", "Link", "$.url | $.link"),
        _path("labels", "Labels", "$.labels"),
    )

    @classmethod
    def problems(cls, values: Mapping[str, str]) -> dict[str, str]:
        found = {}
        for name in _PATHS:
            try:
                json_paths.parse(values.get(name, ""))
            except ValueError as error:
                found[name] = str(error)
        try:
            _severity_words(values.get("severity_words", ""))
        except ValueError as error:
            found["severity_words"] = str(error)
        return found

    def read(self, content: bytes, headers: Mapping[str, str]) -> list[Reply]:
        body = inbound.json_object(content)
        items = json_paths.find(body, self._value("items")) if self._value("items") else [body]
        if not isinstance(items, list) or not 0 < len(items) <= ITEM_LIMIT:
            raise BadPayload(f"{self._value('items')} is not a list of 1 to {ITEM_LIMIT}", field="items")
        return [self._reply(item, number if len(items) > 1 else None) for number, item in enumerate(items)]

    def _verify(self, request: Request) -> None:
        self._believe_token(request)
        secrets = inbound.secrets(self.values, "signing_secret")
        if not secrets:
            return
        content = request.body
        if header := self._value("timestamp_header").lower():
            stamp = request.headers.get(header, "")
            monitors.check_time(stamp, datetime.now(UTC))
            content = f"{stamp}.".encode() + content
        given = request.headers.get((self._value("signature_header") or "X-Signature").lower(), "")
        monitors.check_hmac(given.removeprefix("sha256="), secrets, content)

    def _reply(self, item: Any, number: int | None) -> Reply:
        where = "" if number is None else f"[{number}] "
        said = {name: inbound.clean(json_paths.text(item, self._value(name))) for name in _PATHS if name != "items"}
        if not said["title"]:
            raise BadPayload(f"{where}nothing is at {self._value('title') or 'the title'}", field="title")
        resolved = {word.strip().lower() for word in (self._value("resolved_words") or RESOLVED_WORDS).split(",")}
        labels = json_paths.find(item, self._value("labels"))
        signal = Signal(
            dedup_key=said["key"][:KEY_LIMIT],
            status="resolved" if said["status"].strip().lower() in resolved else "firing",
            severity=self._severity(said["severity"]),
            title=said["title"][:TITLE_LIMIT],
            at=monitors.instant(_when(item, self._value("at")), "at") or datetime.now(UTC).isoformat(),
            service=said["service"],
            component=said["component"],
            check=said["check"],
            organization=said["organization"],
            group=said["group"],
            description=said["description"],
            url=monitors.web_address(said["url"]),
            labels=_labels(labels),
        )
        return monitors.signalled(signal, self.slug, f"{signal.dedup_key}:{signal.at}:{signal.status}")

    def _severity(self, word: str) -> str:
        own = _severity_words(self._value("severity_words"))
        return own.get(word.strip().lower()) or monitors.severity(word)

    def _value(self, name: str) -> str:
        """What was filled in; what was never asked for has its default."""
        if name in self.values:
            return self.values[name]
        return next(field.default for field in self.fields if field.name == name)


def _when(item: Any, path: str) -> object:
    value = json_paths.find(item, path)
    return value if isinstance(value, str | int | float) else None


def _labels(value: Any) -> dict[str, str]:
    if not isinstance(value, Mapping):
        return {}
    pairs = [(str(name), one) for name, one in value.items() if isinstance(one, str | int | float)]
    return {inbound.clean(name)[:100]: inbound.clean(str(one)) for name, one in pairs[:100]}


def _severity_words(written: str) -> dict[str, str]:
    """`critical=sev1,disaster error=sev2` as a map from their word to ours. Raises ValueError."""
    found = {}
    for part in re.split(r"\s+", written.strip()):
        ours, equals, theirs = part.partition("=")
        if part and (not equals or ours not in ("critical", "error", "warning", "info")):
            raise ValueError(f"{part!r} is not like critical=sev1,disaster")
        found.update({word.strip().lower(): ours for word in theirs.split(",") if word.strip()})
    return found

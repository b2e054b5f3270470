"""Reading what vendors send us: every field is checked, everything wrong is a `BadPayload` that names the field."""

from __future__ import annotations

import hmac
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import parse_qsl

from supportdesk.integrations.base import BadPayload
from supportdesk.plain import storable

TEXT_LIMIT = 4_000
NAME_LIMIT = 200

_COMMAND = re.compile(r"\s*(ack|acknowledge|esc|escalate)\s*(?:inc-?)?\s*#?(\d{1,9})\b(.*)", re.IGNORECASE | re.DOTALL)


def json_object(body: bytes) -> dict[str, Any]:
    """The JSON object in `body`."""
    try:
        value = json.loads(body.decode("utf-8-sig"))
        value = _whole(value) if b"\\ud" in body.lower() else value
    except (ValueError, RecursionError) as error:
        raise BadPayload("the body is not JSON") from error
    if not isinstance(value, dict):
        raise BadPayload("the body is not a JSON object")
    return value


def _whole(value: Any) -> Any:
    """JSON can spell half a character, which nothing can write down: it reads as a question mark."""
    return json.loads(json.dumps(value, ensure_ascii=False).encode("utf-8", "replace"))


def form(body: bytes) -> dict[str, str]:
    """The form fields in `body`, blank ones included. A name given twice is refused: nobody sends it, forgers do."""
    try:
        pairs = parse_qsl(
            body.decode("ascii"), keep_blank_values=True, encoding="utf-8", errors="strict", max_num_fields=200
        )
    except ValueError as error:
        raise BadPayload("the body is not a form") from error
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise BadPayload("a form field is given twice")
    return fields


def query(raw: str) -> dict[str, str]:
    """The query parameters in `raw`; the first of each name counts."""
    try:
        return dict(reversed(parse_qsl(raw, keep_blank_values=True, errors="strict", max_num_fields=50)))
    except ValueError as error:
        raise BadPayload("the query is not readable") from error


def member(source: Any, path: str) -> Any:
    """The value at the dotted `path` below `source`, or None where any step of it is missing or of another type."""
    value = source
    for name in path.split("."):
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def text(source: Any, path: str, *, required: bool = True, limit: int = TEXT_LIMIT, where: str = "") -> str:
    """The string at `path`. Missing, null or blank is "" unless `required`; another type is always refused.

    `where` is what errors put before the path: which of many the source is.
    """
    value, name = member(source, path), where + path
    if value is None or value == "":
        if required:
            raise BadPayload(f"{name} is missing", field=name)
        return ""
    if not isinstance(value, str):
        raise BadPayload(f"{name} is not a text", field=name)
    if "\x00" in value:
        raise BadPayload(f"{name} contains a null character", field=name)
    return value[:limit]


def hint(source: Any, path: str) -> str:
    """The string at `path` where it only helps and nothing depends on it: whatever else is there reads as ""."""
    value = member(source, path)
    return clean(value) if isinstance(value, str) else ""


def clean(words: str) -> str:
    """`words` as the database can hold them."""
    return str(storable(words))[:TEXT_LIMIT]


def same_secret(given: str, secrets: Iterable[str]) -> bool:
    """Whether `given` is one of `secrets`, compared in constant time whatever characters it holds."""
    offered = given.encode("utf-8", "surrogatepass")
    return any(hmac.compare_digest(offered, secret.encode()) for secret in secrets)


def secrets(values: Mapping[str, str], name: str) -> list[str]:
    """The secrets in one field: while a secret is being changed it holds the new and the old, separated by a space."""
    return values.get(name, "").split()


def command(words: str) -> tuple[str, str, str] | None:
    """`ACK 42`, `esc INC-42 my phone is dying`: the verb, our ref and the rest. None when it is not a command."""
    match = _COMMAND.match(words)
    if match is None:
        return None
    verb = "acknowledge" if match[1].lower().startswith("ack") else "escalate"
    return verb, f"INC-{int(match[2])}", match[3].strip()

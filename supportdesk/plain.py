"""Plain JSON values in and out, with errors that name the field: how rules keep their values in a JSON column.

Every reader raises ValueError whose text begins with the path it was given. Instants and durations are kept to the
second, by truncation and never by rounding (SLA-4).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, TypeVar

_SECOND = timedelta(seconds=1)
_Member = TypeVar("_Member", bound=StrEnum)


def expect(value: Any, kind: type, path: str, words: str) -> Any:
    """Return `value` if it is a `kind`, in words: `words`."""
    if not isinstance(value, kind):
        raise ValueError(f"{path}: expected {words}")
    return value


def refuse_unknown(spec: Mapping[str, Any], known: Iterable[str], path: str) -> None:
    """A misspelt field must not be ignored: it would be a rule that silently does not hold."""
    for name in spec:
        if name not in known:
            raise ValueError(f"{path}.{name}: unknown field; expected one of {', '.join(known)}")


def read_text(value: Any, path: str) -> str:
    """A text, possibly empty."""
    return str(expect(value, str, path, "text"))


def read_member(kind: type[_Member], value: Any, path: str) -> _Member:
    """One of the values of an enumeration."""
    try:
        return kind(value)
    except ValueError as error:
        raise ValueError(f"{path}: {value!r} is not one of {', '.join(kind)}") from error


def read_instant(value: Any, path: str) -> datetime:
    """An ISO 8601 instant with an offset or Z."""
    try:
        instant = datetime.fromisoformat(value)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{path}: {value!r} is not an instant such as 2026-06-11T08:00:00Z") from error
    if instant.tzinfo is None:
        raise ValueError(f"{path}: {value!r} has no time zone; end it with Z or an offset such as +02:00")
    try:
        return to_second(instant)
    except OverflowError as error:
        raise ValueError(f"{path}: {value!r} is out of range") from error


def write_instant(instant: datetime) -> str:
    """`instant` as 2026-06-11T08:00:00Z."""
    return to_second(instant).replace(tzinfo=None).isoformat() + "Z"


def to_second(instant: datetime) -> datetime:
    """`instant` in UTC without its fraction of a second. Raises ValueError for a naive datetime."""
    if instant.tzinfo is None:
        raise ValueError(f"{instant.isoformat()} has no time zone, so it is not an instant")
    if instant.tzinfo is not UTC:
        instant = instant.astimezone(UTC)
    return instant.replace(microsecond=0) if instant.microsecond else instant


def read_seconds(value: Any, path: str) -> timedelta:
    """A positive whole number of seconds."""
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise ValueError(f"{path}: expected a whole number of seconds, at least 1")
    try:
        return timedelta(seconds=value)
    except OverflowError as error:
        raise ValueError(f"{path}: {value} seconds is out of range") from error


def write_seconds(duration: timedelta) -> int:
    """`duration` in whole seconds."""
    return duration // _SECOND


def storable(value: Any) -> Any:
    """`value` as the database can hold it: without null characters, and with "?" for halves of characters.

    JSON can spell both, and mail headers can smuggle the second in. Texts within lists and mappings too, keys included.
    """
    if isinstance(value, str):
        return value if value.isascii() and "\x00" not in value else _whole(value).replace("\x00", "")
    if isinstance(value, Mapping):
        return {storable(name): storable(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(storable(one) for one in value)
    return value


def _whole(text: str) -> str:
    return text.encode("utf-8", "replace").decode()

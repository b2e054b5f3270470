"""Reading values out of JSON: every refusal is a ValueError that names the field by its path. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

MOST = 10**9  # larger numbers are slips, and no calendar holds them as seconds
YEARS = range(1970, 2200)


def mapping(value: Any, path: str, *, allowed: Collection[str], required: Collection[str] = ()) -> Mapping[str, Any]:
    """`value` as an object with no keys beside the `allowed` ones and none of the `required` ones missing."""
    if not isinstance(value, Mapping):
        raise ValueError(f"{path or 'the whole'}: expected an object, got {value!r}")
    for key in value:
        if key not in allowed:
            raise ValueError(f"{join(path, key)}: not a known field; known are {', '.join(sorted(allowed))}")
    for key in required:
        if key not in value:
            raise ValueError(f"{join(path, key)}: this field is missing")
    return value


def sequence(value: Any, path: str) -> Sequence[Any]:
    """`value` as a list."""
    if isinstance(value, str) or not isinstance(value, Sequence):
        raise ValueError(f"{path}: expected a list, got {value!r}")
    return value


def text(value: Any, path: str) -> str:
    """`value` as a text that is not empty."""
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"{path}: expected a text, got {value!r}")
    return value


def one_of(value: Any, path: str, choices: Collection[str]) -> str:
    """`value` as one of the texts in `choices`."""
    if value not in choices:
        raise ValueError(f"{path}: expected one of {', '.join(choices)}, got {value!r}")
    return str(value)


def yes_or_no(value: Any, path: str) -> bool:
    """`value` as true or false."""
    if not isinstance(value, bool):
        raise ValueError(f"{path}: expected true or false, got {value!r}")
    return value


def whole(value: Any, path: str, *, least: int, most: int = MOST) -> int:
    """`value` as a whole number from `least` to `most`."""
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise ValueError(f"{path}: expected a whole number from {least} to {most}, got {value!r}")
    return value


def instant(value: Any, path: str) -> datetime:
    """`value` as an instant in UTC, written `2026-07-15T06:58:30Z`; fractions of a second are kept."""
    try:
        at = datetime.fromisoformat(value) if isinstance(value, str) and value.endswith("Z") else None
    except ValueError:
        at = None
    if at is None or at.year not in YEARS:
        raise ValueError(f"{path}: expected an instant in UTC such as 2026-07-15T06:58:30Z, got {value!r}")
    return at.astimezone(UTC)


def written(at: datetime) -> str:
    """An instant as text that `instant` reads back."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def join(path: str, key: object) -> str:
    """The path of a field inside `path`."""
    return f"{path}.{key}" if path else str(key)

"""How a business calendar is written down as JSON, and read back with errors that name the field.

    "24x7"
    {"time_zone": "Europe/Berlin", "weekly": {"mon": [["09:00", "17:00"]]},
     "closed": ["2026-04-03"], "special": {"2026-12-24": [["09:00", "12:00"]]}, "version": "2026-1"}

A window whose end is not after its start runs into the next day; `24:00` is the end of the day.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import Any

from supportdesk.plain import expect, read_text, refuse_unknown
from supportdesk.zones import check_zone

Windows = tuple[tuple[int, int], ...]  # (opens, closes) in minutes of the local day

ALWAYS = "24x7"
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_FIELDS = ("time_zone", "weekly", "closed", "special", "version")
_MINUTES_OF_DAY = 24 * 60
_TIME = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])|(24):(00)")


def read(spec: Any) -> dict[str, Any]:
    """The fields of a `Calendar` from a mapping. Raises ValueError, beginning with the path of the field."""
    expect(spec, Mapping, "calendar", f'"{ALWAYS}" or a mapping with time_zone and weekly')
    refuse_unknown(spec, _FIELDS, "calendar")
    return {
        "time_zone": _zone(spec.get("time_zone"), "calendar.time_zone"),
        "weekly": _weekly(spec.get("weekly"), "calendar.weekly"),
        "closed": _closed(spec.get("closed", []), "calendar.closed"),
        "special": _special(spec.get("special", {}), "calendar.special"),
        "version": read_text(spec.get("version", ""), "calendar.version"),
    }


def write(
    time_zone: str, weekly: tuple[Windows, ...], closed: frozenset[date], special: Mapping[date, Windows], version: str
) -> dict[str, Any]:
    """The mapping that `read` turns back into the same values."""
    spec: dict[str, Any] = {
        "time_zone": time_zone,
        "weekly": {day: _texts(windows) for day, windows in zip(DAYS, weekly, strict=True) if windows},
        "closed": [day.isoformat() for day in sorted(closed)],
        "special": {day.isoformat(): _texts(special[day]) for day in sorted(special)},
    }
    return spec | ({"version": version} if version else {})


def _zone(value: Any, path: str) -> str:
    expect(value, str, path, "the name of a time zone, such as Europe/Berlin")
    try:
        return check_zone(value)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


def _weekly(value: Any, path: str) -> tuple[Windows, ...]:
    expect(value, Mapping, path, f"a mapping from {DAYS[0]} … {DAYS[-1]} to lists of windows")
    refuse_unknown(value, DAYS, path)
    return tuple(_windows(value.get(day, []), f"{path}.{day}") for day in DAYS)


def _closed(value: Any, path: str) -> frozenset[date]:
    expect(value, list, path, "a list of dates")
    return frozenset(_date(text, f"{path}[{index}]") for index, text in enumerate(value))


def _special(value: Any, path: str) -> dict[date, Windows]:
    expect(value, Mapping, path, "a mapping from dates to lists of windows")
    return {_date(text, f"{path}.{text}"): _windows(windows, f"{path}.{text}") for text, windows in value.items()}


def _windows(value: Any, path: str) -> Windows:
    expect(value, list, path, 'a list of windows, such as [["09:00", "17:00"]]')
    return tuple(sorted(_window(pair, f"{path}[{index}]") for index, pair in enumerate(value)))


def _window(value: Any, path: str) -> tuple[int, int]:
    if not isinstance(value, list) or len(value) != 2:
        raise ValueError(f'{path}: expected a pair of times, such as ["09:00", "17:00"]')
    opens, closes = _minute(value[0], f"{path}[0]"), _minute(value[1], f"{path}[1]")
    if opens == _MINUTES_OF_DAY:
        raise ValueError(f"{path}[0]: a window cannot begin at 24:00; begin the next day at 00:00")
    return opens, closes if closes > opens else closes + _MINUTES_OF_DAY


def _minute(value: Any, path: str) -> int:
    found = _TIME.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise ValueError(f"{path}: {value!r} is not a time of day such as 09:00")
    return int(found[1] or found[3]) * 60 + int(found[2] or found[4])


def _date(value: Any, path: str) -> date:
    try:
        day = date.fromisoformat(value)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{path}: {value!r} is not a date such as 2026-04-03") from error
    if day.isoformat() != value:
        raise ValueError(f"{path}: {value!r} is not a date such as 2026-04-03")
    return day


def _texts(windows: Windows) -> list[list[str]]:
    return [[_text(opens), _text(closes)] for opens, closes in windows]


def _text(minute: int) -> str:
    if minute > _MINUTES_OF_DAY:
        minute -= _MINUTES_OF_DAY
    return f"{minute // 60:02}:{minute % 60:02}"

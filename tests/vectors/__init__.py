"""Worked examples as data: `clocks.json` holds due instants and business days, computed by an independent model."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

_HOURS = {
    "BER": ("Europe/Berlin", "09:00", "17:00"),
    "BER10": ("Europe/Berlin", "08:00", "18:00"),
    "NY": ("America/New_York", "09:00", "17:00"),
    "TYO": ("Asia/Tokyo", "09:00", "17:00"),
    "SYD": ("Australia/Sydney", "09:00", "17:00"),
}


def cases(kind: str) -> list[dict[str, Any]]:
    """The examples of one kind: `due` or `business_day_close`."""
    rows = json.loads((Path(__file__).parent / "clocks.json").read_text())
    return [row for row in rows if row["kind"] == kind]


def calendar_spec(name: str, closed: list[str] | None = None, special: dict[str, Any] | None = None) -> Any:
    """The calendars of the examples: Monday to Friday, with the holidays an example states."""
    if name == "24x7":
        return name
    zone, opens, closes = _HOURS[name]
    return {
        "time_zone": zone,
        "weekly": {day: [[opens, closes]] for day in ("mon", "tue", "wed", "thu", "fri")},
        "closed": closed or [],
        "special": special or {},
    }

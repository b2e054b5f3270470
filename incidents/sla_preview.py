"""What a target would mean for one report, worked out without an incident (SLA-3 … SLA-7). Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from incidents.sla import THRESHOLDS, threshold_durations
from supportdesk import calendars
from supportdesk.calendars import Calendar, Interval, NeverOpen
from supportdesk.plain import expect, read_instant, refuse_unknown, write_instant

_FIELDS = ("calendar", "start", "target_minutes", "holds")
_LONGEST_TARGET = timedelta(days=366)
_YEARS = range(1970, 2200)


def preview(case: Any) -> dict[str, Any]:
    """Effective start, due and thresholds of one clock, as UTC instants to the second.

    `case` has `calendar` (as `Calendar.from_spec` reads it), `start`, `target_minutes` and optionally `holds`, pairs of
    instants of which the second may be null: a hold that has not ended, so that the clock has no due yet, unless it was
    used up before. Raises ValueError, beginning with the path of the field that is wrong.
    """
    expect(case, Mapping, "case", "a mapping with calendar, start and target_minutes")
    refuse_unknown(case, _FIELDS, "case")
    calendar = Calendar.from_spec(case.get("calendar"))
    start = _instant(case.get("start"), "start")
    target = _target(case.get("target_minutes"))
    holds, held_since = _holds(case.get("holds", []))
    try:
        effective_start = calendars.next_open(calendar, start)
        marks = calendars.add_each(calendar, start, (*threshold_durations(target), target), holds)
    except NeverOpen as error:
        raise ValueError(f"calendar: {error}") from error
    instants = [None if held_since is not None and marks[-1] > held_since else write_instant(mark) for mark in marks]
    return {
        "effective_start": write_instant(effective_start),
        "due_at": instants[-1],
        "thresholds": {str(percent): mark for percent, mark in zip(THRESHOLDS, instants[:-1], strict=True)},
    }


def _instant(value: Any, path: str) -> datetime:
    instant = read_instant(value, path)
    if instant.year not in _YEARS:
        raise ValueError(f"{path}: the year must be from {_YEARS[0]} to {_YEARS[-1]}")
    return instant


def _target(value: Any) -> timedelta:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError("target_minutes: expected a number")
    if not 0 < value * 60 <= _LONGEST_TARGET.total_seconds() or value * 60 < 1:
        raise ValueError(f"target_minutes: must be at least a second and at most {_LONGEST_TARGET.days} days")
    return timedelta(seconds=int(value * 60))


def _holds(value: Any) -> tuple[list[Interval], datetime | None]:
    """The holds that ended, and since when one has not."""
    expect(value, list, "holds", "a list of pairs of instants")
    ended: list[Interval] = []
    open_since: list[datetime] = []
    for index, pair in enumerate(value):
        path = f"holds[{index}]"
        if not isinstance(pair, list | tuple) or len(pair) != 2:
            raise ValueError(f"{path}: expected a pair of instants, the second of which may be null")
        begins = _instant(pair[0], f"{path}[0]")
        if pair[1] is None:
            open_since.append(begins)
            continue
        ends = _instant(pair[1], f"{path}[1]")
        if ends < begins:
            raise ValueError(f"{path}: it ends before it begins")
        ended.append((begins, ends))
    return ended, min(open_since, default=None)

"""A schedule tried out from a description in JSON: who would be on duty, and where nobody would be. Pure.

    {"layers": [{"name": "EMEA", "time_zone": "Europe/Berlin", "window": ["09:00", "18:00"], "weekdays": ["mon", "tue"],
                 "priority": 0, "slot": "primary",
                 "rotation": {"unit": "weekly", "every": 1, "anchor": "2026-03-23T09:00", "ring": ["ada"],
                              "start_index": 0}}],
     "overrides": [{"slot": "primary", "person": "ben", "start": "2026-05-06T12:00:00Z", "end": "…Z"}],
     "leave": [{"person": "ada", "start": "…Z", "end": "…Z"}],
     "swaps": [{"slot": "primary", "giver": "ada", "taker": "cem", "start": "…Z", "end": "…Z",
                "return_start": null, "return_end": null, "state": "accepted"}],
     "backup_offset": 1, "inactive": [], "fallback": null,
     "from": "2026-05-04T00:00:00Z", "until": "2026-05-11T00:00:00Z"}

Left out: no window is around the clock, no weekdays are all of them, `24:00` is the end of the day, a swap is accepted.
Every refusal is a ValueError that begins with the path of the field.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, time, timedelta
from typing import Any, TypeVar

from rotations.escalation import reading
from rotations.rotation import Revision, Rotation, Unit
from rotations.rules import PRIMARY, SLOTS, Layer, Leave, Override, Rules, Swap, SwapState, overlapping
from rotations.schedule import Schedule
from rotations.shifts import Gap, Shift
from supportdesk import zones
from supportdesk.plain import read_instant

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_CASE = ("layers", "overrides", "leave", "swaps", "backup_offset", "inactive", "fallback", "from", "until")
_LAYER = ("name", "time_zone", "window", "weekdays", "priority", "slot", "rotation")
_ROTATION = ("unit", "every", "anchor", "ring", "start_index")
_SWAP = ("id", "slot", "giver", "taker", "start", "end", "return_start", "return_end", "state")
_YEARS = range(1970, 2200)
_MOST_UNITS = 10_000
_LONGEST = timedelta(days=5 * 366)
_TIME = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])")

T = TypeVar("T")


def preview(case: Any) -> dict[str, Any]:
    """The shifts and gaps of a case from `from` until `until`, cut at both, in order of time, the primary first.

    Without a `fallback`, nobody is a gap. Raises ValueError naming the field that is wrong.
    """
    rules = rules_from_case(case)
    start, end = _span(case, "", "from", "until")
    if end - start > _LONGEST:
        raise ValueError(f"until: ask for at most {_LONGEST.days} days at a time")
    final = Schedule(rules).shifts(start, end)
    return {
        "shifts": [_shift(shift) for shift in sorted(final.shifts, key=_in_order)],
        "gaps": [_gap(gap) for gap in sorted(final.gaps, key=_in_order)],
    }


def rules_from_case(case: Any) -> Rules:
    """The rules a case describes; a range may stand in it and is not looked at.

    Raises ValueError naming the field that is wrong.
    """
    reading.mapping(case, "", allowed=_CASE, required=("layers",))
    fallback = case.get("fallback")
    return Rules(
        layers=_each(case, "layers", "", _layer),
        overrides=_overrides(case),
        leave=_each(case, "leave", "", _leave),
        swaps=_each(case, "swaps", "", _swap),
        backup_offset=_integer(case.get("backup_offset", 1), "backup_offset"),
        inactive=frozenset(_each(case, "inactive", "", reading.text)),
        fallback=None if fallback is None else reading.text(fallback, "fallback"),
    )


def _each(item: Mapping[str, Any], key: str, path: str, read: Callable[[Any, str], T]) -> tuple[T, ...]:
    place = reading.join(path, key)
    parts = reading.sequence(item.get(key, ()), place)
    return tuple(read(part, f"{place}[{i}]") for i, part in enumerate(parts))


def _layer(item: Any, path: str) -> Layer:
    reading.mapping(item, path, allowed=_LAYER, required=("name", "time_zone", "rotation"))
    return Layer(
        name=reading.text(item["name"], f"{path}.name"),
        time_zone=_zone(item["time_zone"], f"{path}.time_zone"),
        revisions=(Revision(None, _rotation(item["rotation"], f"{path}.rotation")),),
        window=_window(item.get("window"), f"{path}.window"),
        weekdays=_weekdays(item.get("weekdays"), f"{path}.weekdays"),
        priority=_integer(item.get("priority", 0), f"{path}.priority"),
        slot=_slot(item, path),
    )


def _rotation(item: Any, path: str) -> Rotation:
    reading.mapping(item, path, allowed=_ROTATION, required=("unit", "anchor", "ring"))
    return Rotation(
        unit=Unit(reading.one_of(item["unit"], f"{path}.unit", tuple(Unit))),
        every=_every(item.get("every", 1), f"{path}.every"),
        anchor=_anchor(item["anchor"], f"{path}.anchor"),
        ring=_each(item, "ring", path, reading.text),
        start_index=reading.whole(item.get("start_index", 0), f"{path}.start_index", least=0),
    )


def _overrides(case: Mapping[str, Any]) -> tuple[Override, ...]:
    overrides = _each(case, "overrides", "", _override)
    pair = overlapping(overrides)
    if pair is not None:
        later = max(overrides.index(override) for override in pair)
        raise ValueError(f"overrides[{later}]: overlaps another override of the same slot; use one at a time")
    return overrides


def _override(item: Any, path: str) -> Override:
    reading.mapping(item, path, allowed=("slot", "person", "start", "end"), required=("person", "start", "end"))
    return Override(_slot(item, path), reading.text(item["person"], f"{path}.person"), *_span(item, path))


def _leave(item: Any, path: str) -> Leave:
    reading.mapping(item, path, allowed=("person", "start", "end"), required=("person", "start", "end"))
    return Leave(reading.text(item["person"], f"{path}.person"), *_span(item, path))


def _swap(item: Any, path: str) -> Swap:
    reading.mapping(item, path, allowed=_SWAP, required=("giver", "start", "end"))
    taker = item.get("taker")
    has_return = item.get("return_start") is not None or item.get("return_end") is not None
    start, end = _span(item, path)
    return_start, return_end = _span(item, path, "return_start", "return_end") if has_return else (None, None)
    return Swap(
        id=str(item.get("id", path)),
        slot=_slot(item, path),
        giver=reading.text(item["giver"], f"{path}.giver"),
        taker=None if taker is None else reading.text(taker, f"{path}.taker"),
        start=start,
        end=end,
        return_start=return_start,
        return_end=return_end,
        state=SwapState(reading.one_of(item.get("state", "accepted"), f"{path}.state", tuple(SwapState))),
    )


def _span(item: Mapping[str, Any], path: str, first: str = "start", last: str = "end") -> tuple[datetime, datetime]:
    start = _in_our_time(read_instant(item.get(first), reading.join(path, first)), reading.join(path, first))
    end = _in_our_time(read_instant(item.get(last), reading.join(path, last)), reading.join(path, last))
    if end <= start:
        raise ValueError(f"{reading.join(path, last)}: must be after {first}")
    return start, end


def _in_our_time(t: datetime, path: str) -> datetime:
    """`t`, so far from the ends of the calendar that no rule can carry it over them."""
    if t.year not in _YEARS:
        raise ValueError(f"{path}: expected a year from {_YEARS[0]} to {_YEARS[-1]}, got {t.year}")
    return t


def _slot(item: Mapping[str, Any], path: str) -> Any:
    return reading.one_of(item.get("slot", PRIMARY), f"{path}.slot", SLOTS)


def _zone(value: Any, path: str) -> str:
    try:
        return zones.check_zone(reading.text(value, path))
    except ValueError as error:
        raise ValueError(f"{path}: {value!r} is not a known time zone; use a name such as Europe/Berlin") from error


def _window(value: Any, path: str) -> tuple[time, time] | None:
    if value is None:
        return None
    ends = reading.sequence(value, path)
    if len(ends) != 2:
        raise ValueError(f"{path}: expected two times, when it opens and when it closes")
    return _time(ends[0], f"{path}[0]"), time.min if ends[1] == "24:00" else _time(ends[1], f"{path}[1]")


def _time(value: Any, path: str) -> time:
    if not isinstance(value, str) or not (parts := _TIME.fullmatch(value)):
        raise ValueError(f"{path}: expected a time such as 09:00, got {value!r}")
    return time(int(parts[1]), int(parts[2]))


def _weekdays(value: Any, path: str) -> frozenset[int] | None:
    if value is None:
        return None
    names = [reading.one_of(name, f"{path}[{i}]", DAYS) for i, name in enumerate(reading.sequence(value, path))]
    return frozenset(DAYS.index(name) for name in names)


def _every(value: Any, path: str) -> int:
    if reading.whole(value, path, least=1) > _MOST_UNITS:
        raise ValueError(f"{path}: expected at most {_MOST_UNITS}, got {value}")
    return int(value)


def _anchor(value: Any, path: str) -> datetime:
    try:
        anchor = datetime.fromisoformat(reading.text(value, path))
    except ValueError as error:
        raise ValueError(f"{path}: expected a local time such as 2026-03-23T09:00, got {value!r}") from error
    if anchor.tzinfo is not None:
        raise ValueError(f"{path}: is local time in the layer's zone and carries no offset, got {value!r}")
    return _in_our_time(anchor, path)


def _integer(value: Any, path: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError(f"{path}: expected a whole number, got {value!r}")
    return value


def _in_order(item: Shift | Gap) -> tuple[datetime, int]:
    return item.start, SLOTS.index(item.slot)


def _shift(shift: Shift) -> dict[str, Any]:
    return {
        "slot": shift.slot,
        "person": shift.person,
        "start": _written(shift.start),
        "end": _written(shift.end),
        "layer": shift.layer,
        "shift_start": _written(shift.shift_start),
        "shift_end": _written(shift.shift_end),
    }


def _gap(gap: Gap) -> dict[str, Any]:
    return {"slot": gap.slot, "start": _written(gap.start), "end": _written(gap.end)}


def _written(t: datetime) -> str:
    return f"{t.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"

"""Absences out of a calendar file: whole days and long stretches, recurring ones included (RFC 5545). Pure.

A whole day, and a time without a zone, mean the person's own. Short events are meetings, not leave.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import recurring_ical_events
from icalendar import Calendar, Event

from supportdesk import zones

MOST_EVENTS = 2_000
MOST_ABSENCES = 500
SHORTEST = timedelta(hours=4)
_TOO_OFTEN = {"SECONDLY", "MINUTELY", "HOURLY"}
_LONGEST_TITLE = 200


class NotACalendar(ValueError):
    """This cannot be read as a calendar; says why in words."""


@dataclass(frozen=True, slots=True)
class Absence:
    """One stretch somebody is away. `uid` is the same each time the same occurrence is read."""

    uid: str
    start: datetime
    end: datetime
    title: str


def read(data: bytes, zone: str, start: datetime, end: datetime) -> list[Absence]:
    """The absences between `start` and `end`, in order. Raises `NotACalendar`."""
    try:
        calendar = Calendar.from_ical(data.decode("utf-8-sig"))
    except (UnicodeDecodeError, ValueError, KeyError, IndexError) as error:
        raise NotACalendar("This is not a calendar file (.ics).") from error
    if not isinstance(calendar, Calendar):
        raise NotACalendar("This is not a calendar file (.ics).")
    _refuse_endless(calendar)
    try:
        found = recurring_ical_events.of(calendar, skip_bad_series=True).between(start, end)
    except (ValueError, TypeError, KeyError, OverflowError) as error:
        raise NotACalendar("An event in this file cannot be understood.") from error
    absences = [each for event in found if (each := _absence(event, zone)) is not None]
    if len(absences) > MOST_ABSENCES:
        raise NotACalendar(f"This holds more than {MOST_ABSENCES} absences; is it a calendar of leave?")
    return sorted(absences, key=lambda each: (each.start, each.uid))


def _refuse_endless(calendar: Calendar) -> None:
    """What would take for ever to count."""
    events = calendar.walk("VEVENT")
    if len(events) > MOST_EVENTS:
        raise NotACalendar(f"This holds more than {MOST_EVENTS} events; is it a calendar of leave?")
    for event in events:
        rules = event.get("RRULE") or []
        for rule in rules if isinstance(rules, list) else [rules]:
            if {str(freq).upper() for freq in rule.get("FREQ", [])} & _TOO_OFTEN:
                raise NotACalendar("An event repeats by the hour or more often: that is no leave.")


def _absence(event: Event, zone: str) -> Absence | None:
    begins, ends = event.get("DTSTART"), event.get("DTEND")
    if begins is None or str(event.get("STATUS", "")).upper() == "CANCELLED":
        return None
    start = _instant(begins.dt, zone)
    last = ends.dt if ends is not None else begins.dt
    end = _instant(last, zone)
    is_whole_day = not isinstance(begins.dt, datetime)
    if is_whole_day and end <= start:
        end = zones.day_start(begins.dt + timedelta(days=1), zone)
    if end <= start or not (is_whole_day or end - start >= SHORTEST):
        return None
    named = f"{event.get('UID', '')}|{_original(event, begins.dt)}"
    return Absence(
        hashlib.sha256(named.encode()).hexdigest(), start, end, str(event.get("SUMMARY", ""))[:_LONGEST_TITLE]
    )


def _original(event: Event, start: date | datetime) -> str:
    """Which occurrence of a series it is, even where it was moved."""
    moved: Any = event.get("RECURRENCE-ID")
    return (moved.dt if moved is not None else start).isoformat()


def _instant(value: date | datetime, zone: str) -> datetime:
    if not isinstance(value, datetime):
        return zones.day_start(value, zone)
    if value.tzinfo is None:
        return zones.first_instant(value, zone)
    return value.astimezone(UTC)

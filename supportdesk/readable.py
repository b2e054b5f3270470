"""Instants and durations as people read them: short, truncated (SLA-4), and never ambiguous on a DST night.

Pure: every function takes the instants it speaks about. `static/js/clocks.js` says the same words while a page is open.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400
_PRECISE_BELOW = 10 * _MINUTE
_DAYS_ONLY_FROM = 14 * _DAY
SEVERITY_MEANINGS = {
    "P1": "your business has stopped",
    "P2": "a core function or many users are affected",
    "P3": "it hurts and there is a way around it",
    "P4": "a question or something small",
}
SEVERITY_WORDS = {"P1": "critical", "P2": "high", "P3": "normal", "P4": "low"}


def duration(length: timedelta | float, *, precise: bool = False) -> str:
    """A length of real time: `45 s`, `18 min`, `1 h 27 min`, `2 d 4 h`.

    `length` is a timedelta or seconds; the sign is dropped. `precise` adds seconds below ten minutes: `6 min 05 s`.
    """
    seconds = int(abs(length.total_seconds() if isinstance(length, timedelta) else length))
    if seconds < _MINUTE:
        return f"{seconds} s"
    if seconds < _HOUR:
        minutes, rest = divmod(seconds, _MINUTE)
        return f"{minutes} min {rest:02d} s" if precise and seconds < _PRECISE_BELOW else f"{minutes} min"
    if seconds < _DAY:
        return _pair(seconds, _HOUR, "h", _MINUTE, "min")
    if seconds < _DAYS_ONLY_FROM:
        return _pair(seconds, _DAY, "d", _HOUR, "h")
    return f"{seconds // _DAY} d"


def _pair(seconds: int, large: int, large_name: str, small: int, small_name: str) -> str:
    whole, rest = divmod(seconds, large)
    part = rest // small
    return f"{whole} {large_name} {part} {small_name}" if part else f"{whole} {large_name}"


def ago(at: datetime, now: datetime) -> str:
    """How long ago `at` was, or how far ahead it is: `just now`, `12 min ago`, `in 2 h 5 min`."""
    if at > now:
        return f"in {duration(at - now)}"
    if now - at < timedelta(minutes=1):
        return "just now"
    return f"{duration(now - at)} ago"


def remaining(due: datetime, now: datetime, *, as_time: bool = False) -> str:
    """What is left until `due`: `6 min 05 s left`, `due now`, `2 min overdue`. Met at the due instant itself (D7).

    `as_time` says when instead of how much, within a sentence: `in 6 min 05 s`.
    """
    left = due - now
    if timedelta(seconds=-1) < left < timedelta(seconds=1):
        return "due now"
    if left < timedelta(0):
        return f"{duration(left)} overdue"
    return f"in {duration(left, precise=True)}" if as_time else f"{duration(left, precise=True)} left"


def zone_name(local: datetime) -> str:
    """The zone of a local time as people write it: `CET`, and `UTC+3` where a zone has no letters of its own."""
    name = local.tzname() or "UTC"
    if name[0] not in "+-":
        return name
    offset = local.utcoffset() or timedelta(0)
    hours, minutes = divmod(int(abs(offset).total_seconds()) // _MINUTE, _MINUTE)
    return f"UTC{'+' if offset >= timedelta(0) else '−'}{hours}" + (f":{minutes:02d}" if minutes else "")


def clock_time(at: datetime, zone: str | tzinfo, now: datetime | None = None) -> str:
    """`at` on the wall clock of `zone`: `03:02 CET`; on another day than `now`'s there `Sun 22 Nov, 23:50 CET`."""
    local = at.astimezone(_zone(zone))
    return f"{_day_before(local, now)}{local:%H:%M} {zone_name(local)}"


def clock_span(start: datetime, end: datetime, zone: str | tzinfo, now: datetime | None = None) -> str:
    """`[start, end)` on the wall clock of `zone`: `09:00–18:00 CET`, naming days and both offsets where they differ."""
    first, last = start.astimezone(_zone(zone)), end.astimezone(_zone(zone))
    tail = clock_time(end, zone)
    if first.date() != last.date():
        return f"{_day(first)}, {first:%H:%M} – {_day(last)}, {tail}"
    begins = f"{first:%H:%M}–" if zone_name(first) == zone_name(last) else f"{first:%H:%M} {zone_name(first)} – "
    return f"{_day_before(first, now)}{begins}{tail}"


def clock_hours(start: datetime, end: datetime, zone: str | tzinfo) -> str:
    """`09–18`, or `09:30–18` off the full hour: for drawings where day and zone are given."""
    ends = (at.astimezone(_zone(zone)) for at in (start, end))
    return "–".join(f"{local:%H:%M}" if local.minute else f"{local:%H}" for local in ends)


def utc_time(at: datetime) -> str:
    """`2026-11-23 02:02:10 UTC`: what tooltips and evidence show."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def initials(name: str) -> str:
    """Up to two letters for a person: `Bob Novak` is `BN`, `bob` is `BO`, an empty name is `?`."""
    words = [word for word in name.replace(".", " ").split() if word[0].isalnum()]
    if not words:
        return "?"
    letters = words[0][0] + words[-1][0] if len(words) > 1 else words[0][:2]
    return letters.upper()


def _zone(zone: str | tzinfo) -> tzinfo:
    return ZoneInfo(zone) if isinstance(zone, str) else zone


def _day(local: datetime) -> str:
    return f"{local:%a} {local.day} {local:%b}"


def _day_before(local: datetime, now: datetime | None) -> str:
    if now is None or local.date() == (today := now.astimezone(local.tzinfo).date()):
        return ""
    return f"{_day(local)} {local.year}, " if local.year != today.year else f"{_day(local)}, "


def severity(code: str) -> str:
    """`P1` to `critical`: what customers read instead of a letter."""
    return SEVERITY_WORDS.get(code, "not yet judged")


def severity_meaning(code: str) -> str:
    """What that word stands for, as the portal asks for it: `your business has stopped`."""
    return SEVERITY_MEANINGS.get(code, "")


def moment(at: datetime, zone: str | tzinfo) -> str:
    """An instant for a message that is read on another day: `Mon 26 Oct 2026, 09:00 CET (UTC+1)`, always with its
    offset."""
    local = at.astimezone(_zone(zone))
    offset = local.utcoffset() or timedelta(0)
    hours, minutes = divmod(int(abs(offset).total_seconds()) // _MINUTE, _MINUTE)
    sign = "−" if offset < timedelta(0) else "+"
    utc = f"UTC{sign}{hours}" + (f":{minutes:02d}" if minutes else "")
    name = zone_name(local)
    tail = f"{name} ({utc})" if not name.startswith("UTC") else utc if offset else "UTC"
    return f"{_day(local)} {local.year}, {local:%H:%M} {tail}"

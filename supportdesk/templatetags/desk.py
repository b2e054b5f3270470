"""The words templates use: icons, severities, people and times. Built in: no template needs to load them.

Tags that speak about now read `desk.now` from the context, so that one page speaks about one instant.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Mapping
from datetime import datetime, timedelta, tzinfo
from functools import cache
from pathlib import Path
from typing import Any

from django import template
from django.conf import settings
from django.template import Context
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from supportdesk import instants, markup, readable

register = template.Library()

ICONS = Path(__file__).resolve().parents[2] / "static" / "icons"
HUES = 8
# Working status: word for us, word for the customer, share of the way (eighths of the ring), tone.
STATUSES: Mapping[str, tuple[str, str, int, str]] = {
    "queued": ("Queued", "Received, waiting for opening time", 0, "idle"),
    "new": ("New", "Received", 0, "new"),
    "triaging": ("Triaging", "We are looking at it", 1, "busy"),
    "investigating": ("Investigating", "Looking for the cause", 3, "busy"),
    "identified": ("Identified", "Cause found", 4, "busy"),
    "mitigating": ("Mitigating", "Fix under way", 5, "busy"),
    "monitoring": ("Monitoring", "Fix in place, being watched", 7, "busy"),
    "resolved": ("Resolved", "Resolved", 8, "well"),
    "follow_up": ("Follow-up", "Resolved, report in preparation", 8, "well"),
    "closed": ("Closed", "Closed", 8, "idle"),
    "cancelled": ("Cancelled", "Withdrawn", 8, "idle"),
    "merged": ("Merged", "Joined to another report", 8, "idle"),
}


# --- icons -----------------------------------------------------------------------------------------------------------
@cache
def _drawing(name: str) -> str | None:
    """What lies inside the <svg> of an icon file, or None when there is no such icon."""
    path = ICONS / f"{name}.svg"
    if not re.fullmatch(r"[a-z0-9-]+", name) or not path.is_file():
        return None
    found = re.search(r"<svg[^>]*>(.*)</svg>", path.read_text(), re.DOTALL)
    return re.sub(r"\s*\n\s*", "", found[1]) if found else None


@register.simple_tag
def icon(name: str, css: str = "", label: str = "") -> SafeString:
    """An icon of `static/icons/`: decorative unless `label` says what it means. Unknown names draw a question mark."""
    drawing = _drawing(str(name)) or _drawing("circle-help") or ""
    spoken = format_html('role="img" aria-label="{}"', label) if label else mark_safe('aria-hidden="true"')
    return format_html(
        '<svg class="icon {}" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="1.8"'
        ' stroke-linecap="round" stroke-linejoin="round" {}>{}</svg>',
        css,
        spoken,
        mark_safe(drawing),  # noqa: S308 - the files of static/icons/ are our own
    )


# --- severity, status, people ----------------------------------------------------------------------------------------
@register.inclusion_tag("components/_severity.html")
def sev(severity: object, words: bool = False) -> dict[str, object]:
    """The severity badge: letter, colour and shape. `words=True` adds the word customers read."""
    number = str(severity)[-1:]
    return {"number": number, "word": severity_word(severity), "show_word": words}


@register.filter
def severity_word(severity: object) -> str:
    """`P1` to `Critical`: what customers read instead of a letter."""
    return readable.severity(f"P{str(severity)[-1:]}").capitalize()


@register.filter
def status_word(value: object) -> str:
    """`monitoring` to `Monitoring`, where a ring would not fit."""
    return STATUSES.get(str(value), (str(value),))[0]


@register.inclusion_tag("components/_status.html")
def status(value: object, hold: str = "", for_customer: bool = False) -> dict[str, object]:
    """The working status with a ring that fills along the way; a `hold` (customer, change_window …) adds a pause."""
    ours, theirs, eighths, tone = STATUSES.get(str(value), (str(value), str(value), 0, "idle"))
    return {
        "word": theirs if for_customer else ours,
        "tone": tone,
        "arc": f"{eighths * 12.5:g}",
        "is_full": eighths == 8,
        "value": str(value),
        "hold": "" if hold in ("", "none", None) else hold,
    }


@register.inclusion_tag("components/_avatar.html")
def avatar(person: object, css: str = "") -> dict[str, object]:
    """Initials of a person (anything with a `name`, or a text) on a hue of their own; nobody is a question mark."""
    name = _name(person)
    return {"name": name, "initials": readable.initials(name), "hue": hue(name), "css": css, "nobody": not name}


@register.filter
def initials(person: object) -> str:
    """`Bob Novak` to `BN`."""
    return readable.initials(_name(person))


@register.filter
def hue(value: object) -> int:
    """A stable number from 0 to 7 for a person: picks `.hue-0` … `.hue-7`."""
    return zlib.crc32(_name(value).encode()) % HUES


def _name(person: object) -> str:
    return "" if person is None else str(getattr(person, "name", "") or person)


@register.inclusion_tag("components/_key.html")
def key(name: str) -> dict[str, object]:
    """A key hint beside the button it presses; hidden under a thumb and when shortcuts are off."""
    return {"keys": str(name).split()}


@register.filter
def given_name(person: object) -> str:
    """`Bob Novak` to `Bob`, where space is short."""
    return _name(person).split(" ")[0]


@register.filter
def tel(number: object) -> str:
    """A phone number as a `tel:` address: digits and the leading plus."""
    return "tel:" + re.sub(r"[^\d+]", "", str(number))


# --- time ------------------------------------------------------------------------------------------------------------
def _now(context: Context) -> datetime:
    try:
        return template.Variable("desk.now").resolve(context)
    except template.VariableDoesNotExist:
        return instants.now()


def _zone(zone: str | tzinfo | None) -> str | tzinfo:
    return zone or timezone.get_current_timezone()


@register.simple_tag(takes_context=True)
def ago(context: Context, at: datetime) -> str:
    """`12 min ago`."""
    return readable.ago(at, _now(context))


@register.simple_tag(takes_context=True)
def remaining(context: Context, due: datetime, as_time: bool = False) -> str:
    """`6 min 05 s left`, `2 min overdue`; `as_time` says `in 6 min 05 s`."""
    return readable.remaining(due, _now(context), as_time=as_time)


@register.simple_tag(takes_context=True)
def local_time(context: Context, at: datetime, zone: str | tzinfo | None = None) -> str:
    """`03:02 CET`, with the day when it is another day. `zone` defaults to the reader's."""
    return readable.clock_time(at, _zone(zone), _now(context))


@register.simple_tag(takes_context=True)
def local_span(context: Context, start: datetime, end: datetime, zone: str | tzinfo | None = None) -> str:
    """`09:00–18:00 CET`."""
    return readable.clock_span(start, end, _zone(zone), _now(context))


@register.simple_tag
def local_hours(start: datetime, end: datetime, zone: str | tzinfo | None = None) -> str:
    """`09–18`, or `09:30–18` off the full hour: hours in the reader's zone, for drawings where the day is given."""
    return readable.clock_hours(start, end, _zone(zone))


@register.filter
def utc(at: datetime) -> str:
    """`2026-11-23 02:02:10 UTC`."""
    return readable.utc_time(at)


@register.filter
def duration(length: timedelta | float) -> str:
    """`1 h 27 min` from a timedelta or seconds."""
    return readable.duration(length)


@register.filter
def iso(at: datetime) -> str:
    """An instant for `datetime` attributes: `2026-11-23T02:02:10+00:00`."""
    return at.isoformat()


@register.simple_tag
def zone_of_reader() -> str:
    """The IANA name of the zone times are shown in: `Europe/Berlin`."""
    return timezone.get_current_timezone_name()


@register.inclusion_tag("components/_time.html", takes_context=True)
def when(context: Context, at: datetime, zone: str | tzinfo | None = None, show: str = "both") -> dict[str, object]:
    """An instant as `12 min ago · 03:02 CET` with UTC in the tooltip. `show`: both, ago or clock."""
    return {"at": at, "zone": _zone(zone), "show": show, "desk": {"now": _now(context)}}


@register.inclusion_tag("components/_countdown.html", takes_context=True)
def countdown(context: Context, due: datetime, as_time: bool = False) -> dict[str, object]:
    """What is left until `due`, ticking while the page is open; `as_time` says `in 6 min 05 s`."""
    return {"due": due, "as_time": as_time, "desk": {"now": _now(context)}}


# --- places on an axis of time, for drawings --------------------------------------------------------------------------
@register.simple_tag
def axis_x(at: datetime, start: datetime, end: datetime) -> str:
    """Where `at` lies in `[start, end)`, in percent, clamped: an attribute for SVG and <progress>."""
    return f"{_share(at, start, end):.3f}%"


@register.simple_tag
def axis_width(begins: datetime, ends: datetime, start: datetime, end: datetime) -> str:
    """How much of `[start, end)` the interval `[begins, ends)` covers, in percent."""
    return f"{_share(ends, start, end) - _share(begins, start, end):.3f}%"


@register.filter
def overlaps(interval: Any, window: Any) -> bool:
    """Whether two things with `start` and `end` share an instant."""
    return bool(interval.start < window.end and interval.end > window.start)


@register.filter
def within(at: datetime | None, window: Any) -> bool:
    """Whether an instant lies in something with `start` and `end`."""
    return at is not None and bool(window.start <= at < window.end)


@register.filter
def share_of(interval: Any, window: Any) -> float:
    """How much of `window` the part of `interval` inside it covers, in percent: whether a label fits."""
    return _share(interval.end, window.start, window.end) - _share(interval.start, window.start, window.end)


def _share(at: datetime, start: datetime, end: datetime) -> float:
    return min(100.0, max(0.0, 100.0 * ((at - start) / (end - start))))


# --- texts people wrote ----------------------------------------------------------------------------------------------
@register.filter
def markdown(text: object) -> SafeString:
    """Markdown as sanitised HTML: no raw HTML, no pictures; links are `noopener nofollow`."""
    return mark_safe(markup.to_html(str(text or "")))  # noqa: S308 - sanitised there


# --- the desk itself: for pages that must stand without a context ----------------------------------------------------
@register.simple_tag
def desk_name() -> str:
    """The name of this desk, from the settings."""
    return str(getattr(settings, "DESK_NAME", "supportdesk"))


@register.simple_tag
def emergency_number() -> str:
    """The number that is answered whatever happens, from the settings; empty when none is set."""
    return str(getattr(settings, "EMERGENCY_NUMBER", ""))

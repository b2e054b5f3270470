"""The page for programs: RSS, Atom, a calendar of maintenance, and a badge. All from what `board` says."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.template.loader import render_to_string
from django.utils.feedgenerator import Atom1Feed, Rss201rev2Feed, SyndicationFeed
from icalendar import Calendar, Event

from incidents.models import StatusPage
from incidents.status_pages import board
from incidents.status_pages.board import Said
from supportdesk import links

FORMS: dict[str, type[SyndicationFeed]] = {"rss": Rss201rev2Feed, "atom": Atom1Feed}
TYPES = {"rss": "application/rss+xml", "atom": "application/atom+xml"}
MOST_ENTRIES = 50
_BADGE_WORDS = {
    "operational": "operational",
    "degraded_performance": "degraded",
    "partial_outage": "partial outage",
    "major_outage": "major outage",
    "under_maintenance": "maintenance",
}
_BADGE_COLOURS = {
    "operational": "#1a7f47",
    "degraded_performance": "#9a6200",
    "partial_outage": "#b45309",
    "major_outage": "#b42318",
    "under_maintenance": "#2f5fb3",
}
_CHARACTER, _PADDING = 6.6, 10  # pixels of the badge's type


def syndicated(page: StatusPage, form: str) -> str:
    """What was posted, newest first, as `rss` or `atom`."""
    url = links.absolute("status:page", page.slug)
    feed = FORMS[form](
        title=page.name,
        link=url,
        description=f"Problems and planned maintenance of {page.name}",
        feed_url=links.absolute("status:feed", page.slug, form),
        language="en",
    )
    for notice in board.notices(page)[:MOST_ENTRIES]:
        dates = [update.at for update in notice.updates] or [notice.starts_at]
        feed.add_item(
            title=f"{notice.title} ({notice.word.lower()})",
            link=f"{url}#notice-{notice.pk}",
            description=_words(notice),
            unique_id=f"{url}#notice-{notice.pk}",
            unique_id_is_permalink=False,
            pubdate=min(dates),
            updateddate=max(dates),
            categories=notice.components,
        )
    return feed.writeString("utf-8")


def _words(notice: Said) -> str:
    said = [f"{update.at:%Y-%m-%d %H:%M} UTC, {update.word}: {update.text}" for update in notice.updates]
    return "\n\n".join(([f"Affects {', '.join(notice.components)}."] if notice.components else []) + said)


def calendar(page: StatusPage) -> bytes:
    """Planned maintenance as a calendar (RFC 5545)."""
    document = Calendar()
    document.add("prodid", f"-//{settings.DESK_NAME}//maintenance//EN")
    document.add("version", "2.0")
    document.add("method", "PUBLISH")
    document.add("x-wr-calname", f"Maintenance: {page.name}")
    for notice in board.notices(page):
        if notice.is_planned and notice.ends_at:
            document.add_component(_event(page, notice))
    return bytes(document.to_ical())


def _event(page: StatusPage, notice: Said) -> Event:
    event = Event()
    event.add("uid", f"maintenance-{notice.pk}@supportdesk")
    event.add("dtstamp", notice.updates[0].at if notice.updates else notice.starts_at)
    event.add("sequence", len(notice.updates))
    event.add("dtstart", notice.starts_at)
    # Called off before it began: nothing to stand still for.
    never = notice.ends_at is not None and notice.ends_at <= notice.starts_at
    event.add("dtend", notice.starts_at if never else notice.ends_at)
    event.add("status", "CANCELLED" if never else "CONFIRMED")
    event.add("summary", notice.title)
    event.add("description", _words(notice))
    event.add("url", links.absolute("status:page", page.slug))
    return event


def badge(said: dict[str, Any]) -> str:
    """A small picture of how the page stands, from `board.summary`."""
    word, label = _BADGE_WORDS[said["overall"]], said["name"][:40]
    left, right = (round(len(text) * _CHARACTER) + 2 * _PADDING for text in (label, word))
    return render_to_string(
        "statuspage/badge.svg",
        {
            "label": label,
            "word": word,
            "colour": _BADGE_COLOURS[said["overall"]],
            "left": left,
            "right": right,
            "width": left + right,
            "label_x": left / 2,
            "word_x": left + right / 2,
        },
    )

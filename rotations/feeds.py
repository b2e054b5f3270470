"""Shifts as a calendar other programs read: one secret address a person and a schedule (RFC 5545).

What a reader was told is kept, so that a shift that changes counts up, and one that is gone is cancelled instead of
silently missing. Times are in UTC.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.core import signing
from django.db import transaction
from icalendar import Calendar, Event

from rotations import oncall
from rotations.models import CalendarFeed, FeedEvent, Schedule
from rotations.resolution import Reason
from rotations.shifts import Shift
from supportdesk import links
from supportdesk.accounts.models import User

SALT = "rotations.feed"
BEFORE = timedelta(days=30)
AHEAD = timedelta(days=180)
_UID_LENGTH = 32


@dataclass(frozen=True, slots=True)
class Entry:
    """One shift as a calendar shows it. `uid` names the turn, whoever holds it and however it is cut."""

    uid: str
    start: datetime
    end: datetime
    summary: str


def address(feed: CalendarFeed) -> str:
    """The secret address of a feed: the same until it is renewed."""
    token = signing.Signer(salt=SALT).sign_object([feed.pk, feed.version], compress=False)
    return links.absolute("rota-feed", token)


def find(token: str) -> CalendarFeed | None:
    """The feed behind an address; None where it is forged, renewed, or its reader does not work here any more."""
    try:
        pk, version = signing.Signer(salt=SALT).unsign_object(token)
    except (signing.BadSignature, ValueError, TypeError):
        return None
    feed = CalendarFeed.objects.select_related("user", "schedule").filter(pk=pk, version=version).first()
    if feed is None or not feed.user.is_active or not feed.user.works_here:
        return None
    return feed


def calendar(feed: CalendarFeed, now: datetime) -> bytes:
    """The calendar as bytes; what changed since the last reading is written down on the way."""
    with transaction.atomic():
        CalendarFeed.objects.select_for_update().get(pk=feed.pk)
        events = _published(feed, entries(feed, now), now)
    document = Calendar()
    document.add("prodid", f"-//{settings.DESK_NAME}//on call//EN")
    document.add("version", "2.0")
    document.add("method", "PUBLISH")
    document.add("x-wr-calname", f"On call: {feed.schedule or feed.user.name}")
    document.add("refresh-interval", timedelta(hours=1), parameters={"VALUE": "DURATION"})
    document.add("x-published-ttl", timedelta(hours=1))
    for event in events:
        document.add_component(_component(event))
    return document.to_ical()


def entries(feed: CalendarFeed, now: datetime) -> list[Entry]:
    """The shifts a feed shows, from a month back to half a year ahead."""
    rows = [feed.schedule] if feed.schedule else list(Schedule.objects.order_by("pk"))
    found: list[Entry] = []
    for row, compiled in zip(rows, oncall.schedules(rows), strict=True):
        whole = [s for s in compiled.shifts(now - BEFORE, now + AHEAD).shifts if s.end < now + AHEAD]
        shown = [
            s
            for s in whole
            if s.reason is not Reason.FALLBACK and (feed.schedule is not None or s.person == str(feed.user_id))
        ]
        found += _named(row, shown, with_names=feed.schedule is not None)
    return sorted(found, key=lambda entry: (entry.start, entry.uid))


def _named(row: Schedule, shifts: list[Shift], *, with_names: bool) -> list[Entry]:
    people = {int(shift.person) for shift in shifts} if with_names else set()
    names = {str(pk): name for pk, name in User.objects.filter(pk__in=people).values_list("pk", "name")}
    seen: dict[str, int] = {}
    found = []
    for shift in shifts:
        turn = f"{row.pk}:{shift.slot}:{shift.layer or ''}:{shift.shift_start.isoformat()}:{shift.person}"
        seen[turn] = seen.get(turn, 0) + 1  # a turn an override cut in two is two events
        digest = hashlib.sha256(f"{turn}:{seen[turn]}".encode()).hexdigest()[:_UID_LENGTH]
        who = f"{names.get(shift.person, 'somebody')}: " if with_names else ""
        summary = f"{who}{'On call' if shift.slot == 'primary' else 'Backup'}, {row.name}"
        found.append(Entry(f"{digest}@supportdesk", shift.start, shift.end, summary[:250]))
    return found


def _published(feed: CalendarFeed, wanted: list[Entry], now: datetime) -> list[FeedEvent]:
    """Bring what is on record up to date: new, changed (counted up), gone (cancelled), back again."""
    known = {event.uid: event for event in feed.events.filter(end__gt=now - BEFORE)}
    fresh: list[FeedEvent] = []
    changed: list[FeedEvent] = []
    for entry in wanted:
        event = known.pop(entry.uid, None)
        if event is None:
            fresh.append(
                FeedEvent(
                    feed=feed, uid=entry.uid, start=entry.start, end=entry.end, summary=entry.summary, changed_at=now
                )
            )
        elif _is_news(event, entry, now):
            event.start, event.end, event.summary, event.is_cancelled = entry.start, entry.end, entry.summary, False
            changed.append(event)
    for event in known.values():
        if not event.is_cancelled and event.end > now:
            event.is_cancelled = True
            changed.append(event)
    for event in changed:
        event.sequence, event.changed_at = event.sequence + 1, now
    FeedEvent.objects.bulk_create(fresh, ignore_conflicts=True)
    FeedEvent.objects.bulk_update(changed, ["start", "end", "summary", "is_cancelled", "sequence", "changed_at"])
    feed.events.filter(end__lte=now - BEFORE).delete()
    return list(feed.events.order_by("start", "uid"))


def _is_news(event: FeedEvent, entry: Entry, now: datetime) -> bool:
    """Whether a reader has to be told; that the picture is cut a month back is no news."""
    starts = event.start != entry.start and entry.start > now - BEFORE
    return event.is_cancelled or starts or event.end != entry.end or event.summary != entry.summary


def _component(event: FeedEvent) -> Event:
    component = Event()
    component.add("uid", event.uid)
    component.add("dtstamp", event.changed_at)
    component.add("last-modified", event.changed_at)
    component.add("sequence", event.sequence)
    component.add("dtstart", event.start)
    component.add("dtend", event.end)
    component.add("summary", event.summary)
    component.add("status", "CANCELLED" if event.is_cancelled else "CONFIRMED")
    component.add("transp", "TRANSPARENT")
    return component

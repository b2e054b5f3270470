"""Shifts as a calendar: secret addresses, honest changes, cancelled shifts (RFC 5545)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from icalendar import Calendar

from rotations import actions, feeds
from rotations.models import CalendarFeed, Schedule


def who(person: Any) -> Any:
    return person.user.actor("console")


@pytest.fixture
def platform(world):
    return Schedule.objects.get(slug="platform")


def path(feed: CalendarFeed) -> str:
    return feeds.address(feed).removeprefix("http://testserver")


def events(feed: CalendarFeed) -> dict[str, Any]:
    response = Client().get(path(feed))
    assert response.status_code == 200
    assert response["Content-Type"].startswith("text/calendar")
    return {str(e["UID"]): e for e in Calendar.from_ical(response.content).walk("VEVENT")}


def test_my_shifts_in_utc_with_names_that_stay(world, platform, bob):
    feed = actions.open_feed(actor=who(bob))
    first = events(feed)
    assert first
    for event in first.values():
        assert event["DTSTART"].dt.utcoffset() == timedelta(0)
        assert event["DTSTART"].to_ical().endswith(b"Z")
        assert event["DTEND"].dt > event["DTSTART"].dt
        assert (event["SEQUENCE"], str(event["STATUS"])) == (0, "CONFIRMED")
    now = [e for e in first.values() if e["DTSTART"].dt <= world.now < e["DTEND"].dt]
    assert [str(e["SUMMARY"]) for e in now] == ["On call, Platform, follow the sun"]
    world.advance(hours=30)
    again = events(feed)
    assert all(again[uid]["SEQUENCE"] == 0 for uid in set(first) & set(again))
    assert len(set(first) & set(again)) > 0.9 * len(first)


def test_a_shift_that_is_given_away_is_cancelled_and_one_that_changes_counts_up(world, platform, bob, carol, dana):
    bobs, carols = (actions.open_feed(actor=who(person)) for person in (bob, carol))
    before, theirs = events(bobs), events(carols)
    uid, shift = min(
        ((u, e) for u, e in before.items() if e["DTSTART"].dt > world.now and str(e["SUMMARY"]).startswith("On call")),
        key=lambda pair: pair[1]["DTSTART"].dt,
    )
    start, end = shift["DTSTART"].dt, shift["DTEND"].dt
    made = actions.create_override(
        platform.pk, actor=who(dana), user_id=carol.user.pk, start=start, end=end, force="agreed with both of them"
    ).row
    after = events(bobs)
    assert (str(after[uid]["STATUS"]), after[uid]["SEQUENCE"]) == ("CANCELLED", 1)
    fresh = set(events(carols)) - set(theirs)
    assert any(events(carols)[u]["DTSTART"].dt == start for u in fresh)
    actions.cancel_override(made.pk, actor=who(dana))
    back = events(bobs)[uid]
    assert (str(back["STATUS"]), back["SEQUENCE"]) == ("CONFIRMED", 2)
    actions.create_override(
        platform.pk, actor=who(dana), user_id=carol.user.pk, start=end - timedelta(hours=2), end=end,
        force="agreed with both of them",
    )  # fmt: skip
    shorter = events(bobs)[uid]
    assert (shorter["DTEND"].dt, shorter["SEQUENCE"]) == (end - timedelta(hours=2), 3)


def test_a_schedule_with_everybodys_names(world, platform, bob):
    feed = actions.open_feed(actor=who(bob), schedule_id=platform.pk)
    said = {str(event["SUMMARY"]) for event in events(feed).values()}
    assert {"Bob Novak: On call, Platform, follow the sun", "Carol Jensen: Backup, Platform, follow the sun"} <= said


def test_the_address_is_a_secret_that_can_be_renewed(world, bob, carol):
    feed = actions.open_feed(actor=who(bob))
    old = path(feed)
    assert actions.open_feed(actor=who(bob)) == feed
    actions.renew_feed(actor=who(bob))
    assert Client().get(old).status_code == 404
    feed.refresh_from_db()
    assert path(feed) != old
    assert Client().get(path(feed)).status_code == 200
    assert Client().get("/calendar/forged:token/on-call.ics").status_code == 404
    assert Client().get(path(feed).replace("/on-call.ics", "x/on-call.ics")).status_code == 404


def test_who_left_or_never_worked_here_reads_nothing(world, bob, alice):
    feed = actions.open_feed(actor=who(bob))
    bob.user.is_active = False
    bob.user.save()
    assert Client().get(path(feed)).status_code == 404
    assert alice.client.get("/console/on-call/mine/").status_code == 404


def test_my_page_shows_the_address(world, bob):
    bob.reads("/console/on-call/mine/")
    feed = CalendarFeed.objects.get(user=bob.user, schedule=None)
    assert feeds.address(feed).encode() in bob.client.get("/console/on-call/mine/").content

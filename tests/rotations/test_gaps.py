"""A hole in the rota that opens within three days rings whoever answers for it, once (§4.2)."""

from __future__ import annotations

from datetime import time, timedelta
from typing import Any

import pytest

from rotations import actions, gaps
from rotations.models import GapPage, Layer, PolicyRule, Schedule
from supportdesk.accounts.models import ContactMethod, User
from supportdesk.audit.models import AuditEntry
from supportdesk.queue.models import Delivery

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def platform(world: Any) -> Schedule:
    return Schedule.objects.get(slug="platform")


def nobody_in(site: str, schedule: Schedule) -> None:
    Layer.objects.get(name=site).delete()
    schedule.touch()


def told(schedule: Schedule) -> list[Delivery]:
    return list(Delivery.objects.filter(subject=schedule.subject, kind=gaps.KIND).order_by("planned_at", "pk"))


def test_dana_is_rung_because_nobody_is_on_call_tonight(world: Any, platform: Schedule, dana: Any) -> None:
    nobody_in("AMER", platform)
    world.advance(seconds=10)
    assert {row.vendor for row in told(platform)} == {"slack", "sms", "email", "phone"}
    assert all(row.lane == "page" and row.is_urgent and row.recipient == "Dana Petrova" for row in told(platform))
    (text,) = dana.phone.texts
    assert "nobody is on call from Sun 29 Nov 2026, 18:00 CET" in text.body
    assert "and 2 more times in three days" in text.body
    world.advance(minutes=3)
    (call,) = dana.phone.calls  # once: there is nothing to acknowledge
    assert "Please put somebody on duty" in call.words
    assert AuditEntry.objects.filter(verb="page_for_gap", subject=platform.subject).exists()


def test_the_same_hole_rings_once_and_another_one_again(world: Any, platform: Schedule, dana: Any) -> None:
    nobody_in("AMER", platform)
    world.advance(minutes=5)
    before = len(told(platform))
    first = {(page.start, page.end) for page in GapPage.objects.all()}
    platform.touch()
    Layer.objects.get(name="EMEA").save()
    world.advance(minutes=5)
    assert len(told(platform)) == before
    world.advance(days=1)  # the night looks again: the hole of the day that comes into sight is another one
    later = {(page.start, page.end) for page in GapPage.objects.filter(start__gt=max(start for start, _ in first))}
    assert len(later) == 1
    assert len(told(platform)) > before


def test_a_hole_that_is_closed_and_opens_again_rings_again(world: Any, platform: Schedule, dana: Any, bob: Any) -> None:
    nobody_in("AMER", platform)
    world.advance(minutes=5)
    (tonight,) = GapPage.objects.order_by("start")[:1]
    made = actions.create_override(
        platform.pk, actor=dana.user.actor("console"), user_id=bob.user.pk, start=tonight.start,
        end=tonight.end or tonight.start + DAY, force="Bob agreed; New York is away.",
    )  # fmt: skip
    world.advance(minutes=1)
    assert not GapPage.objects.filter(start=tonight.start).exists()
    before = len(told(platform))
    actions.cancel_override(made.row.pk, actor=dana.user.actor("console"))
    world.advance(minutes=1)
    assert GapPage.objects.filter(start=tonight.start).exists()
    assert len(told(platform)) == before + 4


def test_a_hole_further_off_rings_nobody(world: Any, platform: Schedule, dana: Any, erin: Any, frank: Any) -> None:
    start = world.now + 5 * DAY
    for person in (erin, frank):
        actions.ask_leave(actor=person.user.actor("console"), start=start, end=start + DAY, kind="sick")
    world.advance(minutes=5)
    assert not told(platform)
    world.advance(days=3)
    assert told(platform)


def test_a_desk_that_promised_nobody_these_hours_is_not_short_of_people(world: Any, platform: Schedule) -> None:
    PolicyRule.objects.filter(policy__schedule=platform, severity__in=("P1", "P2"), plan=None).delete()
    Schedule.objects.create(name="Empty", slug="empty").touch()
    nobody_in("AMER", platform)
    world.advance(minutes=5)
    assert not Delivery.objects.filter(kind=gaps.KIND, subject=Schedule.objects.get(slug="empty").subject).exists()


def test_where_the_manager_cannot_be_reached_somebody_stands_in(world: Any, platform: Schedule, carol: Any) -> None:
    Schedule.objects.filter(pk=platform.pk).update(manager=world.people["ken"].user, fallback=carol.user)
    ContactMethod.objects.filter(user=world.people["ken"].user).update(disabled_at=world.now)
    nobody_in("AMER", platform)
    world.advance(seconds=10)
    assert {row.recipient for row in told(platform)} == {"Carol Jensen"}


@pytest.mark.parametrize(("site", "waits"), [("AMER", False), ("APAC", True)])  # in 9 hours, and in 16
def test_a_hole_that_leaves_time_lets_the_manager_sleep(
    world: Any, platform: Schedule, dana: Any, site: str, waits: bool
) -> None:
    User.objects.filter(pk=dana.user.pk).update(quiet_from=time(9), quiet_until=time(10))  # it is 09:10 in Berlin
    nobody_in(site, platform)
    world.advance(seconds=10)
    assert min(row.planned_at for row in told(platform)) == (
        world.now.replace(minute=0, second=0) + HOUR if waits else world.now
    )
    assert dana.phone.buzzed() is not waits
    world.advance(hours=1)
    assert dana.phone.buzzed()

"""Whoever cannot be on duty any more, or can again: their schedules are looked at anew, whatever door it came by."""

from __future__ import annotations

from typing import Any

import pytest

from incidents.models import Page
from rotations import oncall
from rotations.models import Schedule


@pytest.fixture
def platform(world: Any) -> Schedule:
    return Schedule.objects.get(slug="platform")


def stamp(schedule: Schedule) -> Any:
    schedule.refresh_from_db()
    return schedule.stamp


def test_a_switched_off_account_is_off_the_rota_at_once(world: Any, platform: Any, bob: Any, carol: Any) -> None:
    assert oncall.schedule(platform).who(world.now).primary == str(bob.user.pk)
    bob.user.is_active = False
    bob.user.save()
    platform.refresh_from_db()
    assert oncall.schedule(platform).who(world.now).primary == str(carol.user.pk)
    bob.user.is_active = True
    bob.user.save(update_fields=["is_active"])
    platform.refresh_from_db()
    assert oncall.schedule(platform).who(world.now).primary == str(bob.user.pk)


def test_while_it_rings_whoever_is_next_is_rung(world: Any, alice: Any, bob: Any, carol: Any) -> None:
    """ESC-5."""
    alice.reports("Checkout is down")
    world.advance(minutes=1)
    assert not Page.objects.filter(user=carol.user).exists()
    bob.user.is_active = False
    bob.user.save()
    world.settle()
    assert [page.reason for page in Page.objects.filter(user=carol.user)] == ["shift_change"]


def test_the_last_way_to_reach_somebody(world: Any, platform: Any, bob: Any) -> None:
    methods = list(bob.user.contact_methods.all())
    before = stamp(platform)
    for method in methods[:-1]:
        method.disabled_at = world.now
        method.save()
    assert stamp(platform) == before
    methods[-1].disabled_at = world.now
    methods[-1].save()
    after = stamp(platform)
    assert after != before
    methods[0].disabled_at = None
    methods[0].save()
    assert stamp(platform) not in (before, after)


def test_what_is_nobodys_business_but_theirs_touches_nothing(world: Any, platform: Any, bob: Any) -> None:
    before = stamp(platform)
    bob.user.name = "Bob N."
    bob.user.save()
    bob.user.theme = "dark"
    bob.user.save(update_fields=["theme"])
    assert stamp(platform) == before

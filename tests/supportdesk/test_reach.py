"""How one person is reached within one page (ESC-14)."""

from __future__ import annotations

from datetime import timedelta

from supportdesk.accounts.models import PageRule
from supportdesk.accounts.reach import Attempt, Method, chain

PHONE, SMS, SLACK, MAIL = Method("phone", "+1"), Method("sms", "+1"), Method("slack", "U1"), Method("email", "a@b")


def _seconds(attempts):
    return [(a.method.kind, int(a.after.total_seconds())) for a in attempts]


def test_silent_ways_first_then_the_phone_after_one_and_two_minutes():
    assert _seconds(chain([PHONE, MAIL, SMS, SLACK], important=True)) == [
        ("slack", 0),
        ("sms", 0),
        ("email", 0),
        ("phone", 60),
        ("phone", 120),
    ]


def test_nothing_rings_for_what_is_not_important():
    assert _seconds(chain([PHONE, SMS], important=False)) == [("sms", 0)]


def test_somebody_with_only_a_phone_is_called_at_once():
    assert _seconds(chain([PHONE], important=True)) == [("phone", 0), ("phone", 60)]


def test_nobody_is_reached_by_nothing():
    assert chain([], important=True) == ()


def test_a_persons_own_rules_win():
    own = [Attempt(SMS, timedelta(seconds=30)), Attempt(PHONE, timedelta(0))]
    assert _seconds(chain([PHONE, SMS, SLACK], important=True, rules=own)) == [("phone", 0), ("sms", 30)]


def test_bob_wants_to_be_called_at_once(world, alice, bob):
    phone = bob.user.contact_methods.get(kind="phone")
    PageRule.objects.create(user=bob.user, importance="important", method=phone, after_seconds=0)
    alice.reports("Checkout is down")
    assert bob.phone.rang()
    assert not bob.phone.buzzed()


def test_a_rule_for_a_method_that_is_gone_leaves_the_default_chain(world, alice, bob):
    phone = bob.user.contact_methods.get(kind="phone")
    PageRule.objects.create(user=bob.user, importance="important", method=phone, after_seconds=0)
    bob.user.contact_methods.filter(kind="phone").update(disabled_at=world.now)
    alice.reports("Checkout is down")
    assert bob.phone.buzzed()

"""One bad vendor holds up nobody else: breakers, budgets, storms that ring once (reliability F20, F21, F25, F26)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from incidents.models import Incident
from supportdesk.integrations import breaker, budget
from supportdesk.integrations.base import IntegrationError
from supportdesk.integrations.breaker import Breaker
from supportdesk.integrations.budget import Budget
from supportdesk.integrations.calls import VendorCall
from supportdesk.integrations.models import Connection
from supportdesk.queue import outbox, storms
from supportdesk.queue.admission import PutOff
from supportdesk.queue.models import Delivery

LEASE = timedelta(seconds=12)
DOWN = IntegrationError("no answer", ambiguous=True)


@pytest.fixture
def slack(world):
    return Connection.objects.get(vendor="slack")


def look(line, **more):
    return breaker.look(line.pk, key="", is_urgent=True, lease=LEASE, **more)


def break_it(line):
    for _ in range(breaker.OPENS_AFTER):
        breaker.note_failure(line.pk, DOWN)


def test_five_failures_in_a_row_open_the_breaker_and_one_call_tries_after_the_pause(world, slack):
    for _ in range(4):
        breaker.note_failure(slack.pk, DOWN)
    assert look(slack).may_call
    breaker.note_failure(slack.pk, DOWN)
    assert not look(slack).may_call
    assert look(slack).is_broken
    world.stand_still_until(world.now + timedelta(seconds=11))
    assert look(slack).may_call  # this one tries
    assert not look(slack).may_call  # the others wait for it
    breaker.note_success(slack.pk)
    assert look(slack).may_call
    assert Breaker.objects.get(connection=slack).failures == 0


def test_the_pause_grows_with_every_try_that_fails_up_to_two_minutes(world, slack):
    waits = []
    for _ in range(9):
        breaker.note_failure(slack.pk, DOWN)
        row = Breaker.objects.get(connection=slack)
        waits.append((row.open_until - world.now).total_seconds() if row.open_until else 0)
    assert waits == [0, 0, 0, 0, 10, 20, 40, 80, 120]


def test_what_is_refused_for_good_says_nothing_about_the_vendor(world, slack):
    for _ in range(20):
        breaker.note_failure(slack.pk, IntegrationError("no such channel", permanent=True))
    assert look(slack).may_call


def test_a_vendor_that_asks_to_wait_holds_back_messages_and_no_page(world, slack):
    breaker.note_failure(slack.pk, IntegrationError("429", retry_after=3600.0))
    state = look(slack)
    assert not state.may_call
    assert not state.is_broken
    assert state.until == world.now + timedelta(seconds=breaker.LONGEST_ASKED)


def test_two_slow_calls_of_a_vendor_are_enough(world, slack):
    soon = world.now + LEASE - timedelta(seconds=5)
    for number in range(2):
        Delivery.objects.create(
            key=f"hangs:{number}", connection=slack, vendor="slack", kind="page", subject="x", to="U", is_urgent=True,
            planned_at=world.now, due_at=world.now, state="sending", lease_until=soon,
        )  # fmt: skip
    assert look(slack).is_broken


def test_a_page_over_a_broken_line_takes_the_next_way_at_once(world, fakes, alice, bob, slack):
    """F20: nobody waits for the one that hangs, and the telephone does not wait its minute."""
    break_it(slack)
    alice.reports("Checkout is down")
    assert fakes.slack.to(bob.slack) == []
    assert bob.phone.buzzed()
    assert bob.phone.rang()
    row = Delivery.objects.get(kind="page", vendor="slack", recipient=bob.user.name)
    assert (row.state, row.attempts) == ("pending", 1)
    assert "failed 5 times in a row" in row.error


def test_a_message_over_a_broken_line_waits_and_loses_no_try(world, fakes, alice, slack):
    break_it(slack)
    alice.reports("Checkout is down")
    row = Delivery.objects.filter(kind="received", vendor="slack").get()
    assert (row.state, row.attempts, row.due_at) == ("pending", 0, world.now + timedelta(seconds=10))
    world.advance(seconds=60)
    row.refresh_from_db()
    assert row.state == "sent"


def test_every_call_leaves_a_row_with_what_it_took(world, fakes, alice):
    fakes.sms.next(status=503, headers={"Retry-After": "2"}, body={"code": 1, "message": "busy", "status": 503})
    alice.reports("Checkout is down")
    outcomes = set(VendorCall.objects.filter(vendor="sms").values_list("outcome", flat=True))
    assert "asked_to_wait" in outcomes
    slack_call = VendorCall.objects.filter(vendor="slack", lane="page").first()
    assert (slack_call.outcome, slack_call.due_to_claimed) == ("ok", 0.0)
    assert slack_call.seconds > 0


# --- budgets ---------------------------------------------------------------------------------------------------------


def test_messages_leave_half_of_the_bucket_to_pages(world, slack):
    """S19: ten thousand notices do not use up what pages need."""
    taken = 0
    while budget.take(slack.pk, 20, is_urgent=False) is None:
        taken += 1
    assert taken == 10
    pages = 0
    while budget.take(slack.pk, 20, is_urgent=True) is None:
        pages += 1
    assert pages == 10


def test_the_first_page_goes_out_whatever_the_bucket_says(world, slack):
    while budget.take(slack.pk, 6, is_urgent=True) is None:
        pass
    assert budget.take(slack.pk, 6, is_urgent=True, is_first_page=True) is None
    assert Budget.objects.get(connection=slack).left < 0


def test_a_bucket_fills_again_and_says_when(world, slack):
    while (later := budget.take(slack.pk, 60, is_urgent=True)) is None:
        pass
    assert later == pytest.approx(world.now + timedelta(seconds=1), abs=timedelta(milliseconds=50))
    world.stand_still_until(later + timedelta(milliseconds=1))
    assert budget.take(slack.pk, 60, is_urgent=True) is None


def test_a_vendor_that_never_says_no_has_no_bucket(world, slack):
    assert budget.take(slack.pk, 0, is_urgent=False) is None
    assert not Budget.objects.exists()


# --- storms ----------------------------------------------------------------------------------------------------------


def test_a_storm_texts_every_first_page_alone_then_one_call_names_many_and_one_key_takes_them(world, alice, bob):
    """F25: everything is seen at once; the telephone rings for several incidents together."""
    for number in range(7):
        alice.reports(f"Outage number {number}")
    texts = Delivery.objects.filter(kind="page", vendor="sms", to=bob.phone.number, state="sent")
    assert [f"Outage number {n} (" in row.rendered["text"] for n, row in enumerate(texts.order_by("pk"))] == [True] * 7
    world.advance(seconds=60)
    while "incidents need you" not in bob.phone.calls[-1].words:
        world.advance(seconds=30)
    assert len(bob.phone.calls) < 12
    assert "more. Paging has stopped" in bob.presses("4")
    assert Incident.objects.filter(acknowledged_by=bob.user).count() > 1


def test_outside_a_storm_every_call_is_about_one_incident(world, alice, bob):
    alice.reports("Checkout is down")
    world.advance(minutes=2, seconds=5)
    assert bob.phone.calls
    assert all("incidents need you" not in call.words for call in bob.phone.calls)


@pytest.fixture
def call(world):
    """Makes a call to one number: `call("sent", ago=30)`, `call("sending")`, `call("pending")`."""
    line = Connection.objects.get(vendor="phone")

    def make(state, *, ago=0, first_page=False):
        at = world.now - timedelta(seconds=ago)
        number = Delivery.objects.count()
        return Delivery.objects.create(
            key=f"call:{number}", connection=line, vendor="phone", kind="page", subject=f"incident:{number}",
            to="+4915112345699", is_urgent=True, lane="page", planned_at=at, due_at=at, state=state, attempts=1,
            sent_at=at if state == "sent" else None,
            facts={"ref": f"INC-{number}", "severity": "P1", "title": "x", "first_page": first_page, "drill": False},
        )  # fmt: skip

    return make


def test_in_a_storm_calls_are_ninety_seconds_apart(world, call):
    """Ten in a quarter of an hour, after the five that made it a storm."""
    for ago in (200, 150, 100, 60, 30):
        call("sent", ago=ago)
    with pytest.raises(PutOff) as later:
        storms.gather(call("sending"), LEASE)
    assert later.value.until == world.now + timedelta(seconds=60)
    world.stand_still_until(later.value.until)
    waiting = [call("pending", ago=5) for _ in range(3)]
    assert storms.gather(call("sending"), LEASE) == waiting


def test_four_calls_in_five_minutes_are_no_storm(world, call):
    for ago in (400, 200, 150, 60, 30):
        call("sent", ago=ago)
    call("pending", ago=5)
    assert storms.gather(call("sending"), LEASE) == []


def test_the_first_page_of_an_incident_is_never_gathered_and_never_waits(world, call):
    for ago in (50, 40, 30, 20, 10):
        call("sent", ago=ago)
    first = call("pending", ago=5, first_page=True)
    assert storms.gather(call("sending", first_page=True), LEASE) == []
    world.stand_still_until(world.now + timedelta(seconds=90))
    assert first not in storms.gather(call("sending"), LEASE)


def test_gathered_pages_are_given_back_when_the_call_fails(world, fakes, call):
    for ago in (290, 280, 270, 260, 250):
        call("sent", ago=ago)
    one, two = call("pending"), call("pending")
    fakes.phone.next(status=500)
    outbox.deliver(one.key)
    one.refresh_from_db()
    two.refresh_from_db()
    assert (one.state, two.state) == ("pending", "pending")
    assert one.attempts == two.attempts == 2

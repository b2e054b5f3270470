"""The clock: leases by how long they were seen, lost tasks offered again, urgent work done by itself."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from supportdesk import instants
from supportdesk.queue import clock
from supportdesk.queue.leases import Leases
from supportdesk.queue.models import Delivery, Timer

NOON = datetime(2026, 11, 29, 12, 0, tzinfo=UTC)
LEASE = timedelta(seconds=15)


@pytest.fixture
def seconds(monkeypatch):
    """A monotonic clock to turn by hand."""
    at = [1000.0]
    monkeypatch.setattr("supportdesk.queue.leases.monotonic", lambda: at[0])

    def pass_by(length: float) -> None:
        at[0] += length

    return pass_by


def test_a_lease_is_over_when_it_was_seen_for_so_long(seconds):
    leases, held = Leases(LEASE), [(1, 1, NOON + LEASE)]
    assert leases.over(held, NOON) == []
    seconds(14.9)
    assert leases.over(held, NOON + timedelta(seconds=14.9)) == []
    seconds(0.2)
    assert leases.over(held, NOON + LEASE) == [(1, 1)]


def test_a_clock_that_jumps_ahead_ends_no_lease(seconds):
    leases, held = Leases(LEASE), [(1, 1, NOON + LEASE)]
    leases.over(held, NOON)
    seconds(1)
    assert leases.over(held, NOON + timedelta(hours=2)) == []


def test_a_clock_that_jumps_back_stretches_none(seconds):
    leases, held = Leases(LEASE), [(1, 1, NOON + LEASE)]
    assert leases.over(held, NOON - timedelta(hours=2)) == []
    seconds(15)
    assert leases.over(held, NOON - timedelta(hours=2)) == [(1, 1)]


def test_the_next_attempt_has_a_lease_of_its_own(seconds):
    leases = Leases(LEASE)
    leases.over([(1, 1, NOON + LEASE)], NOON)
    seconds(15)
    assert leases.over([(1, 2, NOON + 2 * LEASE)], NOON + LEASE) == []


def test_hands_are_bounded_and_not_all_with_one_vendor():
    begun: list[object] = []
    hands = clock.Hands(begun.append)
    taken = [hands.do(f"slack-{number}", "slack", lambda: None) for number in range(5)]
    assert taken == [True] * clock.MOST_WITH_ONE_VENDOR + [False] * 2
    assert hands.do("call", "phone", lambda: None)
    assert not hands.do("call", "phone", lambda: None)  # it is being done


def test_hands_are_free_again_even_when_the_work_fails():
    def failing() -> None:
        raise ValueError

    def tolerant(job) -> None:
        with pytest.raises(ValueError):
            job()

    hands = clock.Hands(tolerant)
    assert hands.do("call", "phone", failing)
    assert hands.do("call", "phone", failing)


def test_a_page_no_worker_takes_is_sent_by_the_clock(world, alice, bob):
    alice.post("/portal/report/", {"title": "Checkout is down", "impact": 1, "urgency": 1})
    assert not bob.is_paged  # nobody works in the page cluster
    instants.freeze(world.now + clock.PATIENCE + timedelta(seconds=0.1))
    view = clock.look()
    clock.sweep(view.now, clock.Watch(), clock.Hands(lambda job: job()))
    assert bob.is_paged
    world.settle()
    assert len(bob.phone.texts) == 1  # the task comes later, and finds nothing to do


def test_a_row_whose_task_is_lost_is_offered_again(world, alice, bob):
    alice.post("/portal/report/", {"title": "Checkout is down", "impact": 1, "urgency": 1})
    lose_every_task()
    assert not bob.is_paged
    instants.freeze(world.now + clock.OFFER_AGAIN + timedelta(seconds=1))
    world.settle()
    assert bob.is_paged


def lose_every_task() -> None:
    from django_q.models import OrmQ

    assert OrmQ.objects.all().delete()[0] > 0


def test_a_delivery_whose_worker_dies_is_sent_again_and_has_failed_after_three(world, alice, bob):
    alice.post("/portal/report/", {"title": "Checkout is down", "impact": 1, "urgency": 1})
    page = Delivery.objects.filter(kind="page", vendor="sms").earliest("pk")
    lose_every_task()
    for death in range(1, 4):
        Delivery.objects.filter(pk=page.pk).update(
            state=Delivery.State.SENDING, attempts=death, lease_until=world.now + timedelta(seconds=12)
        )
        clock.tick()
        instants.freeze(world.now + timedelta(seconds=13))
        assert clock.tick()
        page.refresh_from_db()
        assert page.state == (Delivery.State.PENDING if death < 3 else Delivery.State.FAILED)
    assert page.error == "the worker went away while sending"
    assert Timer.objects.filter(key=f"settled:{page.key}:failed").exists()  # whoever posted it hears of it

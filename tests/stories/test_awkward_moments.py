"""Two things in the same second, the second press, the press from next door, a night with an hour too many."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import connections

from incidents import actions
from incidents.models import Breach, Incident, Page
from incidents.states import Status
from rotations.models import Layer, Override, Schedule
from supportdesk.actors import desk as the_desk
from supportdesk.errors import DeskError
from supportdesk.queue.models import Delivery
from tests.cast import World
from tests.fakes import Fakes

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.fixture
def p1(alice: Any) -> Incident:
    made: Incident = alice.reports("Checkout is down")
    return made


@pytest.fixture
def resolved(world: Any, bob: Any, p1: Incident) -> Incident:
    bob.acknowledges()
    world.advance(minutes=4)
    bob.presses_button("resolve", p1, summary="The certificate is renewed.")
    p1.refresh_from_db()
    return p1


def _clock(incident: Incident, kind: str = "next_update") -> Any:
    return incident.clocks.filter(kind=kind).latest("cycle")


# --- in the second of the miss --------------------------------------------------------------------------------------
def test_an_update_in_the_second_it_is_due_is_in_time_and_wakes_nobody(world: Any, bob: Any, p1: Incident) -> None:
    bob.acknowledges()
    bob.presses_button("update", p1, state="Orders fail.", doing="We look for the cause.")
    due = _clock(p1).due_at
    world.until(due - timedelta(seconds=1))
    paged = Page.objects.filter(incident=p1).count()
    world.stand_still_until(due)
    actions.post_update(p1.pk, actor=bob.user.actor("console"), state="Half of it works.", doing="We go on.")
    world.settle()
    world.advance(seconds=10)
    assert not Breach.objects.filter(incident=p1, kind="next_update").exists()
    assert Page.objects.filter(incident=p1).count() == paged
    assert _clock(p1).due_at == due + timedelta(minutes=15)


def test_an_update_a_second_after_it_was_due_is_a_miss_also_where_the_clock_had_not_noticed_yet(
    world: Any, alice: Any, bob: Any, p1: Incident
) -> None:
    """The desk stood still over the due: what is written before anything ticked cannot make it unsaid."""
    bob.acknowledges()
    bob.presses_button("update", p1, state="Orders fail.", doing="We look for the cause.")
    due = _clock(p1).due_at
    world.until(due - timedelta(seconds=1))
    world.stand_still_until(due + timedelta(seconds=1))
    actions.post_update(p1.pk, actor=bob.user.actor("console"), state="Half of it works.", doing="We go on.")
    world.settle()
    missed = Breach.objects.get(incident=p1, kind="next_update")
    assert missed.due_at == due
    assert not Page.objects.filter(incident=p1, reason="update_late").exists(), "there is nothing left to wake for"
    world.advance(minutes=14)
    assert Breach.objects.filter(incident=p1, kind="next_update").count() == 1


def test_lowered_while_an_update_is_overdue_the_miss_stays_and_the_longer_interval_counts_from_now_on(
    world: Any, bob: Any, p1: Incident
) -> None:
    bob.acknowledges()
    bob.presses_button("update", p1, state="Orders fail.", doing="We look for the cause.")
    due = _clock(p1).due_at
    world.until(due + timedelta(minutes=2))
    assert Breach.objects.filter(incident=p1, kind="next_update", due_at=due).exists()
    bob.presses_button("severity", p1, severity="P2", reason="the spare line works", code="workaround")
    missed = list(Breach.objects.filter(incident=p1, kind="next_update").values_list("due_at", flat=True))
    assert missed == [due], "what was missed as a P1 was missed"
    world.advance(minutes=20)
    assert Breach.objects.filter(incident=p1, kind="next_update").count() == 1, "a P2 hears less often"
    assert _clock(p1).due_at > due + timedelta(minutes=17)


def test_with_nobody_on_call_at_all_a_late_update_still_reaches_a_person(world: Any, alice: Any, dana: Any) -> None:
    """No shift, no backup: the miss is recorded, the duty manager is called, and nobody is said to be paged who was
    not."""
    Override.objects.all().delete()
    Layer.objects.all().delete()
    for schedule in Schedule.objects.all():
        schedule.touch()
    p1 = alice.reports("Checkout is down")
    calls = len(dana.phone.calls) + len(dana.phone.texts)
    world.advance(minutes=16)
    assert Breach.objects.filter(incident=p1, kind="next_update").exists()
    assert world.timeline("nobody_on_call")
    late = Page.objects.filter(incident=p1, reason__in=("breach", "update_late"))
    assert {page.user for page in late} == {dana.user}
    assert len(dana.phone.calls) + len(dana.phone.texts) > calls


# --- at the same time -----------------------------------------------------------------------------------------------
def _together(*presses: Callable[[], Any]) -> list[Any]:
    """All of them at once, each in a connection of its own; what each came to."""
    start = Barrier(len(presses))

    def press(one: Callable[[], Any]) -> Any:
        start.wait(10)
        try:
            return one()
        except DeskError as refusal:
            return refusal
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(presses)) as pool:
        return list(pool.map(press, presses))


@pytest.mark.django_db(transaction=True)
def test_two_acknowledge_two_resolve_and_two_confirm_at_once(
    transactional_db: None, fakes: Fakes, settings: Any, moved_clock: None
) -> None:
    settings.EMERGENCY_NUMBER = "+4930555000"
    world = World(fakes, vendors=("sms",))
    alice, bob, carol = (world.people[name] for name in ("alice", "bob", "carol"))
    p1 = alice.reports("Checkout is down")
    first, second = bob.user.actor("console"), carol.user.actor("console")
    _together(*(lambda who=who: actions.acknowledge(p1.pk, actor=who) for who in (first, second)))
    world.settle()
    p1.refresh_from_db()
    assert p1.acknowledged_by in (bob.user, carol.user)
    assert p1.timeline.filter(kind="acknowledged").count() == 1, "one of them has it, the other is told so"
    _together(
        *(lambda who=who: actions.resolve(p1.pk, actor=who, summary="It works again.") for who in (first, second))
    )
    world.settle()
    p1.refresh_from_db()
    assert (p1.status, p1.timeline.filter(kind="resolved").count()) == (Status.RESOLVED, 1)
    customer = alice.user.actor("portal")
    _together(
        lambda: actions.confirm(p1.pk, actor=customer),
        lambda: actions.confirm(p1.pk, actor=customer),
        lambda: actions.auto_confirm(p1.pk, actor=the_desk("timer"), generation=p1.generation),
    )
    world.settle()
    p1.refresh_from_db()
    assert (p1.status, p1.timeline.filter(kind="confirmed").count()) == (Status.FOLLOW_UP, 1)
    world.assert_healthy()


@pytest.mark.django_db(transaction=True)
def test_confirmed_and_reopened_at_once_it_is_never_both(
    transactional_db: None, fakes: Fakes, settings: Any, moved_clock: None
) -> None:
    """Two people of one customer disagree in the same second: whoever says that it fails is heard."""
    settings.EMERGENCY_NUMBER = "+4930555000"
    world = World(fakes, vendors=("sms",))
    alice, bob = world.people["alice"], world.people["bob"]
    p1 = alice.reports("Checkout is down")
    actions.resolve(p1.pk, actor=bob.user.actor("console"), summary="It works again.")
    world.settle()
    customer = alice.user.actor("portal")
    _together(
        lambda: actions.confirm(p1.pk, actor=customer),
        lambda: actions.reopen(p1.pk, actor=customer, reason="It fails for half of our shops."),
    )
    world.settle()
    p1.refresh_from_db()
    assert (p1.status, p1.confirmed_at, p1.reopen_count) == (Status.INVESTIGATING, None, 1)
    assert _clock(p1, "resolution").state == "running"
    world.assert_healthy()


# --- confirmation ---------------------------------------------------------------------------------------------------
def test_the_second_press_on_works_for_me_is_no_second_confirmation(
    world: Any, alice: Any, bob: Any, resolved: Incident
) -> None:
    alice.confirms(resolved)
    letters = Delivery.objects.filter(kind="confirmed").count()
    alice.confirms(resolved)
    assert resolved.timeline.filter(kind="confirmed").count() == 1
    assert Delivery.objects.filter(kind="confirmed").count() == letters


def test_the_link_to_confirm_is_worth_nothing_to_another_customer(
    world: Any, mallory: Any, alice: Any, resolved: Incident
) -> None:
    presses = {"confirm": {}, "reopen": {"reason": "x"}, "rate": {"score": "1"}, "message": {"text": "x"}}
    for verb, said in presses.items():
        answer = mallory.client.post(f"/portal/incidents/{resolved.pk}/{verb}/", said)
        assert answer.status_code == 404, verb
    mallory.reads(f"/portal/incidents/{resolved.pk}/", expect=404)
    resolved.refresh_from_db()
    assert resolved.status == Status.RESOLVED
    assert resolved.timeline.latest("pk").kind != "confirmed"


@pytest.mark.parametrize(
    ("at", "hours"),
    [(datetime(2026, 10, 23, 9, 10, tzinfo=UTC), -1), (datetime(2027, 3, 26, 9, 10, tzinfo=UTC), 1)],
    ids=["an hour too many", "an hour too few"],
)
def test_seventy_two_hours_are_seventy_two_hours_over_a_change_of_the_clocks(
    db: None, fakes: Fakes, settings: Any, moved_clock: None, at: datetime, hours: int
) -> None:
    settings.EMERGENCY_NUMBER = "+4930555000"
    world = World(fakes, at=at, vendors=("email",))
    alice, bob = world.people["alice"], world.people["bob"]
    p1 = alice.reports("Checkout is down")
    bob.presses_button("resolve", p1, summary="It works again.")
    p1.refresh_from_db()
    begins = p1.resolved_at
    assert begins is not None
    world.until(begins + timedelta(hours=72, seconds=-1))
    p1.refresh_from_db()
    assert p1.status == Status.RESOLVED
    world.advance(seconds=1)
    p1.refresh_from_db()
    ends = begins + timedelta(hours=72)
    assert (p1.status, p1.confirmed_at) == (Status.FOLLOW_UP, ends)
    shift = ends.astimezone(BERLIN).replace(tzinfo=None) - begins.astimezone(BERLIN).replace(tzinfo=None)
    assert shift == timedelta(hours=72 + hours), "the clock on the wall shows another hour"
    world.assert_healthy()

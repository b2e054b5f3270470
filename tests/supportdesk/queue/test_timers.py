"""Timers: counted before the work, set aside after three tries, taken back from the dead, done once."""

from __future__ import annotations

from datetime import timedelta

import psycopg
import pytest
from django.db import OperationalError, connection
from django_q.signing import SignedPackage

from supportdesk import instants
from supportdesk.queue import clock, timers
from supportdesk.queue.models import Timer

pytestmark = pytest.mark.django_db
HERE = __name__
RAN: list[str] = []


def note(timer: Timer) -> None:
    RAN.append(timer.key)


def raises(timer: Timer) -> None:
    RAN.append(timer.key)
    raise ValueError("this row is poison")


def meets_a_lock(timer: Timer) -> None:
    raise OperationalError("canceling statement due to lock timeout\nCONTEXT: somebody holds the incident")


@pytest.fixture(autouse=True)
def stopped(moved_clock: None):
    RAN.clear()
    instants.freeze(instants.now())
    timers.cancel("test")


def arm(*names: str, run: str = "note") -> None:
    timers.arm(timers.Planned(name, f"{HERE}.{run}", "test", instants.now()) for name in names)


def pass_time(**length: float) -> None:
    instants.freeze(instants.now() + timedelta(**length))


def state(key: str) -> Timer:
    return Timer.objects.get(key=key)


def hand_over() -> list[int]:
    """What the clock hands over now."""
    clock.tick()
    return list(
        Timer.objects.filter(subject="test", state=Timer.State.HANDED).order_by("pk").values_list("pk", flat=True)
    )


def test_a_timer_runs_once_however_often_its_task_comes():
    arm("once")
    ids = hand_over()
    assert [timers.run(ids), timers.run(ids)] == [1, 0]
    assert RAN == ["once"]
    assert state("once").state == Timer.State.DONE


@pytest.mark.django_db(transaction=True)
def test_who_arms_does_not_wait_for_a_worker_in_the_middle_of_it():
    arm("busy", "other")
    (pk, _) = hand_over()
    with psycopg.connect(**connection.get_connection_params()) as worker, connection.cursor() as cursor:
        worker.execute("UPDATE supportdesk_timer SET state = 'done' WHERE id = %s", [pk])  # and asks for the incident
        cursor.execute("SET lock_timeout = '500ms'")
        arm("busy", "other", "new")
        cursor.execute("SET lock_timeout = 0")
        worker.rollback()
    assert [state(key).state for key in ("busy", "other", "new")] == ["handed", "handed", "armed"]


def test_a_try_is_counted_before_the_work():
    arm("killer")
    (pk,) = hand_over()
    assert timers._take([pk]) == [(pk, 1)]  # and here its worker is killed
    assert (state("killer").attempts, state("killer").state) == (1, "handed")


def test_what_kills_its_worker_three_times_is_set_aside_and_the_others_go_on():
    arm("killer", "good")
    for _ in range(3):
        ids = hand_over()
        killer = state("killer").pk
        timers._take([killer])
        timers.run([pk for pk in ids if pk != killer])
        clock.tick()  # sees the lease
        pass_time(seconds=timers.LEASE.total_seconds())
        clock.tick()  # takes it back, and offers it again
    clock.tick()
    assert state("killer").state == Timer.State.QUARANTINED
    assert state("killer").error == "the worker went away"
    assert RAN == ["good"]


def test_what_raises_three_times_is_set_aside_with_its_reason():
    arm("poison", run="raises")
    for _ in range(3):
        timers.run(hand_over())
        pass_time(seconds=10)
    assert RAN == ["poison"] * 3
    assert state("poison").state == Timer.State.QUARANTINED
    assert state("poison").error == "ValueError: this row is poison"


def test_a_lock_somebody_else_holds_is_no_step_towards_quarantine():
    arm("waits", run="meets_a_lock")
    for _ in range(6):
        timers.run(hand_over())
        pass_time(seconds=10)
    assert (state("waits").state, state("waits").attempts) == (Timer.State.ARMED, 0)


def test_a_worker_that_was_given_up_comes_too_late():
    arm("slow")
    (pk,) = hand_over()
    (late,) = timers._take([pk])
    clock.tick()
    pass_time(seconds=timers.LEASE.total_seconds())
    clock.tick()
    assert timers.run(hand_over()) == 1
    assert timers._run_one(*late) is False
    assert RAN == ["slow"]


def test_what_failed_before_travels_alone(packages):
    arm(*(f"burst-{number}" for number in range(40)))
    Timer.objects.filter(key="burst-7").update(attempts=1)
    clock.tick()
    together = [args[0] for args in packages()]
    assert [state("burst-7").pk] in together
    assert {len(ids) for ids in together if state("burst-8").pk in ids} == {5}


def test_far_timers_wake_nobody(django_capture_notifies):
    with django_capture_notifies() as heard:
        timers.arm([timers.Planned("far", f"{HERE}.note", "test", instants.now() + timedelta(hours=1))])
    assert not heard
    with django_capture_notifies() as heard:
        timers.arm([timers.Planned("near", f"{HERE}.note", "test", instants.now())])
    assert len(heard) == 1


@pytest.fixture
def packages():
    """The arguments of every task in the queue."""
    from django_q.models import OrmQ

    OrmQ.objects.all().delete()
    return lambda: [SignedPackage.loads(row.payload)["args"] for row in OrmQ.objects.order_by("pk")]


@pytest.fixture
def django_capture_notifies(django_assert_num_queries):
    """The NOTIFYs that a block of code sends, as SQL."""
    from contextlib import contextmanager

    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    @contextmanager
    def capture():
        heard: list[str] = []
        with CaptureQueriesContext(connection) as queries:
            yield heard
        heard += [query["sql"] for query in queries if "pg_notify" in query["sql"]]

    return capture

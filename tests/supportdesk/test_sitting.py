"""One sitting: what a verb posts, arms and says in many places is written together, in its own transaction."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django_q.models import OrmQ

from supportdesk import instants, sitting
from supportdesk.integrations.lines import Lines
from supportdesk.queue import outbox, timers
from supportdesk.queue.models import Delivery, Timer
from supportdesk.queue.outbox import Post

pytestmark = pytest.mark.django_db
RUN = "tests.nothing"


def post(key: str, subject: str = "letter", **more: object) -> None:
    outbox.post([Post(key, "note", None, "email", "a@example.com", subject, facts={"text": "day \u2603"}, **more)])  # type: ignore[arg-type]


def arm(key: str, subject: str = "letter", **ahead: float) -> None:
    timers.arm([timers.Planned(key, RUN, subject, instants.now() + timedelta(**(ahead or {"hours": 1})))])


def armed(subject: str = "letter") -> set[str]:
    return set(Timer.objects.filter(subject=subject, state=Timer.State.ARMED).values_list("key", flat=True))


def tasks() -> int:
    return OrmQ.objects.count()


def test_what_is_posted_and_armed_in_many_places_is_one_statement_a_table() -> None:
    before = tasks()
    with CaptureQueriesContext(connection) as seen, sitting.atomic():
        for number in range(5):
            post(f"post-{number}", urgent=number < 2)
            arm(f"timer-{number}")
        assert not [query for query in seen if "INSERT" in query["sql"]]
    written = [query["sql"] for query in seen if "INSERT" in query["sql"]]
    assert [sum(table in sql for sql in written) for table in ("supportdesk_delivery", "supportdesk_timer")] == [1, 1]
    assert "django_q_ormq" in written[-1], "rows before queues"
    assert tasks() - before == 5
    assert len(armed()) == 5


def test_outside_of_a_sitting_everything_is_written_at_once() -> None:
    post("alone")
    arm("alone")
    assert (Delivery.objects.filter(key="alone").count(), armed()) == (1, {"alone"})


def test_a_verb_that_fails_leaves_nothing() -> None:
    before = tasks()
    with pytest.raises(ZeroDivisionError), sitting.atomic():
        post("never")
        arm("never")
        _ = 1 / 0
    assert not Delivery.objects.filter(key="never").exists()
    assert (armed(), tasks()) == (set(), before)


def test_a_delivery_is_stored_as_it_was_posted() -> None:
    post("as-posted", generation=3, secrets=("text",), lane="bulk", at=instants.now() + timedelta(microseconds=1500))
    row = Delivery.objects.get(key="as-posted")
    assert (row.facts["text"], row.generation, row.lane, row.state) == ("day \u2603", 3, "bulk", "pending")
    assert row.due_at.microsecond == row.planned_at.microsecond
    assert (row.receipt, row.attempts, row.connection_id, row.handed_at) == ({}, 0, None, None)


def test_the_same_key_twice_is_one_delivery_and_the_later_timer() -> None:
    with sitting.atomic():
        post("twice")
        post("twice")
        arm("twice", hours=1)
        arm("twice", hours=9)
    assert Delivery.objects.filter(key="twice").count() == 1
    assert Timer.objects.get(key="twice").due_at > instants.now() + timedelta(hours=8)


def test_replacing_timers_of_something_new_asks_no_table() -> None:
    with CaptureQueriesContext(connection) as seen, sitting.atomic():
        sitting.begin("letter")
        timers.replace("letter", RUN, [timers.Planned("first", RUN, "letter", instants.now() + timedelta(hours=1))])
        timers.replace("letter", RUN, [timers.Planned("second", RUN, "letter", instants.now() + timedelta(hours=2))])
    assert not [query for query in seen if query["sql"].startswith("UPDATE")]
    assert armed() == {"second"}


def test_cancelling_sees_what_waits_to_be_written() -> None:
    arm("old")
    with sitting.atomic():
        arm("new")
        post("unsent")
        assert timers.cancel("letter") == 2
        assert outbox.cancel("letter", kinds=["note"], reason="changed my mind") == 1
    assert armed() == set()
    assert Delivery.objects.get(key="unsent").state == Delivery.State.CANCELLED


def test_a_timer_that_waits_to_be_written_counts_as_armed() -> None:
    soon = instants.now() + timedelta(hours=2)
    with sitting.atomic():
        arm("waits", hours=1)
        assert timers.is_armed("letter", RUN, by=soon)
        assert not timers.is_armed("letter", "tests.other", by=soon)
    assert timers.is_armed("letter", RUN, by=soon)


def test_a_sitting_within_another_sees_its_rows() -> None:
    with sitting.atomic():
        sitting.begin("letter")
        arm("outer")
        with sitting.atomic():
            assert not sitting.is_new("letter")
            assert armed() == {"outer"}
            arm("inner")
        assert armed() == {"outer", "inner"}


def test_a_verb_that_fails_within_another_takes_back_only_its_own() -> None:
    with sitting.atomic():
        arm("kept")
        with pytest.raises(ZeroDivisionError), sitting.atomic():
            arm("taken back")
            _ = 1 / 0
    assert armed() == {"kept"}


def test_connections_are_read_once_a_sitting() -> None:
    with CaptureQueriesContext(connection) as seen, sitting.atomic():
        assert Lines.load() is Lines.load()
    assert len([query for query in seen if "supportdesk_connection" in query["sql"]]) == 1
    assert Lines.load() is not Lines.load()

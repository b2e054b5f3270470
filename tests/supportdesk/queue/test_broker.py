"""The queue on PostgreSQL: in the caller's transaction, claimed once, counted, offered again, opened by old keys."""

from __future__ import annotations

import os

import psycopg
import pytest
from django.db import connection, transaction
from django_q.conf import Conf
from django_q.models import OrmQ
from django_q.signing import BadSignature, SignedPackage
from django_q.tasks import async_task

from supportdesk.queue import broker, signing
from supportdesk.queue.broker import MOST_CLAIMS, PostgresBroker


@pytest.fixture
def queue(db):
    OrmQ.objects.all().delete()
    made = PostgresBroker("test")
    yield made
    made.hang_up() if made._listener is not None else None


def make_due() -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE django_q_ormq SET lock = statement_timestamp() WHERE lock < '9000-01-01'")


def claims() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT supportdesk_claims FROM django_q_ormq")
        return cursor.fetchone()[0]


@pytest.mark.django_db
def test_a_rollback_takes_the_task_with_it(queue):
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        async_task("time.sleep", 0, broker=queue)
        1 / 0  # noqa: B018
    assert OrmQ.objects.count() == 0


@pytest.mark.django_db
def test_a_claimed_task_is_nobody_elses(queue):
    queue.enqueue_many(["a", "b", "c"])
    assert [payload for _, payload in queue._claim()] == ["a"]  # bulk is 1
    assert [payload for _, payload in queue._claim()] == ["b"]


@pytest.mark.django_db(transaction=True)
def test_a_row_somebody_is_claiming_is_stepped_over(queue):
    queue.enqueue_many(["a", "b"])
    with psycopg.connect(**broker.listening_parameters()) as other:
        other.execute("SELECT 1 FROM django_q_ormq WHERE payload = 'a' FOR UPDATE")
        assert [payload for _, payload in queue._claim()] == ["b"]
    OrmQ.objects.all().delete()


@pytest.mark.django_db(transaction=True)
def test_a_task_is_heard_of_at_commit_and_not_before(queue):
    listener = broker.listen(broker.channel("test"))
    try:
        with transaction.atomic():
            queue.enqueue("a")
            assert not list(listener.notifies(timeout=0.05))
        assert len(list(listener.notifies(timeout=5, stop_after=1))) == 1
    finally:
        listener.close()
        OrmQ.objects.all().delete()


@pytest.mark.django_db
def test_a_task_that_is_never_finished_is_set_aside(queue, caplog):
    """Reliability E2: django-q2 itself counts only what comes back."""
    queue.enqueue("killer")
    for number in range(MOST_CLAIMS):
        assert queue._claim(), f"claim {number}"
        make_due()
    assert queue._claim() == []
    assert "set aside" in caplog.text
    make_due()
    assert queue._claim() == []
    assert claims() == MOST_CLAIMS + 1


@pytest.mark.django_db
def test_what_a_killed_group_held_is_offered_again_at_once(queue):
    queue.enqueue("a")
    assert queue._claim()
    assert not queue._claim()
    queue.release(os.getpgid(0) + 1)  # somebody else's
    assert not queue._claim()
    queue.release(os.getpgid(0))
    assert queue._claim()


@pytest.mark.django_db
def test_done_tasks_go_many_at_a_time(queue, django_assert_num_queries):
    queue.enqueue_many(["a", "b", "c"])
    ids = list(OrmQ.objects.values_list("pk", flat=True))
    with django_assert_num_queries(1):
        queue.acknowledge_many(ids)
    assert not OrmQ.objects.exists()


def test_a_package_signed_with_an_old_key_still_opens(settings, monkeypatch):
    """Reliability E4: a changed key deletes no task."""
    package = SignedPackage.dumps({"func": "time.sleep"})
    settings.QUEUE_SIGNING_KEYS = ["new-key", *settings.QUEUE_SIGNING_KEYS]
    monkeypatch.setattr(Conf, "SECRET_KEY", Conf.SECRET_KEY)
    signing.install()
    assert SignedPackage.loads(package) == {"func": "time.sleep"}
    assert SignedPackage.loads(SignedPackage.dumps({"func": "x"})) == {"func": "x"}


def test_a_package_signed_with_the_key_of_sessions_does_not(settings):
    with pytest.raises(BadSignature):
        SignedPackage.loads(
            signing.signing.signing.dumps({}, key=settings.SECRET_KEY, salt=Conf.PREFIX, serializer=_Pickles)
        )


def test_a_package_whose_code_is_gone_is_refused_and_ends_nobody():
    gone = type("Gone", (), {"__module__": "no.such.module", "__reduce__": lambda self: (_vanish, ())})
    package = SignedPackage.dumps(gone())
    with pytest.raises(BadSignature, match="ModuleNotFoundError"):
        SignedPackage.loads(package)


def _vanish() -> None:
    raise ModuleNotFoundError("no.such.module")


class _Pickles:
    @staticmethod
    def dumps(obj: object) -> bytes:
        return signing.signing.PickleSerializer.dumps(obj)


def test_no_schedule_row_matters(settings):
    """Reliability E3: one bad row of django-q2's scheduler stops all of them, so nothing of ours is one."""
    assert [lane["scheduler"] for lane in settings.Q_CLUSTER["ALT_CLUSTERS"].values()] == [False] * 4


@pytest.mark.parametrize("lane", ["page", "integrations", "bulk"])
def test_tasks_are_offered_again_only_when_they_cannot_be_running(settings, lane):
    """The rule for `retry`: time spent waiting in the cluster counts too (reliability E8)."""
    said = {**settings.Q_CLUSTER, **settings.Q_CLUSTER["ALT_CLUSTERS"][lane]}
    rounds = 1 + -(-(said["queue_limit"] + said["bulk"]) // said["workers"])
    assert said["retry"] >= said["timeout"] * rounds + 5

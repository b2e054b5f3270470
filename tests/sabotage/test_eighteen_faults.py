"""Eighteen ways to break the desk quietly (docs/reliability.md). Each is noticed within two minutes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client

from incidents.models import Escalation, Incident
from rotations.models import Layer, RotationRevision
from supportdesk import instants
from supportdesk.auditor import cellar, invariants, machine, rounds
from supportdesk.auditor.invariants import Invariant
from supportdesk.auditor.models import AuditPause, Finding
from supportdesk.integrations.models import Connection
from supportdesk.queue import timers
from supportdesk.queue.models import Delivery, Heartbeat, Timer
from tests.sabotage.watching import Watched


@pytest.fixture
def desk(world):
    """A desk that runs and is well."""
    watched = Watched(world)
    assert watched.last.violations == [], [v.detail for v in watched.last.violations]
    return watched


def test_1_an_escalation_loses_its_next_step(desk, alice, carol):
    incident = alice.reports("Checkout is down")
    desk.minute()
    Escalation.objects.filter(incident=incident).update(next_at=None)
    timers.cancel(incident.subject, run="incidents.tasks.advance")
    assert "its next step has no time" in desk.detects("I1-escalation")
    desk.minute()  # the auditor set it going once: the chain goes on
    assert carol.is_paged
    assert Finding.objects.get(invariant="I1-escalation").mended_at


def test_2_a_page_is_deleted(desk, alice):
    incident = alice.reports("Checkout is down")
    Delivery.objects.filter(subject=incident.subject, kind="page").delete()
    Timer.objects.filter(subject=incident.subject).update(due_at=desk.world.now + timedelta(hours=9))
    assert f"incident:{incident.pk}" in desk.detects("I2-paged")


def test_3_the_clock_is_stopped(desk):
    desk.clock_runs = False
    assert "silent since" in desk.detects("H1-clock")


def test_4_a_cluster_takes_tasks_and_does_none(desk):
    desk.lanes_work = False
    assert "lane:page" in desk.detects("H2-lanes", timedelta(seconds=180))


def test_5_a_schedule_is_malformed(desk):
    revision = RotationRevision.objects.filter(layer__name="EMEA")
    revision.update(anchor="nonsense")
    desk.world.rows.schedule.touch()
    assert "could not be checked" in desk.detects("I6-coverage")
    Timer.objects.update(error="")  # what follows shifts has failed too, and was said


def test_6_a_grant_is_revoked(desk):
    with connection.cursor() as cursor:
        cursor.execute("CREATE ROLE desk_without_grants; GRANT USAGE ON SCHEMA public TO desk_without_grants")
        cursor.execute("SET LOCAL ROLE desk_without_grants")
        found = rounds.look(desk.world.now)
        cursor.execute("RESET ROLE")
    denied = [violation for violation in found.violations if "permission denied" in violation.detail]
    assert len(denied) > 10
    assert not found.is_well


def test_7_the_database_is_read_only(desk):
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL default_transaction_read_only = on")
    assert "read only" in " ".join(v.detail for v in rounds.look(desk.world.now).violations)


def test_8_a_vendor_is_a_black_hole(desk, fakes, alice, bob):
    for _ in range(12):
        fakes.slack.next(drop="before")
    alice.reports("Checkout is down")
    alice.reports("Search is down")
    assert "slack" in desk.detects("I10-failures")
    assert bob.phone.rang()  # and nobody waited for it
    fakes.reset()


def test_9_the_telephone_token_is_wrong(desk, fakes, alice):
    for fake in (fakes.phone, fakes.sms):
        for _ in range(8):
            fake.next(status=401, body={"code": 20003, "message": "Authenticate", "status": 401})
    alice.reports("Checkout is down")
    assert "phone" in desk.detects("I10-refused")
    fakes.reset()


def test_10_the_mail_server_rejects(desk, fakes, alice):
    row = Connection.objects.get(vendor="email")
    row.set_values({**row.settings, "port": "1"})
    row.save()
    alice.reports("Checkout is down")
    alice.writes("Hello?")
    alice.writes("Is anybody there?")
    assert "email" in desk.detects("I10-failures")


def test_11_the_mail_password_was_changed(desk, fakes, alice):
    row = Connection.objects.get(vendor="email")
    row.set_values({**row.settings, "username": "desk", "password": "of last year"})
    row.save()
    alice.reports("Checkout is down")
    alice.writes("Hello?")
    alice.writes("Is anybody there?")
    found = {v.invariant.name for v in (desk.minute(), desk.last)[1].violations}
    assert found & {"I10-failures", "I10-refused", "I10-breakers"}


def test_12_a_disk_is_nearly_full(desk, monkeypatch):
    monkeypatch.setattr(machine, "LEAST_FREE", 1.01)
    assert "free" in desk.detects("H5-disk")


def test_13_the_machines_clock_is_an_hour_behind(desk, monkeypatch):
    class Behind(datetime):
        @classmethod
        def now(cls, tz=None):
            return datetime.now(tz) - timedelta(hours=1)

    monkeypatch.setattr(machine, "datetime", Behind)
    assert machine.skew_seconds() < -3590
    stopped = instants.frozen()
    instants.freeze(None)
    assert [subject for subject, _ in machine.skew(datetime.now(UTC))] == ["clock"]
    instants.freeze(stopped)


def test_14_a_question_of_the_auditor_is_slow(desk, settings, monkeypatch):
    slow = Invariant("X1-slow", "slow", "", sql="SELECT 'x' AS subject, pg_sleep(30)::text AS detail")
    monkeypatch.setattr(rounds, "LONGEST_QUESTION_MS", 200)
    monkeypatch.setattr(rounds, "registered", lambda: [*invariants.registered(), slow])
    assert "could not be checked" in desk.detects("X1-slow")
    assert desk.last.seconds < 5


def test_15_the_auditor_is_off(desk):
    instants.freeze(desk.world.now + timedelta(seconds=125))
    answer = Client().get("/healthz/paging")
    assert answer.status_code == 503
    assert "has not run since" in answer.json()["problems"]["auditor"]


def test_16_a_pause_has_no_end(desk, sam):
    incident = sam.reports("Orders are stuck")
    assert incident.engagement == "queued"
    timers.cancel(incident.subject, run="incidents.tasks.enter_triage")
    assert "no timer will" in desk.detects("I9-pauses")
    now = desk.world.now
    with pytest.raises(IntegrityError), transaction.atomic():
        AuditPause.objects.create(since=now, until=now + timedelta(hours=5), reason="for ever", by="mallory")


def test_17_the_schedule_has_a_hole_in_six_hours(desk):
    Layer.objects.filter(schedule=desk.world.rows.schedule, name="AMER").delete()
    desk.world.rows.schedule.touch()
    assert "no primary from Sun 17:00" in desk.detects("I6-coverage")


def test_18_an_old_worker_still_takes_tasks(desk):
    for _ in range(3):
        desk.minute()
    detail = {"lane": "page", "host": "old-machine", "group": 4711, "began": "1", "version": "before", "seconds": 0.1}
    Heartbeat.objects.create(name="worker:page:old-machine:4711", at=desk.world.now, count=9, detail=detail)
    beat = Heartbeat.objects.filter(name="worker:page:old-machine:4711")
    beat.update(at=desk.world.now + timedelta(seconds=60))
    assert "old-machine runs before" in desk.detects("H3-ghosts")


def test_a_quarter_of_an_hour_with_emergencies_raises_no_false_alarm(desk, alice, bob, sam):
    """The soak, shortened: people report, acknowledge, hold, resolve, and the auditor stays content."""
    alice.reports("Checkout is down")
    desk.minute()
    bob.acknowledges()
    sam.reports("Orders are stuck")
    for _ in range(5):
        desk.minute()
    bob.presses_button("update", Incident.objects.order_by("pk")[0], state="found", doing="rolling back", next="30")
    for _ in range(4):
        desk.minute()
    alice.reports("Search is slow", impact="significant")
    for _ in range(3):
        desk.minute()
    assert desk.alarms == []
    assert cellar.INVARIANTS

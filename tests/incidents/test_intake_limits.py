"""A sender gone mad: told to wait, while nothing it had accepted is lost and nobody else is held up (MON-12)."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.test import Client

from incidents.models import Alert
from supportdesk.integrations.models import Connection
from supportdesk.queue.models import InboundEvent
from tests.fakes.alertmanager import alert, notification


@pytest.fixture
def line(world, settings):
    settings.HOOKS_PER_MINUTE = 6
    return Connection.objects.get(vendor="alertmanager")


def fires(line, name, token=""):
    """Prometheus says that one alert is firing."""
    body = notification([alert(name, "firing", "2026-11-22T02:09:00Z", "0001-01-01T00:00:00Z", {"severity": "info"})])
    return Client().post(
        f"/hooks/alertmanager/{line.code}/",
        data=json.dumps(body),
        content_type="application/json",
        headers={"Authorization": f"Bearer {token or line.values['token']}"},
    )


def test_mon_12_the_seventh_call_of_a_minute_is_asked_to_wait(world, line):
    answers = [fires(line, f"Disk{number}") for number in range(8)]
    assert [answer.status_code for answer in answers] == [202] * 6 + [429] * 2
    assert answers[-1]["Retry-After"] == "10"
    assert "was not kept" in json.loads(answers[-1].content)["detail"]
    assert InboundEvent.objects.filter(connection=line).count() == 6
    world.settle()
    assert Alert.objects.filter(connection=line).count() == 6
    assert not InboundEvent.objects.filter(connection=line).exclude(state="done").exists()


def test_mon_12_whoever_waits_as_asked_is_taken(world, line):
    answers = [fires(line, f"Disk{number}") for number in range(7)]
    world.advance(seconds=int(answers[-1]["Retry-After"]))
    assert fires(line, "Disk6").status_code == 202
    assert fires(line, "Disk7").status_code == 429
    world.advance(minutes=2)  # a bucket never holds more than its minute
    assert [fires(line, f"Full{number}").status_code for number in range(7)] == [202] * 6 + [429]


def test_mon_12_other_connections_have_buckets_of_their_own(world, line):
    second = Connection(vendor="alertmanager", name="The other Prometheus")
    second.set_values({"token": "another"})
    second.save()
    for number in range(7):
        fires(line, f"Disk{number}")
    assert fires(second, "Disk").status_code == 202


def test_mon_12_calls_that_prove_nothing_use_nothing_up(world, line):
    assert {fires(line, "Forged", token="guessed").status_code for _ in range(10)} == {401}
    assert fires(line, "Disk").status_code == 202


def test_mon_12_somebody_on_the_telephone_is_never_asked_to_wait(world, settings, alice, bob):
    settings.HOOKS_PER_MINUTE = 1
    alice.reports("Checkout is down")
    world.advance(minutes=1)
    bob.presses("4")
    assert world.incident.acknowledged_by == bob.user
    assert world.now - world.incident.acked_at < timedelta(minutes=1)

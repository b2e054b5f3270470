"""Alertmanager: every alert of a notification becomes one signal, and what is not an alert is named."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from supportdesk.integrations.base import BadPayload, BadSignature, IntegrationError
from tests.fakes.alertmanager import OPEN_END, alert, notification
from tests.supportdesk.integrations.conftest import Door, inbound, page

RECORDED = {
    "version": "4",
    "groupKey": '{}:{alertname="CheckoutDown"}',
    "truncatedAlerts": 0,
    "status": "firing",
    "receiver": "desk",
    "groupLabels": {"alertname": "CheckoutDown"},
    "commonLabels": {"alertname": "CheckoutDown", "severity": "critical", "service": "checkout"},
    "commonAnnotations": {"summary": "Checkout is down"},
    "externalURL": "http://alertmanager.example:9093",
    "alerts": [
        {
            "status": "firing",
            "labels": {
                "alertname": "CheckoutDown",
                "severity": "critical",
                "service": "checkout",
                "instance": "web1:443",
            },
            "annotations": {"summary": "Checkout is down", "runbook_url": "https://runbooks.example/checkout"},
            "startsAt": "2026-01-01T00:00:00.000Z",
            "endsAt": "0001-01-01T00:00:00Z",
            "generatorURL": "http://prometheus.example:9090/graph?g0.expr=up",
            "fingerprint": "c6eadffa33fcdf37",
        }
    ],
}


@pytest.fixture
def alertmanager(connect):
    return connect("alertmanager")


@pytest.fixture
def door(alertmanager):
    return Door(alertmanager)


def one(**changes: Any) -> dict[str, Any]:
    """A notification with one alert that differs from a good one in `changes`."""
    good = alert("CheckoutDown", "firing", "2026-01-01T00:00:00Z", OPEN_END, {"service": "checkout"})
    return notification([{name: value for name, value in (good | changes).items() if value is not ...}])


def test_the_recorded_alert_is_understood(fakes, door):
    answer = fakes.alertmanager.post(RECORDED, door)
    (reply,) = door.replies
    assert answer.status == 202
    assert (reply.verb, reply.subject, reply.sender) == ("alert", "", "alertmanager")
    assert reply.key == "c6eadffa33fcdf37:2026-01-01T00:00:00+00:00:firing"
    assert reply.data["truncated"] == 0
    assert reply.data["signal"] == {
        "dedup_key": "c6eadffa33fcdf37",
        "status": "firing",
        "severity": "critical",
        "title": "Checkout is down",
        "at": "2026-01-01T00:00:00+00:00",
        "service": "checkout",
        "component": "web1:443",
        "check": "CheckoutDown",
        "organization": "",
        "group": "",
        "description": "",
        "url": "https://runbooks.example/checkout",
        "labels": RECORDED["alerts"][0]["labels"],
    }


def test_an_alert_begins_and_ends_under_one_name(fakes, door):
    fakes.alertmanager.fires("CheckoutDown", door, service="checkout")
    fakes.alertmanager.resolves("CheckoutDown", door, service="checkout", end="2026-01-01T01:20:00+01:00")
    began, ended = [reply.data["signal"] for reply in door.replies]
    assert began["dedup_key"] == ended["dedup_key"]
    assert (began["at"], ended["at"]) == ("2026-01-01T00:00:00+00:00", "2026-01-01T00:20:00+00:00")
    assert (began["status"], ended["status"]) == ("firing", "resolved")


def test_the_same_notification_again_has_the_same_keys(fakes, door):
    fakes.alertmanager.fires("CheckoutDown", door)
    fakes.alertmanager.fires("CheckoutDown", door)
    fakes.alertmanager.fires("CheckoutDown", door, at="2026-01-02T00:00:00Z")
    assert len(door.replies) == 3
    assert len({reply.key for reply in door.replies}) == 2


def test_a_group_may_mix_firing_and_resolved(fakes, door):
    alerts = [
        alert("A", "firing", "2026-01-01T00:00:00Z", OPEN_END, {}),
        alert("B", "resolved", "2026-01-01T00:00:00Z", "2026-01-01T00:05:00Z", {}),
    ]
    fakes.alertmanager.post(notification(alerts, truncated=7), door)
    assert [reply.data["signal"]["status"] for reply in door.replies] == ["firing", "resolved"]
    assert {reply.data["truncated"] for reply in door.replies} == {7}


@pytest.mark.parametrize(
    ("label", "severity"),
    [("critical", "critical"), ("Page", "critical"), ("error", "error"), ("high", "error"), ("warning", "warning"),
     ("info", "info"), ("none", "info"), ("sev-zebra", "warning"), ("", "warning")],
)  # fmt: skip
def test_other_peoples_severities_in_our_words(fakes, door, label, severity):
    fakes.alertmanager.fires("CheckoutDown", door, severity=label)
    assert door.replies[0].data["signal"]["severity"] == severity


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("2026-01-01T00:00:00Z", "2026-01-01T00:00:00+00:00"),
        ("2026-01-01T00:00:00.123456789Z", "2026-01-01T00:00:00.123456+00:00"),
        ("2026-01-01T01:00:00+01:00", "2026-01-01T00:00:00+00:00"),
    ],
)
def test_instants_are_read_in_utc(fakes, door, written, read):
    fakes.alertmanager.fires("CheckoutDown", door, at=written)
    assert door.replies[0].data["signal"]["at"] == read


def test_an_end_that_has_not_come_is_no_end(fakes, door):
    fakes.alertmanager.post(one(status="resolved", endsAt=OPEN_END), door)
    assert door.replies[0].data["signal"]["at"] == "2026-01-01T00:00:00+00:00"


@pytest.mark.parametrize("url", ["javascript:alert(1)", "data:text/html,x", "//evil.example", "", 7, None])
def test_only_web_addresses_become_links(fakes, door, url):
    fakes.alertmanager.post(one(generatorURL=url), door)
    assert door.replies[0].data["signal"]["url"] == ""


def test_long_and_odd_words_are_made_to_fit(fakes, door):
    notes = {"summary": "x" * 5_000 + "\x00", "description": "a\x00b" + "y" * 50_000}
    fakes.alertmanager.post(one(annotations=notes), door)
    signal = door.replies[0].data["signal"]
    assert len(signal["title"]) == 200
    assert signal["description"].startswith("aby")
    assert len(signal["description"]) <= 4_000


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (one(status="pending"), "alerts[0].status"),
        (one(status=None), "alerts[0].status"),
        (one(status=["firing"]), "alerts[0].status"),
        (one(fingerprint=...), "alerts[0].fingerprint"),
        (one(fingerprint=""), "alerts[0].fingerprint"),
        (one(fingerprint="f" * 101), "alerts[0].fingerprint"),
        (one(fingerprint=7), "alerts[0].fingerprint"),
        (one(startsAt=...), "alerts[0].startsAt"),
        (one(startsAt=OPEN_END), "alerts[0].startsAt"),
        (one(startsAt="yesterday"), "alerts[0].startsAt"),
        (one(startsAt="2026-01-01T00:00:00"), "alerts[0].startsAt"),
        (one(startsAt="2026-02-30T00:00:00Z"), "alerts[0].startsAt"),
        (one(startsAt="9999-12-31T23:59:59-14:00"), "alerts[0].startsAt"),
        (one(startsAt=1767225600), "alerts[0].startsAt"),
        (one(endsAt="soon"), "alerts[0].endsAt"),
        (one(labels=[]), "alerts[0].labels"),
        (one(labels={"alertname": 7}), "alerts[0].labels"),
        (one(annotations="none"), "alerts[0].annotations"),
        (one() | {"alerts": [7]}, "alerts[0].status"),
        (one() | {"alerts": [None]}, "alerts[0].status"),
        (notification([]), "alerts"),
        (notification([{}] * 1_001), "alerts"),
        (notification([]) | {"alerts": {}}, "alerts"),
        (one() | {"version": "1"}, "version"),
        (one() | {"version": 4}, "version"),
        (one() | {"truncatedAlerts": -1}, "truncatedAlerts"),
        (one() | {"truncatedAlerts": "many"}, "truncatedAlerts"),
        (one() | {"truncatedAlerts": True}, "truncatedAlerts"),
        ({}, "version"),
    ],
)
def test_what_is_no_alert_is_named(fakes, door, body, field):
    with pytest.raises(BadPayload) as caught:
        fakes.alertmanager.post(body, door)
    assert caught.value.field == field


@pytest.mark.parametrize("body", [b"", b"null", b"[]", b"{", b"\xff\xfe", b'{"a":' * 50_000, b"NaN"])
def test_a_body_that_is_no_object_is_refused(fakes, alertmanager, body):
    with pytest.raises(BadPayload):
        alertmanager.receive(
            inbound("https://desk.example/", body, {"Authorization": f"Bearer {fakes.alertmanager.token}"})
        )


def test_a_token_may_come_as_bearer_or_as_basic_password(fakes, alertmanager):
    basic = base64.b64encode(f"desk:{fakes.alertmanager.token}".encode()).decode()
    for offered in (f"Bearer {fakes.alertmanager.token}", f"bearer  {fakes.alertmanager.token}", f"Basic {basic}"):
        assert alertmanager.receive(signed_with(offered))


@pytest.mark.parametrize(
    "offered",
    [
        "", "Bearer", "Bearer ", "Bearer wrong", "alertmanager-token", "Basic", "Basic !!", "Basic /////w==",
        "Digest alertmanager-token", "Bearer alertmanager-token2", "Bearer alertmanager-toke",
        "Basic " + base64.b64encode(b"alertmanager-token:").decode(),
        "Bearer ä", "Bearer \ud800", "Bearer ALERTMANAGER-TOKEN",
    ],
    ids=ascii,
)  # fmt: skip
def test_any_other_token_is_refused(alertmanager, offered):
    with pytest.raises(BadSignature):
        alertmanager.receive(signed_with(offered))


def test_without_a_token_the_address_alone_is_the_secret(connect):
    assert connect("alertmanager", token="").receive(signed_with(""))


def test_nothing_can_be_sent_to_it(alertmanager):
    assert alertmanager.kinds == frozenset()
    with pytest.raises((NotImplementedError, IntegrationError)):
        alertmanager.send(page())


def signed_with(authorization: str) -> Any:
    headers = {"Authorization": authorization} if authorization else {}
    return inbound("https://desk.example/hooks/alertmanager/c0de/", json.dumps(one()).encode(), headers)

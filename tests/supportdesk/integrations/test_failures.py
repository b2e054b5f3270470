"""Every way a vendor can fail, and what each one means for the next attempt: the same for all vendors called over HTTP.

Not sent: try again. Refused: a person has to act. Ambiguous: it may have happened, look first.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from supportdesk.integrations import jira_client, json_api, outbound, pagerduty_client, slack_client, twilio_client
from supportdesk.integrations.base import Integration, IntegrationError, Message, Receipt
from tests.fakes import Fakes
from tests.fakes.server import FakeVendor
from tests.supportdesk.integrations.conftest import page

# One message a vendor that takes one request: what fails is then the one call that matters.
MESSAGES = {
    "slack": page(to="C111"),
    "pagerduty": page(to=""),
    "phone": page(to="+491701234567"),
    "sms": page(to="+491701234567"),
    "jira": page(kind="ticket", action="open", to="ticket", url=""),
    "statuspage": page(kind="notice", action="update", to="page", facts={"state": "investigating"}),
    "incidentio": page(kind="ticket", action="open", to="incident", url="", facts={}),
}
VENDORS = sorted(MESSAGES)
BEFORE = {"statuspage": Receipt("i1")}  # its incident is there already
CLIENTS = (pagerduty_client, slack_client, twilio_client, json_api, jira_client)


@pytest.fixture(params=VENDORS)
def vendor(request: pytest.FixtureRequest, fakes: Fakes) -> FakeVendor:
    return getattr(fakes, request.param)


@pytest.fixture(autouse=True)
def prepared(request: pytest.FixtureRequest) -> None:
    """Jira has been asked for its fields before, Statuspage has the incident that is followed."""
    if "vendor" not in request.fixturenames:
        return
    vendor, connect = request.getfixturevalue("vendor"), request.getfixturevalue("connect")
    if vendor.name == "jira":
        connect("jira").check()
    elif vendor.name == "statuspage":
        vendor.incidents["i1"] = {"id": "i1", "incident_updates": []}
    vendor.seen.clear()


@pytest.fixture
def integration(vendor: FakeVendor, connect: Callable[..., Integration]) -> Integration:
    return connect(vendor.name, alert_source="")


def message(vendor: FakeVendor) -> Message:
    return MESSAGES[vendor.name]


def send(integration: Integration, message: Message) -> Receipt:
    return integration.send(message, BEFORE.get(integration.slug))


def failure(integration: Integration, message: Message) -> IntegrationError:
    with pytest.raises(IntegrationError) as caught:
        send(integration, message)
    return caught.value


def outcome(error: IntegrationError) -> str:
    return "refused" if error.permanent else "ambiguous" if error.ambiguous else "not sent"


def test_a_vendor_that_is_well_takes_the_message_once(vendor, integration):
    assert send(integration, message(vendor)).id
    assert len(vendor.seen) == 1


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "1"}, 1.0),
        ({"Retry-After": "3600"}, 3600.0),
        ({"retry-after": "2.5"}, 2.5),
        ({"Retry-After": "Thu, 01 Jan 2026 00:00:30 GMT", "Date": "Thu, 01 Jan 2026 00:00:00 GMT"}, 30.0),
        ({"Retry-After": "-5"}, 0.0),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "inf"}, None),
        ({}, None),
    ],
)
def test_too_many_requests_waits_as_long_as_the_vendor_asks(vendor, integration, headers, seconds):
    vendor.next(status=429, headers=headers)
    error = failure(integration, message(vendor))
    assert outcome(error) == "not sent"
    assert error.retry_after == seconds
    assert len(vendor.seen) == 1


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (500, "ambiguous"),
        (502, "ambiguous"),
        (503, "not sent"),
        (504, "ambiguous"),
        (400, "refused"),
        (403, "refused"),
        (404, "refused"),
        (410, "refused"),
    ],
)
@pytest.mark.parametrize("body", [{"error": "scripted"}, "<html>Bad gateway</html>"], ids=["json", "html"])
def test_an_http_error_is_read_once_and_never_retried_here(vendor, integration, status, body, expected):
    vendor.next(status=status, body=body)
    assert outcome(failure(integration, message(vendor))) == expected
    assert len(vendor.seen) == 1


@pytest.mark.parametrize("body", ["", "<html>maintenance</html>", "[]", "null", "{", '{"ok":'])
def test_a_success_in_words_no_vendor_uses_is_ambiguous(vendor, integration, body):
    vendor.next(status=200, body=body)
    assert outcome(failure(integration, message(vendor))) == "ambiguous"
    assert len(vendor.seen) == 1


def test_a_vendor_that_hangs_is_left_after_the_timeout(vendor, connect):
    vendor.next(hang=30)
    assert outcome(failure(connect(vendor.name, timeout=0.5, alert_source=""), message(vendor))) == "ambiguous"
    assert len(vendor.seen) == 1


def test_a_vendor_that_drips_is_left_as_well(vendor, connect, monkeypatch):
    for module in CLIENTS:
        monkeypatch.setattr(module, "GRACE", 0.2)
    vendor.next(drip=0.1)
    assert outcome(failure(connect(vendor.name, timeout=0.3, alert_source=""), message(vendor))) == "ambiguous"


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_dropped_line_is_ambiguous_whether_or_not_the_vendor_acted(vendor, integration, when):
    vendor.next(drop=when)
    assert outcome(failure(integration, message(vendor))) == "ambiguous"
    assert len(vendor.seen) == 1


def test_a_vendor_nobody_listens_at_was_not_reached(vendor, connect):
    integration = connect(vendor.name, alert_source="")
    integration.base_url = "http://127.0.0.1:9/"
    assert outcome(failure(integration, message(vendor))) == "not sent"


def test_a_vendor_without_a_valid_certificate_was_not_reached(vendor, connect):
    integration = connect(vendor.name, alert_source="")
    integration.base_url = vendor.base_url.replace("http://", "https://")
    assert not failure(integration, message(vendor)).permanent


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_nobody_leads_us_to_another_address(vendor, integration, status):
    vendor.next(status=status, redirect=f"{vendor.base_url}/elsewhere")
    assert outcome(failure(integration, message(vendor))) == "refused"
    assert len(vendor.seen) == 1


@pytest.mark.parametrize("status", [200, 500])
def test_an_endless_answer_is_not_read_to_its_end(vendor, integration, monkeypatch, status):
    monkeypatch.setattr(outbound, "ANSWER_LIMIT", 10_000)
    monkeypatch.setattr(slack_client, "ANSWER_LIMIT", 10_000)
    vendor.next(status=status, body='{"padding": "' + "x" * 100_000 + '"}')
    assert outcome(failure(integration, message(vendor))) == "ambiguous"


def test_wrong_credentials_need_a_person(vendor, connect):
    wrong = {"bot_token": "xoxb-wrong", "auth_token": "wrong", "routing_key": "W" * 32}
    wrong |= {"api_key": "wrong", "api_token": "wrong"}
    assert outcome(failure(connect(vendor.name, **wrong), message(vendor))) == "refused"


def test_missing_credentials_need_a_person(vendor, connect):
    missing = {"bot_token": "", "auth_token": "", "account_sid": "", "routing_key": ""}
    missing |= {"api_key": "", "api_token": ""}
    assert outcome(failure(connect(vendor.name, **missing), message(vendor))) == "refused"


def test_time_that_is_already_spent_starts_nothing():
    with pytest.raises(IntegrationError) as caught:
        outbound.within(0, lambda: pytest.fail("this must not run"))
    assert outcome(caught.value) == "not sent"

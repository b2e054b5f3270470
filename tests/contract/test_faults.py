"""One test for each class of failure and each vendor: what our client makes of it, and that it asks only once.

Trying again is the outbox's business. Not sent: try again. Refused: a person has to act. Ambiguous: it may have
happened.
"""

from __future__ import annotations

from typing import Any

import pytest

from supportdesk.integrations.base import IntegrationError
from tests.contract import operations
from tests.contract.operations import OPERATIONS, Operation
from tests.contract.test_mutations import BROKEN

VENDORS = sorted(BROKEN)
# What each vendor says when it answers 200 and means no.
UNWELL: dict[str, Any] = {
    "slack": {"ok": False, "error": "channel_not_found"},
    "jira": {"errorMessages": ["Something went wrong"], "errors": {}},
    "statuspage": {"error": ["Name can't be blank"]},
    "incidentio": {"type": "validation_error", "errors": [{"code": "invalid_value", "message": "no"}]},
    "pd_events": {"status": "invalid event", "message": "Event object is invalid", "errors": ["no"]},
    "pd_rest": {"error": {"message": "Invalid Input Provided", "code": 2001}},
    "twilio": {"code": 20003, "message": "Authenticate", "status": 401},
}


@pytest.fixture(params=VENDORS)
def vendor(request):
    return request.param


@pytest.fixture
def server(servers, vendor):
    found = servers(vendor)
    found.calls.clear()
    found.faults.clear()
    before = dict(found.replies)
    yield found
    found.faults.clear()
    found.replies.clear()
    found.replies.update(before)


def operation(vendor: str) -> Operation:
    return next(one for one in OPERATIONS if (one.description, one.name) == (vendor, BROKEN[vendor][0]))


def failure(server: Any, vendor: str) -> IntegrationError:
    with pytest.raises(IntegrationError) as caught:
        operation(vendor).call(server.url)
    assert len(server.calls) == 1, "the client tried again by itself"
    return caught.value


def outcome(error: IntegrationError) -> str:
    return "refused" if error.permanent else "ambiguous" if error.ambiguous else "not sent"


@pytest.mark.parametrize(("headers", "seconds"), [({"Retry-After": "7"}, 7.0), ({}, None)], ids=["asked", "not asked"])
def test_too_many_requests(server, vendor, headers, seconds):
    server.faults.append(("status", 429, headers))
    error = failure(server, vendor)
    assert (outcome(error), error.retry_after) == ("not sent", seconds)


def test_statuspage_says_420_for_too_many(servers):
    server = servers("statuspage")
    server.calls.clear()
    server.faults.append(("status", 420, {"Retry-After": "3"}))
    error = failure(server, "statuspage")
    assert (outcome(error), error.retry_after) == ("not sent", 3.0)


@pytest.mark.parametrize(("status", "expected"), [(500, "ambiguous"), (502, "ambiguous"), (503, "not sent")])
def test_the_vendor_is_unwell(server, vendor, status, expected):
    server.faults.append(("status", status))
    assert outcome(failure(server, vendor)) == expected


def test_the_vendor_hangs(server, vendor, monkeypatch):
    monkeypatch.setattr(operations, "TIMEOUT", 0.3)
    server.faults.append(("slow", 1.0))
    assert outcome(failure(server, vendor)) == "ambiguous"


def test_the_line_goes_dead_after_the_request_was_taken(server, vendor):
    server.faults.append(("drop",))
    assert outcome(failure(server, vendor)) == "ambiguous"


def test_success_that_is_none(server, vendor):
    for key in {(method.upper(), template) for _, method, template, *_ in server.c.routes}:
        server.replies[key] = [lambda _args, _body: (200, UNWELL[vendor])]
    assert outcome(failure(server, vendor)) in ("ambiguous", "refused")

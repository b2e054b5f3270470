"""The descriptions do refuse: one good request a vendor, broken in one place at a time.

A contract that accepts anything proves nothing, so what is broken here has to be noticed by the vendor's own schema or
by a rule its server's file names.
"""

from __future__ import annotations

import copy
import json
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.contract.operations import OPERATIONS

# The operation that matters most at each vendor, and the places in its body that may not be anything else.
BROKEN: dict[str, tuple[str, dict[str, list[tuple[str, ...]]]]] = {
    "pd_events": (
        "send",
        {
            "drop": [
                ("event_action",),
                ("routing_key",),
                ("payload",),
                ("payload", "summary"),
                ("payload", "severity"),
            ],
            "type": [("event_action",), ("dedup_key",), ("payload", "severity"), ("links",)],
            "typo": [("event_action",), ("payload",), ("payload", "source"), ("client_url",)],
        },
    ),
    "pd_rest": (
        "create_incident",
        {
            "drop": [("incident",), ("incident", "title"), ("incident", "service"), ("incident", "type")],
            "type": [("incident", "title"), ("incident", "service", "id"), ("incident", "incident_key")],
            "typo": [("incident", "title"), ("incident", "incident_key")],
        },
    ),
    "slack": (
        "chat.postMessage",
        {
            "drop": [("channel",), ("blocks", "0", "type")],
            "type": [("text",), ("blocks",), ("blocks", "0", "text")],
            "typo": [("channel",), ("blocks",), ("blocks", "0", "text")],
        },
    ),
    "jira": (
        "create",
        {
            "drop": [("fields", "project"), ("fields", "issuetype"), ("fields", "summary")],
            "type": [("fields", "description"), ("fields", "labels"), ("fields", "summary"), ("fields", "project")],
            "typo": [("fields", "project"), ("fields", "labels"), ("fields", "priority")],
        },
    ),
    "statuspage": (
        "create_incident",
        {
            "drop": [("incident",), ("incident", "name"), ("incident", "status")],
            "type": [("incident", "status"), ("incident", "components", "c1"), ("incident", "component_ids")],
            "typo": [("incident", "status"), ("incident", "body"), ("incident", "deliver_notifications")],
        },
    ),
    "incidentio": (
        "create_incident",
        {
            "drop": [("idempotency_key",), ("visibility",)],
            "type": [("idempotency_key",), ("visibility",), ("severity_id",), ("name",)],
            "typo": [("idempotency_key",), ("visibility",), ("summary",), ("severity_id",)],
        },
    ),
    "twilio": (
        "calls.create",
        {
            "drop": [("To",), ("From",)],
            "type": [("Timeout",), ("StatusCallbackMethod",)],
            "typo": [("To",), ("Twiml",)],
        },
    ),
}


@pytest.mark.parametrize("vendor", BROKEN)
def test_a_broken_request_is_refused(servers, tally, vendor):
    good = recorded(servers(vendor), vendor, BROKEN[vendor][0])
    assert violations(servers(vendor), good, good["value"]) == []
    for way, places in BROKEN[vendor][1].items():
        for place in places:
            found = violations(servers(vendor), good, broken(good["value"], place, way))
            assert found, f"{vendor}: nobody noticed {way} of {'/'.join(place)}"
            tally.refused.add(f"{vendor} {way} {'/'.join(place)}")


@pytest.mark.parametrize("vendor", BROKEN)
def test_an_unknown_address_and_a_missing_key_are_refused(servers, tally, vendor):
    server = servers(vendor)
    good = recorded(server, vendor, BROKEN[vendor][0])
    with pytest.raises(LookupError):
        server.c.check_request(good["method"], good["path"] + "/elsewhere/it/is", [], good["headers"], b"")
    tally.refused.add(f"{vendor} address")
    if server.c.auth:
        nameless = {name: value for name, value in good["headers"].items() if name != "authorization"}
        assert violations(server, good | {"headers": nameless}, good["value"])
        tally.refused.add(f"{vendor} authorization")


def recorded(server: Any, vendor: str, name: str) -> dict[str, Any]:
    """The request our client really makes for an operation."""
    (operation,) = [one for one in OPERATIONS if (one.description, one.name) == (vendor, name)]
    server.calls.clear()
    server.violations.clear()
    operation.call(server.url)
    return [call for call in server.calls if call["method"] == "POST"][-1]


def violations(server: Any, good: dict[str, Any], value: Any) -> list[str]:
    is_form = str(good["ctype"]).startswith("application/x-www-form")
    body = urlencode(value, doseq=True).encode() if is_form else json.dumps(value).encode()
    return list(server.c.check_request(good["method"], good["path"], good["query"], good["headers"], body)[4])


def broken(value: Any, place: tuple[str, ...], way: str) -> Any:
    """The body without a field, with a field of another type, or with its name misspelt."""
    spoilt = copy.deepcopy(value)
    inside = spoilt
    for step in place[:-1]:
        inside = inside[int(step)] if isinstance(inside, list) else inside[step]
    name = place[-1]
    if way == "drop":
        del inside[name]
    elif way == "type":
        inside[name] = "not a number" if isinstance(inside[name], int | bool) else 12345
    else:
        inside[f"{name}_typo"] = inside.pop(name)
    return spoilt

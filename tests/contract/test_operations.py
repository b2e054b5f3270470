"""Every operation we call, through the real client, against the vendor's own description of its API.

What this shows: our requests conform to what the vendor publishes, and to the rules its server's file names. It does
not show that the live service accepts them.
"""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from supportdesk import integrations
from supportdesk.integrations.incidentio_client import IncidentIoClient
from supportdesk.integrations.jira_client import JiraClient
from supportdesk.integrations.pagerduty_client import PagerDutyEvents, PagerDutyRest
from supportdesk.integrations.statuspage_client import StatuspageClient
from tests.contract.operations import OPERATIONS, UNDESCRIBED, Operation

VERBS = (".create", ".fetch", ".list", ".stream", ".update", ".delete")  # what Twilio's client sends a request for
PLACE = Path(integrations.__file__).parent
CLIENTS = {
    "pd_events": PagerDutyEvents,
    "pd_rest": PagerDutyRest,
    "jira": JiraClient,
    "statuspage": StatuspageClient,
    "incidentio": IncidentIoClient,
}


@pytest.mark.parametrize("operation", OPERATIONS, ids=str)
def test_an_operation_conforms(servers, tally, operation: Operation):
    if str(operation) in UNDESCRIBED:
        tally.undescribed.add(str(operation))
        assert operation.name not in {path.strip("/") for path in servers(operation.description).c.doc["paths"]}
        return
    server = servers(operation.description)
    server.calls.clear()
    server.violations.clear()
    tally.called.add(str(operation))
    operation.call(server.url)
    assert server.calls, f"{operation} asked nothing"
    assert server.violations == []
    tally.conforming.add(str(operation))


def test_no_operation_is_listed_twice():
    names = [str(operation) for operation in OPERATIONS]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("description", CLIENTS)
def test_every_method_of_a_client_is_exercised(description):
    methods = {name for name, _ in inspect.getmembers(CLIENTS[description], callable) if not name.startswith("_")}
    assert methods == named(description)


def test_every_slack_method_is_exercised():
    assert set(slack_methods()) <= named("slack")


def test_every_twilio_request_is_exercised():
    assert set(twilio_requests()) == named("twilio")


def named(description: str) -> set[str]:
    return {operation.name for operation in OPERATIONS if operation.description == description}


def calls(*names: str) -> Iterator[ast.Call]:
    """The calls in the files of a vendor."""
    for path in sorted(path for name in names for path in PLACE.rglob(f"{name}*.py")):
        yield from (node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call))


def slack_methods() -> Iterator[str]:
    """`client.call("chat.postMessage", …)`: Slack's methods, which are always named by a plain string."""
    for node in calls("slack"):
        if isinstance(node.func, ast.Attribute) and node.func.attr == "call":
            assert isinstance(node.args[0], ast.Constant), f"line {node.lineno}: name Slack's method by a plain string"
            yield str(node.args[0].value)


def twilio_requests() -> Iterator[str]:
    """`client.calls.create(…)`: whatever is asked of Twilio's client, without arguments on the way."""
    for node in calls("twilio", "phone", "sms"):
        written = ast.unparse(node.func)
        if written.startswith("client.") and written.endswith(VERBS):
            yield re.sub(r"\(.*?\)", "", written.removeprefix("client."))

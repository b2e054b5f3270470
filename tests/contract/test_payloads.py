"""What vendors send us: each recorded request has one test here, signed as its vendor signs it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from supportdesk import integrations
from supportdesk.integrations.base import Reply, Request
from tests.contract import specs
from tests.fakes.incidentio import FakeIncidentIo
from tests.fakes.jira import FakeJira
from tests.fakes.pagerduty import FakePagerDuty

PREFIXES = ("pagerduty__", "jira__", "statuspage__", "incidentio__")
FILES = specs.payloads(*PREFIXES)
SECRET = "secret-of-the-test"
FIELDS = {"webhook_secret": SECRET, "page_id": "ours"}

# verb, subject and words of what each asks of us; None where it is accepted and left alone.
ALERT = ("alert", "", "db down")
EXPECTED: dict[str, tuple[str, str, str] | None] = {
    "incidentio__private_incident.incident_created_v2.vendor": ("reread", "abc123", ""),
    "incidentio__private_incident.incident_updated_v2.vendor": ("reread", "abc123", ""),
    "incidentio__public_alert.alert_created_v1.vendor": None,
    "incidentio__public_alert.alert_resolved_v1.vendor": None,
    "incidentio__public_escalation.escalation_created_v1.vendor": None,
    "incidentio__public_escalation.escalation_status_updated_v1.vendor": None,
    "incidentio__public_incident.action_created_v1.vendor": None,
    "incidentio__public_incident.follow_up_created_v2.vendor": None,
    "incidentio__public_incident.incident_created_v2.vendor": ("reread", "01FDAG4SAP5TYPT98WGR2N7W91", ""),
    "incidentio__public_incident.incident_status_updated_v2.vendor": ("reread", "01FDAG4SAP5TYPT98WGR2N7W91", ""),
    "incidentio__public_incident.incident_updated_v2.vendor": ("reread", "01FDAG4SAP5TYPT98WGR2N7W91", ""),
    "incidentio__schedule.shift_change_v1.vendor": None,
    "jira__comment_created.derived": ("note", "OPS-1", "looking"),
    "jira__issue_updated.derived": ("taken", "OPS-1", ""),
    "pagerduty__v3_incident.acknowledged.derived": ("acknowledge", "desk-42", ""),
    "pagerduty__v3_incident.annotated.derived": ("note", "PGR0VU2", "restarting"),
    "pagerduty__v3_incident.reassigned.derived": None,
    "pagerduty__v3_incident.resolved.derived": ("resolve_hint", "desk-42", ""),
    "pagerduty__v3_incident.triggered.derived": ("delivery_status", "desk-42", ""),
    "pagerduty__v3_service.updated_nulls.derived": None,
    "statuspage__incident_webhook.derived": ALERT,
}


def _unsigned(body: bytes, *, secret: str) -> dict[str, str]:
    return {}


@pytest.fixture(scope="module")
def signers() -> Any:
    """How each vendor signs; the fakes know it, and none of them has to listen for that."""
    fakes = FakePagerDuty(), FakeJira(), FakeIncidentIo()
    known: dict[str, Callable[..., dict[str, str]]] = {fake.name: fake.signed for fake in fakes}
    yield known | {"statuspage": _unsigned}
    for fake in fakes:
        fake.close()


def replies(path: Path, signers: dict[str, Callable[..., dict[str, str]]]) -> list[Reply]:
    vendor, body = path.name.partition("__")[0], json.dumps(specs.payload(path)).encode()
    headers = {name.lower(): value for name, value in signers[vendor](body, secret=SECRET).items()}
    integration = integrations.get(vendor)(FIELDS, callback_url=f"https://desk.example/hooks/{vendor}/c0de/")
    request = Request("POST", integration.callback_url, "", headers, body)
    found = integration.receive(request)
    assert integration.answer(request, []).status in (200, 202)
    return found


@pytest.mark.skipif(not FILES, reason=f"{specs.PAYLOADS} holds no recorded requests")
def test_every_recorded_request_has_a_test():
    assert {path.stem for path in FILES} == set(EXPECTED)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_recorded_request(path, signers):
    found = [(reply.verb, reply.subject, reply.text) for reply in replies(path, signers)]
    assert found == ([EXPECTED[path.stem]] if EXPECTED[path.stem] else [])

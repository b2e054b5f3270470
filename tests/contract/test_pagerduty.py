"""What we send to PagerDuty conforms to PagerDuty's own description of its Events API."""

from __future__ import annotations

import pytest

from supportdesk.integrations.pagerduty import PagerDuty
from tests.contract.conftest import message


@pytest.fixture
def pagerduty(described):
    return PagerDuty({"routing_key": "R" * 32}, base_url=described("pd_events").url, timeout=5.0)


@pytest.mark.parametrize("action", ["trigger", "acknowledge", "resolve"])
@pytest.mark.parametrize("url", ["https://desk.example/console/incidents/42/", ""])
def test_an_event(pagerduty, action, url):
    assert pagerduty.send(message(action=action, url=url)).id


@pytest.mark.parametrize("severity", ["P1", "P2", "P3", "P4", ""])
def test_every_severity(pagerduty, severity):
    assert pagerduty.send(message(facts={"severity": severity})).id

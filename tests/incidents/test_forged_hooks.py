"""Spoilt requests at the real door: none accepted, none answered with 5xx, nothing stored."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from django.test import Client

from supportdesk import integrations
from supportdesk.integrations.models import Connection
from supportdesk.queue.models import InboundEvent
from tests.supportdesk.integrations.test_signatures import MUTATIONS, VENDORS, Sent, authentic

NOT_A_HEADER = ("\r", "\n", "\x00", "\ud800", "\U0001f600", "ä")  # no web server lets these through


@pytest.fixture
def connected(world):
    for vendor in ("jira", "incidentio"):
        row = Connection(vendor=vendor, name=vendor)
        row.set_values(world.fakes.values(vendor))
        row.save()
        world.rows.connections[vendor] = row
    world.fakes.hooks(world.hook)
    return world


@pytest.mark.parametrize("vendor", VENDORS)
def test_forty_spoilt_requests_at_the_door(connected, vendor):
    def connect(slug):
        values = Connection.objects.get(vendor=slug).values
        address = {"base_url": connected.fakes.base_urls()[slug], "callback_url": connected.hook(slug)}
        return integrations.get(slug)(values, **address)

    sent = authentic(connected.fakes, vendor, connect)
    stored = InboundEvent.objects.count()
    answers = {name: at_the_door(mutate(sent, vendor, connected.fakes)) for name, mutate in MUTATIONS.items()}
    assert len(answers) == 40
    assert {status for status in answers.values() if status} <= {400, 401, 413}, answers
    assert InboundEvent.objects.count() == stored


def at_the_door(sent: Sent) -> int:
    """The status; 0 where the request is none that could arrive."""
    if any(bad in value for value in sent.headers.values() for bad in NOT_A_HEADER):
        return 0
    there = urlsplit(sent.url)
    headers = {name: value for name, value in sent.headers.items() if name != "Content-Type"}
    kind = sent.headers.get("Content-Type", "application/octet-stream")
    path = there.path + (f"?{there.query}" if there.query else "")
    return int(Client().generic("POST", path, data=sent.body, content_type=kind, headers=headers).status_code)

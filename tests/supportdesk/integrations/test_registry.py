"""The registry finds every integration by its file's name, and loads a vendor's client only when asked."""

from __future__ import annotations

import subprocess
import sys

import pytest

from supportdesk import integrations
from supportdesk.integrations.base import Integration

WRITTEN_SO_FAR = {"alertmanager", "email", "incidentio", "jira", "pagerduty", "phone", "slack", "sms", "statuspage"}


def test_every_file_with_an_integration_is_found():
    assert {one.slug for one in integrations.all()} >= WRITTEN_SO_FAR


@pytest.mark.parametrize("slug", sorted(WRITTEN_SO_FAR))
def test_an_integration_is_found_by_its_name(slug):
    assert integrations.get(slug).slug == slug


@pytest.mark.parametrize("name", ["", "base", "kinds", "carrier-pigeon", "../slack", "twilio_client"])
def test_what_is_not_an_integration_is_not_found(name):
    with pytest.raises(LookupError):
        integrations.get(name)


def test_choices_are_what_a_form_offers():
    assert ("slack", "Slack") in integrations.choices()


@pytest.mark.parametrize("integration", integrations.all(), ids=lambda one: one.slug)
def test_an_integration_declares_what_the_connect_form_needs(integration: type[Integration]):
    names = [field.name for field in integration.fields]
    assert integration.label
    assert all(field.label and field.name.isidentifier() for field in integration.fields)
    assert len(names) == len(set(names))
    assert integration.address_label or not integration.kinds


def test_importing_the_registry_loads_no_vendor():
    vendors = "('slack_sdk', 'twilio', 'pdpyras', 'requests', 'jira', 'httpx')"
    asked = f"import sys, supportdesk.integrations; print([n for n in {vendors} if n in sys.modules])"
    said = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True, timeout=30)
    assert said.stdout.strip() == "[]"

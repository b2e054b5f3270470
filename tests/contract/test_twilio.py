"""What we send to Twilio conforms to Twilio's own description of its API."""

from __future__ import annotations

import pytest

from supportdesk.integrations.phone import Phone
from supportdesk.integrations.sms import Sms
from tests.contract.conftest import message

ACCOUNT = {"account_sid": "AC" + "0" * 32, "auth_token": "secret", "from_number": "+15005550001"}
BOB = "+15005550006"


def connected(kind, described, **values):
    return kind(
        ACCOUNT | values,
        base_url=described("twilio").url,
        callback_url="https://desk.example/hooks/x/c0de/",
        timeout=5.0,
    )


@pytest.mark.parametrize("detection", ["on", "off"])
def test_a_call(described, detection):
    receipt = connected(Phone, described, machine_detection=detection).send(message(to=BOB))
    assert receipt.id.startswith("CA")


@pytest.mark.parametrize("sender", ["+15005550001", "MG" + "1" * 32])
def test_a_text(described, sender):
    receipt = connected(Sms, described, from_number=sender).send(message(to=BOB))
    assert receipt.id.startswith("SM")


@pytest.mark.parametrize("kind", [Phone, Sms])
def test_the_check(described, kind):
    assert connected(kind, described).check().startswith("Connected to")

"""Slack's and Twilio's own requests, one test each: read as they are, signed as their vendor signs them."""

from __future__ import annotations

import json
from urllib.parse import parse_qsl, urlencode

import pytest

from tests.contract import specs
from tests.supportdesk.integrations.conftest import PUBLIC, Door

FILES = specs.payloads("slack__", "twilio__")
# What each asks of us: verb and subject; None where it is accepted and left alone.
EXPECTED = {
    "slack__block_actions.derived": ("ack", "desk-42"),
    "slack__event_callback_message.derived": ("message", "C111"),
    "slack__slash_command.derived": ("message", "C111"),
    "slack__url_verification.derived": None,
    "slack__view_submission.derived": ("submit", "open-incident"),
    "twilio__call_status_busy.derived": ("delivery_status", "k"),
    "twilio__call_status_completed.derived": ("delivery_status", "k"),
    "twilio__call_status_failed.derived": ("delivery_status", "k"),
    "twilio__call_status_no-answer.derived": ("delivery_status", "k"),
    "twilio__gather_digits_1.derived": None,
    "twilio__sms_inbound.derived": ("acknowledge", "INC-42"),
    "twilio__sms_status_delivered.derived": ("delivery_status", "k"),
    "twilio__sms_status_undelivered.derived": ("delivery_status", "k"),
    "twilio__voice_amd_machine.derived": ("delivery_status", "k"),
    "twilio__voice_request.derived": None,  # our own call's, which says everything at once
}
IN_FORMS = ("slack__block_actions", "slack__view_submission")
QUERIES = {"call_status": "?key=k", "gather": "?key=k&token=t&turn=1", "sms_status": "?key=k", "voice_amd": "?key=k"}


def test_every_sample_is_expected():
    if not FILES:
        pytest.skip(specs.ABSENT)
    assert {path.stem for path in FILES} == set(EXPECTED)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_sample_is_read(path, fakes, connect):
    door, answer = _ask(path, fakes, connect)
    assert answer.status == 200
    found = [(reply.verb, reply.subject) for reply in door.replies]
    expected = EXPECTED[path.stem]
    if expected is None:
        assert found == []
    else:
        ((verb, subject),) = found
        assert verb == expected[0]
        assert expected[1] in (None, subject)


@pytest.mark.parametrize("path", [p for p in FILES if "url_verification" in p.stem], ids=lambda path: path.stem)
def test_slack_gets_its_challenge_back(path, fakes, connect):
    _, answer = _ask(path, fakes, connect)
    assert answer.body == json.loads(path.read_text())["challenge"]


def _ask(path, fakes, connect):
    vendor, _, what = path.stem.partition("__")
    body = path.read_bytes()
    if vendor == "slack":
        door, kind = Door(connect("slack")), "application/json"
        fields = json.loads(body)
        if path.stem.startswith(IN_FORMS):
            body, kind = urlencode({"payload": json.dumps(fields)}).encode(), "application/x-www-form-urlencoded"
        elif "command" in fields:
            body, kind = urlencode(fields).encode(), "application/x-www-form-urlencoded"
        return door, fakes.slack.post(body, kind, door)
    slug = "sms" if what.startswith("sms") else "phone"
    fields = _fields(body)
    query = next((value for prefix, value in QUERIES.items() if what.startswith(prefix)), "")
    door = Door(connect(slug))
    return door, getattr(fakes, slug).post(f"{PUBLIC}/hooks/{slug}/c0de/{query}", fields, door)


def _fields(body):
    try:
        return {name: str(value) for name, value in json.loads(body).items()}
    except ValueError:
        return dict(parse_qsl(body.decode(), keep_blank_values=True))

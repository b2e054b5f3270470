"""Well-proved and odd: what no database can hold. It is taken or refused, never a 5xx, and what is taken is kept."""

from __future__ import annotations

import base64
import json

import pytest

from incidents.models import Alert
from supportdesk.integrations import inbound
from supportdesk.integrations.base import IntegrationError, Receipt, Reply
from supportdesk.integrations.email import Email
from supportdesk.integrations.models import Connection
from supportdesk.plain import storable
from supportdesk.queue import inbox
from supportdesk.queue.models import Delivery, InboundEvent

HALF, NULL = "\ud800", "a\x00b"
ALARM = {"key": "k", "status": "firing", "severity": "critical", "title": "t", "at": "2026-11-29T08:00:00Z"}


@pytest.fixture
def post(world, client):
    """A call to one vendor's door, well-proved."""

    def post(vendor, body, headers=None, kind="application/json", **values):
        line = Connection.objects.filter(vendor=vendor).first() or Connection(vendor=vendor, name=vendor)
        line.set_values({**(line.values if line.pk else {}), **values})
        line.save()
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        answer = client.generic(
            "POST", f"/hooks/{vendor}/{line.code}/", content, content_type=kind, headers=headers or {}
        )
        world.settle()
        return answer

    return post


def failed():
    return list(InboundEvent.objects.exclude(error=""))


@pytest.mark.parametrize("field", ["key", "title", "service", "group", "description", "url", "organization"])
def test_half_a_character_loses_no_alarm(world, post, field):
    assert post("generic", ALARM | {field: f"{HALF}x"}).status_code == 202
    assert Alert.objects.filter(signal__title__in=["t", "?x"]).count() == 1
    assert failed() == []


@pytest.mark.parametrize("name", [HALF, NULL, "\u202e", "x" * 5_000])
def test_odd_names_of_labels_lose_no_alarm(world, post, name):
    assert post("generic", ALARM | {"labels": {name: "v"}}).status_code == 202
    assert failed() == []


def test_half_a_character_within_the_text_of_a_message_of_sns_is_read(world, post, monkeypatch):
    from supportdesk.integrations.cloudwatch import CloudWatch

    monkeypatch.setattr(CloudWatch, "_verify", lambda integration, request: None)  # as if Amazon had signed it
    said = {"Type": "Notification", "MessageId": "1", "Timestamp": "2026-11-29T08:00:00Z", "Message": HALF}
    topic = "arn:aws:sns:eu-west-1:123456789012:desk"
    assert post("cloudwatch", said, topic_arn=topic).status_code == 202
    never = json.dumps({"AlarmName": "x", "NewStateValue": "ALARM", "StateChangeTime": "0001-01-01T00:00:00Z"})
    refused = post("cloudwatch", said | {"MessageId": "2", "Message": never}, topic_arn=topic)
    assert (refused.status_code, failed()) == (400, [])


@pytest.mark.parametrize("at", ["9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00Z", "2026-01-01T00:00:00", "tomorrow"])
def test_a_time_nobody_can_be_in_is_refused_by_name_and_sets_nothing_aside(world, post, at):
    incident = {"id": "i9", "name": "db down", "status": "investigating", "updated_at": at}
    said = {"page": {"id": "elsewhere"}, "incident": incident}
    answer = post("statuspage", said, **world.fakes.statuspage.values)
    assert answer.status_code == 400
    assert "updated_at" in answer.content.decode()
    assert failed() == []


def test_half_a_character_from_slack_pagerduty_and_jira_is_no_5xx(world, post):
    slack, pagerduty, jira = world.fakes.slack, world.fakes.pagerduty, world.fakes.jira
    event = {"event": {"id": HALF, "event_type": "incident.acknowledged", "data": {"incident_key": "supportdesk-1"}}}
    content = json.dumps(event).encode()
    assert post("pagerduty", content, pagerduty.signed(content), **pagerduty.values).status_code == 202
    typed = {"type": "event_callback", "event_id": HALF, "event": {"type": "message", "channel": HALF, "text": HALF}}
    content = json.dumps(typed | {"team_id": "T111"}).encode()
    assert post("slack", content, slack.signed(content)).status_code < 500
    note = {"webhookEvent": "comment_created", "issue": {"key": "OPS-4"}}
    note["comment"] = {"id": "1", "author": {"accountId": "5", "displayName": HALF}, "body": HALF}
    content = json.dumps(note).encode()
    signed = jira.signed(content) | {"X-Atlassian-Webhook-Identifier": HALF.encode("utf-8", "replace").decode()}
    assert post("jira", content, signed, **jira.values).status_code == 200
    assert failed() == []


MAILS = [
    "From: =?utf-8?B?////?= <a@b.example>\nSubject: =?utf-8?q?=00?=\n\nx",
    "From: a@xn--\u00ff.example\nSubject: x\n\nx",
    "From: a@b.example\nAuto-Submitted: \x00\nSubject: x\n\nx",
    "From: a@b.example\nTo: desk+99999999999999999999.aaaaaaaaaaaaaaaa@desk.example\n\nx",
    "From: a@b.example\nDate: Mon, 99 Foo 99999 99:99:99 +9999\nContent-Type: text/plain; charset=nonsense\n\nx",
]


@pytest.mark.parametrize("mail", MAILS, ids=ascii)
def test_odd_mail_is_kept_and_processed(world, post, mail):
    values = {"address": "desk@desk.example", "provider": "postmark", "webhook_secret": "desk:s3cret"}
    proof = {"Authorization": "Basic " + base64.b64encode(b"desk:s3cret").decode()}
    assert post("mail_in", {"RawEmail": mail}, proof, **values).status_code == 200
    assert [event.state for event in InboundEvent.objects.filter(verb="mail")] == ["done"]
    assert failed() == []


@pytest.mark.parametrize("kind", ["multipart/form-data", "application/x-www-form-urlencoded", "application/json"])
@pytest.mark.parametrize("body", [b"", b"[1]", b"\xff", b"{"])
def test_a_body_that_is_none_is_refused_at_the_door_of_mail(world, post, kind, body):
    values = {"address": "desk@desk.example", "provider": "mailgun", "webhook_secret": "key"}
    assert 400 <= post("mail_in", body, kind=kind, **values).status_code < 500


def test_what_a_failure_says_can_be_kept(world, monkeypatch):
    """Three times, and then where the auditor and the back office show it: the words of the failure are odd as well."""
    from incidents.hooks import applying

    def breaks(connection, reply):
        raise RuntimeError(f"{NULL}{HALF}")

    monkeypatch.setattr(applying.log, "disabled", True)  # a report with half a character ends a process of the tests
    monkeypatch.setitem(applying.VERBS, "alert", breaks)
    line = world.rows.connections["alertmanager"]
    inbox.store(line, [Reply("alert", HALF, NULL, NULL)])
    for _ in range(3):
        InboundEvent.objects.update(due_at=world.now)
        world.settle()
    event = InboundEvent.objects.get()
    assert (event.state, event.error) == ("quarantined", "RuntimeError: ab?")
    event.delete()


@pytest.mark.parametrize("odd", [NULL, HALF])
def test_a_vendors_odd_answer_is_no_second_message(world, alice, bob, monkeypatch, odd):
    sent = []
    monkeypatch.setattr(Email, "send", lambda *given: sent.append(1) or Receipt(f"<{odd}>", {"status": odd}))
    alice.reports("Checkout is down")
    assert {row.attempts for row in Delivery.objects.filter(vendor="email")} == {1}
    assert {row.state for row in Delivery.objects.filter(vendor="email")} == {"sent"}
    assert len(sent) == Delivery.objects.filter(vendor="email").count()


def test_a_vendors_odd_refusal_can_be_kept():
    assert IntegrationError(f"no {NULL}{HALF}").detail == "no ab?"


def test_only_what_cannot_be_stored_is_changed():
    assert storable({NULL: ["ü", HALF, ("\U0001f600", 1, None)]}) == {"ab": ["ü", "?", ("\U0001f600", 1, None)]}
    assert inbound.json_object(b'\xef\xbb\xbf{"a": "\\\\ud800", "b": "\\ud83d\\ude00"}') == {"a": "\\ud800", "b": "😀"}

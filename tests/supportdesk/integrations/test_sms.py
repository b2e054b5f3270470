"""Texts: short, reported on, and answered with a few words."""

from __future__ import annotations

import pytest

from supportdesk.integrations.base import IntegrationError
from supportdesk.integrations.sms import HELP
from tests.supportdesk.integrations.conftest import Door, page

BOB = "+491701234567"


@pytest.fixture
def sms(connect):
    return connect("sms")


def test_bob_gets_a_text(fakes, sms):
    receipt = sms.send(page(to=BOB, text="P1 Acme: Checkout is down. Answer ACK 42."))
    (text,) = fakes.sms.to(BOB)
    assert text.body == "P1 Acme: Checkout is down. Answer ACK 42."
    assert text.callback == "https://desk.example/hooks/sms/c0de/?key=page%3AINC-42%3A1%3Abob"
    assert (receipt.id, receipt.settled) == (text.sid, False)


@pytest.mark.parametrize("length", [319, 320, 321, 5_000])
def test_a_long_text_is_cut_to_two_parts(fakes, sms, length):
    sms.send(page(to=BOB, text="x" * length))
    body = fakes.sms.to(BOB)[0].body
    assert len(body) == min(length, 320)
    assert body.endswith("...") == (length > 320)


def test_a_messaging_service_may_choose_the_number(fakes, connect):
    connect("sms", from_number="MG" + "1" * 32).send(page(to=BOB))
    assert fakes.sms.seen[0].data["MessagingServiceSid"] == "MG" + "1" * 32
    assert "From" not in fakes.sms.seen[0].data


def test_somebody_who_sent_stop_cannot_be_reached_this_way(fakes, sms):
    fakes.sms.stopped.add(BOB)
    with pytest.raises(IntegrationError, match="21610") as caught:
        sms.send(page(to=BOB))
    assert caught.value.permanent


@pytest.mark.parametrize("number", ["", "0170 1234567", "bob"])
def test_what_is_no_number_is_not_texted(fakes, sms, number):
    with pytest.raises(IntegrationError, match="not a phone number"):
        sms.send(page(to=number))
    assert fakes.sms.seen == []


@pytest.mark.parametrize(("status", "failed"), [("delivered", False), ("undelivered", True), ("failed", True)])
def test_what_became_of_a_text_is_told_under_our_key(fakes, sms, status, failed):
    door = Door(sms)
    sms.send(page(to=BOB))
    answer = fakes.sms.status(fakes.sms.texts[0], status, door, error="30003" if failed else "")
    (reply,) = door.replies
    assert (reply.verb, reply.subject, reply.sender) == ("delivery_status", "page:INC-42:1:bob", BOB)
    assert (reply.data["failed"], reply.data["final"]) == (failed, True)
    assert reply.data["error"] == ("30003" if failed else "")
    assert "<Message>" not in answer.body


@pytest.mark.parametrize("status", ["queued", "sending", "sent", "accepted"])
def test_a_text_on_its_way_is_no_news(fakes, sms, status):
    door = Door(sms)
    sms.send(page(to=BOB))
    fakes.sms.status(fakes.sms.texts[0], status, door)
    assert door.replies == []


@pytest.mark.parametrize(
    ("typed", "verb", "subject", "rest"),
    [
        ("ACK 42", "acknowledge", "INC-42", ""),
        ("ack 42", "acknowledge", "INC-42", ""),
        ("  Ack   42 ", "acknowledge", "INC-42", ""),
        ("Ack42", "acknowledge", "INC-42", ""),
        ("ack inc-42", "acknowledge", "INC-42", ""),
        ("ACK INC 42", "acknowledge", "INC-42", ""),
        ("ack #42.", "acknowledge", "INC-42", "."),
        ("acknowledge 42 on my way", "acknowledge", "INC-42", "on my way"),
        ("ACK\n042", "acknowledge", "INC-42", ""),
        ("ESC 42", "escalate", "INC-42", ""),
        ("escalate 7", "escalate", "INC-7", ""),
    ],
)
def test_a_command_by_text_is_a_verb(fakes, sms, typed, verb, subject, rest):
    door = Door(sms, text="INC-42: you have it.")
    answer = fakes.sms.reply(BOB, typed, door)
    (reply,) = door.replies
    assert (reply.verb, reply.subject, reply.sender, reply.text) == (verb, subject, BOB, rest)
    assert "<Message>INC-42: you have it.</Message>" in answer.body


@pytest.mark.parametrize(
    "typed", ["HELP", "help", "ack", "ack now", "42", "", "back 42", "ackk 42", "resolve 42", "STOP"]
)
def test_anything_else_is_answered_with_how_to_say_it(fakes, sms, typed):
    door = Door(sms)
    answer = fakes.sms.reply(BOB, typed, door)
    assert door.replies == []
    assert f"<Message>{HELP}</Message>" in answer.body


@pytest.mark.parametrize("typed", [HELP, "I am out of the office until Monday and read no messages."])
def test_machines_are_not_answered_for_ever(fakes, sms, typed):
    answer = fakes.sms.reply(BOB, typed, Door(sms))
    assert "<Message>" not in answer.body


def test_a_very_large_number_is_no_incident(fakes, sms):
    door = Door(sms)
    fakes.sms.reply(BOB, "ACK 1234567890123", door)
    assert door.replies == []


def test_words_of_ours_are_escaped(fakes, sms):
    answer = fakes.sms.reply(BOB, "ACK 42", Door(sms, text="<Redirect>https://evil.example</Redirect> & more"))
    assert "<Redirect>" not in answer.body


def test_the_check_texts_nobody(fakes, sms):
    assert sms.check() == "Connected to the Twilio account Fake (active)."
    assert fakes.sms.texts == []

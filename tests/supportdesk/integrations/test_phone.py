"""Calls: they ring, speak and take a digit. Nothing but a digit acknowledges."""

from __future__ import annotations

import pytest

from supportdesk.integrations.base import BadPayload, IntegrationError
from supportdesk.integrations.phone import GOODBYE, MENU, TURNS, UNCONFIRMED
from tests.supportdesk.integrations.conftest import Door, page

BOB = "+491701234567"


@pytest.fixture
def phone(connect):
    return connect("phone")


@pytest.fixture
def call(fakes, phone):
    phone.send(page(to=BOB))
    return fakes.phone.calls[-1]


# --- ringing ---------------------------------------------------------------------------------------------------------


def test_bobs_phone_rings_and_speaks(fakes, phone):
    receipt = phone.send(page(to=BOB))
    (call,) = fakes.phone.to(BOB)
    assert call.words == "Emergency support. Priority one for Acme. Checkout is down."
    assert receipt.id == call.sid
    assert receipt.settled is False


def test_an_early_key_counts_and_silence_is_reported(call):
    gather = call.gather
    assert [part.tag for part in call.document] == ["Gather"]
    assert gather.get("numDigits") == "1"
    assert gather.get("actionOnEmptyResult") == "true"
    assert gather.get("method") == "POST"


def test_the_call_stops_ringing_before_voicemail_answers(call):
    assert call.options["Timeout"] == "25"


def test_every_end_of_the_call_is_reported_to_us(call):
    assert call.options["StatusCallback"] == "https://desk.example/hooks/phone/c0de/?key=page%3AINC-42%3A1%3Abob"
    assert call.options["StatusCallbackEvent"] == "completed"
    assert "MachineDetection" not in call.options


@pytest.mark.parametrize(
    "words",
    [
        "a < b & c > d",
        "</Say><Hangup/>",
        "]]>",
        "<!DOCTYPE x>",
        "a\x00b\x08c\x0b",
        "\ufffe\uffff",
        "\ud800",
        "é 🔥",
        "x" * 9_000,
    ],
    ids=ascii,
)
def test_any_words_are_spoken_and_none_become_instructions(fakes, phone, words):
    phone.send(page(to=BOB, text=words))
    call = fakes.phone.calls[-1]
    assert [part.tag for part in call.document.iter()] == ["Response", "Gather", "Say"]
    assert len(call.words) <= 700


@pytest.mark.parametrize(
    "number", ["", "0170 1234567", "+49", "+491701234567\n", "+49170123456789012", "bob", "sip:bob@x"]
)
def test_what_is_no_number_is_not_dialled(fakes, phone, number):
    with pytest.raises(IntegrationError, match="not a phone number") as caught:
        phone.send(page(to=number))
    assert caught.value.permanent
    assert fakes.phone.seen == []


def test_without_an_address_to_report_to_nothing_is_dialled(fakes, phone):
    phone.callback_url = ""
    with pytest.raises(IntegrationError, match="no public address"):
        phone.send(page(to=BOB))
    assert fakes.phone.seen == []


def test_after_an_ambiguous_failure_a_second_ring_is_better_than_silence(fakes, phone):
    fakes.phone.next(drop="after")
    with pytest.raises(IntegrationError) as caught:
        phone.send(page(to=BOB))
    assert caught.value.ambiguous
    assert phone.find(page(to=BOB)) is None


def test_the_check_rings_nobody(fakes, phone):
    assert phone.check() == "Connected to the Twilio account Fake (active)."
    assert fakes.phone.calls == []


def test_twilio_settings_of_the_machine_do_not_lead_elsewhere(fakes, phone, monkeypatch):
    monkeypatch.setenv("TWILIO_EDGE", "sydney")
    monkeypatch.setenv("TWILIO_REGION", "au1")
    assert phone.send(page(to=BOB)).id


# --- keys ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("digit", "verb"), [("4", "acknowledge"), ("6", "escalate")])
def test_a_digit_is_a_verb_and_its_outcome_is_spoken(fakes, phone, call, digit, verb):
    door = Door(phone, text="You have I N C 42.")
    answer = fakes.phone.press(call, digit, door)
    reply = door.replies[0]
    assert (reply.verb, reply.subject, reply.sender) == (verb, "signed-token-for-bob", BOB)
    assert reply.data == {"call": call.sid, "delivery": "page:INC-42:1:bob"}
    assert answer.content_type.startswith("text/xml")
    assert call.heard[-1] == "You have I N C 42."
    assert call.gather is None


def test_nine_says_the_words_again_and_still_listens(fakes, phone, call):
    door = Door(phone, text="Emergency support. Once more.")
    fakes.phone.press(call, "9", door)
    fakes.phone.press(call, "9", door)
    fakes.phone.press(call, "4", door)
    assert [reply.verb for reply in door.replies][:3] == ["repeat", "repeat", "acknowledge"]
    assert call.heard[1] == "Emergency support. Once more."
    assert len({reply.key for reply in door.replies}) == len(door.replies)


def test_nine_on_a_page_that_is_over_says_so_and_hangs_up(fakes, phone, call):
    fakes.phone.press(call, "9", Door(phone, text="This page is no longer valid.", result="unknown"))
    assert call.heard[-1] == "This page is no longer valid."
    assert call.gather is None


@pytest.mark.parametrize("digit", ["0", "1", "2", "3", "5", "7", "8", "*", "#", "44", "４"])
def test_any_other_key_does_nothing_but_name_the_keys(fakes, phone, call, digit):
    door = Door(phone)
    fakes.phone.press(call, digit, door)
    assert door.replies == []
    assert call.heard[-1] == MENU
    fakes.phone.press(call, "4", door)
    assert door.replies[0].verb == "acknowledge"


def test_a_machine_that_keeps_pressing_keys_is_hung_up_on(fakes, phone, call):
    door = Door(phone)
    for _ in range(TURNS):
        fakes.phone.press(call, "1", door)
    assert call.heard[-1] == GOODBYE
    assert [reply.data["status"] for reply in door.replies] == ["completed"]


def test_a_key_without_an_outcome_is_never_met_with_silence(fakes, phone, call):
    fakes.phone.press(call, "4", Door(phone, text=""))
    assert call.heard[-1] == UNCONFIRMED


# --- nothing but a digit acknowledges --------------------------------------------------------------------------------


def test_voicemail_that_picks_up_and_says_nothing_acknowledges_nothing(fakes, phone, call):
    door = Door(phone)
    fakes.phone.silence(call, door)
    assert [(reply.verb, reply.data["status"]) for reply in door.replies] == [
        ("delivery_status", "no-input"),
        ("delivery_status", "completed"),
    ]
    assert door.replies[0].data["failed"] is True
    assert call.heard[-1] == GOODBYE


@pytest.mark.parametrize("status", ["busy", "no-answer", "failed", "canceled"])
def test_a_call_that_reached_nobody_says_so_under_our_key(fakes, phone, call, status):
    door = Door(phone)
    answer = fakes.phone.status(call, status, door)
    (reply,) = door.replies
    assert (reply.verb, reply.subject, reply.sender) == ("delivery_status", "page:INC-42:1:bob", BOB)
    assert (reply.data["status"], reply.data["failed"], reply.data["final"]) == (status, True, True)
    assert answer.status == 200


def test_a_completed_call_is_neither_reached_nor_failed(fakes, phone, call):
    door = Door(phone)
    fakes.phone.status(call, "completed", door)
    (reply,) = door.replies
    assert (reply.verb, reply.data["failed"], reply.data["final"]) == ("delivery_status", False, True)


@pytest.mark.parametrize("status", ["queued", "initiated", "ringing", "in-progress", "answered"])
def test_a_call_that_is_answered_says_nothing_yet(fakes, phone, call, status):
    door = Door(phone)
    fakes.phone.status(call, status, door)
    assert door.replies == []


def test_a_machine_that_is_detected_was_not_reached(fakes, connect):
    phone = connect("phone", machine_detection="on")
    phone.send(page(to=BOB))
    call, door = fakes.phone.calls[-1], Door(phone)
    assert (call.options["MachineDetection"], call.options["AsyncAmd"]) == ("Enable", "true")
    fakes.phone.machine(call, door)
    (reply,) = door.replies
    assert (reply.verb, reply.data["status"], reply.data["failed"]) == ("delivery_status", "machine", True)


# --- spoilt callbacks, well signed -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "fields", "field"),
    [
        ("?key=k", {}, "CallSid"),
        ("?key=k", {"CallSid": "CA1"}, "CallStatus"),
        ("?key=k", {"CallSid": "CA1", "CallStatus": "busy"}, "To"),
        ("?key=k&turn=1", {"Digits": "4"}, "CallSid"),
        ("?key=k&turn=1", {"Digits": "4", "CallSid": "CA1"}, "To"),
        ("?key=k&turn=1", {"Digits": "4", "CallSid": "CA1", "To": "\x00"}, "To"),
    ],
)
def test_a_callback_without_what_it_needs_names_the_field(fakes, phone, query, fields, field):
    with pytest.raises(BadPayload) as caught:
        fakes.phone.post(f"https://desk.example/hooks/phone/c0de/{query}", fields, Door(phone))
    assert caught.value.field == field


@pytest.mark.parametrize("turn", ["", "0", "-1", "x", "²", "9" * 500])
def test_a_turn_that_is_no_number_ends_the_call(fakes, phone, turn):
    door = Door(phone)
    fields = {"CallSid": "CA1", "To": BOB, "Digits": "1"}
    answer = fakes.phone.post(f"https://desk.example/hooks/phone/c0de/?key=k&turn={turn}", fields, door)
    assert answer.status == 200
    assert "<Response" in answer.body
    assert door.replies == []

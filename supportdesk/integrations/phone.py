"""Calls that ring, speak and take a digit, through Twilio. https://www.twilio.com/docs/voice/twiml/gather

Only a digit counts (ESC-16). That a call was answered or completed says nothing: voicemail does both.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar

from twilio.twiml.voice_response import Gather, VoiceResponse

from supportdesk.integrations import inbound, kinds, phone_line
from supportdesk.integrations.base import Answer, Field, Message, Outcome, Receipt, Reply, Request
from supportdesk.integrations.twilio_client import FAILED, TwilioIntegration, xml

RING_SECONDS = 25  # voicemail usually answers later than that
REPORT_SECONDS = 60.0  # ringing, five seconds that Twilio may add, speech, and a margin
CALL_SECONDS = 240  # whatever machine is at the other end, it does not keep us longer
WORDS_LIMIT = 700  # characters; about 45 s of speech
TURNS = 6  # keys one call may press
DIGITS = {"4": "acknowledge", "6": "escalate", "9": "repeat"}
MENU = "Press 4 to acknowledge, 6 to escalate, 9 to repeat."
GOODBYE = "No key was pressed. We are trying the next way to reach somebody."
CONFIRM = "To confirm, press {code}."
TOP = "P1"  # a tone in somebody's greeting must not take one of these: a key and a code of this call's own
CODE_DIGITS = 2
UNCONFIRMED = "We could not confirm that. Please look at the desk."
ENDED = frozenset({"completed"}) | FAILED
_UNSPEAKABLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class Phone(TwilioIntegration):
    """Ring a phone, say what happened, and take 4, 6 or 9. Calls to its number are the emergency line."""

    slug = "phone"
    label = "Phone calls (Twilio)"
    kinds = kinds.URGENT
    fields: ClassVar[tuple[Field, ...]] = (
        *TwilioIntegration.fields,
        Field(
            "machine_detection",
            "Detect answering machines",
            required=False,
            default="off",
            help="on or off. Costs extra; a machine that answers then counts as not reached a little sooner.",
        ),
        Field("language", "Language of the voice", required=False, default="en-GB"),
    )

    # --- out ---------------------------------------------------------------------------------------------------------

    def send(self, message: Message, previous: Receipt | None = None) -> Receipt:
        """Start one call. Twilio knows no key of ours and calls to one number look alike, so there is no `find`: after
        an ambiguous failure a second ring is better than silence."""
        self.require_number(message.to)
        options = self._options(message)
        call = self.ask(lambda client: client.calls.create(**options))
        return replace(self.receipt(call, message.to), report_within=REPORT_SECONDS)

    def _options(self, message: Message) -> dict[str, Any]:
        status_url = self.callback(key=message.key)
        code = {"code": _code()} if message.facts.get("severity") == TOP else {}
        action = self.callback(token=message.token, key=message.key, turn="1", **code)
        options = {
            "to": message.to,
            "from_": self.values.get("from_number", ""),
            "twiml": str(self._ask_for_digit(message.text, action, times=2)),
            "timeout": RING_SECONDS,
            "time_limit": CALL_SECONDS,
            "status_callback": status_url,
            "status_callback_event": ["completed"],
            "status_callback_method": "POST",
        }
        if self.values.get("machine_detection") == "on":
            options |= {
                "machine_detection": "Enable",
                "async_amd": "true",  # speech does not wait for the verdict
                "async_amd_status_callback": status_url,
                "async_amd_status_callback_method": "POST",
            }
        return options

    # --- in ----------------------------------------------------------------------------------------------------------

    def receive(self, request: Request) -> list[Reply]:
        fields, asked = self.verified(request), inbound.query(request.query)
        if phone_line.is_ours(fields, asked):
            return phone_line.replies(fields, asked)
        if "turn" in asked:
            return _from_digit(fields, asked)
        return _from_status(fields, asked)

    def answer(self, request: Request, outcomes: list[Outcome]) -> Answer:
        fields, asked = inbound.form(request.body), inbound.query(request.query)
        if phone_line.is_ours(fields, asked):
            return xml(phone_line.spoken(self, asked, outcomes))
        if "turn" not in asked:
            return xml(VoiceResponse())
        return xml(self._spoken(fields.get("Digits", ""), asked, outcomes))

    def _spoken(self, digit: str, asked: Mapping[str, str], outcomes: list[Outcome]) -> VoiceResponse:
        """Say what became of the key; ask again after 9 and after a key that means nothing."""
        turn = _turn(asked) + 1
        kept = {name: asked[name] for name in ("code",) if name in asked}
        again = self.callback(token=asked.get("token", ""), key=asked.get("key", ""), turn=str(turn), **kept)
        if _is_to_be_confirmed(digit, asked) or (asked.get("confirming") and not outcomes and turn <= TURNS):
            words = CONFIRM.format(code=" ".join(asked["code"]))
            return self._ask_for_digit(words, f"{again}&confirming=1", times=2, digits=CODE_DIGITS)
        if digit in DIGITS or asked.get("confirming"):
            return self._outcome(digit, asked, outcomes, again, turn)
        return self._ask_for_digit(MENU, again) if digit and turn <= TURNS else self._say(GOODBYE)

    def _outcome(
        self, digit: str, asked: Mapping[str, str], outcomes: list[Outcome], again: str, turn: int
    ) -> VoiceResponse:
        if not digit:
            return self._say(GOODBYE)
        if not outcomes or not outcomes[0].text:
            return self._say(UNCONFIRMED)
        repeats = DIGITS.get(digit) == "repeat" and outcomes[0].result in ("ok", "already") and turn <= TURNS
        return self._ask_for_digit(outcomes[0].text, again) if repeats else self._say(outcomes[0].text)

    # --- speech ------------------------------------------------------------------------------------------------------

    def _ask_for_digit(self, words: str, action: str, *, times: int = 1, digits: int = 1) -> VoiceResponse:
        """All speech is inside the Gather, so that a key pressed early counts; silence comes back to us as well."""
        gather = Gather(num_digits=digits, timeout=8, action_on_empty_result=True, method="POST", action=action)
        self.speak(gather, words, times=times)
        response = VoiceResponse()
        response.append(gather)
        return response

    def speak(self, response: Any, words: str, *, times: int = 1) -> None:
        """Say words, as a part of whatever else happens."""
        response.say(_speakable(words), loop=times, language=self._language())

    def _say(self, words: str) -> VoiceResponse:
        response = VoiceResponse()
        response.say(_speakable(words), language=self._language())
        response.hangup()
        return response

    def _language(self) -> str:
        return self.values.get("language") or "en-GB"


def _speakable(words: str) -> str:
    """Without characters XML forbids: one of them, and the call would end in an error message."""
    return _UNSPEAKABLE.sub(" ", words)[:WORDS_LIMIT]


def _code() -> str:
    """Digits that a call asks for, and no other call: never the keys that mean something."""
    return "".join(secrets.choice("1235780") for _ in range(CODE_DIGITS))


def _is_to_be_confirmed(digit: str, asked: Mapping[str, str]) -> bool:
    """For the worst, taking it needs the key and the code this call has said."""
    return DIGITS.get(digit) == "acknowledge" and bool(asked.get("code")) and not asked.get("confirming")


def _turn(asked: Mapping[str, str]) -> int:
    turn = asked.get("turn", "")
    return int(turn) if turn.isascii() and turn.isdigit() and len(turn) < 4 else TURNS


def _from_digit(fields: Mapping[str, str], asked: Mapping[str, str]) -> list[Reply]:
    """4, 6 and 9 are verbs; silence means not reached; any other key is none of ours (voicemail menus press them)."""
    call, person = inbound.text(fields, "CallSid"), inbound.text(fields, "To")
    digit = inbound.text(fields, "Digits", required=False)
    key = f"{call}:{asked['turn'][:4]}:{digit or 'silence'}"
    if asked.get("confirming") and digit:
        data = {"call": call, "delivery": asked.get("key", "")}
        is_right = secrets.compare_digest(digit, asked.get("code", "-"))
        return [Reply("acknowledge", asked.get("token", ""), person, key, data=data)] if is_right else []
    if _is_to_be_confirmed(digit, asked):
        return []
    if digit in DIGITS:
        data = {"call": call, "delivery": asked.get("key", "")}
        return [Reply(DIGITS[digit], asked.get("token", ""), person, key, data=data)]
    if digit:
        return []
    return [_status(asked, person, key, {"call": call, "status": "no-input", "failed": True, "final": False})]


def _from_status(fields: Mapping[str, str], asked: Mapping[str, str]) -> list[Reply]:
    """How a call ended, or that a machine took it. `completed` is neither reached nor failed: digits decide that."""
    call, status = inbound.text(fields, "CallSid"), inbound.text(fields, "CallStatus")
    person, answered_by = inbound.text(fields, "To"), inbound.hint(fields, "AnsweredBy")
    data: dict[str, Any] = {
        "call": call,
        "status": status,
        "answered_by": answered_by,
        "duration": inbound.hint(fields, "CallDuration"),
    }
    if status in ENDED:
        data |= {"failed": status in FAILED, "final": True}
    elif answered_by.startswith("machine") or answered_by == "fax":
        data |= {"status": "machine", "failed": True, "final": False}
    else:
        return []
    return [_status(asked, person, f"{call}:{data['status']}", data)]


def _status(asked: Mapping[str, str], person: str, key: str, data: Mapping[str, Any]) -> Reply:
    return Reply("delivery_status", asked.get("key", ""), person, key, data=data)

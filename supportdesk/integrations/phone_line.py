"""The emergency line as Twilio speaks it: requests of a call into replies, and our next step into TwiML."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from twilio.twiml.voice_response import Dial, Gather, VoiceResponse

from supportdesk.integrations import inbound
from supportdesk.integrations.base import Outcome, Reply

RING_SECONDS = 25  # one person's turn (ESC-16)
PIN_SECONDS = 7  # of silence, before they are connected all the same
MESSAGE_SECONDS = 180
TAKE = "4"
ENDED = frozenset({"completed", "busy", "no-answer", "failed", "canceled"})
SORRY = "Something went wrong at our side. Please say what happened after the tone, and we call you back."


class Voice(Protocol):
    """What speaks: knows its language and our address."""

    def callback(self, **parameters: str) -> str: ...
    def speak(self, response: Any, words: str, *, times: int = 1) -> None: ...


def is_ours(fields: Mapping[str, str], asked: Mapping[str, str]) -> bool:
    """Is this a call to us, or a part of one, rather than one of our own pages?"""
    return "line" in asked or (fields.get("Direction") == "inbound" and not {"turn", "key"} & set(asked))


def replies(fields: Mapping[str, str], asked: Mapping[str, str]) -> list[Reply]:
    step = asked.get("line", "called")
    read = _READERS.get(step)
    return read(fields, asked) if read else []


def _called(fields: Mapping[str, str], asked: Mapping[str, str]) -> list[Reply]:
    call, caller = inbound.text(fields, "CallSid"), inbound.text(fields, "From", required=False)
    if inbound.hint(fields, "CallStatus") in ENDED:
        return [Reply("line_ended", call, caller, f"{call}:ended")]
    return [Reply("line_called", call, caller, f"{call}:called", data=_ours(fields))]


def _pin(fields: Mapping[str, str], asked: Mapping[str, str]) -> list[Reply]:
    call, digits = inbound.text(fields, "CallSid"), inbound.text(fields, "Digits", required=False, limit=20)
    key = f"{call}:pin:{asked.get('try', '')[:4]}:{digits}"
    return [Reply("line_pin", call, inbound.hint(fields, "From"), key, text=digits, data=_ours(fields))]


def _screen(fields: Mapping[str, str], asked: Mapping[str, str]) -> list[Reply]:
    call, leg = asked.get("call", ""), _leg(asked)
    return [Reply("line_screen", call, inbound.hint(fields, "To"), f"{call}:screen:{leg}", data={"leg": leg})]


def _take(fields: Mapping[str, str], asked: Mapping[str, str]) -> list[Reply]:
    """Only the key takes a call: whoever picks up and presses nothing is a voice box until proven otherwise."""
    call, leg = asked.get("call", ""), _leg(asked)
    if inbound.text(fields, "Digits", required=False) != TAKE:
        return []
    return [Reply("line_taken", call, inbound.hint(fields, "To"), f"{call}:taken:{leg}", data={"leg": leg})]


def _dialed(fields: Mapping[str, str], asked: Mapping[str, str]) -> list[Reply]:
    call, leg = inbound.text(fields, "CallSid"), _leg(asked)
    data = {"leg": leg, "status": inbound.hint(fields, "DialCallStatus")}
    return [Reply("line_dialed", call, inbound.hint(fields, "From"), f"{call}:dialed:{leg}", data=data)]


def _recorded(fields: Mapping[str, str], asked: Mapping[str, str]) -> list[Reply]:
    call, url = inbound.text(fields, "CallSid"), inbound.text(fields, "RecordingUrl", required=False)
    if not url:
        return []
    data = {"url": url, "seconds": inbound.hint(fields, "RecordingDuration")}
    return [Reply("line_recorded", call, inbound.hint(fields, "From"), f"{call}:recorded", data=data)]


_READERS: dict[str, Callable[[Mapping[str, str], Mapping[str, str]], list[Reply]]] = {
    "called": _called,
    "pin": _pin,
    "screen": _screen,
    "take": _take,
    "dialed": _dialed,
    "recorded": _recorded,
}


def _ours(fields: Mapping[str, str]) -> dict[str, str]:
    return {"number": inbound.hint(fields, "To")}


def _leg(asked: Mapping[str, str]) -> int:
    leg = asked.get("leg", "")
    return int(leg) if leg.isascii() and leg.isdigit() and len(leg) < 3 else 99


# --- what is said next -----------------------------------------------------------------------------------------------


def spoken(voice: Voice, asked: Mapping[str, str], outcomes: list[Outcome]) -> VoiceResponse:
    """The next step of the call. Whatever failed at our side, a caller is asked for a message, never hung up on."""
    if not outcomes:
        return _hang_up(voice, "", {}, asked)
    outcome = outcomes[0]
    if outcome.reply.verb == "line_ended":
        return VoiceResponse()
    if outcome.result not in ("ok", "already") or "do" not in outcome.data:
        is_caller = outcome.reply.verb not in ("line_screen", "line_taken")
        return _record(voice, SORRY, {}, asked) if is_caller else _hang_up(voice, "", {}, asked)
    return _STEPS[str(outcome.data["do"])](voice, outcome.text, outcome.data, asked)


def _ask_pin(voice: Voice, words: str, data: Mapping[str, Any], asked: Mapping[str, str]) -> VoiceResponse:
    tried = asked.get("try", "")
    number = str(int(tried) + 1 if tried.isascii() and tried.isdigit() and len(tried) < 3 else 1)
    action = voice.callback(line="pin", **{"try": number})
    gather = Gather(finish_on_key="#", timeout=PIN_SECONDS, action_on_empty_result=True, method="POST", action=action)
    voice.speak(gather, words)
    return _with(gather)


def _dial(voice: Voice, words: str, data: Mapping[str, Any], asked: Mapping[str, str]) -> VoiceResponse:
    leg, call = str(data["leg"]), str(data["call"])
    response = VoiceResponse()
    voice.speak(response, words)
    dial = Dial(
        timeout=RING_SECONDS, answer_on_bridge=True, method="POST", action=voice.callback(line="dialed", leg=leg)
    )
    dial.number(str(data["number"]), url=voice.callback(line="screen", leg=leg, call=call), method="POST")
    response.append(dial)
    return response


def _screened(voice: Voice, words: str, data: Mapping[str, Any], asked: Mapping[str, str]) -> VoiceResponse:
    action = voice.callback(line="take", leg=asked.get("leg", ""), call=asked.get("call", ""))
    gather = Gather(num_digits=1, timeout=8, action_on_empty_result=True, method="POST", action=action)
    voice.speak(gather, words, times=2)
    return _with(gather)


def _connect(voice: Voice, words: str, data: Mapping[str, Any], asked: Mapping[str, str]) -> VoiceResponse:
    return VoiceResponse()  # nothing more to say: the two are put together


def _record(voice: Voice, words: str, data: Mapping[str, Any], asked: Mapping[str, str]) -> VoiceResponse:
    response = VoiceResponse()
    voice.speak(response, words)
    action = voice.callback(line="recorded")
    response.record(max_length=MESSAGE_SECONDS, play_beep=True, finish_on_key="#", method="POST", action=action)
    return response


def _hang_up(voice: Voice, words: str, data: Mapping[str, Any], asked: Mapping[str, str]) -> VoiceResponse:
    response = VoiceResponse()
    if words:
        voice.speak(response, words)
    response.hangup()
    return response


def _with(gather: Gather) -> VoiceResponse:
    response = VoiceResponse()
    response.append(gather)
    return response


_STEPS: dict[str, Callable[[Voice, str, Mapping[str, Any], Mapping[str, str]], VoiceResponse]] = {
    "ask_pin": _ask_pin,
    "dial": _dial,
    "screen": _screened,
    "connect": _connect,
    "record": _record,
    "say": _hang_up,
}

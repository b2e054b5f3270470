"""A fake Twilio: takes calls and texts, reads TwiML, presses keys, lets phones ring out, and texts back."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any
from urllib.parse import urlsplit
from xml.etree import ElementTree

from tests.fakes.desk import FORM, Desk, DeskAnswer, form
from tests.fakes.server import FakeVendor, Reaction, Refusal, Seen, Surprise

ACCOUNT = "AC" + "0" * 32
CALL_FIELDS = {
    "To", "From", "Twiml", "Timeout", "TimeLimit", "StatusCallback", "StatusCallbackEvent", "StatusCallbackMethod",
    "MachineDetection", "AsyncAmd", "AsyncAmdStatusCallback", "AsyncAmdStatusCallbackMethod",
}  # fmt: skip
TEXT_FIELDS = {"To", "From", "MessagingServiceSid", "Body", "StatusCallback"}
NUMBER = re.compile(r"\+[1-9]\d{6,14}")


class FakeTwilio(FakeVendor):
    """What calls and texts share: one account, one number, one token that signs."""

    auth_token = "twilio-auth-token"
    number = "+15005550001"

    def __init__(self, port: int = 0) -> None:
        super().__init__(port)
        self._sids = count(1)

    @property
    def values(self) -> dict[str, str]:
        """What a connection to this Twilio is made with."""
        return {"account_sid": ACCOUNT, "auth_token": self.auth_token, "from_number": self.number}

    def react(self, seen: Seen) -> Reaction:
        expected = base64.b64encode(f"{ACCOUNT}:{self.auth_token}".encode()).decode()
        if seen.headers.get("authorization") != f"Basic {expected}":
            raise Refusal(401, {"code": 20003, "message": "Authenticate", "status": 401})
        if (seen.method, seen.path) == ("GET", f"/2010-04-01/Accounts/{ACCOUNT}.json"):
            return Reaction(200, {"sid": ACCOUNT, "friendly_name": "Fake", "status": "active"})
        if seen.method != "POST":
            raise Surprise("no such address", status=404)
        return self.create(seen)

    def create(self, seen: Seen) -> Reaction:
        raise NotImplementedError

    def require(self, seen: Seen, resource: str, known: set[str]) -> None:
        if seen.path != f"/2010-04-01/Accounts/{ACCOUNT}/{resource}.json":
            raise Surprise("no such address", status=404)
        unknown = set(seen.data) - known
        if unknown:
            raise Surprise(f"unknown fields {sorted(unknown)}")
        if not NUMBER.fullmatch(str(seen.data.get("To", ""))):
            raise Refusal(400, {"code": 21211, "message": "Invalid 'To' Phone Number", "status": 400})
        callback = urlsplit(str(seen.data.get("StatusCallback", "")))
        if callback.scheme not in ("http", "https") or not callback.netloc:
            raise Surprise("StatusCallback is not an address")

    def sid(self, kind: str) -> str:
        return f"{kind}{next(self._sids):032d}"

    def post(self, url: str, fields: Mapping[str, str], desk: Desk) -> DeskAnswer:
        return desk(url, form(fields), {"Content-Type": FORM, **self.signed(url, fields)})

    def signed(self, url: str, fields: Mapping[str, str], *, token: str = "") -> dict[str, str]:
        """The header that proves a request comes from this Twilio."""
        base = url + "".join(name + fields[name] for name in sorted(fields))
        digest = hmac.new((token or self.auth_token).encode(), base.encode(), hashlib.sha1).digest()
        return {"X-Twilio-Signature": base64.b64encode(digest).decode()}


@dataclass
class Call:
    """One call. `words` is what is being said now, `heard` all that was."""

    sid: str
    to: str
    options: dict[str, Any]
    document: ElementTree.Element
    status: str = "queued"
    heard: list[str] = field(default_factory=list)

    @property
    def words(self) -> str:
        return " ".join(say.text or "" for say in self.document.iter("Say"))

    @property
    def gather(self) -> ElementTree.Element | None:
        return self.document.find("Gather")

    def now_says(self, document: ElementTree.Element) -> None:
        self.document = document
        self.heard.append(self.words)


class FakePhone(FakeTwilio):
    """`calls` in order; `press`, `silence`, `machine` and `status` are what happens at the other end."""

    name = "phone"

    def __init__(self, port: int = 0) -> None:
        super().__init__(port)
        self.calls: list[Call] = []
        self.hook_url = ""

    def reset(self) -> None:
        super().reset()
        self.calls.clear()

    def rings_the_desk(self, number: str, desk: Desk) -> Caller:
        """Somebody calls the desk's number."""
        return Caller(self, number, self.hook_url, desk)

    def to(self, number: str) -> list[Call]:
        """The calls to one number, oldest first."""
        return [call for call in self.calls if call.to == number]

    def create(self, seen: Seen) -> Reaction:
        self.require(seen, "Calls", CALL_FIELDS)
        if seen.data.get("From") != self.number:
            raise Refusal(400, {"code": 21210, "message": "'From' is not a number of yours", "status": 400})
        if len(seen.data.get("Twiml", "")) > 4000:
            raise Surprise("Twiml is longer than 4000 characters")
        call = Call(self.sid("CA"), seen.data["To"], seen.data, twiml(seen.data.get("Twiml", "")))
        call.heard.append(call.words)
        self.calls.append(call)
        return Reaction(201, {"sid": call.sid, "status": call.status, "to": call.to, "from": self.number})

    # --- at the other end --------------------------------------------------------------------------------------------

    def press(self, call: Call, digit: str, desk: Desk) -> DeskAnswer:
        """Pick up, listen, press a key, and the code if the voice asks for one; hang up when the desk does."""
        answer = self.tone(call, digit, desk)
        asked = re.search(r"To confirm, press ([\d ]+)\.", call.words) if call.gather is not None else None
        return self.tone(call, asked[1].replace(" ", ""), desk) if asked else answer

    def tone(self, call: Call, digits: str, desk: Desk) -> DeskAnswer:
        """Tones on the line, whoever or whatever makes them; nobody listens to what is said."""
        return self._gathered(call, {"Digits": digits, "FinishedOnKey": ""}, desk)

    def silence(self, call: Call, desk: Desk) -> DeskAnswer:
        """Somebody or something picks up and presses nothing."""
        return self._gathered(call, {}, desk)

    def machine(self, call: Call, desk: Desk) -> DeskAnswer:
        """The verdict of machine detection, where it is switched on."""
        fields = self._fields(call, "in-progress") | {"AnsweredBy": "machine_start"}
        return self.post(call.options["AsyncAmdStatusCallback"], fields, desk)

    def status(self, call: Call, status: str, desk: Desk) -> DeskAnswer:
        """The call is over: busy, no-answer, failed, canceled or completed."""
        call.status = status
        progress = {"CallDuration": "0", "CallbackSource": "call-progress-events", "SequenceNumber": "3"}
        return self.post(call.options["StatusCallback"], self._fields(call, status) | progress, desk)

    def _gathered(self, call: Call, pressed: dict[str, str], desk: Desk) -> DeskAnswer:
        gather = call.gather
        assert gather is not None, "this call takes no keys (any more)"
        assert pressed or gather.get("actionOnEmptyResult") == "true", "silence would not be reported"
        call.status = "in-progress"
        answer = self.post(gather.attrib["action"], self._fields(call, "in-progress") | pressed, desk)
        if answer.status == 200:
            call.now_says(twiml(answer.body))
            if call.gather is None:
                self.status(call, "completed", desk)
        return answer

    def _fields(self, call: Call, status: str) -> dict[str, str]:
        return {
            "AccountSid": ACCOUNT,
            "CallSid": call.sid,
            "From": self.number,
            "To": call.to,
            "Direction": "outbound-api",
            "ApiVersion": "2010-04-01",
            "CallStatus": status,
        }


class Caller:
    """Somebody on the line to the desk's number, and the phones that are rung for them."""

    def __init__(self, phone: FakePhone, number: str, hook_url: str, desk: Desk) -> None:
        self.phone, self.number, self.hook_url, self.desk = phone, number, hook_url, desk
        self.sid = phone.sid("CA")
        self.heard: list[str] = []
        self.rung: list[str] = []
        self.is_bridged = self.is_over = False
        self._ask(hook_url, {"CallStatus": "ringing"})

    @property
    def words(self) -> str:
        return " ".join(say.text or "" for say in self.document.iter("Say"))

    @property
    def is_asked_for_a_message(self) -> bool:
        return self.document.find("Record") is not None

    def enters(self, pin: str) -> None:
        self._ask(self._gather().attrib["action"], {"Digits": pin, "CallStatus": "in-progress"})

    def is_silent(self) -> None:
        gather = self._gather()
        assert gather.get("actionOnEmptyResult") == "true", "silence would not be reported"
        self._ask(gather.attrib["action"], {"CallStatus": "in-progress"})

    def callee_presses(self, digit: str) -> str:
        """Whoever is rung picks up, listens, and presses a key (or nothing): returns what they heard."""
        dial, number = self._dial()
        heard = self._for_callee(number.attrib["url"], {})
        gather = heard.find("Gather")
        assert gather is not None, "whoever picks up is connected unasked"
        answer = self._for_callee(gather.attrib["action"], {"Digits": digit} if digit else {})
        self.is_bridged = answer.find("Hangup") is None
        self._ask(dial.attrib["action"], {"DialCallStatus": "completed", "CallStatus": "in-progress"})
        return " ".join(say.text or "" for say in heard.iter("Say"))

    def nobody_picks_up(self) -> None:
        dial, _ = self._dial()
        self._ask(dial.attrib["action"], {"DialCallStatus": "no-answer", "CallStatus": "in-progress"})

    def leaves_a_message(
        self, url: str = "https://api.twilio.com/2010-04-01/Recordings/RE1", seconds: int = 23
    ) -> None:
        record = self.document.find("Record")
        assert record is not None, "the desk does not listen"
        self._ask(record.attrib["action"], {"RecordingUrl": url, "RecordingDuration": str(seconds)})

    def hangs_up(self) -> None:
        self.phone.post(self.hook_url, self._fields({"CallStatus": "completed"}), self.desk)
        self.is_over = True

    def _gather(self) -> ElementTree.Element:
        gather = self.document.find("Gather")
        assert gather is not None, f"the caller is not asked for anything: {self.words}"
        return gather

    def _dial(self) -> tuple[ElementTree.Element, ElementTree.Element]:
        dial = self.document.find("Dial")
        number = dial.find("Number") if dial is not None else None
        assert dial is not None, f"nobody is rung: {self.words}"
        assert number is not None
        return dial, number

    def _for_callee(self, url: str, more: Mapping[str, str]) -> ElementTree.Element:
        fields = {"CallSid": self.phone.sid("CA"), "ParentCallSid": self.sid, "From": self.number, "To": self.rung[-1]}
        fields |= {"AccountSid": ACCOUNT, "Direction": "outbound-dial", "CallStatus": "in-progress"}
        answer = self.phone.post(url, fields | more, self.desk)
        assert answer.status == 200, answer
        return twiml(answer.body)

    def _ask(self, url: str, more: Mapping[str, str]) -> None:
        answer = self.phone.post(url, self._fields(more), self.desk)
        assert answer.status == 200, answer
        self.document = twiml(answer.body)
        self.heard.append(self.words)
        dial = self.document.find("Dial")
        number = dial.find("Number") if dial is not None else None
        if number is not None:
            self.rung.append(number.text or "")
        self.is_over = self.document.find("Hangup") is not None

    def _fields(self, more: Mapping[str, str]) -> dict[str, str]:
        ours = {"AccountSid": ACCOUNT, "CallSid": self.sid, "From": self.number, "To": self.phone.number}
        return {**ours, "Direction": "inbound", "ApiVersion": "2010-04-01", **more}


@dataclass
class Text:
    """One text the desk sent."""

    sid: str
    to: str
    body: str
    callback: str


class FakeSms(FakeTwilio):
    """`texts` in order; `reply` is somebody texting back, `status` the carrier's report."""

    name = "sms"

    def __init__(self, port: int = 0) -> None:
        super().__init__(port)
        self.texts: list[Text] = []
        self.stopped: set[str] = set()
        self.hook_url = ""

    def reset(self) -> None:
        super().reset()
        self.texts.clear()
        self.stopped.clear()

    def to(self, number: str) -> list[Text]:
        """The texts to one number, oldest first."""
        return [text for text in self.texts if text.to == number]

    def create(self, seen: Seen) -> Reaction:
        self.require(seen, "Messages", TEXT_FIELDS)
        if seen.data["To"] in self.stopped:
            raise Refusal(400, {"code": 21610, "message": "Attempt to send to unsubscribed recipient", "status": 400})
        if not 0 < len(seen.data.get("Body", "")) <= 1600:
            raise Surprise("Body is 1 to 1600 characters")
        text = Text(self.sid("SM"), seen.data["To"], seen.data["Body"], seen.data["StatusCallback"])
        self.texts.append(text)
        return Reaction(201, {"sid": text.sid, "status": "queued", "to": text.to})

    def reply(self, number: str, body: str, desk: Desk) -> DeskAnswer:
        """Somebody texts the desk's number."""
        sid = self.sid("SM")
        fields = {
            "AccountSid": ACCOUNT,
            "MessageSid": sid,
            "SmsMessageSid": sid,
            "From": number,
            "To": self.number,
            "Body": body,
            "NumMedia": "0",
            "SmsStatus": "received",
        }
        return self.post(self.hook_url, fields, desk)

    def status(self, text: Text, status: str, desk: Desk, error: str = "") -> DeskAnswer:
        """What became of a text: sent, delivered, undelivered or failed."""
        fields = {
            "AccountSid": ACCOUNT,
            "MessageSid": text.sid,
            "MessageStatus": status,
            "SmsStatus": status,
            "From": self.number,
            "To": text.to,
        }
        return self.post(text.callback, fields | ({"ErrorCode": error} if error else {}), desk)


def twiml(document: str) -> ElementTree.Element:
    """A TwiML document, read as strictly as Twilio reads it."""
    try:
        root = ElementTree.fromstring(document)
    except ElementTree.ParseError as error:
        raise Surprise(f"this is not TwiML: {error}") from error
    if root.tag != "Response" or {part.tag for part in root.iter()} - {
        "Response",
        "Gather",
        "Say",
        "Hangup",
        "Message",
        "Dial",
        "Number",
        "Record",
    }:
        raise Surprise("TwiML has verbs we do not use")
    return root

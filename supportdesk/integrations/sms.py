"""Text messages through Twilio, and the few words that may come back. https://www.twilio.com/docs/messaging"""

from __future__ import annotations

from collections.abc import Mapping

from twilio.twiml.messaging_response import MessagingResponse

from supportdesk.integrations import inbound, kinds
from supportdesk.integrations.base import Answer, Message, Outcome, Receipt, Reply, Request
from supportdesk.integrations.twilio_client import FAILED, TwilioIntegration, xml

COMMAND_LIMIT = 40  # characters; shorter than HELP
BODY_LIMIT = 320  # two parts; carriers drop parts of longer ones
FINAL = frozenset({"delivered"}) | FAILED
HELP = "Answer ACK 42 to take incident 42, ESC 42 to pass it on."


class Sms(TwilioIntegration):
    """Send short texts; take ACK, ESC and HELP back. A sender can be forged: texts never close anything."""

    slug = "sms"
    label = "Text messages (Twilio)"
    kinds = kinds.WRITTEN

    def send(self, message: Message, previous: Receipt | None = None) -> Receipt:
        """Send one text. Twilio knows no key of ours, so there is no `find`: a second text is better than none."""
        self.require_number(message.to)
        sender = self.values.get("from_number", "")
        options = {"messaging_service_sid": sender} if sender.startswith("MG") else {"from_": sender}
        callback, body = self.callback(key=message.key), _short(message.text or message.subject)
        sent = self.ask(
            lambda client: client.messages.create(to=message.to, body=body, status_callback=callback, **options)
        )
        return self.receipt(sent, message.to)

    def receive(self, request: Request) -> list[Reply]:
        fields = self.verified(request)
        if "MessageStatus" in fields:
            return _from_status(fields, inbound.query(request.query).get("key", ""))
        return _from_text(fields)

    def answer(self, request: Request, outcomes: list[Outcome]) -> Answer:
        response, fields = MessagingResponse(), inbound.form(request.body)
        if "MessageStatus" not in fields:
            words = "\n".join(outcome.text for outcome in outcomes if outcome.text)
            # Long words are no mistyped command but some machine's answer: two desks must not help each other for ever.
            words = words or HELP * (len(fields.get("Body", "")) <= COMMAND_LIMIT)
            if words:
                response.message(_short(words))
        return xml(response)


def _short(words: str) -> str:
    return words if len(words) <= BODY_LIMIT else words[: BODY_LIMIT - 3].rstrip() + "..."


def _from_status(fields: Mapping[str, str], key: str) -> list[Reply]:
    status, sid = inbound.text(fields, "MessageStatus"), inbound.text(fields, "MessageSid")
    if status not in FINAL:
        return []
    error = inbound.hint(fields, "ErrorCode")
    data = {"message": sid, "status": status, "failed": status in FAILED, "final": True, "error": error}
    return [Reply("delivery_status", key, inbound.text(fields, "To"), f"{sid}:{status}", data=data)]


def _from_text(fields: Mapping[str, str]) -> list[Reply]:
    """A command is a verb. Everything else is answered with how to say it."""
    found = inbound.command(inbound.text(fields, "Body", required=False))
    if found is None:
        return []
    verb, subject, rest = found
    return [Reply(verb, subject, inbound.text(fields, "From"), inbound.text(fields, "MessageSid"), text=rest)]

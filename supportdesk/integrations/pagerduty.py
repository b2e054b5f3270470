"""PagerDuty as pager of record or as watchdog: events out, webhooks in. https://developer.pagerduty.com/docs/

With a REST token it is also asked whether it pages (its 202 says nothing of that), and notes and updates are copied.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from typing import Any

from supportdesk.integrations import echo, inbound, kinds
from supportdesk.integrations.base import (
    Answer,
    BadSignature,
    Field,
    Integration,
    IntegrationError,
    Message,
    Outcome,
    Receipt,
    Reply,
    Request,
)
from supportdesk.integrations.pagerduty_client import MOST_LISTED, PagerDutyEvents, PagerDutyRest

ACTIONS = frozenset({"trigger", "acknowledge", "resolve"})
STATUSES = {"acknowledge": "acknowledged", "resolve": "resolved"}
SEVERITIES = {"P1": "critical", "P2": "error", "P3": "warning", "P4": "info"}
ROUTING_KEY = re.compile(r"[A-Za-z0-9]{32}")
KEY_LIMIT = 255
REPORT_SECONDS = 20.0
SUMMARY_LIMIT = 1_024
NOTE_LIMIT = 20_000
# Where each API lives, by the account's region.
EVENTS_AT = {"us": "https://events.pagerduty.com", "eu": "https://events.eu.pagerduty.com"}
REST_AT = {"us": "https://api.pagerduty.com", "eu": "https://api.eu.pagerduty.com"}

# What PagerDuty tells us, in our verbs. Its resolve is a hint: only the desk resolves an incident.
EVENTS = {
    "incident.triggered": "delivery_status",
    "incident.acknowledged": "acknowledge",
    "incident.unacknowledged": "unacknowledge",
    "incident.resolved": "resolve_hint",
}


class PagerDuty(Integration):
    """Trigger, acknowledge and resolve alerts; hear who took them. Accepted is not paged (ESC-17)."""

    slug = "pagerduty"
    label = "PagerDuty"
    address_label = "PagerDuty routing key"
    default_base_url = "https://events.pagerduty.com"
    unreadable_status = 503  # three 4xx in a row, and PagerDuty tells us nothing for a day
    kinds = kinds.PAGER | {"update", "note", "customer_message", "change", "reread"}
    fields = (
        Field(
            "routing_key",
            "Routing key",
            secret=True,
            required=False,
            help="Integration key of an Events API v2 integration. Empty: pages are opened over REST on the service.",
        ),
        Field(
            "webhook_secret",
            "Webhook secret",
            secret=True,
            required=False,
            help="Of the v3 webhook subscription. While changing it: the new and the old, separated by a space.",
        ),
        Field("api_token", "REST API token", secret=True, required=False, help="To confirm pages and copy notes."),
        Field(
            "from_email", "E-mail of a user", required=False, help="Whom the REST API writes as. Goes with the token."
        ),
        Field("service_id", "Service id", required=False, help="Only without a routing key."),
        Field(
            "schedule_id",
            "Schedule to compare",
            required=False,
            help="PagerDuty's id of the rota that should say what ours says: Test shows both, and who is in only one.",
        ),
        Field("region", "Region", required=False, default="us", help="us or eu."),
    )

    # --- out ---------------------------------------------------------------------------------------------------------

    def send(self, message: Message, previous: Receipt | None = None) -> Receipt:
        action = message.action or "trigger"
        if action not in ACTIONS | set(_OVER_REST):
            raise IntegrationError(f"PagerDuty knows no action {action!r}", permanent=True)
        if not 0 < len(message.thread) <= KEY_LIMIT:
            raise IntegrationError(f"the dedup key must have 1 to {KEY_LIMIT} characters", permanent=True)
        if action in _OVER_REST:
            return _OVER_REST[action](self, message)
        if self._routing_key(message.to) or not self.values.get("service_id"):
            key = self._events(message.to).send(
                action, message.thread, _trigger(message) if action == "trigger" else {}
            )
        else:
            key = self._alert_over_rest(action, message)
        # Accepted is not paged: where we can learn of it, an incident has to be reported in time (ESC-17).
        hears_back = action == "trigger" and bool(self.values.get("webhook_secret") or self.values.get("api_token"))
        return Receipt(
            key, {"action": action}, settled=not hears_back, report_within=REPORT_SECONDS if hears_back else None
        )

    def find(self, message: Message) -> Receipt | None:
        """A note that is there already. Events need no look-up: the same key again changes nothing."""
        if message.action != "note":
            return None
        incident = self._incident(message)
        said = {str(note.get("content", "")) for note in self._rest().notes(incident)} if incident else set()
        return Receipt(incident, {"incident": incident}) if incident and _note_text(message) in said else None

    def check(self) -> str:
        """Try the REST token; events cannot be tried without waking somebody."""
        if not self.values.get("api_token"):
            raise IntegrationError(
                "Without a REST API token PagerDuty has no way to test its connection without sending.", permanent=True
            )
        rest, schedule = self._rest(), self.values.get("schedule_id", "")
        rest.abilities()
        known = {inbound.hint(one, "id"): inbound.hint(one, "summary") for one in rest.schedules()} if schedule else {}
        if schedule and schedule not in known:
            raise IntegrationError(f"PagerDuty shows this token no schedule {schedule}.", permanent=True)
        names = sorted({inbound.hint(one, "user.summary") for one in rest.on_calls(schedule)} - {""})
        there = f"by {known[schedule]}" if schedule else "there"
        return f"Connected to PagerDuty. On call {there} now: {', '.join(names[:5]) or 'nobody'}."

    def on_call(self) -> dict[str, str]:
        """Who is on call there now: names by e-mail address, in lower case. Raises `IntegrationError`."""
        rest, found = self._rest(), {}
        for one in rest.on_calls(self.values.get("schedule_id", "")):
            if person := inbound.hint(one, "user.id"):
                found[person] = inbound.hint(one, "user.summary")
        return {inbound.hint(rest.user(person), "email").lower(): name for person, name in found.items()}

    def unknown(self, emails: Sequence[str]) -> list[str]:
        """Addresses nobody there has. A large account is asked for each one, as far as the time goes."""
        rest = self._rest()
        first = rest.users()
        missing = [email for email in emails if email.lower() not in _addresses(first)]
        if len(first) < MOST_LISTED:
            return missing
        return [email for email in missing if email.lower() not in _addresses(rest.users(email))]

    def _events(self, address: str) -> PagerDutyEvents:
        return PagerDutyEvents(self._routing_key(address), base_url=self._at(EVENTS_AT), timeout=self.timeout)

    def _rest(self) -> PagerDutyRest:
        token, sender = self.values.get("api_token", ""), self.values.get("from_email", "")
        if not token or not sender:
            raise IntegrationError("PagerDuty needs a REST API token and a user's e-mail for this.", permanent=True)
        return PagerDutyRest(token, sender, base_url=self._at(REST_AT), timeout=self.timeout)

    def _at(self, places: Mapping[str, str]) -> str:
        """The desk's own settings may name another address for all of PagerDuty."""
        region = self.value("region") or "us"
        if self.base_url != self.default_base_url:
            return self.base_url
        if region not in places:
            raise IntegrationError(f"PagerDuty has no region {region!r}: us or eu.", permanent=True)
        return places[region]

    def _alert_over_rest(self, action: str, message: Message) -> str:
        """Without an Events integration: an incident with our key. One that is open already is the one we mean."""
        rest = self._rest()
        known = rest.incident(message.thread)
        is_open = known is not None and known.get("status") != "resolved"
        if action == "trigger" and not is_open:
            summary = (message.subject or message.text)[:SUMMARY_LIMIT]
            incident = rest.create_incident(self.values["service_id"], message.thread, summary)
            rest.add_note(incident, _note_text(message))
        elif action != "trigger" and known is not None and is_open:
            rest.set_status(str(known["id"]), STATUSES[action])
        return message.thread

    def _incident(self, message: Message) -> str:
        """PagerDuty's id of the incident; empty where it has opened none."""
        return str((self._rest().incident(message.thread) or {}).get("id") or "")

    def _note(self, message: Message) -> Receipt:
        incident = self._incident(message)
        note = self._rest().add_note(incident, _note_text(message)) if incident else ""
        return Receipt(incident or message.thread, {"incident": incident, "note": note})

    def _status_update(self, message: Message) -> Receipt:
        incident = self._incident(message)
        if incident:
            self._rest().add_status_update(incident, message.text[:NOTE_LIMIT])
        return Receipt(incident or message.thread, {"incident": incident})

    def _change(self, message: Message) -> Receipt:
        links = [{"href": message.url, "text": message.ref or "Open"}] if message.url else []
        at = str(message.facts.get("at", ""))
        self._events(message.to).change(message.subject[:SUMMARY_LIMIT], _source(message), at, links)
        return Receipt(message.thread)

    def _read(self, message: Message) -> Receipt:
        """Does it page, and has somebody taken it? What its webhooks say, in case they did not reach us."""
        incident = self._rest().incident(message.thread)
        if incident is None:
            return Receipt(message.thread, {"status": "no incident"})
        replies = tuple(_as_replies(message.thread, incident))
        return Receipt(
            message.thread, {"incident": incident.get("id"), "status": incident.get("status")}, replies=replies
        )

    def _routing_key(self, address: str) -> str:
        """A policy may name another service of the account by its key; any other address means the connection's own."""
        return address if ROUTING_KEY.fullmatch(address) else self.values.get("routing_key", "")

    # --- in ----------------------------------------------------------------------------------------------------------

    def receive(self, request: Request) -> list[Reply]:
        self._verify(request)
        event = inbound.json_object(request.body).get("event")
        happened = inbound.text(event, "event_type")
        if happened == "incident.annotated":
            return _note_of(event)
        verb = EVENTS.get(happened)
        key = inbound.hint(event, "data.incident_key")
        if verb is None or not key:  # not about an alert of ours
            return []
        return [
            Reply(
                verb=verb,
                subject=key,
                sender=inbound.hint(event, "agent.id"),
                key=inbound.text(event, "id"),
                data=_data(event),
            )
        ]

    def answer(self, request: Request, outcomes: list[Outcome]) -> Answer:
        return Answer(202, "")

    def _verify(self, request: Request) -> None:
        """Any one signature of any one secret suffices: both are several while a secret is being changed."""
        given = [one.strip() for one in request.headers.get("x-pagerduty-signature", "").split(",")]
        expected = [
            "v1=" + hmac.new(secret.encode(), request.body, sha256).hexdigest()
            for secret in inbound.secrets(self.values, "webhook_secret")
        ]
        if not any(inbound.same_secret(one, expected) for one in given):
            raise BadSignature("the PagerDuty signature does not match")


_OVER_REST: dict[str, Callable[[PagerDuty, Message], Receipt]] = {
    "note": PagerDuty._note,
    "status_update": PagerDuty._status_update,
    "change": PagerDuty._change,
    "read": PagerDuty._read,
}


def _addresses(users: Sequence[Any]) -> set[str]:
    return {inbound.hint(one, "email").lower() for one in users}


def _note_text(message: Message) -> str:
    return echo.signed((message.text or message.subject)[:NOTE_LIMIT], message.ref)


def _source(message: Message) -> str:
    return str(message.facts.get("service") or message.ref or "supportdesk")


def _trigger(message: Message) -> dict[str, Any]:
    payload = {
        "summary": (message.subject or message.text)[:SUMMARY_LIMIT],
        "source": _source(message),
        "severity": SEVERITIES.get(str(message.facts.get("severity", "")), "critical"),
        "custom_details": _details(message),
    }
    event: dict[str, Any] = {"payload": payload, "client": "supportdesk"}
    if message.url:
        event |= {"client_url": message.url, "links": [{"href": message.url, "text": message.ref or "Open"}]}
    return event


def _details(message: Message) -> dict[str, str]:
    """What PagerDuty shows below the alert. Its token is for the person we page ourselves, not for everybody there."""
    return {"text": message.text, **{name: str(value) for name, value in message.facts.items() if name != "token"}}


def _note_of(event: Any) -> list[Reply]:
    """What somebody noted there, on the incident by PagerDuty's own id: a note does not carry our key."""
    incident, words = inbound.hint(event, "data.incident.id"), inbound.hint(event, "data.content")
    if not incident or not words or echo.is_ours(words):
        return []
    data = {"agent": inbound.hint(event, "agent.summary"), "incident": incident}
    return [Reply("note", incident, inbound.hint(event, "agent.id"), inbound.text(event, "id"), text=words, data=data)]


def _as_replies(key: str, incident: Mapping[str, Any]) -> list[Reply]:
    """An incident that was read, in the words its webhooks would have used."""
    name, status = inbound.hint(incident, "id"), inbound.hint(incident, "status")
    data = {"status": status, "incident": name, "url": inbound.hint(incident, "html_url"), "agent": "", "at": ""}
    replies = [
        Reply(
            "delivery_status",
            key,
            "",
            f"read:{key}:{name}:triggered"[:150],
            data=data | {"failed": False, "final": True},
        )
    ]
    taken = incident.get("acknowledgements")
    for one in taken if isinstance(taken, list) and status == "acknowledged" else []:
        agent = inbound.hint(one, "acknowledger.summary")
        told = f"read:{key}:{name}:{inbound.hint(one, 'at')}"[:150]
        replies.append(
            Reply(
                "acknowledge",
                key,
                inbound.hint(one, "acknowledger.id"),
                told,
                data=data | {"agent": agent, "final": False},
            )
        )
    return replies


def _data(event: Any) -> dict[str, Any]:
    """`status` is PagerDuty's word; triggered means it has really opened an incident, which its 202 did not."""
    data = {
        "status": inbound.hint(event, "data.status"),
        "at": inbound.hint(event, "occurred_at"),
        "agent": inbound.hint(event, "agent.summary"),
        "incident": inbound.hint(event, "data.id"),
        "url": inbound.hint(event, "data.html_url"),
    }
    return data | {"failed": False, "final": data["status"] == "triggered"}

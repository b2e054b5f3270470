"""Slack: pages with buttons, one headline an incident, threads, rooms, forms and commands. https://docs.slack.dev/

What we post is composed in `slack_posts`, rooms and groups are worked by `slack_rooms`, forms are drawn by
`slack_forms`, and what comes back is read by `slack_inbound`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from slack_sdk.signature import SignatureVerifier

from supportdesk.integrations import inbound, kinds, mrkdwn, slack_forms, slack_inbound, slack_rooms
from supportdesk.integrations.base import (
    Answer,
    BadSignature,
    Field,
    Integration,
    Message,
    Outcome,
    Receipt,
    Reply,
    Request,
)
from supportdesk.integrations.slack_client import SlackClient, SlackRefusal
from supportdesk.integrations.slack_posts import post, receipt, whisper

JSON = "application/json; charset=utf-8"
# The thread we answered in, or the message we edit, is gone: the words go out as a new message.
LOST = frozenset({"thread_not_found", "cannot_reply_to_message", "message_not_found", "cant_update_message"})


class Slack(Integration):
    """Post to a channel or to one person, thread by thread, and take button presses, forms and commands back."""

    slug = "slack"
    label = "Slack"
    address_label = "Slack channel or member id"
    default_base_url = "https://slack.com/api/"
    kinds = kinds.WRITTEN | kinds.SLACK
    keeps_order = True
    fields = (
        Field(
            "bot_token",
            "Bot token",
            secret=True,
            help="Starts with xoxb-. Needs chat:write and commands; channels:manage, channels:join, channels:history, "
            "groups:write, usergroups:write, pins:write and bookmarks:write for what else is used.",
        ),
        Field(
            "signing_secret",
            "Signing secret",
            secret=True,
            help="From the app's Basic Information page. While changing it: the new and the old, separated by a space.",
        ),
        Field("channel", "Our channel", required=False, help="Id of the channel where the desk tells us everything."),
        Field(
            "oncall_group",
            "On-call group",
            required=False,
            help="Id of the user group behind @oncall (S…). It is kept equal to who is on call.",
        ),
        Field(
            "oncall_schedule", "Schedule of the group", required=False, help="Short name; empty: the first schedule."
        ),
    )

    # --- out ---------------------------------------------------------------------------------------------------------

    def send(self, message: Message, previous: Receipt | None = None) -> Receipt:
        return _SENDERS.get(message.kind, _say)(self, message, previous)

    def find(self, message: Message) -> Receipt | None:
        """Our key in the channel's recent history, or in the thread it belongs to; our room among the channels. None
        without the scope to read."""
        client = self.client()
        try:
            if message.kind == kinds.ROOM_OPEN:
                return slack_rooms.find(client, message)
            if message.kind in kinds.SLACK - {kinds.HEADLINE}:
                return None  # repeating these changes nothing
            channel = _channel_of(client, message.to)
            recent = client.call("conversations.history", channel=channel, limit=100, include_all_metadata=True)
            found = _by_key(recent, message.key) or _in_thread(client, channel, recent, message)
        except SlackRefusal as refusal:
            if refusal.permanent:
                return None
            raise
        return receipt({"channel": channel, "ts": found["ts"], "message": found}, message) if found else None

    def check(self) -> str:
        who = self.client().call("auth.test")
        return f"Connected to {who.get('team', 'Slack')} as {who.get('user', 'the bot')}."

    def client(self) -> SlackClient:
        return SlackClient(self.values.get("bot_token", ""), base_url=self.base_url, timeout=self.timeout)

    # --- in ----------------------------------------------------------------------------------------------------------

    def receive(self, request: Request) -> list[Reply]:
        self._verify(request)
        if not slack_inbound.is_form(request):
            return slack_inbound.from_event(inbound.json_object(request.body))
        fields = inbound.form(request.body)
        if "payload" in fields:
            return slack_inbound.from_interaction(inbound.json_object(fields["payload"].encode()))
        return slack_inbound.from_command(fields)

    def answer(self, request: Request, outcomes: list[Outcome]) -> Answer:
        if not slack_inbound.is_form(request):
            challenge = inbound.member(inbound.json_object(request.body), "challenge")
            return Answer(200, challenge if isinstance(challenge, str) else "")
        fields = inbound.form(request.body)
        if "payload" in fields:
            return _to_interaction(inbound.json_object(fields["payload"].encode()), outcomes)
        words = "\n".join(mrkdwn.escape(outcome.text) for outcome in outcomes if outcome.text)
        return _json({"response_type": "ephemeral", "text": words}) if words else Answer(200, "")

    def _verify(self, request: Request) -> None:
        stamp = request.headers.get("x-slack-request-timestamp")
        signature = request.headers.get("x-slack-signature")
        for secret in inbound.secrets(self.values, "signing_secret"):
            try:
                if SignatureVerifier(secret).is_valid(request.body, stamp, signature):
                    return
            except (ValueError, TypeError, OverflowError) as error:  # a signature nobody could have made
                raise BadSignature("the Slack signature is not readable") from error
        raise BadSignature("the Slack signature does not match")


def _json(body: Mapping[str, Any]) -> Answer:
    return Answer(200, json.dumps(body), JSON)


def _to_interaction(payload: Mapping[str, Any], outcomes: list[Outcome]) -> Answer:
    """A pressed button shows nothing: the message it changes says enough. A form that was refused says where."""
    if payload.get("type") != "view_submission":
        return Answer(200, "")
    refused = [outcome for outcome in outcomes if outcome.result not in ("ok", "already")]
    if not refused:
        return _json({"response_action": "clear"})
    problems = slack_inbound.problems(payload, refused[0])
    return _json({"response_action": "errors", "errors": problems})


# --- one way of sending for each kind --------------------------------------------------------------------------------

Sender = Callable[["Slack", Message, Receipt | None], Receipt]


def _say(slack: Slack, message: Message, previous: Receipt | None) -> Receipt:
    """A message, in the thread of its incident."""
    client = slack.client()
    arguments = post(message, previous, slack.values)
    try:
        return receipt(client.call("chat.postMessage", **arguments), message)
    except SlackRefusal as refusal:
        return _second_try(slack, client, message, previous, refusal)


def _second_try(
    slack: Slack, client: SlackClient, message: Message, previous: Receipt | None, refusal: SlackRefusal
) -> Receipt:
    """Some refusals have a cure at hand: join or reopen a channel, leave a lost thread, go without the dress."""
    if refusal.error == "not_in_channel":
        client.call("conversations.join", channel=message.to)
    elif refusal.error == "is_archived":
        return _out_of_the_archive(slack, client, message, previous, refusal)
    elif refusal.error in LOST and previous is not None:
        previous = None
    elif refusal.error.startswith("invalid_blocks") and message.blocks:
        message = replace(message, blocks=())
    else:
        raise refusal
    return receipt(client.call("chat.postMessage", **post(message, previous, slack.values)), message)


def _out_of_the_archive(
    slack: Slack, client: SlackClient, message: Message, previous: Receipt | None, refusal: SlackRefusal
) -> Receipt:
    """Bring an archived channel back; where we may not, our own channel hears it."""
    try:
        client.call("conversations.unarchive", channel=message.to)
        return receipt(client.call("chat.postMessage", **post(message, previous, slack.values)), message)
    except SlackRefusal as closed:
        ours = slack.values.get("channel", "")
        if not closed.permanent or ours in ("", message.to):
            raise refusal from closed
    words = f"(The channel {message.to} is archived, so this is said here.)\n{message.text}"
    instead = replace(message, to=ours, text=words)
    return receipt(client.call("chat.postMessage", **post(instead, None, slack.values)), instead)


def _headline(slack: Slack, message: Message, previous: Receipt | None) -> Receipt:
    """One message an incident and channel, edited in place; a new one only where there is none to edit."""
    is_there = previous is not None and previous.detail.get("headline")
    if previous is not None and is_there:
        arguments = post(message, None, slack.values)
        where = {"channel": previous.detail["channel"], "ts": previous.detail["ts"]}
        changes = {name: arguments[name] for name in ("text", "blocks", "metadata")}
        try:
            slack.client().call("chat.update", **where, **changes)
        except SlackRefusal as refusal:
            if refusal.error not in LOST:
                raise
        else:
            return previous
    said = _say(slack, message, None)
    said = replace(said, detail={**said.detail, "headline": True})
    return slack_rooms.pinned(slack.client(), message, said) if message.facts.get("pin") else said


def _whisper(slack: Slack, message: Message, previous: Receipt | None) -> Receipt:
    """Words for one person in a channel, seen by nobody else."""
    said = slack.client().call("chat.postEphemeral", **whisper(message, slack.values))
    return Receipt(str(said.get("message_ts", "")), {"to": message.to})


def _form(slack: Slack, message: Message, previous: Receipt | None) -> Receipt:
    """Open a form before anything else is done. Slack allows three seconds; whoever was too late is told so."""
    try:
        slack.client().call("views.open", trigger_id=message.token, view=slack_forms.view(message.facts))
    except SlackRefusal as refusal:
        if refusal.error not in ("expired_trigger_id", "trigger_expired", "exchanged_trigger_id"):
            raise
        slack.client().call("chat.postEphemeral", **whisper(message, slack.values))
    return Receipt(message.key, {"to": message.to})


def _room_work(slack: Slack, message: Message, previous: Receipt | None) -> Receipt:
    return slack_rooms.WORK[message.kind](slack.client(), message)


_SENDERS: dict[str, Sender] = {
    kinds.HEADLINE: _headline,
    kinds.WHISPER: _whisper,
    kinds.FORM: _form,
    **dict.fromkeys(slack_rooms.WORK, _room_work),
}


# --- what we look up -------------------------------------------------------------------------------------------------


def _channel_of(client: SlackClient, address: str) -> str:
    """The channel behind an address: a member's messages are in a channel of their own."""
    if not address.startswith(("U", "W")):
        return address
    opened = client.call("conversations.open", users=address)
    return str(inbound.member(opened, "channel.id") or address)


def _by_key(history: Mapping[str, Any], key: str) -> Mapping[str, Any] | None:
    return next((said for said in _messages(history) if _ours(said).get("key") == key), None)


def _in_thread(
    client: SlackClient, channel: str, history: Mapping[str, Any], message: Message
) -> Mapping[str, Any] | None:
    """Replies in a thread are not part of a channel's history: look below the message that began our thread."""
    if not message.thread:
        return None
    roots = [said for said in _messages(history) if _ours(said).get("thread") == message.thread]
    for root in roots[:3]:
        replies = client.call(
            "conversations.replies", channel=channel, ts=root["ts"], limit=100, include_all_metadata=True
        )
        found = _by_key(replies, message.key)
        if found:
            return found
    return None


def _messages(history: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    said = history.get("messages")
    return [one for one in said if isinstance(one, Mapping) and "ts" in one] if isinstance(said, list) else []


def _ours(said: Mapping[str, Any]) -> Mapping[str, Any]:
    payload = inbound.member(said, "metadata.event_payload")
    return payload if isinstance(payload, Mapping) else {}

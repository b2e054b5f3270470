"""Slack: pages with buttons, updates in threads, clicks and messages back. https://docs.slack.dev/"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from slack_sdk.signature import SignatureVerifier

from supportdesk.integrations import inbound, kinds, mrkdwn
from supportdesk.integrations.base import (
    Answer,
    BadPayload,
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
from supportdesk.integrations.slack_client import SlackClient, SlackRefusal

EVENT_TYPE = "supportdesk"  # the name under which our key travels in a message's metadata
BUTTONS = (("acknowledge", "Acknowledge", "primary"), ("escalate", "Escalate", "danger"))
VERB = re.compile(r"[a-z_]{1,40}")  # what an action id of ours looks like
# Message events that are somebody speaking; all others are edits, joins and the like.
SPOKEN = frozenset({"", "file_share", "thread_broadcast"})
JSON = "application/json; charset=utf-8"


class Slack(Integration):
    """Post to a channel or to one person, thread by thread, and take button presses back."""

    slug = "slack"
    label = "Slack"
    address_label = "Slack channel or member id"
    default_base_url = "https://slack.com/api/"
    kinds = kinds.WRITTEN
    fields = (
        Field(
            "bot_token",
            "Bot token",
            secret=True,
            help="Starts with xoxb-. Needs chat:write; channels:join and channels:history help.",
        ),
        Field(
            "signing_secret",
            "Signing secret",
            secret=True,
            help="From the app's Basic Information page. While changing it: the new and the old, separated by a space.",
        ),
    )

    # --- out ---------------------------------------------------------------------------------------------------------

    def send(self, message: Message, previous: Receipt | None = None) -> Receipt:
        client = self._client()
        try:
            posted = client.call("chat.postMessage", **_post(message, previous))
        except SlackRefusal as refusal:
            posted = _second_try(client, message, previous, refusal)
        return _receipt(posted, message)

    def find(self, message: Message) -> Receipt | None:
        """Our key in the channel's recent history, or in the thread it belongs to. None without the scope to read."""
        client = self._client()
        try:
            channel = _channel_of(client, message.to)
            recent = client.call("conversations.history", channel=channel, limit=100, include_all_metadata=True)
            found = _by_key(recent, message.key) or _in_thread(client, channel, recent, message)
        except SlackRefusal as refusal:
            if refusal.permanent:
                return None
            raise
        return _receipt({"channel": channel, "ts": found["ts"], "message": found}, message) if found else None

    def check(self) -> str:
        who = self._client().call("auth.test")
        return f"Connected to {who.get('team', 'Slack')} as {who.get('user', 'the bot')}."

    def _client(self) -> SlackClient:
        return SlackClient(self.values.get("bot_token", ""), base_url=self.base_url, timeout=self.timeout)

    # --- in ----------------------------------------------------------------------------------------------------------

    def receive(self, request: Request) -> list[Reply]:
        self._verify(request)
        if not _is_form(request):
            return _from_event(inbound.json_object(request.body))
        fields = inbound.form(request.body)
        if "payload" in fields:
            return _from_interaction(inbound.json_object(fields["payload"].encode()))
        return _from_command(fields)

    def answer(self, request: Request, outcomes: list[Outcome]) -> Answer:
        if not _is_form(request):
            challenge = inbound.member(inbound.json_object(request.body), "challenge")
            return Answer(200, challenge if isinstance(challenge, str) else "")
        if "payload" in inbound.form(request.body):
            return Answer(200, "")  # Slack shows nothing from here: the changed message says what became of it
        words = "\n".join(mrkdwn.escape(outcome.text) for outcome in outcomes if outcome.text)
        return Answer(200, json.dumps({"response_type": "ephemeral", "text": words or "Received."}), JSON)

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


# --- what we post ----------------------------------------------------------------------------------------------------


def _post(message: Message, previous: Receipt | None) -> dict[str, Any]:
    if not message.to:
        raise IntegrationError("there is no Slack channel or member to post to", permanent=True)
    arguments: dict[str, Any] = {
        "channel": message.to,
        "text": mrkdwn.escape(message.text or message.subject),
        "blocks": _blocks(message),
        "metadata": {"event_type": EVENT_TYPE, "event_payload": {"key": message.key, "thread": message.thread}},
        "link_names": False,
        "unfurl_links": False,
    }
    if previous is not None and previous.detail.get("to") == message.to and previous.detail.get("thread_ts"):
        arguments["thread_ts"] = previous.detail["thread_ts"]
    return arguments


def _blocks(message: Message) -> list[dict[str, Any]]:
    """The ready-made blocks, or the text as one; a page without buttons gets those that answer it."""
    blocks = mrkdwn.escaped(message.blocks) or [_section(message)]
    has_buttons = any(block.get("type") == "actions" for block in blocks)
    if message.kind == kinds.PAGE and not has_buttons and (message.token or message.ref):
        blocks.append({"type": "actions", "elements": _buttons(message)})
    return blocks


def _section(message: Message) -> dict[str, Any]:
    words = mrkdwn.escape(message.text or message.subject)
    return {"type": "section", "text": {"type": "mrkdwn", "text": words}}


def _buttons(message: Message) -> list[dict[str, Any]]:
    value = message.token or message.ref
    buttons: list[dict[str, Any]] = [
        {"type": "button", "action_id": name, "value": value, "style": style, "text": _plain(label)}
        for name, label, style in BUTTONS
    ]
    if message.url:
        label = _plain(f"Open {message.ref}".strip()[:75])
        buttons.append({"type": "button", "action_id": "open", "url": message.url, "text": label})
    return buttons


def _plain(words: str) -> dict[str, str]:
    return {"type": "plain_text", "text": words}


def _second_try(
    client: SlackClient, message: Message, previous: Receipt | None, refusal: SlackRefusal
) -> dict[str, Any]:
    """Three refusals have a cure at hand: join a public channel, leave a lost thread, go without the dress."""
    if refusal.error == "not_in_channel":
        client.call("conversations.join", channel=message.to)
    elif refusal.error in ("thread_not_found", "cannot_reply_to_message") and previous is not None:
        previous = None
    elif refusal.error.startswith("invalid_blocks") and message.blocks:
        message = replace(message, blocks=())
    else:
        raise refusal
    return client.call("chat.postMessage", **_post(message, previous))


def _receipt(posted: Mapping[str, Any], message: Message) -> Receipt:
    ts = inbound.member(posted, "ts")
    if not isinstance(ts, str):
        raise IntegrationError("Slack accepted the message but did not say where it is", ambiguous=True)
    root = inbound.member(posted, "message.thread_ts") or ts
    return Receipt(ts, {"to": message.to, "channel": posted.get("channel", ""), "ts": ts, "thread_ts": root})


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


# --- what comes back -------------------------------------------------------------------------------------------------


def _is_form(request: Request) -> bool:
    return request.headers.get("content-type", "").lower().startswith("application/x-www-form-urlencoded")


def _from_interaction(payload: Mapping[str, Any]) -> list[Reply]:
    """Pressed buttons that carry a value; a button that only opens an address has none."""
    if payload.get("type") != "block_actions":
        return []
    actions = payload.get("actions")
    if not isinstance(actions, list):
        raise BadPayload("actions is not a list", field="actions")
    return [_from_click(payload, action) for action in actions if inbound.member(action, "value")]


def _from_click(payload: Mapping[str, Any], action: Mapping[str, Any]) -> Reply:
    sender = inbound.text(payload, "user.id")
    verb = inbound.text(action, "action_id")
    if not VERB.fullmatch(verb):
        raise BadPayload("actions.action_id is none of ours", field="actions.action_id")
    at = inbound.text(action, "action_ts")
    return Reply(
        verb=verb,
        subject=inbound.text(action, "value"),
        sender=sender,
        key=f"click:{sender}:{at}:{verb}",
        data=_place(payload, "channel.id", "container.message_ts", "container.thread_ts"),
    )


def _from_event(payload: Mapping[str, Any]) -> list[Reply]:
    """One spoken message. Bots, and that includes us, are not listened to."""
    event = payload.get("event")
    if payload.get("type") != "event_callback" or inbound.member(event, "type") != "message":
        return []
    if inbound.member(event, "bot_id") or inbound.text(event, "subtype", required=False) not in SPOKEN:
        return []
    channel = inbound.text(event, "channel")
    return [
        Reply(
            verb="message",
            subject=channel,
            sender=inbound.text(event, "user"),
            key=inbound.text(payload, "event_id"),
            text=inbound.text(event, "text", required=False),
            data=_place(event, "channel", "ts", "thread_ts"),
        )
    ]


def _from_command(fields: Mapping[str, str]) -> list[Reply]:
    """`/desk ack 42` is a verb; anything else after the slash is something said."""
    if fields.get("ssl_check"):
        return []
    channel, words = inbound.text(fields, "channel_id"), inbound.text(fields, "text", required=False)
    verb, subject, rest = inbound.command(words) or ("message", channel, words)
    return [
        Reply(
            verb=verb,
            subject=subject,
            sender=inbound.text(fields, "user_id"),
            key=inbound.text(fields, "trigger_id"),
            text=rest,
            data={"channel": channel, "command": inbound.text(fields, "command")},
        )
    ]


def _place(source: Any, channel: str, ts: str, thread_ts: str) -> dict[str, str]:
    where = {"channel": channel, "ts": ts, "thread_ts": thread_ts}
    return {name: inbound.hint(source, path) for name, path in where.items()}

"""What we post in Slack: text, blocks, buttons, and our key in the metadata. Everything people wrote is escaped."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from supportdesk.integrations import inbound, kinds, mrkdwn
from supportdesk.integrations.base import IntegrationError, Message, Receipt
from supportdesk.localised import ENGLISH, GERMAN

EVENT_TYPE = "supportdesk"  # the name under which our key travels in a message's metadata
BUTTONS = {
    "acknowledge": ("Acknowledge", "primary"),
    "escalate": ("Escalate", "danger"),
    "update": ("Write an update", ""),
    "resolve": ("Resolve", ""),
    "declare": ("Declare an incident", "danger"),
}
OPEN = {ENGLISH: "Open {ref}", GERMAN: "{ref} öffnen"}  # the only button customers see
ON_A_PAGE = ("acknowledge", "escalate")
BUTTON_LIMIT = 75  # characters


def post(message: Message, previous: Receipt | None, values: Mapping[str, str]) -> dict[str, Any]:
    """The arguments of chat.postMessage. `previous` is a message of the same incident; we answer in its thread."""
    if not message.to:
        raise IntegrationError("there is no Slack channel or member to post to", permanent=True)
    mention = _mention(message, values)
    arguments: dict[str, Any] = {
        "channel": message.to,
        "text": mention + mrkdwn.escape(message.text or message.subject),
        "blocks": _blocks(message, mention),
        "metadata": {"event_type": EVENT_TYPE, "event_payload": {"key": message.key, "thread": message.thread}},
        "link_names": False,
        "unfurl_links": False,
    }
    if previous is not None and previous.detail.get("to") == message.to and previous.detail.get("thread_ts"):
        arguments["thread_ts"] = previous.detail["thread_ts"]
        if message.kind == kinds.ONCALL:
            arguments["reply_broadcast"] = True  # who is called must see it without opening the thread
    return arguments


def whisper(message: Message, values: Mapping[str, str]) -> dict[str, Any]:
    """The arguments of chat.postEphemeral: `facts["user"]` reads it, in the channel it is addressed to."""
    return {
        "channel": message.to,
        "user": str(message.facts.get("user", "")),
        "text": mrkdwn.escape(message.text),
        "blocks": _blocks(message, ""),
    }


def receipt(posted: Mapping[str, Any], message: Message) -> Receipt:
    ts = inbound.member(posted, "ts")
    if not isinstance(ts, str):
        raise IntegrationError("Slack accepted the message but did not say where it is", ambiguous=True)
    root = inbound.member(posted, "message.thread_ts") or ts
    return Receipt(ts, {"to": message.to, "channel": posted.get("channel", ""), "ts": ts, "thread_ts": root})


def _mention(message: Message, values: Mapping[str, str]) -> str:
    """The one mention we ever write: whoever is on call, by the group that is kept equal to them."""
    group = values.get("oncall_group", "")
    return f"<!subteam^{group}> " if message.kind == kinds.ONCALL and group.isalnum() else ""


def _blocks(message: Message, mention: str) -> list[dict[str, Any]]:
    """The ready-made blocks, or the text as one; and the buttons that answer it, unless it brings its own."""
    blocks = mrkdwn.escaped(message.blocks) or [_section(message, mention)]
    has_buttons = any(block.get("type") == "actions" for block in blocks)
    elements = [] if has_buttons else _buttons(message)
    return [*blocks, {"type": "actions", "elements": elements}] if elements else blocks


def _section(message: Message, mention: str) -> dict[str, Any]:
    words = mrkdwn.escape(message.text or message.subject)
    return {"type": "section", "text": {"type": "mrkdwn", "text": (mention + words)[: mrkdwn.SECTION_LIMIT]}}


def _buttons(message: Message) -> list[dict[str, Any]]:
    """A page is answered by two buttons; other messages name theirs in `facts["buttons"]`."""
    value = message.token or message.ref
    named = ON_A_PAGE if message.kind == kinds.PAGE and value else message.facts.get("buttons", ())
    buttons = [_button(name, value or "-") for name in named if name in BUTTONS]
    if message.url and (buttons or message.kind == kinds.HEADLINE):
        says = OPEN.get(str(message.facts.get("language", "")), OPEN[ENGLISH])
        words = {"type": "plain_text", "text": says.format(ref=message.ref).strip()[:BUTTON_LIMIT]}
        buttons.append({"type": "button", "action_id": "open", "url": message.url, "text": words})
    return buttons


def _button(name: str, value: str) -> dict[str, Any]:
    label, style = BUTTONS[name]
    dress = {"style": style} if style else {}
    words = {"type": "plain_text", "text": label}
    return {"type": "button", "action_id": name, "value": value, "text": words, **dress}

"""A fake Slack: keeps messages, refuses what Slack refuses, and clicks, speaks and types commands like people do."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count
from typing import Any

from tests.fakes.desk import FORM, JSON, Desk, DeskAnswer, form
from tests.fakes.server import FakeVendor, Reaction, Refusal, Seen, Surprise

ARGUMENTS = {
    "auth.test": set(),
    "chat.postMessage": {"channel", "text", "blocks", "metadata", "link_names", "unfurl_links", "thread_ts"},
    "conversations.open": {"users"},
    "conversations.join": {"channel"},
    "conversations.history": {"channel", "limit", "include_all_metadata"},
    "conversations.replies": {"channel", "ts", "limit", "include_all_metadata"},
}


@dataclass
class SlackMessage:
    """One message as it lies in a channel."""

    channel: str
    ts: str
    text: str
    blocks: list[dict[str, Any]]
    metadata: dict[str, Any]
    thread_ts: str = ""
    to: str = ""  # what the desk addressed: the channel, or the member whose messages it is among

    @property
    def buttons(self) -> dict[str, dict[str, Any]]:
        elements = [one for block in self.blocks if block["type"] == "actions" for one in block["elements"]]
        return {button["action_id"]: button for button in elements}

    @property
    def words(self) -> str:
        """All text a reader sees, as it came over the wire."""
        return "\n".join([self.text, *(block["text"]["text"] for block in self.blocks if "text" in block)])

    def as_slack(self) -> dict[str, Any]:
        shown = {"type": "message", "bot_id": "B1", "text": self.text, "ts": self.ts, "blocks": self.blocks}
        thread = {"thread_ts": self.thread_ts} if self.thread_ts else {}
        return shown | thread | ({"metadata": self.metadata} if self.metadata else {})


class FakeSlack(FakeVendor):
    """`messages` is what lies in all channels; `click`, `says` and `command` are people."""

    name = "slack"
    prefix = "/api/"
    token = "xoxb-fake"
    signing_secret = "slack-signing-secret"

    def __init__(self, port: int = 0) -> None:
        super().__init__(port)
        self.messages: list[SlackMessage] = []
        self.scopes = {"chat:write", "channels:history", "im:history", "channels:join"}
        self.hook_url = ""
        self._ts = count(1)

    @property
    def values(self) -> dict[str, str]:
        """What a connection to this Slack is made with."""
        return {"bot_token": self.token, "signing_secret": self.signing_secret}

    def reset(self) -> None:
        super().reset()
        self.messages.clear()

    def to(self, address: str) -> list[SlackMessage]:
        """The messages the desk addressed to a channel or a member, oldest first."""
        return [message for message in self.messages if message.to == address]

    def refuses(self, error: str, **step: Any) -> None:
        """Script Slack's own way of saying no: HTTP 200, not ok."""
        self.next(status=200, body={"ok": False, "error": error}, **step)

    # --- as a server -------------------------------------------------------------------------------------------------

    def react(self, seen: Seen) -> Reaction:
        method = seen.path.removeprefix(self.prefix)
        if seen.method != "POST" or method not in ARGUMENTS:
            raise Surprise("no such method", status=404, body={"ok": False, "error": "unknown_method"})
        if seen.headers.get("authorization") != f"Bearer {self.token}":
            raise Refusal(200, {"ok": False, "error": "invalid_auth"})
        unknown = set(seen.data) - ARGUMENTS[method]
        if unknown:
            raise Surprise(f"unknown arguments {sorted(unknown)}", status=200, body=_no("invalid_arguments"))
        handler = getattr(self, "_" + method.replace(".", "_").lower())
        return Reaction(200, {"ok": True, **handler(seen.data)})

    def _auth_test(self, _: Mapping[str, Any]) -> dict[str, Any]:
        return {"team": "Fake Workspace", "user": "desk", "user_id": "UBOT", "bot_id": "B1"}

    def _chat_postmessage(self, given: Mapping[str, Any]) -> dict[str, Any]:
        to = str(given.get("channel", ""))
        if not to or not (to[0] in "CGDUW#" or to.islower()):  # an id, or a channel by name
            raise Refusal(200, _no("channel_not_found"))
        if not given.get("text"):
            raise Surprise("a message without text", status=200, body=_no("no_text"))
        check_blocks(given.get("blocks", []))
        thread_ts = given.get("thread_ts", "")
        channel = private_channel(to)
        if thread_ts and not any(m.ts == thread_ts and m.channel == channel for m in self.messages):
            raise Refusal(200, _no("thread_not_found"))
        message = SlackMessage(
            channel, self._stamp(), given["text"], given.get("blocks", []), given.get("metadata", {}), thread_ts, to
        )
        self.messages.append(message)
        return {"channel": channel, "ts": message.ts, "message": message.as_slack()}

    def _conversations_open(self, given: Mapping[str, Any]) -> dict[str, Any]:
        return {"channel": {"id": private_channel(given["users"])}}

    def _conversations_join(self, given: Mapping[str, Any]) -> dict[str, Any]:
        self._require("channels:join")
        return {"channel": {"id": given["channel"]}}

    def _conversations_history(self, given: Mapping[str, Any]) -> dict[str, Any]:
        self._require("im:history" if given["channel"].startswith("D") else "channels:history")
        lying = [m for m in self.messages if m.channel == given["channel"] and not m.thread_ts]
        return self._listing(lying[::-1], given)

    def _conversations_replies(self, given: Mapping[str, Any]) -> dict[str, Any]:
        self._require("im:history" if given["channel"].startswith("D") else "channels:history")
        lying = [m for m in self.messages if m.channel == given["channel"] and given["ts"] in (m.ts, m.thread_ts)]
        return self._listing(lying, given)

    def _listing(self, messages: list[SlackMessage], given: Mapping[str, Any]) -> dict[str, Any]:
        shown = [message.as_slack() for message in messages][: int(given.get("limit", 100))]
        if str(given.get("include_all_metadata")) not in ("1", "True", "true"):
            shown = [{name: value for name, value in one.items() if name != "metadata"} for one in shown]
        return {"messages": shown, "has_more": False}

    def _require(self, scope: str) -> None:
        if scope not in self.scopes:
            raise Refusal(200, _no("missing_scope") | {"needed": scope})

    def _stamp(self) -> str:
        return f"1767225600.{next(self._ts):06d}"

    # --- as people ---------------------------------------------------------------------------------------------------

    def click(self, message: SlackMessage, action: str, user: str, desk: Desk) -> DeskAnswer:
        """Press a button of a message."""
        button = message.buttons[action]
        at = f"{time.time():.6f}"
        pressed = {"action_id": action, "block_id": "b", "type": "button", "text": button["text"], "action_ts": at}
        return self.post_interaction(
            {
                "type": "block_actions",
                "user": {"id": user, "username": user.lower(), "team_id": "T111"},
                "trigger_id": f"{at}.abc",
                "container": {"type": "message", "message_ts": message.ts, "channel_id": message.channel},
                "channel": {"id": message.channel, "name": "inc-42"},
                "message": message.as_slack(),
                "response_url": "https://hooks.slack.com/actions/T111/111/x",
                "actions": [pressed | ({"value": button["value"]} if "value" in button else {})],
            },
            desk,
        )

    def post_interaction(self, payload: Mapping[str, Any], desk: Desk) -> DeskAnswer:
        return self.post(form({"payload": json.dumps(payload)}), FORM, desk)

    def says(self, channel: str, text: str, user: str, desk: Desk, **event: Any) -> DeskAnswer:
        """Somebody writes a message where the app listens."""
        ts = self._stamp()
        said = {"type": "message", "channel": channel, "user": user, "text": text, "ts": ts, "event_ts": ts} | event
        body = {
            "type": "event_callback",
            "team_id": "T111",
            "event_id": f"Ev{ts}",
            "event": said,
            "event_time": 1767225602,
        }
        return self.post(json.dumps(body).encode(), JSON, desk)

    def command(self, text: str, user: str, desk: Desk, channel: str = "C111") -> DeskAnswer:
        """Somebody types /desk and some words."""
        fields = {
            "team_id": "T111",
            "channel_id": channel,
            "user_id": user,
            "command": "/desk",
            "text": text,
            "response_url": "https://hooks.slack.com/commands/T111/1/x",
            "trigger_id": f"{next(self._ts)}.222.abc",
        }
        return self.post(form(fields), FORM, desk)

    def post(self, body: bytes, kind: str, desk: Desk) -> DeskAnswer:
        return desk(self.hook_url, body, {"Content-Type": kind, **self.signed(body)})

    def signed(self, body: bytes, *, at: float | None = None, secret: str = "") -> dict[str, str]:
        """The headers that prove a request comes from this Slack."""
        stamp = str(int(time.time() if at is None else at))
        base = f"v0:{stamp}:".encode() + body
        digest = hmac.new((secret or self.signing_secret).encode(), base, hashlib.sha256).hexdigest()
        return {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": f"v0={digest}"}


def private_channel(address: str) -> str:
    """The channel of the messages with one member; a channel is itself."""
    return "D" + address[1:] if address[:1] in "UW" else address


def check_blocks(blocks: Any) -> None:
    """The rules of Block Kit that people break."""
    if not isinstance(blocks, list) or len(blocks) > 50:
        raise Surprise("blocks is no list of at most 50", status=200, body=_no("invalid_blocks"))
    for block in blocks:
        if block.get("type") == "section" and not 0 < len(block["text"]["text"]) <= 3000:
            raise Surprise("a section's text is 1 to 3000 characters", status=200, body=_no("invalid_blocks"))
        if block.get("type") == "actions":
            ids = [element["action_id"] for element in block["elements"]]
            if len(ids) != len(set(ids)) or any(len(e.get("value", "")) > 2000 for e in block["elements"]):
                raise Surprise("buttons need ids of their own and short values", status=200, body=_no("invalid_blocks"))


def _no(error: str) -> dict[str, Any]:
    return {"ok": False, "error": error}

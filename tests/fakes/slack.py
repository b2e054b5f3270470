"""A fake Slack: keeps messages, refuses what Slack refuses, and clicks, speaks and types commands like people do."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from tests.fakes.desk import FORM, JSON, Desk, DeskAnswer, form
from tests.fakes.server import FakeVendor, Reaction, Refusal, Seen, Surprise

ARGUMENTS = {
    "auth.test": set(),
    "chat.postMessage": {
        *("channel", "text", "blocks", "metadata", "link_names", "unfurl_links", "thread_ts", "reply_broadcast"),
    },
    "chat.update": {"channel", "ts", "text", "blocks", "metadata"},
    "chat.postEphemeral": {"channel", "user", "text", "blocks"},
    "conversations.open": {"users"},
    "conversations.join": {"channel"},
    "conversations.history": {"channel", "limit", "include_all_metadata"},
    "conversations.replies": {"channel", "ts", "limit", "include_all_metadata"},
    "conversations.create": {"name", "is_private"},
    "conversations.list": {"types", "exclude_archived", "limit", "cursor"},
    "conversations.invite": {"channel", "users"},
    "conversations.setTopic": {"channel", "topic"},
    "conversations.archive": {"channel"},
    "conversations.unarchive": {"channel"},
    "bookmarks.add": {"channel_id", "title", "type", "link"},
    "pins.add": {"channel", "timestamp"},
    "usergroups.users.update": {"usergroup", "users"},
    "views.open": {"trigger_id", "view"},
}
# What is open in a modal's input, by the type of its element.
INPUTS = {"plain_text_input", "static_select", "checkboxes"}


@dataclass
class Channel:
    """One channel the desk has made, or has worked on."""

    id: str
    name: str = ""
    creator: str = ""
    topic: str = ""
    is_archived: bool = False
    members: list[str] = field(default_factory=list)
    bookmarks: dict[str, str] = field(default_factory=dict)
    pins: list[str] = field(default_factory=list)


@dataclass
class Form:
    """A modal somebody has before them."""

    id: str
    view: dict[str, Any]
    trigger: str

    @property
    def inputs(self) -> dict[str, dict[str, Any]]:
        return {block["block_id"]: block for block in self.view["blocks"] if block["type"] == "input"}

    def options(self, name: str) -> dict[str, str]:
        """The choices of one input, by their words."""
        return {one["text"]["text"]: one["value"] for one in self.inputs[name]["element"]["options"]}


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
    is_broadcast: bool = False
    user: str = ""  # the only one who sees it
    edits: int = 0

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
        self._forget()
        self.hook_url = ""
        self._ts = count(1)

    @property
    def values(self) -> dict[str, str]:
        """What a connection to this Slack is made with."""
        return {"bot_token": self.token, "signing_secret": self.signing_secret}

    def reset(self) -> None:
        super().reset()
        self._forget()

    def _forget(self) -> None:
        self.messages: list[SlackMessage] = []
        self.whispers: list[SlackMessage] = []
        self.channels: dict[str, Channel] = {}
        self.groups: dict[str, list[str]] = {}
        self.forms: list[Form] = []
        self.scopes = {"chat:write", "channels:history", "im:history", "channels:join", "channels:manage"}
        self.outsiders: set[str] = set()  # members who cannot be invited
        self.late_triggers = False

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
        if channel in self.channels and self.channels[channel].is_archived:
            raise Refusal(200, _no("is_archived"))
        if thread_ts and not any(m.ts == thread_ts and m.channel == channel for m in self.messages):
            raise Refusal(200, _no("thread_not_found"))
        message = SlackMessage(
            channel, self._stamp(), given["text"], given.get("blocks", []), given.get("metadata", {}), thread_ts, to
        )
        message.is_broadcast = str(given.get("reply_broadcast")) in ("1", "True", "true")
        self.messages.append(message)
        return {"channel": channel, "ts": message.ts, "message": message.as_slack()}

    def _chat_update(self, given: Mapping[str, Any]) -> dict[str, Any]:
        check_blocks(given.get("blocks", []))
        lying = next((m for m in self.messages if m.ts == given["ts"] and m.channel == given["channel"]), None)
        if lying is None:
            raise Refusal(200, _no("message_not_found"))
        lying.text, lying.blocks, lying.edits = given["text"], given.get("blocks", []), lying.edits + 1
        lying.metadata = given.get("metadata", lying.metadata)
        return {"channel": lying.channel, "ts": lying.ts, "text": lying.text}

    def _chat_postephemeral(self, given: Mapping[str, Any]) -> dict[str, Any]:
        check_blocks(given.get("blocks", []))
        if not given.get("user"):
            raise Surprise("an ephemeral message to nobody", status=200, body=_no("user_not_in_channel"))
        said = SlackMessage(given["channel"], self._stamp(), given["text"], given.get("blocks", []), {})
        said.to, said.user = given["channel"], given["user"]
        self.whispers.append(said)
        return {"message_ts": said.ts}

    def channel(self, key: str) -> Channel:
        return self.channels.setdefault(key, Channel(key))

    def _conversations_create(self, given: Mapping[str, Any]) -> dict[str, Any]:
        name = given["name"]
        if not 0 < len(name) <= 80 or name != name.lower() or " " in name:
            raise Surprise(f"{name!r} is no name of a channel", status=200, body=_no("invalid_name"))
        if any(channel.name == name for channel in self.channels.values()):
            raise Refusal(200, _no("name_taken"))
        made = self.channels[f"C0NEW{len(self.channels)}"] = Channel(f"C0NEW{len(self.channels)}", name, "UBOT")
        return {"channel": {"id": made.id, "name": made.name, "creator": made.creator}}

    def _conversations_list(self, given: Mapping[str, Any]) -> dict[str, Any]:
        listed = [{"id": c.id, "name": c.name, "creator": c.creator} for c in self.channels.values()]
        return {"channels": listed, "response_metadata": {"next_cursor": ""}}

    def _conversations_invite(self, given: Mapping[str, Any]) -> dict[str, Any]:
        users = given["users"].split(",")
        if self.outsiders & set(users):
            raise Refusal(200, _no("cant_invite"))
        members = self.channel(given["channel"]).members
        if set(users) <= set(members):
            raise Refusal(200, _no("already_in_channel"))
        members.extend(user for user in users if user not in members)
        return {"channel": {"id": given["channel"]}}

    def _conversations_settopic(self, given: Mapping[str, Any]) -> dict[str, Any]:
        if len(given["topic"]) > 250:
            raise Surprise("a topic is at most 250 characters", status=200, body=_no("too_long"))
        self.channel(given["channel"]).topic = given["topic"]
        return {"channel": {"id": given["channel"]}}

    def _conversations_archive(self, given: Mapping[str, Any]) -> dict[str, Any]:
        if self.channel(given["channel"]).is_archived:
            raise Refusal(200, _no("already_archived"))
        self.channel(given["channel"]).is_archived = True
        return {}

    def _conversations_unarchive(self, given: Mapping[str, Any]) -> dict[str, Any]:
        self._require("channels:manage")
        self.channel(given["channel"]).is_archived = False
        return {}

    def _bookmarks_add(self, given: Mapping[str, Any]) -> dict[str, Any]:
        if given["type"] != "link" or not given["link"].startswith("http"):
            raise Surprise("a bookmark is a link", status=200, body=_no("invalid_arguments"))
        self.channel(given["channel_id"]).bookmarks[given["title"]] = given["link"]
        return {"bookmark": {"id": "Bk1"}}

    def _pins_add(self, given: Mapping[str, Any]) -> dict[str, Any]:
        pins = self.channel(given["channel"]).pins
        if given["timestamp"] in pins:
            raise Refusal(200, _no("already_pinned"))
        pins.append(given["timestamp"])
        return {}

    def _usergroups_users_update(self, given: Mapping[str, Any]) -> dict[str, Any]:
        users = [user for user in given["users"].split(",") if user]
        if not users:
            raise Surprise("Slack refuses to empty a group", status=200, body=_no("invalid_users"))
        self.groups[given["usergroup"]] = users
        return {"usergroup": {"id": given["usergroup"], "users": users}}

    def _views_open(self, given: Mapping[str, Any]) -> dict[str, Any]:
        if self.late_triggers:
            raise Refusal(200, _no("expired_trigger_id"))
        view = given["view"] if isinstance(given["view"], dict) else json.loads(given["view"])
        check_view(view)
        self.forms.append(Form(f"V{len(self.forms) + 1}", view, given["trigger_id"]))
        return {"view": {"id": self.forms[-1].id}}

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

    def submit(self, shown: Form, values: Mapping[str, str], user: str, desk: Desk) -> DeskAnswer:
        """Fill a form in and send it; a choice is made by its words or its value."""
        entered = {}
        for name, block in shown.inputs.items():
            value = values.get(name, block["element"].get("initial_value", ""))
            if block["element"]["type"] == "static_select":
                value = shown.options(name).get(value, value)
                chosen = {"value": value, "text": {"type": "plain_text", "text": "…"}} if value else None
                entered[name] = {"v": {"type": "static_select", "selected_option": chosen}}
            elif block["element"]["type"] == "checkboxes":
                ticked = [{"value": one} for one in shown.options(name).values() if value]
                entered[name] = {"v": {"type": "checkboxes", "selected_options": ticked}}
            else:
                entered[name] = {"v": {"type": "plain_text_input", "value": value or None}}
        return self.post_interaction(
            {
                "type": "view_submission",
                "user": {"id": user, "username": user.lower(), "team_id": "T111"},
                "trigger_id": f"{next(self._ts)}.333.abc",
                "view": {**shown.view, "id": shown.id, "state": {"values": entered}},
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
        """Somebody types /incident and some words."""
        fields = {
            "team_id": "T111",
            "channel_id": channel,
            "user_id": user,
            "command": "/incident",
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


def check_view(view: Mapping[str, Any]) -> None:
    """The rules of modals that people break."""
    known = {"type", "callback_id", "private_metadata", "title", "submit", "close", "blocks"}
    names = [block["block_id"] for block in view["blocks"] if block["type"] == "input"]
    elements = [block["element"] for block in view["blocks"] if block["type"] == "input"]
    choices = [element["options"] for element in elements if "options" in element]
    wrong = (
        set(view) - known
        or view["type"] != "modal"
        or len(view["title"]["text"]) > 24
        or len(view.get("private_metadata", "")) > 3000
        or len(names) != len(set(names))
        or {element["type"] for element in elements} - INPUTS
        or any(not 0 < len(options) <= 100 for options in choices)
        or any(len(element["options"]) > 10 for element in elements if element["type"] == "checkboxes")
        or any(len(one["text"]["text"]) > 75 for options in choices for one in options)
    )
    if wrong:
        raise Surprise(f"no modal of Slack's: {wrong}", status=200, body=_no("invalid_arguments"))


def _no(error: str) -> dict[str, Any]:
    return {"ok": False, "error": error}

"""Reading what Slack sends: pressed buttons, sent forms, spoken messages, typed commands."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from supportdesk.integrations import inbound, slack_forms
from supportdesk.integrations.base import BadPayload, Outcome, Reply, Request

VERB = re.compile(r"[a-z_]{1,40}")  # what an action id of ours looks like
# Message events that are somebody speaking; all others are edits, joins and the like.
SPOKEN = frozenset({"", "file_share", "thread_broadcast"})
OPENS_A_FORM = frozenset({"update", "resolve", "declare"})  # within three seconds: not by way of the queue
_ABOUT = re.compile(r"\s*(?:inc-?)?\s*#?(\d{1,9})\b\s*", re.IGNORECASE)
_WORDS = {"": "help", "help": "help", "who": "who", "declare": "declare", "update": "update", "resolve": "resolve"}


def is_form(request: Request) -> bool:
    return request.headers.get("content-type", "").lower().startswith("application/x-www-form-urlencoded")


def from_interaction(payload: Mapping[str, Any]) -> list[Reply]:
    """Pressed buttons that carry a value; a button that only opens an address has none. Or a form that was sent."""
    if payload.get("type") == "view_submission":
        return [_from_form(payload)]
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
    opens = {"trigger": inbound.hint(payload, "trigger_id")} if verb in OPENS_A_FORM else {}
    return Reply(
        verb=verb,
        subject=inbound.text(action, "value"),
        sender=sender,
        key=f"click:{sender}:{at}:{verb}",
        data=_place(payload, "channel.id", "container.message_ts", "container.thread_ts") | opens,
        is_awaited=bool(opens),
    )


def _from_form(payload: Mapping[str, Any]) -> Reply:
    """A form somebody sent; they wait to hear whether it was taken."""
    view = payload.get("view")
    if not isinstance(view, Mapping):
        raise BadPayload("view is missing", field="view")
    name, sent = inbound.text(view, "id", limit=inbound.NAME_LIMIT), inbound.hint(payload, "trigger_id")
    return Reply(
        verb="submit",
        subject=inbound.text(view, "callback_id"),
        sender=inbound.text(payload, "user.id"),
        key=f"form:{name}:{sent}",
        data={"form": name, "about": _about(view), "values": slack_forms.filled(view)},
        is_awaited=True,
    )


def _about(view: Mapping[str, Any]) -> dict[str, Any]:
    """What we gave the form to remember."""
    try:
        about = json.loads(inbound.hint(view, "private_metadata") or "{}")
    except (ValueError, RecursionError) as error:
        raise BadPayload("view.private_metadata is none of ours", field="view.private_metadata") from error
    return about if isinstance(about, dict) else {}


def problems(payload: Mapping[str, Any], outcome: Outcome) -> dict[str, str]:
    """What was wrong with a form, under the input it concerns; under the first one where it concerns none."""
    blocks = inbound.member(payload, "view.blocks")
    asked = [
        str(block["block_id"])
        for block in (blocks if isinstance(blocks, list) else [])
        if isinstance(block, Mapping) and block.get("type") == "input" and "block_id" in block
    ]
    asked = asked or list(slack_forms.filled(payload.get("view") or {}))
    field = str(outcome.data.get("field", ""))
    where = field if field in asked else next(iter(asked), field or "form")
    return {where: outcome.text or "This did not work. Please use the console."}


def from_event(payload: Mapping[str, Any]) -> list[Reply]:
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


def from_command(fields: Mapping[str, str]) -> list[Reply]:
    """`/incident ack 42`, `who`, `declare Checkout is down`, `update 42`; anything else is something said."""
    if fields.get("ssl_check"):
        return []
    channel, words = inbound.text(fields, "channel_id"), inbound.text(fields, "text", required=False)
    verb, subject, rest = inbound.command(words) or _command(words) or ("message", channel, words)
    return [
        Reply(
            verb=verb,
            subject=subject,
            sender=inbound.text(fields, "user_id"),
            key=inbound.text(fields, "trigger_id"),
            text=rest,
            data={
                "channel": channel,
                "command": inbound.text(fields, "command"),
                "trigger": inbound.text(fields, "trigger_id"),
            },
            is_awaited=True,
        )
    ]


def _command(words: str) -> tuple[str, str, str] | None:
    """A word of ours, the incident it names if any, and the rest."""
    first, _, rest = words.strip().partition(" ")
    verb = _WORDS.get(first.lower())
    if verb is None:
        return None
    named = _ABOUT.match(rest) if verb in ("update", "resolve") else None
    return (verb, f"INC-{int(named[1])}", rest[named.end() :].strip()) if named else (verb, "", rest.strip())


def _place(source: Any, channel: str, ts: str, thread_ts: str) -> dict[str, str]:
    where = {"channel": channel, "ts": ts, "thread_ts": thread_ts}
    return {name: inbound.hint(source, path) for name, path in where.items()}

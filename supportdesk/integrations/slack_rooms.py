"""Slack's channels and groups: made, filled and put away again. Each piece of work is one kind of message.

`Message.to` is the channel (or the group), `Message.facts` says what is to be done with it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from supportdesk.integrations import inbound, kinds, mrkdwn
from supportdesk.integrations.base import IntegrationError, Message, Receipt, Reply
from supportdesk.integrations.slack_client import SlackClient, SlackRefusal

MOST_NAMES = 5  # the name, and four with a number behind it
NAME_LIMIT = 80
TOPIC_LIMIT = 250
MOST_PAGES = 5  # of channels, looked through for one of ours
ARCHIVED = frozenset({"already_archived", "is_archived"})


def open_room(client: SlackClient, message: Message) -> Receipt:
    """Make a channel of this name. A name that is taken is somebody's: ours gets a number behind it."""
    name = str(message.facts["name"])[:NAME_LIMIT]
    for number in range(1, MOST_NAMES + 1):
        tried = name if number == 1 else f"{name[: NAME_LIMIT - 3]}-{number}"
        try:
            made = client.call("conversations.create", name=tried, is_private=bool(message.facts.get("is_private")))
        except SlackRefusal as refusal:
            if refusal.error != "name_taken":
                raise
            continue
        return _opened(message, inbound.member(made, "channel.id"), tried)
    raise IntegrationError(f"Slack: every name like {name} is taken", permanent=True)


def find(client: SlackClient, message: Message) -> Receipt | None:
    """Did an earlier try make it? A channel counts as ours by its name and its maker together."""
    us = client.call("auth.test").get("user_id")
    name, cursor = str(message.facts["name"])[:NAME_LIMIT], ""
    types = "private_channel" if message.facts.get("is_private") else "public_channel"
    for _ in range(MOST_PAGES):
        page = client.call("conversations.list", types=types, exclude_archived=True, limit=200, cursor=cursor)
        for channel in page.get("channels") or ():
            if channel.get("name") == name and us and channel.get("creator") == us:
                return _opened(message, channel.get("id"), name)
        cursor = inbound.hint(page, "response_metadata.next_cursor")
        if not cursor:
            break
    return None


def _opened(message: Message, channel: Any, name: str) -> Receipt:
    if not isinstance(channel, str) or not channel:
        raise IntegrationError("Slack made a channel and did not say which", ambiguous=True)
    reply = Reply("room_opened", message.ref, "", f"room:{channel}", data={"channel": channel, "name": name})
    return Receipt(channel, {"channel": channel, "name": name}, replies=(reply,))


def invite(client: SlackClient, message: Message) -> Receipt:
    """Bring people in. Whoever cannot be invited keeps nobody else out."""
    users = _users(message)
    try:
        client.call("conversations.invite", channel=message.to, users=",".join(users))
        return Receipt(message.key, {"invited": users})
    except SlackRefusal as refusal:
        if not refusal.permanent or len(users) == 1:
            raise
    refused: dict[str, str] = {}
    for user in users:
        try:
            client.call("conversations.invite", channel=message.to, users=user)
        except SlackRefusal as refusal:
            if not refusal.permanent:
                raise
            refused[user] = refusal.error
    return Receipt(message.key, {"invited": [user for user in users if user not in refused], "refused": refused})


def set_topic(client: SlackClient, message: Message) -> Receipt:
    topic = mrkdwn.escape(str(message.facts["topic"]))[:TOPIC_LIMIT]
    client.call("conversations.setTopic", channel=message.to, topic=topic)
    return Receipt(message.key)


def bookmark(client: SlackClient, message: Message) -> Receipt:
    title, link = str(message.facts["title"]), str(message.facts["link"])
    client.call("bookmarks.add", channel_id=message.to, title=title, type="link", link=link)
    return Receipt(message.key)


def pin(client: SlackClient, message: Message) -> Receipt:
    client.call("pins.add", channel=message.to, timestamp=str(message.facts["ts"]))
    return Receipt(message.key)


def pinned(client: SlackClient, message: Message, said: Receipt) -> Receipt:
    """Pin what was just said, and tell the desk where it is. Not being allowed to pin loses nothing."""
    try:
        client.call("pins.add", channel=said.detail["channel"], timestamp=said.detail["ts"])
    except SlackRefusal as refusal:
        said = replace(said, detail={**said.detail, "not_pinned": refusal.error})
    except IntegrationError as error:
        said = replace(said, detail={**said.detail, "not_pinned": error.detail})
    place = {"channel": said.detail["channel"], "ts": said.detail["ts"]}
    return replace(said, replies=(Reply("room_summary", message.ref, "", f"summary:{place['ts']}", data=place),))


def archive(client: SlackClient, message: Message) -> Receipt:
    try:
        client.call("conversations.archive", channel=message.to)
    except SlackRefusal as refusal:
        if refusal.error not in ARCHIVED:
            raise
    reply = Reply("room_archived", message.ref, "", f"archived:{message.to}", data={"channel": message.to})
    return Receipt(message.key, replies=(reply,))


def fill_group(client: SlackClient, message: Message) -> Receipt:
    """Make a user group exactly these people. Slack refuses to empty one, and so do we."""
    users = _users(message)
    client.call("usergroups.users.update", usergroup=message.to, users=",".join(users))
    return Receipt(message.key, {"users": users})


def _users(message: Message) -> Sequence[str]:
    users = [str(user) for user in message.facts.get("users", ()) if user]
    if not users:
        raise IntegrationError("there is nobody to name to Slack", permanent=True)
    return users


WORK: dict[str, Callable[[SlackClient, Message], Receipt]] = {
    kinds.ROOM_OPEN: open_room,
    kinds.ROOM_INVITE: invite,
    kinds.ROOM_TOPIC: set_topic,
    kinds.ROOM_BOOKMARK: bookmark,
    kinds.ROOM_PIN: pin,
    kinds.ROOM_ARCHIVE: archive,
    kinds.ONCALL_GROUP: fill_group,
}

"""The room of an incident in Slack: opened, filled, dressed and put away. Each of these is a delivery; nobody waits.

Opening happens once an incident: one delivery, held by one lease at a time, makes the channel, and its id is stored.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from incidents import facts
from incidents.models import Incident, WarRoom
from rotations.oncall import Directory, LivePeople
from supportdesk import sitting
from supportdesk.accounts.models import ContactMethod, User
from supportdesk.integrations import kinds
from supportdesk.integrations.lines import Lines
from supportdesk.queue import outbox
from supportdesk.queue.outbox import Post

MOST_TRIES = 6


def open_room(incident: Incident, name: str, *, is_private: bool = False, lines: Lines | None = None) -> bool:
    """Have a channel made for an incident; its id arrives as the verb `room_opened`. False where Slack is not
    connected."""
    return _post(incident, kinds.ROOM_OPEN, "slack", "open", {"name": name, "is_private": is_private}, lines)


def invite(incident: Incident, channel: str, users: Iterable[User | None], lines: Lines | None = None) -> bool:
    """Bring people in by their verified Slack addresses. False where none of them has one."""
    ids = slack_ids(users)
    return bool(ids) and _post(incident, kinds.ROOM_INVITE, channel, ",".join(ids), {"users": ids}, lines)


def set_topic(incident: Incident, channel: str, topic: str, lines: Lines | None = None) -> bool:
    return _post(incident, kinds.ROOM_TOPIC, channel, topic, {"topic": topic}, lines)


def bookmark(incident: Incident, channel: str, title: str, link: str, lines: Lines | None = None) -> bool:
    return _post(incident, kinds.ROOM_BOOKMARK, channel, link, {"title": title, "link": link}, lines)


def pin(incident: Incident, channel: str, ts: str, lines: Lines | None = None) -> bool:
    return _post(incident, kinds.ROOM_PIN, channel, ts, {"ts": ts}, lines)


def archive(incident: Incident, channel: str, lines: Lines | None = None) -> bool:
    return _post(incident, kinds.ROOM_ARCHIVE, channel, f"{incident.generation}", {}, lines)


def follow(incident: Incident, lines: Lines) -> None:
    """The incident got a war room, or its room was closed: Slack does likewise."""
    room = incident.room if sitting.is_new(incident.subject) else WarRoom.objects.filter(incident=incident).first()
    if room is None or incident.is_drill:
        return
    if room.archived_at is not None:
        if room.channel_id:
            archive(incident, room.channel_id, lines)
        return
    if not room.channel_id:
        open_room(incident, room.channel_name, lines=lines)


def dress(incident: Incident, room: WarRoom) -> None:
    """A channel was made: say what it is for, where everything else is, and bring in whoever has to be there."""
    lines = Lines.load()
    topic = f"{incident.severity} {incident.ref} {facts.about(incident)['org']}: {incident.title}"
    set_topic(incident, room.channel_id, topic, lines)
    bookmark(incident, room.channel_id, f"{incident.ref} in the console", facts.for_staff(incident)["url"], lines)
    if room.bridge_url:
        bookmark(incident, room.channel_id, "Call", room.bridge_url, lines)
    invite(incident, room.channel_id, _responders(incident), lines)


def _responders(incident: Incident) -> list[User | None]:
    """Whoever has it, whoever was paged, and the duty manager."""
    paged = [page.user for page in incident.pages.select_related("user").order_by("pk")]
    people = LivePeople(None, Directory(Lines.load()))
    managers = [people.directory.user(key) for key in people.duty_managers(incident.received_at)]
    return [incident.owner, incident.acknowledged_by, *paged, *managers]


def slack_ids(users: Iterable[User | None]) -> list[str]:
    """The verified Slack addresses of people, each once, in their order."""
    wanted = list(dict.fromkeys(user.pk for user in users if user is not None and user.is_active))
    methods = ContactMethod.objects.filter(
        user_id__in=wanted, kind="slack", verified_at__isnull=False, disabled_at=None
    )
    found = dict(methods.order_by("-pk").values_list("user_id", "address"))
    return [found[pk] for pk in wanted if pk in found]


def _post(
    incident: Incident, kind: str, to: str, what: str, facts_of_it: Mapping[str, Any], lines: Lines | None
) -> bool:
    line = (lines or Lines.load()).line("slack", incident.organization_id)
    if line is None:
        return False
    outbox.post(
        [
            Post(
                key=f"{kind}:{incident.pk}:{to}:{what}"[:200],
                kind=kind,
                connection=line,
                vendor="slack",
                to=to,
                subject=incident.subject,
                recipient="Slack",
                generation=incident.generation,
                facts={"ref": incident.ref, "thread": "", "token": "", **facts_of_it},
                most_attempts=MOST_TRIES,
            )
        ]
    )
    return True

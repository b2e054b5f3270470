"""What people do in Slack: speak in their channel, type commands, press buttons that open forms, and send the forms."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import QuerySet

from incidents import senders, telling
from incidents.actions import Report, post_update, report, resolve, write_message
from incidents.hooks.said import Handler, Said
from incidents.models import Incident, WarRoom
from incidents.models.incident import Source
from incidents.routing import Audience, audiences
from incidents.slack import forms, headline, mention, rooms
from incidents.timeline import Fact, record
from incidents.war_room import following
from supportdesk import actors, instants
from supportdesk.actors import Actor
from supportdesk.errors import Invalid, NotAllowed, NotFound
from supportdesk.integrations.base import Reply
from supportdesk.integrations.lines import Lines
from supportdesk.integrations.models import Connection
from supportdesk.organizations.models import Contact, Organization
from supportdesk.queue.models import Delivery, InboundEvent

HELP = (
    "`/incident declare what is wrong` opens an incident.\n"
    "`/incident who` says who is on call.\n"
    "`/incident ack 42`, `esc 42`, `update 42`, `resolve 42` act on INC-42.\n"
    "`/incident help` says this."
)
CUSTOMER_HELP = (
    "`/incident declare what is wrong` opens an incident. What you write in this channel is added to the open one."
)
OFFER = "There is no open incident, so this was read by nobody on call. If something is wrong, declare it:"
_ADDED = "Added to {ref}."
_KEPT = "Your words are still in this form."


# --- somebody speaks -------------------------------------------------------------------------------------------------


def _message(connection: Connection, reply: Reply) -> str:
    """A customer's message in their own channel is a message on their incident; without one, they are offered one.

    One of us who writes in the thread of an incident answers the customer there; elsewhere in the channel we just talk.
    """
    user = senders.staff_at(connection.vendor, reply.sender)
    if user is not None and reply.data.get("thread_ts"):
        return _answered(connection, user.actor(connection.vendor), reply)
    contact = senders.contact_in_channel(reply.subject, reply.sender)
    if not reply.text.strip():
        return ""
    incident = _spoken_of(connection, contact, reply)
    if incident is None:
        hour = instants.now().strftime("%Y%m%d%H")
        forms.whisper(
            connection, f"offer:{contact.pk}:{hour}", reply.sender, reply.subject, OFFER, buttons=("declare",)
        )
        return "There is no open incident to add this to. Say `/incident declare` to open one."
    actor = senders.contact_actor(contact, connection.vendor)
    write_message(incident.pk, actor=actor, text=reply.text, said_at=_said_at(reply))
    return _ADDED.format(ref=incident.ref)


def _answered(connection: Connection, actor: Actor, reply: Reply) -> str:
    """An engineer's answer where the customer reads it (D4). In all other channels nothing said leaves the desk.

    They have read it already: nobody asks once more whether it may be said, and their channel is not told again.
    """
    theirs = Incident.objects.filter(organization__slack_channel=reply.subject, is_drill=False)
    incident = _of_thread(connection, theirs, reply)
    if incident is None or not reply.text.strip():
        return ""
    yet_to_hear = tuple(one for one in audiences("message") if one != Audience.CUSTOMER_CHANNEL)
    write_message(incident.pk, actor=actor, text=reply.text, is_checked=True, heard_by=yet_to_hear)
    return _ADDED.format(ref=incident.ref)


def _spoken_of(connection: Connection, contact: Contact, reply: Reply) -> Incident | None:
    """The incident whose thread they wrote in; in the channel itself, the newest that is open."""
    theirs = Incident.objects.filter(organization=contact.organization, is_drill=False)
    return _of_thread(connection, theirs, reply) or theirs.open().order_by("-received_at", "-pk").first()


def _of_thread(connection: Connection, among: QuerySet[Incident], reply: Reply) -> Incident | None:
    """The incident whose headline a message answers."""
    thread = str(reply.data.get("thread_ts") or "")
    if not thread:
        return None
    roots = Delivery.objects.filter(
        connection=connection, to=reply.subject, vendor_id=thread, subject__startswith="incident:"
    )
    named = [int(subject.partition(":")[2]) for subject in roots.values_list("subject", flat=True)]
    return among.filter(pk__in=named).first()


def _said_at(reply: Reply) -> datetime | None:
    """The channel's own time of a message, where it gives one: seconds since 1970 (SLA-1)."""
    try:
        return datetime.fromtimestamp(float(reply.data.get("ts") or ""), UTC)
    except (ValueError, OverflowError, OSError):
        return None


# --- somebody types or presses ---------------------------------------------------------------------------------------


def _help(connection: Connection, reply: Reply) -> str:
    return HELP if senders.staff_at(connection.vendor, reply.sender) else CUSTOMER_HELP


def _who(connection: Connection, reply: Reply) -> str:
    user = senders.staff_at(connection.vendor, reply.sender)
    if user is None:
        raise NotAllowed("Only those who work here can ask who is on call. Say `/incident declare` if you need them.")
    return mention.in_words(connection, user.time_zone)


def _open_update(connection: Connection, reply: Reply) -> str:
    incident, _ = _worked_by(connection, reply)
    return _open(connection, reply, forms.about_update(incident), {"ref": incident.ref})


def _open_resolve(connection: Connection, reply: Reply) -> str:
    incident, _ = _worked_by(connection, reply)
    return _open(connection, reply, forms.about_resolving(incident), {"ref": incident.ref})


def _open_declare(connection: Connection, reply: Reply) -> str:
    contact = _customer(connection, reply.sender, str(reply.data.get("channel", "")))
    asked = forms.about_declaring(reply.text, is_staff=contact is None)
    return _open(connection, reply, asked, {"channel": reply.data.get("channel", "")})


def _open(connection: Connection, reply: Reply, asked: Mapping[str, Any], about: Mapping[str, Any]) -> str:
    channel, trigger = str(reply.data.get("channel", "")), str(reply.data.get("trigger", ""))
    if not trigger:
        raise Invalid("Slack gave nothing to open a form with. Please use the console.")
    forms.open_for(connection, reply.sender, channel, trigger, asked, about)
    return ""


def _worked_by(connection: Connection, reply: Reply) -> tuple[Incident, Actor]:
    """The incident meant, and whoever of us means it: by its number, or by the channel it is worked in."""
    user = senders.staff_at(connection.vendor, reply.sender)
    if user is None:
        raise NotAllowed("This address belongs to nobody who works here.")
    subject = reply.subject or _ref_of_room(str(reply.data.get("channel", "")))
    if not subject:
        raise Invalid("Which incident? Say its number, like `/incident update 42`.")
    return senders.incident_of(subject), user.actor(connection.vendor)


def _ref_of_room(channel: str) -> str:
    room = WarRoom.objects.select_related("incident").filter(channel_id=channel).first() if channel else None
    return room.incident.ref if room else ""


def _customer(connection: Connection, sender: str, channel: str) -> Contact | None:
    """The customer behind a sender; None where it is one of us. Raises `NotAllowed` for everybody else."""
    if senders.staff_at(connection.vendor, sender) is not None:
        return None
    try:
        return senders.contact_in_channel(channel, sender)
    except NotFound as error:
        raise NotAllowed("We do not know you in this channel. Please use the portal.") from error


# --- somebody sends a form -------------------------------------------------------------------------------------------


def _submit(connection: Connection, reply: Reply) -> Said:
    take = _FORMS.get(reply.subject)
    if take is None:
        raise NotFound("The desk does not know this form.")
    about, values = dict(reply.data.get("about", {})), dict(reply.data.get("values", {}))
    try:
        return Said(take(connection, reply, about, values))
    except Invalid as error:  # Slack leaves the form open, with everything in it
        raise Invalid(f"{error.detail} {_KEPT}", field=error.field) from error


def _is_checked(connection: Connection, reply: Reply, values: Mapping[str, str]) -> bool:
    """Whether somebody says that a text may be sent all the same: as in the console, once they were told why not."""
    earlier = InboundEvent.objects.filter(connection=connection, key__startswith=f"form:{reply.data.get('form', '')}:")
    return bool(values.get("is_checked")) and earlier.filter(outcome__result="refused").exists()


Taker = Callable[[Connection, Reply, dict[str, Any], dict[str, str]], str]


def _take_update(connection: Connection, reply: Reply, about: dict[str, Any], values: dict[str, str]) -> str:
    incident, actor = _formed(connection, reply, about)
    minutes = values.get("next_update_at", "")
    promised = instants.now() + timedelta(minutes=int(minutes)) if minutes.isdigit() and len(minutes) < 5 else None
    post_update(
        incident.pk,
        actor=actor,
        state=values.get("state", ""),
        doing=values.get("doing", ""),
        status=values.get("status", ""),
        next_update_at=promised,
        is_checked=_is_checked(connection, reply, values),
    )
    return f"Sent for {incident.ref}."


def _take_resolve(connection: Connection, reply: Reply, about: dict[str, Any], values: dict[str, str]) -> str:
    incident, actor = _formed(connection, reply, about)
    is_checked = _is_checked(connection, reply, values)
    resolve(incident.pk, actor=actor, summary=values.get("summary", ""), is_checked=is_checked)
    return f"{incident.ref} is resolved."


def _formed(connection: Connection, reply: Reply, about: Mapping[str, Any]) -> tuple[Incident, Actor]:
    user = senders.staff_at(connection.vendor, reply.sender)
    if user is None:
        raise NotAllowed("This address belongs to nobody who works here.")
    return senders.incident_of(str(about.get("ref", ""))), user.actor(connection.vendor)


def _take_declare(connection: Connection, reply: Reply, about: dict[str, Any], values: dict[str, str]) -> str:
    """A new incident, from a customer in their channel or from one of us for somebody."""
    contact = _customer(connection, reply.sender, str(about.get("channel", "")))
    organization = contact.organization if contact else _organization(values.get("organization", ""))
    user = senders.staff_at(connection.vendor, reply.sender)
    actor = senders.contact_actor(contact, connection.vendor) if contact else user.actor(connection.vendor)  # type: ignore[union-attr]
    made = report(
        Report(
            title=values.get("title", ""),
            description=values.get("description", ""),
            source=Source.SLACK if contact else Source.STAFF,
            impact=_one_of(values, "impact"),
            urgency=_one_of(values, "urgency"),
            organization=organization,
            reporter=contact,
            request_key=f"slack:{reply.data.get('form', '')}",
        ),
        actor=actor,
    )
    return f"{made.ref} is open."


def _organization(slug: str) -> Organization | None:
    if slug in ("", "-"):
        return None
    found = Organization.objects.filter(slug=slug).first()
    if found is None:
        raise Invalid("There is no such customer.", field="organization")
    return found


def _one_of(values: Mapping[str, str], name: str) -> int:
    chosen = values.get(name, "")
    if chosen not in ("1", "2", "3"):
        raise Invalid("Please choose one.", field=name)
    return int(chosen)


_FORMS: dict[str, Taker] = {"update": _take_update, "resolve": _take_resolve, "declare": _take_declare}


# --- Slack tells what became of a room -------------------------------------------------------------------------------


def _room_opened(connection: Connection, reply: Reply) -> str:
    """A channel was made: its id is stored, and it is filled."""
    incident = senders.incident_of(reply.subject)
    channel, name = str(reply.data["channel"]), str(reply.data["name"])
    room = WarRoom.objects.select_for_update().filter(incident=incident).first()
    if room is None or room.channel_id:
        return ""
    room.channel_id, room.channel_name = channel, name[:80]
    room.save(update_fields=["channel_id", "channel_name"])
    record(incident, _slack(connection), Fact("room_opened", f"Slack channel #{name}.", data={"channel": channel}))
    headline.show(incident, Lines.load())
    said = following.opening(incident, room)  # our channel heard it before there was a room
    telling.tell(incident, "war_room", str(incident.generation), heard_by=(Audience.WAR_ROOM,), **said)
    rooms.dress(incident, room)
    return ""


def _room_summary(connection: Connection, reply: Reply) -> str:
    """The pinned message of a room: where it is."""
    WarRoom.objects.filter(channel_id=reply.data["channel"]).update(summary_ts=reply.data["ts"])
    return ""


def _room_archived(connection: Connection, reply: Reply) -> str:
    return ""  # the desk archived it first; this is Slack agreeing


def _slack(connection: Connection) -> Actor:
    return actors.machine(connection.name, connection.vendor)


VERBS: dict[str, Handler] = {
    "message": _message,
    "help": _help,
    "who": _who,
    "update": _open_update,
    "resolve": _open_resolve,
    "declare": _open_declare,
    "submit": _submit,
    "room_opened": _room_opened,
    "room_summary": _room_summary,
    "room_archived": _room_archived,
}

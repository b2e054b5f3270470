"""What was said and done about an incident in another system: Jira, incident.io, PagerDuty's notes."""

from __future__ import annotations

from django.conf import settings

from incidents import senders
from incidents.actions import acknowledge, write_message, write_note
from incidents.hooks.said import Handler
from incidents.models import Incident
from incidents.timeline import Fact, record
from supportdesk import actors, instants
from supportdesk.accounts.models import User
from supportdesk.actors import Actor, Kind, Role
from supportdesk.errors import NotAllowed, NotFound
from supportdesk.integrations.base import Reply
from supportdesk.integrations.models import Connection
from supportdesk.queue import outbox, timers
from supportdesk.queue.models import Delivery, InboundEvent, Lane
from supportdesk.queue.outbox import Post

INCIDENT = "incident:"


def _note(connection: Connection, reply: Reply) -> str:
    """Words written there: a note in our own systems, a message in a customer's."""
    incident = _incident(connection, reply)
    if connection.organization_id is not None:
        name = reply.data.get("agent") or connection.name
        actor = actors.machine(str(name)[:120], connection.vendor, connection.organization_id)
        write_message(incident.pk, actor=actor, text=reply.text)
    else:
        write_note(incident.pk, actor=_colleague(connection, reply), text=reply.text)
    return f"Added to {incident.ref}."


def _taken(connection: Connection, reply: Reply) -> str:
    """Somebody began to work on it there. It counts where we know who they are, and only while nobody has it."""
    incident = _incident(connection, reply)
    if incident.is_acknowledged or incident.is_resolved:
        return ""
    user = _staff(reply)
    if user is None or connection.organization_id is not None:
        raise NotAllowed("Whoever took this there is nobody we know here.")
    acknowledge(incident.pk, actor=user.actor(connection.vendor))
    return f"{user.name} has {incident.ref}."


def _resolve_hint(connection: Connection, reply: Reply) -> str:
    """The vendor considers it resolved; only the desk resolves an incident. An action item is done where it is done."""
    subject = _subject(connection, reply)
    if subject and not subject.startswith(INCIDENT):
        return _hand_up(connection, reply, subject)
    incident = _incident(connection, reply)
    if not incident.is_resolved and incident.is_open:
        actor = actors.machine(connection.name, connection.vendor)
        record(incident, actor, Fact("resolve_hint", f"{connection.name} considers this resolved."))
    return ""


def _reread(connection: Connection, reply: Reply) -> str:
    """Something changed there, in whatever order we hear of it: read it again, from the queue of integrations."""
    subject = _subject(connection, reply)
    if not subject:
        raise NotFound("This is not about anything of ours.")
    post = Post(
        key=f"reread:{connection.pk}:{reply.key}"[:200],
        kind="reread",
        connection=connection,
        vendor=connection.vendor,
        to=reply.subject,
        subject=subject,
        recipient=connection.name,
        facts={"ref": subject, "thread": reply.subject, "action": "read"},
        lane=Lane.INTEGRATIONS,
    )
    outbox.post([post])
    return ""


def _ticketed(connection: Connection, reply: Reply) -> str:
    """A ticket was made for something that is not an incident: whoever asked for it hears its key."""
    return _hand_up(connection, reply, reply.subject)


def _hand_up(connection: Connection, reply: Reply, subject: str) -> str:
    """For a room above this one, named by the settings."""
    key = f"ticket:{connection.pk}:{reply.key}"[:200]
    args = {"verb": reply.verb, "ticket": reply.text}
    timers.arm([timers.Planned(key, settings.TICKETED_TASK, subject, instants.now(), args=args)])
    return ""


def _subject(connection: Connection, reply: Reply) -> str:
    """What of ours a vendor's own name stands for: it is the receipt of what we sent there."""
    sent = Delivery.objects.filter(connection=connection, vendor=connection.vendor, vendor_id=reply.subject)
    return sent.order_by("-pk").values_list("subject", flat=True).first() or ""


def _incident(connection: Connection, reply: Reply) -> Incident:
    """The incident a reply is about: by our own reference, by the vendor's name for it, or by what it told us
    before."""
    subject = _subject(connection, reply)
    if subject.startswith(INCIDENT):
        return senders.incident_of(f"INC-{subject.removeprefix(INCIDENT)}")
    told = InboundEvent.objects.filter(connection=connection, reply__data__incident=reply.subject)
    ours = told.exclude(reply__subject=reply.subject).order_by("-pk").values_list("reply__subject", flat=True).first()
    return senders.incident_of(ours or reply.subject)


def _staff(reply: Reply) -> User | None:
    """The colleague the vendor names: by address where it gives one, else by name."""
    staff = User.objects.filter(is_active=True).exclude(role=Role.CUSTOMER)
    email, name = str(reply.data.get("email") or ""), str(reply.data.get("agent") or "")
    if email:
        return staff.filter(email__iexact=email).first()
    return staff.filter(name=name).first() if name else None


def _colleague(connection: Connection, reply: Reply) -> Actor:
    """Somebody at the vendor: our user where we know them, else a responder known by that name only."""
    user = _staff(reply)
    name = str(reply.data.get("agent") or reply.sender or connection.name)
    return (
        user.actor(connection.vendor) if user else Actor(Kind.USER, None, name[:120], Role.ENGINEER, connection.vendor)
    )


VERBS: dict[str, Handler] = {
    "note": _note,
    "taken": _taken,
    "resolve_hint": _resolve_hint,
    "reread": _reread,
    "ticketed": _ticketed,
}

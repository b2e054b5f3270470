"""Mail that came in: what opens an incident, what continues one, and what a person has to look at (security S18).

Nobody is believed because of a header. A mail acts for a contact only where our own mail server vouches for its
sender's domain; everything else waits for a person.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from incidents import actions, senders
from incidents.actions import Report
from incidents.models import Attachment, HeldMail, Incident, TimelineEntry
from incidents.models.incident import Source
from incidents.states import Status
from supportdesk import instants, links
from supportdesk.accounts.models import User
from supportdesk.actors import Actor, Role
from supportdesk.audit import trail
from supportdesk.errors import Invalid, NotAllowed, NotFound, WrongState
from supportdesk.integrations import mail_reading, reply_addresses
from supportdesk.integrations.files import File
from supportdesk.integrations.lines import Lines
from supportdesk.integrations.mail_reading import Mail, Unreadable
from supportdesk.integrations.models import Connection
from supportdesk.organizations.models import Contact, Organization
from supportdesk.queue import outbox
from supportdesk.queue.models import InboundEvent, Lane
from supportdesk.queue.outbox import Post

MOST_AN_HOUR = 10
HOUR = timedelta(hours=1)
# A mail names no severity. What it makes is looked at by a person; in doubt higher (domain §1.2).
IMPACT, URGENCY = 2, 2
NO_SUBJECT = "Mail without a subject"


@dataclass(frozen=True, slots=True)
class _Taken:
    """A mail on its way: read, and with what its address proves."""

    connection: Connection
    mail: Mail
    incident: Incident | None
    now: datetime


def take(connection: Connection, raw: bytes) -> str:
    """Do what a mail asks for, in the caller's transaction. Returns what was done, in words for the log."""
    ours = {connection.values.get("address", ""), settings.DEFAULT_FROM_EMAIL.rpartition("<")[2].strip(">")}
    try:
        mail = mail_reading.read(raw, authserv_id=connection.values.get("authserv_id", ""), ours=ours)
    except Unreadable as error:
        raise Invalid(str(error)) from error
    if mail.is_ours:
        return "Our own mail came back: nothing was done."
    if mail.automatic:
        return f"Written by a machine ({mail.automatic}): nothing was done, and nothing was answered."
    taken = _Taken(connection, mail, _incident(connection, mail), instants.now())
    if _wrote_too_much(taken):
        return _hold(
            taken, None, f"More than {MOST_AN_HOUR} mails within an hour from this address.", is_answered=False
        )
    if not mail.is_proven:
        return _hold(taken, _contacts(mail.sender).first(), mail.doubt, is_answered=False)
    return _proven(taken)


def _incident(connection: Connection, mail: Mail) -> Incident | None:
    """The incident a signed address among the recipients names."""
    address = connection.values.get("address", "")
    numbers = [reply_addresses.incident_number(one, address) for one in mail.recipients]
    number = next((one for one in numbers if one is not None), None)
    if number is None:
        return None
    return Incident.objects.select_related("organization", "merged_into").filter(pk=number).first()


def _wrote_too_much(taken: _Taken) -> bool:
    """Whoever writes more than ten mails within an hour is a machine, or angry: a person looks."""
    lately = InboundEvent.objects.filter(
        connection=taken.connection,
        verb="mail",
        received_at__gt=taken.now - HOUR,
        reply__sender=taken.mail.sender,
    )
    return lately.count() > MOST_AN_HOUR


def _contacts(address: str) -> QuerySet[Contact]:
    return Contact.objects.select_related("organization", "user").filter(email__iexact=address, is_active=True)


def _proven(taken: _Taken) -> str:
    """The sender is who they say: a contact, a colleague, or somebody we do not know."""
    contacts = list(_contacts(taken.mail.sender)[:3])
    if taken.incident is not None:
        own = next((one for one in contacts if one.organization_id == taken.incident.organization_id), None)
        if own is not None and not taken.incident.is_drill:
            return _continue(taken, taken.incident, own)
        colleague = _colleague(taken.mail.sender)
        if colleague is not None:
            return _note(taken, taken.incident, colleague)
        return _hold(taken, next(iter(contacts), None), "It answers an incident its sender has no part in.")
    if len(contacts) == 1:
        return _open(taken, contacts[0])
    if contacts:
        return _hold(taken, contacts[0], "Its sender belongs to more than one customer.")
    return _hold(taken, None, "Nobody we know has this address.")


def _colleague(address: str) -> User | None:
    return User.objects.filter(email__iexact=address, is_active=True).exclude(role=Role.CUSTOMER).first()


def _continue(taken: _Taken, incident: Incident, contact: Contact) -> str:
    """A customer goes on with their incident; one that is closed for good becomes a new one that names it."""
    current = incident.merged_into or incident
    if current.status in (Status.CLOSED, Status.CANCELLED, Status.MERGED):
        return _open(taken, contact, because=f"In answer to {current.ref}, which is closed.")
    actor = senders.contact_actor(contact, "email")
    files = _keep(taken.mail.files, taken.now, incident=current)
    entry = actions.write_message(current.pk, actor=actor, text=_text(taken.mail, files))
    _belong(files, entry)
    return f"Added to {current.ref}."


def _note(taken: _Taken, incident: Incident, colleague: User) -> str:
    """A colleague's mail is a note: what customers read is never said by mail (a domain proves no person)."""
    files = _keep(taken.mail.files, taken.now, incident=incident)
    entry = actions.write_note(incident.pk, actor=colleague.actor("email"), text=_text(taken.mail, files))
    _belong(files, entry)
    return f"A note on {incident.ref}."


def _open(taken: _Taken, contact: Contact, because: str = "") -> str:
    files = _keep(taken.mail.files, taken.now)
    said = Report(
        title=taken.mail.subject or NO_SUBJECT,
        description="\n\n".join(filter(None, (because, _text(taken.mail, files)))),
        source=Source.EMAIL,
        impact=IMPACT,
        urgency=URGENCY,
        organization=contact.organization,
        reporter=contact,
        request_key=taken.mail.key,
    )
    incident = actions.report(said, actor=senders.contact_actor(contact, "email"))
    Attachment.objects.filter(pk__in=[one.pk for one in files]).update(incident=incident)
    return f"Opened {incident.ref}."


# --- files -----------------------------------------------------------------------------------------------------------


def _keep(
    files: tuple[File, ...], now: datetime, *, incident: Incident | None = None, held: HeldMail | None = None
) -> list[Attachment]:
    rows = [
        Attachment(
            incident=incident,
            held=held,
            name=one.name,
            content_type=one.content_type,
            size=len(one.content),
            sha256=hashlib.sha256(one.content).hexdigest(),
            content=one.content,
            created_at=now,
        )
        for one in files
    ]
    return Attachment.objects.bulk_create(rows)


def _belong(files: list[Attachment], entry: TimelineEntry) -> None:
    Attachment.objects.filter(pk__in=[one.pk for one in files]).update(entry=entry)


def _text(mail: Mail, files: list[Attachment]) -> str:
    """What was typed, and what came with it."""
    lines = [f"Attached: {one.name} ({_size(one.size)}) {address(one)}" for one in files]
    lines += [f"Not kept: {why}" for why in mail.left_out]
    return "\n\n".join(filter(None, (mail.text, "\n".join(lines)))) or "(nothing was written)"


def address(row: Attachment) -> str:
    """Where an attachment is fetched by whoever may."""
    return links.absolute("attachment", str(row.code))


def _size(count: int) -> str:
    return f"{count / 1_048_576:.1f} MB" if count >= 1_048_576 else f"{max(count // 1024, 1)} kB"


# --- a person decides ------------------------------------------------------------------------------------------------


def _hold(taken: _Taken, contact: Contact | None, why: str, *, is_answered: bool = True) -> str:
    """Keep it for a person and say so in our channel. A proven sender hears so too, at most once an hour."""
    mail = taken.mail
    held, is_new = HeldMail.objects.get_or_create(
        connection=taken.connection,
        message_id=mail.key,
        defaults={
            "sender": mail.sender or "(nobody)",
            "sender_name": mail.sender_name,
            "subject": mail.subject,
            "text": mail.text,
            "reason": why,
            "received_at": taken.now,
            "contact": contact,
            "incident": taken.incident,
        },
    )
    if is_new:
        _keep(mail.files, taken.now, held=held)
        outbox.post(_told(held))
        if is_answered and mail.is_proven:
            outbox.post(_answer(taken))
    return f"Waits for a person: {why}"


def _told(held: HeldMail) -> list[Post]:
    line = Lines.load().line("slack")
    channel = line.settings.get("channel", "") if line else ""
    if line is None or not channel:
        return []
    facts = {
        "ref": "Mail",
        "title": held.subject or NO_SUBJECT,
        "sender": held.sender,
        "reason": held.reason,
        "url": links.absolute("console:held-mail", held.pk),
        "button": "Look at it",
        "thread": f"held-mail-{held.pk}",
        "token": "",
        "reader": "all",
    }
    return [_post(f"mail_held:{held.pk}", "mail_held", line, channel, "our channel", facts)]


def _answer(taken: _Taken) -> list[Post]:
    """One line back, so that nobody waits for nothing; never more than one an hour to one address."""
    line = Lines.load().line("email")
    if line is None:
        return []
    hour = taken.now.strftime("%Y-%m-%dT%H")
    digest = hashlib.sha256(taken.mail.sender.encode()).hexdigest()[:32]
    facts = {"ref": "", "title": taken.mail.subject or NO_SUBJECT, "url": "", "thread": "", "token": ""}
    key = f"mail_waiting:{digest}:{hour}"
    return [_post(key, "mail_waiting", line, taken.mail.sender, taken.mail.sender, facts)]


def _post(key: str, kind: str, line: Connection, to: str, recipient: str, facts: dict[str, str]) -> Post:
    return Post(
        key=key,
        kind=kind,
        connection=line,
        vendor=line.vendor,
        to=to,
        subject=f"connection:{line.pk}",
        recipient=recipient[:120],
        facts=facts,
        lane=Lane.INTEGRATIONS,
    )


def accept(pk: int, *, actor: Actor, contact: Contact | None, incident: Incident | None = None) -> Incident:
    """A person knows whose mail it is: it opens an incident for that contact, or goes on with one of theirs."""
    _require_staff(actor)
    with transaction.atomic():
        held = _waiting(pk)
        if contact is None:
            raise Invalid("Say who wrote it.", field="contact")
        if incident is not None and incident.organization_id != contact.organization_id:
            raise Invalid("This incident belongs to another customer.", field="incident")
        files = list(held.attachments.all())
        said = "\n\n".join(
            filter(
                None,
                (held.text, "\n".join(f"Attached: {one.name} ({_size(one.size)}) {address(one)}" for one in files)),
            )
        )
        speaker = senders.contact_actor(contact, "email")
        if incident is None:
            incident = actions.report(_report_of(held, contact, said), actor=speaker)
        else:
            _belong(files, actions.write_message(incident.pk, actor=speaker, text=said or "(nothing was written)"))
        Attachment.objects.filter(held=held).update(incident=incident)
        _decide(held, HeldMail.State.ACCEPTED, actor, incident, contact)
    return incident


def _report_of(held: HeldMail, contact: Contact, said: str) -> Report:
    return Report(
        title=held.subject or NO_SUBJECT,
        description=said,
        source=Source.EMAIL,
        impact=IMPACT,
        urgency=URGENCY,
        organization=contact.organization,
        reporter=contact,
        request_key=held.message_id,
        detected_at=held.received_at,
    )


def discard(pk: int, *, actor: Actor) -> HeldMail:
    """Nothing for us. Kept, so that it can be looked up."""
    _require_staff(actor)
    with transaction.atomic():
        held = _waiting(pk)
        _decide(held, HeldMail.State.DISCARDED, actor, held.incident, held.contact)
    return held


def _waiting(pk: int) -> HeldMail:
    held = HeldMail.objects.select_for_update(of=("self",)).select_related("contact", "incident").filter(pk=pk).first()
    if held is None:
        raise NotFound("There is no such mail.")
    if held.state != HeldMail.State.WAITING:
        raise WrongState(f"This mail was {held.state} already.")
    return held


def _decide(held: HeldMail, state: str, actor: Actor, incident: Incident | None, contact: Contact | None) -> None:
    held.state, held.decided_at, held.decided_by_id = state, instants.now(), actor.user_id
    held.incident, held.contact = incident, contact
    held.save()
    trail.record(actor, f"mail_{state}", f"held_mail:{held.pk}", after={"sender": held.sender, "subject": held.subject})


def _require_staff(actor: Actor) -> None:
    if not actor.is_staff:
        raise NotAllowed("Mail is looked at by the desk's own people.")


def customers_of(address: str) -> list[Organization]:
    """Whose domain an address looks like: a hint for the person who decides, and nothing else."""
    domain = address.rpartition("@")[2]
    contacts = Contact.objects.filter(email__iendswith=f"@{domain}") if domain else Contact.objects.none()
    return list(Organization.objects.filter(contacts__in=contacts).distinct()[:5])

"""Telling everybody a thing concerns: from a kind of message to deliveries, in the verb's transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from incidents import facts, routing
from incidents.counterparts import COUNTERPARTS
from incidents.models import HeldRole, Incident, Stakeholder, WarRoom
from incidents.routing import CUSTOMER_AUDIENCES, CUSTOMER_KINDS, Audience
from incidents.war_room.roles import IncidentRole
from rotations.models import Schedule
from rotations.oncall import Directory, LivePeople
from supportdesk import instants, sitting
from supportdesk.accounts.models import User
from supportdesk.integrations.lines import Lines
from supportdesk.localised import ENGLISH, in_words_of
from supportdesk.organizations.models import Organization
from supportdesk.queue import outbox
from supportdesk.queue.outbox import Post


class Teller:
    """Says one thing to everybody who should hear it. `key` makes it happen once per audience and address.

    `heard_by` names the audiences where the kind alone does not (SLA-14).
    """

    def __init__(
        self,
        incident: Incident,
        kind: str,
        key: str,
        more: dict[str, Any],
        lines: Lines,
        heard_by: tuple[Audience, ...] | None = None,
    ) -> None:
        self.incident = incident
        self.kind = kind
        self.key = key
        self.more = more
        self.lines = lines
        self.heard_by = routing.audiences(kind) if heard_by is None else routing.with_stakeholders(kind, heard_by)

    def posts(self) -> list[Post]:
        """The messages, as they are handed to the outbox."""
        return [post for _, post in self.heard()]

    def heard(self) -> list[tuple[Audience, Post]]:
        """One message an address, whatever parts its reader has: the first audience that names them counts. Other
        systems are no readers: each gets all that is for it."""
        heard: dict[tuple[str, ...], tuple[Audience, Post]] = {}
        for audience in self.heard_by:
            for post in _VOICES[audience](self):
                address = (post.key,) if audience in COUNTERPARTS else (post.vendor, post.to)
                heard.setdefault(address, (audience, post))
        return list(heard.values())

    def post(
        self,
        audience: Audience,
        vendor: str,
        to: str,
        recipient: str,
        *,
        language: str = ENGLISH,
        zone: str = "",
        is_outside: bool | None = None,
        **fields: Any,
    ) -> Iterator[Post]:
        """One message on a line, if the desk has such a line and the reader such an address.

        Times are in the organization's zone unless the reader has one of their own. `is_outside` says whose words they
        read where the audience alone does not.
        """
        connection = self.lines.line(vendor, self.incident.organization_id)
        if connection is None or not to:
            return
        is_theirs = audience in CUSTOMER_AUDIENCES if is_outside is None else is_outside
        said = facts.for_customer if is_theirs else facts.for_staff
        yield Post(
            key=f"{self.kind}:{self.key}:{audience}:{vendor}:{to}"[:200],
            kind=self.kind,
            connection=connection,
            vendor=vendor,
            to=to,
            subject=self.incident.subject,
            recipient=recipient,
            generation=self.incident.generation,
            facts=in_words_of(said(self.incident, **self.more, **fields), language, zone),
        )


def tell(
    incident: Incident,
    kind: str,
    key: str,
    lines: Lines | None = None,
    heard_by: tuple[Audience, ...] | None = None,
    **more: Any,
) -> None:
    """Post one kind of message to everybody it concerns. `key` names the occasion: the timeline entry or the cycle."""
    if incident.is_drill:
        return
    outbox.post(Teller(incident, kind, f"{incident.pk}:{key}", more, lines or Lines.load(), heard_by).posts())


def tell_person(incident: Incident, kind: str, key: str, person: User, **more: Any) -> None:
    """Tell one colleague, by what wakes nobody."""
    if incident.is_drill:
        return
    teller = Teller(incident, kind, f"{incident.pk}:{key}:{person.pk}", more, Lines.load(), heard_by=())
    outbox.post(_silently(teller, Audience.RESPONDER, person))


def _reporter(teller: Teller) -> Iterator[Post]:
    contact = teller.incident.reporter
    if contact is not None and contact.is_active:
        yield from teller.post(
            Audience.REPORTER, "email", contact.email, contact.name, reader=contact.name, language=contact.language
        )


def _customer_channel(teller: Teller) -> Iterator[Post]:
    organization = teller.incident.organization
    if organization is not None and organization.slack_channel:
        yield from teller.post(
            Audience.CUSTOMER_CHANNEL,
            "slack",
            organization.slack_channel,
            f"{organization.name} on Slack",
            reader=organization.name,
            language=spoken_by(organization),
        )


def spoken_by(organization: Organization) -> str:
    """The language of a channel many people of an organization read: theirs if they share one."""
    theirs = organization.contacts.filter(is_active=True).values_list("language", flat=True)
    spoken = sitting.once(f"language:{organization.pk}", lambda: set(theirs))
    return next(iter(spoken)) if len(spoken) == 1 else ENGLISH


def _desk_channel(teller: Teller, audience: Audience = Audience.DESK_CHANNEL) -> Iterator[Post]:
    line = teller.lines.line("slack", teller.incident.organization_id)
    channel = line.settings.get("channel", "") if line else ""
    yield from teller.post(audience, "slack", channel, "our channel", reader="all")


def _responder(teller: Teller) -> Iterator[Post]:
    person = teller.incident.owner or teller.incident.acknowledged_by
    if person is not None:
        yield from _silently(teller, Audience.RESPONDER, person)


def _duty_manager(teller: Teller) -> Iterator[Post]:
    """Whoever has the duty now. Being told is not being paged."""
    people = LivePeople(Schedule.objects.filter(duty=True).first(), Directory(teller.lines))
    for key in dict.fromkeys(people.duty_managers(instants.now())):
        person = people.directory.user(key)
        if person is not None:
            yield from _silently(teller, Audience.DUTY_MANAGER, person)


def _silently(teller: Teller, audience: Audience, person: User) -> Iterator[Post]:
    """By mail and Slack: what wakes nobody."""
    for method in person.contact_methods.filter(
        kind__in=("email", "slack"), verified_at__isnull=False, disabled_at=None
    ):
        yield from teller.post(
            audience, method.kind, method.address, person.name, reader=person.name, zone=person.time_zone
        )


def _account_manager(teller: Teller) -> Iterator[Post]:
    organization = teller.incident.organization
    manager: User | None = organization.account_manager if organization else None
    if manager is not None and manager.is_active:
        yield from teller.post(Audience.ACCOUNT_MANAGER, "email", manager.email, manager.name, reader=manager.name)


def _war_room(teller: Teller) -> Iterator[Post]:
    """The incident's own channel; ours until it has one, so that nothing waits for Slack to make it."""
    room = None if sitting.is_new(teller.incident.subject) else WarRoom.objects.filter(incident=teller.incident).first()
    if room is not None and room.channel_id:
        yield from teller.post(Audience.WAR_ROOM, "slack", room.channel_id, f"#{room.channel_name}", reader="all")
    else:
        yield from _desk_channel(teller, Audience.WAR_ROOM)


def _comms(teller: Teller) -> Iterator[Post]:
    """Whoever speaks for us; the responder where nobody has that role."""
    roles = (IncidentRole.COMMS, IncidentRole.LIAISON)
    held = HeldRole.objects.filter(incident=teller.incident, role__in=roles, ended_at=None).select_related("user")
    for person in {row.user for row in held}:
        yield from _silently(teller, Audience.COMMS, person)


def _executives(teller: Teller) -> Iterator[Post]:
    """The executive sponsor, the account manager, and the head of support."""
    held = HeldRole.objects.filter(incident=teller.incident, role=IncidentRole.SPONSOR, ended_at=None)
    people = [row.user for row in held.select_related("user")]
    organization = teller.incident.organization
    if organization is not None and organization.account_manager is not None:
        people.append(organization.account_manager)
    for person in dict.fromkeys(people):
        if person.is_active:
            yield from _silently(teller, Audience.EXECUTIVES, person)


def _customer_executives(teller: Teller) -> Iterator[Post]:
    organization = teller.incident.organization
    contacts = organization.contacts.filter(is_executive=True, is_active=True) if organization else ()
    for contact in contacts:
        yield from teller.post(
            Audience.CUSTOMER_EXECUTIVES,
            "email",
            contact.email,
            contact.name,
            reader=contact.name,
            language=contact.language,
        )


def _stakeholders(teller: Teller) -> Iterator[Post]:
    """Whoever asked to hear of it. A fall in severity is heard by those who heard of it before it fell."""
    topic, incident = routing.topic_of(teller.kind), teller.incident
    if topic is None or incident.is_drill:
        return
    severity = incident.severity
    if teller.kind == "severity_changed":
        severity = min(severity, teller.more.get("before", severity))
    asking = sitting.once(f"stakeholders:{incident.organization_id}", lambda: Stakeholder.objects.asking(incident))
    for row in asking:
        if routing.wants(
            row.wish,
            topic=topic,
            organization_id=incident.organization_id,
            service_id=incident.service_id,
            severity=severity,
        ):
            yield from _outside(teller, row) if row.is_outside else _inside(teller, row)


def _outside(teller: Teller, row: Stakeholder) -> Iterator[Post]:
    """By e-mail, in the customer's words; of what a customer may read, and nothing else. Whoever cannot sign in gets no
    link."""
    if teller.kind not in CUSTOMER_KINDS or (row.contact is not None and not row.contact.is_active):
        return
    place = {} if row.contact and row.contact.user_id else {"url": "", "button": ""}
    yield from teller.post(
        Audience.STAKEHOLDER,
        "email",
        row.email,
        row.shown_name,
        language=row.contact.language if row.contact else ENGLISH,
        is_outside=True,
        reader=row.shown_name,
        copied=True,
        **place,
    )


def _inside(teller: Teller, row: Stakeholder) -> Iterator[Post]:
    """A colleague by what wakes nobody, or a channel of ours: it is silent from the day a customer calls it theirs."""
    if row.user is None:
        if not Organization.objects.filter(slack_channel=row.slack_channel).exists():
            yield from teller.post(Audience.STAKEHOLDER, "slack", row.slack_channel, row.shown_name, reader="all")
    elif row.user.is_active and row.user.works_here:
        yield from _silently(teller, Audience.STAKEHOLDER, row.user)


_VOICES: dict[Audience, Callable[[Teller], Iterator[Post]]] = {
    Audience.REPORTER: _reporter,
    Audience.CUSTOMER_CHANNEL: _customer_channel,
    Audience.DESK_CHANNEL: _desk_channel,
    Audience.DUTY_MANAGER: _duty_manager,
    Audience.RESPONDER: _responder,
    Audience.ACCOUNT_MANAGER: _account_manager,
    **COUNTERPARTS,
    Audience.WAR_ROOM: _war_room,
    Audience.COMMS: _comms,
    Audience.EXECUTIVES: _executives,
    Audience.CUSTOMER_EXECUTIVES: _customer_executives,
    Audience.STAKEHOLDER: _stakeholders,
}

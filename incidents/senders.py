"""Who is talking: from an address at a vendor, or a signed token, to an actor. Never an identity from a claim alone."""

from __future__ import annotations

import re

from incidents.models import Incident, Page
from supportdesk import actors, links
from supportdesk.accounts.models import ContactMethod, User
from supportdesk.actors import Actor, Kind, Role
from supportdesk.errors import NotAllowed, NotFound
from supportdesk.integrations.base import Reply
from supportdesk.integrations.models import Connection
from supportdesk.organizations.models import Contact

_REF = re.compile(r"(?:INC-|supportdesk-)(\d{1,18})(?::reopen-\d+)?\Z")
# Which contact methods prove an address at which vendor.
_METHODS = {"sms": ("sms", "phone"), "phone": ("phone", "sms"), "slack": ("slack",), "pagerduty": ("email",)}


def responder(connection: Connection, reply: Reply) -> tuple[Incident, Actor]:
    """The incident a reply is about and the responder who sent it. Raises `NotFound` or `NotAllowed`."""
    if (page := _page(reply.subject)) is not None:
        return page.incident, page_actor(page, connection.vendor)
    incident = incident_of(reply.subject)
    if connection.vendor == "pagerduty":
        return incident, _pagerduty_actor(reply)
    user = staff_at(connection.vendor, reply.sender)
    if user is None:
        raise NotAllowed("This address belongs to nobody who works here.")
    return incident, user.actor(connection.vendor)


def _page(token: str) -> Page | None:
    """The page a signed token names; None where the subject is no token. A token too old says so."""
    if _REF.match(token):
        return None
    read = links.read_page_token(token)
    if read is None:
        raise NotAllowed("This page is too old to answer here. Please use the console.")
    page = Page.objects.select_related("incident__organization", "user").filter(pk=read[0], user_id=read[1]).first()
    if page is None:
        raise NotFound("This page is no longer known.")
    return page


def page_actor(page: Page, via: str) -> Actor:
    """The person a page was sent to, acting through it. The emergency number acts in the fallback manager's place."""
    if page.user is None:
        return Actor(Kind.USER, None, page.recipient, Role.MANAGER, via)
    if not page.user.is_active:
        raise NotAllowed("This account is switched off.")
    return page.user.actor(via)


def incident_of(subject: str) -> Incident:
    """The incident a reference names: INC-42, or the key we gave a vendor."""
    match = _REF.match(subject)
    incident = Incident.objects.filter(pk=int(match[1])).first() if match else None
    if incident is None:
        raise NotFound("There is no such incident.")
    return incident


def staff_at(vendor: str, address: str) -> User | None:
    """The member of staff with this verified address."""
    method = (
        ContactMethod.objects.select_related("user")
        .filter(
            kind__in=_METHODS.get(vendor, ()),
            address=address,
            verified_at__isnull=False,
            disabled_at=None,
            user__is_active=True,
        )
        .exclude(user__role=Role.CUSTOMER)
        .first()
    )
    return method.user if method else None


def _pagerduty_actor(reply: Reply) -> Actor:
    """PagerDuty names its agent; where we know them it is our user, else a responder known by that name only."""
    name = str(reply.data.get("agent") or reply.sender or "somebody at PagerDuty")
    user = User.objects.filter(is_active=True, name=name).exclude(role=Role.CUSTOMER).first()
    return user.actor("pagerduty") if user else Actor(Kind.USER, None, name[:120], Role.ENGINEER, "pagerduty")


def contact_in_channel(channel: str, sender: str) -> Contact:
    """The customer's person who wrote in their organization's own channel. Our own staff are not customers."""
    contact = (
        Contact.objects.select_related("organization", "user")
        .filter(organization__slack_channel=channel, slack_id=sender, is_active=True)
        .exclude(slack_id="")
        .first()
    )
    if contact is None:
        raise NotFound("Nobody we know as a customer wrote this.")
    return contact


def contact_actor(contact: Contact, via: str) -> Actor:
    """A contact acting through a door without a log-in."""
    if contact.user is not None:
        return contact.user.actor(via)
    return Actor(actors.Kind.CONTACT, contact.pk, contact.name, Role.CUSTOMER, via, contact.organization_id, contact.pk)

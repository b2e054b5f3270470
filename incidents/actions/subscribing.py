"""Who else hears of incidents: stakeholders, added, changed and removed by support managers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import connection, transaction

from incidents.models import Stakeholder
from incidents.permissions import may
from incidents.routing import Topic
from supportdesk.accounts.models import User
from supportdesk.actors import Actor
from supportdesk.audit import trail
from supportdesk.entitlements import SEVERITIES
from supportdesk.errors import Invalid, NotAllowed, NotFound
from supportdesk.organizations.models import Contact, Organization, Service

_LONGEST_NAME = 120
_LONGEST_CHANNEL = 40


def add_stakeholder(
    *,
    actor: Actor,
    topics: Sequence[str],
    least_severity: str = "P4",
    organization: Organization | None = None,
    service: Service | None = None,
    user: User | None = None,
    address: str = "",
    name: str = "",
    slack_channel: str = "",
) -> Stakeholder:
    """Have one more reader hear of incidents. Exactly one of `user`, `address` and `slack_channel` says who.

    An address that is a contact's of the organization is that contact: they hear it in their language. Raises
    `NotAllowed`, and `Invalid` naming the field.
    """
    _require(actor)
    row = Stakeholder(
        organization=organization,
        service=service,
        user=user,
        slack_channel=slack_channel.strip(),
        created_by_id=actor.user_id,
    )
    _check_scope(organization, service)
    if sum(map(bool, (user, address.strip(), row.slack_channel))) != 1:
        raise Invalid("Name exactly one reader: a colleague, an e-mail address, or a Slack channel.", field="address")
    _check_inside(row)
    _fill_outside(row, address.strip().lower())
    _fill(row, topics=topics, least_severity=least_severity, name=name)
    with transaction.atomic():
        _one_at_a_time()
        if _same(row):
            raise Invalid(f"{row.shown_name} hears of this already; change what they hear.", field="address")
        row.save()
        trail.record(actor, "add_stakeholder", _subject(row), after=_spoken(row))
    return row


def change_stakeholder(
    pk: int,
    *,
    actor: Actor,
    topics: Sequence[str] | None = None,
    least_severity: str | None = None,
    name: str | None = None,
) -> Stakeholder:
    """Let a reader hear of other things; what is None stays. Who it is and of whose incidents stays: that would be
    another stakeholder."""
    with transaction.atomic():
        row = _locked(pk, actor)
        before = _spoken(row)
        _fill(row, topics=topics, least_severity=least_severity, name=name)
        if _spoken(row) != before:
            row.save(update_fields=["topics", "least_severity", "name"])
            trail.record(actor, "change_stakeholder", _subject(row), before=before, after=_spoken(row))
    return row


def remove_stakeholder(pk: int, *, actor: Actor) -> None:
    """Nothing more to them, but what they hear by their part in an incident."""
    with transaction.atomic():
        row = _locked(pk, actor)
        trail.record(actor, "remove_stakeholder", _subject(row), before=_spoken(row))
        row.delete()


def _require(actor: Actor) -> None:
    if not may(actor, "edit_routing"):
        raise NotAllowed("Who else hears of incidents is decided by support managers.")


def _locked(pk: int, actor: Actor) -> Stakeholder:
    _require(actor)
    row = Stakeholder.objects.select_for_update(of=("self",)).filter(pk=pk).first()
    if row is None:
        raise NotFound("There is no such stakeholder.")
    return row


def _check_scope(organization: Organization | None, service: Service | None) -> None:
    if service is not None and service.organization_id not in (None, organization.pk if organization else None):
        raise Invalid("This service belongs to somebody else. Choose its organization too.", field="service")


def _check_inside(row: Stakeholder) -> None:
    if row.user is not None and not (row.user.is_active and row.user.works_here):
        raise Invalid("This is no active colleague. Give a customer's person by e-mail address.", field="user")
    if len(row.slack_channel) > _LONGEST_CHANNEL:
        raise Invalid(f"A channel id has at most {_LONGEST_CHANNEL} characters.", field="slack_channel")
    if row.slack_channel and Organization.objects.filter(slack_channel=row.slack_channel).exists():
        raise Invalid(
            "This is a customer's own channel: they hear theirs already, and only theirs.", field="slack_channel"
        )


def _fill_outside(row: Stakeholder, address: str) -> None:
    """The contact behind an address, or the address alone."""
    if not address:
        return
    if row.organization is None:
        raise Invalid("Somebody outside hears of one organization. Choose which.", field="organization")
    try:
        validate_email(address)
    except ValidationError as error:
        raise Invalid("This is not an e-mail address.", field="address") from error
    known = list(Contact.objects.filter(email__iexact=address))
    row.contact = next((one for one in known if one.organization_id == row.organization_id and one.is_active), None)
    if row.contact is None and known:
        raise Invalid("This address belongs to another customer's contact, or to one who has left.", field="address")
    row.address = "" if row.contact else address


def _fill(row: Stakeholder, *, topics: Sequence[str] | None, least_severity: str | None, name: str | None) -> None:
    if topics is not None:
        unknown = [topic for topic in topics if topic not in list(Topic)]
        if unknown or not topics:
            raise Invalid(f"Choose at least one of {', '.join(Topic)}.", field="topics")
        row.topics = [topic.value for topic in Topic if topic in topics]
    if least_severity is not None:
        if least_severity not in SEVERITIES:
            raise Invalid(f"The severity is one of {', '.join(SEVERITIES)}.", field="least_severity")
        row.least_severity = least_severity
    if name is not None:
        row.name = name.strip()
    if len(row.name) > _LONGEST_NAME:
        raise Invalid(f"A name has at most {_LONGEST_NAME} characters.", field="name")
    if row.address and not row.name:
        raise Invalid("Say who reads at this address.", field="name")


def _one_at_a_time() -> None:
    """The same reader is not added twice by two who press at once; before PostgreSQL 15 no constraint sees that."""
    with connection.cursor() as cursor:
        cursor.execute(f"LOCK TABLE {Stakeholder._meta.db_table} IN SHARE ROW EXCLUSIVE MODE")


def _same(row: Stakeholder) -> bool:
    return Stakeholder.objects.filter(
        organization=row.organization,
        service=row.service,
        user=row.user,
        contact=row.contact,
        address=row.address,
        slack_channel=row.slack_channel,
    ).exists()


def _subject(row: Stakeholder) -> str:
    return f"stakeholder:{row.pk}"


def _spoken(row: Stakeholder) -> dict[str, Any]:
    """The row as the trail keeps it."""
    return {
        "reader": row.shown_name,
        "name": row.name,
        "organization": row.organization.slug if row.organization else None,
        "service": row.service.slug if row.service else None,
        "topics": row.topics,
        "least_severity": row.least_severity,
    }

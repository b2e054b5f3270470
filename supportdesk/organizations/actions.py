"""The only writers of customers, plans and contracts beside the back office: each save is one verb, with its trail.

Every verb: ask permission, lock, write, record, and let open incidents follow. A row of None makes a new one. Raises
`NotAllowed`, and `Invalid` naming the field.
"""

from __future__ import annotations

from typing import Any, TypeVar

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import models, transaction

from supportdesk.actors import Actor, Kind, Role
from supportdesk.audit import rows
from supportdesk.errors import Invalid, NotAllowed, NotFound
from supportdesk.organizations import following
from supportdesk.organizations.models import BusinessCalendar, Contact, Contract, Organization, Plan, PlanVersion

Row = TypeVar("Row", bound=models.Model)


def save_organization(row: Organization | None, *, actor: Actor, **said: Any) -> Organization:
    """Add or change a customer. Another zone moves the midnights of their contracts with it (ENT-2)."""
    with transaction.atomic():
        before_zone = row.time_zone if row else ""
        saved = _save(Organization, row, actor, said)
        if row is not None and saved.time_zone != before_zone:
            following.watch_all(saved)
    return saved


def save_contact(row: Contact | None, *, actor: Actor, **said: Any) -> Contact:
    """Add or change a person at a customer. People who left are switched off, never deleted."""
    _refuse_to_move(row, said)
    return _save(Contact, row, actor, said)


def save_calendar(row: BusinessCalendar | None, *, actor: Actor, **said: Any) -> BusinessCalendar:
    """Add or change hours and holidays. Incidents keep the version they were received under (ENT-1)."""
    return _save(BusinessCalendar, row, actor, said)


def save_contract(row: Contract | None, *, actor: Actor, **said: Any) -> Contract:
    """Add or change what was agreed. Open incidents follow: an upgrade applies at once, a loss never does (D8)."""
    _refuse_to_move(row, said)
    with transaction.atomic():
        saved = _save(Contract, row, actor, said)
        following.watch(saved)
    return saved


def save_plan(row: Plan | None, *, actor: Actor, **said: Any) -> Plan:
    """Add a plan to the catalogue, or rename it. What it promises stands in its versions."""
    return _save(Plan, row, actor, said)


def add_plan_version(plan: Plan, *, actor: Actor, **said: Any) -> PlanVersion:
    """Say what a plan promises from now on: a new version. Contracts move to it one by one, when they are changed."""
    with transaction.atomic():
        locked = Plan.objects.select_for_update().get(pk=plan.pk)
        newest = locked.versions.aggregate(newest=models.Max("number"))["newest"] or 0
        return _save(PlanVersion, None, actor, {**said, "plan": locked, "number": newest + 1})


def _refuse_to_move(row: Contact | Contract | None, said: dict[str, Any]) -> None:
    """What belongs to one customer never becomes another's: with it would go what they may read (INV-9)."""
    if row is not None and said.get("organization", row.organization) != row.organization:
        raise Invalid("It belongs to another organization and stays there. Make a new one.", field="organization")


def _save(kind: type[Row], row: Row | None, actor: Actor, said: dict[str, Any]) -> Row:
    if actor.kind is not Kind.DESK and actor.role is not Role.MANAGER:
        raise NotAllowed("Only managers change customers, plans and contracts.")
    with transaction.atomic():
        saved = kind() if row is None else _locked(kind, row)
        before = None if row is None else rows.plain(saved)
        for name, value in said.items():
            setattr(saved, name, value)
        _check(saved)
        if before is None or rows.plain(saved) != before:
            saved.save()
            rows.record_save(actor, saved, before)
    return saved


def _locked(kind: type[Row], row: Row) -> Row:
    found = kind._default_manager.select_for_update().filter(pk=row.pk).first()
    if found is None:
        raise NotFound("It is not there any more.")
    return found


def _check(row: models.Model) -> None:
    """The model's own rules, in one sentence that names the field."""
    try:
        row.full_clean()
    except ValidationError as error:
        field, texts = next(iter(error.message_dict.items()))
        raise Invalid(" ".join(texts), field="" if field == NON_FIELD_ERRORS else field) from error

"""The verbs of action items: added, given to somebody, finished. Each has a ticket once its report is published."""

from __future__ import annotations

from datetime import date

from django.db import transaction

from reports import tickets
from reports.models import ActionItem, PostIncidentReport
from supportdesk import instants
from supportdesk.accounts.models import User
from supportdesk.actors import Actor
from supportdesk.audit import trail
from supportdesk.errors import Invalid, NotAllowed, NotFound, WrongState

LONGEST_TITLE = 200
Status = ActionItem.Status


def add(
    report_id: int, *, actor: Actor, title: str, kind: str, owner: User | None = None, due_on: date | None = None
) -> ActionItem:
    """One more thing to do. On a published report its ticket is filed at once, else when the report is published."""
    _require_staff(actor)
    words = " ".join(title.split())
    if not words or len(words) > LONGEST_TITLE:
        raise Invalid(f"Say in one line of at most {LONGEST_TITLE} characters what will be done.", field="title")
    if kind not in ActionItem.Kind.values:
        raise Invalid("Choose what kind of action it is.", field="kind")
    _check(owner, due_on, None)
    with transaction.atomic():
        report = PostIncidentReport.objects.select_for_update().filter(pk=report_id).first()
        if report is None:
            raise NotFound("There is no such report.")
        item = ActionItem.objects.create(report=report, title=words, kind=kind, owner=owner, due_on=due_on)
        trail.record(actor, "add_action_item", f"report:{report.pk}", after=_as_said(item))
        if report.is_published:
            tickets.file(report)
    return item


def assign(item_id: int, *, actor: Actor, owner: User | None, due_on: date | None) -> ActionItem:
    """Say who does it, and until when. An item that is finished stays as it was."""
    with transaction.atomic():
        item = _locked(item_id, actor)
        if item.status != Status.OPEN:
            raise WrongState(f"“{item.title}” is {item.get_status_display()}; open it again first.")
        _check(owner, due_on, item.due_on)
        if (item.owner, item.due_on) == (owner, due_on):
            return item
        before = _as_said(item)
        item.owner, item.due_on = owner, due_on
        item.save(update_fields=["owner", "due_on"])
        trail.record(actor, "assign_action_item", f"report:{item.report_id}", before=before, after=_as_said(item))
    return item


def finish(item_id: int, *, actor: Actor, status: str) -> ActionItem:
    """It is done, or nobody will do it; its ticket is closed too. `open` takes that back here, not in the ticket."""
    with transaction.atomic():
        item = _locked(item_id, actor)
        if status not in Status.values:
            raise Invalid("It can be done, dropped or open.", field="status")
        if item.status == status:
            return item
        before = _as_said(item)
        item.status = status
        item.save(update_fields=["status"])
        trail.record(actor, "finish_action_item", f"report:{item.report_id}", before=before, after=_as_said(item))
        if status != Status.OPEN:
            tickets.close(item)
    return item


def _locked(item_id: int, actor: Actor) -> ActionItem:
    _require_staff(actor)
    item = ActionItem.objects.select_for_update(of=("self",)).select_related("owner").filter(pk=item_id).first()
    if item is None:
        raise NotFound("There is no such action item.")
    return item


def _require_staff(actor: Actor) -> None:
    if not actor.is_staff:
        raise NotAllowed("Action items are ours.")


def _check(owner: User | None, due_on: date | None, before: date | None) -> None:
    if owner is not None and not (owner.is_active and owner.works_here):
        raise Invalid("Only somebody who works here can own an action item.", field="owner")
    if due_on is not None and due_on != before and due_on < instants.now().date():
        raise Invalid("That day is over.", field="due_on")


def _as_said(item: ActionItem) -> dict[str, str]:
    return {
        "title": item.title,
        "kind": item.kind,
        "owner": item.owner.name if item.owner else "",
        "due_on": item.due_on.isoformat() if item.due_on else "",
        "status": item.status,
    }

"""Maintenance announced on a status page, by a person: planned, moved, called off."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction

from incidents.actions.discretion import hold_back_leaks
from incidents.actions.entry import words
from incidents.models import Component, Notice, StatusPage
from incidents.status_pages import maintenance, posting
from supportdesk import instants
from supportdesk.actors import Actor
from supportdesk.audit import trail
from supportdesk.errors import Invalid, NotAllowed, NotFound, WrongState

_LONGEST = 2_000


def plan_maintenance(
    page_id: int,
    *,
    actor: Actor,
    title: str,
    text: str,
    components: Iterable[int],
    starts_at: datetime,
    ends_at: datetime,
    is_checked: bool = False,
) -> Notice:
    """Announce maintenance of some components from `starts_at` to `ends_at`; subscribers hear of it at once.

    `is_checked` as in `discretion`. Raises `NotAllowed`, `NotFound`, `Invalid`.
    """
    _require_staff(actor)
    page = StatusPage.objects.filter(pk=page_id).first()
    if page is None:
        raise NotFound("There is no such status page.")
    now = instants.now()
    _check(starts_at, ends_at, now)
    called, said = words(title, "title", longest=200), words(text, longest=_LONGEST)
    chosen = list(Component.objects.filter(page=page, is_shown=True, pk__in=list(components)))
    if not chosen:
        raise Invalid("Choose at least one component of this page.", field="components")
    _hold_back_leaks(actor, page, {"title": called, "text": said}, is_checked)
    with transaction.atomic():
        notice = Notice.objects.create(
            page=page, title=called, state=Notice.State.SCHEDULED, starts_at=starts_at, ends_at=ends_at
        )
        notice.components.set(chosen)
        posting.say(notice, Notice.State.SCHEDULED, said, now)
        maintenance.arm(notice)
        trail.record(actor, "plan_maintenance", f"notice:{notice.pk}", after={"text": said, **_times(notice)})
    return notice


def move_maintenance(
    notice_id: int,
    *,
    actor: Actor,
    ends_at: datetime,
    starts_at: datetime | None = None,
    text: str = "",
    is_checked: bool = False,
) -> Notice:
    """Other times while it is ahead, another end while it lasts; subscribers are told. None: it begins as planned."""
    with transaction.atomic():
        notice = _locked(notice_id, actor)
        is_ahead = notice.state == Notice.State.SCHEDULED
        begins = starts_at if starts_at is not None and is_ahead else notice.starts_at
        _check(begins, ends_at, instants.now())
        said = words(text or "The time of this maintenance has changed.", longest=_LONGEST)
        _hold_back_leaks(actor, notice.page, {"text": said}, is_checked)
        before = _times(notice)
        notice.starts_at, notice.ends_at = begins, ends_at
        posting.say(notice, notice.state, said, instants.now())
        maintenance.arm(notice)
        trail.record(actor, "move_maintenance", f"notice:{notice.pk}", before=before, after=_times(notice))
    return notice


def call_off_maintenance(notice_id: int, *, actor: Actor, text: str = "", is_checked: bool = False) -> Notice:
    """It will not take place, or is over now."""
    with transaction.atomic():
        notice = _locked(notice_id, actor)
        how = "is over" if notice.state == Notice.State.IN_PROGRESS else "will not take place"
        said = words(text or f"{notice.title} {how}.", longest=_LONGEST)
        _hold_back_leaks(actor, notice.page, {"text": said}, is_checked)
        posting.say(notice, Notice.State.COMPLETED, said, instants.now())
        maintenance.arm(notice)
        trail.record(actor, "call_off_maintenance", f"notice:{notice.pk}", after={"text": said})
    return notice


def _hold_back_leaks(actor: Actor, page: StatusPage, said: dict[str, str], is_checked: bool) -> None:
    reader = None if page.is_public else page.organization_id
    hold_back_leaks(actor, f"status_page:{page.pk}", said, reader_id=reader, is_checked=is_checked)


def _times(notice: Notice) -> dict[str, str]:
    ends = notice.ends_at.isoformat() if notice.ends_at else ""
    return {"starts_at": notice.starts_at.isoformat(), "ends_at": ends}


def _check(starts_at: datetime, ends_at: datetime, now: datetime) -> None:
    if ends_at <= starts_at:
        raise Invalid("It must end after it begins.", field="ends_at")
    if ends_at <= now:
        raise Invalid("This time is over already.", field="ends_at")


def _require_staff(actor: Actor) -> None:
    if not actor.is_staff:
        raise NotAllowed("Maintenance is announced by staff.")


def _locked(notice_id: int, actor: Actor) -> Notice:
    _require_staff(actor)
    notice = Notice.objects.select_for_update(of=("self",)).select_related("page").filter(pk=notice_id).first()
    if notice is None:
        raise NotFound("There is no such notice.")
    if notice.state not in (Notice.State.SCHEDULED, Notice.State.IN_PROGRESS):
        raise WrongState("This maintenance is over, or is none.")
    return notice

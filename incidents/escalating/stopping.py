"""What rings, stops; what has failed, hurries."""

from __future__ import annotations

from django.db.models import QuerySet

from incidents.models import Escalation, Incident, Page
from rotations.escalation import State, Status
from supportdesk import instants
from supportdesk.actors import Actor
from supportdesk.queue import outbox
from supportdesk.queue.models import Delivery


def stop_pages(incident: Incident, actor: Actor, *, by_user_id: int | None = None, why: str) -> None:
    """Stop everything that rings: open pages end, what has not left is cancelled."""
    now = instants.now()
    if by_user_id is not None and _waits_for_more(incident):
        own = Page.objects.filter(incident=incident, user_id=by_user_id)
        hush(own, state=Page.State.ACKNOWLEDGED, via=actor.via, why=why)
        return
    open_pages = Page.objects.filter(incident=incident, state=Page.State.OPEN)
    if by_user_id is not None:
        open_pages.filter(user_id=by_user_id).update(
            state=Page.State.ACKNOWLEDGED, ended_at=now, acknowledged_via=actor.via
        )
    open_pages.update(state=Page.State.STOPPED, ended_at=now)
    outbox.cancel(incident.subject, kinds=("page", "oncall"), reason=why)


def _waits_for_more(incident: Incident) -> bool:
    """Whether somebody has it, but not as many as the policy asks for: the others go on ringing."""
    found = Escalation.objects.filter(incident=incident, status=Status.TRIGGERED).first()
    return found is not None and bool(State.from_spec(found.state).ackers)


def hush(pages: QuerySet[Page], *, state: str, via: str = "", why: str) -> None:
    """Stop some of what rings, and nothing else: these pages end, their attempts that have not left are cancelled."""
    now = instants.now()
    for page in pages.filter(state=Page.State.OPEN):
        page.state, page.ended_at, page.acknowledged_via = state, now, via
        page.save(update_fields=["state", "ended_at", "acknowledged_via"])
        Delivery.objects.filter(key__startswith=page.key_prefix, state=Delivery.State.PENDING).update(
            state=Delivery.State.CANCELLED, error=why, settled_at=now
        )


def hurry(page: Page) -> bool:
    """Bring the next attempt of a page forward to now. False when every attempt has been made and has failed."""
    attempts_ = Delivery.objects.filter(key__startswith=page.key_prefix).order_by("planned_at", "pk")
    waiting = attempts_.filter(state=Delivery.State.PENDING, attempts=0).first()
    if waiting is not None:
        outbox.bring_forward(waiting)
        return True
    return attempts_.exclude(state__in=[Delivery.State.FAILED, Delivery.State.CANCELLED]).exists()

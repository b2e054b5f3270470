"""The shadow seat: somebody learns by looking on. They hear of every page and are never paged."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from rotations.actions.entry import colleague, locked_schedule, require, span
from rotations.models import Shadow
from supportdesk import instants
from supportdesk.actors import Actor
from supportdesk.audit import trail
from supportdesk.errors import Invalid, NotFound


def shadow(schedule_id: int, *, actor: Actor, start: datetime, end: datetime, user_id: int | None = None) -> Shadow:
    """Put somebody into the shadow seat of a schedule."""
    with transaction.atomic():
        row = locked_schedule(schedule_id, actor)
        user = colleague(user_id or actor.user_id or 0, "user")
        require(actor, "shadow", own=user.pk == actor.user_id, what="this for somebody else")
        span(start, end)
        if end <= instants.now():
            raise Invalid("This is over already.", field="end")
        seat, made = Shadow.objects.get_or_create(schedule=row, user=user, start=start, end=end)
        if made:
            after = {"schedule": row.pk, "user": user.pk, "start": start.isoformat(), "end": end.isoformat()}
            trail.record(actor, "shadow", f"shadow:{seat.pk}", after=after)
    return seat


def leave_shadow(shadow_id: int, *, actor: Actor) -> None:
    """Leave the shadow seat; one that is over stays on record."""
    with transaction.atomic():
        seat = Shadow.objects.filter(pk=shadow_id).first()
        if seat is None:
            raise NotFound("There is no such shadow seat.")
        locked_schedule(seat.schedule_id, actor)
        require(actor, "shadow", own=seat.user_id == actor.user_id)
        now = instants.now()
        if seat.end <= now:
            return
        trail.record(actor, "leave_shadow", f"shadow:{seat.pk}", before={"end": seat.end.isoformat()})
        if seat.start < now:
            seat.end = now
            seat.save(update_fields=["end"])
        else:
            seat.delete()

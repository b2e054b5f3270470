"""What one person has to do with the rota: their shifts, hand-offs, and the swaps that wait for them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q

from rotations import oncall
from rotations.boards.present import people
from rotations.handoffs import STILL_OPEN, Change, next_change
from rotations.models import HandOff, Schedule, Swap
from rotations.resolution import Reason
from supportdesk.accounts.models import User
from supportdesk.actors import Actor

AHEAD = timedelta(weeks=8)


@dataclass(frozen=True, slots=True)
class OwnShift:
    """One of somebody's shifts, and the swap it is in, if any."""

    schedule: Schedule
    slot: str
    start: datetime
    end: datetime
    layer: str
    is_now: bool
    reason: str
    swap: Swap | None = None

    @property
    def length(self) -> timedelta:
        return self.end - self.start


@dataclass(frozen=True, slots=True)
class Duty:
    """A schedule one is primary of now: when it ends, who follows, and the note so far."""

    schedule: Schedule
    change: Change | None
    incoming: User | None
    hand_off: HandOff | None


def shifts(user_id: int, now: datetime, until: datetime | None = None) -> list[OwnShift]:
    """Somebody's shifts from now on, in order."""
    end = until or now + AHEAD
    rows = list(Schedule.objects.order_by("duty", "name"))
    swaps = list(Swap.objects.filter(giver=user_id, state=Swap.State.OPEN, end__gt=now).select_related("taker"))
    found = []
    for row, compiled in zip(rows, oncall.schedules(rows), strict=True):
        for shift in compiled.shifts(now, end).shifts:
            if shift.person != str(user_id) or shift.reason is Reason.FALLBACK:
                continue
            if shift.end == end:
                continue  # cut where the list ends
            begins = shift.shift_start if shift.start == now and shift.shift_start < now else shift.start
            found.append(
                OwnShift(
                    row,
                    shift.slot,
                    begins,
                    shift.end,
                    shift.layer or "",
                    shift.start == now,
                    shift.reason.value,
                    _swap_in(swaps, row, shift.slot, shift.start, shift.end),
                )
            )
    return sorted(found, key=lambda one: (one.start, one.slot))


def _swap_in(swaps: list[Swap], row: Schedule, slot: str, start: datetime, end: datetime) -> Swap | None:
    mine = (s for s in swaps if s.schedule_id == row.pk and s.slot == slot and s.start < end and s.end > start)
    return next(mine, None)


def duties(user_id: int, now: datetime) -> list[Duty]:
    """The schedules one is primary of right now."""
    found = []
    for row in Schedule.objects.order_by("duty", "name"):
        if oncall.now_on_call(row, now).primary != str(user_id):
            continue
        change = next_change(row, now)
        hand_off = HandOff.objects.filter(schedule=row, at=change.at).first() if change else None
        incoming = people([change.incoming]).get(change.incoming) if change and change.incoming else None
        found.append(Duty(row, change, incoming, hand_off))
    return found


def hand_offs(user_id: int, now: datetime) -> list[HandOff]:
    """What was handed to somebody and waits: a note to accept, or things that are open."""
    recent = HandOff.objects.filter(incoming=user_id, at__lte=now, at__gt=now - timedelta(days=2))
    waiting = recent.filter(Q(accepted_at=None) & ~Q(note="") | Q(items__accepted_at=None, items__isnull=False))
    return list(waiting.distinct().select_related("schedule", "outgoing", "written_by").prefetch_related("items"))


def just_left(user_id: int, now: datetime) -> list[HandOff]:
    """Shifts one handed off a moment ago: the note can still be written."""
    return list(
        HandOff.objects.filter(outgoing=user_id, at__gt=now - STILL_OPEN, at__lte=now).select_related(
            "schedule", "incoming"
        )
    )


def swaps(actor: Actor, now: datetime) -> dict[str, Any]:
    """The swaps of the desk, by what they mean to the reader."""
    open_ = Swap.objects.filter(state=Swap.State.OPEN, start__gt=now).select_related("schedule", "giver", "taker")
    offered = open_.filter(Q(taker=actor.user_id) | Q(taker=None)).exclude(giver=actor.user_id)
    return {
        "offered": list(offered),
        "mine": list(open_.filter(giver=actor.user_id)),
        "others": list(open_.exclude(giver=actor.user_id).exclude(Q(taker=actor.user_id) | Q(taker=None))),
        "agreed": list(
            Swap.objects.filter(state=Swap.State.ACCEPTED, end__gt=now).select_related("schedule", "giver", "taker")
        ),
        "past": list(
            Swap.objects.exclude(state=Swap.State.OPEN)
            .exclude(state=Swap.State.ACCEPTED, end__gt=now)
            .select_related("schedule", "giver", "taker")
            .order_by("-start")[:20]
        ),
    }

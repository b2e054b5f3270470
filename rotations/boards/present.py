"""Who holds what right now, who still answers, who looks on."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from rotations import oncall
from rotations.models import HandOff, Leave, Schedule, Shadow
from rotations.resolution import Hold
from rotations.rules import BACKUP, PRIMARY, Slot
from supportdesk import instants
from supportdesk.accounts.models import ContactMethod, User
from supportdesk.actors import Actor


@dataclass(frozen=True, slots=True)
class Seat:
    """Who holds a slot now, for `components/_oncall.html`."""

    slot: str
    person: User | None
    until: datetime | None
    is_you: bool
    note: str = ""
    phone: str = ""


@dataclass(frozen=True, slots=True)
class Standing:
    """One schedule right now: its seats, who answers for the shift before, who looks on, and the last hand-off."""

    row: Schedule
    seats: list[Seat]
    contact: User | None = None
    contact_until: datetime | None = None
    shadows: list[User] = field(default_factory=list)
    hand_off: HandOff | None = None
    is_yours: bool = False
    is_your_note: bool = False


def people(ids: Iterable[str]) -> dict[str, User]:
    """Users by the key the rules know them by."""
    return {str(user.pk): user for user in User.objects.filter(pk__in=[int(i) for i in ids if i.isdigit()])}


def seats(row: Schedule, now: datetime, actor: Actor, *, with_phones: bool = False) -> list[Seat]:
    """Primary and backup of a schedule right now; duty managers have no backup."""
    held = oncall.now_on_call(row, now)
    holds = [("Primary", PRIMARY, held.primary, held.primary_shift), ("Backup", BACKUP, held.backup, held.backup_shift)]
    if row.duty and held.backup is None:
        del holds[1]
    known = people({person for _, _, person, _ in holds if person})
    phones = _phones(known.values()) if with_phones else {}
    return [
        _seat(label, known.get(person or ""), _until(row, slot, hold, now), actor, phones)
        for label, slot, person, hold in holds
    ]


def _phones(users: Iterable[User]) -> dict[int, str]:
    methods = ContactMethod.objects.filter(
        user__in=list(users), kind=ContactMethod.Kind.PHONE, verified_at__isnull=False, disabled_at=None
    )
    return dict(methods.order_by("-pk").values_list("user_id", "address"))


def _seat(label: str, user: User | None, until: datetime | None, actor: Actor, phones: dict[int, str]) -> Seat:
    is_you = user is not None and user.pk == actor.user_id
    return Seat(label, user, until, is_you, phone="" if user is None or is_you else phones.get(user.pk, ""))


def _until(row: Schedule, slot: Slot, hold: Hold | None, now: datetime) -> datetime | None:
    """When somebody else takes over: the neighbouring site may begin before this shift is out."""
    if hold is None or hold.shift_end is None or hold.shift_end <= now:
        return None
    mine = [s for s in oncall.schedule(row).shifts(now, hold.shift_end).shifts if s.slot == slot]
    return mine[0].end if mine else hold.shift_end


def standing(now: datetime, actor: Actor) -> list[Standing]:
    """Every schedule as it stands now."""
    return [_standing(row, now, actor) for row in Schedule.objects.order_by("duty", "name")]


def _standing(row: Schedule, now: datetime, actor: Actor) -> Standing:
    held = seats(row, now, actor, with_phones=True)
    last = (
        HandOff.objects.filter(schedule=row, at__lte=now)
        .select_related("outgoing", "incoming", "contact", "written_by", "accepted_by")
        .prefetch_related("items")
        .first()
    )
    named = (
        last is not None and last.contact is not None and last.contact_until is not None and last.contact_until > now
    )
    overlapping = oncall.now_on_call(row, now).handover_contact
    derived = people([overlapping]).get(overlapping) if overlapping else None
    looking_on = Shadow.objects.filter(schedule=row, start__lte=now, end__gt=now).select_related("user")
    return Standing(
        row,
        held,
        contact=last.contact if last and named else derived,
        contact_until=last.contact_until if last and named else None,
        shadows=[seat.user for seat in looking_on],
        hand_off=last,
        is_yours=bool(held and held[0].is_you),
        is_your_note=bool(last and last.note and not last.accepted_at and last.incoming_id == actor.user_id),
    )


def away(start: datetime, end: datetime) -> list[Leave]:
    """Who is away in a stretch of time, approved or still asked for."""
    wanted = (Leave.State.APPROVED, Leave.State.ASKED)
    return list(
        Leave.objects.filter(state__in=wanted, start__lt=end, end__gt=start, user__is_active=True)
        .select_related("user")
        .order_by("start", "pk")
    )


def in_words() -> str:
    """Who has the first schedule right now, with their log-in: for the welcome of `make run`."""
    row = Schedule.objects.filter(duty=False).order_by("pk").first()
    primary = oncall.now_on_call(row, instants.now()).primary if row else None
    user = people({primary}).get(primary) if primary else None
    return f"{user.name} ({user.email})" if user else ""

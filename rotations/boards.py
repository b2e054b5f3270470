"""What pages show of schedules: read models that change nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.utils import timezone

from rotations import oncall
from rotations.models import Schedule
from rotations.resolution import Hold
from rotations.rules import BACKUP, PRIMARY, Slot
from supportdesk import instants, zones
from supportdesk.accounts.models import User
from supportdesk.actors import Actor

HUES = 8
_KINDS = {"override": "override", "swap": "override", "fallback": "gap"}
_LANES = (("primary", "Primary", "is paged first"), ("backup", "Backup", "three minutes later"))


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
class Bar:
    """One shift on the drawing."""

    start: datetime
    end: datetime
    person: User | None
    kind: str
    hue: int
    note: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True)
class Day:
    """One column of the drawing: a local day, 23 to 25 hours long."""

    start: datetime
    end: datetime
    label: str
    is_today: bool
    is_weekend: bool


@dataclass(frozen=True, slots=True)
class Lane:
    """One row of the drawing."""

    label: str
    hint: str
    shifts: list[Bar]


@dataclass(frozen=True, slots=True)
class Week:
    """One schedule: who has it now and who will."""

    row: Schedule
    seats: list[Seat]
    start: datetime
    end: datetime
    days: list[Day]
    lanes: list[Lane]

    @property
    def gaps(self) -> list[Bar]:
        """Stretches for which nobody is planned: whoever is the fallback would be called."""
        return [bar for lane in self.lanes for bar in lane.shifts if bar.person is None]


def people(ids: set[str]) -> dict[str, User]:
    """Users by the key the rules know them by."""
    return {str(user.pk): user for user in User.objects.filter(pk__in=[int(i) for i in ids if i.isdigit()])}


def seats(row: Schedule, now: datetime, actor: Actor) -> list[Seat]:
    """Primary and backup of a schedule right now; duty managers have no backup."""
    held = oncall.now_on_call(row, now)
    holds = [("Primary", PRIMARY, held.primary, held.primary_shift), ("Backup", BACKUP, held.backup, held.backup_shift)]
    if row.duty and held.backup is None:
        del holds[1]
    known = people({person for _, _, person, _ in holds if person})
    return [
        _seat(label, known.get(person or ""), _until(row, slot, hold, now), actor)
        for label, slot, person, hold in holds
    ]


def _seat(label: str, user: User | None, until: datetime | None, actor: Actor) -> Seat:
    return Seat(label, user, until, user is not None and user.pk == actor.user_id)


def _until(row: Schedule, slot: Slot, hold: Hold | None, now: datetime) -> datetime | None:
    """When somebody else takes over: the neighbouring site may begin before this shift is out."""
    if hold is None or hold.shift_end is None or hold.shift_end <= now:
        return None
    mine = [s for s in oncall.schedule(row).shifts(now, hold.shift_end).shifts if s.slot == slot]
    return mine[0].end if mine else hold.shift_end


def weeks(first: date, days: int, now: datetime, actor: Actor) -> list[Week]:
    """Every schedule over some local days, in the reader's zone."""
    return [_week(row, first, days, now, actor) for row in Schedule.objects.order_by("duty", "name")]


def _week(row: Schedule, first: date, days: int, now: datetime, actor: Actor) -> Week:
    columns = local_days(first, days, now)
    start, end = columns[0].start, columns[-1].end
    final = oncall.schedule(row).shifts(start, end)
    order = sorted({shift.person for shift in final.shifts})
    known = people(set(order))
    lanes = []
    for slot, label, hint in _LANES:
        bars = [
            Bar(
                s.start,
                s.end,
                known.get(s.person),
                _KINDS.get(s.reason, "active"),
                order.index(s.person) % HUES,
                s.layer or "",
            )
            for s in final.shifts
            if s.slot == slot
        ]
        bars += [Bar(g.start, g.end, None, "gap", 0) for g in final.gaps if g.slot == slot]
        if bars and not (slot == "backup" and row.duty):
            lanes.append(Lane(label, "" if row.duty else hint, bars))
    return Week(row, seats(row, now, actor), start, end, columns, lanes)


def local_days(first: date, days: int, now: datetime) -> list[Day]:
    """Local days of the reader as honest intervals: 23 hours on one Sunday, 25 on another."""
    zone = timezone.get_current_timezone_name()
    today = now.astimezone(ZoneInfo(zone)).date()
    columns = []
    for number in range(days):
        day = first + timedelta(days=number)
        columns.append(
            Day(
                _begins(day, zone),
                _begins(day + timedelta(days=1), zone),
                f"{day:%a} {day.day}",
                day == today,
                day.weekday() >= 5,
            )
        )
    return columns


def _begins(day: date, zone: str) -> datetime:
    return zones.first_instant(datetime(day.year, day.month, day.day), zone)  # noqa: DTZ001 (a wall clock has no zone)


def in_words() -> str:
    """Who has the first schedule right now, with their log-in: for the welcome of `make run`."""
    row = Schedule.objects.filter(duty=False).order_by("pk").first()
    primary = oncall.now_on_call(row, instants.now()).primary if row else None
    user = people({primary}).get(primary) if primary else None
    return f"{user.name} ({user.email})" if user else ""

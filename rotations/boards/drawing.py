"""The rota along time: lanes of shifts over local days, for `components/_schedule.html`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.utils import timezone

from rotations import oncall
from rotations.boards.present import Seat, away, people, seats
from rotations.models import Leave, Schedule
from rotations.shifts import Final
from supportdesk import zones
from supportdesk.accounts.models import User
from supportdesk.actors import Actor

HUES = 8
_KINDS = {"override": "override", "swap": "override", "fallback": "gap"}
_NOTES = {"override": "override", "swap": "swapped", "promotion": "steps up", "neighbour": "next site"}
_LANES = (("primary", "Primary", "is paged first"), ("backup", "Backup", "three minutes later"))


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
    """One schedule over some days: who has it now, who will, and who of them is away."""

    row: Schedule
    seats: list[Seat]
    start: datetime
    end: datetime
    days: list[Day]
    lanes: list[Lane]
    away: list[Leave] = field(default_factory=list)

    @property
    def gaps(self) -> list[Bar]:
        """Stretches for which nobody is planned: whoever is the fallback would be called."""
        return [bar for lane in self.lanes for bar in lane.shifts if bar.person is None]


def weeks(
    first: date,
    days: int,
    now: datetime,
    actor: Actor,
    *,
    schedule: str = "",
    person: int | None = None,
    with_seats: bool = True,
) -> list[Week]:
    """Every schedule (or one) over some local days, in the reader's zone; all shifts, or those of one person."""
    rows = Schedule.objects.order_by("duty", "name")
    rows = rows.filter(slug=schedule) if schedule else rows
    columns = local_days(first, days, now)
    absent = away(columns[0].start, columns[-1].end)
    return [_week(row, columns, now, actor if with_seats else None, person, absent) for row in rows]


def _week(
    row: Schedule, columns: list[Day], now: datetime, actor: Actor | None, person: int | None, absent: list[Leave]
) -> Week:
    start, end = columns[0].start, columns[-1].end
    compiled = oncall.schedule(row)
    final = compiled.shifts(start, end)
    hues = _hues(compiled.layers, final)
    known = people(hues)
    lanes = [
        lane
        for slot, label, hint in _LANES
        if (lane := _lane(final, slot, label, "" if row.duty else hint, hues, known, person)).shifts
        and not (slot == "backup" and row.duty)
    ]
    crew = [leave for leave in absent if str(leave.user_id) in known and person in (None, leave.user_id)]
    lanes += _away_lanes(crew, hues)
    return Week(row, seats(row, now, actor) if actor else [], start, end, columns, lanes, crew)


def _hues(layers: Iterable[object], final: Final) -> dict[str, int]:
    """A colour for everybody in a schedule that stays theirs from week to week."""
    crew = {p for layer in layers for turns in layer.crews for p in turns.ring}  # type: ignore[attr-defined]
    crew |= {shift.person for shift in final.shifts}
    return {person: place % HUES for place, person in enumerate(sorted(crew, key=lambda p: (len(p), p)))}


def _lane(
    final: Final, slot: str, label: str, hint: str, hues: dict[str, int], known: dict[str, User], person: int | None
) -> Lane:
    bars = [
        Bar(
            s.start,
            s.end,
            known.get(s.person),
            _KINDS.get(s.reason, "active"),
            hues[s.person],
            ", ".join(filter(None, (s.layer or "", _NOTES.get(s.reason, "")))),
        )
        for s in final.shifts
        if s.slot == slot and (person is None or s.person == str(person))
    ]
    if person is None:
        bars += [Bar(g.start, g.end, None, "gap", 0) for g in final.gaps if g.slot == slot]
    return Lane(label, hint, bars)


def _away_lanes(absent: list[Leave], hues: dict[str, int]) -> list[Lane]:
    """One lane for each person who is away, so that two never hide one another."""
    lanes: dict[int, Lane] = {}
    for leave in absent:
        said = "" if leave.state == Leave.State.APPROVED else ", asked for"
        bar = Bar(leave.start, leave.end, leave.user, "leave", hues[str(leave.user_id)], f"away{said}")
        lanes.setdefault(leave.user_id, Lane(leave.user.name.split(" ")[0], f"away{said}", [])).shifts.append(bar)
    return list(lanes.values())


def local_days(first: date, days: int, now: datetime) -> list[Day]:
    """Local days of the reader as honest intervals: 23 hours on one Sunday, 25 on another."""
    zone = timezone.get_current_timezone_name()
    today = now.astimezone(ZoneInfo(zone)).date()
    columns = []
    for number in range(days):
        day = first + timedelta(days=number)
        columns.append(
            Day(
                zones.day_start(day, zone),
                zones.day_start(day + timedelta(days=1), zone),
                f"{day:%a} {day.day}",
                day == today,
                day.weekday() >= 5,
            )
        )
    return columns

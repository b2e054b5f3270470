"""Who carries how much: hours, nights, weekends, holidays and pages a person, against their colleagues (§4.4, R-23)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from rotations import fairness, fatigue, local_days, oncall, planning
from rotations.boards.present import people
from rotations.fatigue import Duty, Finding
from rotations.models import CallOut, Override, Schedule, Swap
from rotations.resolution import Reason
from supportdesk.accounts.models import User
from supportdesk.organizations.regions import public_holidays

FORESEEN = timedelta(days=28)


@dataclass(frozen=True, slots=True)
class Load:
    """What one person carried in a period, and what is ahead of them.

    `share` is their part of the longest bar in percent, for drawing; `overload` is against the team's mean, in percent.
    """

    user: User
    hours: float
    night_hours: float
    weekend_hours: float
    holiday_hours: float
    overload: int
    share: float
    pages: int = 0
    night_pages: int = 0
    broken_nights: int = 0
    call_outs: int = 0
    given: int = 0
    received: int = 0
    findings: list[dict[str, object]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Report:
    """A team over a period: everybody's load, and how evenly it lies (100 is even)."""

    start: datetime
    end: datetime
    loads: list[Load]
    balance: int
    findings: list[dict[str, object]]


def report(start: datetime, end: datetime, now: datetime, schedule: Schedule | None = None) -> Report:
    """The report of a schedule, or of all of them together."""
    rows = [schedule] if schedule else list(Schedule.objects.filter(duty=False).order_by("pk"))
    compiled = oncall.schedules(rows)
    crew = sorted({person for one in compiled for layer in one.layers for c in layer.crews[-1:] for person in c.ring})
    known = people(crew)
    crew = [person for person in crew if person in known]
    homes = {person: known[person].time_zone for person in crew}
    held: dict[str, list[Duty]] = {person: [] for person in crew}
    for one in compiled:
        for shift in one.shifts(start, end).primary:
            if shift.person in held and shift.reason is not Reason.FALLBACK:
                held[shift.person].append(Duty(shift.person, shift.start, shift.end))
    holidays = {person: _holidays(known[person], start, end) for person in crew}
    shares = {share.person: share for share in fairness.shares(held, homes, holidays)}
    ahead = planning.in_words(_foreseen(crew, homes, now))
    longest = max((share.hours for share in shares.values()), default=0.0)
    called = list(CallOut.objects.filter(user__in=[int(p) for p in crew], paged_at__gte=start, paged_at__lt=end))
    stood_in = _stood_in(rows, start, end)
    loads = [
        _load(known[person], shares[person], longest, [c for c in called if c.user_id == int(person)], stood_in, ahead)
        for person in crew
    ]
    balance = fairness.balance([share.hours for share in shares.values()])
    return Report(start, end, sorted(loads, key=lambda one: (-one.hours, one.user.name)), balance, ahead)


def _load(
    user: User,
    share: fairness.Share,
    longest: float,
    called: list[CallOut],
    stood_in: tuple[Counter[int], Counter[int]],
    ahead: list[dict[str, object]],
) -> Load:
    nights = [call for call in called if _is_night(call.paged_at, user)]
    acked = [fatigue.Acknowledged(c.subject, c.acknowledged_at) for c in called if c.acknowledged_at]
    broken = fatigue.night_interruptions(str(user.pk), user.time_zone, acked, planning.profile())
    given, received = stood_in
    return Load(
        user,
        hours=round(share.hours, 1),
        night_hours=round(share.night_hours, 1),
        weekend_hours=round(share.weekend_hours, 1),
        holiday_hours=round(share.holiday_hours, 1),
        overload=share.overload,
        share=100 * share.hours / longest if longest else 0.0,
        pages=sum(call.pages for call in called),
        night_pages=sum(call.pages for call in nights),
        broken_nights=len(broken),
        call_outs=len(acked),
        given=given[user.pk],
        received=received[user.pk],
        findings=[finding for finding in ahead if finding["person"] == user.name],
    )


def _holidays(user: User, start: datetime, end: datetime) -> frozenset[date]:
    """The public holidays of a period where somebody lives."""
    years = range(start.year, end.year + 1)
    return frozenset().union(*(public_holidays(user.holiday_region, year) for year in years))


def _is_night(at: datetime, user: User) -> bool:
    return bool(local_days.nights(at, at + timedelta.resolution, user.time_zone))


def _foreseen(crew: Iterable[str], homes: dict[str, str], now: datetime) -> list[Finding]:
    """Limits the plan of the coming weeks passes, counting what was worked before."""
    crew, start, end = list(crew), now - planning.LOOK_BACK, now + FORESEEN
    rows = list(Schedule.objects.order_by("pk"))
    called = planning.call_outs(crew, start, end)
    found = fatigue.check(planning.persons(oncall.schedules(rows), crew, homes, start, end, called), planning.profile())
    return [finding for finding in found if finding.end > now]


def _stood_in(rows: list[Schedule], start: datetime, end: datetime) -> tuple[Counter[int], Counter[int]]:
    """How often each person took somebody's place, and how often somebody took theirs."""
    swaps = Swap.objects.filter(schedule__in=rows, state=Swap.State.ACCEPTED, start__lt=end, end__gt=start)
    given: Counter[int] = Counter()
    received: Counter[int] = Counter()
    for giver, taker in swaps.values_list("giver", "taker"):
        given[taker] += 1
        received[giver] += 1
    for user in Override.objects.filter(schedule__in=rows, start__lt=end, end__gt=start).values_list("user", flat=True):
        given[user] += 1
    return given, received

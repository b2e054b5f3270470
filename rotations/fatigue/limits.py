"""The limits a plan is held against, one function each: a person and a profile in, findings out. Pure."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta
from itertools import pairwise
from operator import attrgetter
from typing import TypeVar

from rotations import local_days
from rotations.fatigue.terms import (
    DAY,
    HOUR,
    WEEK,
    Finding,
    Kind,
    Person,
    Profile,
    Severity,
    Stretch,
    joined,
    work,
    worked_within,
)
from rotations.rules import PRIMARY
from supportdesk import zones

T = TypeVar("T")
Limit = Callable[[Person, Profile], Iterable[Finding]]


def daily_rest(person: Person, profile: Profile) -> Iterator[Finding]:
    """FAT-1: eleven hours of real time between two stretches of work (R-18, R-20)."""
    for earlier, later in pairwise(work(person.duties)):
        rest = Stretch(earlier.end, later.start)
        if rest.length < profile.daily_rest:
            text = f"{_hours(rest.length)} of rest between two shifts; {_hours(profile.daily_rest)} are needed."
            excess = (profile.daily_rest - rest.length) / HOUR
            yield _finding("FAT-1", person, profile, Severity.BLOCK, rest, text, excess, rest=rest.length / HOUR)


def weekly_hours(person: Person, profile: Profile) -> Iterator[Finding]:
    """FAT-2: hours of work in any seven days (R-21), and their average over seventeen weeks."""
    stretches = work(person.duties)
    for window, worked in _worst_windows(stretches, WEEK, profile.week_warns):
        severity = Severity.BLOCK if worked > profile.week_blocks else Severity.WARN
        text = f"{_hours(worked)} of work within seven days; {_hours(profile.week_warns)} are the limit."
        excess = (worked - profile.week_warns) / HOUR
        yield _finding("FAT-2", person, profile, severity, window, text, excess, hours=worked / HOUR)
    weeks = profile.average_over_weeks
    for window, worked in _worst_windows(stretches, weeks * WEEK, weeks * profile.average_week):
        average = worked / weeks
        text = f"{_hours(average)} of work a week over {weeks} weeks; {_hours(profile.average_week)} are the limit."
        excess = (average - profile.average_week) / HOUR
        yield _finding("FAT-2", person, profile, Severity.BLOCK, window, text, excess, average=average / HOUR)


def weekly_rest(person: Person, profile: Profile) -> Iterator[Finding]:
    """FAT-3: no more than seven days of work from one rest of 35 hours to the next."""
    for run in _runs(work(person.duties), lambda earlier, later: later.start - earlier.end < profile.weekly_rest):
        span = Stretch(run[0].start, run[-1].end)
        if span.length > profile.without_weekly_rest_warns:
            severity = Severity.BLOCK if span.length >= profile.without_weekly_rest_blocks else Severity.WARN
            text = f"{_days(span.length)} without a rest of {_hours(profile.weekly_rest)}."
            excess = (span.length - profile.without_weekly_rest_warns) / DAY
            yield _finding("FAT-3", person, profile, severity, span, text, excess, days=span.length / DAY)


def nights(person: Person, profile: Profile) -> Iterator[Finding]:
    """FAT-4: at most three nights in a row on the clock at home (R-22), and 48 hours off after the third."""
    stretches = work(person.duties)
    worked = _nights_worked(stretches, person.home, profile)
    for run in _runs(worked, lambda earlier, later: later[0] - earlier[0] == DAY):
        too_many = run[profile.nights_in_a_row :]
        if too_many:
            span = Stretch(too_many[0][1].start, too_many[-1][1].end)
            text = f"{len(run)} nights in a row; {profile.nights_in_a_row} are the limit."
            yield _finding("FAT-4", person, profile, Severity.BLOCK, span, text, len(too_many), nights=len(run))
        if len(run) >= profile.nights_in_a_row:
            yield from _rest_after(run, stretches, person, profile)


def _rest_after(
    run: Sequence[tuple[date, Stretch]], stretches: Sequence[Stretch], person: Person, profile: Profile
) -> Iterator[Finding]:
    ends = run[-1][1].end
    following = next((stretch for stretch in stretches if stretch.start >= ends), None)
    if following is not None and following.start - ends < profile.rest_after_nights:
        rest = Stretch(ends, following.start)
        needed = _hours(profile.rest_after_nights)
        text = f"{_hours(rest.length)} off after {len(run)} nights in a row; {needed} are needed."
        excess = (profile.rest_after_nights - rest.length) / HOUR
        yield _finding("FAT-4", person, profile, Severity.BLOCK, rest, text, excess, rest=rest.length / HOUR)


def _nights_worked(stretches: Iterable[Stretch], home: str, profile: Profile) -> list[tuple[date, Stretch]]:
    """Each night with enough work in it, with the last stretch that reaches into it."""
    inside: dict[date, timedelta] = {}
    last: dict[date, Stretch] = {}
    for stretch in stretches:
        for night, length in local_days.nights(*stretch, home, profile.night):
            inside[night] = inside.get(night, timedelta(0)) + length
            last[night] = stretch
    return [(night, last[night]) for night in sorted(inside) if inside[night] >= profile.night_counts_from]


def streak(person: Person, profile: Profile) -> Iterator[Finding]:
    """FAT-7: at most seven days as primary without a day off in between, counted on the clock at home.

    A week from Monday 09:00 to Monday 09:00 is seven days, not eight. A backup's days do not count: with the usual
    offset everyone is backup in the week before their own.
    """
    on_call = joined(duty for duty in person.duties if duty.slot == PRIMARY)
    for run in _runs(on_call, lambda earlier, later: _is_next_day(earlier.end, later.start, person.home)):
        span = Stretch(run[0].start, run[-1].end)
        days = -((zones.local(span.start, person.home) - zones.local(span.end, person.home)) // DAY)
        if days > profile.longest_streak:
            severity = Severity.BLOCK if days >= profile.streak_blocks else Severity.WARN
            text = f"{days} days on call without a day off; {profile.longest_streak} are the limit."
            yield _finding("FAT-7", person, profile, severity, span, text, days - profile.longest_streak, days=days)


def _is_next_day(ends: datetime, begins: datetime, home: str) -> bool:
    last_day = zones.local(ends - timedelta.resolution, home).date()
    return zones.local(begins, home).date() - last_day <= DAY


def share(person: Person, profile: Profile) -> Iterator[Finding]:
    """FAT-8: at most a quarter of any 28 days on standby around the clock, in whole percent, as primary or backup."""
    standby = joined(duty for duty in person.duties if duty.all_day and duty.kind is Kind.STANDBY)
    limit = round(100 * profile.standby_share)
    for window, held in _worst_windows(standby, profile.standby_over, profile.standby_share * profile.standby_over):
        percent = round(100 * held / profile.standby_over)
        if percent > limit:
            text = f"{percent} % of 28 days on call; {limit} % are the limit."
            yield _finding("FAT-8", person, profile, Severity.WARN, window, text, percent - limit, percent=percent)


LIMITS: tuple[Limit, ...] = (daily_rest, weekly_hours, weekly_rest, nights, streak, share)


def _finding(
    rule: str,
    person: Person,
    profile: Profile,
    severity: Severity,
    span: Stretch,
    text: str,
    excess: float,
    **numbers: float,
) -> Finding:
    is_legal, facts = rule in profile.legal, tuple(numbers.items())
    return Finding(rule, person.name, severity, span.start, span.end, text, is_legal, facts, excess)


def _runs(items: Sequence[T], goes_on: Callable[[T, T], bool]) -> Iterator[list[T]]:
    """Ordered items in runs, each as long as `goes_on(earlier, later)` holds between neighbours."""
    run: list[T] = []
    for item in items:
        if run and not goes_on(run[-1], item):
            yield run
            run = []
        run.append(item)
    if run:
        yield run


def _worst_windows(
    stretches: Sequence[Stretch], length: timedelta, limit: timedelta
) -> Iterator[tuple[Stretch, timedelta]]:
    """Of each run of overlapping windows of this length with more than `limit` in them, the fullest.

    The fullest window begins where a stretch begins or ends where one ends, so only those are looked at.
    """
    begins = sorted({stretch.start for stretch in stretches} | {stretch.end - length for stretch in stretches})
    windows = [(Stretch(begin, begin + length), _inside(stretches, begin, begin + length)) for begin in begins]
    over = [window for window in windows if window[1] > limit]
    for run in _runs(over, lambda earlier, later: later[0].start < earlier[0].end):
        yield max(run, key=lambda window: window[1])


def _inside(stretches: Sequence[Stretch], start: datetime, end: datetime) -> timedelta:
    """How much of the ordered stretches lies between `start` and `end`."""
    first = bisect_right(stretches, start, key=attrgetter("end"))
    last = bisect_left(stretches, end, key=attrgetter("start"))
    return worked_within(stretches[first:last], start, end)


def _hours(length: timedelta) -> str:
    return f"{round(length / HOUR, 1):g} h"


def _days(length: timedelta) -> str:
    return f"{round(length / DAY, 1):g} days"

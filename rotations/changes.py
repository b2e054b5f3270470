"""Who is paged differently under two sets of rules: from when, until when, where, and who before and after. Pure.

A schedule is compared slot by slot, a policy by the instants of its first pass: whom it pages at T+0:00, at T+3:00.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from rotations.escalation.reach import clock
from rotations.proof.evidence import Ladder
from rotations.proof.firings import Course, courses
from rotations.proof.meant import Desk
from rotations.proof.tracks import Track, joined
from rotations.rules import SLOTS, Rules
from rotations.schedule import Schedule
from rotations.shifts import Shift
from supportdesk.calendars import union

SHOWN = timedelta(days=30)

People = tuple[str, ...]
Duty = Mapping[str, Track[People]]


class Change(NamedTuple):
    """From `start` until `end`, `slot` of `what` means the people `after` instead of the people `before`."""

    start: datetime
    end: datetime
    what: str
    slot: str
    before: People
    after: People


def duty(rules: Rules, start: datetime, end: datetime) -> Duty:
    """Who holds each slot of a schedule from when on; nobody in a gap, since the last resort is no cover."""
    final = Schedule(rules).shifts(start, end)
    held = {slot: [shift for shift in final.shifts if shift.slot == slot] for slot in SLOTS}
    return {slot: Track(_pieces(shifts, start, end)) for slot, shifts in held.items()}


def chain(desk: Desk, ladder: Ladder, severity: str, start: datetime, end: datetime) -> Duty:
    """Whom a policy pages how long after a report, for reports from when on. The desk must know a pass longer."""
    plans = [(course.start, _paged(course)) for course in courses(desk, ladder, severity, start, end)]
    moments = sorted({after for _, paged in plans for after in paged})
    return {f"T+{clock(after)}": Track((at, paged.get(after, ())) for at, paged in plans) for after in moments}


def between(what: str, before: Duty, after: Duty, start: datetime, end: datetime) -> list[Change]:
    """Where two duties differ from `start` until `end`, in order of time."""
    found = [
        change
        for slot in dict.fromkeys((*before, *after))
        for change in _of_slot(what, slot, before.get(slot), after.get(slot), start, end)
    ]
    return sorted(found, key=lambda change: change.start)


def of_schedule(name: str, before: Rules | None, after: Rules | None, start: datetime, end: datetime) -> list[Change]:
    """Where other rules put other people on duty; None: there is no such schedule. Equal rules are not looked at."""
    if before == after:
        return []
    old, new = (duty(rules, start, end) if rules else {} for rules in (before, after))
    return between(name, old, new, start, end)


def length(changes: Iterable[Change]) -> timedelta:
    """For how long anything is different, what overlaps counted once."""
    spans = union((change.start, change.end) for change in changes)
    return sum((end - start for start, end in spans), timedelta(0))


def in_words(changes: Iterable[Change], stretch: timedelta) -> str:
    """`This changes who is paged for 37 h of the next 30 days.`"""
    spent = length(changes)
    if not spent:
        return f"Nobody is paged differently in the next {stretch.days} days."
    return f"This changes who is paged for {_hours(spent)} of the next {stretch.days} days."


def _hours(spent: timedelta) -> str:
    hours, rest = divmod(int(spent.total_seconds()), 3600)
    minutes = rest // 60
    words = [f"{hours} h" if hours else "", f"{minutes} min" if minutes else ""]
    return " ".join(filter(None, words)) or "less than a minute"


def _pieces(shifts: Iterable[Shift], start: datetime, end: datetime) -> Iterator[tuple[datetime, People]]:
    reached = start
    yield start, ()
    for shift in shifts:
        if reached < shift.start:
            yield reached, ()
        yield shift.start, (shift.person,)
        reached = shift.end
    if reached < end:
        yield reached, ()


def _paged(course: Course) -> dict[timedelta, People]:
    """The people of a course by how long after the report they are paged, each step in its order."""
    found: dict[timedelta, People] = {}
    for firing in course.firings:
        people = [person for person, _ in firing.rung.found] or [p for p in (firing.fallback,) if p]
        found[firing.after] = tuple(dict.fromkeys((*found.get(firing.after, ()), *people)))
    return found


def _of_slot(
    what: str, slot: str, before: Track[People] | None, after: Track[People] | None, start: datetime, end: datetime
) -> Iterator[Change]:
    both = joined([before or _nobody(start), after or _nobody(start)], lambda pair: pair)
    for place, (old, new) in enumerate(both.values):
        until = both.points[place + 1] if place + 1 < len(both.points) else end
        if old != new:
            yield Change(both.points[place], until, what, slot, old, new)


def _nobody(start: datetime) -> Track[People]:
    return Track([(start, ())])

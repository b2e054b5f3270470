"""What the first pass of a policy does for an incident that starts at any instant of a stretch. Pure.

Between two critical starts every step finds the same people after the same waits, so one answer holds for all of them.
A start is critical when some step of it would fire just as a target changes: the sweep goes from one to the next, and
its cost grows with the shifts and the steps, never with the minutes. Whoever is paged besides because a shift begins
(ESC-5) only comes earlier than the steps say, and is left out.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Hashable, Iterator
from datetime import datetime, timedelta
from typing import NamedTuple, TypeVar

from rotations.escalation.policy import Condition, Kind, Policy, Step, Target
from rotations.proof.evidence import Ladder
from rotations.proof.meant import Desk, Meant
from rotations.proof.tracks import Track, joined
from supportdesk import zones

_DAY = timedelta(days=1)
_QUARTER = timedelta(minutes=15)  # clocks are changed on these

T = TypeVar("T", bound=Hashable)


class Rung(NamedTuple):
    """What a step means at an instant: whom it can page, and whom or what it passes over.

    `applies`: its condition holds. `found`: people who can be paged, each with the kind of the first target that names
    them. `missed`: targets that mean nobody, or somebody who cannot be paged.
    """

    applies: bool
    found: tuple[tuple[str, Kind], ...] = ()
    missed: tuple[tuple[Target, Meant], ...] = ()


class Firing(NamedTuple):
    """A step of the first pass, `after` so long; `fallback` is paged where it finds nobody."""

    step: int
    after: timedelta
    rung: Rung
    fallback: str | None


class Course(NamedTuple):
    """The first pass of every incident that starts from `start` until `end`.

    `seats`: primary and backup when it starts; `fallback`: the last resort then.
    """

    start: datetime
    end: datetime
    firings: tuple[Firing, ...]
    seats: tuple[Meant, Meant]
    fallback: str


class _Steps(NamedTuple):
    rungs: list[Track[Rung]]
    delays: list[timedelta]
    fallback: Track[str]
    seats: Track[tuple[Meant, Meant]]


def courses(desk: Desk, ladder: Ladder, severity: str, start: datetime, end: datetime) -> Iterator[Course]:
    """The courses of a policy over a stretch, in order and without a hole. The desk must know a pass longer."""
    steps = _prepared(desk, ladder, severity)
    made: dict[tuple[object, ...], tuple[Firing, ...]] = {}
    while start < end:
        course = _course(steps, start, end, made)
        yield course
        start = course.end


def longest(policy: Policy) -> timedelta:
    """How long a first pass takes at most until its last step fires."""
    return sum((step.delay for step in policy.steps[:-1]), timedelta(0))


def _prepared(desk: Desk, ladder: Ladder, severity: str) -> _Steps:
    seats = [desk.meant(ladder.roster, Target(kind)) for kind in (Kind.PRIMARY, Kind.BACKUP)]
    return _Steps(
        [_rungs(desk, ladder, step, severity) for step in ladder.policy.steps],
        [step.delay for step in ladder.policy.steps],
        desk.fallback(ladder.roster),
        joined(seats, lambda found: (found[0], found[1])),
    )


def _course(
    steps: _Steps, start: datetime, end: datetime, made: dict[tuple[object, ...], tuple[Firing, ...]]
) -> Course:
    """Play the steps for a start, and find the first later start for which any answer would be another."""
    at, until, met = start, end, []
    for rungs, delay in zip(steps.rungs, steps.delays, strict=True):
        rung, until = _look(rungs, at, start, until)
        fallback = None
        if rung.applies and not rung.found:
            fallback, until = _look(steps.fallback, at, start, until)
        met.append((rung, fallback))
        if rung.found:
            at += delay
    seats, until = _look(steps.seats, start, start, until)
    last_resort, until = _look(steps.fallback, start, start, until)
    key = tuple((id(rung), fallback) for rung, fallback in met)
    if key not in made:
        made[key] = tuple(_firings(met, steps.delays))
    return Course(start, until, made[key], seats, last_resort)


def _look(track: Track[T], at: datetime, start: datetime, until: datetime) -> tuple[T, datetime]:
    """The value at `at`, and how much later the start may be for it to stay so."""
    place = bisect_right(track.points, at)
    if place < len(track.points):
        until = min(until, track.points[place] - (at - start))
    return track.values[place - 1], until


def _firings(met: list[tuple[Rung, str | None]], delays: list[timedelta]) -> Iterator[Firing]:
    after = timedelta(0)
    for number, ((rung, fallback), delay) in enumerate(zip(met, delays, strict=True), start=1):
        if rung.applies:
            yield Firing(number, after, rung, fallback)
        if rung.found:
            after += delay


def _rungs(desk: Desk, ladder: Ladder, step: Step, severity: str) -> Track[Rung]:
    """What a step means from when on."""
    condition, people = step.condition, [target for target in step.targets if not target.is_channel]
    if condition.severities and severity not in condition.severities:
        return Track([(desk.start, Rung(False))])
    meant = [desk.meant(ladder.roster, target) for target in people]
    if not meant:
        found = Track([(desk.start, Rung(True))])
    else:
        found = joined(meant, lambda values: _rung(desk, people, values))
    if not condition.weekdays and condition.window is None:
        return found
    holds = Track((at, Rung(condition.holds(at, severity))) for at in _edges(condition, desk.start, desk.end))
    return joined([found, holds], lambda both: both[0] if both[1].applies else both[1])


def _rung(desk: Desk, targets: list[Target], values: tuple[Meant, ...]) -> Rung:
    found: dict[str, Kind] = {}
    missed = []
    for target, meant in zip(targets, values, strict=True):
        lost = tuple(person for person in meant.people if desk.evidence.why_not(person))
        for person in meant.people:
            if person not in lost:
                found.setdefault(person, target.kind)
        if lost or not meant.people:
            missed.append((target, Meant(lost, meant.causes)))
    return Rung(True, tuple(found.items()), tuple(missed))


def _edges(condition: Condition, start: datetime, end: datetime) -> list[datetime]:
    """Instants at which the condition may begin or cease to hold: its wall-clock edges, and changes of the clock."""
    zone, edges = condition.zone, {start}
    midnight = zones.local(start, zone).replace(hour=0, minute=0, second=0, microsecond=0) - _DAY
    while (begins := zones.first_instant(midnight, zone)) < end:
        following = zones.first_instant(midnight + _DAY, zone)
        for reading in [midnight, *(datetime.combine(midnight, edge) for edge in condition.window or ())]:
            edges |= {zones.first_instant(reading, zone), zones.last_instant(reading, zone)}
        if following - begins != _DAY:
            edges.update(begins + i * _QUARTER for i in range((following - begins) // _QUARTER))
        midnight += _DAY
    return sorted(edge for edge in edges if start <= edge < end)

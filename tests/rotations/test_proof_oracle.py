"""The sweep against the escalation engine, played anew for every few minutes of small random worlds."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rotations import schedule
from rotations.escalation import Condition, Event, EventKind, Kind, Policy, Step, Target, roles, run
from rotations.escalation import effects as fx
from rotations.proof import Claim, Evidence, Link, Roster, prove
from rotations.proof.firings import Course, courses
from rotations.proof.meant import Desk
from rotations.responders import EMERGENCY
from rotations.rules import Layer, Leave, Override, Rules
from rotations.schedule import Schedule
from tests.rotations.proof_cast import START, EvidencePeople, evidence, person
from tests.rotations.schedule_cast import layer, rotation

CAST = ("ada", "ben", "cem")
LENGTH = timedelta(hours=30)
END = START + LENGTH
EVERY = timedelta(minutes=23)
ROLES = ("primary", "backup", "neighbour", "seniors", "duty_manager", "emergency_phone", "manager", "person:ada",
         "person:nobody", "head_of_support", "schedule:other", "schedule:none", "channel:#ops")  # fmt: skip
ZONES = ("Europe/Berlin", "America/New_York", "Asia/Kolkata")
KINDS = ("slack sms phone email", "phone", "email", "sms phone", "")


@pytest.fixture(scope="module", autouse=True)
def short_sight() -> Iterator[None]:
    """The engine asks when duty changes next; in a world of thirty hours nobody needs to look 400 days ahead."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(schedule, "_HORIZONS", (timedelta(days=2),))
        yield


hours = st.integers(0, int(LENGTH.total_seconds() // 3600)).map(lambda hour: START + timedelta(hours=hour))
names = st.sampled_from(CAST)


@st.composite
def layers(draw: st.DrawFn, number: int) -> Layer:
    ring = " ".join(draw(st.lists(names, min_size=1, max_size=3, unique=True)))
    opens, length = draw(st.integers(0, 23)), draw(st.integers(3, 20))
    window = draw(st.sampled_from(("", f"{opens}-{(opens + length) % 24}")))
    turns = rotation(
        draw(st.sampled_from(("hourly", "daily"))), "2026-02-27T00:00", ring, every=draw(st.integers(1, 9))
    )
    return layer(f"site{number}", draw(st.sampled_from(ZONES)), turns, window, priority=draw(st.integers(0, 1)),
                 slot=draw(st.sampled_from(("primary", "primary", "backup"))))  # fmt: skip


@st.composite
def spans(draw: st.DrawFn) -> tuple[datetime, datetime]:
    start = draw(hours)
    return start, start + timedelta(hours=draw(st.integers(1, 12)))


@st.composite
def rules(draw: st.DrawFn) -> Rules:
    found = tuple(draw(layers(number)) for number in range(draw(st.integers(1, 3))))
    leave = tuple(Leave(draw(names), *draw(spans())) for _ in range(draw(st.integers(0, 2))))
    overrides = tuple(Override("primary", draw(names), *draw(spans())) for _ in range(draw(st.integers(0, 1))))
    inactive = frozenset(draw(st.sets(names, max_size=1)))
    return Rules(found, overrides, leave, inactive=inactive)


conditions = st.sampled_from(
    (
        Condition(),
        Condition(),
        Condition(severities=frozenset({"P3"})),
        Condition(weekdays=frozenset({0}), zone="Europe/Berlin"),
        Condition(window=(datetime(2026, 1, 1, 22).time(), datetime(2026, 1, 1, 6, 30).time()), zone="Asia/Kolkata"),
    )
)
steps = st.builds(
    Step,
    st.lists(st.sampled_from(ROLES).map(Target.parse), min_size=1, max_size=3).map(tuple),
    st.sampled_from([timedelta(minutes=m) for m in (0, 3, 10, 47)]),
    conditions,
)
policies = st.lists(steps, min_size=1, max_size=4).map(lambda found: Policy("drawn", 1, tuple(found)))


@st.composite
def desks(draw: st.DrawFn) -> Evidence:
    mine = draw(rules())
    people = [person(name, draw(st.sampled_from(KINDS)), is_active=draw(st.integers(0, 5)) > 0) for name in CAST]
    people += [person("dana", draw(st.sampled_from(KINDS)))]
    made = evidence(mine, {1: draw(policies)}, people, has_emergency_number=draw(st.booleans()), duty=("other",))
    other = Roster("Other", Schedule(draw(rules())), None, None)
    return Evidence(
        {**made.rosters, "other": other}, made.ladders, made.people, made.duty, made.seniors, made.managers,
        made.has_emergency_number, drilled={"ben": START}
    )  # fmt: skip


def played(given: Evidence, severity: str, at: datetime) -> list[fx.Effect]:
    """What the engine does for an incident at this instant, until its first pass is through."""
    ladder = given.ladders[1]
    longest = sum((step.delay for step in ladder.policy.steps), timedelta(0))
    start = Event(EventKind.START, at, severity=severity)
    until = at + longest + timedelta.resolution
    ran = run(ladder.policy, EvidencePeople(given, ladder.roster), [start], until)
    first = []
    for effect in ran.effects:
        if isinstance(effect, fx.Exhausted) or getattr(effect, "pass_number", 1) > 1:
            break
        first.append(effect)
    return first


def course_at(found: list[Course], at: datetime) -> Course:
    return found[bisect_right(found, at, key=lambda course: course.start) - 1]


def fired(effects: list[fx.Effect], at: datetime) -> list[tuple[int, timedelta]]:
    return [(effect.step, effect.at - at) for effect in effects if isinstance(effect, fx.StepFired)]


def rung_by_a_step(effects: list[fx.Effect], step: int) -> set[str]:
    """Whom a step meant and could page as it fired, whether or not they had been paged a moment before."""
    kinds = {kind.value for kind in Kind}
    fired_at = next(e.at for e in effects if isinstance(e, fx.StepFired) and e.step == step)
    then = [e for e in effects if isinstance(e, fx.Page | fx.Skipped) and e.step == step and e.at == fired_at]
    pages = {e.person for e in then if isinstance(e, fx.Page) and e.reason in kinds}
    return pages | {e.person for e in then if isinstance(e, fx.Skipped) and e.why == fx.Why.JUST_PAGED}


def moments(found: list[Course]) -> list[datetime]:
    """Every few minutes, and the two seconds around every start the sweep thinks critical."""
    grid = [START + i * EVERY for i in range(LENGTH // EVERY)]
    edges = [course.start for course in found[:: max(1, len(found) // 25)]]
    return sorted({*grid, *edges, *(max(START, edge - timedelta(seconds=1)) for edge in edges)})


@settings(max_examples=20, deadline=None)
@given(desks(), st.sampled_from(("P1", "P3")))
def test_every_start_takes_the_course_the_engine_takes(given: Evidence, severity: str) -> None:
    ladder = given.ladders[1]
    desk = Desk(given, START, END + timedelta(hours=6))
    found = list(courses(desk, ladder, severity, START, END))
    assert [course.start for course in found[1:]] == [course.end for course in found[:-1]]
    for at in moments(found):
        course, effects = course_at(found, at), played(given, severity, at)
        assert [(firing.step, firing.after) for firing in course.firings] == fired(effects, at)
        for firing in course.firings:
            people = {name for name, _ in firing.rung.found}
            assert rung_by_a_step(effects, firing.step) - people <= {course.fallback, firing.fallback}, at
            assert people <= rung_by_a_step(effects, firing.step), at
        nobody = {effect.step for effect in effects if isinstance(effect, fx.NobodyOnCall)}
        assert {firing.step for firing in course.firings if not firing.rung.found} <= nobody
        people_now = EvidencePeople(given, ladder.roster)
        assert course.fallback == people_now.fallback(at)
        assert [seat.people for seat in course.seats] == [
            tuple(filter(None, [role(people_now.schedule, at)])) for role in (roles.primary, roles.backup)
        ]


def broken_slowly(given: Evidence, severity: str, at: datetime) -> set[Link]:
    """Which links are broken at an instant, by the engine and by asking everybody one by one."""
    effects, people = played(given, severity, at), EvidencePeople(given, "platform")
    broken: set[Link] = set()
    first = next((effect for effect in effects if isinstance(effect, fx.StepFired)), None)
    if first is None:
        broken.add(Link.STEP)
    else:
        nobody = any(isinstance(e, fx.NobodyOnCall) and e.step == first.step and e.at == at for e in effects)
        rung = rung_by_a_step(effects, first.step)
        if nobody and not rung:
            broken.add(why_nobody(given, people, given.ladders[1].policy.steps[first.step - 1], at))
        elif not any(given.attempts(e.person, severity, e.reason) for e in effects
                     if isinstance(e, fx.Page) and e.step == first.step and e.person in rung):  # fmt: skip
            broken.add(Link.METHOD)
    seats = roles.primary(people.schedule, at), roles.backup(people.schedule, at)
    if seats[0] and seats[0] == seats[1]:
        broken.add(Link.BACKUP)
    last = people.fallback(at)
    has_phone = given.has_emergency_number if last == EMERGENCY else "phone" in given.people[last].kinds
    return broken if has_phone else broken | {Link.FALLBACK}


def why_nobody(given: Evidence, people: EvidencePeople, step: Step, at: datetime) -> Link:
    named = [target for target in step.targets if not target.is_channel]
    if not named:
        return Link.STEP
    lost = people.resolve(named[0], at).passed_over
    if lost:
        return Link.PERSON if "active" in lost[0][1] else Link.METHOD
    asked = {Kind.PRIMARY: people.schedule, Kind.SCHEDULE: Schedule(Rules(()))}
    if named[0].kind in (Kind.DUTY_MANAGER, Kind.EMERGENCY_PHONE) or str(named[0]) == "schedule:other":
        asked[named[0].kind] = given.rosters["other"].schedule
    reasons = asked[named[0].kind].who(at).reasons if named[0].kind in asked else ()
    if any(reason.endswith(":leave") for reason in reasons):
        return Link.LEAVE
    return Link.PERSON if any(reason.endswith(":inactive") for reason in reasons) else Link.SCHEDULE


@settings(max_examples=20, deadline=None)
@given(desks(), st.sampled_from(("P1", "P3")))
def test_the_proof_fails_exactly_when_the_engine_reaches_nobody(given: Evidence, severity: str) -> None:
    window = (START + timedelta(hours=2), START + timedelta(hours=26))
    told = Claim("Acme", severity, "M", 1, (window,))
    outcome = prove([told], given, START, END)
    (verdict,) = outcome.verdicts
    assert verdict.count == len(verdict.failures)
    for at in (START + i * EVERY for i in range(LENGTH // EVERY)):
        found = {failure.link for failure in verdict.failures if failure.at <= at < failure.until}
        expected = broken_slowly(given, severity, at) if window[0] <= at < window[1] else set()
        assert found == expected, at
    assert outcome.holds == (not verdict.failures) == (outcome.certificate is not None)


@settings(max_examples=15, deadline=None)
@given(desks(), st.sampled_from(("P1", "P3")))
def test_no_person_is_ever_paged_later_than_the_bound_says(given: Evidence, severity: str) -> None:
    outcome = prove([Claim("Acme", severity, "M", 1, ((START, END),))], given, START, END)
    bounds = [kth.planned for kth in outcome.verdicts[0].people if kth.planned is not None]
    for at in (START + i * EVERY for i in range(LENGTH // EVERY)):
        first: dict[str, timedelta] = {}
        for effect in played(given, severity, at):
            if isinstance(effect, fx.Page) and given.attempts(effect.person, severity, effect.reason):
                first.setdefault(effect.person, effect.at - at)
        reached = sorted(first.values())
        assert len(reached) >= len(bounds), at
        assert all(real <= bound for real, bound in zip(reached, bounds, strict=False)), at

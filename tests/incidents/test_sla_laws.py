"""Laws that hold for any incident, however confused its story (D5, SLA-4, SLA-5, SLA-15, SLA-18, INV-3)."""

from __future__ import annotations

import json
from datetime import datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from incidents.sla import Clock, Event, EventKind, Reason, State, clocks, next_moments
from incidents.states import Hold
from supportdesk.calendars import Calendar
from supportdesk.entitlements import SEVERITIES
from tests.incidents.sla_stories import (
    FIRST_RESPONSE,
    GOODWILL,
    RESOLUTION,
    SECOND,
    XS,
    M,
    S,
    business_hours,
    cycle,
    plan_m,
    plan_s,
    received,
    utc,
)

# The reports fall into weeks in which clocks change somewhere.
STARTS = (
    "2026-03-27T14:00:00Z",
    "2026-04-04T10:00:00Z",  # Lord Howe, Chatham and Santiago go back
    "2026-04-23T20:00:00Z",  # Cairo goes forward
    "2026-06-11T08:00:00Z",
    "2026-10-02T05:00:00Z",
    "2026-10-24T21:00:00Z",
    "2026-10-31T22:00:00Z",  # St John's goes back
)
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
# Open at night, so that the hour that is missing or comes twice falls into the hours of the desk.
AWKWARD = [
    Calendar.from_spec({"time_zone": zone, "weekly": {day: [["22:00", "06:00"]] for day in _DAYS}})
    for zone in (
        "Australia/Lord_Howe",
        "Pacific/Chatham",
        "Africa/Cairo",
        "America/Santiago",
        "America/St_Johns",
    )
]
PLANS = (
    *(M, S, XS, GOODWILL, plan_m(business_hours("SYD", ["2026-10-05"])), plan_s(business_hours("NY"))),
    *map(plan_s, AWKWARD),
)
PLAIN = (
    EventKind.RESPONDED,
    EventKind.UPDATE_SENT,
    EventKind.ACKNOWLEDGED,
    EventKind.MITIGATED,
    EventKind.UNMITIGATED,
    EventKind.RESOLVED,
    EventKind.REOPENED,
    EventKind.CANCELLED,
)
gaps = st.sampled_from([0, 1, 59, 300, 599, 600, 601, 900, 1800, 3600, 7200, 14_400, 86_400]) | st.integers(0, 30_000)
seconds = st.integers(120, 20_000).map(lambda count: timedelta(seconds=count))
holds = st.sampled_from([Hold.CUSTOMER, Hold.CHANGE_WINDOW, Hold.THIRD_PARTY])


def event_fields(kind: EventKind, at: datetime, draw: st.DrawFn) -> dict:
    if kind is EventKind.SEVERITY_CHANGED:
        return {"severity": draw(st.sampled_from(SEVERITIES))}
    if kind is EventKind.TERMS_CHANGED:
        return {"terms": draw(st.sampled_from(PLANS))}
    if kind in (EventKind.HOLD_STARTED, EventKind.HOLD_ENDED):
        return {"hold": draw(holds)}
    if kind is EventKind.CADENCE_AGREED:
        return {"interval": draw(seconds)}
    promise = draw(st.none() | seconds) if kind is EventKind.UPDATE_SENT else None
    return {"promised_next": at + promise} if promise else {}


HAPPENINGS = (
    *PLAIN,
    EventKind.SEVERITY_CHANGED,
    EventKind.TERMS_CHANGED,
    EventKind.HOLD_STARTED,
    EventKind.HOLD_ENDED,
    EventKind.CADENCE_AGREED,
)


@st.composite
def stories(draw: st.DrawFn) -> list[Event]:
    at = utc(draw(st.sampled_from(STARTS)))
    events = [
        Event(at, EventKind.RECEIVED, severity=draw(st.sampled_from(SEVERITIES)), terms=draw(st.sampled_from(PLANS)))
    ]
    for sequence, kind in enumerate(draw(st.lists(st.sampled_from(HAPPENINGS), max_size=9)), start=1):
        at += draw(gaps) * SECOND
        events.append(Event(at, kind, sequence=sequence, **event_fields(kind, at, draw)))
    return events


def breaches(seen: tuple[Clock, ...]) -> set[tuple]:
    return {(clock.kind, clock.cycle, clock.severity, clock.breached_at) for clock in seen if clock.breached_at}


@settings(max_examples=250, deadline=None)
@given(events=stories(), after=gaps)
def test_every_clock_is_what_its_numbers_say(events, after) -> None:
    now = events[-1].at + after * SECOND
    seen = clocks(events, now)
    for clock in seen:
        if clock.due_at is None:
            assert clock.state in (State.PAUSED, State.CANCELLED)
            continue
        assert clock.basis.elapsed(clock.due_at, clock.holds) == clock.target.duration
        assert clock.basis.elapsed(clock.due_at - SECOND, clock.holds) == clock.target.duration - SECOND
        assert list(clock.thresholds.values()) == sorted(clock.thresholds.values())
        assert clock.thresholds[90] <= clock.due_at
        if clock.state is State.MET:
            assert clock.satisfied_at <= clock.due_at
        if clock.state is State.MISSED:
            assert clock.breached_at == clock.due_at < (clock.satisfied_at or now)
        if clock.state is State.RUNNING:
            assert now <= clock.due_at


@settings(max_examples=250, deadline=None)
@given(events=stories(), after=gaps)
def test_cycles_are_numbered_and_only_the_last_of_a_kind_is_open(events, after) -> None:
    seen = clocks(events, events[-1].at + after * SECOND)
    for kind in {clock.kind for clock in seen}:
        of_kind = [clock for clock in seen if clock.kind is kind]
        assert [clock.cycle for clock in of_kind] == list(range(1, len(of_kind) + 1))
        assert all(clock.state not in (State.RUNNING, State.PAUSED) for clock in of_kind[:-1])
    keys = [moment.key for moment in next_moments(events, events[-1].at + after * SECOND)]
    assert len(keys) == len(set(keys))


@settings(max_examples=150, deadline=None)
@given(events=stories(), order=st.randoms())
def test_what_is_stored_can_be_replayed_in_any_order(events, order) -> None:
    now = events[-1].at + timedelta(days=1)
    stored = json.loads(json.dumps([event.to_spec() for event in events]))
    order.shuffle(stored)
    assert clocks([Event.from_spec(spec) for spec in stored], now) == clocks(events, now)


@settings(max_examples=150, deadline=None)
@given(events=stories(), steps=st.lists(gaps, min_size=1, max_size=4))
def test_a_breach_that_was_seen_once_is_seen_for_ever(events, steps) -> None:
    at = events[0].at
    known: set[tuple] = set()
    for step in [*steps, 100_000]:
        at += step * SECOND
        found = breaches(clocks(events, at))
        assert known <= found
        known = found


@settings(max_examples=100, deadline=None)
@given(events=stories())
def test_a_cycle_that_was_seen_once_does_not_vanish(events) -> None:
    known: set[tuple] = set()
    for count in range(1, len(events) + 1):
        found = {(clock.kind, clock.cycle) for clock in clocks(events[:count], events[count - 1].at)}
        assert known <= found
        known = found


@settings(max_examples=200, deadline=None)
@given(events=stories(), after=gaps, raised=st.sampled_from(SEVERITIES), plan=st.none() | st.sampled_from(PLANS))
def test_a_raise_never_moves_a_due_later_and_nothing_is_born_breached(events, after, raised, plan) -> None:
    now = events[-1].at + after * SECOND
    before = {(clock.kind, clock.cycle): clock for clock in clocks(events, now)}
    change = {"terms": plan} if plan else {"severity": raised}
    kind = EventKind.TERMS_CHANGED if plan else EventKind.SEVERITY_CHANGED
    for clock in clocks([*events, Event(now, kind, sequence=99, **change)], now):
        old = before.get((clock.kind, clock.cycle))
        is_unchanged = old is not None and old.segments == clock.segments
        if is_unchanged or clock.segments[-1].reason not in (Reason.SEVERITY_RAISED, Reason.TERMS_CHANGED):
            continue
        assert clock.state in (State.RUNNING, State.PAUSED)
        if clock.due_at is not None:
            assert clock.due_at >= now
            assert old is None or old.due_at is None or clock.due_at <= old.due_at


@settings(max_examples=150, deadline=None)
@given(
    plan=st.sampled_from(PLANS),
    level=st.sampled_from(("P1", "P2")),
    start=st.sampled_from(STARTS),
    edges=st.lists(gaps, min_size=4, max_size=4),
)
def test_another_hold_never_makes_a_due_earlier_nor_moves_the_first_response(plan, level, start, edges) -> None:
    at, events, dues = utc(start), [received(start, level, plan)], []
    for begins, ends in (edges[:2], edges[2:]):
        for kind, gap in ((EventKind.HOLD_STARTED, begins), (EventKind.HOLD_ENDED, ends)):
            at += gap * SECOND
            events.append(Event(at, kind, hold=Hold.CUSTOMER, sequence=len(events)))
    for count in (1, 3, 5):
        seen = clocks(events[:count], at)
        dues.append([clock.due_at for clock in seen if clock.kind is RESOLUTION])
        assert cycle(seen, FIRST_RESPONSE).due_at == cycle(clocks(events[:1], at), FIRST_RESPONSE).due_at
    assert dues == sorted(dues)

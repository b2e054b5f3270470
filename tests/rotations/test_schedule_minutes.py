"""Whole schedules against the slow oracle, every minute, over both changes of clock (F14)."""

from __future__ import annotations

import os
from datetime import UTC, datetime, time, timedelta
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rotations.rotation import Revision, Rotation, Unit
from rotations.rules import Block, Layer, Leave, Override, Rules, Swap, SwapState
from rotations.schedule import Schedule
from tests.rotations.minute_oracle import MINUTE, Oracle, shown

# A zone and the UTC hour before each of its changes of clock in 2026; Kolkata has none.
CHANGES = {
    "Europe/Berlin": ("2026-03-29T00", "2026-10-25T00"),
    "America/New_York": ("2026-03-08T06", "2026-11-01T05"),
    "America/St_Johns": ("2026-03-08T05", "2026-11-01T04"),
    "America/Santiago": ("2026-09-06T03", "2026-04-05T02"),
    "Africa/Cairo": ("2026-04-23T21", "2026-10-29T20"),
    "Australia/Lord_Howe": ("2026-10-03T15", "2026-04-04T14"),
    "Pacific/Chatham": ("2026-09-26T13", "2026-04-04T13"),
    "Asia/Kolkata": ("2026-02-28T20", "2026-12-31T18"),
}
PEOPLE = ("alice", "bob", "carol", "dana", "erin")
SPAN = timedelta(hours=30)


def thorough(examples: int) -> settings:
    """A short run by default; `EXAMPLES=250` makes it the nightly one."""
    return settings(
        max_examples=examples * int(os.environ.get("EXAMPLES", "1")),
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )


people = st.sampled_from(PEOPLE)
half_hours = st.integers(0, 47).map(lambda i: time(i // 2, 30 * (i % 2)))


@st.composite
def intervals(draw: st.DrawFn, around: datetime) -> tuple[datetime, datetime]:
    start = around + draw(st.integers(-50, 60)) * timedelta(minutes=30)
    return start, start + draw(st.integers(1, 40)) * timedelta(minutes=30)


@st.composite
def rotations(draw: st.DrawFn, around: datetime) -> Rotation:
    unit, every = draw(
        st.sampled_from([(Unit.HOURLY, 4), (Unit.HOURLY, 12), (Unit.DAILY, 1), (Unit.DAILY, 2), (Unit.WEEKLY, 1)])
    )
    day = (around - timedelta(days=draw(st.integers(-1, 9)))).date()
    ring = tuple(draw(st.lists(people, max_size=4)))
    return Rotation(unit, every, datetime.combine(day, draw(half_hours)), ring, draw(st.integers(0, 3)))


@st.composite
def layers(draw: st.DrawFn, around: datetime, zone: str) -> Layer:
    own_zone = draw(st.sampled_from([zone, zone, "Asia/Tokyo", "America/New_York"]))
    revisions = [Revision(None, draw(rotations(around)))]
    if draw(st.booleans()):
        revisions.append(Revision(around + draw(st.integers(-20, 20)) * timedelta(hours=1), draw(rotations(around))))
    window = draw(st.none() | st.tuples(half_hours, half_hours))
    weekdays = draw(st.none() | st.frozensets(st.integers(0, 6), min_size=3))
    slot = draw(st.sampled_from(["primary", "primary", "backup"]))
    priority = draw(st.integers(0, 1))
    return Layer(f"layer {window}", own_zone, tuple(revisions), window, weekdays, priority, slot)


@st.composite
def overrides(draw: st.DrawFn, around: datetime) -> tuple[Override, ...]:
    kept: list[Override] = []
    for start, end in draw(st.lists(intervals(around), max_size=3)):
        slot = draw(st.sampled_from(["primary", "primary", "backup"]))
        if all(end <= other.start or start >= other.end or slot != other.slot for other in kept):
            kept.append(Override(slot, draw(people), start, end))
    return tuple(kept)


@st.composite
def swaps(draw: st.DrawFn, around: datetime) -> Swap:
    start, end = draw(intervals(around))
    back = draw(st.none() | intervals(around)) or (None, None)
    slot, state = draw(st.sampled_from(["primary", "backup"])), draw(st.sampled_from(SwapState))
    return Swap("s", slot, draw(people), draw(people), start, end, *back, state)


@st.composite
def schedules(draw: st.DrawFn) -> tuple[Rules, datetime]:
    zone = draw(st.sampled_from(sorted(CHANGES)))
    around = datetime.fromisoformat(draw(st.sampled_from(CHANGES[zone]))).replace(tzinfo=UTC)
    is_quiet = draw(st.booleans())
    limit = 0 if is_quiet else 3
    absent = [(draw(people), *draw(intervals(around))) for _ in range(draw(st.integers(0, limit)))]
    return Rules(
        layers=tuple(draw(st.lists(layers(around, zone), min_size=1, max_size=3))),
        overrides=() if is_quiet else draw(overrides(around)),
        leave=tuple(Leave(*item) for item in absent[:2]),
        blocked=tuple(Block(*item) for item in absent[2:]),
        swaps=tuple(draw(st.lists(swaps(around), max_size=limit))),
        backup_offset=draw(st.sampled_from([1, -1])),
        inactive=frozenset() if is_quiet else draw(st.frozensets(people, max_size=1)),
        fallback=draw(st.none() | st.just("mallory")),
    ), around


def by_minute(items, start: datetime, end: datetime) -> dict[datetime, list]:
    found: dict[datetime, list] = {}
    for item in items:
        minute = item.start
        while minute < item.end:
            found.setdefault(minute, []).append(item)
            minute += MINUTE
    return found


@given(schedules())
@thorough(100)
def test_every_minute_agrees_with_the_slow_reading(drawn: tuple[Rules, datetime]) -> None:
    rules, around = drawn
    start, end = around - SPAN / 2, around + SPAN / 2
    oracle, schedule = Oracle(rules, start, end), Schedule(rules)
    final = schedule.shifts(start, end)
    primaries, backups = by_minute(final.primary, start, end), by_minute(final.backup, start, end)
    gaps = by_minute(final.gaps, start, end)
    minute = start
    while minute < end:
        primary, backup = oracle.who(minute)
        on_call = schedule.who(minute)
        assert (on_call.primary, on_call.backup) == (primary, backup), minute
        assert [shift.person for shift in primaries.get(minute, [])] == ([primary] if primary else []), minute
        assert [shift.person for shift in backups.get(minute, [])] == ([backup] if backup else []), minute
        assert primary is None or primary != backup
        missing = [] if primary and backup else ["backup"] if primary else ["primary"]
        assert [gap.slot for gap in gaps.get(minute, [])] == missing, minute
        minute += MINUTE


@given(schedules(), st.integers(1, 1700))
@thorough(60)
def test_a_part_of_a_schedule_is_the_schedule_cut(drawn: tuple[Rules, datetime], minutes: int) -> None:
    rules, around = drawn
    start, end = around - SPAN / 2, around + SPAN / 2
    middle = start + minutes * MINUTE
    whole = Schedule(rules).shifts(start, end)
    fresh = Schedule(rules)
    left, right = fresh.shifts(start, middle), fresh.shifts(middle, end)
    assert whole.cut(start, middle) == left
    assert whole.cut(middle, end) == right
    for shift in whole.shifts:
        assert shift.shift_start <= shift.start < shift.end <= shift.shift_end or shift.start < shift.end
    for shifts in (whole.primary, whole.backup):
        assert not any(later.continues(earlier) for earlier, later in pairwise(shifts))


@given(schedules())
@thorough(60)
def test_an_answer_holds_until_it_says_it_changes(drawn: tuple[Rules, datetime]) -> None:
    rules, around = drawn
    schedule = Schedule(rules)
    t, end = around - SPAN / 2, around + SPAN / 2
    while t < end:
        now = schedule.who(t)
        if now.changes_at is None:
            return
        just_before = schedule.who(now.changes_at - timedelta.resolution)
        then = schedule.who(now.changes_at)
        assert (just_before.primary, just_before.backup) == (now.primary, now.backup)
        assert (then.primary, then.backup) != (now.primary, now.backup)
        t = now.changes_at


@pytest.mark.parametrize("zone", sorted(CHANGES))
def test_the_changes_of_clock_used_here_are_real(zone: str) -> None:
    for text in CHANGES[zone]:
        hour = datetime.fromisoformat(text).replace(tzinfo=UTC)
        passed = shown(hour + timedelta(hours=2), zone) - shown(hour, zone)
        assert (passed != timedelta(hours=2)) == (zone != "Asia/Kolkata")

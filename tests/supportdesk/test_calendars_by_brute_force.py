"""Business calendars against a model that reads the wall clock of every single minute, and laws that hold for all.

The model knows nothing of the implementation: a window opens at the first minute at which the clock reads its opening
time or, that having been skipped, later; and closes at the last minute at which the clock reads its closing time (D9).
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from supportdesk import calendars
from supportdesk.calendars import Calendar

MINUTE = timedelta(minutes=1)
SECOND = timedelta(seconds=1)
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

# Zones, the day before something happens there, and the hour of the wall clock at which it does.
AWKWARD_WEEKS = (
    ("Europe/Berlin", "2026-03-28", 2),
    ("Europe/Berlin", "2026-10-24", 2),
    ("America/New_York", "2026-10-31", 1),
    ("America/St_Johns", "2026-03-07", 2),
    ("America/Santiago", "2026-09-05", 0),
    ("America/Santiago", "2026-04-03", 23),
    ("Africa/Cairo", "2026-04-23", 0),
    ("Africa/Cairo", "2026-10-28", 23),
    ("Australia/Lord_Howe", "2026-10-03", 2),
    ("Australia/Lord_Howe", "2026-04-04", 1),
    ("Pacific/Chatham", "2026-09-26", 3),
    ("Pacific/Apia", "2011-12-29", 9),
    ("Asia/Tokyo", "2026-06-13", 9),
)
SPAN_DAYS = 6  # what a case may touch
MARGIN_DAYS = 4  # what windows may reach in from before, or out to after


@lru_cache(maxsize=32)
def readings(zone: str, first_day: str) -> tuple[datetime, list[datetime]]:
    """The wall clock at every minute around the span, and the instant of the first of them."""
    start = datetime.fromisoformat(first_day).replace(tzinfo=UTC) - timedelta(days=MARGIN_DAYS)
    count = (SPAN_DAYS + 2 * MARGIN_DAYS) * 24 * 60
    info = ZoneInfo(zone)
    return start, [(start + n * MINUTE).astimezone(info).replace(tzinfo=None) for n in range(count)]


def open_minutes(spec: dict, first_day: str) -> tuple[datetime, list[bool]]:
    """Whether the desk is open in each minute around the span."""
    start, shown = readings(spec["time_zone"], first_day)
    is_open = [False] * len(shown)
    day = shown[0].date() + timedelta(days=1)
    while day < shown[-1].date() - timedelta(days=1):
        text = day.isoformat()
        windows = [] if text in spec["closed"] else spec["weekly"].get(DAYS[day.weekday()], [])
        for opens, closes in spec["special"].get(text, windows):
            opening, closing = reading(day, opens), reading(day, closes)
            if closing <= opening:
                closing += timedelta(days=1)
            first = next(n for n, at in enumerate(shown) if at >= opening)
            past = next(n for n, at in enumerate(shown) if at >= closing)
            last = max((n for n, at in enumerate(shown) if at == closing), default=past)
            for minute in range(first, last):
                is_open[minute] = True
        day += timedelta(days=1)
    return start, is_open


def reading(day, text: str) -> datetime:
    hour, minute = map(int, text.split(":"))
    return datetime(day.year, day.month, day.day) + timedelta(hours=hour, minutes=minute)


def times(latest: int) -> st.SearchStrategy[str]:
    return st.integers(0, latest).map(lambda quarter: f"{quarter // 4:02}:{quarter % 4 * 15:02}")


def times_around(hour: int) -> st.SearchStrategy[str]:
    quarters = range(max(hour * 4 - 1, 0), min(hour * 4 + 5, 96))
    return st.sampled_from([f"{quarter // 4:02}:{quarter % 4 * 15:02}" for quarter in quarters])


windows = st.lists(st.tuples(times(95), times(96)).map(list), max_size=2)


@st.composite
def cases(draw: st.DrawFn) -> tuple[dict, str]:
    zone, first_day, hour = draw(st.sampled_from(AWKWARD_WEEKS))
    date = datetime.fromisoformat(first_day)
    dates = st.integers(0, SPAN_DAYS).map(lambda days: (date + timedelta(days=days)).date().isoformat())
    jump = (date + timedelta(days=1)).date().isoformat()
    around = times_around(hour)
    awkward_windows = st.lists(st.tuples(around | times(95), around).map(list), min_size=1, max_size=2)
    spec = {
        "time_zone": zone,
        "weekly": draw(st.dictionaries(st.sampled_from(DAYS), windows)),
        "closed": draw(st.lists(dates, max_size=1)),
        "special": draw(st.dictionaries(dates, windows, max_size=1)) | {jump: draw(awkward_windows)},
    }
    return spec, first_day


minutes = st.integers(0, SPAN_DAYS * 24 * 60 - 1)
hold_minutes = st.lists(st.tuples(minutes, minutes).map(sorted), max_size=3)


@settings(max_examples=150, deadline=None)
@given(case=cases(), ends=st.tuples(minutes, minutes).map(sorted), target=st.integers(1, 2_000), holds=hold_minutes)
def test_every_minute_is_counted_as_the_wall_clock_says(case, ends, target, holds) -> None:
    spec, first_day = case
    calendar = Calendar.from_spec(spec)
    origin, is_open = open_minutes(spec, first_day)
    offset = MARGIN_DAYS * 24 * 60
    a, b = ends[0] + offset, ends[1] + offset
    held = {minute + offset for begins, stops in holds for minute in range(begins, stops)}
    intervals = [(origin + (begins + offset) * MINUTE, origin + (stops + offset) * MINUTE) for begins, stops in holds]

    def at(minute: int) -> datetime:
        return origin + minute * MINUTE

    assert calendars.between(calendar, at(a), at(b)) == sum(is_open[a:b]) * MINUTE
    whole = slice(offset, offset + SPAN_DAYS * 24 * 60)
    assert calendars.between(calendar, at(whole.start), at(whole.stop)) == sum(is_open[whole]) * MINUTE
    counted = [is_open[n] and n not in held for n in range(len(is_open))]
    assert calendars.elapsed(calendar, at(a), at(b), intervals) == sum(counted[a:b]) * MINUTE
    assert calendars.is_open(calendar, at(a)) is is_open[a]
    spans = list(calendars.open_windows(calendar, at(a), at(b)))
    assert sum(((closes - opens) for opens, closes in spans), timedelta()) == sum(is_open[a:b]) * MINUTE
    assert all(earlier[1] < later[0] for earlier, later in pairwise(spans))

    used = [n for n in range(a, whole.stop) if counted[n]]
    if len(used) >= target:
        assert calendars.add(calendar, at(a), target * MINUTE, intervals) == at(used[target - 1] + 1)
    if used and not any(n in held for n in range(a, used[0])):
        assert calendars.next_open(calendar, at(a)) <= at(used[0])


# Laws for any calendar that opens at all

opening = st.lists(st.tuples(times(95), times(96)).map(list), min_size=1, max_size=2)
open_calendars = st.builds(
    lambda zone, weekly: Calendar.from_spec({"time_zone": zone, "weekly": weekly}),
    st.sampled_from(sorted({zone for zone, _, _ in AWKWARD_WEEKS})),
    st.dictionaries(st.sampled_from(DAYS), opening, min_size=1),
) | st.just(calendars.ALWAYS)
instants = st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31)).map(
    lambda at: at.replace(microsecond=0, tzinfo=UTC)
)
durations = st.integers(1, 60 * 3600).map(lambda seconds: timedelta(seconds=seconds))
hold_lists = st.lists(
    st.tuples(instants, st.integers(0, 20 * 86_400)).map(lambda hold: (hold[0], hold[0] + hold[1] * SECOND)),
    max_size=3,
)


@settings(max_examples=150, deadline=None)
@given(calendar=open_calendars, start=instants, duration=durations)
def test_a_due_is_the_earliest_instant_at_which_the_time_is_used_up(calendar, start, duration) -> None:
    due = calendars.add(calendar, start, duration)
    assert calendars.between(calendar, start, due) == duration
    assert calendars.between(calendar, start, due - SECOND) == duration - SECOND


@settings(max_examples=150, deadline=None)
@given(calendar=open_calendars, start=instants, duration=durations, holds=hold_lists)
def test_elapsed_at_due_is_the_target_whatever_was_held(calendar, start, duration, holds) -> None:
    due = calendars.add(calendar, start, duration, holds)
    assert calendars.elapsed(calendar, start, due, holds) == duration
    assert calendars.elapsed(calendar, start, due - SECOND, holds) == duration - SECOND


@settings(max_examples=150, deadline=None)
@given(calendar=open_calendars, start=instants, duration=durations, holds=hold_lists, more=hold_lists)
def test_another_hold_never_makes_the_due_earlier(calendar, start, duration, holds, more) -> None:
    assert calendars.add(calendar, start, duration, holds + more) >= calendars.add(calendar, start, duration, holds)


@settings(max_examples=100, deadline=None)
@given(calendar=open_calendars, ends=st.lists(instants, min_size=3, max_size=3).map(sorted))
def test_time_between_adds_up(calendar, ends) -> None:
    a, b, c = ends
    assert calendars.between(calendar, a, b) + calendars.between(calendar, b, c) == calendars.between(calendar, a, c)


@settings(max_examples=150, deadline=None)
@given(calendar=open_calendars, at=instants)
def test_the_desk_is_open_at_its_next_opening_and_not_before(calendar, at) -> None:
    opens = calendars.next_open(calendar, at)
    assert calendars.is_open(calendar, opens)
    assert calendars.between(calendar, at, opens) == timedelta()
    assert opens == at or not calendars.is_open(calendar, opens - SECOND)
    closes = calendars.closes_at(calendar, at)
    if closes is not None:
        assert calendars.between(calendar, opens, closes) == closes - opens
        assert not calendars.is_open(calendar, closes)


@settings(max_examples=100, deadline=None)
@given(calendar=open_calendars)
def test_storing_changes_nothing(calendar) -> None:
    assert Calendar.from_spec(calendar.to_spec()) == calendar

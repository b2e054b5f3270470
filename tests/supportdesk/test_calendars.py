"""Business calendars: when the desk is open, and time counted in its open hours."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from supportdesk import calendars
from supportdesk.calendars import ALWAYS, Calendar, NeverOpen
from tests.vectors import calendar_spec, cases

HOUR = timedelta(hours=1)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def holds_of(case: dict[str, Any]) -> list[tuple[datetime, datetime]]:
    return [(utc(begins), utc(ends)) for begins, ends in case["holds"]]


def calendar_of(case: dict[str, Any]) -> Calendar:
    return Calendar.from_spec(calendar_spec(case["calendar"], case["holidays"], case["special"]))


BER = Calendar.from_spec(calendar_spec("BER"))
NIGHT_DESK = Calendar.from_spec(
    {"time_zone": "Europe/Berlin", "weekly": {"sat": [["22:00", "06:00"]], "sun": [["22:00", "06:00"]]}}
)
NEVER = Calendar.from_spec({"time_zone": "Europe/Berlin", "weekly": {}})


# Worked examples


@pytest.mark.parametrize("case", cases("due"), ids=lambda case: case["id"])
def test_due(case: dict[str, Any]) -> None:
    calendar, start, holds = calendar_of(case), utc(case["start"]), holds_of(case)
    target = timedelta(minutes=case["target_minutes"])
    due = calendars.add(calendar, start, target, holds)
    assert due == utc(case["expected_due"])
    assert calendars.elapsed(calendar, start, due, holds) == target
    for percent, instant in case["thresholds"].items():
        assert calendars.add(calendar, start, target * int(percent) / 100, holds) == utc(instant)


@pytest.mark.parametrize("case", cases("business_day_close"), ids=lambda case: case["id"])
def test_business_day_close(case: dict[str, Any]) -> None:
    for days, instant in case["expected"].items():
        assert calendars.business_day_close(calendar_of(case), utc(case["resolved"]), int(days)) == utc(instant)


def test_s04_effective_start_after_easter() -> None:
    easter = Calendar.from_spec(calendar_spec("BER", closed=["2026-04-03", "2026-04-06"]))
    assert calendars.next_open(easter, utc("2026-04-02T16:30:00Z")) == utc("2026-04-07T07:00:00Z")


def test_s10_time_used_before_the_hold_and_due_without_it() -> None:
    start = utc("2026-06-11T08:00:00Z")
    assert calendars.between(BER, start, utc("2026-06-11T13:00:00Z")) == 5 * HOUR
    assert calendars.between(BER, utc("2026-06-11T13:00:00Z"), utc("2026-06-15T08:00:00Z")) == 11 * HOUR
    assert calendars.add(BER, start, 16 * HOUR) == utc("2026-06-15T08:00:00Z")


def test_s11_overlapping_holds_count_once() -> None:
    at = "2026-06-11T{}:00Z".format
    holds = [(utc(at("08:30")), utc(at("09:30"))), (utc(at("09:00")), utc(at("10:15")))]
    assert calendars.elapsed(ALWAYS, utc(at("08:00")), utc(at("11:00")), holds) == timedelta(hours=1, minutes=15)


@pytest.mark.parametrize(
    ("saturday_evening", "due"),
    [
        ("2026-10-24T22:00:00+02:00", "2026-10-25T04:00:00Z"),  # nine hours: 05:00 CET
        ("2026-03-28T22:00:00+01:00", "2026-03-29T21:00:00Z"),  # seven hours: spills into the next night
        ("2026-06-13T22:00:00+02:00", "2026-06-14T04:00:00Z"),
    ],
)
def test_s21_a_night_window_has_as_many_hours_as_really_pass(saturday_evening: str, due: str) -> None:
    assert calendars.add(NIGHT_DESK, utc(saturday_evening), 8 * HOUR) == utc(due)


def test_s24_both_readings_of_a_time_that_happens_twice_wait_for_the_same_opening() -> None:
    for received, wait in (("2026-10-25T00:15:00Z", 31.75), ("2026-10-25T01:15:00Z", 30.75)):
        opens = calendars.next_open(BER, utc(received))
        assert opens == utc("2026-10-26T08:00:00Z")
        assert opens - utc(received) == timedelta(hours=wait)
        assert calendars.add(BER, utc(received), HOUR) == utc("2026-10-26T09:00:00Z")


# Open and closed


def test_open_at_the_opening_instant_closed_at_the_closing_instant() -> None:
    opens, closes = utc("2026-06-12T07:00:00Z"), utc("2026-06-12T15:00:00Z")
    second = timedelta(seconds=1)
    assert not calendars.is_open(BER, opens - second)
    assert calendars.is_open(BER, opens)
    assert calendars.is_open(BER, closes - second)
    assert not calendars.is_open(BER, closes)
    assert calendars.next_open(BER, opens) == opens
    assert calendars.next_open(BER, closes - second) == closes - second
    assert calendars.next_open(BER, closes) == utc("2026-06-15T07:00:00Z")


def test_closes_at_the_end_of_the_present_or_next_opening() -> None:
    assert calendars.closes_at(BER, utc("2026-06-12T10:00:00Z")) == utc("2026-06-12T15:00:00Z")
    assert calendars.closes_at(BER, utc("2026-06-12T15:00:00Z")) == utc("2026-06-15T15:00:00Z")
    assert calendars.closes_at(NIGHT_DESK, utc("2026-06-14T21:00:00Z")) == utc("2026-06-15T04:00:00Z")


def test_the_24x7_calendar_never_waits_and_never_closes() -> None:
    at = utc("2026-03-29T00:55:00Z")
    assert calendars.is_open(ALWAYS, at)
    assert calendars.next_open(ALWAYS, at) == at
    assert calendars.closes_at(ALWAYS, at) is None
    assert calendars.between(ALWAYS, at, at + 50_000 * HOUR) == 50_000 * HOUR
    assert list(calendars.open_windows(ALWAYS, at, at + HOUR)) == [(at, at + HOUR)]
    assert list(calendars.open_windows(ALWAYS, at, at)) == []
    assert calendars.elapsed(ALWAYS, at, at - HOUR) == timedelta()


def test_a_desk_that_is_open_all_week_never_closes_either() -> None:
    days = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
    open_all_week = Calendar.from_spec(
        {"time_zone": "Africa/Cairo", "weekly": {day: [["00:00", "24:00"]] for day in days}}
    )
    at = utc("2026-01-01T00:00:00Z")
    assert calendars.closes_at(open_all_week, at) is None
    assert calendars.between(open_all_week, at, at + 9_000 * HOUR) == 9_000 * HOUR
    assert list(calendars.open_windows(open_all_week, at, at + 9_000 * HOUR)) == [(at, at + 9_000 * HOUR)]


def test_open_windows_are_whole_and_cut_only_where_asked() -> None:
    found = list(calendars.open_windows(BER, utc("2026-06-11T12:00:00Z"), utc("2026-06-15T08:00:00Z")))
    assert found == [
        (utc("2026-06-11T12:00:00Z"), utc("2026-06-11T15:00:00Z")),
        (utc("2026-06-12T07:00:00Z"), utc("2026-06-12T15:00:00Z")),
        (utc("2026-06-15T07:00:00Z"), utc("2026-06-15T08:00:00Z")),
    ]


def test_windows_that_overlap_the_night_before_count_once() -> None:
    tuesday = [["00:00", "02:00"], ["03:00", "05:00"], ["05:00", "06:00"]]
    calendar = Calendar.from_spec({"time_zone": "UTC", "weekly": {"mon": [["20:00", "04:00"]], "tue": tuesday}})
    monday = utc("2026-06-15T00:00:00Z")
    whole = (utc("2026-06-15T20:00:00Z"), utc("2026-06-16T06:00:00Z"))
    assert list(calendars.open_windows(calendar, monday, monday + 48 * HOUR)) == [whole]
    assert calendars.between(calendar, monday, monday + 48 * HOUR) == 10 * HOUR
    assert calendars.closes_at(calendar, monday) == whole[1]


def test_a_window_in_a_gap_has_no_length_and_one_around_a_fold_is_longer() -> None:
    sunday = Calendar.from_spec({"time_zone": "Europe/Berlin", "weekly": {"sun": [["02:00", "03:00"]]}})
    spring, autumn = utc("2026-03-29T00:00:00Z"), utc("2026-10-25T00:00:00Z")
    assert calendars.between(sunday, spring, spring + 24 * HOUR) == timedelta()
    assert calendars.between(sunday, autumn, autumn + 24 * HOUR) == 2 * HOUR


def test_a_window_opens_at_the_first_and_closes_at_the_last_occurrence() -> None:
    fold = ["02:15", "02:45"]
    sunday = Calendar.from_spec({"time_zone": "Europe/Berlin", "weekly": {"sun": [fold]}})
    saturday = utc("2026-10-24T12:00:00Z")
    assert calendars.next_open(sunday, saturday) == utc("2026-10-25T00:15:00Z")
    assert calendars.closes_at(sunday, saturday) == utc("2026-10-25T01:45:00Z")


def test_a_window_that_ends_at_a_midnight_which_does_not_exist_ends_at_the_jump() -> None:
    cairo = Calendar.from_spec({"time_zone": "Africa/Cairo", "weekly": {"thu": [["20:00", "24:00"]]}})
    assert calendars.closes_at(cairo, utc("2026-04-23T19:00:00Z")) == utc("2026-04-23T22:00:00Z")


def test_a_day_that_was_skipped_is_no_business_day() -> None:
    days = ("mon", "tue", "wed", "thu", "fri")
    apia = Calendar.from_spec({"time_zone": "Pacific/Apia", "weekly": {day: [["09:00", "17:00"]] for day in days}})
    thursday = utc("2011-12-29T20:00:00Z")  # Thursday 29 December, 10:00; the next day in Apia was Saturday the 31st
    assert calendars.business_day_close(apia, thursday, 1) == utc("2012-01-02T03:00:00Z")  # Monday
    assert calendars.add(apia, thursday, 8 * HOUR) == utc("2012-01-01T20:00:00Z")


# Closed and special days


def test_special_windows_win_over_closed_and_weekly_ones() -> None:
    calendar = Calendar.from_spec(
        calendar_spec(
            "BER",
            closed=["2026-12-24", "2026-12-25"],
            special={"2026-12-24": [["09:00", "12:00"]], "2026-12-26": [["10:00", "11:00"]], "2026-12-28": []},
        )
    )
    opened = calendars.open_windows(calendar, utc("2026-12-24T00:00:00Z"), utc("2026-12-29T12:00:00Z"))
    assert [opens.day for opens, _ in opened] == [24, 26, 29]


def test_the_night_before_a_holiday_runs_to_its_end() -> None:
    weekly = {"thu": [["22:00", "06:00"]], "fri": [["22:00", "06:00"]]}
    nights = Calendar.from_spec({"time_zone": "UTC", "weekly": weekly, "closed": ["2026-04-03"]})
    thursday = utc("2026-04-02T12:00:00Z")
    assert calendars.closes_at(nights, thursday) == utc("2026-04-03T06:00:00Z")
    assert calendars.next_open(nights, utc("2026-04-03T06:00:00Z")) == utc("2026-04-09T22:00:00Z")


def test_a_business_day_is_due_at_its_own_close_though_that_is_the_next_morning() -> None:
    assert calendars.business_day_close(NIGHT_DESK, utc("2026-06-12T10:00:00Z"), 1) == utc("2026-06-14T04:00:00Z")


def test_business_days_begin_after_the_local_day() -> None:
    late_in_tokyo = utc("2026-06-11T16:00:00Z")  # already Friday there
    tokyo = Calendar.from_spec(calendar_spec("TYO"))
    assert calendars.business_day_close(tokyo, late_in_tokyo, 1) == utc("2026-06-15T08:00:00Z")
    assert calendars.business_day_close(BER, late_in_tokyo, 1) == utc("2026-06-12T15:00:00Z")


# What cannot be answered


def test_a_calendar_that_never_opens_says_so() -> None:
    at = utc("2026-06-11T08:00:00Z")
    for ask in (
        lambda: calendars.next_open(NEVER, at),
        lambda: calendars.closes_at(NEVER, at),
        lambda: calendars.add(NEVER, at, HOUR),
        lambda: calendars.business_day_close(NEVER, at, 1),
    ):
        with pytest.raises(NeverOpen, match="in the 400 days after 2026-06-11"):
            ask()
    assert not calendars.is_open(NEVER, at)
    assert calendars.between(NEVER, at, at + 24 * HOUR) == timedelta()


def test_a_calendar_whose_openings_are_used_up_says_so_instead_of_searching_for_ever() -> None:
    once = Calendar.from_spec({"time_zone": "UTC", "weekly": {}, "special": {"2026-06-12": [["09:00", "10:00"]]}})
    at = utc("2026-06-11T08:00:00Z")
    assert calendars.add(once, at, HOUR) == utc("2026-06-12T10:00:00Z")
    with pytest.raises(NeverOpen, match="after 2026-06-12"):
        calendars.add(once, at, HOUR + timedelta(seconds=1))
    a_minute_a_week = Calendar.from_spec({"time_zone": "UTC", "weekly": {"mon": [["09:00", "09:01"]]}})
    with pytest.raises(NeverOpen, match="a hundred years"):
        calendars.add(a_minute_a_week, at, 200 * HOUR)


def test_time_does_not_run_backwards() -> None:
    at = utc("2026-06-11T08:00:00Z")
    with pytest.raises(ValueError, match="is before the start"):
        calendars.between(BER, at, at - HOUR)
    with pytest.raises(ValueError, match="cannot be negative"):
        calendars.add(BER, at, -HOUR)
    with pytest.raises(ValueError, match="at least 1"):
        calendars.business_day_close(BER, at, 0)
    with pytest.raises(ValueError, match="has no business days"):
        calendars.business_day_close(ALWAYS, at, 1)


def test_nothing_to_add_is_due_at_once() -> None:
    closed = utc("2026-06-13T08:00:00Z")
    assert calendars.add(BER, closed, timedelta()) == closed


def test_several_durations_in_one_walk_are_the_same_as_one_by_one() -> None:
    start = utc("2026-06-11T08:00:00Z")
    holds = [(utc("2026-06-11T13:00:00Z"), utc("2026-06-15T08:00:00Z"))]
    wanted = [HOUR, 5 * HOUR, 5 * HOUR, 6 * HOUR, 40 * HOUR]
    one_by_one = tuple(calendars.add(BER, start, duration, holds) for duration in wanted)
    assert calendars.add_each(BER, start, wanted, holds) == one_by_one


def test_the_union_of_intervals_is_in_order_without_overlap_or_empty_parts() -> None:
    at = [utc("2026-06-11T00:00:00Z") + hour * HOUR for hour in range(8)]
    given = [(at[5], at[6]), (at[1], at[3]), (at[2], at[4]), (at[4], at[5]), (at[7], at[7]), (at[1], at[2])]
    assert calendars.union(given) == ((at[1], at[6]),)


# As JSON


def test_a_calendar_survives_being_stored() -> None:
    spec = {
        "time_zone": "Europe/Berlin",
        "weekly": {
            "mon": [["09:00", "12:00"], ["13:00", "24:00"]],
            "sat": [["22:00", "06:00"]],
            "sun": [["00:00", "00:00"]],
        },
        "closed": ["2026-04-03", "2026-12-25"],
        "special": {"2026-12-24": [["09:00", "12:00"]], "2026-12-31": []},
        "version": "2026-1",
    }
    calendar = Calendar.from_spec(spec)
    stored = calendar.to_spec()
    assert stored == spec | {"weekly": spec["weekly"] | {"sun": [["00:00", "24:00"]]}}
    assert Calendar.from_spec(stored) == calendar
    assert calendar.closed == {date(2026, 4, 3), date(2026, 12, 25)}
    assert (calendar.time_zone, calendar.version) == ("Europe/Berlin", "2026-1")


def test_the_24x7_calendar_is_a_word() -> None:
    assert Calendar.from_spec("24x7") is ALWAYS
    assert ALWAYS.to_spec() == "24x7"


def test_equal_specs_share_one_calendar() -> None:
    assert Calendar.from_spec(calendar_spec("BER")) is Calendar.from_spec(calendar_spec("BER"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"time_zone": None}, "calendar.time_zone: expected the name of a time zone"),
        ({"time_zone": "Europe/Bielefeld"}, "calendar.time_zone: 'Europe/Bielefeld' is not a known time zone"),
        ({"weekly": None}, "calendar.weekly: expected a mapping from mon … sun"),
        ({"weekly": {"monday": []}}, "calendar.weekly.monday: unknown field"),
        ({"weekly": {"mon": "09:00-17:00"}}, "calendar.weekly.mon: expected a list of windows"),
        ({"weekly": {"mon": ["09:00"]}}, "calendar.weekly.mon[0]: expected a pair of times"),
        ({"weekly": {"mon": [["09:00", "25:00"]]}}, "calendar.weekly.mon[0][1]: '25:00' is not a time of day"),
        ({"weekly": {"mon": [["9:00", "17:00"]]}}, "calendar.weekly.mon[0][0]: '9:00' is not a time of day"),
        ({"weekly": {"mon": [[9, 17]]}}, "calendar.weekly.mon[0][0]: 9 is not a time of day"),
        ({"weekly": {"mon": [["24:00", "06:00"]]}}, "calendar.weekly.mon[0][0]: a window cannot begin at 24:00"),
        ({"closed": "2026-04-03"}, "calendar.closed: expected a list of dates"),
        ({"closed": ["2026-02-29"]}, "calendar.closed[0]: '2026-02-29' is not a date"),
        ({"closed": ["20260403"]}, "calendar.closed[0]: '20260403' is not a date"),
        ({"closed": [20260403]}, "calendar.closed[0]: 20260403 is not a date"),
        ({"special": []}, "calendar.special: expected a mapping from dates"),
        ({"special": {"Christmas": []}}, "calendar.special.Christmas: 'Christmas' is not a date"),
        ({"special": {"2026-12-24": [["09:00"]]}}, "calendar.special.2026-12-24[0]: expected a pair of times"),
        ({"version": 3}, "calendar.version: expected text"),
        ({"holidays": []}, "calendar.holidays: unknown field"),
        ({"closed": [date(2026, 4, 3)]}, "calendar: not plain JSON"),
    ],
)
def test_a_bad_calendar_names_the_field(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError) as refused:
        Calendar.from_spec(calendar_spec("BER") | change)
    assert str(refused.value).startswith(message)


@pytest.mark.parametrize("spec", [None, "always", 24, ["24x7"]])
def test_something_else_is_no_calendar(spec: Any) -> None:
    with pytest.raises(ValueError, match='calendar: expected "24x7" or a mapping'):
        Calendar.from_spec(spec)

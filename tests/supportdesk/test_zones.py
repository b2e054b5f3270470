"""Wall clocks that jump: every reading has a first and a last instant, even one that never was (D9)."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from supportdesk.zones import check_zone, day_start, first_instant, last_instant, local

AWKWARD = (
    "Africa/Cairo",
    "Africa/Monrovia",
    "America/Havana",
    "America/New_York",
    "America/Santiago",
    "America/St_Johns",
    "Antarctica/Troll",
    "Asia/Manila",
    "Asia/Tokyo",
    "Australia/Lord_Howe",
    "Europe/Amsterdam",
    "Europe/Berlin",
    "Europe/Dublin",
    "Pacific/Apia",
    "Pacific/Chatham",
    "Pacific/Kwajalein",
)


def wall(text: str) -> datetime:
    return datetime.fromisoformat(text)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("zone", "reading", "instant"),
    [
        ("Europe/Berlin", "2026-06-11 09:00", "2026-06-11 07:00"),
        ("Asia/Tokyo", "2026-06-11 09:00", "2026-06-11 00:00"),
        ("America/St_Johns", "2026-01-15 09:00", "2026-01-15 12:30"),
        ("Pacific/Chatham", "2026-01-15 09:00", "2026-01-14 19:15"),
        ("UTC", "2026-01-15 09:00:00.25", "2026-01-15 09:00:00.25"),
    ],
)
def test_an_ordinary_reading_is_one_instant(zone: str, reading: str, instant: str) -> None:
    assert first_instant(wall(reading), zone) == last_instant(wall(reading), zone) == utc(instant)


@pytest.mark.parametrize(
    ("zone", "reading", "end_of_gap"),
    [
        ("Europe/Berlin", "2026-03-29 02:00", "2026-03-29 01:00"),
        ("Europe/Berlin", "2026-03-29 02:30", "2026-03-29 01:00"),
        ("Europe/Berlin", "2026-03-29 02:59:59.999999", "2026-03-29 01:00"),
        ("America/New_York", "2026-03-08 02:30", "2026-03-08 07:00"),
        ("America/St_Johns", "2026-03-08 02:30", "2026-03-08 05:30"),
        ("Australia/Lord_Howe", "2026-10-04 02:15", "2026-10-03 15:30"),
        ("Pacific/Chatham", "2026-09-27 03:00", "2026-09-26 14:00"),
        ("Africa/Cairo", "2026-04-24 00:00", "2026-04-23 22:00"),
        ("America/Santiago", "2026-09-06 00:30", "2026-09-06 04:00"),
        ("Pacific/Apia", "2011-12-30 00:00", "2011-12-30 10:00"),
        ("Pacific/Apia", "2011-12-30 23:59:59", "2011-12-30 10:00"),
        ("Africa/Monrovia", "1972-01-07 00:30", "1972-01-07 00:44:30"),
        ("Europe/Berlin", "1893-04-01 00:03", "1893-03-31 23:06:32"),
    ],
)
def test_a_reading_that_never_was_is_the_first_instant_after_the_gap(zone: str, reading: str, end_of_gap: str) -> None:
    assert first_instant(wall(reading), zone) == utc(end_of_gap)
    assert last_instant(wall(reading), zone) == utc(end_of_gap)


@pytest.mark.parametrize(
    ("zone", "reading", "first", "last"),
    [
        ("Europe/Berlin", "2026-10-25 02:00", "2026-10-25 00:00", "2026-10-25 01:00"),
        ("Europe/Berlin", "2026-10-25 02:30", "2026-10-25 00:30", "2026-10-25 01:30"),
        ("America/New_York", "2026-11-01 01:30", "2026-11-01 05:30", "2026-11-01 06:30"),
        ("America/St_Johns", "2026-11-01 01:30", "2026-11-01 04:00", "2026-11-01 05:00"),
        ("Australia/Lord_Howe", "2026-04-05 01:45", "2026-04-04 14:45", "2026-04-04 15:15"),
        ("Pacific/Chatham", "2026-04-05 03:00", "2026-04-04 13:15", "2026-04-04 14:15"),
        ("Africa/Cairo", "2026-10-29 23:30", "2026-10-29 20:30", "2026-10-29 21:30"),
        ("America/Santiago", "2026-04-04 23:30", "2026-04-05 02:30", "2026-04-05 03:30"),
        ("Pacific/Kwajalein", "1969-09-30 12:00", "1969-09-30 01:00", "1969-10-01 00:00"),
    ],
)
def test_a_reading_that_happens_twice_has_a_first_and_a_last_instant(
    zone: str, reading: str, first: str, last: str
) -> None:
    assert first_instant(wall(reading), zone) == utc(first)
    assert last_instant(wall(reading), zone) == utc(last)


def test_the_edges_of_a_fold_happen_once() -> None:
    before, after = wall("2026-10-25 01:59:59"), wall("2026-10-25 03:00")
    assert first_instant(before, "Europe/Berlin") == last_instant(before, "Europe/Berlin")
    assert first_instant(after, "Europe/Berlin") == last_instant(after, "Europe/Berlin") == utc("2026-10-25 02:00")


def test_the_fold_flag_of_a_reading_is_no_part_of_it() -> None:
    reading = wall("2026-10-25 02:30")
    assert first_instant(reading.replace(fold=1), "Europe/Berlin") == first_instant(reading, "Europe/Berlin")
    assert last_instant(reading.replace(fold=1), "Europe/Berlin").fold == 0


def test_a_day_begins_at_midnight_or_right_after_the_gap() -> None:
    assert day_start(date(2026, 12, 31), "Australia/Sydney") == utc("2026-12-30 13:00")
    assert day_start(date(2026, 4, 24), "Africa/Cairo") == utc("2026-04-23 22:00")
    assert day_start(date(2011, 12, 30), "Pacific/Apia") == day_start(date(2011, 12, 31), "Pacific/Apia")


def test_s16_a_contract_that_ends_with_the_year_ends_at_the_customers_midnight() -> None:
    day_after = date(2027, 1, 1)
    assert day_start(day_after, "Australia/Sydney") == utc("2026-12-31 13:00")
    assert day_start(day_after, "America/New_York") == utc("2027-01-01 05:00")


def test_the_wall_clock_at_an_instant() -> None:
    assert local(utc("2026-03-29 01:05"), "Europe/Berlin") == wall("2026-03-29 03:05")
    in_the_fold = local(utc("2026-11-01 06:08"), "America/New_York")
    assert (in_the_fold, in_the_fold.fold, in_the_fold.tzinfo) == (wall("2026-11-01 01:08"), 0, None)
    assert local(datetime(2026, 6, 11, 9, tzinfo=timezone(timedelta(hours=2))), "UTC") == wall("2026-06-11 07:00")


def test_a_reading_with_a_zone_and_an_instant_without_are_refused() -> None:
    with pytest.raises(ValueError, match="carries a time zone"):
        first_instant(utc("2026-06-11 09:00"), "Europe/Berlin")
    with pytest.raises(ValueError, match="carries a time zone"):
        last_instant(utc("2026-06-11 09:00"), "Europe/Berlin")
    with pytest.raises(ValueError, match="not an instant"):
        local(wall("2026-06-11 09:00"), "Europe/Berlin")


@pytest.mark.parametrize("name", ["Europe/Bielefeld", "", "europe/berlin", "../etc/passwd", "Europe", "localtime"])
def test_an_unknown_zone_is_refused_by_name(name: str) -> None:
    with pytest.raises(ValueError, match="is not a known time zone"):
        check_zone(name)
    with pytest.raises(ValueError, match="is not a known time zone"):
        first_instant(wall("2026-06-11 09:00"), name)


@pytest.mark.parametrize("zone", AWKWARD)
def test_a_known_zone_is_returned(zone: str) -> None:
    assert check_zone(zone) == zone


any_instant = st.datetimes(datetime(1880, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC))


@settings(max_examples=300, deadline=None)
@given(instant=any_instant, zone=st.sampled_from(AWKWARD))
def test_every_instant_is_the_first_or_the_last_of_what_the_clock_then_shows(instant: datetime, zone: str) -> None:
    reading = local(instant, zone)
    assert instant in (first_instant(reading, zone), last_instant(reading, zone))


@settings(max_examples=300, deadline=None)
@given(reading=st.datetimes(datetime(1880, 1, 1), datetime(2040, 1, 1)), zone=st.sampled_from(AWKWARD))
def test_readings_keep_their_order_and_a_gap_ends_where_the_clock_jumps(reading: datetime, zone: str) -> None:
    first, last = first_instant(reading, zone), last_instant(reading, zone)
    assert first <= last
    if local(first, zone) == reading:
        assert local(last, zone) == reading
    else:
        assert first == last
        assert local(first - timedelta(seconds=1), zone) < reading < local(first, zone)


def test_every_change_of_offset_in_the_awkward_zones() -> None:
    """Around every change since 1970: readings inside the jump, found by scanning the hours with plain zoneinfo."""
    for zone in AWKWARD:
        info, hour = ZoneInfo(zone), timedelta(hours=1)
        at = utc("1970-01-01 00:00")
        while at.year < 2030:
            following = at + timedelta(days=2)
            if at.astimezone(info).utcoffset() != following.astimezone(info).utcoffset():
                while at < following:
                    assert at in (first_instant(local(at, zone), zone), last_instant(local(at, zone), zone))
                    at += hour
            at = following

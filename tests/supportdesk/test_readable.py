"""Times as people read them: truncated, with their zone, and never ambiguous on a DST night."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from supportdesk import readable

NOW = datetime(2026, 11, 23, 2, 14, tzinfo=UTC)
BERLIN = "Europe/Berlin"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 s"),
        (59.9, "59 s"),
        (60, "1 min"),
        (18 * 60 + 59, "18 min"),
        (3600, "1 h"),
        (5220, "1 h 27 min"),
        (86_400, "1 d"),
        (2 * 86_400 + 4 * 3600 + 59, "2 d 4 h"),
        (14 * 86_400, "14 d"),
        (-90, "1 min"),
    ],
)
def test_a_length_is_truncated_never_rounded(seconds: float, words: str) -> None:
    assert readable.duration(seconds) == words


def test_the_last_ten_minutes_count_seconds() -> None:
    assert readable.duration(365, precise=True) == "6 min 05 s"
    assert readable.duration(600, precise=True) == "10 min"


def test_the_past_and_the_future() -> None:
    assert readable.ago(NOW - timedelta(minutes=12, seconds=50), NOW) == "12 min ago"
    assert readable.ago(NOW - timedelta(seconds=59), NOW) == "just now"
    assert readable.ago(NOW + timedelta(hours=2, minutes=5), NOW) == "in 2 h 5 min"


def test_what_is_left() -> None:
    assert readable.remaining(NOW + timedelta(minutes=3, seconds=24), NOW) == "3 min 24 s left"
    assert readable.remaining(NOW + timedelta(minutes=3, seconds=24), NOW, as_time=True) == "in 3 min 24 s"
    assert readable.remaining(NOW, NOW) == "due now"
    assert readable.remaining(NOW - timedelta(minutes=2), NOW) == "2 min overdue"


def test_a_time_names_its_zone_and_another_day() -> None:
    assert readable.clock_time(NOW, BERLIN, NOW) == "03:14 CET"
    assert readable.clock_time(NOW - timedelta(hours=4), BERLIN, NOW) == "Sun 22 Nov, 23:14 CET"
    assert readable.clock_time(NOW - timedelta(days=365), BERLIN, NOW) == "Sun 23 Nov 2025, 03:14 CET"
    assert readable.clock_time(NOW, "Europe/Istanbul", NOW) == "05:14 UTC+3"
    assert readable.clock_time(NOW, "Asia/Kathmandu", NOW) == "07:59 UTC+5:45"
    assert readable.clock_time(NOW, "America/Sao_Paulo", NOW - timedelta(hours=3)) == "23:14 UTC−3"


def test_the_hour_that_comes_twice_reads_differently() -> None:
    first = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert readable.clock_time(first, BERLIN) == "02:30 CEST"
    assert readable.clock_time(first + timedelta(hours=1), BERLIN) == "02:30 CET"


def test_a_span_names_what_differs() -> None:
    nine = datetime(2026, 11, 23, 8, tzinfo=UTC)
    assert readable.clock_span(nine, nine + timedelta(hours=9), BERLIN, NOW) == "09:00–18:00 CET"
    assert readable.clock_span(nine, nine + timedelta(hours=24), BERLIN) == "Mon 23 Nov, 09:00 – Tue 24 Nov, 09:00 CET"
    spring = datetime(2026, 3, 29, 0, tzinfo=UTC)
    assert readable.clock_span(spring, spring + timedelta(hours=2), BERLIN) == "01:00 CET – 04:00 CEST"
    assert readable.clock_hours(nine, nine + timedelta(hours=9, minutes=30), BERLIN) == "09–18:30"


def test_utc_is_what_evidence_shows() -> None:
    assert readable.utc_time(NOW.astimezone(UTC)) == "2026-11-23 02:14:00 UTC"


@pytest.mark.parametrize(
    ("name", "letters"),
    [("Bob Novak", "BN"), ("bob", "BO"), ("Sr. Aoife van der Byrne", "SB"), ("", "?"), ("(..)", "?")],
)
def test_initials(name: str, letters: str) -> None:
    assert readable.initials(name) == letters


@settings(max_examples=60)
@given(st.datetimes(min_value=datetime(2020, 1, 1), max_value=datetime(2035, 1, 1)), st.integers(-(10**7), 10**7))
def test_two_instants_of_one_day_never_read_the_same_minute_apart(naive: datetime, seconds: int) -> None:
    at = naive.replace(tzinfo=UTC)
    other = at + timedelta(seconds=seconds)
    same = readable.clock_time(at, BERLIN, NOW) == readable.clock_time(other, BERLIN, NOW)
    assert not same or abs(seconds) < 60


@settings(max_examples=60)
@given(st.integers(0, 10**8))
def test_a_longer_time_never_reads_as_overdue(seconds: int) -> None:
    words = readable.remaining(NOW + timedelta(seconds=seconds), NOW)
    assert words == "due now" if seconds == 0 else words.endswith("left")

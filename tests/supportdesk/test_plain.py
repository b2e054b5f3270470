"""Plain JSON values in and out: to the second, and with errors that name the field."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supportdesk.plain import read_instant, read_seconds, to_second, write_instant, write_seconds

BERLIN_SUMMER = timezone(timedelta(hours=2))


@pytest.mark.parametrize(
    "text",
    [
        "2026-06-11T08:00:00Z",
        "2026-06-11T08:00:00.999999Z",
        "2026-06-11T10:00:00+02:00",
        "2026-06-11 03:30:00.5-04:30",
    ],
)
def test_instants_are_read_in_any_offset_and_cut_to_the_second(text: str) -> None:
    assert read_instant(text, "start") == datetime(2026, 6, 11, 8, tzinfo=UTC)


@pytest.mark.parametrize("value", [None, 5, "", "tomorrow", "2026-06-11T08:00:00", "2026-02-29T08:00:00Z"])
def test_what_is_no_instant_is_refused_by_name(value: object) -> None:
    with pytest.raises(ValueError, match=r"^holds\[0\]: "):
        read_instant(value, "holds[0]")


def test_a_naive_datetime_is_no_instant() -> None:
    with pytest.raises(ValueError, match="has no time zone"):
        to_second(datetime(2026, 6, 11, 8))


def test_instants_are_written_in_utc() -> None:
    assert write_instant(datetime(2026, 6, 11, 10, 0, 0, 999_999, BERLIN_SUMMER)) == "2026-06-11T08:00:00Z"


@given(instant=st.datetimes(timezones=st.just(UTC)), seconds=st.integers(1, 10**9))
def test_what_was_written_is_read_back(instant: datetime, seconds: int) -> None:
    assert read_instant(write_instant(instant), "at") == to_second(instant)
    assert write_seconds(read_seconds(seconds, "target")) == seconds

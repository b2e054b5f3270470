"""What is measured and how (M-01 … M-04)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incidents.sla import State
from reports.metrics import (
    Attainment,
    CycleResult,
    Milestones,
    attainment,
    durations,
    month,
    month_of,
    percentile,
    summary,
)
from supportdesk.calendars import Calendar
from tests.vectors import calendar_spec


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text if "T" in text else f"2026-06-11T{text}Z")


def minutes(text: str) -> timedelta:
    parts = [int(part) for part in text.split(":")]
    return timedelta(hours=parts[-3] if len(parts) == 3 else 0, minutes=parts[-2], seconds=parts[-1])


def test_m01_how_long_things_took() -> None:
    took = durations(
        Milestones(
            impact_started_at=utc("09:52:00"),
            detected_at=utc("09:58:30"),
            received_at=utc("09:58:30"),
            acknowledged_at=utc("10:00:10"),
            first_response_at=utc("10:04:30"),
            mitigated_at=utc("10:41:00"),
            resolved_at=utc("11:20:00"),
        )
    )
    assert took.to_detect == minutes("6:30")
    assert took.to_acknowledge == minutes("1:40")
    assert took.to_first_response == minutes("6:00")
    assert took.to_mitigate == minutes("42:30")
    assert took.to_resolve == minutes("1:21:30")
    assert took.impact == minutes("49:00")


def test_m02_a_due_belongs_to_the_month_of_the_organization() -> None:
    due = utc("2026-06-30T22:05:00Z")
    assert month_of(due, "Europe/Berlin") == (2026, 7)
    assert month_of(due, "America/New_York") == (2026, 6)
    for zone, june, july in (("Europe/Berlin", 0, 1), ("America/New_York", 1, 0)):
        result = [CycleResult(due, State.MET)]
        assert attainment(result, month(2026, 6, zone)).met == june
        assert attainment(result, month(2026, 7, zone)).met == july


def test_m03_mean_median_and_p90() -> None:
    acks = summary([900, 35, 50, 62, 75, 90, 110, 140, 180, 240])
    assert acks is not None
    assert (acks.count, acks.mean, acks.median, acks.p90) == (10, 188.2, 100, 240)


def test_m04_attainment() -> None:
    due = utc("2026-06-11T12:00:00Z")
    results = [CycleResult(due, State.MET)] * 47 + [CycleResult(due, State.MISSED)] * 3
    found = attainment(results, month(2026, 6, "Europe/Berlin"))
    assert (found.met, found.missed, found.total, found.percent) == (47, 3, 50, 94.0)


def test_only_cycles_with_a_result_that_count_are_in_attainment() -> None:
    june = month(2026, 6, "UTC")
    due = utc("2026-06-11T12:00:00Z")
    left_out = [
        CycleResult(due, State.CANCELLED),
        CycleResult(due, State.RUNNING),
        CycleResult(None, State.PAUSED),
        CycleResult(due, State.MISSED, counts=False),
        CycleResult(due, State.MET, counts=False),
        CycleResult(utc("2026-07-01T00:00:00Z"), State.MISSED),
        CycleResult(utc("2026-05-31T23:59:59Z"), State.MISSED),
    ]
    assert attainment(left_out, june) == Attainment(0, 0)
    assert attainment([*left_out, CycleResult(june[0], "missed", is_excused=True)], june) == Attainment(0, 1, 1)


def test_an_excused_miss_is_shown_beside_the_raw_value() -> None:
    found = Attainment(met=18, missed=2, excused=1)
    assert (found.percent, found.percent_with_excuses) == (90.0, 94.7)


def test_a_handful_of_cycles_makes_no_percentage() -> None:
    assert Attainment(met=4, missed=0).percent is None
    assert Attainment(met=4, missed=1).percent == 80.0
    assert Attainment(met=4, missed=1, excused=1).percent_with_excuses is None


def test_only_a_flawless_record_reads_one_hundred() -> None:
    assert Attainment(met=99_999, missed=1).percent == 99.9
    assert Attainment(met=100_000, missed=0).percent == 100.0


def test_first_response_in_the_hours_of_its_clock() -> None:
    took = durations(
        Milestones(
            detected_at=utc("2026-06-12T14:00:00Z"),
            received_at=utc("2026-06-12T14:00:00Z"),
            first_response_at=utc("2026-06-15T07:30:00Z"),
        ),
        Calendar.from_spec(calendar_spec("BER")),
    )
    assert took.to_first_response == minutes("1:30:00")


def test_the_time_an_incident_was_resolved_and_reopened_is_left_out() -> None:
    took = durations(
        Milestones(
            detected_at=utc("08:00:00"),
            received_at=utc("08:00:00"),
            resolved_at=utc("20:00:00"),
            reopened=((utc("10:30:00"), utc("19:00:00")),),
        )
    )
    assert took.to_resolve == minutes("3:30:00")


def test_what_has_not_happened_took_no_time_yet() -> None:
    took = durations(Milestones(detected_at=utc("08:00:00"), received_at=utc("08:00:00")))
    assert set(vars_of(took)) == {None}


def vars_of(took) -> list[timedelta | None]:
    return [getattr(took, name) for name in took.__slots__]


def test_a_month_as_it_begins_and_ends_where_the_customer_is() -> None:
    assert month(2026, 3, "Europe/Berlin") == (utc("2026-02-28T23:00:00Z"), utc("2026-03-31T22:00:00Z"))
    assert month(2026, 12, "Australia/Sydney") == (utc("2026-11-30T13:00:00Z"), utc("2026-12-31T13:00:00Z"))


def test_percentiles_by_nearest_rank() -> None:
    assert [percentile([15, 20, 35, 40, 50], p) for p in (1, 30, 40, 50, 100)] == [15, 20, 20, 35, 50]
    assert summary([]) is None
    assert summary([7]).median == 7
    for values, percent in (([], 90), ([1], 0), ([1], 101)):
        with pytest.raises(ValueError, match="a percentile needs values"):
            percentile(values, percent)


@given(values=st.lists(st.integers(0, 1000), min_size=1), percent=st.integers(1, 100))
def test_a_percentile_is_the_smallest_value_that_enough_of_all_do_not_exceed(values, percent) -> None:
    found = percentile(sorted(values), percent)
    assert sum(value <= found for value in values) * 100 >= percent * len(values)
    assert sum(value < found for value in values) * 100 < percent * len(values)


@given(instant=st.datetimes(datetime(2000, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC)))
def test_every_instant_is_in_its_month(instant) -> None:
    for zone in ("Europe/Berlin", "Pacific/Apia", "America/Santiago"):
        begins, ends = month(*month_of(instant, zone), zone)
        assert begins <= instant < ends

"""Quiet hours: when a page that is not urgent waits, on nights the clocks change too (ESC-15)."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from supportdesk import zones
from supportdesk.accounts.quiet import LONGEST, QuietHours, check, kept_until
from supportdesk.audit.models import AuditEntry

MINUTE = timedelta(minutes=1)
ZONES = ("Europe/Berlin", "America/New_York", "Asia/Tokyo", "Australia/Lord_Howe", "Africa/Cairo", "Pacific/Chatham")


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def night(start: str = "22:00", end: str = "07:00", zone: str = "Europe/Berlin") -> QuietHours:
    return QuietHours(time.fromisoformat(start), time.fromisoformat(end), zone)


@pytest.mark.parametrize(
    ("at", "ends"),
    [
        ("2026-11-29 20:59:59", None),  # 21:59:59 in Berlin
        ("2026-11-29 21:00", "2026-11-30 06:00"),
        ("2026-11-30 02:00", "2026-11-30 06:00"),
        ("2026-11-30 05:59:59", "2026-11-30 06:00"),
        ("2026-11-30 06:00", None),  # half-open: at the end they are up
        ("2026-11-30 12:00", None),
    ],
)
def test_a_night_begins_in_the_evening_and_ends_in_the_morning(at: str, ends: str | None) -> None:
    assert night().end_of(utc(at)) == (utc(ends) if ends else None)


def test_quiet_hours_within_one_day() -> None:
    nap = night("13:00", "14:30")
    assert nap.end_of(utc("2026-11-30 12:15")) == utc("2026-11-30 13:30")
    assert nap.end_of(utc("2026-11-30 11:59")) is None
    assert nap.end_of(utc("2026-11-30 13:30")) is None


def test_the_short_night_of_spring_and_the_long_one_of_autumn() -> None:
    """D9: 22:00 to 07:00 in Berlin lasts eight hours in March and ten in October."""
    for evening, morning in (
        ("2026-03-28 21:00", "2026-03-29 05:00"),
        ("2026-10-24 20:00", "2026-10-25 06:00"),
    ):
        assert night().end_of(utc(evening)) == utc(morning)
        assert night().end_of(utc(evening) - MINUTE) is None
        assert night().end_of(utc(morning)) is None


def test_an_end_the_clock_jumps_over_is_the_end_of_the_gap() -> None:
    assert night("22:00", "02:30").end_of(utc("2026-03-28 23:00")) == utc("2026-03-29 01:00")


def test_an_end_that_comes_twice_is_the_second_and_a_beginning_the_first() -> None:
    assert night("22:00", "02:30").end_of(utc("2026-10-25 00:00")) == utc("2026-10-25 01:30")
    assert night("02:30", "09:00").end_of(utc("2026-10-25 00:30")) == utc("2026-10-25 08:00")
    assert night("02:30", "09:00").end_of(utc("2026-10-25 00:29")) is None


def test_a_period_that_lies_in_the_gap_altogether_never_comes() -> None:
    nap = night("02:10", "02:50")
    assert all(nap.end_of(utc("2026-03-29 00:00") + n * MINUTE) is None for n in range(180))


@pytest.mark.parametrize(
    ("severity", "around_the_clock", "waits"),
    [("P1", True, False), ("P1", False, False), ("P2", True, False), ("P2", False, True)]
    + [(severity, always, True) for severity in ("P3", "P4") for always in (True, False)],
)
def test_esc_15_which_pages_wait(severity: str, around_the_clock: bool, waits: bool) -> None:
    at = utc("2026-11-30 02:00")
    until = kept_until(night(), at, severity=severity, around_the_clock=around_the_clock)
    assert until == (utc("2026-11-30 06:00") if waits else None)
    assert kept_until(None, at, severity=severity, around_the_clock=around_the_clock) is None


@pytest.mark.parametrize(
    ("start", "end", "says"),
    [
        ("22:00", None, "both times"),
        (None, "07:00", "both times"),
        ("22:00", "22:00", "different times"),
        ("07:00", "23:01", "up to 16 hours"),
        ("22:00", "14:01", "up to 16 hours"),
    ],
)
def test_what_are_no_quiet_hours(start: str | None, end: str | None, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        check(time.fromisoformat(start) if start else None, time.fromisoformat(end) if end else None)


def test_what_are() -> None:
    check(None, None)
    check(time(22), time(7))
    check(time(22), time(14))
    assert night("22:00", "22:00").end_of(utc("2026-11-30 02:00")) is None


minutes_of_day = st.integers(0, 1439).map(lambda minute: time(minute // 60, minute % 60))


@settings(max_examples=120, deadline=None)
@given(
    start=minutes_of_day,
    length=st.integers(1, int(LONGEST / MINUTE)),
    zone=st.sampled_from(ZONES),
    at=st.datetimes(datetime(2025, 1, 1), datetime(2028, 1, 1), timezones=st.just(UTC)),
)
@example(start=time(2, 30), length=60, zone="Europe/Berlin", at=utc("2026-10-25 01:15"))
@example(start=time(2, 30), length=60, zone="Europe/Berlin", at=utc("2026-03-29 01:15"))
@example(start=time(23), length=90, zone="Africa/Cairo", at=utc("2026-04-23 21:59"))
def test_quiet_is_what_the_clock_on_the_wall_says(start: time, length: int, zone: str, at: datetime) -> None:
    """Whoever reads a time within their quiet hours is let be; outside them only while a clock shows an hour twice."""
    minute = (start.hour * 60 + start.minute + length) % 1440
    hours = QuietHours(start, time(minute // 60, minute % 60), zone)
    reading = zones.local(at, zone)
    since = (reading.hour * 60 + reading.minute - start.hour * 60 - start.minute) % 1440
    ends = hours.end_of(at)
    if since < length:
        begun = reading.replace(second=0, microsecond=0) - since * MINUTE
        assert ends is not None or zones.first_instant(begun, zone) >= at  # a beginning the clock jumped over
    elif ends is not None:
        day = timedelta(days=1)
        assert zones.local(at + day, zone) - reading != day or zones.local(at - day, zone) - reading != -day
    if ends is not None:
        assert at < ends <= at + LONGEST + timedelta(hours=2)
        assert hours.end_of(ends) is None or hours.end_of(ends) != ends
        assert hours.end_of(ends - timedelta.resolution) == ends


class TestSettingThem:
    """On the page of one's own settings, in plain words."""

    def test_frank_sets_them_and_reads_what_they_mean(self, world: Any, frank: Any) -> None:
        assert "You have none" in frank.reads("/accounts/settings/")
        frank.post("/accounts/settings/quiet-hours/", {"quiet_from": "22:00", "quiet_until": "07:00"})
        words = frank.reads("/accounts/settings/")
        assert "From 22:00 until 07:00 by the clock in America/New_York, pages for P3 and P4 wait" in words
        assert "A P1 rings you at any hour" in words
        frank.user.refresh_from_db()
        assert frank.user.quiet_hours == night(zone="America/New_York")
        assert AuditEntry.objects.get(verb="set_quiet_hours").after == "22:00 to 07:00"

    def test_and_takes_them_away(self, world: Any, frank: Any) -> None:
        frank.post("/accounts/settings/quiet-hours/", {"quiet_from": "22:00", "quiet_until": "07:00"})
        frank.post("/accounts/settings/quiet-hours/", {"quiet_from": "", "quiet_until": ""})
        frank.user.refresh_from_db()
        assert frank.user.quiet_hours is None

    @pytest.mark.parametrize(
        ("said", "says"),
        [
            ({"quiet_from": "22:00", "quiet_until": ""}, "both times"),
            ({"quiet_from": "06:00", "quiet_until": "23:00"}, "16 hours"),
            ({"quiet_from": "late", "quiet_until": "07:00"}, "22:00"),
        ],
    )
    def test_what_is_wrong_is_said_and_nothing_is_kept(self, world: Any, frank: Any, said: Any, says: str) -> None:
        assert says in frank.is_refused("/accounts/settings/quiet-hours/", said)
        frank.user.refresh_from_db()
        assert frank.user.quiet_hours is None

    def test_customers_have_none(self, world: Any, alice: Any) -> None:
        assert "Quiet hours" not in alice.reads("/accounts/settings/")
        said = {"quiet_from": "22:00", "quiet_until": "07:00"}
        assert alice.client.post("/accounts/settings/quiet-hours/", said).status_code == 404

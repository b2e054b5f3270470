"""MON-1 … MON-10 as values: what joins, what flaps, what ends by itself."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from datetime import date as day

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from incidents.monitoring import beats, rules, windows
from incidents.monitoring.beats import Rhythm
from incidents.monitoring.rules import Candidate, Condition, Ending, Recovery, Seen
from incidents.monitoring.windows import Repeats, Window

TEN = datetime(2026, 6, 15, 10, 0, tzinfo=UTC)


def at(clock: str) -> datetime:
    hour, minute = clock.split(":")
    return TEN.replace(hour=int(hour), minute=int(minute))


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


# --- MON-1, MON-2, MON-4 ---------------------------------------------------------------------------------------------


def test_mon_1_without_a_key_of_its_own_a_signal_is_named_by_where_it_was_seen():
    where = {"source": "7", "service": "checkout", "component": "web1", "check": "http"}
    assert rules.dedup_key("given", **where) == "given"
    hashed = rules.dedup_key("", **where)
    assert hashed == rules.dedup_key("", **where)
    assert len({hashed, *(rules.dedup_key("", **(where | {name: "other"})) for name in where)}) == 5


def test_mon_2_within_fifteen_minutes_it_is_the_same_alert():
    assert rules.reopens(at("10:00"), at("10:15"))
    assert not rules.reopens(at("10:00"), at("10:16"))
    assert not rules.reopens(None, at("10:00"))


def test_mon_4_older_is_late_and_the_same_instant_is_not():
    assert rules.is_late(at("09:59"), at("10:00"))
    assert not rules.is_late(at("10:00"), at("10:00"))
    assert not rules.is_late(at("09:59"), None)


# --- MON-3 -----------------------------------------------------------------------------------------------------------


def candidate(**changes) -> Candidate:
    given = {"incident_id": 1, "received_at": at("10:00"), "same_service": True, "last_alert_at": at("10:00")}
    return Candidate(**(given | changes))


@pytest.mark.parametrize(
    ("changes", "now", "joins"),
    [
        ({}, "10:05", True),
        ({}, "10:06", False),
        ({"last_alert_at": at("10:58")}, "11:00", True),
        ({"same_service": False}, "10:01", False),
        ({"same_service": False, "group_at": at("10:00")}, "10:30", True),
        ({"same_service": False, "group_at": at("10:00")}, "10:31", False),
        ({"last_alert_at": at("11:59"), "group_at": at("11:59")}, "12:00", False),
    ],
)
def test_mon_3_who_may_join(changes, now, joins):
    assert rules.may_join(candidate(**changes), at(now)) is joins


def test_mon_3_the_newest_incident_takes_it():
    older, newer = candidate(), candidate(incident_id=2, received_at=at("10:02"))
    assert rules.best_to_join([older, newer], at("10:03")) == newer
    assert rules.best_to_join([], at("10:03")) is None


# --- MON-5 -----------------------------------------------------------------------------------------------------------


def test_i_01_four_changes_in_half_an_hour_are_flapping_until_half_an_hour_of_calm():
    changes = [at(clock) for clock in ("10:00", "10:04", "10:09")]
    assert not rules.is_flapping(changes, at("10:09"))
    changes.append(at("10:15"))
    assert rules.is_flapping(changes, at("10:15"))
    assert rules.calm_at(changes) == at("10:45")


def test_mon_5_changes_further_apart_are_no_flapping():
    changes = [at(clock) for clock in ("10:00", "10:11", "10:22", "10:33")]
    assert not rules.is_flapping(changes, at("10:33"))


# --- MON-6 -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, Ending.RESOLVE),
        ({"was_acknowledged": True}, Ending.PROPOSE),
        ({"severity": "P1"}, Ending.PROPOSE),
        ({"is_monitor_only": False}, Ending.PROPOSE),
        ({"ok_since": at("10:01")}, Ending.NOTHING),
        ({"ok_since": None}, Ending.NOTHING),
    ],
)
def test_mon_6_how_an_incident_ends_when_all_is_well_again(changes, expected):
    known = {"is_monitor_only": True, "was_acknowledged": False, "severity": "P2", "ok_since": at("10:00")}
    assert rules.ending(Recovery(**(known | changes)), at("10:10")) is expected


# --- MON-7 -----------------------------------------------------------------------------------------------------------

NIGHT = Window("Europe/Berlin", day(2026, 1, 4), time(1), time(5), repeats=Repeats.WEEKLY)


@pytest.mark.parametrize(
    ("sunday", "start", "end", "hours"),
    [
        ("2026-03-29", "2026-03-29T00:00", "2026-03-29T03:00", 3),
        ("2026-10-25", "2026-10-24T23:00", "2026-10-25T04:00", 5),
        ("2026-06-14", "2026-06-13T23:00", "2026-06-14T03:00", 4),
    ],
)
def test_i_03_a_night_window_is_as_long_as_the_night(sunday, start, end, hours):
    found = NIGHT.occurrence(day.fromisoformat(sunday))
    assert (found.start, found.end) == (utc(start), utc(end))
    assert found.end - found.start == timedelta(hours=hours)


def test_mon_7_a_window_is_open_up_to_its_end():
    assert windows.quiet_until([NIGHT], utc("2026-03-29T02:59")) == utc("2026-03-29T03:00")
    assert windows.quiet_until([NIGHT], utc("2026-03-29T03:00")) is None
    assert windows.upcoming(NIGHT, utc("2026-03-29T03:00")).start == utc("2026-04-04T23:00")


def test_mon_7_of_two_windows_the_later_end_counts():
    once = Window("UTC", day(2026, 3, 29), time(2), time(9))
    assert windows.quiet_until([NIGHT, once], utc("2026-03-29T02:30")) == utc("2026-03-29T09:00")


def test_mon_7_windows_over_midnight_and_over_days():
    late = Window("UTC", day(2026, 6, 15), time(22), time(4))
    assert late.occurrence(day(2026, 6, 15)).end == utc("2026-06-16T04:00")
    long = Window("UTC", day(2026, 6, 15), time(8), time(18), more_days=2)
    assert windows.open_at(long, utc("2026-06-17T17:59")) is not None
    assert windows.open_at(long, utc("2026-06-17T18:00")) is None


def test_mon_7_months_without_the_day_have_no_window():
    window = Window("UTC", day(2026, 1, 31), time(1), time(2), repeats=Repeats.MONTHLY)
    found = [one.start.date() for one in windows.occurrences(window, utc("2026-01-01"), utc("2026-06-01"))]
    assert found == [day(2026, 1, 31), day(2026, 3, 31), day(2026, 5, 31)]


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "UTC"]),
    st.sampled_from(list(Repeats)),
    st.times(),
    st.times(),
    st.integers(0, 2),
    st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 31), timezones=st.just(UTC)),
)
def test_mon_7_whenever_a_window_is_open_one_of_its_occurrences_says_so(zone, repeats, starts, ends, more, now):
    window = Window(zone, day(2026, 1, 1), starts, ends, more_days=more, repeats=repeats)
    listed = list(windows.occurrences(window, now - timedelta(days=40), now + timedelta(days=3)))
    assert (windows.open_at(window, now) is not None) == any(one.holds(now) for one in listed)
    assert all(one.start < one.end for one in listed)


# --- MON-8 -----------------------------------------------------------------------------------------------------------

BACKUP = Rhythm(timedelta(minutes=15), cron="30 2 * * *", zone="Europe/Berlin")


@pytest.mark.parametrize(
    ("pinged", "late"),
    [
        ("2026-03-27T01:30", "2026-03-28T01:45"),
        ("2026-03-28T01:30", "2026-03-29T01:15"),
        ("2026-10-24T00:30", "2026-10-25T00:45"),
        ("2026-10-25T00:30", "2026-10-26T01:45"),
    ],
)
def test_i_02_a_nightly_backup_is_expected_once_a_night_whatever_the_clocks_do(pinged, late):
    assert BACKUP.late_at(utc(pinged)) == utc(late)


def test_mon_8_an_hourly_job_runs_in_the_hour_that_comes_twice():
    hourly = Rhythm(timedelta(), cron="10 * * * *", zone="Europe/Berlin")
    assert hourly.expected_after(utc("2026-10-25T00:10")) == utc("2026-10-25T01:10")


def test_mon_8_a_period_counts_from_the_last_ping():
    assert Rhythm(timedelta(minutes=5), period=timedelta(hours=1)).late_at(at("10:00")) == at("11:05")


@pytest.mark.parametrize("wrong", ["", "* * * *", "61 * * * *", "0 0 30 2 *", "@daily", "x * * * *", "* * * * * *"])
def test_mon_8_what_is_no_cron_expression_is_refused(wrong):
    with pytest.raises(ValueError):
        beats.check_cron(wrong)


@settings(max_examples=80, deadline=None)
@given(
    st.sampled_from(["*/5 * * * *", "30 2 * * *", "0 0 1 * *", "15 1-3 * * 0", "0 */2 * * 1-5"]),
    st.sampled_from(["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "UTC"]),
    st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC)),
)
def test_mon_8_the_next_ping_is_always_later_and_never_skips_one(cron, zone, now):
    rhythm = Rhythm(timedelta(), cron=cron, zone=zone)
    expected = rhythm.expected_after(now)
    assert expected > now
    assert rhythm.expected_after(expected - timedelta(seconds=1)) == expected


# --- MON-9, MON-10 ---------------------------------------------------------------------------------------------------


def test_mon_9_more_than_sixty_a_minute_is_a_storm():
    assert not rules.is_storm(60)
    assert rules.is_storm(61)


def test_mon_10_no_machine_makes_a_p1_by_itself():
    seen = Seen(service="checkout", labels={"env": "production"})
    assert [rules.severity_of(word, seen) for word in ("critical", "error", "warning", "info")] == [
        "P2",
        "P3",
        "P4",
        None,
    ]
    explicit = [(Condition(labels={"env": "production"}), "P1")]
    assert rules.severity_of("critical", seen, explicit) == "P1"
    assert rules.severity_of("critical", Seen(labels={"env": "staging"}), explicit) == "P2"


def test_mon_10_two_independent_witnesses_on_a_tier_one_service_do():
    assert rules.is_corroborated_p1(1, ["prometheus", "heartbeats"])
    assert not rules.is_corroborated_p1(1, ["prometheus", "prometheus"])
    assert not rules.is_corroborated_p1(2, ["prometheus", "heartbeats"])


def test_conditions_match_what_they_name_and_nothing_else():
    condition = Condition.from_spec(
        {"components": ["web1"], "labels": {"env": "prod"}}, services=frozenset({"checkout"})
    )
    assert condition.matches(Seen(service="checkout", component="web1", labels={"env": "prod", "x": "y"}))
    assert not condition.matches(Seen(service="checkout", component="web2", labels={"env": "prod"}))
    assert Condition().is_empty
    for wrong in ({"nope": []}, {"components": "web1"}, {"labels": {"a": 1}}):
        with pytest.raises(ValueError):
            Condition.from_spec(wrong)

"""The timers that must exist: each threshold once per cycle and basis (SLA-14)."""

from __future__ import annotations

from incidents.sla import Event, EventKind, Moment, next_moments
from tests.incidents.sla_stories import (
    FIRST_RESPONSE,
    NEXT_UPDATE,
    RESOLUTION,
    M,
    S,
    happened,
    received,
    severity,
    utc,
)

P1 = received("14:00:00", "P1", M)


def moments(events: list[Event], now: str, kind=FIRST_RESPONSE) -> list[tuple[int, int, int, str]]:
    """Cycle, basis, threshold and time of day of what is planned for one kind."""
    found = [moment for moment in next_moments(events, utc(now)) if moment.kind is kind]
    return [(m.cycle, m.basis, m.threshold, f"{m.at:%H:%M:%S}") for m in found]


def test_warnings_and_the_breach_one_second_after_the_due() -> None:
    assert moments([P1], "14:00:00") == [
        (1, 1, 50, "14:05:00"),
        (1, 1, 75, "14:07:30"),
        (1, 1, 90, "14:09:00"),
        (1, 1, 100, "14:10:01"),
    ]


def test_all_kinds_in_order_each_with_a_key_of_its_own() -> None:
    found = next_moments([P1], utc("14:00:00"))
    assert [moment.at for moment in found] == sorted(moment.at for moment in found)
    assert len({moment.key for moment in found}) == len(found) == 16
    assert found[0] == Moment(utc("14:02:30"), "ack", 1, 1, 50)
    assert found[0].key == "ack:1:1:50"


def test_moments_that_passed_are_still_listed_so_that_a_late_timer_is_not_withdrawn() -> None:
    assert moments([P1], "14:08:00") == moments([P1], "14:00:00")


def test_a_met_clock_needs_no_timer() -> None:
    assert moments([P1, happened("14:06:00", EventKind.RESPONDED)], "14:06:00") == []


def test_a_missed_clock_needs_only_its_breach_answered_or_not() -> None:
    assert moments([P1], "14:12:00") == [(1, 1, 100, "14:10:01")]
    assert moments([P1, happened("14:11:00", EventKind.RESPONDED)], "14:12:00") == [(1, 1, 100, "14:10:01")]


def test_a_cancelled_clock_needs_no_timer() -> None:
    assert next_moments([P1, happened("14:01:00", EventKind.CANCELLED)], utc("14:01:00")) == []


def test_while_held_timers_are_void_and_afterwards_the_same_ones_come_later() -> None:
    events = [
        received("08:00:00", "P1", M),
        happened("10:30:00", EventKind.HOLD_STARTED, hold="customer"),
        happened("11:30:00", EventKind.HOLD_ENDED, hold="customer"),
    ]
    assert moments(events, "11:00:00", RESOLUTION) == []
    assert moments(events, "11:30:00", RESOLUTION) == [
        (1, 1, 50, "10:00:00"),
        (1, 1, 75, "12:00:00"),
        (1, 1, 90, "12:36:00"),
        (1, 1, 100, "13:00:01"),
    ]


def test_a_raise_that_wins_starts_a_new_basis_with_all_thresholds_ahead() -> None:
    events = [received("14:30:00", "P3", M), severity("21:00:00", "P1")]
    assert moments(events, "21:00:00") == [
        (1, 2, 50, "21:05:00"),
        (1, 2, 75, "21:07:30"),
        (1, 2, 90, "21:09:00"),
        (1, 2, 100, "21:10:01"),
    ]


def test_a_raise_that_changes_no_due_changes_no_timer() -> None:
    report = received("07:00:00", "P3", M)
    assert moments([report, severity("10:55:00", "P1")], "10:55:00") == moments([report], "10:55:00")


def test_after_a_lowering_only_the_highest_threshold_already_passed_fires_and_at_once() -> None:
    events = [received("08:00:00", "P1", M), severity("14:30:00", "P2")]  # missed at 12:00, 81 % of eight hours
    assert moments(events, "14:30:00", RESOLUTION) == [
        (1, 1, 100, "12:00:01"),
        (2, 1, 75, "14:30:00"),
        (2, 1, 90, "15:12:00"),
        (2, 1, 100, "16:00:01"),
    ]
    early = [received("08:00:00", "P1", M), severity("08:06:00", "P2")]
    assert moments(early, "08:06:00") == [
        (1, 2, 50, "08:15:00"),
        (1, 2, 75, "08:22:30"),
        (1, 2, 90, "08:27:00"),
        (1, 2, 100, "08:30:01"),
    ]


def test_every_missed_update_is_noticed_and_the_next_one_is_planned() -> None:
    assert moments([P1], "14:31:00", NEXT_UPDATE) == [
        (1, 1, 100, "14:15:01"),
        (2, 1, 100, "14:30:01"),
        (3, 1, 50, "14:37:30"),
        (3, 1, 75, "14:41:15"),
        (3, 1, 90, "14:43:30"),
        (3, 1, 100, "14:45:01"),
    ]


def test_thresholds_are_counted_in_the_hours_of_the_clock() -> None:
    report = received("2026-06-12T14:30:00Z", "P1", S)
    assert [moment.at for moment in next_moments([report], report.at) if moment.kind is FIRST_RESPONSE] == [
        utc("2026-06-12T15:00:00Z"),
        utc("2026-06-15T07:15:00Z"),
        utc("2026-06-15T07:24:00Z"),
        utc("2026-06-15T07:30:01Z"),
    ]

"""The worked examples of the specification, each under its id, as clocks."""

from __future__ import annotations

import pytest

from incidents.sla import Event, EventKind, Reason, State, clocks
from supportdesk import calendars
from tests.incidents.sla_stories import (
    FIRST_RESPONSE,
    HOUR,
    MINUTE,
    NEXT_UPDATE,
    RESOLUTION,
    SECOND,
    M,
    S,
    business_hours,
    cycle,
    happened,
    plan_m,
    plan_s,
    received,
    results,
    severity,
    terms,
    utc,
)
from tests.vectors import cases


def first_response(events: list[Event], now: str):
    return cycle(clocks(events, utc(now)), FIRST_RESPONSE)


@pytest.mark.parametrize("case_id", ["S-01", "S-02"])
def test_s01_s02_ten_real_minutes_across_a_clock_change(case_id: str) -> None:
    [case] = [case for case in cases("due") if case["id"] == case_id]
    clock = first_response([received(case["start"], "P1", M)], case["start"])
    assert clock.due_at == utc(case["expected_due"])
    assert clock.effective_start == utc(case["start"])
    assert clock.thresholds == {int(percent): utc(at) for percent, at in case["thresholds"].items()}


@pytest.mark.parametrize("case_id", ["S-03", "S-04", "S-05", "S-06a", "S-06b", "S-06c", "S-07", "S-08", "S-09"])
def test_s03_to_s09_business_hours(case_id: str) -> None:
    [case] = [case for case in cases("due") if case["id"] == case_id]
    calendar = business_hours(case["calendar"], case["holidays"])
    level = {480: ("P3", plan_s), 240: ("P3", plan_m), 120: ("P2", plan_s), 60: ("P1", plan_s)}
    level_severity, plan = level[case["target_minutes"]]
    clock = first_response([received(case["start"], level_severity, plan(calendar))], case["start"])
    assert clock.due_at == utc(case["expected_due"])
    assert clock.thresholds == {int(percent): utc(at) for percent, at in case["thresholds"].items()}


def test_s05_a_reply_exactly_at_closing_time_is_in_time() -> None:
    report = received("2026-06-12T13:00:00Z", "P2", S)
    for reply, state in (("2026-06-12T15:00:00Z", State.MET), ("2026-06-12T15:00:01Z", State.MISSED)):
        events = [report, happened(reply, EventKind.RESPONDED)]
        clock = first_response(events, "2026-06-16T00:00:00Z")
        assert (clock.due_at, clock.state) == (utc("2026-06-12T15:00:00Z"), state)
        assert clock.satisfied_at == utc(reply)


def test_s06_reports_at_the_edge_of_the_day_begin_to_count_when_the_desk_is_open() -> None:
    for report, begins in (
        ("2026-06-12T15:00:00Z", "2026-06-15T07:00:00Z"),
        ("2026-06-15T07:00:00Z", "2026-06-15T07:00:00Z"),
        ("2026-06-12T14:59:59Z", "2026-06-12T14:59:59Z"),
    ):
        assert first_response([received(report, "P1", S)], report).effective_start == utc(begins)


def test_s10_a_hold_over_the_weekend() -> None:
    events = [
        received("2026-06-11T08:00:00Z", "P2", S),
        happened("2026-06-11T13:00:00Z", EventKind.HOLD_STARTED, hold="customer"),
    ]
    held = cycle(clocks(events, utc("2026-06-13T00:00:00Z")), RESOLUTION)
    assert (held.state, held.due_at, held.elapsed, held.remaining) == (State.PAUSED, None, 5 * HOUR, 11 * HOUR)
    events.append(happened("2026-06-15T08:00:00Z", EventKind.HOLD_ENDED, hold="customer"))
    resumed = cycle(clocks(events, utc("2026-06-15T08:00:00Z")), RESOLUTION)
    assert (resumed.state, resumed.due_at) == (State.RUNNING, utc("2026-06-16T11:00:00Z"))


def test_s11_overlapping_holds() -> None:
    events = [
        received("08:00:00", "P1", M),
        happened("08:30:00", EventKind.HOLD_STARTED, hold="customer"),
        happened("09:00:00", EventKind.HOLD_STARTED, hold="change_window"),
        happened("09:30:00", EventKind.HOLD_ENDED, hold="customer"),
        happened("10:15:00", EventKind.HOLD_ENDED, hold="change_window"),
    ]
    clock = cycle(clocks(events, utc("11:00:00")), RESOLUTION)
    assert (clock.due_at, clock.elapsed) == (utc("13:45:00"), HOUR + 15 * MINUTE)


def test_s12a_raised_at_night_the_new_target_counts_from_the_change() -> None:
    report = received("14:30:00", "P3", M)
    assert first_response([report], "14:30:00").due_at == utc("2026-06-12T08:30:00Z")
    raised = first_response([report, severity("21:00:00", "P1")], "21:00:00")
    assert (raised.due_at, raised.state, raised.basis_start) == (utc("21:10:00"), State.RUNNING, utc("21:00:00"))


def test_s12b_raised_shortly_before_the_old_due_the_old_due_stays() -> None:
    report = received("07:00:00", "P3", M)
    assert first_response([report], "07:00:00").due_at == utc("11:00:00")
    raised = first_response([report, severity("10:55:00", "P1")], "10:55:00")
    assert (raised.due_at, raised.severity, raised.target.duration) == (utc("11:00:00"), "P1", 4 * HOUR)
    assert raised.percent == 97


def test_s13_raised_after_the_first_response_a_second_one_is_due() -> None:
    night = "2026-06-12T{}Z".format
    events = [
        received("07:00:00", "P3", M),
        happened("08:00:00", EventKind.RESPONDED),
        severity(night("01:20:00"), "P1"),
    ]
    seen = clocks(events, utc(night("01:20:00")))
    first, second = cycle(seen, FIRST_RESPONSE, 1), cycle(seen, FIRST_RESPONSE, 2)
    assert (first.state, first.severity) == (State.MET, "P3")
    assert (second.due_at, second.reason) == (utc(night("01:30:00")), Reason.SEVERITY_RAISED)
    assert cycle(seen, NEXT_UPDATE).due_at == utc(night("01:35:00"))
    assert cycle(seen, RESOLUTION).due_at == utc(night("05:20:00"))
    assert cycle(clocks(events[:2], utc("08:00:00")), RESOLUTION).due_at == utc("2026-06-17T07:00:00Z")


@pytest.mark.parametrize(("lowered_at", "has_breach"), [("00:06:00", False), ("00:11:00", True)])
def test_s14_lowered_the_target_is_recomputed_and_a_recorded_breach_stays(lowered_at: str, has_breach: bool) -> None:
    night = "2026-06-12T{}Z".format
    seen = clocks([received(night("00:00:00"), "P1", M), severity(night(lowered_at), "P3")], utc(night(lowered_at)))
    running = cycle(seen, FIRST_RESPONSE)
    assert (running.state, running.severity, running.due_at) == (State.RUNNING, "P3", utc(night("10:00:00")))
    assert running.thresholds == {50: utc(night("08:00:00")), 75: utc(night("09:00:00")), 90: utc(night("09:36:00"))}
    breaches = [clock for clock in seen if clock.kind is FIRST_RESPONSE and clock.breached_at]
    assert [(clock.severity, clock.breached_at) for clock in breaches] == [("P1", utc(night("00:10:00")))] * has_breach


def test_s15_upgraded_while_waiting_for_the_desk_to_open() -> None:
    friday = "2026-06-12T{}Z".format
    report = received(friday("19:00:00"), "P1", S)
    assert first_response([report], friday("19:00:00")).due_at == utc("2026-06-15T08:00:00Z")
    seen = clocks([report, terms(friday("19:40:00"), M)], utc(friday("19:40:00")))
    assert cycle(seen, FIRST_RESPONSE).due_at == utc(friday("19:50:00"))
    assert cycle(seen, NEXT_UPDATE).due_at == utc(friday("19:55:00"))
    assert cycle(seen, RESOLUTION).due_at == utc(friday("23:40:00"))


def test_s17_update_cadence() -> None:
    events = [received("14:00:00", "P1", M)]
    events += [happened(f"{at}:00", EventKind.UPDATE_SENT) for at in ("14:06", "14:20", "14:38", "14:50")]
    events += [happened("15:04:00", EventKind.RESOLVED)]
    assert results(clocks(events, utc("16:00:00")), NEXT_UPDATE) == [
        ("14:15", "met"),
        ("14:21", "met"),
        ("14:35", "missed"),
        ("14:50", "met"),
        ("14:53", "met"),
        ("15:05", "met"),
    ]


def test_s17b_forty_minutes_of_silence_are_two_missed_updates() -> None:
    events = [
        received("14:00:00", "P1", M),
        happened("14:40:00", EventKind.UPDATE_SENT),
        happened("14:50:00", EventKind.RESOLVED),
    ]
    seen = clocks(events, utc("16:00:00"))
    assert results(seen, NEXT_UPDATE) == [
        ("14:15", "missed"),
        ("14:30", "missed"),
        ("14:45", "met"),
        ("14:55", "met"),
    ]
    assert [clock.overrun for clock in seen if clock.breached_at and clock.kind is NEXT_UPDATE] == [
        25 * MINUTE,
        10 * MINUTE,
    ]


def test_s20_an_hour_before_noon_on_christmas_eve() -> None:
    [case] = [case for case in cases("due") if case["id"] == "S-20"]
    calendar = calendars.Calendar.from_spec(
        business_hours("BER").to_spec() | {"closed": case["holidays"], "special": case["special"]}
    )
    assert first_response([received(case["start"], "P3", plan_m(calendar))], case["start"]).due_at == utc(
        case["expected_due"]
    )


def test_s23_reopened_the_time_it_was_resolved_does_not_count() -> None:
    events = [
        received("08:00:00", "P1", M),
        happened("08:05:00", EventKind.RESPONDED),
        happened("10:30:00", EventKind.RESOLVED),
        happened("19:00:00", EventKind.REOPENED),
    ]
    seen = clocks(events, utc("19:00:00"))
    resolution = cycle(seen, RESOLUTION)
    assert (resolution.cycle, resolution.state, resolution.due_at) == (1, State.RUNNING, utc("20:30:00"))
    fresh = cycle(seen, NEXT_UPDATE)
    assert (fresh.reason, fresh.due_at) == (Reason.REOPENED, utc("19:15:00"))
    assert cycle(clocks(events[:3], utc("18:00:00")), RESOLUTION).state is State.MET


@pytest.mark.parametrize(("at", "waits_hours"), [("2026-10-25T00:15:00Z", 31.75), ("2026-10-25T01:15:00Z", 30.75)])
def test_s24_queued_on_the_night_that_has_two_o_clock_twice(at: str, waits_hours: float) -> None:
    clock = first_response([received(at, "P1", S)], at)
    assert clock.effective_start == utc("2026-10-26T08:00:00Z")
    assert clock.due_at == utc("2026-10-26T09:00:00Z")
    assert clock.effective_start - utc(at) == waits_hours * HOUR


def test_w01_cadence_is_real_time_on_the_night_clocks_jump() -> None:
    declared = received("2026-03-29T00:40:00Z", "P1", M)
    clock = cycle(clocks([declared], utc("2026-03-29T00:40:00Z")), NEXT_UPDATE)
    assert clock.due_at == utc("2026-03-29T00:55:00Z")
    assert clock.due_at - declared.at == 900 * SECOND

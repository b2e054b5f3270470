"""What starts, stops, pauses and ends a clock (SLA-1 … SLA-12, ENT-12, D4 … D8)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from incidents.sla import ClockKind, Commitment, Event, EventKind, Reason, State, clocks, replay
from tests.incidents.sla_stories import (
    ACK,
    FIRST_RESPONSE,
    GOODWILL,
    HOUR,
    MINUTE,
    NEXT_UPDATE,
    RESOLUTION,
    XS,
    M,
    S,
    cycle,
    cycles,
    happened,
    received,
    severity,
    terms,
    utc,
)


def kinds(seen) -> set[ClockKind]:
    return {clock.kind for clock in seen}


# Which clocks there are


def test_a_declared_p1_has_all_its_clocks_at_once() -> None:
    seen = clocks([received("14:00:00", "P1", M)], utc("14:00:00"))
    assert {clock.kind: clock.due_at for clock in seen} == {
        ACK: utc("14:05:00"),
        FIRST_RESPONSE: utc("14:10:00"),
        NEXT_UPDATE: utc("14:15:00"),
        RESOLUTION: utc("18:00:00"),
    }
    assert {clock.kind: clock.commitment for clock in seen} == {
        ACK: Commitment.OBJECTIVE,
        FIRST_RESPONSE: Commitment.GUARANTEE,
        NEXT_UPDATE: Commitment.GUARANTEE,
        RESOLUTION: Commitment.OBJECTIVE,
    }


def test_without_a_war_room_updates_are_due_from_the_first_response_on() -> None:
    report = received("08:00:00", "P2", M)
    assert kinds(clocks([report], utc("08:00:00"))) == {FIRST_RESPONSE, RESOLUTION}
    answered = [report, happened("08:10:00", EventKind.RESPONDED), happened("08:30:00", EventKind.RESPONDED)]
    clock = cycle(clocks(answered, utc("08:30:00")), NEXT_UPDATE)
    assert (clock.cycle, clock.reason, clock.due_at) == (1, Reason.FIRST_RESPONSE, utc("09:10:00"))


def test_no_target_means_no_clock() -> None:
    assert clocks([received("08:00:00", "P4", XS)], utc("09:00:00")) == ()
    seen = clocks([received("08:00:00", "P1", XS), happened("08:10:00", EventKind.RESPONDED)], utc("09:00:00"))
    assert kinds(seen) == {FIRST_RESPONSE}


def test_before_the_report_there_is_nothing() -> None:
    report = received("14:00:00", "P1", M)
    assert clocks([report], utc("13:59:59")) == ()
    assert clocks([], utc("14:00:00")) == ()
    assert replay([]) == ()


# First response and acknowledgement


def test_only_a_human_answer_stops_the_first_response_clock() -> None:
    report = received("14:00:00", "P1", M)
    acknowledged = [report, happened("14:02:00", EventKind.ACKNOWLEDGED)]
    seen = clocks(acknowledged, utc("14:03:00"))
    assert cycle(seen, ACK).state is State.MET
    assert cycle(seen, FIRST_RESPONSE).state is State.RUNNING
    answered = [*acknowledged, happened("14:06:00", EventKind.RESPONDED, ref="1749650760.000200")]
    clock = cycle(clocks(answered, utc("14:30:00")), FIRST_RESPONSE)
    assert (clock.state, clock.satisfied_at, clock.elapsed) == (State.MET, utc("14:06:00"), 6 * MINUTE)
    assert clock.satisfied_by == "1749650760.000200"


def test_a_call_answered_at_once_meets_the_clock_as_it_starts() -> None:
    seen = clocks([received("14:00:00", "P1", M), happened("14:00:00", EventKind.RESPONDED)], utc("14:00:00"))
    clock = cycle(seen, FIRST_RESPONSE)
    assert (clock.state, clock.elapsed) == (State.MET, 0 * MINUTE)
    assert len(cycles(seen, NEXT_UPDATE)) == 1


def test_a_status_update_is_a_response_as_well() -> None:
    seen = clocks([received("14:00:00", "P1", M), happened("14:06:00", EventKind.UPDATE_SENT)], utc("14:06:00"))
    assert cycle(seen, FIRST_RESPONSE).satisfied_at == utc("14:06:00")


def test_at_the_due_instant_the_clock_still_runs_and_a_second_later_it_is_missed() -> None:
    report = received("14:00:00.900", "P1", M)
    at_due = cycle(clocks([report], utc("14:10:00.999")), FIRST_RESPONSE)
    assert (at_due.due_at, at_due.state, at_due.remaining) == (utc("14:10:00"), State.RUNNING, 0 * MINUTE)
    later = cycle(clocks([report], utc("14:10:01")), FIRST_RESPONSE)
    assert (later.state, later.breached_at) == (State.MISSED, utc("14:10:00"))


def test_a_response_within_the_second_of_the_due_is_in_time() -> None:
    events = [received("14:00:00", "P1", M), happened("14:10:00.700", EventKind.RESPONDED)]
    assert cycle(clocks(events, utc("14:30:00")), FIRST_RESPONSE).state is State.MET


def test_a_miss_keeps_its_due_as_breach_time_whoever_noticed_when() -> None:
    events = [received("14:00:00", "P1", M), happened("14:25:00", EventKind.RESPONDED)]
    clock = cycle(clocks(events, utc("20:00:00")), FIRST_RESPONSE)
    assert (clock.state, clock.breached_at) == (State.MISSED, utc("14:10:00"))
    assert (clock.satisfied_at, clock.overrun) == (utc("14:25:00"), 15 * MINUTE)


def test_overrun_is_counted_in_the_hours_of_the_clock() -> None:
    events = [received("2026-06-12T14:00:00Z", "P1", S), happened("2026-06-15T07:30:00Z", EventKind.RESPONDED)]
    clock = cycle(clocks(events, utc("2026-06-15T12:00:00Z")), FIRST_RESPONSE)
    assert (clock.due_at, clock.overrun) == (utc("2026-06-12T15:00:00Z"), 30 * MINUTE)


# Holds


def hold(at: str, ends: str, reason: str = "customer") -> list[Event]:
    return [happened(at, EventKind.HOLD_STARTED, hold=reason), happened(ends, EventKind.HOLD_ENDED, hold=reason)]


def test_a_hold_freezes_resolution_and_updates_but_never_the_first_response() -> None:
    events = [
        received("08:00:00", "P2", M),
        happened("08:10:00", EventKind.RESPONDED),
        *hold("08:30:00", "09:30:00"),
    ]
    held = clocks(events, utc("09:00:00"))
    for kind, used, left in ((RESOLUTION, 30 * MINUTE, 450 * MINUTE), (NEXT_UPDATE, 20 * MINUTE, 40 * MINUTE)):
        clock = cycle(held, kind)
        assert (clock.state, clock.due_at, clock.thresholds) == (State.PAUSED, None, None)
        assert (clock.elapsed, clock.remaining) == (used, left)
    resumed = clocks(events, utc("09:30:00"))
    assert cycle(resumed, RESOLUTION).due_at == utc("17:00:00")
    assert cycle(resumed, NEXT_UPDATE).due_at == utc("10:10:00")

    unanswered = [received("08:00:00", "P2", M), *hold("08:10:00", "08:20:00")]
    assert cycle(clocks(unanswered, utc("08:15:00")), FIRST_RESPONSE).due_at == utc("08:30:00")


def test_updates_on_a_p1_go_on_during_a_hold() -> None:
    events = [received("14:00:00", "P1", M), happened("14:05:00", EventKind.HOLD_STARTED, hold="customer")]
    seen = clocks(events, utc("14:06:00"))
    assert cycle(seen, NEXT_UPDATE).due_at == utc("14:15:00")
    assert cycle(seen, RESOLUTION).state is State.PAUSED


def test_waiting_for_a_supplier_pauses_nothing() -> None:
    events = [received("08:00:00", "P1", M), *hold("09:00:00", "10:00:00", "third_party")]
    clock = cycle(clocks(events, utc("09:30:00")), RESOLUTION)
    assert (clock.state, clock.due_at, clock.holds) == (State.RUNNING, utc("12:00:00"), ())


def test_a_hold_that_begins_at_the_due_comes_too_late() -> None:
    events = [received("08:00:00", "P1", M), happened("12:00:00", EventKind.HOLD_STARTED, hold="customer")]
    clock = cycle(clocks(events, utc("12:30:00")), RESOLUTION)
    assert (clock.state, clock.breached_at) == (State.MISSED, utc("12:00:00"))


def test_resolved_during_a_hold_the_due_is_as_if_the_hold_had_ended_then() -> None:
    events = [
        received("08:00:00", "P1", M),
        happened("09:00:00", EventKind.HOLD_STARTED, hold="customer"),
        happened("11:00:00", EventKind.RESOLVED),
    ]
    clock = cycle(clocks(events, utc("12:00:00")), RESOLUTION)
    assert (clock.state, clock.due_at, clock.elapsed) == (State.MET, utc("14:00:00"), HOUR)
    assert clock.holds == ((utc("09:00:00"), utc("11:00:00")),)


def test_ending_a_hold_that_is_not_there_changes_nothing() -> None:
    report = received("08:00:00", "P1", M)
    ended = happened("09:00:00", EventKind.HOLD_ENDED, hold="customer")
    assert clocks([report, ended], utc("10:00:00")) == clocks([report], utc("10:00:00"))


# Severity


def test_raised_during_a_hold_the_earlier_of_both_dues_wins_when_work_goes_on() -> None:
    events = [
        received("08:00:00", "P2", M),
        happened("09:00:00", EventKind.HOLD_STARTED, hold="customer"),
        severity("10:00:00", "P1"),
        happened("11:00:00", EventKind.HOLD_ENDED, hold="customer"),
    ]
    held = cycle(clocks(events, utc("10:30:00")), RESOLUTION)
    assert (held.state, held.severity, held.remaining) == (State.PAUSED, "P1", 4 * HOUR)
    assert cycle(clocks(events, utc("11:00:00")), RESOLUTION).due_at == utc("15:00:00")


def test_raised_to_p1_during_a_hold_updates_are_due_again() -> None:
    events = [
        received("08:00:00", "P2", M),
        happened("08:10:00", EventKind.RESPONDED),
        happened("08:30:00", EventKind.HOLD_STARTED, hold="customer"),
        severity("09:00:00", "P1"),
    ]
    assert cycle(clocks(events, utc("09:00:00")), NEXT_UPDATE).due_at == utc("09:15:00")


def test_raised_to_p1_during_a_hold_an_earlier_update_stays_due() -> None:
    events = [
        received("08:00:00", "P2", M),
        happened("08:10:00", EventKind.RESPONDED),
        happened("09:05:00", EventKind.HOLD_STARTED, hold="customer"),
        severity("09:06:00", "P1"),
    ]
    clock = cycle(clocks(events, utc("09:06:00")), NEXT_UPDATE)
    assert (clock.state, clock.due_at, clock.basis_number) == (State.RUNNING, utc("09:11:00"), 1)


def test_when_both_dues_are_the_same_the_old_basis_stays() -> None:
    events = [received("07:00:00", "P3", M), severity("10:50:00", "P1")]
    clock = cycle(clocks(events, utc("10:50:00")), FIRST_RESPONSE)
    assert (clock.due_at, clock.basis_start) == (utc("11:00:00"), utc("07:00:00"))


def test_raised_updates_are_never_due_later_than_promised_before() -> None:
    events = [received("08:00:00", "P2", M), happened("08:10:00", EventKind.RESPONDED), severity("09:00:00", "P1")]
    assert cycle(clocks(events, utc("09:00:00")), NEXT_UPDATE).due_at == utc("09:10:00")


def test_raised_to_p3_after_the_answer_no_second_answer_is_owed() -> None:
    events = [received("08:00:00", "P4", M), happened("08:10:00", EventKind.RESPONDED), severity("09:00:00", "P3")]
    seen = clocks(events, utc("09:00:00"))
    assert len(cycles(seen, FIRST_RESPONSE)) == 1
    assert cycle(seen, RESOLUTION).due_at == utc("2026-06-17T09:00:00Z")


def test_raised_after_a_miss_the_breach_stays_and_a_new_answer_is_due() -> None:
    events = [received("07:00:00", "P3", M), severity("12:00:00", "P1"), happened("12:05:00", EventKind.RESPONDED)]
    missed, met = cycles(clocks(events, utc("13:00:00")), FIRST_RESPONSE)
    assert (missed.severity, missed.state, missed.breached_at) == ("P3", State.MISSED, utc("11:00:00"))
    assert (met.severity, met.state, met.due_at) == ("P1", State.MET, utc("12:10:00"))
    assert missed.satisfied_at == met.satisfied_at == utc("12:05:00")


def test_a_p1_needs_an_acknowledgement_of_its_own() -> None:
    events = [received("07:00:00", "P3", M), happened("07:10:00", EventKind.ACKNOWLEDGED), severity("08:00:00", "P1")]
    assert cycle(clocks(events, utc("08:00:00")), ACK).due_at == utc("08:05:00")


def test_a_second_answer_that_was_missed_is_still_owed_after_lowering() -> None:
    events = [
        received("07:00:00", "P3", M),
        happened("07:10:00", EventKind.RESPONDED),
        severity("08:00:00", "P1"),
        severity("08:12:00", "P2"),
    ]
    met, missed, owed = cycles(clocks(events, utc("08:12:00")), FIRST_RESPONSE)
    assert (met.state, missed.state, owed.state) == (State.MET, State.MISSED, State.RUNNING)
    assert (missed.breached_at, owed.due_at) == (utc("08:10:00"), utc("08:30:00"))


def test_raised_from_a_severity_without_clocks() -> None:
    events = [received("07:00:00", "P4", XS), severity("08:00:00", "P1")]
    clock = cycle(clocks(events, utc("08:00:00")), FIRST_RESPONSE)
    assert (clock.cycle, clock.due_at) == (1, utc("12:00:00"))


def test_lowered_after_the_answer_the_clocks_that_run_get_more_time() -> None:
    events = [
        received("08:00:00", "P1", M),
        happened("08:05:00", EventKind.UPDATE_SENT),
        *hold("08:10:00", "09:10:00"),
        severity("09:30:00", "P2"),
    ]
    seen = clocks(events, utc("09:30:00"))
    assert cycle(seen, FIRST_RESPONSE).severity == "P1"
    resolution = cycle(seen, RESOLUTION)
    assert (resolution.due_at, resolution.basis_number) == (utc("17:00:00"), 2)
    update = cycle(seen, NEXT_UPDATE)  # the P1 cadence never paused; the cycle of 09:20 goes on as a P2
    assert (update.started_at, update.severity, update.due_at) == (utc("09:20:00"), "P2", utc("10:20:00"))


def test_lowered_before_the_answer_no_updates_are_owed_yet() -> None:
    seen = clocks([received("14:00:00", "P1", M), severity("14:05:00", "P3")], utc("14:05:00"))
    assert cycle(seen, NEXT_UPDATE).state is State.CANCELLED
    assert cycle(seen, ACK).state is State.CANCELLED


def test_lowered_to_a_severity_without_a_target_the_clock_ends_without_a_result() -> None:
    seen = clocks([received("08:00:00", "P3", M), severity("09:00:00", "P4")], utc("2026-09-01T00:00:00Z"))
    clock = cycle(seen, RESOLUTION)
    assert (clock.state, clock.as_of, clock.breached_at) == (State.CANCELLED, utc("09:00:00"), None)


def test_lowered_after_a_miss_that_would_be_a_miss_anyway_counts_once() -> None:
    events = [received("2026-06-09T08:00:00Z", "P1", M), severity("2026-06-09T20:00:00Z", "P2")]
    seen = clocks(events, utc("2026-06-09T20:00:00Z"))
    [clock] = cycles(seen, RESOLUTION)
    assert (clock.state, clock.breached_at) == (State.MISSED, utc("2026-06-09T12:00:00Z"))


def test_raised_and_lowered_again_the_first_due_is_back() -> None:
    report = received("07:00:00", "P3", M)
    back = [report, severity("08:00:00", "P1"), severity("08:05:00", "P3")]
    assert cycle(clocks(back, utc("08:05:00")), FIRST_RESPONSE).due_at == utc("11:00:00")


def test_the_same_severity_again_changes_nothing() -> None:
    report = received("07:00:00", "P3", M)
    assert clocks([report, severity("08:00:00", "P3")], utc("09:00:00")) == clocks([report], utc("09:00:00"))


def test_every_change_is_a_segment() -> None:
    events = [received("07:00:00", "P3", M), severity("08:00:00", "P1"), severity("08:05:00", "P2")]
    segments = cycle(clocks(events, utc("08:05:00")), FIRST_RESPONSE).segments
    assert [(s.at, s.reason, s.severity, s.basis.start, s.due_at) for s in segments] == [
        (utc("07:00:00"), Reason.RECEIVED, "P3", utc("07:00:00"), utc("11:00:00")),
        (utc("08:00:00"), Reason.SEVERITY_RAISED, "P1", utc("08:00:00"), utc("08:10:00")),
        (utc("08:05:00"), Reason.SEVERITY_LOWERED, "P2", utc("07:00:00"), utc("07:30:00")),
    ]
    assert segments[1].to_spec() == {
        "at": "2026-06-11T08:00:00Z",
        "reason": "severity_raised",
        "severity": "P1",
        "plan": "M",
        "plan_version": "1",
        "calendar": "24x7",
        "calendar_version": "24x7",
        "target_seconds": 600,
        "basis_start": "2026-06-11T08:00:00Z",
        "due_at": "2026-06-11T08:10:00Z",
    }


# Terms


def test_an_upgrade_after_the_answer_asks_for_a_new_one_when_it_is_urgent() -> None:
    events = [received("12:00:00", "P1", S), happened("12:30:00", EventKind.RESPONDED), terms("13:00:00", M)]
    seen = clocks(events, utc("13:00:00"))
    second = cycle(seen, FIRST_RESPONSE)
    assert (second.cycle, second.reason, second.due_at) == (2, Reason.TERMS_CHANGED, utc("13:10:00"))
    assert second.basis.terms.plan == "M"
    assert cycle(seen, FIRST_RESPONSE, 1).basis.terms.plan == "S"


def test_the_same_terms_again_change_nothing() -> None:
    answered = [received("12:00:00", "P1", M), happened("12:05:00", EventKind.RESPONDED)]
    assert clocks([*answered, terms("12:10:00", M)], utc("12:30:00")) == clocks(answered, utc("12:30:00"))


def test_a_goodwill_clock_is_an_objective_and_counts_in_no_attainment() -> None:
    night = "2026-06-12T{}Z".format
    seen = clocks([received(night("19:00:00"), "P1", S), terms(night("19:40:00"), GOODWILL)], utc(night("19:40:00")))
    clock = cycle(seen, FIRST_RESPONSE)
    assert (clock.due_at, clock.commitment, clock.counts) == (utc(night("19:50:00")), Commitment.OBJECTIVE, False)


def test_a_contract_due_that_comes_before_the_goodwill_one_still_counts() -> None:
    events = [received("07:00:00", "P1", S), terms("07:55:00", GOODWILL)]
    clock = cycle(clocks(events, utc("07:55:00")), FIRST_RESPONSE)
    assert (clock.due_at, clock.commitment, clock.counts) == (utc("08:00:00"), Commitment.GUARANTEE, True)


# The end, and after


@pytest.mark.parametrize("kind", [EventKind.CANCELLED, EventKind.MERGED])
def test_cancelled_or_merged_before_the_due_there_is_no_result_but_a_breach_stays(kind: EventKind) -> None:
    seen = clocks([received("14:00:00", "P1", M), happened("14:12:00", kind)], utc("20:00:00"))
    assert {clock.kind: clock.state for clock in seen} == {
        ACK: State.MISSED,
        FIRST_RESPONSE: State.MISSED,
        NEXT_UPDATE: State.CANCELLED,
        RESOLUTION: State.CANCELLED,
    }


def test_resolving_says_nothing_about_an_answer_that_was_never_given() -> None:
    events = [received("08:00:00", "P2", M), happened("08:10:00", EventKind.RESOLVED)]
    seen = clocks(events, utc("09:00:00"))
    assert cycle(seen, RESOLUTION).state is State.MET
    assert cycle(seen, FIRST_RESPONSE).state is State.MISSED


def test_a_resolution_that_was_missed_stays_missed_when_reopened() -> None:
    events = [
        received("08:00:00", "P1", M),
        happened("13:00:00", EventKind.RESOLVED),
        happened("14:00:00", EventKind.REOPENED),
    ]
    clock = cycle(clocks(events, utc("15:00:00")), RESOLUTION)
    assert (clock.cycle, clock.state, clock.breached_at) == (1, State.MISSED, utc("12:00:00"))
    assert clock.satisfied_at is None


def test_reopened_and_missed_a_raise_sets_a_new_resolution_target() -> None:
    events = [
        received("08:00:00", "P2", M),
        happened("09:00:00", EventKind.RESOLVED),
        happened("10:00:00", EventKind.REOPENED),
        severity("18:00:00", "P1"),
    ]
    missed, running = cycles(clocks(events, utc("18:00:00")), RESOLUTION)
    assert (missed.breached_at, running.due_at) == (utc("17:00:00"), utc("22:00:00"))


def test_a_clock_that_ended_for_want_of_a_target_does_not_come_back_by_reopening() -> None:
    events = [
        received("08:00:00", "P3", M),
        severity("09:00:00", "P4"),
        happened("10:00:00", EventKind.RESOLVED),
        happened("11:00:00", EventKind.REOPENED),
    ]
    [clock] = cycles(clocks(events, utc("11:00:00")), RESOLUTION)
    assert (clock.state, clock.as_of) == (State.CANCELLED, utc("09:00:00"))


def test_cancelled_after_it_was_resolved_the_time_counts_from_the_resolution() -> None:
    events = [
        received("08:00:00", "P1", M),
        happened("10:30:00", EventKind.RESOLVED),
        happened("11:00:00", EventKind.CANCELLED),
        happened("19:00:00", EventKind.REOPENED),
    ]
    assert cycle(clocks(events, utc("19:00:00")), RESOLUTION).due_at == utc("20:30:00")


def test_resolved_twice_is_resolved_once() -> None:
    events = [received("08:00:00", "P1", M), happened("09:00:00", EventKind.RESOLVED)]
    again = [*events, happened("09:30:00", EventKind.RESOLVED)]
    assert clocks(events, utc("10:00:00")) == clocks(again, utc("10:00:00"))


def test_severity_changed_while_resolved_takes_effect_when_reopened() -> None:
    resolved = [received("08:00:00", "P2", M), happened("09:00:00", EventKind.RESOLVED)]
    raised = [*resolved, severity("10:00:00", "P1"), happened("11:00:00", EventKind.REOPENED)]
    clock = cycle(clocks(raised, utc("11:00:00")), RESOLUTION)
    assert (clock.severity, clock.due_at) == ("P1", utc("15:00:00"))
    lowered = [*resolved, severity("10:00:00", "P3"), happened("11:00:00", EventKind.REOPENED)]
    clock = cycle(clocks(lowered, utc("11:00:00")), RESOLUTION)
    assert (clock.severity, clock.due_at) == ("P3", utc("2026-06-17T10:00:00Z"))


def test_a_merge_that_is_undone_wants_its_answers_again() -> None:
    events = [
        received("14:00:00", "P1", M),
        happened("14:02:00", EventKind.MERGED),
        happened("15:00:00", EventKind.REOPENED),
    ]
    seen = clocks(events, utc("15:00:00"))
    assert {clock.kind: clock.due_at for clock in seen if clock.state is State.RUNNING} == {
        ACK: utc("15:05:00"),
        FIRST_RESPONSE: utc("15:10:00"),
        NEXT_UPDATE: utc("15:15:00"),
        RESOLUTION: utc("18:58:00"),
    }


# The received time


def test_staff_may_move_the_received_time_earlier_never_later() -> None:
    report = received("14:00:00", "P1", M)
    earlier = happened("14:03:00", EventKind.RECEIVED_MOVED, moved_to=utc("13:58:00"))
    clock = cycle(clocks([report, earlier], utc("14:03:00")), FIRST_RESPONSE)
    assert (clock.started_at, clock.due_at) == (utc("13:58:00"), utc("14:08:00"))
    later = happened("14:03:00", EventKind.RECEIVED_MOVED, moved_to=utc("14:01:00"))
    with pytest.raises(ValueError, match="never later"):
        clocks([report, later], utc("14:03:00"))


def test_events_begin_with_the_report() -> None:
    report = received("14:00:00", "P1", M)
    answer = happened("14:06:00", EventKind.RESPONDED)
    for wrong in (
        [answer],
        [replace(answer, at=utc("13:00:00")), report],
        [report, answer, received("15:00:00", "P1", M)],
    ):
        with pytest.raises(ValueError, match="begin with the one that it was received"):
            clocks(wrong, utc("16:00:00"))


def test_the_order_in_which_events_are_given_does_not_matter() -> None:
    events = [
        received("14:00:00", "P1", M),
        happened("14:06:00", EventKind.RESPONDED, sequence=2),
        happened("14:06:00", EventKind.UPDATE_SENT, sequence=3),
        severity("14:30:00", "P2"),
    ]
    assert clocks(events[::-1], utc("16:00:00")) == clocks(events, utc("16:00:00"))

"""When the next status update is due (SLA-16, SLA-17, D16)."""

from __future__ import annotations

from incidents.sla import Event, EventKind, Reason, State, clocks
from tests.incidents.sla_stories import (
    MINUTE,
    NEXT_UPDATE,
    M,
    cycle,
    cycles,
    happened,
    received,
    results,
    severity,
    utc,
)

P1 = received("14:00:00", "P1", M)


def update(at: str, **promise) -> Event:
    return happened(at, EventKind.UPDATE_SENT, **promise)


def next_update(events: list[Event], now: str):
    return cycle(clocks(events, utc(now)), NEXT_UPDATE)


def test_every_update_closes_a_cycle_and_opens_the_next() -> None:
    seen = clocks([P1, update("14:06:00", ref="ts-1"), update("14:20:00", ref="ts-2")], utc("14:20:00"))
    assert results(seen, NEXT_UPDATE) == [("14:15", "met"), ("14:21", "met"), ("14:35", "running")]
    assert [clock.satisfied_by for clock in cycles(seen, NEXT_UPDATE)] == ["ts-1", "ts-2", ""]


def test_an_update_at_the_very_start_of_a_cycle_is_not_counted_as_a_second_one() -> None:
    events = [P1, happened("14:06:00", EventKind.RESPONDED), update("14:06:00"), update("14:06:00.500")]
    assert results(clocks(events, utc("14:06:00")), NEXT_UPDATE) == [("14:15", "met"), ("14:21", "running")]
    p2 = [received("14:00:00", "P2", M), happened("14:06:00", EventKind.RESPONDED), update("14:06:00")]
    assert results(clocks(p2, utc("14:06:00")), NEXT_UPDATE) == [("15:06", "running")]


def test_an_update_exactly_at_the_due_is_in_time() -> None:
    assert results(clocks([P1, update("14:15:00")], utc("14:15:00")), NEXT_UPDATE)[0] == ("14:15", "met")
    assert results(clocks([P1, update("14:15:01")], utc("14:15:01")), NEXT_UPDATE)[0] == ("14:15", "missed")


def test_an_earlier_promise_becomes_the_due_and_a_later_one_is_capped() -> None:
    assert next_update([P1, update("14:06:00", promised_next=utc("14:12:00"))], "14:06:00").due_at == utc("14:12:00")
    assert next_update([P1, update("14:06:00", promised_next=utc("15:00:00"))], "14:06:00").due_at == utc("14:21:00")


def test_after_a_missed_promise_the_plan_interval_counts_from_there() -> None:
    events = [P1, update("14:06:00", promised_next=utc("14:12:00"))]
    assert results(clocks(events, utc("14:13:00")), NEXT_UPDATE)[1:] == [("14:12", "missed"), ("14:27", "running")]


def test_a_promise_is_real_time_even_outside_business_hours() -> None:
    p3 = [received("07:00:00", "P3", M), update("15:00:00", promised_next=utc("19:00:00"))]
    assert next_update(p3, "15:00:00").due_at == utc("19:00:00")
    held = [
        *p3,
        happened("18:00:00", EventKind.HOLD_STARTED, hold="customer"),
        happened("18:30:00", EventKind.HOLD_ENDED, hold="customer"),
    ]
    assert next_update(held, "18:15:00").due_at is None
    assert next_update(held, "18:30:00").due_at == utc("19:30:00")


def test_a_promise_that_a_hold_has_outlived_is_no_promise_for_a_raise() -> None:
    events = [
        received("08:00:00", "P2", M),
        update("09:00:00", promised_next=utc("09:30:00")),
        happened("09:10:00", EventKind.HOLD_STARTED, hold="customer"),
        happened("10:10:00", EventKind.HOLD_ENDED, hold="customer"),
        severity("10:20:00", "P1"),
    ]
    assert next_update(events[:4], "10:10:00").due_at == utc("10:30:00")
    assert next_update(events, "10:20:00").due_at == utc("10:30:00")


def test_mitigated_the_interval_is_longer_from_the_last_update_on() -> None:
    events = [P1, update("14:06:00"), happened("14:10:00", EventKind.MITIGATED)]
    clock = next_update(events, "14:10:00")
    assert (clock.due_at, clock.cycle, clock.basis_number) == (utc("14:36:00"), 2, 2)
    assert next_update([*events, update("14:30:00")], "14:30:00").due_at == utc("15:00:00")


def test_a_fix_that_failed_brings_the_short_interval_back_at_once() -> None:
    events = [P1, update("14:06:00"), happened("14:10:00", EventKind.MITIGATED)]
    clock = next_update([*events, happened("14:15:00", EventKind.UNMITIGATED)], "14:15:00")
    assert (clock.due_at, clock.state) == (utc("14:30:00"), State.RUNNING)
    nearly_due = next_update([*events, happened("14:30:00", EventKind.UNMITIGATED)], "14:30:00")
    assert nearly_due.due_at == utc("14:36:00")


def test_a_promise_outlives_the_longer_interval() -> None:
    events = [P1, update("14:06:00", promised_next=utc("14:12:00")), happened("14:07:00", EventKind.MITIGATED)]
    assert next_update(events, "14:07:00").due_at == utc("14:12:00")


def test_the_customer_may_agree_to_a_longer_interval() -> None:
    events = [P1, update("16:00:00"), happened("16:05:00", EventKind.CADENCE_AGREED, interval=60 * MINUTE)]
    clock = next_update(events, "16:05:00")
    assert (clock.due_at, clock.segments[-1].reason) == (utc("17:00:00"), Reason.CADENCE_CHANGED)
    assert next_update([*events, update("16:50:00")], "16:50:00").due_at == utc("17:50:00")


def test_an_interval_agreed_in_the_update_itself() -> None:
    events = [P1, update("16:00:00", interval=30 * MINUTE)]
    assert next_update(events, "16:00:00").due_at == utc("16:30:00")


def test_what_was_agreed_ends_with_a_new_severity_and_with_a_reopening() -> None:
    agreed = [P1, update("16:00:00", interval=60 * MINUTE)]
    changed = [*agreed, severity("16:10:00", "P2"), severity("16:20:00", "P1")]
    assert next_update(changed, "16:20:00").due_at == utc("16:35:00")
    reopened = [*agreed, happened("16:10:00", EventKind.RESOLVED), happened("18:00:00", EventKind.REOPENED)]
    assert next_update(reopened, "18:00:00").due_at == utc("18:15:00")


def test_resolved_closes_the_last_cycle_and_opens_no_other() -> None:
    seen = clocks([P1, update("14:06:00"), happened("14:18:00", EventKind.RESOLVED)], utc("20:00:00"))
    assert results(seen, NEXT_UPDATE) == [("14:15", "met"), ("14:21", "met")]


def test_resolved_with_the_last_update_in_the_same_second_no_further_one_counts() -> None:
    seen = clocks([P1, update("14:06:00"), happened("14:06:00", EventKind.RESOLVED)], utc("20:00:00"))
    assert results(seen, NEXT_UPDATE) == [("14:15", "met"), ("14:21", "cancelled")]


def test_an_update_during_a_hold_is_met_and_the_next_one_waits() -> None:
    events = [
        received("08:00:00", "P2", M),
        happened("08:10:00", EventKind.RESPONDED),
        happened("08:30:00", EventKind.HOLD_STARTED, hold="customer"),
        update("09:00:00"),
        happened("10:00:00", EventKind.HOLD_ENDED, hold="customer"),
    ]
    held = clocks(events, utc("09:30:00"))
    assert [clock.state for clock in cycles(held, NEXT_UPDATE)] == [State.MET, State.PAUSED]
    waiting = cycle(held, NEXT_UPDATE)
    assert (waiting.remaining, waiting.held_since) == (60 * MINUTE, utc("09:00:00"))
    resumed = clocks([*events, update("10:30:00")], utc("10:30:00"))
    assert results(resumed, NEXT_UPDATE) == [("09:40", "met"), ("11:00", "met"), ("11:30", "running")]
    assert [len(clock.holds) for clock in cycles(resumed, NEXT_UPDATE)] == [1, 1, 0]


def test_a_silent_day_is_ninety_six_missed_slots() -> None:
    seen = clocks([P1], utc("2026-06-12T14:00:00Z"))
    states = [clock.state for clock in cycles(seen, NEXT_UPDATE)]
    assert states == [State.MISSED] * 95 + [State.RUNNING]


def test_updates_after_the_end_open_nothing() -> None:
    ended = [P1, update("14:06:00"), happened("14:18:00", EventKind.RESOLVED)]
    assert clocks([*ended, update("14:30:00")], utc("20:00:00")) == clocks(ended, utc("20:00:00"))

"""Who takes it, who gives it back, and what else changes a running chain: pagers, severities, downtime."""

from __future__ import annotations

from datetime import timedelta

import pytest

from rotations.escalation import Event, EventKind, Pager, Policy, State, Status, Target, decide, next_due, replay
from rotations.escalation import effects as fx
from rotations.escalation.defaults import P1
from tests.rotations.escalation_cast import (
    T,
    Team,
    after,
    chain,
    clock,
    firings,
    full_team,
    happens,
    minutes,
    pages,
    start,
    story,
    told,
)


def skips(effects) -> list[tuple[str, str, str]]:
    return [(clock(skip.at), skip.person, str(skip.why)) for skip in told(effects, fx.Skipped)]


def has_it(ran) -> tuple[tuple[str, ...], tuple[str, ...]]:
    return ran.state.ackers, ran.state.responders


# Taking it and giving it back (ESC-8 to ESC-10)


def test_the_first_acknowledgement_counts_and_later_ones_join():
    ran = story(P1, full_team(), happens("ack", "1:00", "bob"), happens("ack", "2:00", "ada"), until="3:00")
    assert has_it(ran) == (("bob",), ("ada",))
    assert [(ack.person, ack.claimed, ack.joined) for ack in told(ran.effects, fx.Acknowledged)] == [
        ("bob", False, False),
        ("ada", True, True),
    ]


def test_only_the_acker_keeps_the_acknowledgement_alive():
    events = (happens("ack", "1:00", "bob"), happens("ack", "2:00", "ada"), happens("activity", "20:00", "ada"))
    ran = story(P1, full_team(), *events, until="30:00")
    assert clock(next_due(ran.policy, ran.state, full_team())) == "31:00"
    pressed_again = decide(P1, ran.state, happens("ack", "25:00", "bob"), full_team()).state
    assert clock(next_due(P1, pressed_again, full_team())) == "55:00"


def test_an_acknowledgement_that_ran_out_leaves_nothing_behind():
    """The chain starts again as it did at first: first pass, nobody in charge, the manager ready to stand in."""
    policy = chain(("neighbour", 1), ("primary", 1), repeat=1, ack_timeout=minutes(10))
    events = happens("ack", "1:30", "carol"), happens("ack", "2:00", "ada")
    ran = story(policy, Team(), *events, until="11:31")
    assert firings(ran)[-2:] == [("11:30", 1, 1), ("11:30", 1, 2)]
    assert pages(ran)[-3:] == [
        ("11:30", "dana", "no_target"),
        ("11:30", "bob", "primary"),
        ("11:30", "carol", "ack_timeout"),
    ]
    assert has_it(ran) == ((), ())


def test_a_responder_who_leaves_changes_nothing_but_an_acker_who_leaves_does():
    events = (happens("ack", "1:00", "bob"), happens("ack", "2:00", "ada"))
    ran = story(P1, full_team(), *events, happens("unack", "2:30", "ada"), until="2:59")
    assert has_it(ran) == (("bob",), ())
    assert ran.state.status is Status.ACKNOWLEDGED
    left = story(P1, full_team(), *events, happens("unack", "2:30", "bob"), until="2:59")
    assert left.state.status is Status.TRIGGERED
    assert pages(left)[-1] == ("2:30", "carol", "backup")


def test_whoever_handed_back_may_take_it_again():
    events = happens("ack", "1:00", "bob"), happens("unack", "2:00", "bob"), happens("ack", "3:00", "bob")
    ran = story(P1, full_team(), *events, until="4:00")
    assert (has_it(ran), ran.state.excluded) == ((("bob",), ()), ())


def test_who_joined_and_then_takes_it_is_the_acker_and_on_record_as_such():
    events = (
        happens("ack", "1:00", "bob"),
        happens("ack", "1:10", "ada"),
        happens("unack", "1:20", "bob"),
        happens("ack", "1:30", "ada"),
        happens("ack", "1:40", "bob"),
    )
    ran = story(P1, full_team(), *events, until="2:00")
    assert has_it(ran) == (("ada",), ("bob",))
    assert ran.state.excluded == ()
    assert [(ack.person, ack.joined) for ack in told(ran.effects, fx.Acknowledged)] == [
        ("bob", False),
        ("ada", True),
        ("ada", False),
        ("bob", True),
    ]


def test_the_last_resort_is_paged_whatever_they_said_before():
    policy = chain(("manager", 3))
    team = Team(others={"manager": ("dana",)})
    ran = story(policy, team, happens("ack", "1:00", "dana"), happens("unack", "2:00", "dana"), until="8:00")
    assert pages(ran)[1:] == [("2:00", "dana", "exhausted"), ("7:00", "dana", "exhausted")]


def test_when_two_have_to_acknowledge_one_is_not_enough_and_is_not_rung_again():
    policy = chain(("primary", 3), ("primary backup", 3), required_acks=2)
    ran = story(policy, Team(), happens("ack", "1:00", "bob"), until="3:30")
    assert ran.state.status is Status.TRIGGERED
    assert pages(ran) == [("0:00", "bob", "primary"), ("3:00", "carol", "backup")]
    assert skips(ran.effects) == [("3:00", "bob", fx.Why.ACKNOWLEDGED)]
    both = decide(policy, ran.state, happens("ack", "4:00", "carol"), Team()).state
    assert (both.status, both.ackers) == (Status.ACKNOWLEDGED, ("bob", "carol"))
    one_left = decide(policy, both, happens("unack", "5:00", "bob"), Team()).state
    assert one_left.ackers == ("carol",)
    assert one_left.status in (Status.TRIGGERED, Status.EXHAUSTED)


def test_calling_for_help_asks_for_somebody_new_and_does_not_ring_who_called():
    events = happens("ack", "1:00", "bob"), happens("escalate", "2:00", "bob")
    ran = story(P1, full_team(), *events, until="4:00")
    assert pages(ran)[1:] == [("2:00", "carol", "backup")]
    assert ran.state.status is Status.TRIGGERED
    helped = decide(P1, ran.state, happens("ack", "4:00", "carol"), full_team()).state
    assert (helped.status, helped.ackers) == (Status.ACKNOWLEDGED, ("bob", "carol"))
    assert clock(next_due(P1, helped, full_team())) == "34:00"
    gone = decide(P1, helped, happens("unack", "5:00", "bob"), full_team()).state
    assert (gone.status, gone.ackers) == (Status.ACKNOWLEDGED, ("carol",))


def test_who_had_it_is_told_of_a_raise_even_if_no_step_of_the_new_policy_applies():
    never = Policy.from_spec(
        {"steps": [{"targets": ["primary"], "delay_seconds": 60, "condition": {"severities": ["P4"]}}]}
    )
    both = chain(("primary", 3), ("primary", 9), required_acks=2)
    events = happens("ack", "1:00", "bob"), happens("severity_up", "4:00", policy=never)
    assert pages(story(both, Team(), *events, until="4:30"))[1:] == [
        ("4:00", "dana", "exhausted"),
        ("4:00", "bob", "severity_up"),
    ]


# The pager of record (D14, ESC-17)

VENDOR = chain(("primary pagerduty", 3), ("backup", 3), ("person:ada", 3), pager=Pager.PAGERDUTY)


def test_the_vendor_rings_the_first_two_steps_and_we_take_over_at_the_third():
    ran = story(VENDOR, Team(), until="7:00")
    assert [(clock(page.at), page.person, page.pager) for page in ran.pages] == [
        ("0:00", "bob", Pager.PAGERDUTY),
        ("3:00", "carol", Pager.PAGERDUTY),
        ("6:00", "ada", Pager.INTERNAL),
    ]
    assert [clock(taken.at) for taken in told(ran.effects, fx.PagerTakenOver)] == ["6:00"]
    assert [str(sent.target) for sent in told(ran.effects, fx.Channel)] == ["pagerduty"]


def test_a_vendor_that_fails_is_replaced_at_once_and_its_pages_hold_back_none_of_ours():
    ran = story(VENDOR, Team(), happens("pager_failed", "0:40"), until="4:00")
    assert [(clock(page.at), page.person, page.pager) for page in ran.pages] == [
        ("0:00", "bob", Pager.PAGERDUTY),
        ("0:40", "bob", Pager.INTERNAL),
        ("3:00", "carol", Pager.INTERNAL),
    ]


def test_in_the_second_pass_it_is_ours_however_short_the_chain():
    short = chain(("primary pagerduty", 3), repeat=1, pager=Pager.PAGERDUTY)
    assert [page.pager for page in story(short, Team(), until="5:00").pages] == [Pager.PAGERDUTY, Pager.INTERNAL]


def test_a_vendor_that_fails_for_somebody_who_is_gone_moves_the_chain_on():
    team = Team()
    state = decide(VENDOR, State(), start(), team).state
    team.unreachable["bob"] = "phone switched off"
    failed = decide(VENDOR, state, happens("pager_failed", "0:40"), team)
    assert [(page.person, page.pager) for page in told(failed.effects, fx.Page)] == [
        ("dana", Pager.INTERNAL),
        ("carol", Pager.INTERNAL),
    ]


def test_after_a_reopening_the_vendor_has_its_chance_again():
    events = happens("pager_failed", "0:40"), happens("resolve", "1:00"), happens("reopen", "2:00")
    ran = story(VENDOR, Team(), *events, until="2:30")
    assert [page.pager for page in ran.pages] == [Pager.PAGERDUTY, Pager.INTERNAL, Pager.PAGERDUTY]


def test_a_person_the_vendor_rang_does_not_merely_claim():
    ran = story(VENDOR, Team(), happens("ack", "1:00", "bob"), until="2:00")
    assert [ack.claimed for ack in told(ran.effects, fx.Acknowledged)] == [False]


def test_the_fallback_manager_is_always_ours_to_ring():
    ran = story(VENDOR, Team(shifts=[(T, None, "carol")]), until="1:00")
    assert [(page.person, page.pager) for page in ran.pages] == [("dana", Pager.INTERNAL), ("carol", Pager.PAGERDUTY)]


# Severity (ESC-11)


def test_a_lowered_severity_goes_on_from_the_same_step_with_the_new_wait():
    slow = chain(("primary", 10), ("person:ada", 10), ("person:zoe", 10))
    ran = story(P1, full_team(), happens("severity_down", "4:00", policy=slow, severity="P2"), until="14:00")
    assert [page for page in pages(ran) if page[0] not in ("0:00", "3:00")] == [("13:00", "zoe", "person")]
    assert (ran.policy, ran.state.severity) == (slow, "P2")


def test_a_lowered_severity_waits_by_the_step_that_fired_and_repeats_from_a_shorter_chain():
    uneven = chain(("primary", 1), ("person:ada", 4), ("person:zoe", 9))
    longer = chain(("primary", 7), ("person:ada", 5), ("person:eve", 9))
    short = chain(("person:eve", 20), repeat=1)
    once = happens("severity_down", "2:00", policy=longer)
    assert pages(story(uneven, Team(), once, until="7:00"))[2:] == [("6:00", "eve", "person")]
    twice = happens("severity_down", "3:00", policy=short)
    ran = story(uneven, Team(), once, twice, happens("severity_down", "4:00", policy=short), until="21:30")
    assert pages(ran)[2:] == [("21:00", "eve", "person")]
    assert ran.state.pass_number == 2


def test_a_raise_asks_even_those_who_handed_back():
    events = happens("ack", "1:00", "bob"), happens("unack", "1:10", "bob"), happens("severity_up", "1:20", policy=P1)
    assert pages(story(P1, full_team(), *events, until="2:00"))[-1] == ("1:20", "bob", "primary")


def test_a_lowered_severity_with_a_shorter_wait_does_not_fire_into_the_past():
    slow, quick = chain(("primary", 60), ("person:ada", 60)), chain(("primary", 1), ("person:zoe", 1))
    ran = story(slow, Team(), happens("severity_down", "30:00", policy=quick), until="30:30")
    assert pages(ran) == [("0:00", "bob", "primary"), ("30:00", "zoe", "person")]


def test_a_lowered_severity_keeps_the_acknowledgement_and_takes_the_new_timeout():
    patient = chain(("primary", 10), ack_timeout=minutes(90))
    ran = story(
        P1, full_team(), happens("ack", "1:00", "bob"), happens("severity_down", "2:00", policy=patient), until="3:00"
    )
    assert ran.state.status is Status.ACKNOWLEDGED
    assert clock(next_due(ran.policy, ran.state, full_team())) == "91:00"


# Downtime (ESC-13), restarts (ESC-4) and generations (ESC-12)


@pytest.mark.parametrize("woken", ["20:00", "25:00"])
def test_after_downtime_a_p3_fires_only_the_latest_overdue_step(woken):
    policy = chain(("primary", 10), ("backup", 10), ("person:ada", 10), ("person:zoe", 10))
    state = decide(policy, State(), start(severity="P3"), Team()).state
    late = decide(policy, state, happens("due", woken), Team())
    assert [page.person for page in told(late.effects, fx.Page)] == ["ada"]
    assert [(skip.step, skip.why) for skip in told(late.effects, fx.StepSkipped)] == [(2, fx.Why.OVERTAKEN)]
    assert clock(next_due(policy, late.state, Team())) == "30:00"


def test_a_p3_step_that_does_not_wait_fires_even_if_the_worker_is_a_moment_late():
    policy = chain(("primary", 10), ("backup", 0), ("person:ada", 10))
    state = decide(policy, State(), start(severity="P3"), Team()).state
    late = decide(policy, state, happens("due", "10:02"), Team())
    assert [page.person for page in told(late.effects, fx.Page)] == ["carol", "ada"]


def test_after_a_long_downtime_a_p3_still_fires_its_last_step_before_the_manager():
    policy = chain(("primary", 10), ("backup", 10))
    state = decide(policy, State(), start(severity="P3"), Team()).state
    late = decide(policy, state, happens("due", "95:00"), Team())
    assert [page.person for page in told(late.effects, fx.Page)] == ["carol", "dana"]


def test_missed_pages_of_the_manager_are_made_up_for_once_and_stay_on_their_grid():
    policy = chain(("primary", 3))
    state = story(policy, Team(), until="4:00").state
    late = decide(policy, state, happens("due", "24:10"), Team())
    assert [(clock(page.at), page.person) for page in told(late.effects, fx.Page)] == [("23:00", "dana")]
    assert clock(next_due(policy, late.state, Team())) == "28:00"


def test_people_are_asked_for_when_the_late_step_fires_not_when_it_was_planned():
    policy = chain(("primary", 3), ("backup", 3))
    team = Team(shifts=[(T, "bob", "carol"), (after("4:00"), "bob", "emil")])
    state = decide(policy, State(), start(), team).state
    late = decide(policy, state, happens("due", "5:00"), team)
    assert [(clock(page.at), page.person) for page in told(late.effects, fx.Page)] == [("3:00", "emil")]


def test_a_reopened_incident_is_a_new_generation_with_a_clean_slate():
    events = (
        happens("ack", "0:10", "bob"),
        happens("unack", "0:20", "bob"),
        happens("resolve", "0:30"),
        happens("reopen", "0:40"),
    )
    ran = story(P1, full_team(), *events, until="1:00")
    assert pages(ran)[-1] == ("0:40", "bob", "primary")
    assert (ran.state.generation, ran.state.excluded) == (3, ())


def test_the_recorded_events_lead_to_the_same_state_and_the_same_pages():
    """INV-3: timers are events too."""
    quick = chain(("primary", 1), ("backup", 1), ack_timeout=minutes(3))
    events = happens("ack", "3:30", "bob"), happens("severity_up", "7:00", policy=quick), happens("resolve", "9:00")
    ran = story(P1, full_team(), *events, until="10:00")
    again = replay(P1, full_team(), ran.events)
    assert (again.policy, again.state, again.effects) == (ran.policy, ran.state, ran.effects)
    assert [event.kind for event in ran.events] == ["start", "due", "ack", "severity_up", "due", "resolve"]


def test_an_early_worker_finds_nothing_to_do():
    state = decide(P1, State(), start(), full_team()).state
    early = decide(P1, state, Event(EventKind.DUE, after("3:00") - timedelta(microseconds=1)), full_team())
    assert (early.state, early.effects) == (state, ())


def test_a_stored_state_that_lost_its_instants_is_reported_not_ignored():
    broken = State(status=Status.TRIGGERED)
    with pytest.raises(ValueError, match="misses an instant"):
        next_due(P1, broken, full_team())


def test_a_target_is_asked_for_by_its_whole_name():
    team = Team(others={"schedule:db": ("ada",), "team:web": ("wim", "wanda")})
    ran = story(chain(("schedule:db team:web", 3)), team, until="1:00")
    assert [page.person for page in ran.pages] == ["ada", "wim", "wanda"]
    assert str(Target.parse("schedule:db")) == "schedule:db"

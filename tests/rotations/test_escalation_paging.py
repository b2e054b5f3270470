"""Who is rung, who is spared, and what happens when nobody is there (ESC-5 to ESC-7)."""

from __future__ import annotations

import pytest

from rotations.escalation import Policy, State, Status, decide, next_due
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

A_MINUTE_LESS_A_SECOND = 59 / 60


def skips(effects) -> list[tuple[str, str, str]]:
    return [(clock(skip.at), skip.person, str(skip.why)) for skip in told(effects, fx.Skipped)]


# One person, one page (ESC-6)


def test_somebody_named_by_several_targets_of_a_step_gets_one_page():
    ran = story(chain(("primary person:bob backup", 3)), Team(), until="3:00")
    assert pages(ran) == [("0:00", "bob", "primary"), ("0:00", "carol", "backup")]


@pytest.mark.parametrize(("delay", "times"), [(A_MINUTE_LESS_A_SECOND, ["0:00"]), (1, ["0:00", "1:00"])])
def test_the_pause_between_two_pages_is_a_minute(delay, times):
    ran = story(chain(("primary", delay), ("primary", 5)), Team(), until="2:00")
    assert [when for when, _, _ in pages(ran)] == times


def test_the_pause_counts_from_when_the_phone_rang_not_from_the_plan():
    team = full_team()
    state = decide(P1, State(), start(), team).state
    late = decide(P1, state, happens("due", "10:00"), team)
    assert [page.person for page in told(late.effects, fx.Page)] == [
        "carol",
        "bob",
        "dana",
        "erin",
        "sven",
        "susi",
        "hana",
    ]
    assert skips(late.effects) == [("10:00", "bob", fx.Why.JUST_PAGED)]


def test_a_raised_severity_does_not_spare_those_who_were_just_paged():
    ran = story(P1, full_team(), happens("severity_up", "0:20", policy=P1), until="1:00")
    assert pages(ran) == [("0:00", "bob", "primary"), ("0:20", "bob", "primary")]


# Shift changes (ESC-5)


def team_with_change(at: str, primary: str | None = "erin", backup: str | None = "emil") -> Team:
    team = full_team()
    team.shifts.append((after(at), primary, backup))
    return team


def test_a_step_at_the_instant_of_the_change_sees_the_new_shift_and_pages_it_once():
    ran = story(chain(("primary", 3), ("backup primary", 3)), team_with_change("3:00"), until="6:00")
    assert pages(ran) == [("0:00", "bob", "primary"), ("3:00", "erin", "shift_change"), ("3:00", "emil", "backup")]
    assert skips(ran.effects) == [("3:00", "erin", fx.Why.JUST_PAGED)]


def test_the_shift_may_change_hands_and_back():
    team = team_with_change("1:00")
    team.shifts.append((after("2:30"), "bob", "carol"))
    ran = story(chain(("primary", 60)), team, until="10:00")
    assert pages(ran)[1:] == [("1:00", "erin", "shift_change"), ("2:30", "bob", "shift_change")]


def test_a_change_of_the_backup_alone_pages_nobody():
    ran = story(P1, team_with_change("1:00", "bob", "emil"), until="2:00")
    assert pages(ran) == [("0:00", "bob", "primary")]


def test_a_shift_that_ends_in_a_gap_pages_the_manager():
    ran = story(P1, team_with_change("1:00", None, None), until="2:00")
    assert pages(ran) == [("0:00", "bob", "primary"), ("1:00", "dana", "no_target")]
    assert [clock(gone.at) for gone in told(ran.effects, fx.NobodyOnCall)] == ["1:00"]


def test_a_change_that_passed_while_somebody_had_it_is_not_made_up_for():
    policy = chain(("primary", 3), ("person:ada", 3))
    events = happens("ack", "1:00", "bob"), happens("unack", "20:00", "bob")
    ran = story(policy, team_with_change("10:00"), *events, until="22:00")
    assert pages(ran)[1:] == [("20:00", "ada", "person")]


def test_pressing_escalate_before_a_late_worker_saw_the_change_does_not_lose_it():
    policy = chain(("primary", 3), ("person:ada", 3))
    team = team_with_change("1:00")
    state = decide(policy, State(), start(), team).state
    pressed = decide(policy, state, happens("escalate", "1:02"), team)
    assert [page.person for page in told(pressed.effects, fx.Page)] == ["ada"]
    woken = decide(policy, pressed.state, happens("due", "1:05"), team)
    assert [(page.person, page.reason) for page in told(woken.effects, fx.Page)] == [("erin", "shift_change")]


def test_a_fresh_primary_needs_no_relief():
    team = team_with_change("1:00", "erin", "emil")
    ran = story(P1, team, started=start(backup_first=True), until="2:00")
    assert pages(ran) == [("0:00", "carol", "backup"), ("1:00", "erin", "shift_change")]
    assert not ran.state.backup_first


def test_backup_and_primary_change_places_in_the_first_two_steps_only():
    policy = chain(("primary", 3), ("backup", 3), ("primary", 3), ("backup", 3))
    ran = story(policy, full_team(), started=start(backup_first=True), until="10:00")
    assert [person for _, person, _ in pages(ran)] == ["carol", "bob", "bob", "carol"]


# Nobody (ESC-7, D12)


def test_a_chain_that_reaches_nobody_is_exhausted_at_once_and_the_manager_is_paged_again_and_again():
    ran = story(chain(("primary", 3), ("backup", 3), repeat=5), Team(shifts=[(T, None, None)]), until="10:01")
    assert pages(ran) == [("0:00", "dana", "no_target"), ("5:00", "dana", "exhausted"), ("10:00", "dana", "exhausted")]
    assert [clock(gone.at) for gone in told(ran.effects, fx.Exhausted)] == ["0:00"]


def test_a_chain_for_ever_with_nobody_in_it_does_not_spin():
    team = Team(shifts=[(T, None, None)], others={"manager": ("dana",)}, unreachable={"dana": "no verified phone"})
    ran = story(chain(("primary", 3), ("manager", 3), repeat=-1), team, until="6:00")
    assert ran.state.status is Status.EXHAUSTED
    assert firings(ran) == [("0:00", 1, 1), ("0:00", 1, 2)]


def test_a_chain_for_ever_whose_people_all_leave_does_not_spin_either():
    team = Team(others={"manager": ("dana",)})
    policy = chain(("primary", 3), ("manager", 3), repeat=-1)
    state = story(policy, team, until="10:00").state
    team.shifts, team.unreachable = [(T, None, None)], {"dana": "phone switched off"}
    emptied = decide(policy, state, happens("due", "12:00"), team)
    assert emptied.state.status is Status.EXHAUSTED
    assert [(fired.pass_number, fired.step) for fired in told(emptied.effects, fx.StepFired)] == [(3, 1), (3, 2)]


def test_in_every_pass_the_manager_stands_in_once():
    ran = story(chain(("neighbour", 3), ("seniors", 3), ("primary", 3), repeat=1), Team(), until="5:00")
    assert pages(ran) == [
        ("0:00", "dana", "no_target"),
        ("0:00", "bob", "primary"),
        ("3:00", "dana", "no_target"),
        ("3:00", "bob", "primary"),
    ]
    assert len(told(ran.effects, fx.NobodyOnCall)) == 4


def test_without_any_manager_the_silence_is_on_record_every_time():
    ran = story(chain(("primary", 3)), Team(shifts=[(T, None, None)], manager=None), until="10:01")
    assert pages(ran) == []
    nobody = told(ran.effects, fx.NobodyOnCall)
    assert [(clock(gone.at), gone.fallback) for gone in nobody] == [
        ("0:00", None),
        ("0:00", None),
        ("5:00", None),
        ("10:00", None),
    ]
    assert next_due(ran.policy, ran.state, Team(shifts=[(T, None, None)])) == after("15:00")


def test_the_next_shift_is_paged_even_after_the_chain_is_exhausted():
    team = Team(shifts=[(T, None, None), (after("7:00"), "erin", None)])
    ran = story(chain(("primary", 3)), team, until="9:00")
    assert pages(ran)[-1] == ("7:00", "erin", "shift_change")


def test_channels_are_told_but_are_not_somebody():
    ran = story(chain(("channel:#ops", 3), ("primary", 3)), Team(), until="1:00")
    assert [str(sent.target) for sent in told(ran.effects, fx.Channel)] == ["channel:#ops"]
    assert pages(ran) == [("0:00", "dana", "no_target"), ("0:00", "bob", "primary")]


def test_who_cannot_be_reached_is_on_record_with_the_reason():
    team = Team(unreachable={"bob": "no verified phone"})
    ran = story(chain(("primary backup", 3)), team, until="1:00")
    assert pages(ran) == [("0:00", "carol", "backup")]
    assert skips(ran.effects) == [("0:00", "bob", "no verified phone")]


def test_a_person_lost_while_another_still_rings_does_not_hurry_the_chain():
    policy = chain(("primary backup", 3), ("person:ada", 3))
    ran = story(policy, Team(), happens("unreachable", "0:30", "bob"), until="2:00")
    assert [person for _, person, _ in pages(ran)] == ["bob", "carol"]
    lost = decide(policy, ran.state, happens("unreachable", "2:00", "carol"), Team())
    assert [page.person for page in told(lost.effects, fx.Page)] == ["dana", "ada"]


def test_whoever_comes_on_duty_is_being_rung_too():
    policy = chain(("primary", 30), ("person:ada", 3))
    ran = story(policy, team_with_change("1:00"), happens("unreachable", "2:00", "bob"), until="5:00")
    assert [person for _, person, _ in pages(ran)] == ["bob", "erin"]


def test_whoever_had_it_before_is_being_rung_too():
    policy = chain(("primary", 30), ("person:ada", 3), ack_timeout=minutes(10))
    events = happens("ack", "1:00", "carol"), happens("unreachable", "12:00", "bob")
    ran = story(policy, Team(), *events, until="15:00")
    assert [person for _, person, _ in pages(ran)] == ["bob", "bob", "carol"]


# Conditions


def test_a_step_whose_condition_does_not_hold_is_skipped_without_waiting_and_without_the_manager():
    spec = {
        "steps": [
            {
                "targets": ["seniors"],
                "delay_seconds": 60,
                "condition": {"from": "22:00", "to": "06:00", "zone": "Europe/Berlin"},
            },
            {"targets": ["primary"], "delay_seconds": 60},
        ]
    }
    policy = Policy.from_spec(spec)
    by_day = story(policy, full_team(), until="0:30")
    assert pages(by_day) == [("0:00", "bob", "primary")]
    assert [(skip.step, skip.why) for skip in told(by_day.effects, fx.StepSkipped)] == [(1, fx.Why.CONDITION)]
    by_night = story(policy, full_team(), until="12:00:30", started=start(after("12:00:00")))
    assert [page.person for page in by_night.pages] == ["sven", "susi"]

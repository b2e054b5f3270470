"""The worked examples of the specification, by their numbers (domain §5.4 and R-24)."""

from __future__ import annotations

import pytest

from rotations.escalation import State, Status, check_people, decide, next_due
from rotations.escalation import effects as fx
from rotations.escalation.defaults import P1, P2, P3
from tests.rotations.escalation_cast import (
    T,
    Team,
    after,
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


def test_e01_nobody_answers_and_the_chain_runs_three_times_then_the_manager_is_paged_for_ever():
    ran = story(P1, full_team(), until="50:00")
    assert [when for when, pass_number, _ in firings(ran) if pass_number == 1] == ["0:00", "3:00", "6:00", "8:00"]
    assert [when for when, pass_number, _ in firings(ran) if pass_number == 2] == ["10:00", "13:00", "16:00", "18:00"]
    assert [when for when, pass_number, _ in firings(ran) if pass_number == 3] == ["20:00", "23:00", "26:00", "28:00"]
    assert [clock(gone.at) for gone in told(ran.effects, fx.Exhausted)] == ["30:00"]
    assert [page for page in pages(ran) if page[2] == "exhausted"] == [
        ("30:00", "dana", "exhausted"),
        ("35:00", "dana", "exhausted"),
        ("40:00", "dana", "exhausted"),
        ("45:00", "dana", "exhausted"),
    ]
    assert ran.state.status is Status.EXHAUSTED


def test_e01_the_first_pass_pages_everybody_the_table_names():
    ran = story(P1, full_team(), until="10:00")
    assert pages(ran) == [
        ("0:00", "bob", "primary"),
        ("3:00", "carol", "backup"),
        ("3:00", "bob", "primary"),
        ("6:00", "dana", "emergency_phone"),
        ("6:00", "erin", "neighbour"),
        ("8:00", "sven", "seniors"),
        ("8:00", "susi", "seniors"),
        ("8:00", "hana", "head_of_support"),
    ]


def test_e02_an_acknowledgement_at_2_50_keeps_step_2_from_firing_and_holds_for_half_an_hour():
    ran = story(P1, full_team(), happens("ack", "2:50", "bob"), until="30:00")
    assert firings(ran) == [("0:00", 1, 1)]
    assert clock(next_due(ran.policy, ran.state, full_team())) == "32:50"


def test_e03_at_the_very_instant_of_step_2_the_acknowledgement_wins():
    ran = story(P1, full_team(), happens("ack", "3:00", "bob"), until="10:00")
    assert firings(ran) == [("0:00", 1, 1)]
    assert ran.state.status is Status.ACKNOWLEDGED


def test_e04_the_next_shift_is_paged_when_it_begins_and_the_step_timer_is_left_alone():
    team = full_team()
    team.others["neighbour"] = ("amy",)
    team.shifts = [(T - minutes(60), "akira", "aiko"), (after("1:30"), "erin", "emil")]
    ran = story(P1, team, until="6:30")
    assert pages(ran) == [
        ("0:00", "akira", "primary"),
        ("1:30", "erin", "shift_change"),
        ("3:00", "emil", "backup"),
        ("3:00", "erin", "primary"),
        ("6:00", "dana", "emergency_phone"),
        ("6:00", "amy", "neighbour"),
    ]


def test_e05_in_a_gap_the_manager_is_paged_at_once_and_empty_steps_do_not_wait():
    team = full_team()
    team.shifts = [(T.replace(hour=0), None, None)]
    ran = story(P1, team, until="6:30")
    assert pages(ran) == [
        ("0:00", "dana", "no_target"),
        ("0:00", "erin", "neighbour"),
        ("2:00", "sven", "seniors"),
        ("2:00", "susi", "seniors"),
        ("2:00", "hana", "head_of_support"),
        ("4:00", "dana", "no_target"),
        ("4:00", "erin", "neighbour"),
        ("6:00", "sven", "seniors"),
        ("6:00", "susi", "seniors"),
        ("6:00", "hana", "head_of_support"),
    ]
    assert [(clock(gone.at), gone.step, gone.fallback) for gone in told(ran.effects, fx.NobodyOnCall)] == [
        ("0:00", 1, "dana"),
        ("0:00", 2, "dana"),
        ("4:00", 1, "dana"),
        ("4:00", 2, "dana"),
    ]
    just_paged = [skip for skip in told(ran.effects, fx.Skipped) if skip.why == fx.Why.JUST_PAGED]
    assert [(clock(skip.at), skip.person, skip.step) for skip in just_paged] == [
        ("0:00", "dana", 3),
        ("4:00", "dana", 3),
    ]


def test_e06_half_an_hour_after_the_last_activity_the_chain_starts_again_with_the_acker():
    team = full_team()
    team.shifts.append((after("60:00"), "ben", "berta"))
    events = happens("ack", "65:00", "carol"), happens("activity", "72:00", "carol")
    ran = story(P1, team, *events, until="103:00")
    assert pages(ran)[-2:] == [("102:00", "ben", "primary"), ("102:00", "carol", "ack_timeout")]
    assert [(clock(gone.at), gone.people) for gone in told(ran.effects, fx.AckExpired)] == [("102:00", ("carol",))]
    assert ran.state.status is Status.TRIGGERED


def test_e07_a_p3_that_becomes_a_p1_pages_step_1_and_whoever_had_it():
    raised = happens("severity_up", "60:00", severity="P1", policy=P1)
    ran = story(P3, full_team(), happens("ack", "20:00", "carol"), raised, until="63:01", started=start(severity="P3"))
    assert pages(ran)[1:] == [
        ("60:00", "bob", "primary"),
        ("60:00", "carol", "severity_up"),
        ("63:00", "carol", "backup"),
        ("63:00", "bob", "primary"),
    ]
    assert (ran.policy, ran.state.severity) == (P1, "P1")


def test_e08_after_downtime_overdue_steps_fire_at_once_and_the_next_keeps_its_planned_instant():
    team = full_team()
    state = decide(P1, State(), start(), team).state
    late = decide(P1, state, happens("due", "7:30"), team)
    assert [(clock(fired.at), fired.step) for fired in told(late.effects, fx.StepFired)] == [("3:00", 2), ("6:00", 3)]
    assert [page.person for page in told(late.effects, fx.Page)] == ["carol", "bob", "dana", "erin"]
    assert clock(next_due(P1, late.state, team)) == "8:00"


def test_e09_a_job_of_an_old_generation_does_nothing():
    team = full_team()
    before = story(P1, team, until="5:00").state
    resolved = decide(P1, before, happens("resolve", "5:00"), team).state
    late = decide(P1, resolved, happens("due", "6:00", generation=before.generation), team)
    assert late.state == resolved
    assert late.effects == ()
    reopened = decide(P1, resolved, happens("reopen", "6:00"), team).state
    assert decide(P1, reopened, happens("due", "30:00", generation=before.generation), team).effects == ()


def test_e10_one_person_in_two_roles_is_paged_for_each_and_the_policy_is_warned_about():
    team = Team(shifts=[(T.replace(hour=0), "dana", "carol")], others={"emergency_phone": ("dana",)})
    ran = story(P1, team, until="7:00")
    assert [page for page in pages(ran) if page[1] == "dana"] == [
        ("0:00", "dana", "primary"),
        ("3:00", "dana", "primary"),
        ("6:00", "dana", "emergency_phone"),
    ]
    finding = check_people(P1, who=lambda target: team.resolve(target, T).people)
    assert not finding.passes
    assert "2 < 3" in finding.text


def test_e11_who_hands_back_is_left_out_and_the_next_step_fires_now():
    ran = story(P1, full_team(), happens("ack", "3:30", "carol"), happens("unack", "4:00", "carol"), until="17:00")
    assert firings(ran)[2:] == [
        ("4:00", 1, 3),
        ("6:00", 1, 4),
        ("8:00", 2, 1),
        ("11:00", 2, 2),
        ("14:00", 2, 3),
        ("16:00", 2, 4),
    ]
    assert [page for page in pages(ran) if page[1] == "carol"] == [("3:00", "carol", "backup")]
    assert [skip.why for skip in told(ran.effects, fx.Skipped) if skip.person == "carol"] == [fx.Why.HANDED_BACK]


def test_e12_a_failing_message_changes_nothing_here_until_no_way_to_the_person_is_left():
    """The call that replaces a failed message is the page's own affair; the chain moves when nothing got through."""
    ran = story(P1, full_team(), happens("unreachable", "0:20", "bob"), until="3:00")
    assert pages(ran) == [
        ("0:00", "bob", "primary"),
        ("0:20", "dana", "no_target"),
        ("0:20", "carol", "backup"),
    ]
    assert [skip.person for skip in told(ran.effects, fx.Skipped)] == ["bob"]


@pytest.mark.parametrize(
    ("backup", "expected"),
    [
        ("carol", [("0:00", "carol", "backup"), ("3:00", "bob", "primary"), ("3:00", "carol", "backup")]),
        (None, [("0:00", "bob", "primary"), ("3:00", "bob", "primary")]),
    ],
)
def test_r24_a_primary_who_had_enough_is_paged_second_unless_there_is_no_backup(backup, expected):
    team = full_team()
    team.shifts = [(T.replace(hour=0), "bob", backup)]
    ran = story(P1, team, until="5:00", started=start(backup_first=True))
    assert pages(ran) == expected
    exceptions = [(clock(kept.at), kept.step) for kept in told(ran.effects, fx.FatigueException)]
    assert exceptions == ([] if backup else [("0:00", 1)])


def test_the_default_p2_fires_at_0_5_and_15_minutes_and_once_again():
    ran = story(P2, full_team(), until="61:00", started=start(severity="P2"))
    assert [when for when, _, _ in firings(ran)] == ["0:00", "5:00", "15:00", "30:00", "35:00", "45:00"]
    assert [clock(gone.at) for gone in told(ran.effects, fx.Exhausted)] == ["60:00"]

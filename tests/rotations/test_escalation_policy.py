"""Policies as managers write them: what is read, what is refused, what is checked on saving."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from rotations.escalation import Condition, Policy, check_people, check_reach, reach
from rotations.escalation.defaults import DEFAULTS, P1, P2
from tests.rotations.escalation_cast import chain, minutes


def spec(**fields: object) -> dict:
    return {"steps": [{"targets": ["primary"], "delay_seconds": 180}], **fields}


def step(**fields: object) -> dict:
    return spec(steps=[{"targets": ["primary"], "delay_seconds": 180, **fields}])


@pytest.mark.parametrize("severity", DEFAULTS)
def test_the_default_policies_survive_their_stored_form(severity):
    assert Policy.from_spec(DEFAULTS[severity].to_spec()) == DEFAULTS[severity]


def test_everything_a_policy_can_say_survives_its_stored_form():
    night = {"from": "22:00", "to": "06:30", "weekdays": [0, 4], "zone": "Europe/Berlin", "severities": ["P1", "P2"]}
    full = {
        "name": "Nights",
        "version": 7,
        "steps": [
            {
                "targets": ["primary", "person:ada", "channel:#ops", "pagerduty:web"],
                "delay_seconds": 90,
                "condition": night,
            }
        ],
        "repeat": 3,
        "ack_timeout_seconds": 600,
        "exhausted_every_seconds": 120,
        "required_acks": 2,
        "pager": "internal",
    }
    assert Policy.from_spec(full).to_spec() == full


def test_what_is_not_said_has_the_usual_value():
    policy = Policy.from_spec(spec())
    assert (policy.repeat, policy.required_acks, policy.exhausted_every) == (0, 1, minutes(5))
    timeouts = [Policy.from_spec(spec(), severity=severity).ack_timeout for severity in ("P1", "P2", "P3")]
    assert timeouts == [minutes(30), minutes(60), timedelta(hours=24)]


@pytest.mark.parametrize(
    ("wrong", "path"),
    [
        ([], "policy: expected an object"),
        ({}, "policy.steps: this field is missing"),
        (spec(colour="red"), "policy.colour: not a known field"),
        (spec(steps=[]), "policy.steps: a policy needs"),
        (spec(steps="primary"), "policy.steps: expected a list"),
        (step(targets=[]), r"policy.steps\[0\].targets: a step needs"),
        (step(targets=["primery"]), r"policy.steps\[0\].targets\[0\]: expected one of"),
        (step(targets=["person"]), r"policy.steps\[0\].targets\[0\]: person needs a name"),
        (step(targets=["primary:bob"]), r"policy.steps\[0\].targets\[0\]: primary takes no name"),
        (step(targets=[7]), r"policy.steps\[0\].targets\[0\]: expected a text"),
        (step(delay_seconds=-1), r"policy.steps\[0\].delay_seconds: expected a whole number"),
        (step(delay_seconds=True), r"policy.steps\[0\].delay_seconds: expected a whole number"),
        (step(delay_seconds=10**12), r"policy.steps\[0\].delay_seconds: expected a whole number"),
        (step(condition={"zone": "Berlin"}), r"policy.steps\[0\].condition.zone: 'Berlin' is not a known"),
        (step(condition={"weekdays": [7]}), r"policy.steps\[0\].condition.weekdays\[0\]: expected"),
        (step(condition={"severities": ["P5"]}), r"policy.steps\[0\].condition.severities\[0\]: expected"),
        (step(condition={"from": "22:00"}), r"policy.steps\[0\].condition.to: expected a time"),
        (step(condition={"from": "9:00", "to": "09:00"}), r"policy.steps\[0\].condition.to: a window needs"),
        (spec(repeat=-2), "policy.repeat: expected"),
        (spec(repeat=-1), "policy.repeat: -1 needs a step that always pages a manager"),
        (spec(ack_timeout_seconds=0), "policy.ack_timeout_seconds: expected"),
        (spec(required_acks=0), "policy.required_acks: expected"),
        (spec(pager="fax"), "policy.pager: expected one of"),
        (spec(pager="pagerduty"), r"policy.steps\[0\].targets: the pager of record has to be told"),
        (spec(name=""), "policy.name: expected a text"),
    ],
)
def test_what_is_wrong_is_named_by_its_path(wrong, path):
    with pytest.raises(ValueError, match=f"^{path}"):
        Policy.from_spec(wrong)


def test_a_chain_for_ever_needs_a_manager_who_is_always_paged():
    assert chain(("primary", 3), ("duty_manager", 3), repeat=-1).repeat == -1
    only_sometimes = {"targets": ["manager"], "delay_seconds": 60, "condition": {"weekdays": [5, 6]}}
    with pytest.raises(ValueError, match="manager"):
        Policy.from_spec(spec(steps=[only_sometimes], repeat=-1))


@pytest.mark.parametrize(
    ("fields", "complaint"),
    [({"required_acks": 0}, "acks"), ({"repeat": -3}, "repeat"), ({"ack_timeout": minutes(0)}, "ack_timeout")],
)
def test_a_policy_made_in_code_is_held_to_the_same_rules(fields, complaint):
    with pytest.raises(ValueError, match=complaint):
        chain(("primary", 3), **fields)
    with pytest.raises(ValueError, match="delay"):
        chain(("primary", -1))


@pytest.mark.parametrize(
    ("condition", "at", "holds"),
    [
        ({}, "2026-06-10T03:00Z", True),
        ({"severities": ["P1"]}, "2026-06-10T03:00Z", True),
        ({"severities": ["P2"]}, "2026-06-10T03:00Z", False),
        ({"from": "09:00", "to": "17:00"}, "2026-06-10T09:00Z", True),
        ({"from": "09:00", "to": "17:00"}, "2026-06-10T17:00Z", False),
        ({"from": "22:00", "to": "06:00"}, "2026-06-10T05:59Z", True),
        ({"from": "22:00", "to": "06:00"}, "2026-06-10T22:00Z", True),
        ({"from": "22:00", "to": "06:00"}, "2026-06-10T12:00Z", False),
        ({"from": "09:00", "to": "17:00", "zone": "Asia/Tokyo"}, "2026-06-10T00:00Z", True),
        ({"weekdays": [2]}, "2026-06-10T03:00Z", True),  # a Wednesday
        ({"weekdays": [2], "zone": "America/New_York"}, "2026-06-10T03:00Z", False),  # still Tuesday there
        # Berlin puts the clocks back at 01:00Z: half past two happens twice, and both times count
        ({"from": "02:00", "to": "03:00", "zone": "Europe/Berlin"}, "2026-10-25T00:30Z", True),
        ({"from": "02:00", "to": "03:00", "zone": "Europe/Berlin"}, "2026-10-25T01:30Z", True),
        ({"from": "02:00", "to": "03:00", "zone": "Europe/Berlin"}, "2026-10-25T02:30Z", False),
    ],
)
def test_a_condition_reads_the_wall_clock_of_its_zone(condition, at, holds):
    instant = datetime.fromisoformat(at).astimezone(UTC)
    assert Condition.from_spec(condition).holds(instant, "P1") is holds


# How soon it reaches how many (ESC-1)


def test_the_default_p1_reaches_its_last_new_person_exactly_in_time():
    finding = check_reach(P1, minutes(10))
    assert finding.passes
    assert finding.text == (
        "Step 4 pages the last new person at T+8:00. 80 % of the first-response target of 10:00 is T+8:00: in time."
    )
    assert check_reach(P2, minutes(30), "P2").passes


def test_five_minutes_a_step_is_too_slow_for_a_p1():
    slow = chain(("primary", 5), ("backup primary", 5), ("duty_manager neighbour", 5), ("seniors", 5))
    finding = check_reach(slow, minutes(10))
    assert not finding.passes
    assert "T+15:00" in finding.text
    assert "too late" in finding.text


def test_a_policy_of_channels_reaches_nobody():
    finding = check_reach(chain(("channel:#ops", 1)), minutes(10))
    assert (finding.passes, finding.text) == (False, "No step pages a person: channels alone do not count.")


def test_reach_counts_each_person_once_when_they_are_paged_first():
    assert [(r.person, r.step, r.after) for r in reach(P1)] == [
        ("primary", 1, minutes(0)),
        ("backup", 2, minutes(3)),
        ("duty_manager", 3, minutes(6)),
        ("neighbour", 3, minutes(6)),
        ("seniors", 4, minutes(8)),
        ("head_of_support", 4, minutes(8)),
    ]


def test_steps_for_another_severity_do_not_wait_and_do_not_count():
    steps = [
        {"targets": ["team:night"], "delay_seconds": 300, "condition": {"severities": ["P2"]}},
        {"targets": ["primary"], "delay_seconds": 60},
    ]
    policy = Policy.from_spec({"steps": steps})
    assert [(r.person, r.after) for r in reach(policy, "P1")] == [("primary", minutes(0))]
    assert [(r.person, r.after) for r in reach(policy, "P2")] == [("team:night", minutes(0)), ("primary", minutes(5))]


def test_with_the_people_at_hand_reach_counts_people_not_roles():
    finding = check_people(P1, who=lambda target: ("dana",) if target.kind != "backup" else ("carol",))
    assert (finding.passes, finding.text) == (False, "This policy reaches 2 different people: 2 < 3.")
    assert check_people(P1).passes
    assert check_people(chain(("primary backup", 3), ("duty_manager", 3))).text == (
        "This policy reaches 3 different people: 3 ≥ 3."
    )

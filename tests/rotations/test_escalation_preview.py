"""The what-if as a case in JSON: the worked examples once more, from the outside."""

from __future__ import annotations

import json
from copy import deepcopy

import pytest

from rotations.escalation.defaults import P1
from rotations.escalation_preview import preview

BERLIN = {
    "layers": [
        {
            "name": "Berlin",
            "time_zone": "Europe/Berlin",
            "rotation": {"unit": "weekly", "every": 1, "anchor": "2026-05-04T09:00", "ring": ["ada", "ben", "cem"]},
        }
    ]
}
CASE = {
    "policy": {
        "steps": [
            {"targets": ["primary", "channel:#ops"], "delay_seconds": 180},
            {"targets": ["backup", "primary"], "delay_seconds": 180},
            {"targets": ["duty_manager", "neighbour"], "delay_seconds": 120},
        ],
        "repeat": 1,
    },
    "schedule": BERLIN,
    "manager": "dana",
    "start": "2026-05-06T10:00:00Z",
    "until": "2026-05-06T10:20:00Z",
    "events": [],
}


def site(name: str, zone: str, opens: str, closes: str, ring: list[str]) -> dict:
    daily = {"unit": "daily", "every": 1, "anchor": f"2026-01-01T{opens}", "ring": ring}
    return {"name": name, "time_zone": zone, "window": [opens, closes], "rotation": daily}


TIGHT = {
    "layers": [
        site("APAC", "Asia/Tokyo", "09:00", "17:00", ["akira"]),
        site("EMEA", "Europe/Berlin", "09:00", "17:00", ["bob"]),
        site("AMER", "America/New_York", "11:00", "19:00", ["erin"]),
    ]
}


def case(**changes: object) -> dict:
    return {**deepcopy(CASE), **changes}


def happened(at: str, kind: str, person: str = "", **more: object) -> dict:
    return {"at": f"2026-05-06T{at}Z", "type": kind, **({"person": person} if person else {}), **more}


def lines(result: dict) -> list[str]:
    return [f"{page['at'][11:-1]} {page['step']} {page['person']} {page['reason']}" for page in result["pages"]]


def test_nobody_answers():
    result = preview(case())
    assert lines(result) == [
        "10:00:00 1 ada primary",
        "10:03:00 2 ben backup",
        "10:03:00 2 ada primary",
        "10:06:00 3 dana duty_manager",
        "10:08:00 1 ada primary",
        "10:11:00 2 ben backup",
        "10:11:00 2 ada primary",
        "10:14:00 3 dana duty_manager",
        "10:16:00 3 dana exhausted",
    ]
    assert result["state"] == "exhausted"
    assert json.loads(json.dumps(result)) == result


def test_the_end_is_not_part_of_the_span():
    assert len(preview(case(until="2026-05-06T10:03:00Z"))["pages"]) == 1
    assert len(preview(case(until="2026-05-06T10:03:01Z"))["pages"]) == 3
    acked = preview(case(until="2026-05-06T10:02:00Z", events=[happened("10:02:00", "ack", "ada")]))
    assert acked["state"] == "triggered"


def test_an_acknowledgement_at_the_instant_of_a_step_wins():
    result = preview(case(events=[happened("10:03:00", "ack", "ada")]))
    assert (lines(result), result["state"]) == (["10:00:00 1 ada primary"], "acknowledged")


@pytest.mark.parametrize("kind", ["unack", "handback"])
def test_whoever_hands_back_is_left_out(kind):
    events = [happened("10:03:30", "ack", "ben"), happened("10:04:00", kind, "ben")]
    result = preview(case(events=events, until="2026-05-06T10:09:00Z"))
    assert lines(result)[3:] == ["10:04:00 3 dana duty_manager", "10:06:00 1 ada primary"]


def test_events_may_come_in_any_order():
    events = [happened("10:04:00", "resolve"), happened("10:01:00", "ack", "ada")]
    assert preview(case(events=events))["state"] == "resolved"
    assert preview(case(events=events[::-1])) == preview(case(events=events))


def test_an_acknowledgement_runs_out():
    policy = {**CASE["policy"], "ack_timeout_seconds": 600}
    result = preview(case(policy=policy, events=[happened("10:01:00", "ack", "ben")], until="2026-05-06T10:12:00Z"))
    assert lines(result)[1:] == ["10:11:00 1 ada primary", "10:11:00 1 ben ack_timeout"]


def test_a_raised_severity_starts_anew_with_whoever_had_it():
    events = [happened("10:01:00", "ack", "ben"), happened("10:01:30", "severity_up")]
    result = preview(case(severity="P3", events=events, until="2026-05-06T10:02:00Z"))
    assert lines(result)[1:] == ["10:01:30 1 ada primary", "10:01:30 1 ben severity_up"]
    own = {"steps": [{"targets": ["person:zoe"], "delay_seconds": 60}]}
    events[1] |= {"policy": own, "severity": "P1"}
    assert lines(preview(case(severity="P3", events=events, until="2026-05-06T10:02:00Z")))[1:] == [
        "10:01:30 1 zoe person",
        "10:01:30 1 ben severity_up",
    ]


def test_e05_a_gap_of_the_tight_schedule():
    steps = P1.to_spec()["steps"]
    result = preview(
        case(
            policy={"steps": steps, "repeat": 2},
            schedule=TIGHT,
            seniors=["sven"],
            start="2026-03-20T23:30:00Z",
            until="2026-03-20T23:35:00Z",
        )
    )
    assert lines(result) == [
        "23:30:00 1 dana no_target",
        "23:30:00 3 akira neighbour",
        "23:32:00 4 sven seniors",
        "23:34:00 1 dana no_target",
        "23:34:00 3 akira neighbour",
    ]


def test_r24_backup_first():
    result = preview(case(backup_first=True, until="2026-05-06T10:04:00Z"))
    assert lines(result) == ["10:00:00 1 ben backup", "10:03:00 2 ada primary", "10:03:00 2 ben backup"]


def test_a_whole_case_of_the_schedule_preview_will_do():
    schedule = {**BERLIN, "from": "2026-05-04T00:00:00Z", "until": "2026-05-11T00:00:00Z"}
    assert preview(case(schedule=schedule)) == preview(case())


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"colour": "red"}, "colour: not a known field"),
        (
            {"policy": {"steps": [{"targets": ["team:db"], "delay_seconds": 1}]}},
            r"policy.steps\[0\].targets\[0\]: a prev",
        ),
        ({"policy": {"steps": []}}, "policy.steps: a policy needs"),
        ({"schedule": {"layer": []}}, "schedule.layer: not a known field"),
        ({"schedule": 7}, "schedule: expected an object"),
        ({"manager": ""}, "manager: expected a text"),
        ({"severity": "P9"}, "severity: expected one of"),
        ({"backup_first": "yes"}, "backup_first: expected true or false"),
        ({"seniors": "sven"}, "seniors: expected a list"),
        ({"start": "2026-05-06T10:00:00+02:00"}, "start: expected an instant in UTC"),
        ({"start": "2026-13-06T10:00:00Z"}, "start: expected an instant in UTC"),
        ({"until": "9999-12-31T23:59:59Z"}, "until: expected an instant in UTC"),
        ({"until": "2026-05-06T10:00:00Z"}, "until: has to be after the start, 2026-05-06T10:00:00Z"),
        ({"events": [happened("10:01:00", "shout")]}, r"events\[0\].type: expected one of"),
        ({"events": [happened("10:01:00", "due")]}, r"events\[0\].type: expected one of"),
        ({"events": [happened("10:01:00", "ack")]}, r"events\[0\].person: expected a text"),
        ({"events": [happened("09:59:59", "ack", "ada")]}, r"events\[0\].at: is before the start"),
        ({"events": [{"type": "ack"}]}, r"events\[0\].at: this field is missing"),
        (
            {"events": [happened("10:01:00", "severity_up", policy={})]},
            r"events\[0\].policy.steps: this field is missing",
        ),
    ],
)
def test_what_is_wrong_is_named_by_its_path(changes, path):
    with pytest.raises(ValueError, match=f"^{path}"):
        preview(case(**changes))


@pytest.mark.parametrize("missing", ["policy", "schedule", "start", "until"])
def test_what_is_missing_is_named(missing):
    incomplete = case()
    del incomplete[missing]
    with pytest.raises(ValueError, match=f"^{missing}: this field is missing"):
        preview(incomplete)

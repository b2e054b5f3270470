"""What a target would mean for one report, as the preview answers it."""

from __future__ import annotations

from typing import Any

import pytest

from incidents.sla_preview import preview
from tests.vectors import calendar_spec, cases

CASE = {"calendar": "24x7", "start": "2026-06-11T08:00:00Z", "target_minutes": 240}
NIGHT = {
    "calendar": {"time_zone": "Europe/Berlin", "weekly": {"sat": [["22:00", "06:00"]], "sun": [["22:00", "06:00"]]}},
    "target_minutes": 480,
}


@pytest.mark.parametrize("case", cases("due"), ids=lambda case: case["id"])
def test_the_worked_examples(case: dict[str, Any]) -> None:
    answer = preview(
        {
            "calendar": calendar_spec(case["calendar"], case["holidays"], case["special"]),
            "start": case["start"],
            "target_minutes": case["target_minutes"],
            "holds": case["holds"],
        }
    )
    assert answer["due_at"] == case["expected_due"]
    assert set(answer) == {"effective_start", "due_at", "thresholds"}
    assert answer["thresholds"] == case["thresholds"] or (case["holds"] and not case["thresholds"])


@pytest.mark.parametrize(
    ("start", "due"),
    [
        ("2026-10-24T22:00:00+02:00", "2026-10-25T04:00:00Z"),
        ("2026-03-28T22:00:00+01:00", "2026-03-29T21:00:00Z"),
        ("2026-06-13T22:00:00+02:00", "2026-06-14T04:00:00Z"),
    ],
)
def test_s21_night_windows(start: str, due: str) -> None:
    assert preview(NIGHT | {"start": start})["due_at"] == due


def test_the_whole_answer() -> None:
    assert preview(CASE | {"holds": [["2026-06-11T09:00:00Z", "2026-06-11T09:30:00Z"]]}) == {
        "effective_start": "2026-06-11T08:00:00Z",
        "due_at": "2026-06-11T12:30:00Z",
        "thresholds": {"50": "2026-06-11T10:30:00Z", "75": "2026-06-11T11:30:00Z", "90": "2026-06-11T12:06:00Z"},
    }


def test_fractions_are_cut_off_and_offsets_are_understood() -> None:
    answer = preview(CASE | {"start": "2026-06-11T10:00:00.999+02:00", "target_minutes": 0.99})
    assert answer["effective_start"] == "2026-06-11T08:00:00Z"
    assert answer["due_at"] == "2026-06-11T08:00:59Z"
    assert answer["thresholds"] == {
        "50": "2026-06-11T08:00:29Z",
        "75": "2026-06-11T08:00:44Z",
        "90": "2026-06-11T08:00:53Z",
    }


def test_while_a_hold_has_not_ended_there_is_no_due() -> None:
    answer = preview(CASE | {"holds": [["2026-06-11T09:00:00Z", None]]})
    assert answer["effective_start"] == "2026-06-11T08:00:00Z"
    assert answer["due_at"] is None
    assert answer["thresholds"] == {"50": None, "75": None, "90": None}


def test_a_hold_that_begins_when_the_time_is_used_up_comes_too_late() -> None:
    answer = preview(CASE | {"holds": [["2026-06-11T12:00:00Z", None]]})
    assert (answer["due_at"], answer["thresholds"]["90"]) == ("2026-06-11T12:00:00Z", "2026-06-11T11:36:00Z")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"calendar": None}, 'calendar: expected "24x7"'),
        ({"calendar": {"time_zone": "UTC", "weekly": {}}}, "calendar: this calendar has no opening"),
        ({"calendar": {"time_zone": "UTC", "weekly": {"mon": [["9", "17"]]}}}, "calendar.weekly.mon[0][0]: '9'"),
        ({"start": None}, "start: None is not an instant"),
        ({"start": "2026-06-11"}, "start: '2026-06-11' has no time zone"),
        ({"start": "2026-06-11T08:00:00"}, "start: '2026-06-11T08:00:00' has no time zone"),
        ({"start": "9999-12-31T23:00:00Z"}, "start: the year must be from 1970 to 2199"),
        ({"target_minutes": None}, "target_minutes: expected a number"),
        ({"target_minutes": True}, "target_minutes: expected a number"),
        ({"target_minutes": "10"}, "target_minutes: expected a number"),
        ({"target_minutes": 0}, "target_minutes: must be at least a second"),
        ({"target_minutes": -5}, "target_minutes: must be at least a second"),
        ({"target_minutes": 0.01}, "target_minutes: must be at least a second"),
        ({"target_minutes": float("nan")}, "target_minutes: must be at least a second"),
        ({"target_minutes": float("inf")}, "target_minutes: must be at least a second and at most 366 days"),
        ({"target_minutes": 10**400}, "target_minutes: must be at least a second and at most 366 days"),
        ({"holds": None}, "holds: expected a list"),
        ({"holds": ["2026-06-11T09:00:00Z"]}, "holds[0]: expected a pair"),
        ({"holds": [["2026-06-11T09:00:00Z"]]}, "holds[0]: expected a pair"),
        ({"holds": [[None, "2026-06-11T09:00:00Z"]]}, "holds[0][0]: None is not an instant"),
        ({"holds": [["2026-06-11T09:00:00Z", "later"]]}, "holds[0][1]: 'later' is not an instant"),
        ({"holds": [["2026-06-11T09:00:00Z", "2026-06-11T08:00:00Z"]]}, "holds[0]: it ends before it begins"),
        ({"severity": "P1"}, "case.severity: unknown field"),
    ],
)
def test_a_bad_case_names_the_field(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError) as refused:
        preview(CASE | change)
    assert str(refused.value).startswith(message)


def test_something_else_is_no_case() -> None:
    with pytest.raises(ValueError, match="case: expected a mapping"):
        preview([])

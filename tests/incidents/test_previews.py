"""Questions from outside: a line in, a line out, and a bad line never stops the next; the same over the API."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from incidents.previews import LONGEST_LINE

ROOT = Path(__file__).resolve().parent.parent.parent

SLA = {"calendar": "24x7", "start": "2026-06-14T03:00:00Z", "target_minutes": 10}
SCHEDULE = {
    "layers": [
        {
            "name": "EMEA",
            "time_zone": "Europe/Berlin",
            "window": None,
            "weekdays": None,
            "priority": 0,
            "rotation": {
                "unit": "weekly",
                "every": 1,
                "anchor": "2026-03-23T09:00",
                "ring": ["bob", "carol"],
                "start_index": 0,
            },
        }
    ],
    "backup_offset": 1,
    "from": "2026-06-14T00:00:00Z",
    "until": "2026-06-15T00:00:00Z",
}
ESCALATION = {
    "policy": {"steps": [{"targets": ["primary"], "delay_seconds": 180}], "repeat": 1},
    "schedule": {"layers": SCHEDULE["layers"], "backup_offset": 1},
    "manager": "dana",
    "start": "2026-06-14T03:00:00Z",
    "events": [{"at": "2026-06-14T03:02:00Z", "type": "ack", "person": "bob"}],
    "until": "2026-06-14T03:30:00Z",
}


def ask(kind: str, *lines: bytes) -> list[dict[str, Any]]:
    """What the command answers, in an environment in which nothing of the desk is set and no database runs."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("SUPPORTDESK_", "DATABASE_", "DJANGO_"))}
    done = subprocess.run(
        [sys.executable, "manage.py", "preview", kind],
        cwd=ROOT,
        input=b"\n".join(lines) + b"\n",
        capture_output=True,
        env=environment,
        timeout=60,
        check=True,
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_a_bad_line_is_answered_and_the_next_one_too() -> None:
    good = json.dumps(SLA).encode()
    bad = [
        b"",
        b"nonsense",
        b"[]",
        b"null",
        b'{"calendar": "24x7", "calendar": "24x7"}',
        b'{"calendar": NaN}',
        b"\xff\xfe",
        b"[" * 100_000,
        b"9" * 5000,
        b'"' + b"x" * (2 * LONGEST_LINE) + b'"',
        json.dumps({**SLA, "start": "yesterday"}).encode(),
        json.dumps({**SLA, "colour": "red"}).encode(),
    ]
    answers = ask("sla", *bad, good)
    assert len(answers) == len(bad) + 1
    assert all(set(answer) == {"error"} and answer["error"] for answer in answers[:-1])
    assert answers[-2]["error"].startswith("case.colour") and answers[-3]["error"].startswith("start")
    assert answers[-1] == {
        "effective_start": "2026-06-14T03:00:00Z",
        "due_at": "2026-06-14T03:10:00Z",
        "thresholds": {"50": "2026-06-14T03:05:00Z", "75": "2026-06-14T03:07:30Z", "90": "2026-06-14T03:09:00Z"},
    }


def test_who_is_on_call_and_who_would_be_paged() -> None:
    (schedule,) = ask("schedule", json.dumps(SCHEDULE).encode())
    assert {(shift["slot"], shift["person"]) for shift in schedule["shifts"]} == {
        ("primary", "carol"),
        ("backup", "bob"),
    }
    assert schedule["gaps"] == []
    (played,) = ask("escalation", json.dumps(ESCALATION).encode())
    assert [page["person"] for page in played["pages"]] == ["carol"]
    assert played["state"] == "acknowledged"


@pytest.mark.parametrize(("kind", "case"), [("sla", SLA), ("schedule", SCHEDULE), ("escalation", ESCALATION)])
def test_the_api_answers_the_same(api, sam, kind: str, case: dict[str, Any]) -> None:
    (expected,) = ask(kind, json.dumps(case).encode())
    answer = api(sam).post(f"preview/{kind}/", case)
    assert (answer.status_code, answer.json()) == (200, expected)


def test_the_api_names_the_field_that_is_wrong(api, sam) -> None:
    answer = api(sam).post("preview/sla/", {**SLA, "target_minutes": 0})
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == "target_minutes"
    assert api(sam).post("preview/weather/", SLA).status_code == 404
    assert api(sam).post("preview/sla/", []).status_code == 400

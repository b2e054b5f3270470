"""What the clocks of one incident cost: three holds, two changes of severity, every clock; prints JSON.

    python tests/bench/bench_clocks.py

Around the clock nothing walks calendar days: four years cost what a day costs. In business hours whole weeks are taken
in one step.
"""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from incidents.sla import Basis, ClockKind, Event, EventKind, Target, Terms, clocks
from incidents.states import Hold
from supportdesk.calendars import ALWAYS
from tests.bench.bench_schedules import median_us
from tests.incidents.sla_stories import plan_m, plan_s

GOAL_US = 200
START = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)


def story(terms: Terms) -> list[Event]:
    """Reported as a P3, raised to P2 and lowered again, and put on hold for the customer three times."""
    told = [
        (0, EventKind.RECEIVED, {"severity": "P3", "terms": terms}),
        (5, EventKind.RESPONDED, {}),
        (8, EventKind.SEVERITY_CHANGED, {"severity": "P2"}),
        (30, EventKind.SEVERITY_CHANGED, {"severity": "P3"}),
    ]
    for at in (12, 34, 50):
        told += [(at, EventKind.HOLD_STARTED, {"hold": Hold.CUSTOMER}), (at + 6, EventKind.HOLD_ENDED, {})]
    events = sorted(told, key=lambda one: one[0])
    return [
        Event(START + at * MINUTE, kind, sequence=number, **_with_hold(kind, fields))
        for number, (at, kind, fields) in enumerate(events)
    ]


def _with_hold(kind: EventKind, fields: dict[str, Any]) -> dict[str, Any]:
    return fields | {"hold": Hold.CUSTOMER} if kind is EventKind.HOLD_ENDED else fields


def measured() -> dict[str, Any]:
    figures: dict[str, Any] = {}
    for name, terms in (("24x7", plan_m()), ("business", plan_s())):
        events, now = story(terms), START + 70 * MINUTE
        found = clocks(events, now)
        us = median_us(lambda events=events, now=now: clocks(events, now))
        figures[name] = {"all_clocks_us": round(us, 1), "clocks": len(found), "per_clock_us": round(us / len(found), 1)}
    figures["age_24x7"] = {"ratio": round(_long(1460) / _long(1), 2)}
    figures["goals"] = {
        f"{name} <= {GOAL_US} us": figures[name]["all_clocks_us"] <= GOAL_US for name in ("24x7", "business")
    } | {"four years cost a day": figures["age_24x7"]["ratio"] <= 1.5}
    return figures


def _long(days: int) -> float:
    """Microseconds for the due instant of a target of so many days around the clock."""
    terms = plan_m()
    basis = Basis(START, Target(days * DAY, "24x7"), ALWAYS, terms)
    assert basis.due() == START + days * DAY
    return median_us(basis.due)


if __name__ == "__main__":
    assert ClockKind.FIRST_RESPONSE in {clock.kind for clock in clocks(story(plan_m()), START + MINUTE)}
    json.dump(measured(), sys.stdout, indent=1)

"""What the coverage proof costs: fifty organizations over ninety days, by the pure rules and with the database.

    python tests/bench/bench_proof.py

`shared`: all of them on one schedule and its three policies, as most desks are. `own`: each with a schedule and three
policies of its own, the worst case. The cost follows the shifts, not the minutes: a turn of a week over ten times the
days costs what the days with their shifts cost, and one of an hour costs more in the same days.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from rotations.escalation.defaults import DEFAULTS
from rotations.proof import Claim, Evidence, Ladder, Roster, prove
from rotations.rules import Layer, Rules
from rotations.schedule import Schedule
from supportdesk import calendars
from tests.bench.bench_schedules import median_us
from tests.bench.bench_schedules_desk import undisturbed_us
from tests.bench.desk import desk
from tests.rotations.proof_cast import person, ring_of
from tests.rotations.schedule_cast import follow_the_sun, layer, rotation
from tests.vectors import calendar_spec

GOAL_MS = 2_000
COUNT, DAYS = 50, 90
START = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
PROMISED = {"P1": timedelta(minutes=10), "P2": timedelta(minutes=30), "P3": timedelta(hours=4)}


def claims(count: int, days: int, policy: Callable[[int, str], int]) -> list[Claim]:
    """Plan M for all: P1 and P2 around the clock, P3 in business hours."""
    end = START + timedelta(days=days)
    office = calendars.Calendar.from_spec(calendar_spec("BER10"))
    windows = {"P1": ((START, end),), "P2": ((START, end),), "P3": tuple(calendars.open_windows(office, START, end))}
    return [
        Claim(f"Customer {n}", severity, "M", policy(n, severity), windows[severity], ((START, end),), promised)
        for n in range(count)
        for severity, promised in PROMISED.items()
    ]


def evidence(rules: list[Rules]) -> Evidence:
    """A roster and the default policies for each of the rules."""
    people = {name: person(name) for one in rules for name in ring_of(one)} | {"dana": person("dana")}
    rosters = {str(n): Roster(f"Schedule {n}", Schedule(one), "dana", "dana") for n, one in enumerate(rules)}
    ladders = {
        key(n, severity): Ladder(policy, str(n)) for n in range(len(rules)) for severity, policy in DEFAULTS.items()
    }
    return Evidence(rosters, ladders, people, seniors=("bob",), managers=("dana",), has_emergency_number=True)


def key(n: int, severity: str) -> int:
    return 10 * n + int(severity[1])


def shared(count: int = COUNT, days: int = DAYS) -> float:
    """Milliseconds of a proof in which everybody is on one schedule, compiled anew."""
    told = claims(count, days, lambda n, severity: key(0, severity))
    return _prove(told, [follow_the_sun()], days)


def own(days: int = DAYS) -> float:
    """Milliseconds of a proof in which everybody has a schedule of their own."""
    return _prove(claims(COUNT, days, key), [follow_the_sun()] * COUNT, days)


def turning(hours: int, days: int) -> float:
    """Milliseconds for one claim on a ring that hands over every so many hours."""
    turns: Layer = layer("Team", "UTC", rotation("hourly", "2026-11-02T00:00", "bob carol erin", every=hours))
    told = claims(1, days, key)[:1]
    return _prove([replace(told[0], windows=((START, START + timedelta(days=days)),))], [Rules((turns,))], days)


def _prove(told: list[Claim], rules: list[Rules], days: int) -> float:
    end = START + timedelta(days=days)
    assert prove(told, evidence(rules), START, end).holds
    return median_us(lambda: prove(told, evidence(rules), START, end)) / 1_000


def with_database() -> dict[str, Any]:
    """Milliseconds and queries for fifty customers in the database, the schedules compiled anew each time."""
    with desk():
        from django.conf import settings
        from django.db import connection
        from django.test.utils import CaptureQueriesContext

        from incidents import demo
        from rotations import oncall, proving
        from supportdesk.organizations.models import Contract, Organization

        settings.EMERGENCY_NUMBER = "+4930555000"
        vendors = {name: {} for name in ("phone", "sms", "slack", "email")}
        world = demo.build(START, vendors=vendors)
        acme = Contract.objects.filter(organization=world.organizations["acme"])[0]
        zones = ("Europe/Berlin", "America/New_York", "Asia/Tokyo", "Australia/Lord_Howe")
        for n in range(COUNT - Organization.objects.count()):
            one = Organization.objects.create(name=f"Customer {n}", slug=f"customer-{n}", time_zone=zones[n % 4])
            Contract.objects.create(organization=one, plan_version=acme.plan_version, valid_from=date(2026, 1, 1))

        def run() -> Any:
            oncall._compiled.clear()
            return proving.current(START, START + timedelta(days=DAYS))

        with CaptureQueriesContext(connection) as queries:
            proof = run()
        assert proof.holds, proof.first
        return {
            "ms": round(undisturbed_us(run, 3.0) / 1_000, 1),
            "queries": len(queries),
            "claims": len(proof.verdicts),
        }


def measured() -> dict[str, Any]:
    found = {
        "shared_ms": shared(),
        "shared_one_customer_ms": shared(1),
        "shared_360_days_ms": shared(COUNT, 4 * DAYS),
        "own_ms": own(),
        "hourly_90_days_ms": turning(1, 90),
        "daily_90_days_ms": turning(24, 90),
        "weekly_90_days_ms": turning(168, 90),
        "weekly_900_days_ms": turning(168, 900),
    }
    figures: dict[str, Any] = {name: round(ms, 2) for name, ms in found.items()}
    figures["database"] = with_database()
    figures["goals"] = {
        f"{COUNT} on one schedule x {DAYS} days <= 2 s": figures["shared_ms"] <= GOAL_MS,
        f"{COUNT} on their own x {DAYS} days <= 2 s": figures["own_ms"] <= GOAL_MS,
        f"{COUNT} with the database <= 2 s": figures["database"]["ms"] <= GOAL_MS,
        "cost grows with shifts": figures["hourly_90_days_ms"] >= 10 * figures["daily_90_days_ms"] / 2,
        "cost grows not with minutes": figures["weekly_900_days_ms"] <= 2 * figures["daily_90_days_ms"],
    }
    return figures


if __name__ == "__main__":
    json.dump(measured(), sys.stdout, indent=1)

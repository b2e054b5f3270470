"""The same schedules as `bench_schedules`, as rows of a real database: who has it now, and a month and a year of it.

    python tests/bench/bench_schedules_desk.py

Every question reads the schedule's row anew, as a request does. `first` is the first question after a change: all rows
below the schedule are read and compiled. Beside it the calendar parsed for every question, in the same process.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.bench.bench_schedules import AGES, NOW, ParsedCalendar, joined, make_spec, without_overlaps
from tests.bench.desk import desk

MONDAY = NOW.replace(hour=0, minute=0) - timedelta(days=NOW.weekday())
MOST_QUERIES = 3


def undisturbed_us(run: Callable[[], object], seconds: float = 1.0) -> float:
    """Microseconds on the wall that a tenth of the calls stay below: the database works in another process, whose time
    counts, and whoever else uses this machine should not."""
    taken: list[int] = []
    stop = time.perf_counter() + seconds
    while len(taken) < 10 or time.perf_counter() < stop:
        began = time.perf_counter_ns()
        run()
        taken.append(time.perf_counter_ns() - began)
    return sorted(taken)[len(taken) // 10] / 1_000


def store(name: str, spec: dict[str, Any], users: dict[str, Any]) -> None:
    """A spec as rows."""
    from rotations.models import Layer, Override, RotationMember, RotationRevision, Schedule

    row = Schedule.objects.create(name=name, slug=name)
    for position, item in enumerate(spec["layers"]):
        start = datetime.fromisoformat(item["start"]).astimezone(UTC)
        around_the_clock = item["hours"] == 24
        window = (None, None) if around_the_clock else (start.time(), (start + timedelta(hours=item["hours"])).time())
        layer = Layer.objects.create(
            schedule=row, name=item["name"], time_zone="UTC", priority=item["priority"], position=position,
            slot="backup" if around_the_clock else "primary", window_start=window[0], window_end=window[1],
        )  # fmt: skip
        revision = RotationRevision.objects.create(
            layer=layer, unit={24: "daily", 168: "weekly"}[item["handoff_h"]], anchor=f"{start:%Y-%m-%dT%H:%M}"
        )
        RotationMember.objects.bulk_create(
            RotationMember(revision=revision, position=place, user=users[user])
            for place, user in enumerate(item["users"])
        )
    starts = [(datetime.fromisoformat(o["start"]), o) for o in spec["overrides"]]
    Override.objects.bulk_create(
        Override(schedule=row, user=users[o["user"]], start=start, end=start + timedelta(hours=o["hours"]))
        for start, o in starts
    )


def compare(name: str, spec: dict[str, Any], users: dict[str, Any]) -> dict[str, Any]:
    """Microseconds, queries and ratios for one schedule. Raises AssertionError where the two sides disagree."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from rotations import oncall
    from rotations.models import Schedule

    spec = without_overlaps(spec)
    store(name, spec, users)
    peer = ParsedCalendar(spec)

    def row() -> Schedule:
        return Schedule.objects.get(slug=name)

    def changed() -> Schedule:
        found = row()
        oncall._compiled.pop(found.stamp, None)
        return found

    def who() -> str:
        return str(oncall.now_on_call(row(), NOW).primary)

    def year(found: Schedule) -> Any:
        return oncall.schedule(found).shifts(MONDAY, MONDAY + timedelta(days=365))

    names = {str(user.pk): login for login, user in users.items()}
    assert names[who()] == peer.who(NOW), "the two sides disagree on who is primary"
    ours = [(start, end, names[person]) for start, end, person in joined(year(row()).primary)]
    assert ours == peer.final(MONDAY, MONDAY + timedelta(days=365)), "final schedules disagree"
    with CaptureQueriesContext(connection) as queries:
        who()
    with CaptureQueriesContext(connection) as first:
        oncall.now_on_call(changed(), NOW)
    month = MONDAY + timedelta(days=30)
    peer_who, peer_month, peer_year = (
        undisturbed_us(run)
        for run in (
            lambda: peer.who(NOW),
            lambda: peer.final(MONDAY, month),
            lambda: peer.final(MONDAY, MONDAY + timedelta(days=365)),
        )
    )
    return {
        "overrides": len(spec["overrides"]),
        "who": entry(undisturbed_us(who), peer_who, len(queries)),
        "who_first": entry(undisturbed_us(lambda: oncall.now_on_call(changed(), NOW)), peer_who, len(first)),
        "final_30_cold": entry(undisturbed_us(lambda: oncall.schedule(changed()).shifts(MONDAY, month)), peer_month),
        "final_365_cold": entry(undisturbed_us(lambda: year(changed())), peer_year),
        "final_365_warm": entry(undisturbed_us(lambda: year(row())), peer_year),
    }


def entry(us: float, peer_us: float, queries: int | None = None) -> dict[str, Any]:
    found = {"us": round(us, 1), "peer_us": round(peer_us, 1), "ratio": round(peer_us / us, 1)}
    return found if queries is None else {**found, "queries": queries}


def goals(figures: dict[str, Any]) -> dict[str, bool]:
    young, old, busy = (figures[name] for name in ("young", "old", "busy"))
    return {
        "who >= 10 x": young["who"]["ratio"] >= 10,
        f"who <= {MOST_QUERIES} queries": young["who"]["queries"] <= MOST_QUERIES,
        "who flat with age <= 1.2 x": old["who"]["us"] <= 1.2 * young["who"]["us"],
        "who with 1000 overrides <= 2 x": busy["who"]["us"] <= 2 * young["who"]["us"],
        "365 days cold >= 10 x": young["final_365_cold"]["ratio"] >= 10,
        "365 days warm >= 100 x": young["final_365_warm"]["ratio"] >= 100,
    }


def main() -> None:
    with desk():
        from supportdesk.accounts.models import User

        users = {
            f"user{n}": User.objects.create_user(f"user{n}@desk.example", name=f"User {n}", role="engineer")
            for n in range(16)
        }
        figures: dict[str, Any] = {name: compare(name, make_spec(*age), users) for name, age in AGES.items()}
    json.dump({**figures, "goals": goals(figures)}, sys.stdout, indent=1)


if __name__ == "__main__":
    main()

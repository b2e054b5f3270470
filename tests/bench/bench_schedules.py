"""How much faster the schedule answers than a calendar parsed and expanded per question; prints ratios as JSON.

    python tests/bench/bench_schedules.py SPEC.json [SPEC.json …]     two ages of one schedule, few and many overrides
    python tests/bench/bench_schedules.py                             the same schedules made here

The other side is `icalendar` with `recurring_ical_events`: one event series per person and layer, overrides as events
of highest priority, flattened afterwards. Both sides answer in one process, one after the other, and must agree on who
is primary. A spec is `{"now", "monday", "layers": [{"name", "priority", "start", "hours", "every_h", "handoff_h",
"users"}], "overrides": [{"start", "hours", "user"}]}` with layers in UTC.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import chain, pairwise
from pathlib import Path
from typing import Any

import icalendar
import recurring_ical_events

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from rotations.rotation import Revision, Rotation, Unit
from rotations.rules import BACKUP, PRIMARY, Layer, Override, Rules
from rotations.schedule import Schedule

HOUR = timedelta(hours=1)
NOW = datetime(2026, 11, 23, 13, 30, tzinfo=UTC)
UNITS = {24: Unit.DAILY, 168: Unit.WEEKLY}


def make_spec(weeks: int, overrides: int) -> dict[str, Any]:
    """Three sites of eight hours with weekly hand-off, one backup around the clock, overrides of 4 h through a year."""
    monday = NOW.replace(hour=0, minute=0) - timedelta(days=NOW.weekday())
    begin = monday - timedelta(weeks=weeks)
    layers = [
        {"name": f"r{i}", "priority": 2, "start": (begin + 8 * i * HOUR).isoformat(), "hours": 8, "handoff_h": 168,
         "users": [f"user{n}" for n in range(4 * i, 4 * i + 4)]}
        for i in range(3)
    ]  # fmt: skip
    layers.append({"name": "backup", "priority": 1, "start": begin.isoformat(), "hours": 24, "handoff_h": 24,
                   "users": [f"user{n}" for n in range(12, 16)]})  # fmt: skip
    base = NOW.replace(minute=0)
    starts = [base + timedelta(days=i * 365 // max(overrides, 1), hours=i * 5 % 24) for i in range(overrides)]
    taken = [{"start": start.isoformat(), "hours": 4, "user": f"user{i * 3 % 16}"} for i, start in enumerate(starts)]
    return {"now": NOW.isoformat(), "monday": monday.isoformat(), "layers": layers, "overrides": taken}


def without_overlaps(spec: dict[str, Any]) -> dict[str, Any]:
    """The spec less the overrides that overlap an earlier one: on save they are refused, so neither side gets them."""
    kept: list[dict[str, Any]] = []
    reached = datetime.min.replace(tzinfo=UTC)
    for override in sorted(spec["overrides"], key=lambda override: datetime.fromisoformat(override["start"])):
        start = datetime.fromisoformat(override["start"])
        if start >= reached:
            kept.append(override)
            reached = start + override["hours"] * HOUR
    return spec | {"overrides": kept}


def rules(spec: dict[str, Any], backup_slot: str = BACKUP) -> Rules:
    """The spec as rules; its round-the-clock layer stands in `backup_slot`."""
    overrides = []
    for override in spec["overrides"]:
        start = datetime.fromisoformat(override["start"]).astimezone(UTC)
        overrides.append(Override(PRIMARY, override["user"], start, start + override["hours"] * HOUR))
    return Rules(tuple(layer(item, backup_slot) for item in spec["layers"]), tuple(overrides))


def layer(item: dict[str, Any], backup_slot: str) -> Layer:
    start = datetime.fromisoformat(item["start"]).astimezone(UTC).replace(tzinfo=None)
    rotation = Rotation(UNITS[item["handoff_h"]], 1, start, tuple(item["users"]))
    around_the_clock = item["hours"] == 24
    window = None if around_the_clock else (start.time(), (start + item["hours"] * HOUR).time())
    slot = backup_slot if around_the_clock else PRIMARY
    return Layer(item["name"], "UTC", (Revision(None, rotation),), window, priority=item["priority"], slot=slot)


class ParsedCalendar:
    """The other side: the schedule as iCalendar text, parsed and expanded for every question."""

    def __init__(self, spec: dict[str, Any]) -> None:
        events = [event for item in spec["layers"] for event in self._series(item)]
        for i, override in enumerate(spec["overrides"]):
            start = datetime.fromisoformat(override["start"])
            events.append(self._event(f"o{i}", 99, override["user"], start, override["hours"]))
        self.text = "\r\n".join(
            ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//bench//", *chain(*events), "END:VCALENDAR", ""]
        )

    def _series(self, item: dict[str, Any]) -> list[list[str]]:
        count = len(item["users"])
        rule = f"RRULE:FREQ=DAILY;INTERVAL={count}"
        if item["handoff_h"] == 168:
            rule = f"RRULE:FREQ=WEEKLY;INTERVAL={count};BYDAY=MO,TU,WE,TH,FR,SA,SU;WKST=MO"
        starts = [datetime.fromisoformat(item["start"]) + item["handoff_h"] * HOUR * i for i in range(count)]
        return [
            self._event(f"{item['name']}-{i}", item["priority"], user, start, item["hours"], rule)
            for i, (user, start) in enumerate(zip(item["users"], starts, strict=True))
        ]

    @staticmethod
    def _event(uid: str, priority: int, user: str, start: datetime, hours: int, *rule: str) -> list[str]:
        begin, end = (f"{t.astimezone(UTC):%Y%m%dT%H%M%SZ}" for t in (start, start + hours * HOUR))
        summary = f"SUMMARY:{priority} {user}"
        return ["BEGIN:VEVENT", f"UID:{uid}", summary, f"DTSTART:{begin}", f"DTEND:{end}", *rule, "END:VEVENT"]

    def final(self, start: datetime, end: datetime) -> list[tuple[datetime, datetime, str]]:
        """Who is primary from when to when: the highest priority of every elementary interval."""
        calendar = icalendar.Calendar.from_ical(self.text)
        found = []
        for event in recurring_ical_events.of(calendar).between(start, end):
            priority, user = str(event["SUMMARY"]).split()
            found.append((event["DTSTART"].dt, event["DTEND"].dt, int(priority), user))
        return flattened(sorted(found), start, end)

    def who(self, t: datetime) -> str:
        return self.final(t, t + timedelta(seconds=1))[0][2]


def flattened(
    events: list[tuple[datetime, datetime, int, str]], start: datetime, end: datetime
) -> list[tuple[datetime, datetime, str]]:
    points = sorted({start, end, *(edge for event in events for edge in event[:2] if start < edge < end)})
    live: list[tuple[datetime, datetime, int, str]] = []
    flat: list[tuple[datetime, datetime, str]] = []
    upcoming = iter([*events, None])
    following = next(upcoming)
    for a, b in pairwise(points):
        while following is not None and following[0] <= a:
            live.append(following)
            following = next(upcoming)
        live = [event for event in live if event[1] > a]
        user = max(live, key=lambda event: event[2])[3]
        if flat and flat[-1][2] == user:
            flat[-1] = (flat[-1][0], b, user)
        else:
            flat.append((a, b, user))
    return flat


def median_us(run: Callable[[], object], seconds: float = 0.8) -> float:
    """Median microseconds of processor time of a call, in three samples or more. Other load adds little to it."""
    began = time.process_time_ns()
    run()
    batch = max(1, 200_000 // max(time.process_time_ns() - began, 1))
    taken: list[float] = []
    stop = time.perf_counter() + seconds
    while len(taken) < 3 or (time.perf_counter() < stop and len(taken) < 2_000):
        began = time.process_time_ns()
        for _ in range(batch):
            run()
        taken.append((time.process_time_ns() - began) / batch)
    return statistics.median(taken) / 1_000


def compare(spec: dict[str, Any]) -> dict[str, Any]:
    """Microseconds and ratios for one spec. Raises AssertionError where the two sides disagree."""
    spec = without_overlaps(spec)
    plain, peer = rules(spec), ParsedCalendar(spec)
    schedule = Schedule(plain)
    now, monday = (datetime.fromisoformat(spec[name]).astimezone(UTC) for name in ("now", "monday"))
    moments = [now + i * timedelta(hours=7, minutes=13) for i in range(100)]
    assert all(schedule.who(t).primary == peer.who(t) for t in moments[:8]), "the two sides disagree on who is primary"
    figures: dict[str, Any] = {"overrides": len(spec["overrides"]), "compile_us": median_us(lambda: Schedule(plain))}
    peer_who = median_us(lambda: peer.who(now))
    timed = {
        "who_warm": median_us(lambda: schedule.who(now)),
        "who_warm_month": median_us(lambda: [schedule.who(t) for t in moments]) / len(moments),
        "who_first": median_us(lambda: Schedule(plain).who(now)) - figures["compile_us"],
    }
    figures |= {name: entry(us, peer_who) for name, us in timed.items()}
    for days in (30, 365):
        until = monday + timedelta(days=days)
        assert joined(schedule.shifts(monday, until).primary) == peer.final(monday, until), "final schedules disagree"
        peer_final = median_us(lambda until=until: peer.final(monday, until))
        cold = median_us(lambda until=until: Schedule(plain).shifts(monday, until)) - figures["compile_us"]
        lower = rules(spec, PRIMARY)
        beneath = (
            median_us(lambda until=until, lower=lower: Schedule(lower).shifts(monday, until)) - figures["compile_us"]
        )
        figures[f"final_{days}_cold"] = entry(cold, peer_final)
        figures[f"final_{days}_cold_backup_beneath"] = entry(beneath, peer_final)
        figures[f"final_{days}_warm"] = entry(median_us(lambda until=until: schedule.shifts(monday, until)), peer_final)
    return figures


def joined(shifts: Any) -> list[tuple[datetime, datetime, str]]:
    """Shifts as plain stretches of one person, as the other side counts them."""
    flat: list[tuple[datetime, datetime, str]] = []
    for shift in shifts:
        if flat and flat[-1][1:] == (shift.start, shift.person):
            flat[-1] = (flat[-1][0], shift.end, shift.person)
        else:
            flat.append((shift.start, shift.end, shift.person))
    return flat


def entry(us: float, peer_us: float) -> dict[str, float]:
    return {"us": round(us, 2), "peer_us": round(peer_us, 1), "ratio": round(peer_us / us, 1)}


AGES = {"young": (4, 20), "old": (208, 20), "busy": (4, 1000)}  # weeks since the anchor, overrides


def growth(figures: dict[str, dict[str, Any]]) -> dict[str, float]:
    """What age and overrides cost: 1.0 is nothing."""
    return {
        f"{measure}_{case}_over_young": round(figures[case][measure]["us"] / figures["young"][measure]["us"], 2)
        for measure in ("who_warm", "who_first")
        for case in ("old", "busy")
    }


def goals(figures: dict[str, dict[str, Any]]) -> dict[str, bool]:
    """What must hold of the three schedules."""
    young, grown = figures["young"], figures["growth"]
    return {
        "who >= 1000 x": young["who_warm"]["ratio"] >= 1000,
        "who flat with age <= 1.2 x": grown["who_warm_old_over_young"] <= 1.2,
        "who with 1000 overrides <= 2 x": grown["who_warm_busy_over_young"] <= 2,
        "30 days cold >= 10 x": young["final_30_cold"]["ratio"] >= 10,
        "365 days cold >= 20 x": young["final_365_cold"]["ratio"] >= 20,
        "365 days warm >= 100 x": young["final_365_warm"]["ratio"] >= 100,
    }


def main(paths: list[str]) -> None:
    if paths:
        figures = {path: compare(json.loads(Path(path).read_text())) for path in paths}
    else:
        figures = {name: compare(make_spec(*age)) for name, age in AGES.items()}
        figures["growth"] = growth(figures)
        figures["goals"] = goals(figures)
    json.dump(figures, sys.stdout, indent=1)


if __name__ == "__main__":
    main(sys.argv[1:])

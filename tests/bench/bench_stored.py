"""How much slower the desk takes in a report when it has kept many: a million closed incidents beside ten thousand.

    .venv/bin/python tests/bench/bench_stored.py [--many 1000000]

What is kept are copies of one real incident, closed, each with an entry of its timeline, a clock, a message that was
delivered, a timer that is done and an event that was applied. The same calls as in `bench_intake`, one after the other
in this process; the median of the rounds counts. Printed: calls a second with few and with many kept, and the time with
many by the time with few. A few minutes, most of them spent storing.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
from collections.abc import Iterator
from itertools import count
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.bench.bench_intake import ROUNDS, WARM_UP, Call, open_desk, rate, without_limits

FEW, MANY = 10_000, 1_000_000
GOAL = 1.2  # times as long as with few
# Tables of what an incident leaves behind: what differs from copy to copy, and how it ends.
COPIED = {
    "incidents_timelineentry": {"incident_id": "copy.id"},
    "incidents_slaclock": {"incident_id": "copy.id", "state": "'satisfied'"},
    "supportdesk_delivery": {
        "subject": "'incident:' || copy.id", "key": "'copy:' || copy.id", "state": "'delivered'"
    },
    "supportdesk_timer": {"subject": "'incident:' || copy.id", "key": "'copy:' || copy.id", "state": "'done'"},
}  # fmt: skip


def keep(first: int, last: int, pattern: int) -> None:
    """Store copies of an incident and of what it left, numbered from `first` to `last`."""
    from django.db import connection

    numbers = f"generate_series({first}, {last}) AS copy (id)"
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")
        own = {
            "id": "copy.id", "request_key": "NULL", "status": "'closed'",
            "received_at": f"row.received_at - ({MANY * 2} - copy.id) * interval '30 s'",
        }  # fmt: skip
        cursor.execute(_copy(cursor, "incidents_incident", own, numbers, f"row.id = {pattern}"))
        for table, changed in COPIED.items():
            by = "subject" if "subject" in changed else "incident_id"
            of = f"'incident:{pattern}'" if by == "subject" else str(pattern)
            chosen = f"row.id = (SELECT min(id) FROM {table} WHERE {by} = {of})"
            cursor.execute(_copy(cursor, table, changed, numbers, chosen))
        changed = {"key": "'copy:' || copy.id", "state": "'done'"}
        chosen = "row.id = (SELECT min(id) FROM supportdesk_inboundevent)"
        cursor.execute(_copy(cursor, "supportdesk_inboundevent", changed, numbers, chosen))
        cursor.execute("VACUUM ANALYZE")
        cursor.execute("RESET statement_timeout")


def _copy(cursor, table: str, changed: dict[str, str], numbers: str, chosen: str) -> str:
    cursor.execute("SELECT column_name FROM information_schema.columns WHERE table_name = %s", [table])
    columns = [name for (name,) in cursor.fetchall() if name != "id" or "id" in changed]
    values = ", ".join(changed.get(name, f'row."{name}"') for name in columns)
    names = ", ".join(f'"{name}"' for name in columns)
    return f"INSERT INTO {table} ({names}) SELECT {values} FROM {table} AS row, {numbers} WHERE {chosen}"


def rates(doors: dict[str, Call], numbers: Iterator[int]) -> dict[str, float]:
    """Calls a second of each way in."""
    for call in doors.values():
        for _ in range(WARM_UP):
            call(next(numbers))
    rounds = [{name: rate(call, numbers) for name, call in doors.items()} for _ in range(ROUNDS)]
    return {name: statistics.median(one[name] for one in rounds) for name in doors}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--many", type=int, default=MANY)
    many = parser.parse_args().many
    without_limits()
    from tests.bench.desk import desk

    with desk(), open_desk() as doors:
        from incidents.models import Incident

        numbers = count(1)
        for call in doors.values():
            call(next(numbers))
        pattern = Incident.objects.earliest("pk").pk
        start = 10 * MANY  # above whatever the calls make
        keep(start, start + FEW - 1, pattern)
        few = rates(doors, numbers)
        keep(start + FEW, start + many - 1, pattern)
        found = rates(doors, numbers)
    ratios = {name: few[name] / found[name] for name in doors}
    told = {
        "kept": {"few": FEW, "many": many},
        "calls_a_second_with_few": {name: round(one, 1) for name, one in few.items()},
        "calls_a_second_with_many": {name: round(one, 1) for name, one in found.items()},
        "time_with_many_by_time_with_few": {name: round(one, 2) for name, one in ratios.items()},
        "goals": {f"{name} at most {GOAL} x the time": ratio <= GOAL for name, ratio in ratios.items()},
    }
    json.dump(told, sys.stdout, indent=1)


if __name__ == "__main__":
    main()

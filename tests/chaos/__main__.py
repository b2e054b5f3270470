"""`make chaos KILLS=50`: kill processes and the database while the desk works, and count what got lost.

    python -m tests.chaos --kills 50 [--seed 1] [--diary FILE]

A real desk (web, two clocks, a cluster a lane) on a real PostgreSQL talks to fake vendors that answer 429, 5xx, hang,
drip, hang up after accepting or say 200 with an error. Meanwhile anything may be killed or stopped, the database
crashes, lines go half-open, a transaction is stuck, a wall clock jumps, services are restarted in turn. The vendors'
log decides what was lost. Prints one JSON object; ends with 1 if the promise is broken.
"""

from __future__ import annotations

import argparse
import json
import logging
import random
import sys
import tempfile
import threading
import time
from contextlib import ExitStack
from pathlib import Path

import httpx

from tests.chaos import faults
from tests.chaos.database import Database
from tests.chaos.desk import CHECKOUT, Desk, People
from tests.chaos.oracle import Log, Moods, listen
from tests.chaos.processes import Processes
from tests.chaos.proxy import FaultProxy
from tests.fakes import Fakes

MOST_KILLS = 1000
RARE_EVERY = 5  # one rare fault after so many kills
REPORT_EVERY = 0.8
SETTLE_SECONDS, MOST_SETTLE_SECONDS = 6.0, 60.0
ORPHANS_AFTER = 10.0
# The promise, under two faults at once (reliability §1). Faults overlap here, and do not wait for each other.
LATEST_SECONDS = 120.0


def main() -> int:
    arguments = _arguments()
    logging.disable(logging.CRITICAL)
    log = Log()
    with ExitStack() as stack:
        place = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        fakes = stack.enter_context(Fakes())
        database = stack.enter_context(Database("chaos"))
        proxy = stack.enter_context(FaultProxy(database.port))
        desk = Desk(fakes, database.url(), database.url(proxy.port))
        alice, bob = desk.prepare()
        fakes.hooks(lambda slug: f"{desk.base}/hooks/{slug}/none/")
        listen(fakes, log)
        diary = stack.enter_context(open(arguments.diary or place / "diary", "w"))
        output = stack.enter_context(open(arguments.log or place / "desk.log", "wb"))
        services = desk.services(faults.faketime_env(place / "clock"))
        processes = stack.enter_context(Processes(services, output, CHECKOUT))
        people = People(desk.base, alice, bob, log, REPORT_EVERY)
        halted = threading.Event()
        where = faults.Place(database, proxy, processes, random.Random(arguments.seed), place / "clock", halted)
        _until_open(desk.base, people, log)
        moods = Moods(fakes, 0.1, arguments.seed)
        people.begin()
        killed = _wreak(where, arguments.kills, lambda text: _note(diary, text))
        moods.calm = True
        people.end()
        _settle(people, log)
        time.sleep(max(0.0, ORPHANS_AFTER - SETTLE_SECONDS))
        orphans = len(processes.orphans())
        halted.set()
        processes.stop()
        orphans += len(processes.everybody())
        for incident in sorted(set(people.accepted) - set(log.by_incident)):
            _note(diary, f"LOST INC-{incident}")
        figures = _figures(people, log, killed, orphans)
        for refusal in people.refused[:5]:
            _note(diary, f"refused: {refusal}")
    sys.stdout.write(json.dumps(figures) + "\n")
    broken = _broken(figures, log)
    for sentence in broken:
        sys.stderr.write(f"{sentence}\n")
    return 1 if broken else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description="Kill the desk while it works.")
    parser.add_argument(
        "--kills", type=int, default=50, help=f"how many processes to kill or stop, at most {MOST_KILLS}"
    )
    parser.add_argument("--seed", type=int, default=time.time_ns() % 100_000)
    parser.add_argument("--diary", type=Path, help="where to write what was done when")
    parser.add_argument("--log", type=Path, help="where to write what the desk's processes said")
    arguments = parser.parse_args()
    arguments.kills = max(1, min(arguments.kills, MOST_KILLS))
    return arguments


def _until_open(base: str, people: People, log: Log) -> None:
    """The desk is open when somebody has been paged for a first report."""
    until = time.monotonic() + 90
    while time.monotonic() < until:
        try:
            if httpx.get(f"{base}/healthz/ready", timeout=2, trust_env=False).status_code == 200:
                break
        except httpx.HTTPError:
            time.sleep(0.2)
    people.report("first")
    while time.monotonic() < until and not all(log.first_page(pk) for pk in people.accepted or [0]):
        time.sleep(0.05)
    if not log.by_incident:
        raise SystemExit("The desk did not page anybody before anything was broken.")


def _wreak(where: faults.Place, kills: int, note: object) -> list[float]:
    """One kill every 0 to 2 seconds, and now and then something rarer. Returns when each happened."""
    when, rare = [], [*faults.RARE]
    where.random.shuffle(rare)
    for number in range(1, kills + 1):
        time.sleep(where.random.uniform(0.2, 2.0))
        note(faults.kill(where))  # type: ignore[operator]
        when.append(time.monotonic())
        if number % RARE_EVERY == RARE_EVERY // 2:
            fault = rare[(number // RARE_EVERY) % len(rare)]
            note(fault(where))  # type: ignore[operator]
            when.append(time.monotonic())
    return when


def _settle(people: People, log: Log) -> None:
    """Until everybody accepted was paged for, or the longest promise is over."""
    time.sleep(SETTLE_SECONDS)
    until = time.monotonic() + MOST_SETTLE_SECONDS
    while time.monotonic() < until and set(people.accepted) - set(log.by_incident):
        time.sleep(0.2)


def _figures(people: People, log: Log, killed: list[float], orphans: int) -> dict[str, float]:
    first = {pk: log.first_page(pk) for pk in people.accepted}
    late = sorted(max(at - people.accepted[pk], 0.0) for pk, at in first.items() if at is not None)
    paged = sorted((accepted, first[pk]) for pk, accepted in people.accepted.items() if first[pk] is not None)
    back = []
    for moment in killed:
        after = next(((accepted, at) for accepted, at in paged if accepted >= moment), None)
        if after is not None:
            back.append(max(after[1] - moment, 0.0))  # type: ignore[operator]
    return {
        "incidents": len(people.accepted),
        "kills": len(killed),
        "lost": sum(at is None for at in first.values()),
        "duplicates": log.duplicates(),
        "duplicates_without_key": log.without_key(),
        "late_p99_s": round(late[min(int(len(late) * 0.99), len(late) - 1)], 2) if late else 0.0,
        "late_max_s": round(late[-1], 2) if late else 0.0,
        "orphans": orphans,
        "recovered_within_s": round(max(back, default=0.0), 2),
    }


def _broken(figures: dict[str, float], log: Log) -> list[str]:
    """Which of the desk's promises did not hold."""
    allowed = figures["kills"] + log.ambiguous
    rules = (
        (figures["lost"] == 0, f"{figures['lost']} incidents were accepted and nobody was paged for them."),
        (
            figures["duplicates"] <= allowed,
            f"{figures['duplicates']} duplicates, and only {allowed} faults.",
        ),
        (figures["duplicates_without_key"] == 0, "A page was sent without its key."),
        (figures["late_max_s"] <= LATEST_SECONDS, f"A first page came {figures['late_max_s']} s late."),
        (figures["orphans"] == 0, f"{figures['orphans']} processes were left without a parent."),
        (figures["incidents"] > 0, "No incident was accepted, so nothing was shown."),
    )
    return [sentence for holds, sentence in rules if not holds]


def _note(diary: object, text: str) -> None:
    diary.write(f"{time.monotonic():.2f} {text}\n")  # type: ignore[attr-defined]
    diary.flush()  # type: ignore[attr-defined]


if __name__ == "__main__":
    sys.exit(main())

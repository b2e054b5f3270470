"""How fast the desk takes in reports and alerts, beside django-helpdesk's public form and alerta's `POST /alert`.

    .venv/bin/python tests/bench/bench_intake_peers.py

All three are called through their whole WSGI stacks, each in one process, one call after the other, against one
PostgreSQL with a database each; rounds take turns, and the median of the rounds' ratios counts. The desk's figures are
for the whole of it: a report is decided, its clocks run and its first pages are posted when it is answered; an alert is
stored, answered and then applied, all the way to an incident or to the one that is open. django-helpdesk sends no mail.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from itertools import count
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.bench.bench_intake import ROUNDS, SECONDS, WARM_UP, Call, open_desk, rate, without_limits
from tests.bench.bench_intake_peer_alerta import KEYS
from tests.bench.peers import Absent, install

HERE = Path(__file__).resolve().parent
GOALS = {
    "report": ("django_helpdesk_form", 3.0),
    "alert_unique": ("alerta_unique", 3.0),
    "alert_repeated": ("alerta_repeated", 5.0),
}
PACKAGES = {
    "helpdesk": ("django-helpdesk==2.6.1", "psycopg[binary]", "setuptools"),
    "alerta": ("alerta-server==9.1.0", "psycopg2-binary"),
}
Round = Callable[[], float]


@contextmanager
def peer(name: str) -> Iterator[Callable[[str], float]]:
    """A peer on a database of its own: asked for a round, it says how many calls it managed a second."""
    from django.db import connection

    server = {key: connection.settings_dict[key] for key in ("HOST", "PORT", "USER", "PASSWORD", "OPTIONS")}
    database = f"bench_{name}"
    with connection.cursor() as cursor:
        cursor.execute(f"DROP DATABASE IF EXISTS {database}")
        cursor.execute(f"CREATE DATABASE {database}")
    env = {key: value for key, value in os.environ.items() if key != "DJANGO_SETTINGS_MODULE"}
    place = f"postgresql:///{database}?host={server['HOST']}&port={server['PORT']}&user={server['USER']}"
    env |= {
        "BENCH_DATABASE": json.dumps({**server, "NAME": database}),
        "DATABASE_URL": place,
        "DATABASE_NAME": database,
        "PGPASSFILE": server["OPTIONS"].get("passfile", ""),
    }
    command = [install(name, *PACKAGES[name]), str(HERE / f"bench_intake_peer_{name}.py")]
    pipe = subprocess.PIPE
    process = subprocess.Popen(
        command, cwd=HERE, env=env, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, text=True
    )
    try:
        while (line := process.stdout.readline()) != "ready\n":
            if not line:
                raise Absent(f"{name} does not start")

        def ask(order: str) -> float:
            process.stdin.write(f"{order}\n")
            process.stdin.flush()
            return float(process.stdout.readline())

        yield ask
    finally:
        process.kill()
        process.wait()
        with connection.cursor() as cursor:
            cursor.execute(f"DROP DATABASE IF EXISTS {database} WITH (FORCE)")


@contextmanager
def ours() -> Iterator[dict[str, Round]]:
    """A round of the desk by the name of what it takes in."""
    from incidents.hooks.applying import process
    from supportdesk.queue.models import InboundEvent

    def applied(call: Call, name: Callable[[int], int]) -> Call:
        def taken_in(number: int) -> None:
            call(name(number))
            process(InboundEvent.objects.latest("pk").pk)

        return taken_in

    with open_desk() as doors:
        ways = {
            "report": doors["report"],
            "alert_unique": applied(doors["hook"], lambda number: number),
            "alert_repeated": applied(doors["hook"], lambda number: -1 - number % KEYS),
        }
        numbers = count(1)
        for way in ways.values():
            for _ in range(WARM_UP + KEYS):
                way(next(numbers))
        yield {name: lambda way=way: rate(way, numbers) for name, way in ways.items()}
        if InboundEvent.objects.exclude(state="done").exists():
            raise SystemExit("an alert was not applied: this measured something else")


def measured() -> dict[str, Any]:
    absent: dict[str, str] = {}
    with ExitStack() as stack:
        rounds = stack.enter_context(ours())
        try:
            helpdesk = stack.enter_context(peer("helpdesk"))
            rounds["django_helpdesk_form"] = lambda: helpdesk(str(SECONDS))
        except Absent as error:
            absent["helpdesk"] = str(error)
        try:
            alerta = stack.enter_context(peer("alerta"))
            rounds["alerta_unique"] = lambda: alerta(f"unique {SECONDS}")
            rounds["alerta_repeated"] = lambda: alerta(f"repeated {SECONDS}")
        except Absent as error:
            absent["alerta"] = str(error)
        for one in rounds.values():
            one()
        found = [{name: one() for name, one in rounds.items()} for _ in range(ROUNDS)]
    ratios = {
        f"{mine} at least {goal} x {theirs}": (statistics.median(one[mine] / one[theirs] for one in found), goal)
        for mine, (theirs, goal) in GOALS.items()
        if theirs in rounds
    }
    return {
        "calls_a_second": {name: round(statistics.median(one[name] for one in found), 1) for name in rounds},
        "ratios": {name: round(ratio, 2) for name, (ratio, _) in ratios.items()},
        "absent": absent,
        "goals": {name: ratio >= goal for name, (ratio, goal) in ratios.items()},
    }


def main() -> None:
    without_limits()
    from tests.bench.desk import desk

    with desk():
        json.dump(measured(), sys.stdout, indent=1)


if __name__ == "__main__":
    main()

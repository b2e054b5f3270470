"""alerta's `POST /alert`, in its own environment and database: says `ready`, and then answers each `unique SECONDS` or
`repeated SECONDS` on its input with alerts a second. Run by `bench_intake_peers.py`."""

from __future__ import annotations

import os
import sys
import time

KEYS = 20  # different alerts among the repeated ones


def alert(name: str) -> dict:
    return {
        "resource": name,
        "event": "Down",
        "environment": "Production",
        "severity": "major",
        "service": ["Checkout"],
        "value": "down",
        "text": "No card is accepted.",
    }


def say(word: object) -> None:
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    os.environ["AUTH_REQUIRED"], os.environ["SECRET_KEY"] = "False", "x" * 20
    from alerta import create_app

    client = create_app().test_client()
    say("ready")
    number = 0
    for line in sys.stdin:
        kind, seconds = line.split()
        done, begun = 0, time.perf_counter()
        while (spent := time.perf_counter() - begun) < float(seconds):
            number += 1
            done += 1
            name = f"host-{number}" if kind == "unique" else f"again-{number % KEYS}"
            answer = client.post("/alert", json=alert(name))
            if answer.status_code != 201:
                raise SystemExit(f"{answer.status} {answer.data[:500]!r}")
        say(done / spent)

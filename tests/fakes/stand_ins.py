"""`python -m tests.fakes.stand_ins`: the vendors of `make run`, on fixed ports, with everybody's pocket as a page.

Prints one line for everything a vendor receives, in words for people.
"""

from __future__ import annotations

import argparse
import json
import re
import signal
import sys
import threading
from pathlib import Path
from typing import Any

from tests.fakes import Fakes, through_http
from tests.fakes.pocket import Pocket

SLUGS = ("slack", "pagerduty", "phone", "sms", "jira", "statuspage", "incidentio", "smtp")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.fakes.stand_ins")
    for slug in (*SLUGS, "pocket"):
        parser.add_argument(f"--{slug}", type=int, required=True, help=f"port of {slug}")
    parser.add_argument("--desk", required=True, help="address of the desk")
    parser.add_argument(
        "--note",
        required=True,
        help="JSON file: `hooks`, the path each vendor calls, and `names`, whose address is whose",
    )
    arguments = parser.parse_args()
    note = json.loads(Path(arguments.note).read_text())
    names = note["names"]
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with Fakes({slug: getattr(arguments, slug) for slug in SLUGS}) as fakes:
        fakes.watch(lambda line: _tell(line, names))
        fakes.hooks(lambda slug: arguments.desk + note["hooks"].get(slug, ""))
        pocket = Pocket(fakes, through_http(arguments.desk), arguments.pocket, names)
        threading.Thread(target=pocket.serve, daemon=True).start()
        signal.pause()


def _tell(line: str, names: dict[str, str]) -> None:
    """`phone → Bob Novak: Emergency support. …`"""
    seen = json.loads(line)
    if seen.get("call", "").startswith("GET "):
        return  # looked something up
    got = seen.get("got", {})
    to = got.get("To") or got.get("channel") or got.get("dedup_key") or ", ".join(got.get("to", []))
    words = (
        got.get("Body")
        or got.get("subject")
        or got.get("text")
        or got.get("event_action")
        or next(
            (part[name] for part in (got, *_parts(got)) for name in ("summary", "name", "title") if part.get(name)), ""
        )
        or re.sub(r"<[^>]+>", " ", got.get("Twiml", ""))
    )
    sys.stdout.write(f"{seen['vendor']} → {names.get(str(to), to)}: {' '.join(str(words).split())[:160]}\n")
    sys.stdout.flush()


def _parts(got: dict[str, Any]) -> list[dict[str, Any]]:
    """What a request wraps its one thing in: a ticket's fields, an incident."""
    return [part for part in got.values() if isinstance(part, dict)]


if __name__ == "__main__":
    main()

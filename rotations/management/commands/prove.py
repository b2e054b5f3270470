"""`manage.py prove`: is everybody paged whom every contract promises, at every minute? Exit code 1 when not."""

from __future__ import annotations

import json
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from rotations import proof_runs, proving
from supportdesk.errors import Invalid


class Command(BaseCommand):
    help = "Proves coverage from now on, keeps the result, and says where it fails first and who can mend it."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--days", type=int, default=proving.NIGHTLY.days, help="how far to look, at most 400")
        parser.add_argument("--json", action="store_true", dest="as_json", help="the whole proof as one JSON object")

    def handle(self, *, days: int, as_json: bool, **options: Any) -> None:
        try:
            row = proof_runs.on_demand(days)
        except Invalid as error:
            raise CommandError(error.detail) from error
        if as_json:
            self.stdout.write(json.dumps({**row.summary, "duration_ms": row.duration_ms}))
        else:
            self._say(row.summary, row.duration_ms)
        if not row.ok:
            sys.exit(1)

    def _say(self, proof: dict[str, Any], spent: int) -> None:
        claims = f"{len(proof['claims'])} claims of {proof['organizations']} organizations"
        stretch = f"from {proof['start']} until {proof['until']}"
        first = proof["first"]
        if first is None:
            self.stdout.write(f"Holds: {claims}, {stretch} ({spent} ms).")
        else:
            failing = sum(not claim["holds"] for claim in proof["claims"])
            self.stdout.write(f"Fails: {failing} of {claims}, {stretch} ({spent} ms).")
            self.stdout.write(f"First at {first['at']}: {first['severity']} of {first['organization']}.")
            self.stdout.write(f"{first['text']} {first['remedy']} Who can mend it: {first['who'] or 'nobody'}.")
        for caution in proof["warnings"]:
            self.stdout.write(f"Weak from {caution['at']}: {caution['text']}")

"""`manage.py preview sla|schedule|escalation`: one JSON case a line on stdin, one JSON answer a line on stdout."""

from __future__ import annotations

import json
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from incidents.previews import KINDS, LONGEST_LINE, answer_line


class Command(BaseCommand):
    help = "Asks the rules: one JSON case a line in, one JSON answer a line out. Needs no database."
    requires_system_checks: Any = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("kind", choices=sorted(KINDS))

    def handle(self, *, kind: str, **options: Any) -> None:
        for line in iter(lambda: sys.stdin.buffer.readline(LONGEST_LINE + 2), b""):
            self._skip_the_rest(line)
            self.stdout.write(json.dumps(answer_line(kind, line)))
            self.stdout.flush()

    def _skip_the_rest(self, line: bytes) -> None:
        while line and not line.endswith(b"\n"):
            line = sys.stdin.buffer.readline(LONGEST_LINE)

"""`manage.py doctor`: one line for each thing that must be right. Exit 1 where one is not."""

from __future__ import annotations

import json
import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from django.db import DatabaseError, connection
from django.utils.module_loading import import_string

from supportdesk.doctor import Line, State, examine, fail, try_everything

MARKS = {State.OK: "ok  ", State.WARN: "warn", State.FAIL: "FAIL"}


class Command(BaseCommand):
    help = "Says what must be right before the desk can be relied on, and what to do where it is not."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--send-test", action="store_true", help="call every vendor silently; raise a test alarm")
        parser.add_argument("--json", action="store_true", help="as JSON, for programs")

    def handle(self, *, send_test: bool, json: bool, **options: Any) -> None:
        lines = self.lines(send_test=send_test)
        if json:
            self._as_json(lines)
        else:
            self._in_words(lines)
        if any(line.state is State.FAIL for line in lines):
            sys.exit(1)

    def lines(self, *, send_test: bool) -> list[Line]:
        """Every line, in the order of the floors."""
        try:
            connection.ensure_connection()
        except DatabaseError as error:
            said = str(error).strip().splitlines()[0]
            return [fail("database", f"It does not answer: {said}", "Start it; the desk reconnects by itself.")]
        lines = list(examine(try_everything for _ in range(send_test)))
        for place in settings.DOCTOR_LINES:
            lines += examine(import_string(place))
        return lines

    def _as_json(self, lines: list[Line]) -> None:
        said = [{"name": li.name, "state": str(li.state), "text": li.text, "do": li.do} for li in lines]
        is_well = not any(line.state is State.FAIL for line in lines)
        self.stdout.write(json.dumps({"ok": is_well, "lines": said}, indent=2))

    def _in_words(self, lines: list[Line]) -> None:
        width = max(len(line.name) for line in lines)
        for line in lines:
            self.stdout.write(f"{MARKS[line.state]}  {line.name:<{width}}  {line.text}")
            if line.do and line.state is not State.OK:
                self.stdout.write(f"      {'':<{width}}  → {line.do}")
        wrong = sum(line.state is State.FAIL for line in lines)
        doubtful = sum(line.state is State.WARN for line in lines)
        self.stdout.write(f"\n{len(lines)} looked at, {wrong} wrong, {doubtful} to think about.")

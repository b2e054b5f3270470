"""`manage.py auditor`: watch that everything that should happen does. `--once --json` asks once and changes nothing."""

from __future__ import annotations

import json
import logging
import signal
import sys
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError, IntegrityError

from supportdesk import instants
from supportdesk.auditor import rounds
from supportdesk.auditor.models import AuditPause
from supportdesk.auditor.watch import Watch


class Command(BaseCommand):
    help = "Asks every minute whether all invariants hold, alarms when not, pings the outside when all is well."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--once", action="store_true", help="ask once, print, change nothing; exit 1 if not well")
        parser.add_argument("--json", action="store_true", help="with --once: as JSON")
        parser.add_argument("--every", type=float, default=rounds.EVERY_SECONDS, help="seconds between rounds")
        parser.add_argument("--pause", type=int, metavar="MINUTES", help="raise no alarms for so long, at most 240")
        parser.add_argument("--reason", default="", help="with --pause: why")
        parser.add_argument("--by", default="the command line", help="with --pause: who")
        parser.add_argument("--resume", action="store_true", help="end a pause")

    def handle(self, **options: Any) -> None:
        if options["once"]:
            self._once(as_json=options["json"])
        elif options["pause"]:
            self._pause(options["pause"], options["reason"], options["by"])
        elif options["resume"]:
            now = instants.now()
            ended = AuditPause.objects.filter(until__gt=now, since__lt=now).update(until=now)
            self.stdout.write(f"{ended} pauses ended.")
        else:
            self._watch(options["every"])

    def _watch(self, every: float) -> None:
        logging.getLogger("httpx").setLevel(logging.WARNING)
        watch = Watch(every)
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, lambda *_: watch.stop.set())
        watch.run()

    def _once(self, *, as_json: bool) -> None:
        try:
            found = rounds.look()
        except DatabaseError as error:
            raise CommandError(f"The database does not answer: {error}") from error
        if as_json:
            self.stdout.write(json.dumps(rounds.as_json(found), indent=2))
        for violation in [] if as_json else found.violations:
            self.stdout.write(f"{violation.invariant.name}: {violation.invariant.title} ({violation.count})")
            self.stdout.write(f"    {violation.detail}\n    {violation.invariant.remedy}")
        if not as_json:
            asked = f"{len(found.timings)} questions in {found.seconds:.2f} s"
            self.stdout.write(f"All is well: {asked}." if not found.violations else f"Not well: {asked}.")
        if not found.is_well:
            sys.exit(1)

    def _pause(self, minutes: int, reason: str, by: str) -> None:
        now = instants.now()
        if not reason.strip():
            raise CommandError("Say why: --reason 'moving the database'. Nothing was paused.")
        try:
            AuditPause.objects.create(
                since=now, until=now + timedelta(minutes=minutes), reason=reason.strip()[:200], by=by[:120]
            )
        except IntegrityError as error:
            raise CommandError("A pause lasts 1 to 240 minutes. Nothing was paused.") from error
        self.stdout.write(f"No alarms for {minutes} minutes. /healthz/paging says so, and the outside is not pinged.")

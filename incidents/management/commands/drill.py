"""`manage.py drill`: a fire drill for whoever is on call, or for one person; waits and tells how long each hop took."""

from __future__ import annotations

import sys
import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from incidents import drills
from incidents.models import Incident
from incidents.states import Status
from supportdesk import actors
from supportdesk.accounts.models import User
from supportdesk.errors import DeskError


class Command(BaseCommand):
    help = "Rings somebody for practice, through the real path. --every-days 21 does it by itself, by day."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--person", help="e-mail of one person; nobody else is rung")
        parser.add_argument("--no-wait", action="store_true", help="only begin")
        parser.add_argument("--every-days", type=int, help="plan drills for whoever is on call and has waited so long")
        parser.add_argument("--off", action="store_true", help="plan no drills any more")

    def handle(self, **options: Any) -> None:
        try:
            if options["off"] or options["every_days"] is not None:
                self.stdout.write(drills.plan(None if options["off"] else options["every_days"]))
                return
            incident = drills.start(actor=actors.desk("drill"), person=self._person(options["person"]))
        except DeskError as error:
            raise CommandError(error.detail) from error
        self.stdout.write(f"{incident.ref}: the drill has begun.")
        if not options["no_wait"]:
            self._wait(incident)

    def _person(self, email: str | None) -> User | None:
        if not email:
            return None
        user = User.objects.filter(email=email.lower()).first()
        if user is None:
            raise CommandError(f"There is no account for {email}.")
        return user

    def _wait(self, incident: Incident) -> None:
        told = 0
        while True:
            hops = drills.hops(incident)
            for hop in hops[told:]:
                self.stdout.write(f"  +{hop.after:6.1f} s  {hop.what} ({hop.took:.2f} s)")
            told = len(hops)
            incident.refresh_from_db()
            if incident.status == Status.CANCELLED:
                break
            time.sleep(0.5)
        answer = drills.answers(incident).first()
        self.stdout.write(f"Passed by {answer.recipient}." if answer else "Nobody answered.")
        if answer is None:
            sys.exit(1)

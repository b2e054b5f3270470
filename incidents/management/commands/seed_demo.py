"""`manage.py seed_demo`: the demo world, for trying the desk out. Never in production."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from incidents import demo
from supportdesk import instants


class Command(BaseCommand):
    help = "Makes the demo world; running it again changes nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--vendors", type=Path, help="JSON file: connection values by vendor")
        parser.add_argument("--minute", type=float, default=60.0, help="how many seconds a minute of waiting lasts")

    def handle(self, **options: Any) -> None:
        if settings.IN_PRODUCTION:
            raise CommandError("The demo world has well-known passwords. It is not for production.")
        vendors = json.loads(options["vendors"].read_text()) if options["vendors"] else {}
        demo.build(instants.now(), vendors=vendors, minute=timedelta(seconds=options["minute"]))

"""`make run`: the whole desk on this machine, for trying out and developing."""

from __future__ import annotations

import signal
import sys
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connections
from django.utils.module_loading import import_string

from supportdesk.embedded import guardian, postgres
from supportdesk.embedded.instance import EmbeddedError, Instance
from supportdesk.embedded.run import run
from supportdesk.embedded.stand_ins import StandIns


class Command(BaseCommand):
    help = "Start the database, bring it up to date, then run web, live updates, clock and queues until Ctrl-C."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default="127.0.0.1", help="address to listen on (%(default)s)")
        parser.add_argument("--port", type=int, default=8000, help="port for pages; a taken one moves on (%(default)s)")
        parser.add_argument("--parent", type=int, help="the id of the process that starts this; stop when it is killed")

    def handle(self, *, host: str, port: int, parent: int | None, **options: Any) -> None:
        if parent:
            guardian.die_with_parent(parent, signal.SIGTERM)
        entry = connections["default"].settings_dict
        is_embedded = entry["ENGINE"] == postgres.ENGINE
        instance = entry["EMBEDDED"] if is_embedded else Instance("dev")
        try:
            run(instance, is_embedded=is_embedded, host=host, port=port, prepare=_prepare)
        except EmbeddedError as error:
            raise CommandError(str(error)) from error
        except KeyboardInterrupt:
            sys.exit(130)


def _prepare(stand_ins: StandIns | None) -> str:
    """Bring the database up to date; returns who is on call, for the welcome."""
    call_command("migrate", verbosity=0)
    if settings.MODE == "demo":
        wiring = {"smtp_port": stand_ins.ports["smtp"], "note": stand_ins.note} if stand_ins else {}
        call_command("seed_demo", verbosity=0, **wiring)
    on_call = import_string(settings.WHO_IS_ON_CALL)()
    connections.close_all()
    return on_call

"""`manage.py seed_demo`: the demo world, for trying the desk out. Never in production."""

from __future__ import annotations

import json
from datetime import timedelta
from importlib import import_module
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from incidents import demo
from supportdesk import instants
from supportdesk.accounts.models import ContactMethod

SLUGS = ("email", "slack", "pagerduty", "phone", "sms", "alertmanager", "jira", "statuspage", "incidentio")


class Command(BaseCommand):
    help = "Makes the demo world; running it again changes nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--minute", type=float, default=60.0, help="how many seconds a minute of waiting lasts")
        parser.add_argument(
            "--smtp-port", type=int, help="connect every vendor to the stand-ins, whose mail server listens here"
        )
        parser.add_argument(
            "--night-for-sam", action="store_true", help="put Smallco where it is outside business hours right now"
        )
        parser.add_argument("--note", type=Path, help="where to write what the stand-ins need to know")

    def handle(self, **options: Any) -> None:
        if settings.IN_PRODUCTION:
            raise CommandError("The demo world has well-known passwords. It is not for production.")
        vendors = _stand_in_values(options["smtp_port"]) if options["smtp_port"] else {}
        world = demo.build(instants.now(), vendors=vendors, minute=timedelta(seconds=options["minute"]))
        if options["night_for_sam"]:
            demo.let_sam_sleep(world, instants.now())
        if options["note"]:
            options["note"].write_text(json.dumps(_note(world)))


def _stand_in_values(smtp_port: int) -> dict[str, dict[str, str]]:
    """What connections to the stand-ins are made with. They are part of the checkout, not of the installed desk."""
    fakes = import_module("tests.fakes").Fakes()
    try:
        values = {slug: fakes.values(slug) for slug in SLUGS}
        values["pagerduty"] |= fakes.pagerduty.rest_values
    finally:
        fakes.close()
    values["email"]["port"] = str(smtp_port)
    return values


def _note(world: demo.World) -> dict[str, dict[str, str]]:
    """Where each vendor calls us, and whose number or address is whose."""
    names = {m.address: m.user.name for m in ContactMethod.objects.select_related("user")}
    names |= {demo.DESK_CHANNEL: "#desk", demo.ACME_CHANNEL: "#acme"}
    return {
        "hooks": {vendor: f"/hooks/{vendor}/{row.code}/" for vendor, row in world.connections.items()},
        "names": names,
    }

"""`manage.py fetch_mail`: ask every mailbox for new mail, once or for ever."""

from __future__ import annotations

import logging
import threading
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import close_old_connections

from supportdesk.integrations.base import IntegrationError, Reply
from supportdesk.integrations.mail_in import MailIn
from supportdesk.integrations.models import Connection
from supportdesk.queue import clock, inbox, outbox

log = logging.getLogger("supportdesk.mail")


class Command(BaseCommand):
    help = "Ask every IMAP mailbox for new mail. --forever keeps asking; a supervisor restarts it should it end."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--forever", action="store_true", help="go on asking")
        parser.add_argument("--every", type=float, default=20.0, help="seconds between two rounds")

    def handle(self, *args: Any, **options: Any) -> None:
        stop = threading.Event()  # never set: a signal ends the process, and nothing is half done
        while True:
            kept = fetch_all()
            if not options["forever"]:
                self.stdout.write(f"{kept} mails were kept.")
                return
            stop.wait(options["every"])
            close_old_connections()  # a database that went away meanwhile is asked anew


def fetch_all() -> int:
    """One round over every mailbox. What goes wrong with one stands on its connection and stops no other."""
    boxes = [
        one for one in Connection.objects.filter(vendor="mail_in", is_enabled=True) if one.settings.get("imap_host")
    ]
    return sum(fetch(box) for box in boxes)


def fetch(box: Connection) -> int:
    """Keep what is new in one mailbox. Each mail is stored before it is marked as seen."""
    integration = outbox.build(box)
    assert isinstance(integration, MailIn)

    def keep(replies: list[Reply]) -> None:
        inbox.store(box, replies)

    try:
        kept = integration.poll(keep)
    except IntegrationError as error:
        log.warning("mailbox %s: %s", box, error.detail)
        Connection.objects.filter(pk=box.pk).update(works=False, check_result=error.detail[:2000])
        return 0
    Connection.objects.filter(pk=box.pk).exclude(works=True).update(works=True, check_result="The mailbox answers.")
    clock.beat(f"mail:{box.pk}", clock.database_now(), kept)
    return kept

"""`manage.py fetch_mail`: ask every mailbox for new mail, once or for ever."""

from __future__ import annotations

import logging
import signal
import threading
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import InterfaceError, OperationalError, close_old_connections

from supportdesk.integrations.base import IntegrationError, Reply
from supportdesk.integrations.mail_in import MailIn
from supportdesk.integrations.models import Connection
from supportdesk.queue import clock, inbox, outbox
from supportdesk.queue.models import Heartbeat
from supportdesk.queue.outages import Outages

log = logging.getLogger("supportdesk.mail")

BEAT = "mail"


class Command(BaseCommand):
    help = "Ask every IMAP mailbox for new mail. --forever keeps asking; a supervisor restarts it should it end."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--forever", action="store_true", help="go on asking")
        parser.add_argument("--every", type=float, default=20.0, help="seconds between two rounds")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["forever"]:
            self._forever(options["every"])
        else:
            self.stdout.write(f"{fetch_all()} mails were kept.")

    def _forever(self, every: float) -> None:
        stop, outages = threading.Event(), Outages("mail")
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, lambda *_: stop.set())  # the round in hand ends first
        while not stop.is_set():
            close_old_connections()  # a database that went away meanwhile is asked anew
            try:
                fetch_all()
                outages.over()
            except (OperationalError, InterfaceError) as error:
                outages.lost(error)
            stop.wait(every)


def fetch_all() -> int:
    """One round over every mailbox, if there is any. What goes wrong with one stands on its connection and stops no
    other. Every round leaves a beat, and every mailbox that answered one of its own: the auditor looks for both."""
    boxes = [
        one for one in Connection.objects.filter(vendor="mail_in", is_enabled=True) if one.settings.get("imap_host")
    ]
    asked = [_beat_of(box) for box in boxes]
    Heartbeat.objects.filter(name__startswith=f"{BEAT}:").exclude(name__in=asked).delete()
    kept = sum(fetch(box) for box in boxes)
    clock.beat(BEAT, clock.database_now(), kept)
    return kept


def _beat_of(box: Connection) -> str:
    return f"{BEAT}:{box.pk}"


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
        # A mailbox that never answered is measured from its first refusal.
        Heartbeat.objects.get_or_create(name=_beat_of(box), defaults={"at": clock.database_now()})
        return 0
    Connection.objects.filter(pk=box.pk).exclude(works=True).update(works=True, check_result="The mailbox answers.")
    clock.beat(_beat_of(box), clock.database_now(), kept)
    return kept

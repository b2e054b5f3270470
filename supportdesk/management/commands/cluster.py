"""`manage.py cluster page`: one lane's django-q2 cluster under crash-only supervision. `manage.py qcluster` still
works as ever."""

from __future__ import annotations

import os
import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from django.utils.module_loading import import_string
from django_q.conf import Conf

from supportdesk.queue import clock  # noqa: F401  loads what tasks need before the fork: a fresh worker starts at once
from supportdesk.queue.supervision import Supervised


class Command(BaseCommand):
    help = "Runs the workers of one lane: page, sla, integrations or bulk."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("lane", choices=settings.QUEUE_LANES)

    def handle(self, **options: Any) -> None:
        lane = options["lane"]
        if lane != Conf.CLUSTER_NAME:  # django-q2 reads its name once, from the environment, when it is imported
            os.environ["Q_CLUSTER_NAME"] = lane
            os.execv(sys.executable, [sys.executable, *sys.argv])  # noqa: S606 (ourselves, once)
        import_string(settings.INBOUND_TASK)
        os.nice(settings.QUEUE_NICENESS[lane])
        Supervised().run()

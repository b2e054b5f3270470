"""`manage.py rotate_secrets`: seal every stored secret with the first of SUPPORTDESK_SECRETS_KEY; then the old keys
can go."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand
from django.db import transaction

from supportdesk import secrets_at_rest
from supportdesk.integrations.models import Connection


class Command(BaseCommand):
    help = "Seals every stored secret again, with the first key."

    def handle(self, **options: Any) -> None:
        done = 0
        for pk in Connection.objects.exclude(secrets="").values_list("pk", flat=True):
            with transaction.atomic():
                row = Connection.objects.select_for_update().get(pk=pk)
                Connection.objects.filter(pk=pk).update(secrets=secrets_at_rest.reseal(row.secrets))
            done += 1
        self.stdout.write(f"{done} connections sealed with the first key.")

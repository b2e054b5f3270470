"""Write the public status pages to `SUPPORTDESK_STATUS_FILES` now."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from incidents.status_pages import written
from supportdesk import instants


class Command(BaseCommand):
    help = "Writes the public status pages as files, as the bulk worker does after each change."

    def handle(self, **options: Any) -> None:
        if not settings.STATUS_FILES:
            raise CommandError("SUPPORTDESK_STATUS_FILES is not set. Nothing was written.")
        files = written.write_all(Path(settings.STATUS_FILES), instants.now())
        written.changed()
        self.stdout.write(f"Wrote {len(files)} files below {settings.STATUS_FILES}; again after each change.")

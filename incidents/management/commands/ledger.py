"""`manage.py ledger verify`: is the evidence what was written? `manage.py ledger seal`: close it up to here."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from incidents import ledger
from incidents.models import ClockEvent, LedgerSeal


class Command(BaseCommand):
    help = "Checks the evidence ledger, or seals it. Verify ends with 1 and names every event that was changed."

    def add_arguments(self, parser: CommandParser) -> None:
        does = parser.add_subparsers(dest="does", required=True)
        verify = does.add_parser("verify", help="check every event and every seal, and replay them")
        verify.add_argument(
            "--kept", action="append", default=[], metavar="NUMBER:HASH", help="a seal you kept outside the desk"
        )
        does.add_parser("seal", help="seal all ledgers that grew, and print the hash to keep outside the desk")

    def handle(self, **options: Any) -> None:
        if options["does"] == "seal":
            self._seal()
        else:
            self._verify(options["kept"])

    def _seal(self) -> None:
        made = ledger.seal()
        if made is None:
            self.stdout.write("Nothing grew since the last seal.")
        else:
            self.stdout.write(f"{made.number}:{made.hash}")

    def _verify(self, kept: list[str]) -> None:
        count = 0
        for finding in [*ledger.verify(), *map(_compare, kept)]:
            if finding is not None:
                count += 1
                self.stdout.write(str(finding))
        if count:
            raise CommandError(f"The ledger is not what was written: {count} finding{'s' * (count > 1)}.")
        self.stdout.write(
            f"The ledger is intact: {ClockEvent.objects.count()} events, {LedgerSeal.objects.count()} seals."
        )


def _compare(kept: str) -> ledger.Finding | None:
    """A seal somebody kept, beside the one in the desk."""
    number, _, digest = kept.partition(":")
    if not number.isdigit() or len(digest) != 64:
        raise CommandError(f"{kept} is not a seal; it looks like 12:9f86d081…")
    row = LedgerSeal.objects.filter(number=int(number)).first()
    if row is None:
        return ledger.Finding(f"seal {number}", "missing")
    return None if row.hash == digest else ledger.Finding(f"seal {number}", "is not the one that was kept")

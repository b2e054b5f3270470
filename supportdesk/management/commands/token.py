"""`manage.py token alice@acme.example ci --scope read --scope report`: make an API token; it is shown once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from supportdesk.accounts.models import ApiToken, User
from supportdesk.web.api.tokens import issue_token


class Command(BaseCommand):
    help = "Makes an API token for a person and prints it once."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email", help="whose rights it has")
        parser.add_argument("name", help="what it is for")
        parser.add_argument(
            "--scope", action="append", choices=ApiToken.Scope.values, default=[], help="read if none is named"
        )
        parser.add_argument("--days", type=int, default=365, help="how long it is good, at most 366")

    def handle(self, **options: Any) -> None:
        user = User.objects.filter(email=options["email"].lower(), is_active=True).first()
        if user is None:
            raise CommandError(f"There is no active account for {options['email']}.")
        _, token = issue_token(user, options["name"], options["scope"] or ["read"], timedelta(days=options["days"]))
        self.stdout.write(token)

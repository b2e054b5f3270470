"""`make lint`: every template of ours compiles."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.template import TemplateDoesNotExist, TemplateSyntaxError
from django.template.loader import get_template


class Command(BaseCommand):
    help = "Compile every template in templates/ and name those that do not."

    def handle(self, *args: Any, **options: Any) -> None:
        found, broken = 0, []
        for root in [Path(place) for place in settings.TEMPLATES[0]["DIRS"]]:  # type: ignore[attr-defined]
            for path in sorted(root.rglob("*.*")):
                relative = path.relative_to(root)
                # sentences for people are in the small language of supportdesk/words.py
                is_words = relative.parts[0] == "messages" and path.suffix == ".txt"
                if not path.is_file() or path.name.startswith(".") or is_words:
                    continue
                found += 1
                try:
                    get_template(str(relative))
                except (TemplateSyntaxError, TemplateDoesNotExist) as error:
                    broken.append(f"{relative}: {error}")
        if broken:
            raise CommandError("Templates that do not compile:\n  " + "\n  ".join(broken))
        self.stdout.write(f"{found} templates compile.")

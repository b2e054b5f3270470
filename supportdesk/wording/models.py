"""Texts of messages as managers changed them. The shipped ones are files."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from supportdesk.localised import ENGLISH, LANGUAGES


class MessageText(models.Model):
    """One revision of one text. The highest number holds; an empty text means: as shipped."""

    kind = models.CharField(max_length=40)
    vendor = models.CharField(max_length=20, blank=True, help_text="empty: every channel without a text of its own")
    language = models.CharField(max_length=8, choices=LANGUAGES, default=ENGLISH)
    number = models.PositiveIntegerField()
    text = models.TextField(blank=True)
    edited_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    edited_at = models.DateTimeField()

    class Meta:
        ordering = ["kind", "vendor", "language", "-number"]
        constraints = [
            models.UniqueConstraint(fields=["kind", "vendor", "language", "number"], name="message_text_revision")
        ]

    def __str__(self) -> str:
        return f"{self.kind} ({self.language}), revision {self.number}"

"""The append-only record of changes that need a reason or an author (INV-8)."""

from __future__ import annotations

from django.db import models


class AuditEntry(models.Model):
    """Who changed what, when, from what to what, and why. Rows are never updated or deleted: a trigger refuses it."""

    at = models.DateTimeField()
    actor = models.CharField(max_length=120)
    user = models.ForeignKey("supportdesk.User", null=True, on_delete=models.PROTECT, related_name="+")
    via = models.CharField(max_length=20)
    verb = models.CharField(max_length=60)
    subject = models.CharField(max_length=80, db_index=True)
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)
    reason = models.TextField(blank=True)

    class Meta:
        ordering = ["-pk"]
        verbose_name_plural = "audit entries"

    def __str__(self) -> str:
        return f"{self.verb} {self.subject}"

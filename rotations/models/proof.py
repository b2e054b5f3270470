"""Coverage proofs that were run, and the holes somebody was paged for."""

from __future__ import annotations

from datetime import datetime

from django.db import models

from rotations.models.schedule import Schedule


class Proof(models.Model):
    """A coverage proof that was run: its outcome as it was written then. History is kept."""

    class Kind(models.TextChoices):
        NIGHTLY = "nightly", "every night"
        SAVE = "save", "after a change"
        DEMAND = "demand", "on demand"

    kind = models.CharField(max_length=10, choices=Kind.choices)
    at = models.DateTimeField(help_text="from when on it proves")
    until = models.DateTimeField()
    ok = models.BooleanField("holds")
    summary = models.JSONField(default=dict, help_text="claims, failures and warnings in words")
    duration_ms = models.PositiveIntegerField()

    class Meta:
        ordering = ["-at", "-pk"]
        indexes = [
            # console: the last proofs
            models.Index(fields=["-at", "-id"], name="proof_newest")
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.at:%Y-%m-%d %H:%M} UTC: {'holds' if self.ok else 'fails'}"


class GapPage(models.Model):
    """A hole in a rota that somebody was paged for (§4.2). Gone when the hole is, so that one that opens again rings.

    `end` is empty for a hole whose end was not in sight.
    """

    schedule = models.ForeignKey(Schedule, on_delete=models.CASCADE, related_name="gap_pages")
    start = models.DateTimeField()
    end = models.DateTimeField(null=True)
    paged_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.schedule} from {self.start:%Y-%m-%d %H:%M} UTC"

    def overlaps(self, start: datetime, end: datetime) -> bool:
        return self.start < end and (self.end is None or start < self.end)

    def covers(self, start: datetime, end: datetime | None) -> bool:
        """Whether whoever was paged knows of all of a hole from `start` until `end`, or without an end in sight."""
        return self.start <= start and (self.end is None or (end is not None and end <= self.end))

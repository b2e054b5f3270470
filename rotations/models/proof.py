"""Coverage proofs that were run."""

from __future__ import annotations

from django.db import models


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

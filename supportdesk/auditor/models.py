"""What the auditor remembers: its rounds, what is wrong now, and when it was told to look away."""

from __future__ import annotations

from datetime import timedelta

from django.db import models
from django.db.models import F, Q

LONGEST_PAUSE = timedelta(hours=4)


class AuditRun(models.Model):
    """One round of the auditor. Kept for a week."""

    at = models.DateTimeField(db_index=True)
    duration_ms = models.PositiveIntegerField()
    ok = models.BooleanField()
    failed = models.JSONField(default=list, help_text="names of the invariants that do not hold")
    timings = models.JSONField(default=dict, help_text="milliseconds by invariant")
    version = models.CharField(max_length=40)

    class Meta:
        ordering = ["-at"]

    def __str__(self) -> str:
        return f"{self.at:%H:%M:%S} {'well' if self.ok else ', '.join(self.failed)}"


class Finding(models.Model):
    """An invariant that does not hold, from when it was first seen until it held again."""

    class Level(models.TextChoices):
        ALARM = "alarm", "somebody is told at once"
        WARNING = "warning", "shown, nobody is woken"

    invariant = models.CharField(max_length=60)
    level = models.CharField(max_length=10, choices=Level.choices, default=Level.ALARM)
    title = models.CharField(max_length=200)
    detail = models.TextField(blank=True)
    remedy = models.TextField(blank=True)
    count = models.PositiveIntegerField(default=1)
    since = models.DateTimeField()
    seen_at = models.DateTimeField()
    cleared_at = models.DateTimeField(null=True)
    mended_at = models.DateTimeField(null=True, help_text="when the auditor tried to put it right, once")
    alarmed_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-since"]
        constraints = [
            models.UniqueConstraint(
                fields=["invariant"], name="finding_open_once", condition=Q(cleared_at__isnull=True)
            )
        ]
        indexes = [models.Index(fields=["-since"], name="finding_since")]

    def __str__(self) -> str:
        return f"{self.invariant}: {self.title}"


class AuditPause(models.Model):
    """The auditor was told to keep quiet: by whom, why, and until when. Never for more than four hours."""

    since = models.DateTimeField()
    until = models.DateTimeField()
    reason = models.CharField(max_length=200)
    by = models.CharField(max_length=120)

    class Meta:
        ordering = ["-since"]
        constraints = [
            models.CheckConstraint(
                condition=Q(until__gt=F("since")) & Q(until__lte=F("since") + LONGEST_PAUSE), name="audit_pause_ends"
            ),
            models.CheckConstraint(condition=~Q(reason=""), name="audit_pause_has_a_reason"),
        ]

    def __str__(self) -> str:
        return f"until {self.until:%H:%M} UTC: {self.reason}"


class Tally(models.Model):
    """A histogram that only grows, for /metrics. The auditor alone adds to it, so sending a page waits for no row."""

    name = models.CharField(max_length=60)
    labels = models.JSONField(default=dict)
    buckets = models.JSONField(default=list, help_text="how many were at most so long, by bound")
    count = models.BigIntegerField(default=0)
    total = models.FloatField(default=0.0)

    class Meta:
        verbose_name_plural = "tallies"
        constraints = [models.UniqueConstraint(fields=["name", "labels"], name="tally_once")]

    def __str__(self) -> str:
        return f"{self.name} {self.labels}: {self.count}"

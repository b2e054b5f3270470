"""SLA clocks: the events they follow from, their present state, and what was missed."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from incidents.models.incident import Incident


class ClockEvent(models.Model):
    """One event of an incident's evidence ledger: append-only, each row sealed with the hash of the one before
    (SLA-18)."""

    incident = models.ForeignKey(Incident, on_delete=models.PROTECT, related_name="clock_events")
    sequence = models.PositiveIntegerField()
    at = models.DateTimeField()
    kind = models.CharField(max_length=30)
    data = models.JSONField(default=dict)
    recorded_at = models.DateTimeField()
    previous_hash = models.CharField(max_length=64)
    hash = models.CharField(max_length=64)

    class Meta:
        ordering = ["incident", "sequence"]
        constraints = [models.UniqueConstraint(fields=["incident", "sequence"], name="clock_event_once")]

    def __str__(self) -> str:
        return f"{self.kind} at {self.at:%H:%M:%S}"


class SlaClock(models.Model):
    """One cycle of one clock as the events say it stands: kept for lists and reports, recomputable at any time."""

    incident = models.ForeignKey(Incident, on_delete=models.PROTECT, related_name="clocks")
    kind = models.CharField(max_length=20)
    cycle = models.PositiveIntegerField()
    severity = models.CharField(max_length=2)
    target_seconds = models.PositiveIntegerField()
    promise = models.CharField(max_length=10, help_text="guarantee or objective")
    started_at = models.DateTimeField()
    effective_start = models.DateTimeField()
    due_at = models.DateTimeField(null=True)
    state = models.CharField(max_length=12)
    satisfied_at = models.DateTimeField(null=True)
    is_counted = models.BooleanField(default=True, help_text="False under goodwill and for drills")

    class Meta:
        ordering = ["incident", "kind", "cycle"]
        constraints = [models.UniqueConstraint(fields=["incident", "kind", "cycle"], name="sla_clock_once")]
        indexes = [
            # console: what is due next
            models.Index(fields=["due_at"], name="sla_clock_running", condition=Q(state="running")),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.cycle}: {self.state}"


class Breach(models.Model):
    """A promise that was not kept. Immutable; it can be annotated, never deleted (SLA-15)."""

    incident = models.ForeignKey(Incident, on_delete=models.PROTECT, related_name="breaches")
    kind = models.CharField(max_length=20)
    cycle = models.PositiveIntegerField()
    severity = models.CharField(max_length=2)
    target_seconds = models.PositiveIntegerField()
    due_at = models.DateTimeField()
    detected_at = models.DateTimeField()
    satisfied_at = models.DateTimeField(null=True)
    is_counted = models.BooleanField(default=True)
    excused_category = models.CharField(max_length=60, blank=True)
    excused_text = models.TextField(blank=True)
    excused_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        ordering = ["-due_at"]
        verbose_name_plural = "breaches"
        constraints = [models.UniqueConstraint(fields=["incident", "kind", "cycle"], name="breach_once")]

    def __str__(self) -> str:
        return f"{self.incident_id} {self.kind} {self.cycle}"

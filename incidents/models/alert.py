"""Machine signals."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from incidents.models.incident import Incident


class Alert(models.Model):
    """One condition one monitor reported, however often it said so (MON-1). Many alerts may join one incident."""

    class Status(models.TextChoices):
        FIRING = "firing", "firing"
        RESOLVED = "resolved", "resolved"

    connection = models.ForeignKey("supportdesk.Connection", on_delete=models.PROTECT, related_name="alerts")
    dedup_key = models.CharField(max_length=200)
    status = models.CharField(max_length=10, choices=Status.choices)
    severity = models.CharField(max_length=10)
    title = models.CharField(max_length=200)
    organization = models.ForeignKey("supportdesk.Organization", null=True, on_delete=models.PROTECT, related_name="+")
    service = models.ForeignKey("supportdesk.Service", null=True, on_delete=models.PROTECT, related_name="alerts")
    incident = models.ForeignKey(Incident, null=True, on_delete=models.PROTECT, related_name="alerts")
    previous = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="+")
    signal = models.JSONField(default=dict)
    count = models.PositiveIntegerField(default=1)
    first_at = models.DateTimeField()
    last_at = models.DateTimeField(help_text="when we last heard of it")
    event_at = models.DateTimeField(help_text="the sender's time of the last event we applied (MON-4)")
    resolved_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-last_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["connection", "dedup_key"], name="alert_firing_once", condition=Q(status="firing")
            )
        ]
        indexes = [models.Index(fields=["connection", "dedup_key", "-last_at"], name="alert_latest")]

    def __str__(self) -> str:
        return self.title

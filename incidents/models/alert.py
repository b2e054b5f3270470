"""Machine signals."""

from __future__ import annotations

from datetime import datetime

from django.db import models
from django.db.models import Q

from incidents.models.incident import Incident


class Alert(models.Model):
    """One condition one monitor reported, however often it said so (MON-1). Many alerts may join one incident."""

    class Status(models.TextChoices):
        FIRING = "firing", "firing"
        RESOLVED = "resolved", "resolved"

    class Origin(models.TextChoices):
        MONITOR = "monitor", "monitor"
        HEARTBEAT = "heartbeat", "missed heartbeat"
        ANOMALY = "anomaly", "anomaly detection"

    connection = models.ForeignKey(
        "supportdesk.Connection",
        null=True,
        on_delete=models.PROTECT,
        related_name="alerts",
        help_text="empty: the desk found it by itself",
    )
    origin = models.CharField(max_length=10, choices=Origin.choices, default=Origin.MONITOR)
    dedup_key = models.CharField(max_length=200)
    status = models.CharField(max_length=10, choices=Status.choices)
    severity = models.CharField(max_length=10)
    title = models.CharField(max_length=200)
    organization = models.ForeignKey("supportdesk.Organization", null=True, on_delete=models.PROTECT, related_name="+")
    service = models.ForeignKey("supportdesk.Service", null=True, on_delete=models.PROTECT, related_name="alerts")
    group = models.CharField(max_length=200, blank=True, help_text="the `group` label (MON-3)")
    incident = models.ForeignKey(Incident, null=True, on_delete=models.PROTECT, related_name="alerts")
    previous = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="+")
    signal = models.JSONField(default=dict)
    count = models.PositiveIntegerField(default=1)
    changes = models.JSONField(default=list, help_text="instants of its last changes of state (MON-5)")
    flapping_since = models.DateTimeField(null=True)
    suppressed_until = models.DateTimeField(null=True, help_text="maintenance holds it back until then (MON-7)")
    first_at = models.DateTimeField()
    last_at = models.DateTimeField(help_text="when we last heard of it")
    event_at = models.DateTimeField(help_text="the sender's time of the last event we applied (MON-4)")
    resolved_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-last_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["connection", "dedup_key"], name="alert_firing_once", condition=Q(status="firing")
            ),
            models.UniqueConstraint(
                fields=["dedup_key"],
                name="alert_own_firing_once",
                condition=Q(status="firing", connection__isnull=True),
            ),
        ]
        indexes = [
            models.Index(fields=["connection", "dedup_key", "-last_at"], name="alert_latest"),
            # MON-9: how many new alerts a source brought within the last minute
            models.Index(fields=["connection", "first_at"], name="alert_storm_count"),
            # MON-7: what maintenance holds back
            models.Index(
                fields=["suppressed_until"],
                name="alert_suppressed",
                condition=Q(status="firing", suppressed_until__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def is_firing(self) -> bool:
        return self.status == self.Status.FIRING

    @property
    def source(self) -> str:
        """What brought it: two alerts with different sources are independent witnesses (MON-10)."""
        return f"connection:{self.connection_id}" if self.connection_id else self.origin

    @property
    def changed_at(self) -> tuple[datetime, ...]:
        """The instants in `changes`."""
        return tuple(datetime.fromisoformat(at) for at in self.changes)


class AlertStorm(models.Model):
    """More new alerts within a minute than anybody can read: one page a service, and said so once (MON-9)."""

    connection = models.ForeignKey(
        "supportdesk.Connection", null=True, on_delete=models.CASCADE, related_name="alert_storms"
    )
    started_at = models.DateTimeField()
    last_at = models.DateTimeField()
    count = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["-started_at"]
        indexes = [models.Index(fields=["connection", "-last_at"], name="alert_storm_latest")]

    def __str__(self) -> str:
        return f"storm of {self.count} alerts"

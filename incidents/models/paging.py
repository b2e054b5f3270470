"""The running escalation of an incident, and each page it sent."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.db import models

from incidents.models.incident import Incident
from rotations.models import EscalationPolicy


class Escalation(models.Model):
    """The policy as it was when the escalation began, and where it stands (ESC-4).

    Replaced whole by the pure engine.
    """

    incident = models.OneToOneField(Incident, on_delete=models.PROTECT, related_name="escalation")
    policy = models.ForeignKey(EscalationPolicy, null=True, on_delete=models.PROTECT, related_name="+")
    snapshot = models.JSONField()
    state = models.JSONField()
    status = models.CharField(max_length=16)
    next_at = models.DateTimeField(null=True)
    started_at = models.DateTimeField()

    class Meta:
        indexes = [
            # auditor I1: everything unacknowledged has a future
            models.Index(fields=["status", "next_at"], name="escalation_next")
        ]

    def __str__(self) -> str:
        return f"{self.incident.ref}: {self.status}"


class Page(models.Model):
    """One attempt to reach one person for one incident and one reason; its deliveries are the calls and messages."""

    class State(models.TextChoices):
        OPEN = "open", "ringing"
        ACKNOWLEDGED = "acknowledged", "acknowledged"
        STOPPED = "stopped", "no longer needed"
        UNREACHABLE = "unreachable", "could not be reached"

    incident = models.ForeignKey(Incident, on_delete=models.PROTECT, related_name="pages")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="pages")
    recipient = models.CharField(max_length=120)
    generation = models.PositiveIntegerField()
    step = models.PositiveSmallIntegerField()
    turn = models.PositiveSmallIntegerField(default=1, help_text="which pass through the policy")
    reason = models.CharField(max_length=40)
    planned_at = models.DateTimeField()
    created_at = models.DateTimeField()
    kept_until = models.DateTimeField(null=True, help_text="the end of their quiet hours, if it waits for it (ESC-15)")
    state = models.CharField(max_length=12, choices=State.choices, default=State.OPEN)
    ended_at = models.DateTimeField(null=True)
    acknowledged_via = models.CharField(max_length=20, blank=True)

    class Meta:
        ordering = ["created_at", "pk"]
        indexes = [models.Index(fields=["user", "state"], name="page_user_open", condition=models.Q(state="open"))]

    def __str__(self) -> str:
        return f"{self.recipient} for {self.incident_id}: {self.state}"

    def is_kept(self, now: datetime) -> bool:
        """Whether it waits for the end of somebody's quiet hours."""
        return self.state == self.State.OPEN and self.kept_until is not None and now < self.kept_until

    @property
    def key_prefix(self) -> str:
        """What the keys of its deliveries begin with."""
        return f"page:{self.pk}:"

"""What people decide about an incident beside working it: goodwill, disputes, and what is left to do about it."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from incidents.models.incident import Incident
from rotations.models import severity_choices

User = settings.AUTH_USER_MODEL


class GoodwillGrant(models.Model):
    """A manager's exception: more than the contract gives, for a while (ENT-12). Append-only by a trigger."""

    incident = models.ForeignKey(Incident, on_delete=models.PROTECT, related_name="goodwill")
    scope = models.JSONField(help_text="page, 24x7, war_room, phone")
    reason = models.TextField()
    granted_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    granted_at = models.DateTimeField()
    expires_at = models.DateTimeField()

    class Meta:
        ordering = ["granted_at", "pk"]

    def __str__(self) -> str:
        return f"{self.incident.ref}: {', '.join(self.scope)}"


class SeverityDispute(models.Model):
    """The customer sees the severity differently: once an incident, decided by a manager (ENT-13)."""

    incident = models.OneToOneField(Incident, on_delete=models.PROTECT, related_name="dispute")
    disputed_at = models.DateTimeField()
    disputed_by = models.CharField(max_length=120)
    text = models.TextField()
    severity = models.CharField(max_length=2, choices=severity_choices, help_text="stands until it is decided")
    lowered_to = models.CharField(max_length=2, choices=severity_choices)
    decide_by = models.DateTimeField()
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    is_upheld = models.BooleanField(null=True, blank=True, help_text="the customer was right")
    reason = models.TextField(blank=True)

    class Meta:
        ordering = ["-disputed_at"]

    def __str__(self) -> str:
        return f"{self.incident.ref}: {self.severity} or {self.lowered_to}"

    @property
    def is_open(self) -> bool:
        return self.decided_at is None


class FollowUp(models.Model):
    """Something a person has to do because of an incident, some time after it. Nothing waits for it."""

    class Kind(models.TextChoices):
        GOODWILL = "goodwill", "second manager for a goodwill grant"
        CLAIMS = "claims", "severity claims that are often lowered"

    key = models.CharField(max_length=120, unique=True)
    kind = models.CharField(max_length=20, choices=Kind.choices)
    incident = models.ForeignKey(Incident, on_delete=models.PROTECT, related_name="follow_ups")
    text = models.TextField()
    assignee = models.ForeignKey(
        User, null=True, blank=True, on_delete=models.PROTECT, related_name="+", help_text="empty: any manager"
    )
    not_by = models.ForeignKey(
        User, null=True, blank=True, on_delete=models.PROTECT, related_name="+", help_text="who may not do it"
    )
    created_at = models.DateTimeField()
    done_at = models.DateTimeField(null=True, blank=True)
    done_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    answer = models.TextField(blank=True)

    class Meta:
        ordering = ["created_at", "pk"]
        indexes = [
            # console and API: what is still to be done
            models.Index(fields=["created_at"], name="follow_up_open", condition=Q(done_at=None))
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.incident.ref}"

"""Mail that came in: what waits for a person to look at it, and what was attached."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import Q

from incidents.models.incident import Incident, TimelineEntry


class HeldMail(models.Model):
    """A mail nobody could be sure about: a person decides whose it is (security S18)."""

    class State(models.TextChoices):
        WAITING = "waiting", "waiting for a person"
        ACCEPTED = "accepted", "accepted"
        DISCARDED = "discarded", "discarded"

    connection = models.ForeignKey("supportdesk.Connection", on_delete=models.PROTECT, related_name="+")
    message_id = models.CharField(max_length=200)
    sender = models.CharField(max_length=320)
    sender_name = models.CharField(max_length=200, blank=True)
    subject = models.CharField(max_length=200, blank=True)
    text = models.TextField(blank=True)
    reason = models.TextField(help_text="why a person has to look")
    received_at = models.DateTimeField()
    contact = models.ForeignKey(
        "supportdesk.Contact",
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text="whose address it claims to come from",
    )
    incident = models.ForeignKey(
        Incident, null=True, on_delete=models.SET_NULL, related_name="held_mails", help_text="what it answers or became"
    )
    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    decided_by = models.ForeignKey("supportdesk.User", null=True, on_delete=models.SET_NULL, related_name="+")
    decided_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["received_at"]
        constraints = [models.UniqueConstraint(fields=["connection", "message_id"], name="held_mail_once")]
        indexes = [
            # console: what waits
            models.Index(fields=["received_at"], name="held_mail_waiting", condition=Q(state="waiting"))
        ]

    def __str__(self) -> str:
        return self.subject or self.sender


class Attachment(models.Model):
    """A file somebody sent. It lies in the database: there is no path to guess, and nothing to execute (S15)."""

    code = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    incident = models.ForeignKey(Incident, null=True, on_delete=models.PROTECT, related_name="attachments")
    entry = models.ForeignKey(TimelineEntry, null=True, on_delete=models.PROTECT, related_name="attachments")
    held = models.ForeignKey(HeldMail, null=True, on_delete=models.CASCADE, related_name="attachments")
    name = models.CharField(max_length=150)
    content_type = models.CharField(max_length=100)
    size = models.PositiveIntegerField()
    sha256 = models.CharField(max_length=64)
    content = models.BinaryField()
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return self.name

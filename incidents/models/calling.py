"""Calls to the emergency line: who rang, whom we rang for them, and what became of it."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from incidents.models.incident import Incident


class EmergencyCall(models.Model):
    """One call, from the first ring to its end. Evidence for when a customer reached somebody (SLA-2)."""

    class State(models.TextChoices):
        ASKING = "asking", "asked for the PIN"
        RINGING = "ringing", "ringing somebody"
        TALKING = "talking", "somebody took it"
        VOICEMAIL = "voicemail", "asked to leave a message"
        OVER = "over", "over"

    connection = models.ForeignKey("supportdesk.Connection", null=True, on_delete=models.SET_NULL, related_name="+")
    sid = models.CharField(max_length=64, unique=True, help_text="the provider's name for the call")
    caller = models.CharField(max_length=40, help_text="the number it came from; anybody can pretend to be a number")
    organization = models.ForeignKey("supportdesk.Organization", null=True, on_delete=models.PROTECT, related_name="+")
    contact = models.ForeignKey("supportdesk.Contact", null=True, on_delete=models.PROTECT, related_name="+")
    is_verified = models.BooleanField(default=False, help_text="the PIN was right")
    incident = models.ForeignKey(Incident, null=True, on_delete=models.PROTECT, related_name="calls")
    rung = models.JSONField(default=list, help_text="whom to ring, in order: user, name, number")
    leg = models.PositiveSmallIntegerField(default=0, help_text="whose turn it is")
    pin_tries = models.PositiveSmallIntegerField(default=0)
    taken_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    taken_at = models.DateTimeField(null=True)
    recording_url = models.URLField(blank=True)
    state = models.CharField(max_length=10, choices=State.choices, default=State.ASKING)
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-started_at"]

    def __str__(self) -> str:
        return f"{self.caller}: {self.get_state_display()}"

    @property
    def rung_so_far(self) -> list[str]:
        """The names of those whose turn it has been, in order."""
        return [one["name"] for one in self.rung[: self.leg + 1]]

    @property
    def is_missed(self) -> bool:
        """Nobody spoke with them, no message was left, and no incident keeps ringing for them."""
        return self.taken_at is None and not self.recording_url and self.incident_id is None

"""Being on duty: hand-offs, shadows, call-outs, and the calendars people follow."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from rotations.models.schedule import Schedule
from supportdesk import secrets_at_rest

User = settings.AUTH_USER_MODEL


class HandOff(models.Model):
    """The instant one primary follows another, with what the one tells the other (ROT-11).

    `contact` answers questions about the shift before until `contact_until`: shown, not paged (ROT-7).
    """

    schedule = models.ForeignKey(Schedule, on_delete=models.CASCADE, related_name="hand_offs")
    at = models.DateTimeField()
    outgoing = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    incoming = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    note = models.TextField(blank=True)
    written_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    written_at = models.DateTimeField(null=True)
    accepted_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    accepted_at = models.DateTimeField(null=True)
    contact = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    contact_until = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-at"]
        constraints = [models.UniqueConstraint(fields=["schedule", "at"], name="hand_off_once")]

    def __str__(self) -> str:
        return f"{self.schedule}: {self.outgoing} to {self.incoming}, {self.at:%d %b %H:%M} UTC"


class HandOffItem(models.Model):
    """Something open at a hand-off that the incoming person takes over, or is paged for after a while."""

    hand_off = models.ForeignKey(HandOff, on_delete=models.CASCADE, related_name="items")
    subject = models.CharField(max_length=80, help_text="incident:42")
    title = models.CharField(max_length=250)
    severity = models.CharField(max_length=2)
    accepted_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["severity", "pk"]
        constraints = [models.UniqueConstraint(fields=["hand_off", "subject"], name="hand_off_item_once")]

    def __str__(self) -> str:
        return self.title


class Shadow(models.Model):
    """Somebody who learns by looking on: told of every page of a schedule, never paged."""

    schedule = models.ForeignKey(Schedule, on_delete=models.CASCADE, related_name="shadows")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    start = models.DateTimeField()
    end = models.DateTimeField()

    class Meta:
        ordering = ["start"]
        constraints = [models.CheckConstraint(condition=Q(end__gt=F("start")), name="shadow_ends_after_it_begins")]

    def __str__(self) -> str:
        return f"{self.user} shadows {self.schedule}"


class CallOut(models.Model):
    """One person called for one incident: what interrupts rest and makes a shift heavy (§4.4).

    Written by whoever pages. Work lasts from the first page until `ended_at`, and only if it was acknowledged.
    """

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="call_outs")
    subject = models.CharField(max_length=80, help_text="incident:42")
    generation = models.PositiveIntegerField(default=0)
    severity = models.CharField(max_length=2)
    pages = models.PositiveIntegerField(default=1)
    paged_at = models.DateTimeField()
    last_paged_at = models.DateTimeField()
    acknowledged_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["paged_at"]
        constraints = [models.UniqueConstraint(fields=["user", "subject", "generation"], name="call_out_once")]
        indexes = [
            # fatigue: what somebody was called for in a period
            models.Index(fields=["user", "paged_at"], name="call_out_of_person")
        ]

    def __str__(self) -> str:
        return f"{self.user} for {self.subject}"


class CalendarFeed(models.Model):
    """The secret address at which somebody's calendar reads their shifts, or those of a schedule.

    The address is made from the row and `version`: renewing it makes every older address worthless.
    """

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="calendar_feeds")
    schedule = models.ForeignKey(
        Schedule, null=True, on_delete=models.CASCADE, related_name="calendar_feeds", help_text="empty: their own"
    )
    version = models.PositiveIntegerField(default=1)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "schedule"], name="calendar_feed_once", nulls_distinct=False)
        ]

    def __str__(self) -> str:
        return f"{self.user}: {self.schedule or 'own shifts'}"


class FeedEvent(models.Model):
    """What a calendar was told of one shift, so that a change counts up and a shift that is gone is cancelled."""

    feed = models.ForeignKey(CalendarFeed, on_delete=models.CASCADE, related_name="events")
    uid = models.CharField(max_length=120)
    start = models.DateTimeField()
    end = models.DateTimeField()
    summary = models.CharField(max_length=250)
    sequence = models.PositiveIntegerField(default=0)
    is_cancelled = models.BooleanField(default=False)
    changed_at = models.DateTimeField()

    class Meta:
        ordering = ["start", "pk"]
        constraints = [models.UniqueConstraint(fields=["feed", "uid"], name="feed_event_once")]

    def __str__(self) -> str:
        return self.summary


class LeaveCalendar(models.Model):
    """A calendar elsewhere that says when somebody is away, read every night. Its address is a secret, kept sealed."""

    user = models.OneToOneField(User, on_delete=models.CASCADE, related_name="leave_calendar")
    sealed = models.TextField(editable=False)
    host = models.CharField(max_length=255, help_text="the part of the address that may be shown")
    read_at = models.DateTimeField(null=True)
    tried_at = models.DateTimeField(null=True)
    error = models.CharField(max_length=300, blank=True)

    def __str__(self) -> str:
        return f"{self.user}: {self.host}"

    @property
    def address(self) -> str:
        return secrets_at_rest.open_sealed(self.sealed)["address"]

    def set_address(self, address: str, host: str) -> None:
        self.sealed, self.host = secrets_at_rest.seal({"address": address}), host

    def next_reading(self, now: datetime) -> datetime:
        """Three in the morning, UTC, of the next day."""
        return (now + timedelta(days=1)).replace(hour=3, minute=0, second=0, microsecond=0)

"""What comes between a rotation and its turns: overrides, leave, swaps."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import RangeOperators
from django.db import models
from django.db.models import F, Func, Q, Value

from rotations.models.schedule import Layer, Schedule

User = settings.AUTH_USER_MODEL


def one_at_a_time(slot: str) -> ExclusionConstraint:
    """No two rows of one schedule and slot overlap.

    Ranges of one number stand in for equality: core GiST, no extension.
    """
    return ExclusionConstraint(
        name=f"override_{slot}_one_at_a_time",
        condition=Q(slot=slot),
        expressions=[
            (Func("schedule", "schedule", Value("[]"), function="int8range"), RangeOperators.OVERLAPS),
            (Func("start", "end", function="tstzrange"), RangeOperators.OVERLAPS),
        ],
        violation_error_message="Another override already covers part of this time.",
    )


class Override(models.Model):
    """One person takes one slot for an interval, whatever the rotation says. Two on one slot never overlap (ROT-5)."""

    schedule = models.ForeignKey(Schedule, on_delete=models.CASCADE, related_name="overrides")
    slot = models.CharField(max_length=10, choices=Layer.Slot.choices, default=Layer.Slot.PRIMARY)
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    start = models.DateTimeField()
    end = models.DateTimeField()
    reason = models.CharField(max_length=200, blank=True)
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+", editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["start"]
        constraints = [
            models.CheckConstraint(condition=Q(end__gt=F("start")), name="override_ends_after_it_begins"),
            one_at_a_time("primary"),
            one_at_a_time("backup"),
        ]

    def __str__(self) -> str:
        return f"{self.user} is {self.slot} {self.start:%d %b %H:%M}–{self.end:%d %b %H:%M} UTC"


class Leave(models.Model):
    """An interval in which a person must not be scheduled. Sick leave counts at once (ROT-9)."""

    class Kind(models.TextChoices):
        HOLIDAY = "holiday", "holiday"
        SICK = "sick", "sick"
        OTHER = "other", "other"

    class State(models.TextChoices):
        ASKED = "asked", "asked for"
        APPROVED = "approved", "approved"
        DECLINED = "declined", "declined"
        CANCELLED = "cancelled", "taken back"

    class Source(models.TextChoices):
        HAND = "hand", "asked for by hand"
        FILE = "file", "read from a file"
        CALENDAR = "calendar", "read from a calendar"

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="leave")
    start = models.DateTimeField()
    end = models.DateTimeField()
    kind = models.CharField(max_length=10, choices=Kind.choices, default=Kind.HOLIDAY)
    state = models.CharField(max_length=10, choices=State.choices, default=State.ASKED)
    note = models.CharField(max_length=200, blank=True)
    source = models.CharField(max_length=10, choices=Source.choices, default=Source.HAND, editable=False)
    uid = models.CharField(max_length=300, blank=True, editable=False, help_text="the event it was read from")
    asked_at = models.DateTimeField(auto_now_add=True, null=True)
    decided_at = models.DateTimeField(null=True, blank=True, editable=False)
    decided_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+", editable=False)
    reason = models.CharField(max_length=200, blank=True, editable=False, help_text="why it was decided so")

    class Meta:
        ordering = ["start"]
        verbose_name_plural = "leave"
        constraints = [
            models.CheckConstraint(condition=Q(end__gt=F("start")), name="leave_ends_after_it_begins"),
            models.UniqueConstraint(fields=["user", "uid"], condition=~Q(uid=""), name="leave_read_once"),
        ]

    def __str__(self) -> str:
        return f"{self.user} away {self.start:%d %b}–{self.end:%d %b}"


class Swap(models.Model):
    """An agreed exchange or give-away of part of a person's shifts (ROT-8)."""

    class State(models.TextChoices):
        OPEN = "open", "open"
        ACCEPTED = "accepted", "accepted"
        DECLINED = "declined", "declined"
        EXPIRED = "expired", "expired"
        WITHDRAWN = "withdrawn", "withdrawn"

    schedule = models.ForeignKey(Schedule, on_delete=models.CASCADE, related_name="swaps")
    slot = models.CharField(max_length=10, choices=Layer.Slot.choices, default=Layer.Slot.PRIMARY)
    giver = models.ForeignKey(User, on_delete=models.PROTECT, related_name="swaps_given")
    taker = models.ForeignKey(User, null=True, blank=True, on_delete=models.PROTECT, related_name="swaps_taken")
    start = models.DateTimeField()
    end = models.DateTimeField()
    return_start = models.DateTimeField(null=True, blank=True)
    return_end = models.DateTimeField(null=True, blank=True)
    state = models.CharField(max_length=10, choices=State.choices, default=State.OPEN)
    note = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    settled_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        ordering = ["start"]
        constraints = [models.CheckConstraint(condition=Q(end__gt=F("start")), name="swap_ends_after_it_begins")]

    def __str__(self) -> str:
        return f"{self.giver} gives {self.start:%d %b %H:%M}–{self.end:%d %b %H:%M} UTC"

    @property
    def subject(self) -> str:
        """What its timer is filed under."""
        return f"swap:{self.pk}"

    @property
    def spans(self) -> list[tuple[datetime, datetime]]:
        """What changes hands: the span that is given, and the one in return."""
        given = [(self.start, self.end)]
        if self.return_start is None or self.return_end is None:
            return given
        return [*given, (self.return_start, self.return_end)]

"""Schedules, their layers, and who turns in them."""

from __future__ import annotations

from uuid import uuid4

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q

from supportdesk import instants
from supportdesk.accounts.models import validate_zone
from supportdesk.queue import timers

User = settings.AUTH_USER_MODEL
PLAN_HAND_OFF = "rotations.tasks.plan_hand_off"


class Schedule(models.Model):
    """What a policy targets: slots primary and backup, resolved from layers, overrides, swaps and leave.

    `stamp` is new with every change to anything below it, so that a compiled schedule can be kept. It is never used
    twice, not even after a rollback: a number that counts up would be.
    """

    name = models.CharField(max_length=120, unique=True)
    slug = models.SlugField(unique=True)
    backup_offset = models.SmallIntegerField(
        default=1, help_text="+1: the next primary is backup; −1: the last one (ROT-6)"
    )
    fallback = models.ForeignKey(
        User,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text="who is paged when nobody is on call",
    )
    manager = models.ForeignKey(User, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    duty = models.BooleanField(default=False, help_text="this is the duty managers' rotation")
    stamp = models.UUIDField(default=uuid4, editable=False)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    @property
    def subject(self) -> str:
        """What its timers, messages and records are filed under."""
        return f"schedule:{self.pk}"

    def touch(self) -> None:
        """Note that something below this schedule changed, and let whoever waits for its next shift look again.

        With the caller's transaction: hand-offs are planned anew, and what is ringing right now rings whoever is on
        duty by the new rules (ESC-5).
        """
        self.stamp = uuid4()
        Schedule.objects.filter(pk=self.pk).update(stamp=self.stamp)
        now, args = instants.now(), {"schedule": self.pk}
        timers.arm(
            timers.Planned(f"rota:{self.pk}:{self.stamp}:{place}", run, self.subject, now, args=args)
            for place, run in enumerate((PLAN_HAND_OFF, settings.ROTA_CHANGED_TASK))
        )


class Layer(models.Model):
    """A zone, weekdays, a local window and a priority; who turns in it stands in its rotation revisions."""

    class Slot(models.TextChoices):
        PRIMARY = "primary", "primary"
        BACKUP = "backup", "backup"

    schedule = models.ForeignKey(Schedule, on_delete=models.CASCADE, related_name="layers")
    name = models.CharField(max_length=60)
    slot = models.CharField(max_length=10, choices=Slot.choices, default=Slot.PRIMARY)
    time_zone = models.CharField(max_length=64, validators=[validate_zone])
    window_start = models.TimeField(null=True, blank=True, help_text="local; empty: around the clock")
    window_end = models.TimeField(null=True, blank=True)
    weekdays = models.JSONField(
        default=list, blank=True, help_text="local weekdays a window starts on, 0 = Monday; empty: all"
    )
    priority = models.SmallIntegerField(default=0)
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["schedule", "-priority", "position", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(window_start__isnull=True, window_end__isnull=True)
                | Q(window_start__isnull=False, window_end__isnull=False),
                name="layer_window_whole",
                violation_error_message="Give both ends of the window, or neither.",
            )
        ]

    def __str__(self) -> str:
        return f"{self.schedule}: {self.name}"

    def clean(self) -> None:
        if not isinstance(self.weekdays, list) or any(day not in range(7) for day in self.weekdays):
            raise ValidationError({"weekdays": "Weekdays are numbers from 0 (Monday) to 6 (Sunday)."})


class RotationRevision(models.Model):
    """An immutable, dated ring: edits make a new revision, history is never recomputed (ROT-10)."""

    class Unit(models.TextChoices):
        HOURLY = "hourly", "hours"
        DAILY = "daily", "days"
        WEEKLY = "weekly", "weeks"
        MONTHLY = "monthly", "months"

    layer = models.ForeignKey(Layer, on_delete=models.CASCADE, related_name="revisions")
    effective_from = models.DateTimeField(null=True, blank=True, help_text="empty: from the beginning")
    unit = models.CharField(max_length=10, choices=Unit.choices, default=Unit.WEEKLY)
    every = models.PositiveSmallIntegerField(default=1)
    anchor = models.CharField(max_length=16, help_text="local wall-clock time of hand-off 0: 2026-03-23T09:00")
    start_index = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["layer", F("effective_from").asc(nulls_first=True)]
        constraints = [
            models.CheckConstraint(condition=Q(every__gte=1), name="rotation_every_positive"),
            models.UniqueConstraint(
                fields=["layer", "effective_from"], name="rotation_revision_once", nulls_distinct=False
            ),
        ]

    def __str__(self) -> str:
        return f"{self.layer} from {self.effective_from or 'the beginning'}"


class RotationMember(models.Model):
    """A place in a ring."""

    revision = models.ForeignKey(RotationRevision, on_delete=models.CASCADE, related_name="members")
    position = models.PositiveSmallIntegerField()
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["revision", "position"]
        constraints = [models.UniqueConstraint(fields=["revision", "position"], name="rotation_place_once")]

    def __str__(self) -> str:
        return f"{self.position}: {self.user}"

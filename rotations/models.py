"""Schedules and escalation policies as rows; the rules that read them are pure (`schedule`, `escalation`)."""

from __future__ import annotations

from uuid import uuid4

from django.conf import settings
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import RangeOperators
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Func, Q, Value

from rotations.escalation.policy import Pager, Policy
from supportdesk.accounts.models import validate_zone
from supportdesk.entitlements import SEVERITIES

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


class Schedule(models.Model):
    """What a policy targets: slots primary and backup, resolved from layers, overrides, swaps and leave.

    `stamp` is new with every change to anything below it, so that a compiled schedule can be kept. It is never used
    twice,
    not even after a rollback: a number that counts up would be.
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

    def touch(self) -> None:
        """Note that something below this schedule changed."""
        self.stamp = uuid4()
        Schedule.objects.filter(pk=self.pk).update(stamp=self.stamp)


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

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="leave")
    start = models.DateTimeField()
    end = models.DateTimeField()
    kind = models.CharField(max_length=10, choices=Kind.choices, default=Kind.HOLIDAY)
    state = models.CharField(max_length=10, choices=State.choices, default=State.ASKED)
    note = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ["start"]
        verbose_name_plural = "leave"
        constraints = [models.CheckConstraint(condition=Q(end__gt=F("start")), name="leave_ends_after_it_begins")]

    def __str__(self) -> str:
        return f"{self.user} away {self.start:%d %b}–{self.end:%d %b}"


class Swap(models.Model):
    """An agreed exchange or give-away of part of a person's shifts (ROT-8)."""

    class State(models.TextChoices):
        OPEN = "open", "open"
        ACCEPTED = "accepted", "accepted"
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
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["start"]
        constraints = [models.CheckConstraint(condition=Q(end__gt=F("start")), name="swap_ends_after_it_begins")]

    def __str__(self) -> str:
        return f"{self.giver} gives {self.start:%d %b %H:%M}–{self.end:%d %b %H:%M} UTC"


def severity_choices() -> list[tuple[str, str]]:
    return [(severity, severity) for severity in SEVERITIES]


class EscalationPolicy(models.Model):
    """Ordered steps (`steps` is the pure policy's own form).

    A running escalation keeps the copy it began with (ESC-4).
    """

    name = models.CharField(max_length=120, unique=True)
    steps = models.JSONField(help_text='[{"targets": ["primary", …], "delay_seconds": 180}, …]')
    repeat = models.SmallIntegerField(
        default=0, help_text="additional passes; −1 for ever, with a manager in the loop (ESC-3)"
    )
    ack_timeout_seconds = models.PositiveIntegerField(default=1800)
    exhausted_every_seconds = models.PositiveIntegerField(default=300)
    required_acks = models.PositiveSmallIntegerField(default=1)
    pager = models.CharField(
        max_length=12,
        default=Pager.INTERNAL,
        choices=[(p.value, p.value) for p in Pager],
        help_text="whose pages count (ESC-17)",
    )
    schedule = models.ForeignKey(
        Schedule, on_delete=models.PROTECT, related_name="policies", help_text="whom “primary” and “backup” mean"
    )
    version = models.PositiveIntegerField(default=1, editable=False)

    class Meta:
        ordering = ["name"]
        verbose_name_plural = "escalation policies"

    def __str__(self) -> str:
        return self.name

    def value(self) -> Policy:
        """The policy as the engine reads it. Raises ValueError naming the wrong field."""
        return Policy.from_spec(
            {
                "name": self.name,
                "version": self.version,
                "steps": self.steps,
                "repeat": self.repeat,
                "ack_timeout_seconds": self.ack_timeout_seconds,
                "exhausted_every_seconds": self.exhausted_every_seconds,
                "required_acks": self.required_acks,
                "pager": self.pager,
            }
        )

    def clean(self) -> None:
        try:
            self.value()
        except ValueError as error:
            raise ValidationError({"steps": str(error)}) from error


class PolicyRule(models.Model):
    """Which policy an incident gets: the most specific matching rule (service, organization, plan, severity) wins."""

    severity = models.CharField(max_length=2, choices=severity_choices)
    plan = models.ForeignKey("supportdesk.Plan", null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    organization = models.ForeignKey(
        "supportdesk.Organization", null=True, blank=True, on_delete=models.CASCADE, related_name="+"
    )
    service = models.ForeignKey(
        "supportdesk.Service", null=True, blank=True, on_delete=models.CASCADE, related_name="+"
    )
    policy = models.ForeignKey(EscalationPolicy, on_delete=models.PROTECT, related_name="rules")

    class Meta:
        ordering = ["severity"]
        constraints = [
            models.UniqueConstraint(
                fields=["severity", "plan", "organization", "service"], name="policy_rule_once", nulls_distinct=False
            )
        ]

    def __str__(self) -> str:
        return f"{self.severity}: {self.policy}"

    @property
    def plan_code(self) -> str:
        """The plan this rule is for; empty for all."""
        return self.plan.code if self.plan else ""


class Proof(models.Model):
    """A coverage proof that was run: its outcome as it was written then. History is kept."""

    class Kind(models.TextChoices):
        NIGHTLY = "nightly", "every night"
        SAVE = "save", "after a change"
        DEMAND = "demand", "on demand"

    kind = models.CharField(max_length=10, choices=Kind.choices)
    at = models.DateTimeField(help_text="from when on it proves")
    until = models.DateTimeField()
    ok = models.BooleanField("holds")
    summary = models.JSONField(default=dict, help_text="claims, failures and warnings in words")
    duration_ms = models.PositiveIntegerField()

    class Meta:
        ordering = ["-at", "-pk"]
        indexes = [
            # console: the last proofs
            models.Index(fields=["-at", "-id"], name="proof_newest")
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.at:%Y-%m-%d %H:%M} UTC: {'holds' if self.ok else 'fails'}"

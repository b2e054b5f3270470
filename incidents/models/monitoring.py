"""What managers set up so that alarms are raised, or not: rules, maintenance windows, heartbeats, series."""

from __future__ import annotations

import secrets
from datetime import timedelta

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q

from incidents.models.alert import Alert
from incidents.models.incident import Incident
from incidents.monitoring import beats, rules, windows
from incidents.monitoring.anomaly import Direction, Sensitivity
from incidents.monitoring.rules import Condition
from rotations.models import severity_choices
from supportdesk.accounts.models import validate_zone


def ping_code() -> str:
    return secrets.token_urlsafe(18)


class Matching(models.Model):
    """Which alerts a rule or a window is about; whatever is left empty matches all."""

    organization = models.ForeignKey(
        "supportdesk.Organization", null=True, blank=True, on_delete=models.CASCADE, related_name="+"
    )
    services = models.ManyToManyField("supportdesk.Service", blank=True, related_name="+")
    connection = models.ForeignKey(
        "supportdesk.Connection",
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="+",
        help_text="only what this connection brings",
    )
    condition = models.JSONField(
        default=dict, blank=True, help_text='{"components": ["web1"], "checks": ["http"], "labels": {"env": "staging"}}'
    )

    class Meta:
        abstract = True

    def clean(self) -> None:
        super().clean()
        try:
            Condition.from_spec(self.condition)
        except (ValueError, TypeError, AttributeError) as error:
            raise ValidationError({"condition": str(error)}) from error

    @property
    def matching(self) -> Condition:
        return Condition.from_spec(
            self.condition,
            services=frozenset(service.slug for service in self.services.all()),
            organization=self.organization.slug if self.organization else "",
            source=f"connection:{self.connection_id}" if self.connection_id else "",
        )


class AlertRule(Matching):
    """An explicit word about the severity of some alerts: the only way a single signal becomes a P1 (MON-10)."""

    name = models.CharField(max_length=120)
    position = models.PositiveSmallIntegerField(default=100, help_text="the first rule that matches wins")
    severity = models.CharField(
        max_length=2, blank=True, choices=severity_choices, help_text="empty: it is kept and opens no incident"
    )
    is_enabled = models.BooleanField(default=True)

    class Meta:
        ordering = ["position", "pk"]

    def __str__(self) -> str:
        return self.name


class MaintenanceWindow(Matching):
    """When monitors are expected to complain. Customers' reports are never held back (MON-7)."""

    class Repeats(models.TextChoices):
        ONCE = "once", "once"
        DAILY = "daily", "every day"
        WEEKLY = "weekly", "every week"
        MONTHLY = "monthly", "every month"

    name = models.CharField(max_length=120)
    reason = models.TextField(blank=True)
    covers_everything = models.BooleanField(default=False, help_text="really hold back every alert there is")
    time_zone = models.CharField(max_length=64, default="UTC", validators=[validate_zone])
    first_day = models.DateField()
    starts = models.TimeField()
    ends = models.TimeField(help_text="at or before the start: the next day")
    more_days = models.PositiveSmallIntegerField(default=0, help_text="days to add to the end")
    repeats = models.CharField(max_length=8, choices=Repeats.choices, default=Repeats.ONCE)
    weekdays = models.JSONField(default=list, blank=True, help_text="of a weekly window: [0, 6] is Monday and Sunday")
    last_day = models.DateField(null=True, blank=True)
    is_enabled = models.BooleanField(default=True)
    created_by = models.ForeignKey(
        "supportdesk.User", null=True, blank=True, editable=False, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-is_enabled", "first_day", "starts"]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        super().clean()
        try:
            self.value()
        except (ValueError, TypeError) as error:
            raise ValidationError(str(error)) from error

    def value(self) -> windows.Window:
        return windows.Window(
            zone=self.time_zone,
            first_day=self.first_day,
            starts=self.starts,
            ends=self.ends,
            more_days=self.more_days,
            repeats=windows.Repeats(self.repeats),
            weekdays=frozenset(self.weekdays),
            last_day=self.last_day,
        )

    def covers(self, seen: rules.Seen) -> bool:
        condition = self.matching
        return self.covers_everything if condition.is_empty else condition.matches(seen)


class HeartbeatMonitor(models.Model):
    """A job that should call us; its silence is the alarm (MON-8). Its address is its secret."""

    class State(models.TextChoices):
        NEW = "new", "waiting for its first ping"
        UP = "up", "on time"
        LATE = "late", "late"
        FAILED = "failed", "reported a failure"
        PAUSED = "paused", "paused"

    class Severity(models.TextChoices):
        CRITICAL = "critical", "critical (P2)"
        ERROR = "error", "error (P3)"
        WARNING = "warning", "warning (P4)"

    name = models.CharField(max_length=120)
    code = models.CharField(max_length=40, unique=True, default=ping_code, editable=False)
    organization = models.ForeignKey(
        "supportdesk.Organization", null=True, blank=True, on_delete=models.PROTECT, related_name="heartbeats"
    )
    service = models.ForeignKey(
        "supportdesk.Service", null=True, blank=True, on_delete=models.PROTECT, related_name="heartbeats"
    )
    period_seconds = models.PositiveIntegerField(null=True, blank=True, help_text="every so many seconds, or:")
    cron = models.CharField(max_length=120, blank=True, help_text="minute hour day month weekday: 30 2 * * *")
    time_zone = models.CharField(max_length=64, default="UTC", validators=[validate_zone])
    grace_seconds = models.PositiveIntegerField(default=300, help_text="how late a ping may be")
    severity = models.CharField(max_length=10, choices=Severity.choices, default=Severity.ERROR)
    description = models.TextField(blank=True, help_text="what an engineer must know when it is late")
    state = models.CharField(max_length=8, choices=State.choices, default=State.NEW, editable=False)
    last_ping_at = models.DateTimeField(null=True, editable=False)
    expected_at = models.DateTimeField(null=True, editable=False)
    late_at = models.DateTimeField(null=True, editable=False)
    check_at = models.DateTimeField(null=True, editable=False, help_text="the instant its armed timer looks again")
    pings = models.PositiveBigIntegerField(default=0, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                condition=Q(period_seconds__isnull=True) ^ Q(cron=""),
                name="heartbeat_period_or_cron",
                violation_error_message="Give either a period or a cron expression.",
            )
        ]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        super().clean()
        try:
            self.rhythm()
        except ValueError as error:
            raise ValidationError(str(error)) from error
        if self.service and self.service.organization_id not in (None, self.organization_id):
            raise ValidationError({"service": "This service belongs to somebody else."})

    def rhythm(self) -> beats.Rhythm:
        """When it should call. Raises ValueError."""
        return beats.Rhythm(
            grace=timedelta(seconds=self.grace_seconds or 0),
            period=timedelta(seconds=self.period_seconds) if self.period_seconds is not None else None,
            cron=self.cron,
            zone=self.time_zone,
        )

    @property
    def is_alarming(self) -> bool:
        return self.state in (self.State.LATE, self.State.FAILED)


class HeartbeatPing(models.Model):
    """One call of a heartbeat, kept for the page that shows the last hundred."""

    monitor = models.ForeignKey(HeartbeatMonitor, on_delete=models.CASCADE, related_name="calls")
    at = models.DateTimeField()
    kind = models.CharField(max_length=8, choices=[("ping", "ping"), ("fail", "failure")])

    class Meta:
        ordering = ["-at", "-pk"]
        indexes = [models.Index(fields=["monitor", "-at"], name="heartbeat_calls")]

    def __str__(self) -> str:
        return f"{self.kind} {self.at:%F %T}"


class Series(models.Model):
    """Figures over time that are watched for what is unusual (§9.2)."""

    class State(models.TextChoices):
        LEARNING = "learning", "learning"
        OBSERVE = "observe", "observing: fires without telling anybody"
        ENABLED = "enabled", "on"
        OFF = "off", "off"

    WATCHED = (State.OBSERVE, State.ENABLED)

    key = models.SlugField(max_length=80, unique=True)
    name = models.CharField(max_length=120)
    unit = models.CharField(max_length=20, blank=True)
    organization = models.ForeignKey(
        "supportdesk.Organization", null=True, blank=True, on_delete=models.PROTECT, related_name="series"
    )
    service = models.ForeignKey(
        "supportdesk.Service", null=True, blank=True, on_delete=models.PROTECT, related_name="series"
    )
    time_zone = models.CharField(max_length=64, default="UTC", validators=[validate_zone])
    connection = models.ForeignKey(
        "supportdesk.Connection",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="series",
        limit_choices_to={"vendor": "prometheus"},
        help_text="a Prometheus to ask; empty: figures are pushed to us",
    )
    query = models.TextField(blank=True, help_text="a PromQL expression with one figure as its answer")
    interval_seconds = models.PositiveIntegerField(default=60, help_text="how often to ask")
    direction = models.CharField(
        max_length=4, choices=[(d.value, d.value) for d in Direction], default=Direction.BOTH.value
    )
    min_delta = models.FloatField(default=0.0, help_text="differences smaller than this never matter")
    min_abs_scale = models.FloatField(default=0.0, help_text="the least spread to expect, in its own unit")
    state = models.CharField(max_length=8, choices=State.choices, default=State.LEARNING, editable=False)
    observing_since = models.DateTimeField(null=True, editable=False)
    replayed_at = models.DateTimeField(null=True, editable=False)
    replay = models.JSONField(default=dict, editable=False, help_text="what the last replay said")
    memory = models.JSONField(default=dict, editable=False, help_text="what the rule remembers between two points")
    last_at = models.DateTimeField(null=True, editable=False)
    last_value = models.FloatField(null=True, editable=False)
    trouble = models.TextField(blank=True, editable=False, help_text="why the last figure could not be had")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]
        verbose_name_plural = "series"

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        super().clean()
        if bool(self.connection_id) != bool(self.query.strip()):
            raise ValidationError("A Prometheus and a query belong together.")
        if not 10 <= self.interval_seconds <= 86_400:
            raise ValidationError({"interval_seconds": "10 seconds to a day."})
        if self.service and self.service.organization_id not in (None, self.organization_id):
            raise ValidationError({"service": "This service belongs to somebody else."})
        try:
            self.sensitivity()
        except ValueError as error:
            raise ValidationError(str(error)) from error

    def sensitivity(self) -> Sensitivity:
        return Sensitivity(Direction(self.direction), self.min_delta, self.min_abs_scale)


class SeriesPoint(models.Model):
    """One figure."""

    series = models.ForeignKey(Series, on_delete=models.CASCADE, related_name="points")
    at = models.DateTimeField()
    value = models.FloatField()

    class Meta:
        ordering = ["at"]
        constraints = [models.UniqueConstraint(fields=["series", "at"], name="series_point_once")]

    def __str__(self) -> str:
        return f"{self.at:%F %T} {self.value:g}"


class SeriesMarker(models.Model):
    """A deployment or a holiday: for half an hour after it nothing fires, and its points teach nothing (§9.2 (5))."""

    class Kind(models.TextChoices):
        DEPLOY = "deploy", "deployment"
        HOLIDAY = "holiday", "holiday"

    series = models.ForeignKey(Series, on_delete=models.CASCADE, related_name="markers")
    kind = models.CharField(max_length=8, choices=Kind.choices)
    at = models.DateTimeField()
    until = models.DateTimeField()
    text = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ["-at"]
        indexes = [models.Index(fields=["series", "-at"], name="series_markers")]

    def __str__(self) -> str:
        return f"{self.kind} {self.at:%F %T}"


class AnomalyFiring(models.Model):
    """One time a series left its usual range, with everything needed to see why."""

    class Verdict(models.TextChoices):
        NONE = "", "not judged"
        USEFUL = "useful", "useful"
        NOISE = "noise", "noise"

    series = models.ForeignKey(Series, on_delete=models.CASCADE, related_name="firings")
    kind = models.CharField(max_length=8)
    began_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    value = models.FloatField()
    explanation = models.TextField()
    evidence = models.JSONField(default=dict, help_text="usual, scale, score, samples and the last points")
    is_told = models.BooleanField(default=False, help_text="the rule was on: somebody was told")
    alert = models.ForeignKey(Alert, null=True, on_delete=models.SET_NULL, related_name="+")
    incident = models.ForeignKey(
        Incident, null=True, on_delete=models.SET_NULL, related_name="+", help_text="what corroborated it"
    )
    verdict = models.CharField(max_length=6, choices=Verdict.choices, blank=True, default=Verdict.NONE)
    judged_by = models.ForeignKey("supportdesk.User", null=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        ordering = ["-began_at"]
        indexes = [models.Index(fields=["series", "-began_at"], name="series_firings")]

    def __str__(self) -> str:
        return f"{self.series}: {self.kind}"

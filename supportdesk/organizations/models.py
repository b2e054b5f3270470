"""Customers, the people at them, and what was agreed with them."""

from __future__ import annotations

import secrets

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower

from supportdesk import calendars, entitlements, instants
from supportdesk.accounts.models import validate_zone
from supportdesk.localised import ENGLISH, LANGUAGES
from supportdesk.organizations.regions import UnknownRegion, public_holidays


class BusinessCalendar(models.Model):
    """Working hours, holidays and half days. An empty zone means the organization's own (ENT-3)."""

    name = models.CharField(max_length=120, unique=True)
    time_zone = models.CharField(max_length=64, blank=True, validators=[validate_zone])
    weekly = models.JSONField(default=dict, help_text='{"mon": [["09:00", "17:00"]], …}; no key: closed that day')
    holiday_region = models.CharField(
        max_length=20, blank=True, help_text="ISO country, optionally -subdivision: DE-BE"
    )
    closed = models.JSONField(default=list, blank=True, help_text='own holidays: ["2026-12-31", …]')
    special = models.JSONField(default=dict, blank=True, help_text='half days: {"2026-12-24": [["09:00", "12:00"]]}')
    version = models.PositiveIntegerField(default=1, editable=False)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    def save(self, *args: object, **kwargs: object) -> None:
        if self.pk:
            self.version = F("version") + 1
        super().save(*args, **kwargs)  # type: ignore[arg-type]
        if not isinstance(self.version, int):
            self.refresh_from_db(fields=["version"])

    def clean(self) -> None:
        """It must be readable, and it must open at all: what waits for an opening that never comes waits for ever."""
        spec = {
            "time_zone": self.time_zone or "UTC",
            "weekly": self.weekly,
            "closed": self.closed,
            "special": self.special,
        }
        try:
            value = calendars.Calendar.from_spec(spec)
            calendars.next_open(value, instants.now())
            public_holidays(self.holiday_region, instants.now().year)
        except calendars.NeverOpen as error:
            raise ValidationError("The desk would never open by these hours. Give at least one day hours.") from error
        except UnknownRegion as error:
            raise ValidationError({"holiday_region": str(error)}) from error
        except ValueError as error:
            raise ValidationError(str(error)) from error


class Plan(models.Model):
    """A plan in the catalogue: XS, S, M. What it promises stands in its versions."""

    code = models.CharField(max_length=10, unique=True)
    name = models.CharField(max_length=120)

    class Meta:
        ordering = ["code"]

    def __str__(self) -> str:
        return f"{self.code} {self.name}"


class PlanVersion(models.Model):
    """What a plan promises from some day on. A saved version never changes: edits make a new one.

    Held by a database trigger: contracts, and incidents long closed, name the version they were promised.
    """

    plan = models.ForeignKey(Plan, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    levels = models.JSONField(help_text="per severity: coverage (24x7, business, extended) and targets in seconds")
    features = models.JSONField(default=list, blank=True)
    channels = models.JSONField(default=list, blank=True)
    business_hours = models.ForeignKey(BusinessCalendar, on_delete=models.PROTECT, related_name="+")
    extended_hours = models.ForeignKey(BusinessCalendar, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["plan", "-number"]
        constraints = [models.UniqueConstraint(fields=["plan", "number"], name="plan_version_once")]

    def __str__(self) -> str:
        return f"{self.plan} v{self.number}"

    def clean(self) -> None:
        if self.pk:
            raise ValidationError("A saved version never changes. Add a new version instead.")
        for name, read in (("levels", self._read_levels), ("features", self._read_features)):
            try:
                read()
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                raise ValidationError({name: f"{error}"}) from error
        if not isinstance(self.channels, list) or not all(isinstance(channel, str) for channel in self.channels):
            raise ValidationError({"channels": "a list of words, such as portal and email"})

    def _read_levels(self) -> None:
        for severity, spec in self.levels.items():
            if severity not in entitlements.SEVERITIES:
                raise ValueError(f"{severity} is not a severity; use P1 to P4")
            entitlements.Level.from_spec(spec)

    def _read_features(self) -> None:
        for feature in self.features:
            entitlements.Feature(feature)


class Organization(models.Model):
    """A customer. Everything of theirs is visible to them alone."""

    name = models.CharField(max_length=120)
    slug = models.SlugField(unique=True)
    time_zone = models.CharField(max_length=64, default="UTC", validators=[validate_zone])
    calendar = models.ForeignKey(BusinessCalendar, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    account_manager = models.ForeignKey(
        "supportdesk.User", null=True, blank=True, on_delete=models.SET_NULL, related_name="accounts_managed"
    )
    slack_channel = models.CharField(
        max_length=40, blank=True, help_text="Slack channel id of the customer's own channel"
    )
    emergency_pin = models.CharField(max_length=12, blank=True, help_text="asked for on the emergency line")
    notes = models.TextField(blank=True, help_text="what an engineer must know at 3 a.m.")
    is_hidden = models.BooleanField(default=False, help_text="synthetic tenant for drills; kept out of statistics")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Contact(models.Model):
    """A person at an organization. A log-in is optional; verified channels prove identity on other doors."""

    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="contacts")
    user = models.OneToOneField(
        "supportdesk.User", null=True, blank=True, on_delete=models.SET_NULL, related_name="contact"
    )
    name = models.CharField(max_length=120)
    email = models.EmailField()
    phone = models.CharField(max_length=20, blank=True)
    slack_id = models.CharField(max_length=40, blank=True)
    may_declare_emergency = models.BooleanField(default=True)
    is_executive = models.BooleanField(default=False)
    is_technical = models.BooleanField(default=True)
    is_admin = models.BooleanField(default=False, help_text="may invite and remove colleagues in the portal")
    is_active = models.BooleanField(default=True)
    language = models.CharField(
        max_length=8, choices=LANGUAGES, default=ENGLISH, help_text="what the desk says by itself is said in it"
    )

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(Lower("email"), "organization", name="contact_email_once_per_organization")
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.organization})"


class Contract(models.Model):
    """An organization's agreement. Dates are local to the organization; the last day is covered whole (ENT-2)."""

    class State(models.TextChoices):
        DRAFT = "draft", "draft"
        ACTIVE = "active", "active"
        SUSPENDED = "suspended", "suspended"
        TERMINATED = "terminated", "terminated"

    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="contracts")
    plan_version = models.ForeignKey(PlanVersion, on_delete=models.PROTECT, related_name="contracts")
    state = models.CharField(max_length=12, choices=State.choices, default=State.ACTIVE)
    valid_from = models.DateField()
    valid_until = models.DateField(null=True, blank=True, help_text="last covered day; empty: open-ended")
    grace_days = models.PositiveSmallIntegerField(default=7)
    calendar = models.ForeignKey(BusinessCalendar, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    notes = models.TextField(blank=True)

    class Meta:
        ordering = ["organization", "-valid_from"]
        constraints = [
            models.CheckConstraint(
                condition=Q(valid_until__isnull=True) | Q(valid_until__gte=F("valid_from")),
                name="contract_ends_after_it_begins",
                violation_error_message="The last covered day is before the first.",
            )
        ]

    def __str__(self) -> str:
        return f"{self.organization}: {self.plan_version}"


class Service(models.Model):
    """Something supported: what an incident is about, and what monitors and status components hang on."""

    name = models.CharField(max_length=120)
    slug = models.SlugField(unique=True)
    organization = models.ForeignKey(
        Organization,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="services",
        help_text="empty: shared by all",
    )
    tier = models.PositiveSmallIntegerField(default=2, help_text="1: business stops without it")
    description = models.TextField(blank=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


def connection_code() -> str:
    return secrets.token_urlsafe(18)

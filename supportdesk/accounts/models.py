"""People: users, how to reach them, how they were let in, and the tokens machines use in their name."""

from __future__ import annotations

from datetime import datetime

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower

from supportdesk import actors, zones
from supportdesk.accounts.quiet import QuietHours
from supportdesk.organizations.regions import UnknownRegion, public_holidays

_ANY_YEAR = 2026  # which regions are known does not depend on it


def validate_zone(name: str) -> None:
    try:
        zones.check_zone(name)
    except ValueError as error:
        raise ValidationError(str(error)) from error


def validate_region(region: str) -> None:
    try:
        public_holidays(region, _ANY_YEAR)
    except UnknownRegion as error:
        raise ValidationError(str(error)) from error


class Users(BaseUserManager["User"]):
    """Creates users; e-mail addresses are kept in lower case."""

    def create_user(self, email: str, password: str | None = None, **fields: object) -> User:
        user = self.model(email=email.strip().lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: object) -> User:
        fields.setdefault("role", actors.Role.MANAGER)
        fields.setdefault("name", email.split("@")[0])
        return self.create_user(email, password, is_superuser=True, **fields)

    def get_by_natural_key(self, username: str | None) -> User:
        return self.get(email=(username or "").lower())


class User(AbstractBaseUser, PermissionsMixin):
    """A person who logs in. What they may do follows from `role` (see `incidents.permissions`)."""

    class Theme(models.TextChoices):
        SYSTEM = "system", "as this device"
        LIGHT = "light", "light"
        DARK = "dark", "dark"

    email = models.EmailField(unique=True)
    name = models.CharField(max_length=120)
    role = models.CharField(
        max_length=20, choices=[(r.value, r.value) for r in actors.Role], default=actors.Role.CUSTOMER
    )
    is_senior = models.BooleanField(
        "senior engineer", default=False, help_text="Paged when a chain reaches “all seniors”."
    )
    time_zone = models.CharField(max_length=64, default="UTC", validators=[validate_zone])
    holiday_region = models.CharField(
        "public holidays of",
        max_length=20,
        blank=True,
        validators=[validate_region],
        help_text="A country, or a part of one, like DE or DE-BE. The report on fairness counts on-call hours on them.",
    )
    theme = models.CharField(max_length=10, choices=Theme.choices, default=Theme.SYSTEM)
    shortcuts = models.BooleanField("keyboard shortcuts", default=True)
    quiet_from = models.TimeField(null=True, blank=True, help_text="by their own clock; empty: no quiet hours (ESC-15)")
    quiet_until = models.TimeField(null=True, blank=True)
    is_active = models.BooleanField(default=True, help_text="Switch off instead of deleting: history keeps its names.")
    created_at = models.DateTimeField(auto_now_add=True)

    objects = Users()

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS = ["name"]

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(Lower("email"), name="user_email_once"),
            models.CheckConstraint(
                condition=Q(quiet_from__isnull=True, quiet_until__isnull=True)
                | Q(quiet_from__isnull=False, quiet_until__isnull=False),
                name="user_quiet_hours_whole",
                violation_error_message="Give both ends of the quiet hours, or neither.",
            ),
        ]

    def __str__(self) -> str:
        return self.name or self.email

    def save(self, *args: object, **kwargs: object) -> None:
        self.email = self.email.strip().lower()
        super().save(*args, **kwargs)  # type: ignore[arg-type]

    @property
    def is_staff(self) -> bool:
        """May enter the back office (Django admin)."""
        return self.is_active and (self.is_superuser or self.role == actors.Role.MANAGER)

    @property
    def works_here(self) -> bool:
        """Engineer or manager: may enter the console."""
        return self.role in (actors.Role.ENGINEER, actors.Role.MANAGER)

    @property
    def quiet_hours(self) -> QuietHours | None:
        """When pages that are not urgent wait for them (ESC-15)."""
        if self.quiet_from is None or self.quiet_until is None:
            return None
        return QuietHours(self.quiet_from, self.quiet_until, self.time_zone)

    def actor(self, via: str) -> actors.Actor:
        """This user acting through a door. A customer's actor carries the organization it is confined to."""
        contact = getattr(self, "contact", None) if self.role == actors.Role.CUSTOMER else None
        return actors.Actor(
            actors.Kind.USER,
            self.pk,
            self.name,
            actors.Role(self.role),
            via,
            organization_id=contact.organization_id if contact else None,
            contact_id=contact.pk if contact else None,
        )


class ContactMethod(models.Model):
    """One way to reach one person (ESC-14). Only verified, enabled ones count as reachable."""

    class Kind(models.TextChoices):
        PHONE = "phone", "phone call"
        SMS = "sms", "text message"
        SLACK = "slack", "Slack direct message"
        EMAIL = "email", "e-mail"

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="contact_methods")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    address = models.CharField(max_length=200, help_text="+E.164 number, Slack member id, or e-mail address")
    verified_at = models.DateTimeField(null=True, blank=True)
    disabled_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["user", "kind", "pk"]
        constraints = [models.UniqueConstraint(fields=["user", "kind", "address"], name="contact_method_once")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.address}"

    @property
    def is_usable(self) -> bool:
        return self.verified_at is not None and self.disabled_at is None


class VerificationCode(models.Model):
    """A code on its way to an address somebody says is theirs. Fifteen minutes, five tries, stored as an HMAC."""

    method = models.ForeignKey(ContactMethod, on_delete=models.CASCADE, related_name="codes")
    digest = models.CharField(max_length=64)
    sent_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    tries = models.PositiveSmallIntegerField(default=0)

    def __str__(self) -> str:
        return f"code for {self.method_id}"


class PageRule(models.Model):
    """When, within one page, a method is tried: seconds after the page began (ESC-14). Without rules the default chain
    applies."""

    class Importance(models.TextChoices):
        DEFAULT = "default", "P3 and P4"
        IMPORTANT = "important", "P1 and P2"

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="page_rules")
    importance = models.CharField(max_length=10, choices=Importance.choices)
    method = models.ForeignKey(ContactMethod, on_delete=models.CASCADE)
    after_seconds = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["user", "importance", "after_seconds"]

    def __str__(self) -> str:
        return f"{self.method} after {self.after_seconds} s"


class Invitation(models.Model):
    """The only way in: a single-use, expiring link sent to an address. Only a digest of its token is stored."""

    email = models.EmailField()
    name = models.CharField(max_length=120)
    role = models.CharField(max_length=20, choices=[(r.value, r.value) for r in actors.Role])
    contact = models.ForeignKey(
        "supportdesk.Contact", null=True, blank=True, on_delete=models.CASCADE, related_name="invitations"
    )
    digest = models.CharField(max_length=64, unique=True)
    invited_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"invitation for {self.email}"

    def is_open(self, now: datetime) -> bool:
        return self.accepted_at is None and now < self.expires_at


class ApiToken(models.Model):
    """A key for integrators: shown once, stored as a SHA-256 digest, with scopes and an end date (security S6)."""

    class Scope(models.TextChoices):
        READ = "read", "read"
        REPORT = "report", "report incidents and write to them"
        OPERATE = "operate", "acknowledge, resolve, change severity (staff only)"
        MANAGE = "manage", "schedules, policies, contracts (managers only)"

    name = models.CharField(max_length=120)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="api_tokens")
    prefix = models.CharField(max_length=12)
    digest = models.CharField(max_length=64, unique=True)
    scopes = models.JSONField(default=list)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.CheckConstraint(
                condition=Q(expires_at__gt=models.F("created_at")), name="api_token_ends_after_it_begins"
            )
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"

    def is_valid(self, now: datetime) -> bool:
        return self.revoked_at is None and now < self.expires_at

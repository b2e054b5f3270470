"""Status pages: what the public, or one audience, may read without asking."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Lower

from incidents.models.incident import Incident
from supportdesk import instants


class StatusPage(models.Model):
    """A page with components and notices. A public one is for everybody; any other for staff, for the people of its
    organizations, and for the addresses on its list."""

    slug = models.SlugField(unique=True)
    name = models.CharField(max_length=120)
    headline = models.CharField(max_length=200, blank=True)
    is_public = models.BooleanField(default=True)
    organization = models.ForeignKey(
        "supportdesk.Organization",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="status_pages",
        help_text="whose page this is: their people may read it",
    )
    audience = models.ManyToManyField(
        "supportdesk.Organization",
        blank=True,
        related_name="shared_status_pages",
        help_text="of a private page: whose people may read it as well",
    )
    time_zone = models.CharField(max_length=64, default="UTC")

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class StatusReader(models.Model):
    """An address that may read a private page without an account, by a link sent to it. Removing it shuts it out."""

    page = models.ForeignKey(StatusPage, on_delete=models.CASCADE, related_name="readers")
    email = models.EmailField()
    version = models.PositiveIntegerField(default=1, help_text="raise it to make every link sent before worthless")
    asked_at = models.DateTimeField(null=True, blank=True, editable=False, help_text="when a link was last sent")

    class Meta:
        constraints = [models.UniqueConstraint("page", Lower("email"), name="status_reader_once")]

    def __str__(self) -> str:
        return self.email


class Component(models.Model):
    """Something the page reports on."""

    class State(models.TextChoices):
        OPERATIONAL = "operational", "Operational"
        DEGRADED = "degraded_performance", "Degraded performance"
        PARTIAL = "partial_outage", "Partial outage"
        MAJOR = "major_outage", "Major outage"
        MAINTENANCE = "under_maintenance", "Under maintenance"

    page = models.ForeignKey(StatusPage, on_delete=models.CASCADE, related_name="components")
    name = models.CharField(max_length=120)
    description = models.CharField(max_length=200, blank=True)
    group = models.CharField(max_length=120, blank=True)
    position = models.PositiveSmallIntegerField(default=0)
    state = models.CharField(max_length=24, choices=State.choices, default=State.OPERATIONAL)
    service = models.ForeignKey(
        "supportdesk.Service", null=True, blank=True, on_delete=models.SET_NULL, related_name="components"
    )
    depends_on = models.ManyToManyField(
        "self", symmetrical=False, blank=True, related_name="dependents", help_text="others of this page it needs"
    )
    follows = models.BooleanField(default=True, help_text="it is shown in the state of what it depends on, if worse")
    is_shown = models.BooleanField(default=True, help_text="a component with a history is hidden, not deleted")
    created_at = models.DateTimeField(default=instants.now, editable=False)

    class Meta:
        ordering = ["page", "position", "name"]

    def __str__(self) -> str:
        return self.name


class Notice(models.Model):
    """Something the page says: an incident or planned maintenance. Drafted from an incident, posted by a person."""

    class State(models.TextChoices):
        INVESTIGATING = "investigating", "Investigating"
        IDENTIFIED = "identified", "Identified"
        MONITORING = "monitoring", "Monitoring"
        RESOLVED = "resolved", "Resolved"
        POSTMORTEM = "postmortem", "Post-incident report"
        SCHEDULED = "scheduled", "Scheduled"
        IN_PROGRESS = "in_progress", "In progress"
        COMPLETED = "completed", "Completed"

    OVER = (State.RESOLVED, State.POSTMORTEM, State.COMPLETED)
    PLANNED = (State.SCHEDULED, State.IN_PROGRESS, State.COMPLETED)

    page = models.ForeignKey(StatusPage, on_delete=models.CASCADE, related_name="notices")
    incident = models.ForeignKey(Incident, null=True, blank=True, on_delete=models.PROTECT, related_name="notices")
    title = models.CharField(max_length=200)
    state = models.CharField(max_length=16, choices=State.choices, default=State.INVESTIGATING)
    components = models.ManyToManyField(Component, blank=True, related_name="notices")
    is_posted = models.BooleanField(default=False, help_text="drafts are seen by staff only")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-starts_at"]

    def __str__(self) -> str:
        return self.title

    @property
    def is_over(self) -> bool:
        return self.state in self.OVER

    @property
    def is_planned(self) -> bool:
        """Maintenance, as against an incident."""
        return self.state in self.PLANNED


class NoticeUpdate(models.Model):
    """One entry of a notice, newest first on the page."""

    notice = models.ForeignKey(Notice, on_delete=models.CASCADE, related_name="updates")
    state = models.CharField(max_length=16, choices=Notice.State.choices)
    text = models.TextField()
    at = models.DateTimeField()

    class Meta:
        ordering = ["-at", "-pk"]

    def __str__(self) -> str:
        return f"{self.state}: {self.text[:60]}"


class ComponentState(models.Model):
    """From when a component was in a state: the source of its uptime. Rows are only ever added."""

    component = models.ForeignKey(Component, on_delete=models.PROTECT, related_name="states")
    state = models.CharField(max_length=24, choices=Component.State.choices)
    at = models.DateTimeField()
    notice = models.ForeignKey(Notice, null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["at", "pk"]
        indexes = [models.Index(fields=["component", "at"], name="component_state_at")]

    def __str__(self) -> str:
        return f"{self.component}: {self.state}"


class Subscriber(models.Model):
    """Somebody who hears what a page says. Counts from the moment the address itself said yes; never before."""

    class Channel(models.TextChoices):
        EMAIL = "email", "E-mail"
        SMS = "sms", "Text message"
        SLACK = "slack", "Slack"
        WEBHOOK = "webhook", "Webhook"

    page = models.ForeignKey(StatusPage, on_delete=models.CASCADE, related_name="subscribers")
    channel = models.CharField(max_length=8, choices=Channel.choices)
    address = models.CharField(max_length=320)
    components = models.ManyToManyField(
        Component, blank=True, related_name="+", help_text="none: everything the page says"
    )
    version = models.PositiveIntegerField(default=1, help_text="counts the requests: only the latest link confirms")
    user = models.ForeignKey(
        "supportdesk.User", null=True, blank=True, on_delete=models.CASCADE, related_name="+",
        help_text="of a private page: whose right to read it this rests on",
    )  # fmt: skip
    reader = models.ForeignKey(StatusReader, null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    asked_at = models.DateTimeField()
    confirmed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["page", "channel", "address"], name="status_subscriber_once")]

    def __str__(self) -> str:
        return f"{self.channel} {self.address}"

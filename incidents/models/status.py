"""Status pages: what the public, or one audience, may read without asking."""

from __future__ import annotations

from django.db import models

from incidents.models.incident import Incident


class StatusPage(models.Model):
    """A page with components and notices. Public pages are readable while logged out."""

    slug = models.SlugField(unique=True)
    name = models.CharField(max_length=120)
    headline = models.CharField(max_length=200, blank=True)
    is_public = models.BooleanField(default=True)
    organization = models.ForeignKey(
        "supportdesk.Organization", null=True, blank=True, on_delete=models.PROTECT, related_name="status_pages"
    )
    time_zone = models.CharField(max_length=64, default="UTC")

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


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

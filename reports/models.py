"""Post-incident reports and their action items."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from incidents.models import Incident

User = settings.AUTH_USER_MODEL


class PostIncidentReport(models.Model):
    """A blameless review of one incident: an internal version and the customer's. Changed by `reports.actions` only."""

    class Status(models.TextChoices):
        DRAFT = "draft", "draft"
        IN_REVIEW = "in_review", "in review"
        APPROVED = "approved", "approved"
        PUBLISHED = "published", "published"
        CLOSED = "closed", "closed"
        WAIVED = "waived", "waived"

    incident = models.OneToOneField(Incident, on_delete=models.PROTECT, related_name="report")
    status = models.CharField(max_length=12, choices=Status.choices, default=Status.DRAFT)
    owner = models.ForeignKey(User, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    sections = models.JSONField(default=dict, help_text="internal version: text by section")
    customer_sections = models.JSONField(default=dict, help_text="customer version: text by section")
    draft_due_at = models.DateTimeField(null=True, blank=True)
    final_due_at = models.DateTimeField(null=True, blank=True)
    reviewed_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()
    published_at = models.DateTimeField(null=True, blank=True)
    waived_reason = models.TextField(blank=True)
    version = models.PositiveIntegerField(
        default=1, help_text="rises with every save: two editors never overwrite each other"
    )

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"Report on {self.incident.ref}"

    @property
    def is_published(self) -> bool:
        return self.status in (self.Status.PUBLISHED, self.Status.CLOSED)


class ReportRevision(models.Model):
    """What a report said before an edit: edits keep history."""

    report = models.ForeignKey(PostIncidentReport, on_delete=models.CASCADE, related_name="revisions")
    version = models.PositiveIntegerField()
    sections = models.JSONField()
    customer_sections = models.JSONField()
    author = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta:
        ordering = ["-version"]

    def __str__(self) -> str:
        return f"{self.report_id} v{self.version}"


class ActionItem(models.Model):
    """Something somebody will do so that this does not happen again, or is seen, mended or handled better."""

    class Kind(models.TextChoices):
        PREVENT = "prevent", "prevent"
        DETECT = "detect", "detect sooner"
        MITIGATE = "mitigate", "mitigate"
        PROCESS = "process", "work better"

    class Status(models.TextChoices):
        OPEN = "open", "open"
        DONE = "done", "done"
        DROPPED = "dropped", "dropped"

    report = models.ForeignKey(PostIncidentReport, on_delete=models.PROTECT, related_name="action_items")
    title = models.CharField(max_length=200)
    kind = models.CharField(max_length=10, choices=Kind.choices)
    owner = models.ForeignKey(User, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    due_on = models.DateField(null=True, blank=True)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.OPEN)
    jira_key = models.CharField(max_length=40, blank=True)
    for_customer = models.BooleanField(default=False, help_text="listed in the customer's version, with its month")

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return self.title

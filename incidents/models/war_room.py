"""The war room as rows: who has which role, what is planned, what is to be done, and what executives were told."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from incidents.models.incident import Incident
from incidents.war_room.plan import Kind
from incidents.war_room.roles import IncidentRole
from rotations.models import severity_choices

User = settings.AUTH_USER_MODEL
TASK_LENGTH = 300


class WarRoom(models.Model):
    """Where a critical incident is worked: an internal channel and a call. The customer's own channel is another."""

    incident = models.OneToOneField(Incident, primary_key=True, on_delete=models.PROTECT, related_name="room")
    declared_at = models.DateTimeField(help_text="T: since when it is critical; a reopening declares it anew")
    channel_name = models.CharField(max_length=80)
    channel_id = models.CharField(max_length=40, blank=True, help_text="empty until Slack has made it")
    summary_ts = models.CharField(max_length=40, blank=True, help_text="the pinned summary")
    bridge_url = models.URLField(blank=True)
    opened_at = models.DateTimeField()
    archived_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"#{self.channel_name}"


class HeldRole(models.Model):
    """Who had a role from when until when. Handing over ends one row and begins the next."""

    incident = models.ForeignKey(Incident, on_delete=models.PROTECT, related_name="held_roles")
    role = models.CharField(max_length=12, choices=[(role.value, role.words) for role in IncidentRole])
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    is_interim = models.BooleanField(default=False, help_text="came with acknowledging; nobody has claimed it")
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["started_at", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["incident", "role"], condition=Q(ended_at=None), name="one_holder_a_role")
        ]

    def __str__(self) -> str:
        return f"{self.incident.ref}: {self.get_role_display()} {self.user}"


class Prompt(models.Model):
    """One thing the desk does by itself at an instant of an incident: planned, sent or cancelled (domain §6)."""

    class State(models.TextChoices):
        PLANNED = "planned", "planned"
        SENT = "sent", "sent"
        CANCELLED = "cancelled", "cancelled"

    incident = models.ForeignKey(Incident, on_delete=models.PROTECT, related_name="prompts")
    generation = models.PositiveIntegerField()
    kind = models.CharField(max_length=20, choices=[(kind.value, kind.value.replace("_", " ")) for kind in Kind])
    slot = models.PositiveIntegerField()
    planned_at = models.DateTimeField()
    state = models.CharField(max_length=10, choices=State.choices, default=State.PLANNED)
    settled_at = models.DateTimeField(null=True, blank=True)
    outcome = models.CharField(max_length=300, blank=True, help_text="what was done, or why it was not")

    class Meta:
        ordering = ["planned_at", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["incident", "generation", "kind", "slot"], name="prompt_once_a_slot")
        ]

    def __str__(self) -> str:
        return f"{self.incident.ref}: {self.get_kind_display()} {self.slot}"


class Checklist(models.Model):
    """What is to be done at a moment of every incident of a severity; its lines become tasks."""

    class Moment(models.TextChoices):
        DECLARED = "declared", "when it begins"
        MITIGATED = "mitigated", "when the fix is in place"

    severity = models.CharField(max_length=2, choices=severity_choices)
    moment = models.CharField(max_length=10, choices=Moment.choices)
    lines = models.TextField(help_text="one task a line")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["severity", "moment"], name="checklist_once")]

    def __str__(self) -> str:
        return f"{self.severity}, {self.get_moment_display()}"


class Runbook(models.Model):
    """How a service is mended. Its words are versions; what an incident followed stays as it was."""

    slug = models.SlugField(unique=True)
    title = models.CharField(max_length=120)
    services = models.ManyToManyField("supportdesk.Service", blank=True, related_name="runbooks")

    class Meta:
        ordering = ["title"]

    def __str__(self) -> str:
        return self.title

    @property
    def latest(self) -> RunbookVersion | None:
        return self.versions.order_by("-number").first()


class RunbookVersion(models.Model):
    """One version: Markdown; lines that begin with “- [ ]” are steps to tick."""

    runbook = models.ForeignKey(Runbook, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    text = models.TextField()
    written_at = models.DateTimeField()
    written_by = models.CharField(max_length=120)

    class Meta:
        ordering = ["runbook", "-number"]
        constraints = [models.UniqueConstraint(fields=["runbook", "number"], name="runbook_version_once")]

    def __str__(self) -> str:
        return f"{self.runbook} v{self.number}"

    @property
    def steps(self) -> list[str]:
        lines = (line.strip() for line in self.text.splitlines())
        return [line[5:].strip() for line in lines if line.startswith("- [ ]") and line[5:].strip()]


class Task(models.Model):
    """Something to be done for an incident: from a checklist, from a runbook, or written down on the way."""

    incident = models.ForeignKey(Incident, on_delete=models.PROTECT, related_name="tasks")
    key = models.CharField(max_length=120, help_text="the same line of the same list is one task")
    text = models.CharField(max_length=TASK_LENGTH)
    position = models.PositiveSmallIntegerField(default=0)
    runbook = models.ForeignKey(RunbookVersion, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    added_at = models.DateTimeField()
    added_by = models.CharField(max_length=120)
    done_at = models.DateTimeField(null=True, blank=True)
    done_by = models.CharField(max_length=120, blank=True)

    class Meta:
        ordering = ["added_at", "position", "pk"]
        constraints = [models.UniqueConstraint(fields=["incident", "key"], name="task_once")]

    def __str__(self) -> str:
        return self.text


class Briefing(models.Model):
    """What executives are told: drafted from the timeline, corrected by the commander, sent at its time."""

    class State(models.TextChoices):
        DRAFT = "draft", "draft"
        APPROVED = "approved", "approved"
        SENT = "sent", "sent"
        DROPPED = "dropped", "not sent"

    incident = models.ForeignKey(Incident, on_delete=models.PROTECT, related_name="briefings")
    generation = models.PositiveIntegerField()
    number = models.PositiveIntegerField()
    is_last = models.BooleanField(default=False, help_text="the one after the resolution")
    planned_at = models.DateTimeField()
    state = models.CharField(max_length=10, choices=State.choices, default=State.DRAFT)
    facts = models.JSONField(default=dict, help_text="headline, effect, cause, plan, decision, mood")
    external_text = models.TextField(blank=True, help_text="for the customer's executives; empty: they hear nothing")
    approved_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    sent_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["incident", "number"]
        constraints = [
            models.UniqueConstraint(fields=["incident", "generation", "number", "is_last"], name="briefing_once")
        ]

    def __str__(self) -> str:
        return f"{self.incident.ref}: briefing {self.number}"

    @property
    def is_reviewed(self) -> bool:
        return self.approved_by_id is not None


class Survey(models.Model):
    """How it was for the customer: one question after it is over, asked at most once a week (CSAT)."""

    incident = models.OneToOneField(Incident, on_delete=models.PROTECT, related_name="survey")
    contact = models.ForeignKey("supportdesk.Contact", on_delete=models.PROTECT, related_name="surveys")
    asked_at = models.DateTimeField()
    score = models.PositiveSmallIntegerField(null=True, blank=True, help_text="1 to 5")
    text = models.TextField(blank=True)
    answered_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-asked_at"]
        indexes = [models.Index(fields=["contact", "-asked_at"], name="survey_contact")]

    def __str__(self) -> str:
        return f"{self.incident.ref}: {self.score or 'asked'}"

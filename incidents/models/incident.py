"""The incident and its timeline."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from incidents.states import Hold, Stage, Status, stage_of
from rotations.models import severity_choices
from supportdesk.actors import Actor, Kind, Role
from supportdesk.entitlements import Engagement
from supportdesk.errors import NotFound

User = settings.AUTH_USER_MODEL


class Source(models.TextChoices):
    """Where a report came from."""

    PORTAL = "customer_portal", "customer portal"
    SLACK = "customer_slack", "customer Slack channel"
    PHONE = "customer_phone", "emergency line"
    EMAIL = "customer_email", "e-mail"
    MONITOR = "monitor_alert", "monitoring"
    HEARTBEAT = "heartbeat", "missed heartbeat"
    ANOMALY = "anomaly", "anomaly detection"
    STAFF = "staff", "our own staff"
    PARTNER = "partner_api", "API"


class Impact(models.IntegerChoices):
    """How much is affected, in the customer's words."""

    WIDESPREAD = 1, "All or most of our users, or data is lost or exposed"
    SIGNIFICANT = 2, "A core function, or many users"
    LIMITED = 3, "A few users, or something minor"


class Urgency(models.IntegerChoices):
    """How bad it is right now, in the customer's words."""

    CRITICAL = 1, "Our business has stopped and there is no way around it"
    HIGH = 2, "There is a painful way around it, or it is about to fail"
    NORMAL = 3, "We can wait for a while"


class Incidents(models.QuerySet["Incident"]):
    """Questions about incidents."""

    def visible_to(self, actor: Actor) -> Incidents:
        """What an actor may know exists. Everything else is 404 (INV-9)."""
        if actor.is_staff or actor.kind is Kind.DESK:
            return self
        if actor.organization_id is None:
            return self.none()
        return self.filter(organization_id=actor.organization_id, is_drill=False)

    def open(self) -> Incidents:
        return self.exclude(status__in=[s.value for s in Status if stage_of(s) in (Stage.FOLLOW_UP, Stage.CLOSED)])

    def survivor_of(self, pk: int) -> int:
        """The incident that goes on for this one: itself, or what it was merged into, however often."""
        into = self.filter(pk=pk).values_list("merged_into", flat=True).first()
        return pk if into is None else self.survivor_of(into)

    def lock_together(self, *pks: int) -> None:
        """Lock several rows, lowest number first: two verbs that want the same ones never wait for each other."""
        list(self.select_for_update(of=("self",), no_key=True).filter(pk__in=pks).order_by("pk").values_list("pk"))

    def lock(self, pk: int) -> Incident:
        """The row, locked until the transaction ends: the first step of every verb."""
        incident = (
            self.select_for_update(of=("self",), no_key=True)  # others may refer to it meanwhile
            .select_related("organization", "service", "reporter")
            .filter(pk=pk)
            .first()
        )
        if incident is None:
            raise NotFound("There is no such incident.")
        return incident


class Incident(models.Model):
    """One customer-affecting event with one severity and one timeline.

    Changed by `incidents.actions` and nothing else.
    """

    organization = models.ForeignKey(
        "supportdesk.Organization",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="incidents",
        help_text="empty: our own platform, worked under our own policy (MON-11)",
    )
    service = models.ForeignKey(
        "supportdesk.Service", null=True, blank=True, on_delete=models.PROTECT, related_name="incidents"
    )
    reporter = models.ForeignKey(
        "supportdesk.Contact", null=True, blank=True, on_delete=models.PROTECT, related_name="reported"
    )
    title = models.CharField(max_length=200)
    description = models.TextField(blank=True)
    source = models.CharField(max_length=20, choices=Source.choices)
    impact = models.PositiveSmallIntegerField(choices=Impact.choices)
    urgency = models.PositiveSmallIntegerField(choices=Urgency.choices)
    raisers = models.JSONField(default=list, blank=True, help_text="security_exposure, data_loss, safety")
    severity = models.CharField(max_length=2, choices=severity_choices)
    claimed_severity = models.CharField(max_length=2, choices=severity_choices)
    status = models.CharField(max_length=16, choices=[(s.value, s.value) for s in Status], default=Status.NEW)
    hold = models.CharField(max_length=16, choices=[(h.value, h.value) for h in Hold], default=Hold.NONE)
    engagement = models.CharField(max_length=12, choices=[(e.value, e.value) for e in Engagement])
    queued_until = models.DateTimeField(null=True, blank=True)
    decision = models.JSONField(
        default=dict, help_text="page or not, and why: as decided last; the timeline keeps every decision"
    )
    entitlement = models.JSONField(
        default=dict, help_text="what it is worked under: as it stood at receipt, or since an upgrade (ENT-1, D8)"
    )
    entitlement_lapsed = models.BooleanField(
        default=False, help_text="the contract gives less by now; this incident keeps what it began with"
    )
    war_room = models.BooleanField(
        default=False, help_text="gets a war room: its plan or a manager's exception says so"
    )
    contract = models.ForeignKey(
        "supportdesk.Contract", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    generation = models.PositiveIntegerField(
        default=1, help_text="timers and late jobs of an older generation do nothing"
    )
    reopen_count = models.PositiveSmallIntegerField(default=0)
    owner = models.ForeignKey(User, null=True, blank=True, on_delete=models.PROTECT, related_name="incidents_owned")
    acknowledged_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    acknowledged_name = models.CharField(max_length=120, blank=True, help_text="who has it now; empty: nobody has")
    master = models.ForeignKey("self", null=True, blank=True, on_delete=models.PROTECT, related_name="linked")
    merged_into = models.ForeignKey("self", null=True, blank=True, on_delete=models.PROTECT, related_name="duplicates")
    is_drill = models.BooleanField(default=False)
    request_key = models.CharField(
        max_length=160,
        null=True,
        blank=True,
        unique=True,
        editable=False,
        help_text="the same report sent twice is one incident",
    )

    impact_started_at = models.DateTimeField(null=True, blank=True)
    detected_at = models.DateTimeField()
    received_at = models.DateTimeField()
    acked_at = models.DateTimeField(null=True, blank=True)
    triaged_at = models.DateTimeField(null=True, blank=True)
    first_response_at = models.DateTimeField(null=True, blank=True)
    identified_at = models.DateTimeField(null=True, blank=True)
    mitigated_at = models.DateTimeField(null=True, blank=True)
    resolved_at = models.DateTimeField(null=True, blank=True)
    confirmed_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = Incidents.as_manager()

    class Meta:
        ordering = ["-received_at", "-pk"]
        indexes = [
            # console queue: everything open, most severe and oldest first
            models.Index(
                fields=["severity", "received_at"],
                name="incident_open",
                condition=~Q(status__in=["follow_up", "closed", "cancelled", "merged"]),
            ),
            # portal: an organization's own, newest first
            models.Index(fields=["organization", "-received_at"], name="incident_organization"),
            # MON-3: the latest incident of a service
            models.Index(fields=["service", "-received_at"], name="incident_service"),
            # ENT-8: what enters triage when the desk opens
            models.Index(fields=["queued_until"], name="incident_queued", condition=Q(engagement="queued")),
        ]

    def __str__(self) -> str:
        return f"{self.ref} {self.title}"

    @property
    def ref(self) -> str:
        return f"INC-{self.pk}"

    @property
    def subject(self) -> str:
        """What its timers and deliveries call it."""
        return f"incident:{self.pk}"

    @property
    def stage(self) -> Stage:
        return stage_of(Status(self.status))

    @property
    def is_open(self) -> bool:
        return self.stage not in (Stage.FOLLOW_UP, Stage.CLOSED)

    @property
    def is_resolved(self) -> bool:
        return self.status in (Status.RESOLVED, Status.FOLLOW_UP, Status.CLOSED)

    @property
    def is_acknowledged(self) -> bool:
        return bool(self.acknowledged_name)

    @property
    def is_monitor_only(self) -> bool:
        return self.source in (Source.MONITOR, Source.HEARTBEAT, Source.ANOMALY)

    @property
    def zone(self) -> str:
        return self.organization.time_zone if self.organization else "UTC"


class TimelineEntry(models.Model):
    """One thing that happened. Append-only: audit, messages, SLA evidence and the report are all read from here."""

    class Visibility(models.TextChoices):
        INTERNAL = "internal", "internal"
        CUSTOMER = "customer", "seen by the customer"

    incident = models.ForeignKey(Incident, on_delete=models.PROTECT, related_name="timeline")
    at = models.DateTimeField()
    kind = models.CharField(max_length=40)
    visibility = models.CharField(max_length=10, choices=Visibility.choices, default=Visibility.INTERNAL)
    actor = models.CharField(max_length=120)
    actor_kind = models.CharField(max_length=10, choices=[(k.value, k.value) for k in Kind])
    actor_role = models.CharField(max_length=20, blank=True, choices=[(r.value, r.value) for r in Role])
    user = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    contact = models.ForeignKey("supportdesk.Contact", null=True, on_delete=models.PROTECT, related_name="+")
    via = models.CharField(max_length=20)
    text = models.TextField(blank=True)
    data = models.JSONField(default=dict)

    class Meta:
        ordering = ["at", "pk"]
        verbose_name_plural = "timeline entries"
        indexes = [models.Index(fields=["incident", "at", "id"], name="timeline_incident")]

    def __str__(self) -> str:
        return f"{self.kind}: {self.text[:60]}"

    @property
    def is_from_customer(self) -> bool:
        return self.actor_role == Role.CUSTOMER or self.actor_kind == Kind.CONTACT

    @property
    def is_from_human(self) -> bool:
        return self.actor_kind in (Kind.USER, Kind.CONTACT)

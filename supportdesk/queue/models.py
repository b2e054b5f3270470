"""What will happen, as rows. A broker never holds the only copy of a future."""

from __future__ import annotations

from django.db import models
from django.db.models import Q


class Lane(models.TextChoices):
    """One django-q2 cluster each, so that nothing slow or unimportant ever stands before a page."""

    PAGE = "page", "pages"
    SLA = "sla", "SLA timers"
    INTEGRATIONS = "integrations", "integration calls"
    BULK = "bulk", "bulk mail"


class Timer(models.Model):
    """Something to do at an instant.

    Repeating a timer has one effect: its `key` and its subject's generation see to it. A handed timer without a lease
    waits for a worker; `lease_until` and `attempts` are written when a worker takes it, before it does anything.
    """

    class State(models.TextChoices):
        ARMED = "armed", "waiting for its instant"
        HANDED = "handed", "given to a worker"
        DONE = "done", "done"
        CANCELLED = "cancelled", "cancelled"
        QUARANTINED = "quarantined", "failed three times, set aside"

    key = models.CharField(max_length=200, unique=True)
    run = models.CharField(max_length=120, help_text="dotted name of the function to call with this timer")
    subject = models.CharField(max_length=80)
    generation = models.IntegerField(default=0)
    planned_at = models.DateTimeField(help_text="when it should happen; lateness is measured from here")
    due_at = models.DateTimeField(help_text="when to try next")
    lane = models.CharField(max_length=20, choices=Lane.choices, default=Lane.SLA)
    args = models.JSONField(default=dict)
    state = models.CharField(max_length=12, choices=State.choices, default=State.ARMED)
    attempts = models.PositiveSmallIntegerField(default=0, help_text="counted before each try")
    handed_at = models.DateTimeField(null=True)
    lease_until = models.DateTimeField(null=True)
    done_at = models.DateTimeField(null=True)
    error = models.TextField(blank=True)

    class Meta:
        indexes = [
            # clock: the next due timers
            models.Index(fields=["due_at"], name="timer_armed", condition=Q(state="armed")),
            # clock: handed timers whose worker went away
            models.Index(fields=["lease_until"], name="timer_handed", condition=Q(state="handed")),
            # verbs: cancel and list what is planned for a subject
            models.Index(fields=["subject", "run"], name="timer_subject"),
            # auditor: what was set aside
            models.Index(fields=["planned_at"], name="timer_quarantined", condition=Q(state="quarantined")),
        ]

    def __str__(self) -> str:
        return self.key


class Delivery(models.Model):
    """One message to one address: written with the timeline entry that caused it, sent and retried from here."""

    class State(models.TextChoices):
        PENDING = "pending", "waiting"
        SENDING = "sending", "being sent"
        SENT = "sent", "accepted by the vendor"
        CONFIRMED = "confirmed", "confirmed by the vendor or a person"
        FAILED = "failed", "failed"
        CANCELLED = "cancelled", "no longer needed"

    OPEN = (State.PENDING, State.SENDING)

    key = models.CharField(max_length=200, unique=True)
    connection = models.ForeignKey(
        "supportdesk.Connection", null=True, on_delete=models.SET_NULL, related_name="deliveries"
    )
    vendor = models.CharField(max_length=30, help_text="slug of the integration")
    kind = models.CharField(max_length=40)
    lane = models.CharField(max_length=20, choices=Lane.choices, default=Lane.INTEGRATIONS)
    subject = models.CharField(max_length=80)
    generation = models.IntegerField(default=0)
    recipient = models.CharField(max_length=120, blank=True, help_text="who this is for, in words")
    recipient_user = models.ForeignKey("supportdesk.User", null=True, on_delete=models.SET_NULL, related_name="+")
    to = models.CharField(max_length=320)
    facts = models.JSONField(default=dict)
    is_urgent = models.BooleanField(default=False)
    planned_at = models.DateTimeField()
    due_at = models.DateTimeField()
    state = models.CharField(max_length=12, choices=State.choices, default=State.PENDING)
    attempts = models.PositiveSmallIntegerField(default=0, help_text="counted before each try")
    max_attempts = models.PositiveSmallIntegerField(default=8)
    handed_at = models.DateTimeField(null=True)
    lease_until = models.DateTimeField(null=True)
    sent_at = models.DateTimeField(null=True)
    settled_at = models.DateTimeField(null=True)
    vendor_id = models.CharField(max_length=200, blank=True)
    receipt = models.JSONField(default=dict)
    rendered = models.JSONField(default=dict, help_text="the words as they were sent")
    error = models.TextField(blank=True)
    on_settled = models.CharField(
        max_length=120, blank=True, help_text="dotted name of a timer function to run with the result"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name_plural = "deliveries"
        indexes = [
            # clock: the next due deliveries
            models.Index(fields=["due_at"], name="delivery_pending", condition=Q(state="pending")),
            # clock: due and not yet given to a cluster
            models.Index(
                fields=["due_at"], name="delivery_waiting", condition=Q(state="pending", handed_at__isnull=True)
            ),
            # clock: given to a cluster and not taken by a worker
            models.Index(
                fields=["handed_at"], name="delivery_offered", condition=Q(state="pending", handed_at__isnull=False)
            ),
            # clock: deliveries whose worker went away
            models.Index(fields=["lease_until"], name="delivery_sending", condition=Q(state="sending")),
            # incident page; verbs cancelling pages
            models.Index(fields=["subject", "kind"], name="delivery_subject"),
            # hooks: a vendor's callback naming its own id
            models.Index(fields=["vendor", "vendor_id"], name="delivery_vendor_id", condition=~Q(vendor_id="")),
            # connection page: the last results
            models.Index(fields=["connection", "-settled_at"], name="delivery_connection"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} to {self.recipient or self.to}"

    @property
    def is_open(self) -> bool:
        return self.state in self.OPEN


class InboundEvent(models.Model):
    """One thing a vendor told us, stored before it is answered and processed once (reliability F28, F30)."""

    class State(models.TextChoices):
        STORED = "stored", "stored"
        DONE = "done", "processed"
        QUARANTINED = "quarantined", "failed three times, set aside"

    connection = models.ForeignKey("supportdesk.Connection", on_delete=models.CASCADE, related_name="events")
    key = models.CharField(max_length=200)
    verb = models.CharField(max_length=40)
    reply = models.JSONField()
    received_at = models.DateTimeField()
    due_at = models.DateTimeField(help_text="when to offer it to a worker next")
    state = models.CharField(max_length=12, choices=State.choices, default=State.STORED)
    attempts = models.PositiveSmallIntegerField(default=0)
    processed_at = models.DateTimeField(null=True)
    outcome = models.JSONField(default=dict)
    error = models.TextField(blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["connection", "key"], name="inbound_event_once")]
        indexes = [
            # clock: what was stored and not processed
            models.Index(fields=["due_at"], name="inbound_stored", condition=Q(state="stored"))
        ]

    def __str__(self) -> str:
        return f"{self.verb} {self.key}"


class Heartbeat(models.Model):
    """The last completed work of a process: not that it is alive, but that it got something done.

    `clock` is any clock's finished round, also one that found nothing due; `count` adds up the rows it moved. The other
    names are the auditor's: canaries that came back from a lane, and who sang them.
    """

    name = models.CharField(max_length=80, primary_key=True)
    at = models.DateTimeField()
    count = models.BigIntegerField(default=0)
    detail = models.JSONField(default=dict)

    def __str__(self) -> str:
        return self.name

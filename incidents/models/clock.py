"""SLA clocks: the events they follow from, their present state, and what was missed."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from incidents.models.incident import Incident


class ClockEvent(models.Model):
    """One event of an incident's evidence ledger: append-only, each row sealed with the hash of the one before
    (SLA-18)."""

    incident = models.ForeignKey(Incident, on_delete=models.PROTECT, related_name="clock_events")
    sequence = models.PositiveIntegerField()
    at = models.DateTimeField()
    kind = models.CharField(max_length=30)
    data = models.JSONField(default=dict)
    recorded_at = models.DateTimeField()
    previous_hash = models.CharField(max_length=64)
    hash = models.CharField(max_length=64)

    class Meta:
        ordering = ["incident", "sequence"]
        constraints = [models.UniqueConstraint(fields=["incident", "sequence"], name="clock_event_once")]

    def __str__(self) -> str:
        return f"{self.kind} at {self.at:%H:%M:%S}"


class LedgerHead(models.Model):
    """Where an incident's ledger ends, and the instant its stored clocks and breaches were computed at.

    Replaying the ledger at `as_of` gives exactly what is stored (INV-3); a ledger cut short no longer ends here.
    """

    incident = models.OneToOneField(Incident, on_delete=models.PROTECT, related_name="ledger_head", primary_key=True)
    length = models.PositiveIntegerField()
    hash = models.CharField(max_length=64)
    as_of = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.incident_id}: {self.length} events"


class LedgerSeal(models.Model):
    """A seal over the heads of all ledgers that grew since the last one, each sealed with the hash of the seal before.

    Append-only. With it, a whole ledger cannot disappear unnoticed.
    """

    number = models.PositiveIntegerField(unique=True)
    at = models.DateTimeField()
    heads = models.JSONField(help_text="[incident, length, hash] of each ledger that grew")
    previous_hash = models.CharField(max_length=64)
    hash = models.CharField(max_length=64)

    class Meta:
        ordering = ["number"]

    def __str__(self) -> str:
        return f"seal {self.number}"


class SlaClock(models.Model):
    """One cycle of one clock as the events say it stands: kept for lists and reports, recomputable at any time."""

    incident = models.ForeignKey(Incident, on_delete=models.PROTECT, related_name="clocks")
    kind = models.CharField(max_length=20)
    cycle = models.PositiveIntegerField()
    severity = models.CharField(max_length=2)
    target_seconds = models.PositiveIntegerField()
    promise = models.CharField(max_length=10, help_text="guarantee or objective")
    started_at = models.DateTimeField()
    effective_start = models.DateTimeField()
    due_at = models.DateTimeField(null=True)
    state = models.CharField(max_length=12)
    satisfied_at = models.DateTimeField(null=True)
    is_counted = models.BooleanField(default=True, help_text="False under goodwill and for drills")

    class Meta:
        ordering = ["incident", "kind", "cycle"]
        constraints = [models.UniqueConstraint(fields=["incident", "kind", "cycle"], name="sla_clock_once")]
        indexes = [
            # console: what is due next
            models.Index(fields=["due_at"], name="sla_clock_running", condition=Q(state="running")),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.cycle}: {self.state}"


class Breach(models.Model):
    """A promise that was not kept. It can be annotated, never deleted (SLA-15).

    When the received time is moved, what was missed follows from the ledger anew; a row the ledger no longer bears out
    is withdrawn and stays.
    """

    class Excuse(models.TextChoices):
        """Why a miss is excused; reports show it beside the raw count, never instead of it."""

        CUSTOMER_ABSENT = "customer_absent", "the customer could not be reached"
        CUSTOMER_CAUSED = "customer_caused", "caused by a change of the customer's own"
        AGREED = "agreed", "agreed with the customer beforehand"
        FORCE_MAJEURE = "force_majeure", "force majeure"
        MEASURED_WRONG = "measured_wrong", "we did answer, and the desk did not see it"

    incident = models.ForeignKey(Incident, on_delete=models.PROTECT, related_name="breaches")
    kind = models.CharField(max_length=20)
    cycle = models.PositiveIntegerField()
    severity = models.CharField(max_length=2)
    target_seconds = models.PositiveIntegerField()
    due_at = models.DateTimeField()
    detected_at = models.DateTimeField()
    satisfied_at = models.DateTimeField(null=True)
    is_counted = models.BooleanField(default=True)
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    excused_category = models.CharField(max_length=60, blank=True, choices=Excuse.choices)
    excused_text = models.TextField(blank=True)
    excused_at = models.DateTimeField(null=True, blank=True)
    excused_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        ordering = ["-due_at"]
        verbose_name_plural = "breaches"
        constraints = [models.UniqueConstraint(fields=["incident", "kind", "cycle"], name="breach_once")]

    def __str__(self) -> str:
        return f"{self.incident_id} {self.kind} {self.cycle}"

    @property
    def is_excused(self) -> bool:
        return bool(self.excused_category)

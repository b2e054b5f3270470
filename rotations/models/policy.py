"""Escalation policies, and which incident gets which."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db import models

from rotations.escalation.policy import Pager, Policy
from rotations.models.schedule import Schedule
from supportdesk.entitlements import SEVERITIES


def severity_choices() -> list[tuple[str, str]]:
    return [(severity, severity) for severity in SEVERITIES]


class EscalationPolicy(models.Model):
    """Ordered steps (`steps` is the pure policy's own form).

    A running escalation keeps the copy it began with (ESC-4).
    """

    name = models.CharField(max_length=120, unique=True)
    steps = models.JSONField(help_text='[{"targets": ["primary", …], "delay_seconds": 180}, …]')
    repeat = models.SmallIntegerField(
        default=0, help_text="additional passes; −1 for ever, with a manager in the loop (ESC-3)"
    )
    ack_timeout_seconds = models.PositiveIntegerField(default=1800)
    exhausted_every_seconds = models.PositiveIntegerField(default=300)
    required_acks = models.PositiveSmallIntegerField(default=1)
    pager = models.CharField(
        max_length=12,
        default=Pager.INTERNAL,
        choices=[(p.value, p.value) for p in Pager],
        help_text="whose pages count (ESC-17)",
    )
    schedule = models.ForeignKey(
        Schedule, on_delete=models.PROTECT, related_name="policies", help_text="whom “primary” and “backup” mean"
    )
    version = models.PositiveIntegerField(default=1, editable=False)

    class Meta:
        ordering = ["name"]
        verbose_name_plural = "escalation policies"

    def __str__(self) -> str:
        return self.name

    def value(self) -> Policy:
        """The policy as the engine reads it. Raises ValueError naming the wrong field."""
        return Policy.from_spec(
            {
                "name": self.name,
                "version": self.version,
                "steps": self.steps,
                "repeat": self.repeat,
                "ack_timeout_seconds": self.ack_timeout_seconds,
                "exhausted_every_seconds": self.exhausted_every_seconds,
                "required_acks": self.required_acks,
                "pager": self.pager,
            }
        )

    def clean(self) -> None:
        try:
            self.value()
        except ValueError as error:
            raise ValidationError({"steps": str(error)}) from error


class PolicyRule(models.Model):
    """Which policy an incident gets: the most specific matching rule (service, organization, plan, severity) wins."""

    severity = models.CharField(max_length=2, choices=severity_choices)
    plan = models.ForeignKey("supportdesk.Plan", null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    organization = models.ForeignKey(
        "supportdesk.Organization", null=True, blank=True, on_delete=models.CASCADE, related_name="+"
    )
    service = models.ForeignKey(
        "supportdesk.Service", null=True, blank=True, on_delete=models.CASCADE, related_name="+"
    )
    policy = models.ForeignKey(EscalationPolicy, on_delete=models.PROTECT, related_name="rules")

    class Meta:
        ordering = ["severity"]
        constraints = [
            models.UniqueConstraint(
                fields=["severity", "plan", "organization", "service"], name="policy_rule_once", nulls_distinct=False
            )
        ]

    def __str__(self) -> str:
        return f"{self.severity}: {self.policy}"

    @property
    def plan_code(self) -> str:
        """The plan this rule is for; empty for all."""
        return self.plan.code if self.plan else ""

"""What a new desk starts with: the escalation policies of domain §5.1 and the rules that hand them out."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from rotations.escalation.defaults import DEFAULTS
from rotations.escalation.policy import Policy
from rotations.models import EscalationPolicy, PolicyRule, Schedule
from supportdesk.organizations.models import Plan

BUSINESS_HOURS = "Business hours"
_BUSINESS_STEPS = [
    {"targets": ["primary"], "delay_seconds": 900},
    {"targets": ["backup", "primary"], "delay_seconds": 900},
    {"targets": ["duty_manager"], "delay_seconds": 900},
]


def install(schedule: Schedule, *, minute: timedelta = timedelta(minutes=1), pagerduty: bool = False) -> None:
    """Install the default policies on a schedule, once. `minute` shortens every wait, for demonstrations."""
    scale = minute / timedelta(minutes=1)
    for severity, policy in DEFAULTS.items():
        PolicyRule.objects.get_or_create(
            severity=severity,
            plan=None,
            organization=None,
            service=None,
            defaults={"policy": _policy(policy, schedule, scale, pagerduty)},
        )
    business, _ = EscalationPolicy.objects.get_or_create(
        name=BUSINESS_HOURS, defaults={"steps": _scaled(_BUSINESS_STEPS, scale), "repeat": 1, "schedule": schedule}
    )
    for plan in Plan.objects.filter(code__in=["XS", "S"]):
        for severity in ("P1", "P2"):
            PolicyRule.objects.get_or_create(
                severity=severity, plan=plan, organization=None, service=None, defaults={"policy": business}
            )


def _policy(policy: Policy, schedule: Schedule, scale: float, pagerduty: bool) -> EscalationPolicy:
    spec = policy.to_spec()
    steps = _scaled(spec["steps"], scale)
    if pagerduty:
        steps[0]["targets"].append("pagerduty")
    row, _ = EscalationPolicy.objects.get_or_create(
        name=policy.name,
        defaults={
            "steps": steps,
            "repeat": spec["repeat"],
            "ack_timeout_seconds": spec["ack_timeout_seconds"],
            "exhausted_every_seconds": max(1, int(spec["exhausted_every_seconds"] * scale)),
            "required_acks": spec["required_acks"],
            "schedule": schedule,
        },
    )
    return row


def _scaled(steps: list[dict[str, Any]], scale: float) -> list[dict[str, Any]]:
    return [
        {**step, "targets": list(step["targets"]), "delay_seconds": max(1, int(step["delay_seconds"] * scale))}
        for step in steps
    ]

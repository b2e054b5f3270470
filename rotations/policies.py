"""Which escalation policy an incident gets."""

from __future__ import annotations

from django.db.models import Q

from rotations.models import EscalationPolicy, PolicyRule


def choose(
    severity: str, *, plan: str = "", organization_id: int | None = None, service_id: int | None = None
) -> EscalationPolicy | None:
    """The policy of the most specific matching rule: service before organization before plan. None pages nobody."""
    rules = PolicyRule.objects.filter(
        Q(plan=None) | Q(plan__code=plan),
        Q(organization=None) | Q(organization_id=organization_id),
        Q(service=None) | Q(service_id=service_id),
        severity=severity,
    ).select_related("policy__schedule")
    best = max(rules, key=_precision, default=None)
    return best.policy if best else None


def _precision(rule: PolicyRule) -> tuple[bool, bool, bool]:
    return rule.service_id is not None, rule.organization_id is not None, rule.plan_id is not None

"""Which escalation policy an incident gets."""

from __future__ import annotations

from django.db.models import Q

from rotations import precedence
from rotations.models import EscalationPolicy, PolicyRule


def choose(
    severity: str, *, plan: str = "", organization_id: int | None = None, service_id: int | None = None
) -> EscalationPolicy | None:
    """The policy of the most specific matching rule: service before organization before plan. None if none is."""
    rules = PolicyRule.objects.filter(
        Q(plan=None) | Q(plan__code=plan),
        Q(organization=None) | Q(organization_id=organization_id),
        Q(service=None) | Q(service_id=service_id),
        severity=severity,
    ).select_related("plan", "policy__schedule")
    best = precedence.most_specific(rules, severity, plan=plan, organization_id=organization_id, service_id=service_id)
    return best.policy if best else None

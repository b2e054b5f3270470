"""A signal, not a lock: organizations whose critical reports are mostly lowered get a talk, never a delay (ENT-14)."""

from __future__ import annotations

from incidents import telling
from incidents.models import FollowUp, Incident
from incidents.models.incident import Source
from supportdesk import entitlements, instants
from supportdesk.entitlements.claims import CLAIM_PERIOD, Claim

_BY_CUSTOMERS = (Source.PORTAL, Source.SLACK, Source.PHONE, Source.EMAIL, Source.PARTNER)
TOP = "P1"


def watch_claims(incident: Incident) -> None:
    """After a fall: ask the account manager for a talk, once while the last one is not done."""
    organization = incident.organization
    if organization is None or incident.claimed_severity != TOP or incident.source not in _BY_CUSTOMERS:
        return
    claims = claims_of(organization.pk)
    kind = FollowUp.Kind.CLAIMS
    is_asked = FollowUp.objects.filter(kind=kind, incident__organization=organization, done_at=None).exists()
    if is_asked or not entitlements.claims_stand_out(claims, instants.now()):
        return
    lowered = sum(claim.was_lowered for claim in claims)
    FollowUp.objects.create(
        key=f"claims:{incident.pk}",
        kind=kind,
        incident=incident,
        text=f"{lowered} of {len(claims)} critical reports of {organization} in the last 90 days were lowered.",
        assignee=organization.account_manager,
        created_at=instants.now(),
    )
    telling.tell(incident, "claims", "claims", lowered=lowered, claimed=len(claims))


def claims_of(organization_id: int) -> list[Claim]:
    """What an organization reported as P1 in the last 90 days."""
    rows = Incident.objects.filter(
        organization_id=organization_id,
        claimed_severity=TOP,
        source__in=_BY_CUSTOMERS,
        is_drill=False,
        received_at__gt=instants.now() - CLAIM_PERIOD,
    ).values_list("received_at", "severity")
    return [Claim(at, severity != TOP) for at, severity in rows]

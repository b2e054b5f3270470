"""What an incident is owed: the entitlement it was received under, and the exceptions granted for it (ENT-1, ENT-12).

An incident keeps what it began with, whatever becomes of the contract; only an upgrade replaces it (D8).
"""

from __future__ import annotations

from datetime import datetime

from incidents import clockwork, sla
from incidents.models import GoodwillGrant, Incident
from supportdesk import entitlements
from supportdesk.calendars import ALWAYS
from supportdesk.entitlements import Decision, Entitlement, Goodwill
from supportdesk.organizations import terms as contract_terms
from supportdesk.organizations.models import Organization

DUTY_OF_CARE = frozenset({"security_exposure", "data_loss"})


def to(organization: Organization | None, at: datetime) -> Entitlement:
    """What the contract gives at an instant; without an organization it is our own platform (MON-11)."""
    return contract_terms.entitlement(organization, at) if organization else contract_terms.own_platform()


def held_by(incident: Incident) -> Entitlement:
    """What this incident is worked under."""
    return Entitlement.from_spec(incident.entitlement)


def exception(incident: Incident, at: datetime) -> Goodwill | None:
    """The exceptions that hold for an incident at an instant, as one: everything they cover, until the last of them
    ends."""
    grants = list(
        GoodwillGrant.objects.filter(incident=incident, granted_at__lte=at, expires_at__gt=at).select_related(
            "granted_by"
        )
    )
    return combined(grants) if grants else None


def combined(grants: list[GoodwillGrant]) -> Goodwill:
    """Several grants as one value."""
    return Goodwill(
        scope=frozenset(what for grant in grants for what in grant.scope),
        expires_at=max(grant.expires_at for grant in grants),
        granted_by=grants[-1].granted_by.name,
    )


def decide(incident: Incident, at: datetime) -> Decision:
    """What happens with an incident at an instant, by what it holds and its exceptions."""
    return entitlements.decide(
        held_by(incident),
        incident.severity,
        at,
        duty_of_care=bool(DUTY_OF_CARE & set(incident.raisers)),
        goodwill=exception(incident, at),
    )


def terms(incident: Incident, at: datetime) -> sla.Terms | None:
    """What its clocks run under, exceptions included; one that is covered around the clock anyway needs none."""
    held = held_by(incident)
    goodwill = None if held.calendar(incident.severity) is ALWAYS else exception(incident, at)
    return clockwork.terms_of(held, goodwill)


def is_worked_around_the_clock(incident: Incident, at: datetime) -> bool:
    """Whether this severity is worked at any hour, by its plan or because a manager asked for it (ESC-15)."""
    if held_by(incident).calendar(incident.severity) is ALWAYS:
        return True
    excepted = exception(incident, at)
    return excepted is not None and bool({"page", "24x7"} & excepted.scope)

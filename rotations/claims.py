"""Rows to claims: which organization was promised what, when, and which policy its incidents would get.

What is claimed here is what `entitlements.decide` would page for, at every instant of the stretch; a test holds the two
together. P4 waits in the queue and pages nobody, so it claims nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise

from rotations import precedence
from rotations.models import PolicyRule
from rotations.proof import Caution, Claim, Weakness
from rotations.shifts import Interval
from supportdesk import calendars, zones
from supportdesk.entitlements import SEVERITIES, ContractState, Coverage, Entitlement
from supportdesk.organizations import terms
from supportdesk.organizations.models import Contract, Organization

PAGED = tuple(severity for severity in SEVERITIES if severity != "P4")


@dataclass(slots=True)
class _Growing:
    """A claim as it is collected, one entitlement after another."""

    plan: str
    promised: timedelta | None
    windows: list[Interval] = field(default_factory=list)
    held: list[Interval] = field(default_factory=list)
    problem: str = ""


_Key = tuple[str, int | None, str, timedelta | None]  # severity, policy, service, promised first response


def of_organization(
    organization: Organization, contracts: list[Contract], rules: Sequence[PolicyRule], start: datetime, end: datetime
) -> list[Claim]:
    """The claims of one organization from `start` until `end`, from rows that are loaded already."""
    found: dict[_Key, _Growing] = {}
    own = [rule for rule in rules if rule.organization_id in (None, organization.pk)]
    for since, until, owed in entitlements(organization, contracts, start, end):
        for severity in PAGED:
            for policy, service in _policies(own, severity, owed, organization):
                _grow(found, (severity, policy, service, _promised(owed, severity)), owed, since, until)
    return [
        Claim(
            organization=organization.name,
            severity=severity,
            plan=claim.plan,
            policy=policy,
            windows=calendars.union(claim.windows),
            held=calendars.union(claim.held),
            promised=promised,
            service=service,
            menders=_menders(organization),
            problem=claim.problem,
        )
        for (severity, policy, service, promised), claim in found.items()
    ]


def entitlements(
    organization: Organization, contracts: list[Contract], start: datetime, end: datetime
) -> Iterator[tuple[datetime, datetime, Entitlement]]:
    """What an organization is owed from when until when; it only changes where a contract or a grace period does."""
    zone = organization.time_zone
    edges = {at for row in contracts for at in terms.contract(row).boundaries(zone).values()}
    points = [start, *sorted(edge for edge in edges if start < edge < end), end]
    for since, until in pairwise(points):
        yield since, until, terms.entitlement_of(organization, contracts, since)


def endings(organization: Organization, contracts: list[Contract], start: datetime, end: datetime) -> Iterator[Caution]:
    """A caution for every end of a contract after which the organization is owed nothing, or nothing but grace."""
    owed = list(entitlements(organization, contracts, start, end))
    for (_, _, before), (since, until, after) in pairwise(owed):
        if before.state != ContractState.ACTIVE or after.state == ContractState.ACTIVE:
            continue
        over = until if after.state == ContractState.GRACE else since
        last = zones.local(since, organization.time_zone) - timedelta(seconds=1)
        text = (
            f"The contract of {organization.name} ends with {last:%A} {last.day} {last:%B %Y}, and nothing follows it."
        )
        yield Caution(Weakness.ENDING, text, _menders(organization), PAGED, since, over, 1, over - since)


def _menders(organization: Organization) -> tuple[str, ...]:
    return (str(organization.account_manager_id),) if organization.account_manager_id else ()


def _policies(
    rules: Sequence[PolicyRule], severity: str, owed: Entitlement, organization: Organization
) -> Iterable[tuple[int | None, str]]:
    """Every policy an incident of this severity may get, and the service it is about where that decides."""
    level = owed.level(severity)
    if owed.plan is None or level is None:
        return {}
    services = {
        rule.service_id: rule.service.name
        for rule in rules
        if rule.service is not None
        and rule.severity == severity
        and rule.service.organization_id in (None, organization.pk)
    }
    found: dict[int | None, str] = {}
    for service_id in (None, *services):
        best = precedence.most_specific(
            rules, severity, plan=owed.plan.code, organization_id=organization.pk, service_id=service_id
        )
        found.setdefault(best.policy_id if best else None, services.get(service_id, ""))
    return found.items()


def _promised(owed: Entitlement, severity: str) -> timedelta | None:
    level = owed.level(severity)
    return level.first_response if level else None


def _grow(found: dict[_Key, _Growing], key: _Key, owed: Entitlement, since: datetime, until: datetime) -> None:
    severity = key[0]
    level, calendar = owed.level(severity), owed.calendar(severity)
    claim = found.setdefault(key, _Growing(owed.plan.label if owed.plan else "", key[3]))
    claim.held.append((since, until))
    claim.windows += calendars.open_windows(calendar, since, until)
    if level is not None and level.coverage is not Coverage.ALWAYS:
        try:
            calendars.next_open(calendar, since)
        except calendars.NeverOpen:
            claim.problem = (
                f"{severity} of plan {claim.plan} is worked in hours that never come: the calendar is empty."
            )

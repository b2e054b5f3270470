"""Rows to values: an organization's contracts, plans and calendars as the pure rules want them."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any

from supportdesk.calendars import Calendar
from supportdesk.entitlements import (
    SEVERITIES,
    Contract,
    ContractState,
    Coverage,
    Entitlement,
    Feature,
    Hours,
    Level,
    Plan,
    Reason,
    resolve,
)
from supportdesk.organizations import models
from supportdesk.organizations.regions import public_holidays


def entitlement(organization: models.Organization, at: datetime) -> Entitlement:
    """What this organization is owed at an instant (ENT-1). One query."""
    rows = list(
        models.Contract.objects.filter(organization=organization).select_related(
            "plan_version__plan", "plan_version__business_hours", "plan_version__extended_hours", "calendar"
        )
    )
    return entitlement_of(organization, rows, at)


def entitlement_of(organization: models.Organization, rows: list[models.Contract], at: datetime) -> Entitlement:
    """The same from rows already loaded."""
    zone = organization.time_zone
    by_id = {row.pk: row for row in rows}
    answer = resolve([contract(row) for row in rows], zone=zone, hours=_office_hours(zone), at=at)
    if answer.contract_id is None:
        return answer
    hours = hours_of(organization, by_id[answer.contract_id], at)
    return Entitlement(answer.plan, answer.contract_id, answer.state, zone, hours, answer.reasons)


def contract(row: models.Contract) -> Contract:
    """A contract row as a value."""
    return Contract(
        id=row.pk,
        plan=plan(row.plan_version),
        valid_from=row.valid_from,
        valid_until=row.valid_until,
        state=ContractState(row.state),
        grace=timedelta(days=row.grace_days),
    )


def plan(row: models.PlanVersion) -> Plan:
    """A plan version as a value. Versions in use never change, so the value is kept."""
    return Plan(
        code=row.plan.code,
        name=row.plan.name,
        version=row.number,
        levels={severity: Level.from_spec(spec) for severity, spec in row.levels.items()},
        features=frozenset(Feature(feature) for feature in row.features),
        channels=tuple(row.channels),
    )


def hours_of(organization: models.Organization, row: models.Contract, at: datetime) -> Hours:
    """The calendars of a contract: its own, else the organization's, else the plan's, in the organization's zone
    (ENT-3).

    A calendar of their own stands for all hours the plan limits, business and extended alike.
    """
    own = row.calendar if row.calendar_id else organization.calendar
    version = row.plan_version
    return Hours(
        business=calendar(own or version.business_hours, organization.time_zone, at),
        extended=calendar(own or version.extended_hours, organization.time_zone, at),
    )


def calendar(row: models.BusinessCalendar, default_zone: str, at: datetime) -> Calendar:
    """A calendar row as a value, with its region's holidays around `at`.

    Equal calendars are one value and share their weeks.
    """
    closed = {date.fromisoformat(day) for day in row.closed} | public_holidays(row.holiday_region, at.year)
    spec: dict[str, Any] = {
        "time_zone": row.time_zone or default_zone,
        "weekly": row.weekly,
        "closed": sorted(day.isoformat() for day in closed - {date.fromisoformat(day) for day in row.special}),
        "special": row.special,
        "version": f"{row.name} v{row.version}",
    }
    return Calendar.from_spec(spec)


@lru_cache(maxsize=200)
def _office_hours(zone: str) -> Hours:
    """Office hours to wait in for an organization without a contract."""
    office = Calendar.from_spec(
        {
            "time_zone": zone,
            "weekly": {day: [["09:00", "17:00"]] for day in ("mon", "tue", "wed", "thu", "fri")},
            "version": "office hours",
        }
    )
    return Hours(office, office)


@lru_cache(maxsize=1)
def own_platform() -> Entitlement:
    """What we owe ourselves: our platform is watched around the clock whatever any contract says (MON-11, ENT-9)."""
    around_the_clock = Level(Coverage.ALWAYS)
    plan = Plan("own", "our own platform", 1, dict.fromkeys(SEVERITIES, around_the_clock))
    office = _office_hours("UTC")
    return Entitlement(
        plan, None, None, "UTC", office, (Reason("MON-11", "This is our own platform: we watch it around the clock."),)
    )

"""Customers as the console shows them, and their own view of what they are promised."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from operator import itemgetter
from typing import Any

from django.db.models import Count, Prefetch, Q

from supportdesk import calendars, readable
from supportdesk.calendars import Calendar
from supportdesk.entitlements import SEVERITIES, Coverage, Entitlement, Feature
from supportdesk.organizations import terms
from supportdesk.organizations.models import Contract, Organization

_COVERAGE_WORDS = {
    Coverage.ALWAYS: "around the clock",
    Coverage.BUSINESS: "business hours",
    Coverage.EXTENDED: "extended business hours",
}
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


@dataclass(frozen=True, slots=True)
class Promise:
    """What a severity is promised, in words."""

    severity: str
    hours: str
    first_response: str
    next_update: str
    resolution: str


@dataclass(frozen=True, slots=True)
class Summary:
    """One customer in a list."""

    organization: Organization
    plan: str
    state: str
    open_count: int


def summaries(now: datetime) -> list[Summary]:
    """All organizations by name, in two queries."""
    contracts = Prefetch(
        "contracts",
        queryset=Contract.objects.select_related(
            "plan_version__plan", "plan_version__business_hours", "plan_version__extended_hours", "calendar"
        ),
    )
    rows = (
        Organization.objects.filter(is_hidden=False)
        .select_related("calendar", "account_manager")
        .prefetch_related(contracts)
        .annotate(
            open_count=Count(
                "incidents", filter=~Q(incidents__status__in=["resolved", "follow_up", "closed", "cancelled", "merged"])
            )
        )
        .order_by("name")
    )
    return [_summary(row, now) for row in rows]


def _summary(row: Organization, now: datetime) -> Summary:
    owed = terms.entitlement_of(row, list(row.contracts.all()), now)
    return Summary(row, owed.plan.code if owed.plan else "", owed.state or "none", row.open_count)  # type: ignore[attr-defined]


def detail(organization: Organization, now: datetime) -> dict[str, Any]:
    """One organization with what it is owed now."""
    return promised(organization, now) | {
        "organization": organization,
        "contacts": organization.contacts.filter(is_active=True).select_related("user"),
        "contracts": organization.contracts.select_related("plan_version__plan"),
        "services": organization.services.all(),
    }


def promised(organization: Organization, now: datetime) -> dict[str, Any]:
    """Plan, hours and targets in words, for the customer and for whoever helps them."""
    owed = terms.entitlement(organization, now)
    contract = organization.contracts.filter(pk=owed.contract_id).first()
    return {
        "entitlement": owed,
        "contract": contract,
        "promises": promises(owed),
        "hours": opening_hours(owed),
        "is_always_on": bool(owed.plan and owed.plan.has_24x7("P1")),
        "has_phone": owed.has(Feature.EMERGENCY_PHONE),
        "opens_at": _opens(owed, now),
    }


def promises(owed: Entitlement) -> list[Promise]:
    """One line per severity that has any promise."""
    lines = []
    for severity in SEVERITIES:
        level = owed.level(severity)
        if level is None:
            continue
        always = level.coverage is Coverage.ALWAYS
        lines.append(
            Promise(
                severity,
                _COVERAGE_WORDS[level.coverage],
                *(
                    _length(value, always=always)
                    for value in (level.first_response, level.next_update, level.resolution)
                ),
            )
        )
    return lines


def _length(value: Any, *, always: bool) -> str:
    if value is None:
        return "–"
    if always:
        return readable.duration(value)
    hours, rest = divmod(value, timedelta(hours=1))  # opening time has no days: 40 h are a week of it
    return f"{f'{hours} h' if not rest else readable.duration(value)} of opening time"


def opening_hours(owed: Entitlement) -> list[tuple[str, str]]:
    """The desk's hours for whatever this customer has no round-the-clock service for; equal days in one line."""
    spec = _limited_calendar(owed).to_spec()
    if isinstance(spec, str):
        return [("Every day", "around the clock")]
    weekly = spec["weekly"]
    days = [(day, ", ".join(f"{a}–{b}" for a, b in weekly.get(day.lower(), [])) or "closed") for day in _DAYS]
    runs = [[day for day, _ in run] for _, run in groupby(days, key=itemgetter(1))]
    return [(run[0] if len(run) == 1 else f"{run[0]}–{run[-1]}", dict(days)[run[0]]) for run in runs]


def _limited_calendar(owed: Entitlement) -> Calendar:
    """The first calendar of the plan that closes."""
    levels = filter(None, map(owed.level, SEVERITIES))
    coverage = next((level.coverage for level in levels if level.coverage is not Coverage.ALWAYS), Coverage.BUSINESS)
    return owed.hours.of(coverage)


def _opens(owed: Entitlement, now: datetime) -> datetime | None:
    """When the desk next opens for a customer without round-the-clock service; None when it is open."""
    calendar = owed.calendar("P1")
    return None if calendars.is_open(calendar, now) else calendars.next_open(calendar, now)

"""The shipped catalogue: plans XS, S and M with their calendars and targets (domain §2.1). Installing twice changes
nothing."""

from __future__ import annotations

from typing import Any

from supportdesk.entitlements import Feature
from supportdesk.organizations.models import BusinessCalendar, Plan, PlanVersion

MINUTE, HOUR = 60, 3600
_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri")


def _level(
    coverage: str, response: int | None, update: int | None, resolution: int | None, mitigated: int | None = None
) -> dict[str, Any]:
    targets = {
        "first_response": response,
        "next_update": update,
        "next_update_mitigated": mitigated,
        "resolution": resolution,
    }
    return {"coverage": coverage, **{name: value for name, value in targets.items() if value}}


PLANS: dict[str, dict[str, Any]] = {
    "XS": {
        "name": "Starter",
        "levels": {
            "P1": _level("business", 4 * HOUR, None, None),
            "P2": _level("business", 8 * HOUR, None, None),
            "P3": _level("business", 16 * HOUR, None, None),
            "P4": _level("business", None, None, None),
        },
        "features": [],
        "channels": ["portal", "email"],
    },
    "S": {
        "name": "Standard",
        "levels": {
            "P1": _level("business", HOUR, 2 * HOUR, 8 * HOUR),
            "P2": _level("business", 2 * HOUR, 4 * HOUR, 16 * HOUR),
            "P3": _level("business", 8 * HOUR, 16 * HOUR, None),
            "P4": _level("business", 16 * HOUR, None, None),
        },
        "features": [Feature.SHARED_SLACK, Feature.REPORT_ON_REQUEST],
        "channels": ["portal", "email", "slack"],
    },
    "M": {
        "name": "Mission-critical",
        "levels": {
            "P1": _level("24x7", 10 * MINUTE, 15 * MINUTE, 4 * HOUR, 30 * MINUTE),
            "P2": _level("24x7", 30 * MINUTE, HOUR, 8 * HOUR),
            "P3": _level("extended", 4 * HOUR, 8 * HOUR, 40 * HOUR),
            "P4": _level("extended", 8 * HOUR, 40 * HOUR, None),
        },
        "features": [
            Feature.EMERGENCY_PHONE,
            Feature.DEDICATED_SLACK,
            Feature.SHARED_SLACK,
            Feature.WAR_ROOM,
            Feature.PRIVATE_STATUS_PAGE,
            Feature.REPORT_ALWAYS,
            Feature.SENIORS_FIRST,
        ],
        "channels": ["portal", "email", "slack", "phone"],
    },
}


def install() -> dict[str, PlanVersion]:
    """Put the shipped plans into the catalogue; returns their newest versions by code."""
    business, _ = BusinessCalendar.objects.get_or_create(
        name="Business hours", defaults={"weekly": {day: [["09:00", "17:00"]] for day in _WEEKDAYS}}
    )
    extended, _ = BusinessCalendar.objects.get_or_create(
        name="Extended business hours", defaults={"weekly": {day: [["08:00", "18:00"]] for day in _WEEKDAYS}}
    )
    versions = {}
    for code, spec in PLANS.items():
        plan, _ = Plan.objects.get_or_create(code=code, defaults={"name": spec["name"]})
        newest = plan.versions.order_by("-number").first()
        versions[code] = newest or PlanVersion.objects.create(
            plan=plan,
            number=1,
            levels=spec["levels"],
            features=spec["features"],
            channels=spec["channels"],
            business_hours=business,
            extended_hours=extended,
        )
    return versions

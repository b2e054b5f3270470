"""System checks: what is missing or dangerous, with an id and a hint."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register  # noqa: A004
from django.db import DatabaseError

from supportdesk.auditor import alarm
from supportdesk.models import Connection, PlanVersion


@register("supportdesk")
def configuration(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """What the environment should say."""
    found: list[CheckMessage] = []
    if not settings.EMERGENCY_NUMBER:
        found.append(
            Warning(
                "There is no emergency number: if nobody else can be reached, nobody is called.",
                hint="Set SUPPORTDESK_EMERGENCY_NUMBER to a phone that is always answered, like +493012345678.",
                id="supportdesk.W001",
            )
        )
    if settings.IN_PRODUCTION and settings.USES_EMBEDDED_DATABASE:
        found.append(
            Error("Production must not use the embedded database.", hint="Set DATABASE_URL.", id="supportdesk.E001")
        )
    if settings.IN_PRODUCTION and not settings.HTTPS:
        found.append(
            Warning(
                "The public address is not https.",
                hint="Set SUPPORTDESK_URL to the https address people use.",
                id="supportdesk.W002",
            )
        )
    return found


@register("supportdesk", deploy=True)
def outside(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Somebody hears of it when the desk itself is unwell, by a way that does not go through it."""
    found: list[CheckMessage] = []
    if not alarm.ways():
        found.append(
            Warning(
                "Nobody is told when the desk itself is unwell: no alarm way is configured.",
                hint="Set SUPPORTDESK_ALARM_EMAIL_URL and _TO, SUPPORTDESK_ALARM_TWILIO and _PHONE, or "
                "SUPPORTDESK_ALARM_WEBHOOK, with accounts the desk does not page by.",
                id="supportdesk.W005",
            )
        )
    if not settings.DEAD_MAN_URL:
        found.append(
            Warning(
                "Nobody outside notices when this machine stops.",
                hint="Set SUPPORTDESK_DEAD_MAN_URL to the address of a dead man's switch on another network.",
                id="supportdesk.W006",
            )
        )
    if settings.ALARM_TWILIO and settings.ALARM_TWILIO.count(":") < 2:
        found.append(
            Error(
                "SUPPORTDESK_ALARM_TWILIO is not of the form sid:token:+from.",
                hint="Three parts, separated by colons.",
                id="supportdesk.E003",
            )
        )
    return found


@register("supportdesk", deploy=True)
def contents(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """What the database should hold before the desk promises anything."""
    found: list[CheckMessage] = []
    try:
        connected = set(Connection.objects.filter(is_enabled=True, organization=None).values_list("vendor", flat=True))
        plans = list(PlanVersion.objects.select_related("plan"))
    except DatabaseError:
        return [
            Error(
                "The database does not answer.", hint="Start it, run migrate, and check again.", id="supportdesk.E002"
            )
        ]
    for vendor, purpose in (("phone", "call anybody"), ("email", "write to customers")):
        if vendor not in connected:
            found.append(
                Warning(
                    f"No {vendor} connection: the desk cannot {purpose}.",
                    hint=f"Add one in the back office under Connections ({vendor}).",
                    id="supportdesk.W003",
                )
            )
    for version in plans:
        always = [s for s, level in version.levels.items() if level.get("coverage") == "24x7"]
        if always and version.plan.code != "M":
            found.append(
                Warning(
                    f"{version} promises 24×7 for {', '.join(always)}; only plan M should.",
                    hint="Make a new version without it.",
                    id="supportdesk.W004",
                )
            )
    return found

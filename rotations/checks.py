"""Deploy checks: what the rota must hold before the desk promises anything."""

from __future__ import annotations

from typing import Any

from django.core.checks import CheckMessage, Warning, register  # noqa: A004
from django.db import DatabaseError

from rotations.escalation.defaults import DEFAULTS
from rotations.models import Layer, PolicyRule, Schedule

_SET_UP = "Run `manage.py setup_desk`, then look at it in the back office."


@register("rotations", deploy=True)
def somebody_is_paged(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Every severity has a policy for everybody, every schedule has people, duty managers have one."""
    try:
        general = set(
            PolicyRule.objects.filter(plan=None, organization=None, service=None).values_list("severity", flat=True)
        )
        filled = set(Layer.objects.filter(revisions__members__isnull=False).values_list("schedule", flat=True))
        schedules = list(Schedule.objects.all())
    except DatabaseError:
        return []  # supportdesk.E002 says it
    found: list[CheckMessage] = [
        Warning(f"No policy for {severity}: only the last resort is called.", hint=_SET_UP, id="rotations.W001")
        for severity in DEFAULTS
        if severity not in general
    ]
    found += [
        Warning(
            f"Nobody is in the schedule “{schedule}”.",
            hint="Put layers and people into it in the back office under Schedules.",
            id="rotations.W002",
        )
        for schedule in schedules
        if schedule.pk not in filled
    ]
    if not any(schedule.duty for schedule in schedules):
        found.append(Warning("There is no schedule of duty managers.", hint=_SET_UP, id="rotations.W003"))
    return found

"""Tasks of an incident: from the checklist of its severity, from a runbook, or written down on the way."""

from __future__ import annotations

from collections.abc import Sequence

from incidents.models import Checklist, Incident, RunbookVersion, Task
from incidents.models.war_room import TASK_LENGTH
from supportdesk import instants

# What is done where no checklist was written in the back office.
SHIPPED = {
    ("P1", "declared"): (
        "Name a customer liaison",
        "Confirm with the customer who is affected since when",
        "Look at what changed in the last hour",
        "Decide about a public notice",
    ),
    ("P1", "mitigated"): (
        "Watch the numbers that were wrong for ten minutes",
        "Ask the customer to try it themselves",
        "Check that no data was lost",
        "Undo whatever was changed only for the emergency",
    ),
}


def add_checklist(incident: Incident, moment: str) -> None:
    """The tasks of a moment, once an incident."""
    row = Checklist.objects.filter(severity=incident.severity, moment=moment).first()
    lines = row.lines.splitlines() if row else SHIPPED.get((incident.severity, moment), ())
    add(incident, f"checklist:{moment}", [line.strip() for line in lines if line.strip()], "the desk")


def add(
    incident: Incident, source: str, lines: Sequence[str], added_by: str, runbook: RunbookVersion | None = None
) -> None:
    """Several tasks of one list; what is there already stays."""
    now = instants.now()
    Task.objects.bulk_create(
        [
            Task(
                incident=incident,
                key=f"{source}:{position}",
                text=line[:TASK_LENGTH],
                position=position,
                runbook=runbook,
                added_at=now,
                added_by=added_by,
            )
            for position, line in enumerate(lines)
        ],
        ignore_conflicts=True,
    )

"""What timers call in the reports app."""

from __future__ import annotations

from incidents.models import Incident
from reports import actions, tickets
from supportdesk import actors
from supportdesk.queue.models import Timer


def draft(timer: Timer) -> None:
    """An hour after a resolution the report drafts itself where one is owed: every P1 and P2 (PIR-1)."""
    incident = Incident.objects.filter(pk=int(timer.subject.removeprefix("incident:"))).first()
    if (
        incident is None
        or incident.generation != timer.generation
        or incident.is_drill
        or incident.severity not in ("P1", "P2")
    ):
        return
    actions.draft(incident.pk, actor=actors.desk())


def ticketed(timer: Timer) -> None:
    """The ticket of an action item has been made, or is done."""
    tickets.heard(timer.subject, timer.args["verb"], timer.args["ticket"])

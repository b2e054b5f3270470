"""Quiet hours at work: which pages wait for the morning, and what becomes of them meanwhile (ESC-15)."""

from __future__ import annotations

from datetime import datetime

from django.db.models import QuerySet

from incidents import owed
from incidents.escalating.stopping import hush
from incidents.models import Incident, Page
from supportdesk import instants
from supportdesk.accounts import quiet
from supportdesk.accounts.models import User


def until(incident: Incident, user: User, now: datetime) -> datetime | None:
    """Until when a page about this incident waits for somebody; None where it goes out now."""
    if user.quiet_hours is None:
        return None
    always = incident.severity == "P2" and owed.is_worked_around_the_clock(incident, now)
    return quiet.kept_until(user.quiet_hours, now, severity=incident.severity, around_the_clock=always)


def waiting(incident: Incident, now: datetime) -> QuerySet[Page]:
    """The pages that wait for the end of somebody's quiet hours."""
    return Page.objects.filter(
        incident=incident, generation=incident.generation, state=Page.State.OPEN, kept_until__gt=now
    )


def withdraw(incident: Incident) -> list[Page]:
    """Take back every page that waits, because paging starts anew. Returns them: whoever they are for is told anew."""
    kept = list(waiting(incident, instants.now()))
    if kept:
        hush(Page.objects.filter(pk__in=[page.pk for page in kept]), state=Page.State.STOPPED, why="paging starts anew")
    return kept

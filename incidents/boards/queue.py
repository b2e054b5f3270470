"""Lists of incidents."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Prefetch, Q, QuerySet

from incidents.boards.clocks import Face, next_face
from incidents.models import Incident, SlaClock
from incidents.permissions import may
from supportdesk.actors import Actor

TABS = (
    ("needs-action", "Needs action"),
    ("mine", "Mine"),
    ("unassigned", "Unassigned"),
    ("all", "All open"),
    ("ended", "Ended"),
)
SHOWN = 100


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a list."""

    incident: Incident
    clock: Face | None
    can_take: bool


def of_tab(actor: Actor, tab: str) -> QuerySet[Incident]:
    """The incidents of one tab, most severe and oldest first; ended ones newest first."""
    incidents = Incident.objects.visible_to(actor).filter(is_drill=False)
    if tab == "ended":
        return incidents.filter(_ENDED).order_by("-received_at")
    still = incidents.open().order_by("severity", "received_at")
    return still.filter(_TABS[tab](actor)) if tab in _TABS else still


_ENDED = Q(status__in=["resolved", "follow_up", "closed", "cancelled", "merged"])
_UNRESOLVED = ~Q(status="resolved")
_TABS = {
    "needs-action": lambda actor: (
        _UNRESOLVED & (Q(acknowledged_name="") | Q(owner_id=actor.user_id)) & ~Q(engagement="queued")
    ),
    "mine": lambda actor: Q(owner_id=actor.user_id),
    "unassigned": lambda actor: _UNRESOLVED & Q(owner=None),
    "all": lambda actor: _UNRESOLVED,
}


def counts(actor: Actor) -> dict[str, int]:
    """How many incidents each tab holds."""
    return {tab: of_tab(actor, tab).count() for tab, _ in TABS if tab != "ended"}


def rows(incidents: QuerySet[Incident], actor: Actor, now: datetime) -> list[Row]:
    """A page of rows in a constant number of queries."""
    loaded = incidents.select_related("organization", "service", "owner", "reporter").prefetch_related(
        Prefetch("clocks", queryset=SlaClock.objects.filter(state__in=["running", "missed"], satisfied_at=None))
    )[:SHOWN]
    return [
        Row(
            one,
            next_face(one.clocks.all(), now),
            not one.is_acknowledged and not one.is_resolved and may(actor, "acknowledge"),
        )
        for one in loaded
    ]


def unacknowledged(actor: Actor) -> Incident | None:
    """The incident that most needs somebody to take it: shown across the top of every console page."""
    return (
        Incident.objects.visible_to(actor)
        .open()
        .filter(_UNRESOLVED, acknowledged_name="", severity__in=["P1", "P2"], engagement="now", is_drill=False)
        .select_related("organization")
        .order_by("severity", "received_at")
        .first()
    )

"""What the composer of an incident page says before anything is sent: who reads it, and what can be promised."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from incidents import sla
from incidents.boards import routing
from incidents.models import Incident
from incidents.routing import CUSTOMER_AUDIENCES, audiences
from supportdesk.integrations.lines import Lines

_WAITS = (5, 10, 15, 30, 60, 120, 240)


@dataclass(frozen=True, slots=True)
class Promise:
    """When we could speak again: minutes from now, and the instant that is."""

    minutes: int
    at: datetime


def readers(incident: Incident, kind: str = "update", lines: Lines | None = None) -> list[str]:
    """Who a message of a kind goes to at the customer, in words: the very deliveries the verb would post."""
    theirs = tuple(audience for audience in audiences(kind) if audience in CUSTOMER_AUDIENCES)
    found = routing.readers(incident, kind, lines, theirs)
    outside = [one for one in found if one.group == routing.CUSTOMER]
    return [f"{one.name} by e-mail" if one.by == "e-mail" else one.name for one in outside]


def cadence(clocks: Iterable[sla.Clock]) -> timedelta | None:
    """How often the contract wants an update now; None before the first one is owed."""
    latest = sla.by_kind(tuple(clocks)).get(sla.ClockKind.NEXT_UPDATE)
    return latest.target.duration if latest else None


def promises(now: datetime, longest: timedelta | None) -> list[Promise]:
    """What can be promised instead of the contract's rhythm: sooner, never later (SLA-16)."""
    return [
        Promise(minutes, now + timedelta(minutes=minutes))
        for minutes in _WAITS
        if longest is None or timedelta(minutes=minutes) < longest
    ]

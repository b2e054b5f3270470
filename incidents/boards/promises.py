"""What is promised for an incident, as the console shows it: every cycle, its evidence, disputes, exceptions, and what
managers still have to do."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from incidents import clockwork, evidence, sla
from incidents.actions.goodwill import SCOPE_WORDS
from incidents.boards import clocks
from incidents.models import Breach, FollowUp, GoodwillGrant, Incident, SeverityDispute
from incidents.permissions import may
from supportdesk import readable
from supportdesk.actors import Actor

_LATELY = 20
_SCOPES = (  # what a manager grants, beside how the customer reads it
    ("page", "An engineer is called now"),
    ("24x7", "It is worked on around the clock"),
    ("war_room", "It gets a war room"),
    ("phone", "They may use the emergency line"),
)
_KIND_WORDS = {
    sla.EventKind.RECEIVED: "Received",
    sla.EventKind.RECEIVED_MOVED: "Received time moved earlier",
    sla.EventKind.SEVERITY_CHANGED: "Severity changed",
    sla.EventKind.TERMS_CHANGED: "Other terms apply",
    sla.EventKind.GOODWILL_ENDED: "The exception ended",
    sla.EventKind.HOLD_STARTED: "Wait began",
    sla.EventKind.HOLD_ENDED: "Wait ended",
    sla.EventKind.RESPONDED: "A person answered",
    sla.EventKind.UPDATE_SENT: "Status update sent",
    sla.EventKind.CADENCE_AGREED: "Another rhythm agreed",
    sla.EventKind.ACKNOWLEDGED: "Acknowledged",
    sla.EventKind.MITIGATED: "Fix in place",
    sla.EventKind.UNMITIGATED: "The fix failed",
    sla.EventKind.RESOLVED: "Resolved",
    sla.EventKind.REOPENED: "Reopened",
    sla.EventKind.CANCELLED: "Cancelled",
    sla.EventKind.MERGED: "Merged",
}


@dataclass(frozen=True, slots=True)
class CycleRow:
    """One cycle of one clock, with everything it has used and has left."""

    label: str
    clock: sla.Clock
    terms: str

    @property
    def used(self) -> timedelta:
        return self.clock.elapsed

    @property
    def left(self) -> timedelta:
        return self.clock.remaining


@dataclass(frozen=True, slots=True)
class EventRow:
    """One event of the ledger, and what it refers to."""

    sequence: int
    at: datetime
    words: str
    details: str
    author: str
    text: str
    hash: str


def evidence_page(incident: Incident, now: datetime) -> dict[str, Any]:
    """The context of the evidence page: the bundle a token gets, in words."""
    rows = list(incident.clock_events.order_by("sequence"))
    events = [clockwork.event_of(row) for row in rows]
    bundle = evidence.bundle(incident, now)
    cycles = sla.clocks(events, now) if events else ()
    sources = bundle["sources"]
    return {
        "incident": incident,
        "cycles": [CycleRow(clocks.LABELS[clock.kind], clock, _terms(clock)) for clock in cycles],
        "events": [
            _event(event, row.hash, sources.get(event.ref, {})) for event, row in zip(events, rows, strict=True)
        ],
        "ledger": bundle["ledger"],
        "breaches": [
            (clocks.LABELS[row.kind], row) for row in incident.breaches.select_related("excused_by").order_by("due_at")
        ],
        "as_of": now,
    }


def _terms(clock: sla.Clock) -> str:
    """What the cycle was counted by: plan, version, hours and their version."""
    terms = clock.basis.terms
    return f"plan {terms.plan} v{terms.version}, {clock.basis.calendar.version or clock.target.calendar}"


def _event(event: sla.Event, sealed: str, source: dict[str, Any]) -> EventRow:
    return EventRow(
        sequence=event.sequence,
        at=event.at,
        words=_KIND_WORDS[event.kind],
        details=_details(event),
        author=source.get("author", ""),
        text=source.get("text", ""),
        hash=sealed,
    )


def _details(event: sla.Event) -> str:
    said = [event.severity or ""]
    if event.terms:
        said.append(f"plan {event.terms.plan} v{event.terms.version}{', as an exception' * event.terms.goodwill}")
    if event.hold:
        said.append(event.hold.value.replace("_", " "))
    if event.interval:
        said.append(f"every {readable.duration(event.interval)}")
    if event.moved_to:
        said.append(f"to {readable.utc_time(event.moved_to)}")
    if event.promised_next:
        said.append(f"next by {readable.clock_time(event.promised_next, 'UTC')}")
    if event.ref and not event.ref.startswith("entry:"):
        said.append(f"by {event.ref.replace('_', ' ')}")
    return ", ".join(filter(None, said))


@dataclass(frozen=True, slots=True)
class Grant:
    """One goodwill grant in words."""

    grant: GoodwillGrant
    words: str
    holds: bool


def exceptions(incident: Incident, now: datetime) -> list[Grant]:
    """What managers granted beyond the contract, newest first."""
    grants = GoodwillGrant.objects.filter(incident=incident).select_related("granted_by").order_by("-granted_at")
    return [
        Grant(grant, ", ".join(SCOPE_WORDS[what] for what in grant.scope), now < grant.expires_at) for grant in grants
    ]


def decided_by_people(incident: Incident, actor: Actor, now: datetime) -> dict[str, Any]:
    """What an incident page shows of disputes, exceptions and excuses, and the choices of their forms."""
    return {
        "dispute": SeverityDispute.objects.select_related("decided_by").filter(incident=incident).first(),
        "exceptions": exceptions(incident, now),
        "goodwill_scopes": _SCOPES,
        "excuses": Breach.Excuse.choices,
        "may_excuse": may(actor, "annotate_breach", incident.organization_id),
    }


def running(incidents: Iterable[Incident], now: datetime) -> list[dict[str, Any]]:
    """Open incidents with the customer's own clocks, each as it stands."""
    found = []
    for incident in incidents:
        events = clockwork.events_of(incident)
        faces = clocks.faces(sla.clocks(events, now), now, for_customer=True) if events else []
        found.append({"incident": incident, "clocks": faces})
    return found


def follow_ups_page(actor: Actor) -> dict[str, Any]:
    """What is open, oldest first, and what was done lately."""
    rows = FollowUp.objects.select_related("incident__organization", "assignee", "not_by", "done_by")
    return {
        "open_ones": rows.filter(done_at=None),
        "done": rows.exclude(done_at=None).order_by("-done_at")[:_LATELY],
        "may_finish": may(actor, "finish_follow_up"),
        "me": actor.user_id,
    }


def open_follow_ups() -> int:
    """How many wait for a manager."""
    return FollowUp.objects.filter(done_at=None).count()

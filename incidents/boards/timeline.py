"""The timeline as pages show it: one list of entries, each in the voice of whoever made it."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace
from datetime import datetime

from incidents.models import Incident, TimelineEntry
from incidents.timeline import visible
from supportdesk import readable
from supportdesk.actors import Actor
from supportdesk.queue.models import Delivery

_ICONS = {
    "acknowledged": "check",
    "alert_joined": "activity",
    "alert_resolved": "activity",
    "cancelled": "x",
    "claimed": "user",
    "confirmed": "check-check",
    "decided": "scale",
    "desk_opened": "sun",
    "escalated": "arrow-up-right",
    "exhausted": "triangle-alert",
    "handed_back": "arrow-right-left",
    "held": "pause",
    "linked": "arrow-right-left",
    "merged": "arrow-right-left",
    "merged_here": "arrow-right-left",
    "nobody_on_call": "triangle-alert",
    "paged": "siren",
    "released": "play",
    "reopened": "rotate-ccw",
    "resolved": "check",
    "severity_changed": "scale",
    "sla_missed": "clock-alert",
    "sla_warning": "clock",
    "status_changed": "activity",
    "unreachable": "triangle-alert",
}
_RECEIPT_STATES = {"sent": "accepted", "confirmed": "delivered"}
# Kinds the desk writes of its own accord, one after another: a page may fold them.
_QUIET = frozenset({"sla_warning", "step_fired", "step_skipped", "person_skipped"})
# Kinds that are told as a sentence, whoever caused them.
_SENTENCES = {
    "acknowledged": "has it",
    "resolved": "resolved it",
    "reopened": "reopened it",
    "confirmed": "confirmed",
    "cancelled": "cancelled it",
}


# Where our own people and programs act: not worth saying.
_OWN_DOORS = frozenset({"console", "timer", "escalation", "sla", "monitor"})


@dataclass(frozen=True, slots=True)
class Receipt:
    """One delivery, for `components/_receipt.html`."""

    channel: str
    to: str
    state: str
    at: datetime | None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry, for `components/_entry.html`."""

    variant: str  # customer | update | note | page | machine
    at: datetime
    title: str = ""
    body: str = ""
    author: str = ""
    role: str = ""
    via: str = ""
    icon_name: str = ""
    number: int | None = None
    key: str = ""
    reasons: tuple[dict[str, str], ...] = ()
    receipts: list[Receipt] = field(default_factory=list)
    is_quiet: bool = False
    is_question: bool = False


def entries(incident: Incident, actor: Actor) -> list[Entry]:
    """Everything the actor may read, oldest first; staff also see what was really delivered."""
    rows = visible(incident.timeline.order_by("at", "pk"), actor)
    receipts = _receipts(incident) if actor.is_staff else {}
    shown, updates = [], 0
    for row in rows:
        updates += row.kind == "update"
        number = updates if row.kind == "update" else None
        entry = _entry(row, _variant(row, incident), receipts.get(_delivery_key(row), []), number)
        shown.append(_for_customer(entry, row) if actor.is_customer else entry)
    return shown


def _for_customer(entry: Entry, row: TimelineEntry) -> Entry:
    """Customers read words, never P1."""
    if row.kind == "severity_changed":
        return replace(entry, title=f"Now recorded as {readable.severity(row.data['after'])}: {row.data['reason']}")
    if row.kind == "dispute_decided" and "severity" in row.data:
        return replace(entry, title=f"Decided: {readable.severity(row.data['severity'])}. {row.data['reason']}")
    return entry


def _entry(row: TimelineEntry, variant: str, receipts: list[Receipt], number: int | None) -> Entry:
    spoken = variant in ("customer", "update", "note")
    return Entry(
        variant=variant,
        at=row.at,
        title="" if spoken else _title(row),
        body=row.text if spoken or _adds_words(row) else "",
        author=row.actor,
        role=_role(row),
        via="" if row.kind == "decided" or row.via in _OWN_DOORS else row.via,
        icon_name=_ICONS.get(row.kind, "activity"),
        number=number,
        key=f"e{row.pk}",
        reasons=tuple(row.data.get("reasons", ())) if row.kind == "decided" else (),
        receipts=receipts,
        is_quiet=row.kind in _QUIET,
        is_question=row.kind == "held",
    )


def _variant(row: TimelineEntry, incident: Incident) -> str:
    """In whose voice it is told. What is said of our own platform has no customer who reads it."""
    if row.kind == "paged":
        return "page"
    if row.kind in ("message", "update", "reported", "held") and row.is_from_human:
        is_read_by_customer = row.visibility == "customer" and incident.organization_id is not None
        return "customer" if row.is_from_customer else "update" if is_read_by_customer else "note"
    return "note" if row.kind == "note" else "machine"


def _title(row: TimelineEntry) -> str:
    return f"{row.actor} {_SENTENCES[row.kind]}" if row.kind in _SENTENCES else row.text


def _adds_words(row: TimelineEntry) -> bool:
    """Whether the text of a sentence says more than the sentence."""
    return row.kind in _SENTENCES and not row.text.startswith(row.actor)


def _role(row: TimelineEntry) -> str:
    return row.actor_role if row.actor_role in ("engineer", "manager") else ""


def _delivery_key(row: TimelineEntry) -> str:
    """Which deliveries belong to an entry: those of its page, or those its own key is part of."""
    if row.kind == "paged":
        return f"page:{row.data.get('page')}"
    return str(row.pk) if row.kind in ("message", "update", "held") else row.kind


def _receipts(incident: Incident) -> dict[str, list[Receipt]]:
    """All deliveries of the incident by the entry they belong to, in two steps: kind, then occasion."""
    grouped: dict[str, list[Receipt]] = defaultdict(list)
    for row in Delivery.objects.filter(subject=incident.subject).order_by("planned_at", "pk"):
        grouped[_occasion(row)].append(
            Receipt(
                row.vendor,
                row.recipient or row.to,
                _RECEIPT_STATES.get(row.state, row.state),
                row.sent_at or row.settled_at,
                row.error if row.state in ("failed", "pending") else "",
            )
        )
    return grouped


def _occasion(row: Delivery) -> str:
    """`page:7:0` belongs to page 7; `update:42:311:reporter:email:…` to entry 311; `received:42:receipt:…` to its
    kind."""
    parts = row.key.split(":")
    if parts[0] == "page":
        return f"page:{parts[1]}"
    if row.kind in ("message", "update", "customer_message"):
        return parts[2]
    return {
        "received": "reported",
        "received_queued": "reported",
        "received_no_contract": "reported",
        "oncall": "step_fired",
    }.get(row.kind, row.kind)

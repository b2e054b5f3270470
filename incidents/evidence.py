"""The evidence of one incident: everything its promises rest on, in one bundle a stranger could check (SLA-18).

Read only. The events are the ledger as it was sealed; the rest says what they refer to, in words and receipts.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from incidents import clockwork, ledger, sla
from incidents.models import Breach, ClockEvent, Incident, TimelineEntry
from supportdesk.plain import write_instant, write_seconds
from supportdesk.queue.models import Delivery

_ENTRY = "entry:"
_KINDS = ("message", "update", "cadence")  # messages that carry the entry they send in their key


def bundle(incident: Incident, now: datetime) -> dict[str, Any]:
    """Events, clocks, misses, and what they refer to, as plain JSON values; instants to the second, in UTC."""
    rows = list(incident.clock_events.order_by("sequence"))
    events = [clockwork.event_of(row) for row in rows]
    clocks = sla.clocks(events, now) if events else ()
    return {
        "incident": _incident(incident),
        "as_of": write_instant(now),
        "algorithm": sla.ALGORITHM,
        "ledger": _ledger(incident, rows),
        "events": [_event(row) for row in rows],
        "clocks": [clock.to_spec() | measured(clock) for clock in clocks],
        "breaches": [_breach(row) for row in incident.breaches.select_related("excused_by").order_by("due_at", "pk")],
        "sources": _sources(incident, {event.ref for event in events}),
        "decision": incident.decision,
        "entitlement": incident.entitlement,
    }


def measured(clock: sla.Clock) -> dict[str, Any]:
    """How a clock stands: time used, time left, time beyond, in its own hours."""
    return {
        "target_seconds": write_seconds(clock.target.duration),
        "elapsed_seconds": write_seconds(clock.elapsed),
        "remaining_seconds": write_seconds(clock.remaining),
        "overrun_seconds": write_seconds(clock.overrun),
        "percent": clock.percent,
        "is_paused": clock.state is sla.State.PAUSED,
        "thresholds": {str(percent): write_instant(at) for percent, at in (clock.thresholds or {}).items()},
    }


def _incident(incident: Incident) -> dict[str, Any]:
    return {
        "id": incident.pk,
        "ref": incident.ref,
        "title": incident.title,
        "organization": incident.organization.slug if incident.organization else None,
        "severity": incident.severity,
        "claimed_severity": incident.claimed_severity,
        "status": incident.status,
        "received_at": write_instant(incident.received_at),
        "received_by": incident.source,
        "is_drill": incident.is_drill,
    }


def _ledger(incident: Incident, rows: list[ClockEvent]) -> dict[str, Any]:
    findings = [str(finding) for finding in ledger.check(incident)]
    return {"length": len(rows), "hash": rows[-1].hash if rows else "", "is_intact": not findings, "findings": findings}


def _event(row: ClockEvent) -> dict[str, Any]:
    return {
        "sequence": row.sequence,
        **row.data,
        "recorded_at": row.recorded_at.isoformat(),
        "previous_hash": row.previous_hash,
        "hash": row.hash,
    }


def _breach(row: Breach) -> dict[str, Any]:
    excused = {
        "category": row.excused_category,
        "text": row.excused_text,
        "by": row.excused_by.name if row.excused_by else "",
        "at": write_instant(row.excused_at) if row.excused_at else None,
    }
    return {
        "id": row.pk,
        "kind": row.kind,
        "cycle": row.cycle,
        "severity": row.severity,
        "target_seconds": row.target_seconds,
        "due_at": write_instant(row.due_at),
        "detected_at": write_instant(row.detected_at),
        "satisfied_at": write_instant(row.satisfied_at) if row.satisfied_at else None,
        "overrun_seconds": write_seconds(row.satisfied_at - row.due_at) if row.satisfied_at else None,
        "is_counted": row.is_counted,
        "withdrawn_at": write_instant(row.withdrawn_at) if row.withdrawn_at else None,
        "excused": excused if row.is_excused else None,
    }


def _sources(incident: Incident, refs: Iterable[str]) -> dict[str, Any]:
    """What the events refer to: who wrote what, by which door, and the vendors' receipts of where it went."""
    pks = [int(ref.removeprefix(_ENTRY)) for ref in refs if ref.startswith(_ENTRY)]
    entries = TimelineEntry.objects.filter(incident=incident, pk__in=pks).order_by("pk")
    receipts = _receipts(incident)
    return {f"{_ENTRY}{entry.pk}": _entry(entry, receipts) for entry in entries}


def _entry(entry: TimelineEntry, receipts: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    return {
        "at": write_instant(entry.at),
        "kind": entry.kind,
        "author": entry.actor,
        "via": entry.via,
        "text": entry.text,
        "receipts": receipts.get(str(entry.pk), []),
    }


def _receipts(incident: Incident) -> dict[str, list[dict[str, Any]]]:
    """The deliveries of the incident, by the entry that is part of their key."""
    found: dict[str, list[dict[str, Any]]] = {}
    for row in Delivery.objects.filter(subject=incident.subject, kind__in=_KINDS).order_by("pk"):
        occasion = row.key.split(":")[2]
        found.setdefault(occasion, []).append(
            {
                "vendor": row.vendor,
                "recipient": row.recipient,
                "state": row.state,
                "vendor_id": row.vendor_id,
                "sent_at": write_instant(row.sent_at) if row.sent_at else None,
            }
        )
    return found

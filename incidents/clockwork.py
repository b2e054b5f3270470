"""Feeding the SLA clocks: events in, ledger rows, clock states and timers out. The rules are in `incidents.sla`."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from incidents import sla
from incidents.models import Breach, ClockEvent, Incident, SlaClock
from supportdesk import instants
from supportdesk.entitlements import Coverage, Entitlement, Feature
from supportdesk.queue import timers

THRESHOLD = "incidents.tasks.sla_threshold"
ACK_OBJECTIVE = timedelta(minutes=5)
_GENESIS = "0" * 64


def terms_of(entitlement: Entitlement, *, goodwill: bool = False) -> sla.Terms | None:
    """The entitlement as the clocks want it; None where nothing is promised (ENT-5)."""
    plan = entitlement.plan
    if plan is None:
        return None
    targets: dict[str, dict[sla.ClockKind, sla.Target]] = {}
    for severity, level in plan.levels.items():
        calendar = level.coverage.value
        promised = {
            sla.ClockKind.FIRST_RESPONSE: (level.first_response, sla.Commitment.GUARANTEE),
            sla.ClockKind.NEXT_UPDATE: (level.next_update, sla.Commitment.GUARANTEE),
            sla.ClockKind.RESOLUTION: (level.resolution, sla.Commitment.OBJECTIVE),
        }
        if severity == "P1" and level.coverage is Coverage.ALWAYS:
            promised[sla.ClockKind.ACK] = (ACK_OBJECTIVE, sla.Commitment.OBJECTIVE)
        targets[severity] = {
            kind: sla.Target(duration, calendar, commitment)
            for kind, (duration, commitment) in promised.items()
            if duration is not None
        }
    used = {level.coverage for level in plan.levels.values()}
    return sla.Terms(
        plan=plan.code,
        version=str(plan.version),
        calendars={coverage.value: entitlement.hours.of(coverage) for coverage in used},
        targets=targets,
        after_mitigation={
            s: level.next_update_mitigated for s, level in plan.levels.items() if level.next_update_mitigated
        },
        cadence_from_declaration=frozenset({"P1"}) if entitlement.has(Feature.WAR_ROOM) else frozenset(),
        goodwill=goodwill,
    )


def events_of(incident: Incident) -> list[sla.Event]:
    """The incident's ledger as values."""
    return [_event(row) for row in incident.clock_events.order_by("sequence")]


def append(incident: Incident, *events: sla.Event, before: list[sla.Event] | None = None) -> tuple[sla.Clock, ...]:
    """Add events to the ledger and bring clocks, breaches and timers in step, in the caller's transaction.

    `before` spares reading the ledger of an incident that has none yet.
    """
    now = instants.now()
    known = events_of(incident) if before is None else before
    if not known and not any(event.kind is sla.EventKind.RECEIVED for event in events):
        return ()  # nothing was promised, so nothing is measured
    fresh = [replace(event, sequence=number) for number, event in enumerate(events, start=len(known) + 1)]
    _write(incident, fresh, now)
    everything = [*known, *fresh]
    clocks = sla.clocks(everything, now)
    _store(incident, clocks, is_new=not known)
    _note_breaches(incident, clocks, now)
    _arm(incident, clocks)
    return clocks


def refresh(incident: Incident) -> tuple[sla.Clock, ...]:
    """Bring stored clocks, breaches and timers in step with the time that has passed."""
    return append(incident)


def _event(row: ClockEvent) -> sla.Event:
    return sla.Event.from_spec({**row.data, "sequence": row.sequence})


def _write(incident: Incident, events: list[sla.Event], now: datetime) -> None:
    if not events:
        return
    previous = _last_hash(incident) if events[0].sequence > 1 else _GENESIS
    rows = []
    for event in events:
        spec = {key: value for key, value in event.to_spec().items() if key != "sequence"}
        sealed = seal(previous, incident.pk, event.sequence, spec)
        rows.append(
            ClockEvent(
                incident=incident,
                sequence=event.sequence,
                at=event.at,
                kind=event.kind,
                data=spec,
                recorded_at=now,
                previous_hash=previous,
                hash=sealed,
            )
        )
        previous = sealed
    ClockEvent.objects.bulk_create(rows)


def seal(previous: str, incident_id: int, sequence: int, spec: dict[str, Any]) -> str:
    """The hash of one ledger row, over its content and the row before it."""
    content = json.dumps([previous, incident_id, sequence, spec], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(content.encode()).hexdigest()


def _last_hash(incident: Incident) -> str:
    return ClockEvent.objects.filter(incident=incident).order_by("-sequence").values_list("hash", flat=True)[0]


_STORED = (
    "severity",
    "target_seconds",
    "promise",
    "started_at",
    "effective_start",
    "due_at",
    "state",
    "satisfied_at",
    "is_counted",
)


def _store(incident: Incident, clocks: tuple[sla.Clock, ...], *, is_new: bool) -> None:
    """Keep the states that differ from what is stored: a long incident has hundreds of cycles that never change again."""
    stored = {} if is_new else {(row.kind, row.cycle): row for row in SlaClock.objects.filter(incident=incident)}
    rows = [_row(incident, clock) for clock in clocks]
    changed = [row for row in rows if not _same(row, stored.get((row.kind, row.cycle)))]
    SlaClock.objects.bulk_create(
        changed, update_conflicts=True, unique_fields=["incident", "kind", "cycle"], update_fields=list(_STORED)
    )


def _row(incident: Incident, clock: sla.Clock) -> SlaClock:
    return SlaClock(
        incident=incident,
        kind=clock.kind,
        cycle=clock.cycle,
        severity=clock.severity,
        target_seconds=int(clock.target.duration.total_seconds()),
        promise=clock.commitment,
        started_at=clock.started_at,
        effective_start=clock.effective_start,
        due_at=clock.due_at,
        state=clock.state,
        satisfied_at=clock.satisfied_at,
        is_counted=clock.counts and not incident.is_drill,
    )


def _same(row: SlaClock, stored: SlaClock | None) -> bool:
    return stored is not None and all(getattr(row, name) == getattr(stored, name) for name in _STORED)


def _note_breaches(incident: Incident, clocks: tuple[sla.Clock, ...], now: datetime) -> None:
    missed = [c for c in clocks if c.breached_at is not None and c.kind is not sla.ClockKind.ACK]
    if not missed:
        return
    Breach.objects.bulk_create(
        [
            Breach(
                incident=incident,
                kind=clock.kind,
                cycle=clock.cycle,
                severity=clock.severity,
                target_seconds=int(clock.target.duration.total_seconds()),
                due_at=clock.breached_at,
                detected_at=now,
                satisfied_at=clock.satisfied_at,
                is_counted=clock.counts and not incident.is_drill,
            )
            for clock in missed
        ],
        ignore_conflicts=True,
    )
    for clock in missed:
        if clock.satisfied_at is not None:
            Breach.objects.filter(incident=incident, kind=clock.kind, cycle=clock.cycle, satisfied_at=None).update(
                satisfied_at=clock.satisfied_at
            )


def _arm(incident: Incident, clocks: tuple[sla.Clock, ...]) -> None:
    """Make the armed thresholds exactly those that can still happen (SLA-14, INV-4)."""
    planned = [
        timers.Planned(
            key=f"sla:{incident.pk}:{moment.key}",
            run=THRESHOLD,
            subject=incident.subject,
            at=moment.at,
            generation=incident.generation,
            args={"kind": moment.kind, "cycle": moment.cycle, "basis": moment.basis, "threshold": moment.threshold},
        )
        for moment in sla.moments_of(clocks)
    ]
    timers.replace(incident.subject, THRESHOLD, planned)

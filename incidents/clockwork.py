"""Feeding the SLA clocks: events in, ledger rows, clock states and timers out. The rules are in `incidents.sla`."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from operator import attrgetter
from typing import Any

from django.db.models import Max

from incidents import sla
from incidents.models import Breach, ClockEvent, Incident, LedgerHead, SlaClock
from supportdesk import instants
from supportdesk.entitlements import Coverage, Entitlement, Feature, Goodwill, Level
from supportdesk.queue import timers

THRESHOLD = "incidents.tasks.sla_threshold"
ACK_OBJECTIVE = timedelta(minutes=5)
RETARGETING = frozenset({"24x7", "war_room"})  # the exceptions that change what clocks measure
GENESIS = "0" * 64


def terms_of(entitlement: Entitlement, goodwill: Goodwill | None = None) -> sla.Terms | None:
    """The entitlement as the clocks want it; None where nothing is promised (ENT-5).

    An exception around the clock widens the hours and an exception with a war room asks for updates from the start;
    the targets stay those of the plan, and the clocks become objectives (ENT-12).
    """
    plan = entitlement.plan
    if plan is None:
        return None
    scope = goodwill.scope & RETARGETING if goodwill else frozenset()
    hours = (lambda coverage: Coverage.ALWAYS) if "24x7" in scope else (lambda coverage: coverage)
    used = {hours(level.coverage) for level in plan.levels.values()}
    return sla.Terms(
        plan=plan.code,
        version=str(plan.version),
        calendars={coverage.value: entitlement.hours.of(coverage) for coverage in used},
        targets={s: _targets(s, level, hours(level.coverage)) for s, level in plan.levels.items()},
        after_mitigation={
            s: level.next_update_mitigated for s, level in plan.levels.items() if level.next_update_mitigated
        },
        cadence_from_declaration=frozenset({"P1"})
        if entitlement.has(Feature.WAR_ROOM) or "war_room" in scope
        else frozenset(),
        goodwill=bool(scope),
    )


def _targets(severity: str, level: Level, coverage: Coverage) -> dict[sla.ClockKind, sla.Target]:
    promised = {
        sla.ClockKind.FIRST_RESPONSE: (level.first_response, sla.Commitment.GUARANTEE),
        sla.ClockKind.NEXT_UPDATE: (level.next_update, sla.Commitment.GUARANTEE),
        sla.ClockKind.RESOLUTION: (level.resolution, sla.Commitment.OBJECTIVE),
    }
    if severity == "P1" and coverage is Coverage.ALWAYS:
        promised[sla.ClockKind.ACK] = (ACK_OBJECTIVE, sla.Commitment.OBJECTIVE)
    return {
        kind: sla.Target(duration, coverage.value, commitment)
        for kind, (duration, commitment) in promised.items()
        if duration is not None
    }


def events_of(incident: Incident) -> list[sla.Event]:
    """The incident's ledger as values."""
    return [event_of(row) for row in incident.clock_events.order_by("sequence")]


def append(incident: Incident, *events: sla.Event, before: list[sla.Event] | None = None) -> tuple[sla.Clock, ...]:
    """Add events to the ledger and bring clocks, breaches and timers in step, in the caller's transaction.

    `before` spares reading the ledger of an incident that has none yet.
    """
    now = instants.now()
    known = events_of(incident) if before is None else before
    if not known and not any(event.kind is sla.EventKind.RECEIVED for event in events):
        return ()  # nothing was promised, so nothing is measured
    fresh = [replace(event, sequence=number) for number, event in enumerate(events, start=len(known) + 1)]
    clocks = sla.clocks([*known, *fresh], now)
    thresholds = planned(incident, clocks)  # whatever cannot be computed is found out before anything is written
    _write(incident, fresh, now, is_new=not known)
    _store(incident, clocks, is_new=not known)
    _note_breaches(incident, clocks, now, is_new=not known)
    # The armed thresholds are exactly those that can still happen (SLA-14, INV-4).
    timers.replace(incident.subject, THRESHOLD, thresholds)
    return clocks


def refresh(incident: Incident) -> tuple[sla.Clock, ...]:
    """Bring stored clocks, breaches and timers in step with the time that has passed."""
    return append(incident)


def terms_now(incident: Incident) -> sla.Terms | None:
    """The terms the clocks run under by the ledger; None where nothing was promised."""
    told = sorted(events_of(incident), key=attrgetter("at", "sequence"))
    return next((event.terms for event in reversed(told) if event.terms is not None), None)


def latest_event_at(incident: Incident) -> datetime | None:
    """When the last thing happened that the ledger knows of; None where nothing was promised."""
    return incident.clock_events.aggregate(latest=Max("at"))["latest"]


def event_of(row: ClockEvent) -> sla.Event:
    """A ledger row as the event it keeps."""
    return sla.Event.from_spec({**row.data, "sequence": row.sequence})


def _write(incident: Incident, events: list[sla.Event], now: datetime, *, is_new: bool) -> None:
    """Append rows, each sealed with the hash of the one before, and move the head; `as_of` moves without events too."""
    head = LedgerHead(incident=incident, length=0, hash=GENESIS) if is_new else LedgerHead.objects.get(pk=incident.pk)
    rows = []
    for event in events:
        spec = {key: value for key, value in event.to_spec().items() if key != "sequence"}
        sealed = seal(head.hash, incident.pk, event.sequence, spec, now)
        rows.append(
            ClockEvent(
                incident=incident,
                sequence=event.sequence,
                at=event.at,
                kind=event.kind,
                data=spec,
                recorded_at=now,
                previous_hash=head.hash,
                hash=sealed,
            )
        )
        head.length, head.hash = event.sequence, sealed
    ClockEvent.objects.bulk_create(rows)
    head.as_of = now
    head.save(force_insert=is_new)


def seal(previous: str, incident_id: int, sequence: int, spec: dict[str, Any], recorded_at: datetime) -> str:
    """The hash of one ledger row, over its content and the row before it."""
    content = json.dumps(
        [previous, incident_id, sequence, spec, recorded_at.astimezone(UTC).isoformat()],
        sort_keys=True,
        separators=(",", ":"),
    )
    return hashlib.sha256(content.encode()).hexdigest()


STORED = (
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
    """Keep the states that differ from what is stored: a long incident has hundreds of cycles that never change again.

    An event that took effect earlier than it was recorded may leave fewer cycles; what is no cycle any more goes.
    """
    stored = {} if is_new else {(row.kind, row.cycle): row for row in SlaClock.objects.filter(incident=incident)}
    rows = [clock_row(incident, clock) for clock in clocks]
    changed = [row for row in rows if not is_same(row, stored.get((row.kind, row.cycle)))]
    SlaClock.objects.bulk_create(
        changed, update_conflicts=True, unique_fields=["incident", "kind", "cycle"], update_fields=list(STORED)
    )
    gone = stored.keys() - {(row.kind, row.cycle) for row in rows}
    if gone:
        SlaClock.objects.filter(pk__in=[stored[key].pk for key in gone]).delete()


def clock_row(incident: Incident, clock: sla.Clock) -> SlaClock:
    """One cycle as it is stored."""
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


def is_same(row: SlaClock, stored: SlaClock | None) -> bool:
    """Whether a stored state says what the cycle is."""
    return stored is not None and all(getattr(row, name) == getattr(stored, name) for name in STORED)


BREACHED = ("severity", "target_seconds", "due_at", "satisfied_at", "is_counted", "withdrawn_at")


def _note_breaches(incident: Incident, clocks: tuple[sla.Clock, ...], now: datetime, *, is_new: bool) -> None:
    """Record every miss once. When it was first detected stays; what the ledger no longer bears out is withdrawn."""
    missed = breaches_in(incident, clocks)
    stored = {} if is_new else {(row.kind, row.cycle): row for row in Breach.objects.filter(incident=incident)}
    for row in missed:
        row.detected_at = now
    changed = [row for row in missed if not is_same_breach(row, stored.get((row.kind, row.cycle)))]
    Breach.objects.bulk_create(
        changed, update_conflicts=True, unique_fields=["incident", "kind", "cycle"], update_fields=list(BREACHED)
    )
    unfounded = stored.keys() - {(row.kind, row.cycle) for row in missed}
    if unfounded:
        pks = [stored[key].pk for key in unfounded]
        Breach.objects.filter(pk__in=pks, withdrawn_at=None).update(withdrawn_at=now)


def breaches_in(incident: Incident, clocks: tuple[sla.Clock, ...]) -> list[Breach]:
    """What was missed, as it is stored. Our own acknowledgement objective is nobody's promise."""
    return [
        Breach(
            incident=incident,
            kind=clock.kind,
            cycle=clock.cycle,
            severity=clock.severity,
            target_seconds=int(clock.target.duration.total_seconds()),
            due_at=clock.breached_at,
            satisfied_at=clock.satisfied_at,
            is_counted=clock.counts and not incident.is_drill,
        )
        for clock in clocks
        if clock.breached_at is not None and clock.kind is not sla.ClockKind.ACK
    ]


def is_same_breach(row: Breach, stored: Breach | None) -> bool:
    """Whether a stored miss says what was missed."""
    return stored is not None and all(getattr(row, name) == getattr(stored, name) for name in BREACHED)


def planned(incident: Incident, clocks: tuple[sla.Clock, ...]) -> list[timers.Planned]:
    """The threshold timers an incident needs."""
    return [
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

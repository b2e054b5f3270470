"""A running escalation: told what happened, and read for who has it. The pure engine decides; this keeps its state."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from incidents.escalating.carrying import carry_out
from incidents.escalating.work import Work
from incidents.models import Escalation, Incident
from rotations import call_outs
from rotations.escalation import Event, EventKind, Outcome, Policy, State, Status, decide, next_due
from rotations.escalation.policy import Pager
from rotations.models import Schedule
from rotations.oncall import Directory, LivePeople
from supportdesk import instants
from supportdesk.integrations.lines import Lines
from supportdesk.queue import timers

ADVANCE = "incidents.tasks.advance"
RELIEVE = "rotations.tasks.relieve"
_OVER = (Status.RESOLVED, Status.IDLE)


def feed(incident: Incident, kind: EventKind, lines: Lines | None = None, **details: Any) -> bool:
    """Tell a running escalation that something happened. False where none runs."""
    escalation = Escalation.objects.select_related("policy__schedule").filter(incident=incident).first()
    if escalation is None:
        return False
    policy, state = Policy.from_spec(escalation.snapshot), State.from_spec(escalation.state)
    apply(incident, escalation, policy, state, Event(kind, instants.now(), **details), lines)
    return True


def is_paged_by_vendor(incident: Incident) -> bool:
    """Whether PagerDuty is the pager of record here; as a watchdog it only knows of what we page ourselves (ESC-17)."""
    escalation = Escalation.objects.filter(incident=incident).first()
    return escalation is not None and Policy.from_spec(escalation.snapshot).pager is not Pager.INTERNAL


def has_somebody(incident: Incident) -> bool:
    """Whether anybody's acknowledgement counts right now."""
    found = Escalation.objects.filter(incident=incident).first()
    return found is not None and bool(State.from_spec(found.state).ackers)


def apply(
    incident: Incident, escalation: Escalation, policy: Policy, state: State, event: Event, lines: Lines | None
) -> None:
    """Have the engine decide an event, carry out what it decides, and keep where it stands."""
    lines = lines or Lines.load()
    people = LivePeople(_schedule(escalation), Directory(lines))
    outcome = decide(policy, state, event, people)
    carry_out(Work(incident, people, lines), outcome.effects)
    _note_work(incident, state, event, outcome)
    escalation.snapshot = outcome.policy.to_spec()
    escalation.state = outcome.state.to_spec()
    escalation.status = outcome.state.status
    escalation.next_at = next_due(outcome.policy, outcome.state, people)
    escalation.save()
    _arm(incident, outcome, escalation.next_at)


def _note_work(incident: Incident, before: State, event: Event, outcome: Outcome) -> None:
    """Keep the record of who works on this (§4.4); whoever is done with it may have to rest (FAT-1)."""
    if incident.is_drill:
        return
    now, done = instants.now(), []
    if event.kind in (EventKind.ACK, EventKind.HAND_OVER) and event.by.isdigit():
        call_outs.acknowledged(int(event.by), incident.subject, incident.severity, now, incident.generation)
    if event.kind is EventKind.UNACK and event.by.isdigit():
        done = call_outs.ended(incident.subject, now, int(event.by))
    elif event.kind is EventKind.HAND_OVER:
        for person in filter(str.isdigit, before.ackers):
            done += call_outs.ended(incident.subject, now, int(person)) if person != event.by else []
    elif outcome.state.status in _OVER and before.status not in _OVER:
        done = call_outs.ended(incident.subject, now)
    at = now.isoformat()
    timers.arm(
        timers.Planned(f"relieve:{incident.pk}:{user}:{at}", RELIEVE, f"user:{user}", now, args={"user": user})
        for user in done
    )


def _schedule(escalation: Escalation) -> Schedule | None:
    """Whom `primary` means; without a policy there is only the duty managers' rotation, if anything."""
    return escalation.policy.schedule if escalation.policy else Schedule.objects.filter(duty=True).first()


def _arm(incident: Incident, outcome: Outcome, at: datetime | None) -> None:
    """One timer for the next instant at which time alone has something to do."""
    planned = []
    if at is not None:
        key = f"escalation:{incident.pk}:{incident.generation}:{outcome.state.status}:{at.isoformat()}"
        planned = [timers.Planned(key, ADVANCE, incident.subject, at, generation=incident.generation)]
    timers.replace(incident.subject, ADVANCE, planned)

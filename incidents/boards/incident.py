"""One incident, as the console and the portal show it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from incidents import clockwork, sla
from incidents.boards import buttons, clocks, composer, linked, promises, timeline
from incidents.models import Breach, Escalation, Incident, Page, StatusPage
from incidents.states import Hold, Status
from incidents.war_room import briefings, drafts
from rotations.escalation import Policy, State
from supportdesk import instants, readable
from supportdesk.actors import Actor

_STEPS = (
    ("Reported", "received_at"),
    ("Acknowledged", "acked_at"),
    ("Answered", "first_response_at"),
    ("Fix in place", "mitigated_at"),
    ("Resolved", "resolved_at"),
    ("Confirmed", "confirmed_at"),
)
_TARGET_WORDS = {
    "primary": "primary on call",
    "backup": "backup",
    "neighbour": "neighbouring site",
    "duty_manager": "duty manager",
    "emergency_phone": "duty manager, emergency phone",
    "seniors": "all senior engineers",
    "head_of_support": "head of support",
    "manager": "fallback manager",
    "pagerduty": "PagerDuty",
}


@dataclass(frozen=True, slots=True)
class Stage:
    """One dot of the way an incident goes."""

    label: str
    state: str
    at: datetime | None


@dataclass(frozen=True, slots=True)
class Rung:
    """One step of the escalation ladder, for `components/_escalation.html`."""

    number: int
    at: datetime
    targets: str
    state: str
    outcome: str = ""


@dataclass(frozen=True, slots=True)
class Missed:
    """One promise that was not kept."""

    label: str
    row: Breach
    overrun: timedelta | None


@dataclass(frozen=True, slots=True)
class Precedent:
    """A resolved incident of the same service, and how long it took."""

    incident: Incident
    took: timedelta


def page(incident: Incident, actor: Actor, now: datetime) -> dict[str, Any]:
    """The context of an incident page, for whoever looks at it."""
    events = clockwork.events_of(incident)
    seen = sla.clocks(events, now) if events else ()
    entries = timeline.entries(incident, actor)
    context: dict[str, Any] = {
        "incident": incident,
        "stages": stages(incident),
        "entries": entries,
        "clocks": clocks.faces(seen, now, for_customer=actor.is_customer),
        "can": buttons.offered(incident, actor, now),
        "first_answer": clocks.face_of(sla.ClockKind.FIRST_RESPONSE, seen, now),
        "next_update": clocks.face_of(sla.ClockKind.NEXT_UPDATE, seen, now),
    }
    if actor.is_customer:
        return context | _customer_only(incident, entries)
    return context | _staff_only(incident, seen, actor, now) | linked.page(incident, context["can"])


def _customer_only(incident: Incident, entries: list[timeline.Entry]) -> dict[str, Any]:
    """The question we wait for, if we wait for an answer of theirs."""
    asked = [entry.body for entry in entries if entry.is_question] if incident.hold == Hold.CUSTOMER else []
    return {"question": asked[-1] if asked else ""}


def stages(incident: Incident) -> list[Stage]:
    """How far it is: done, current, still to come."""
    reached = [getattr(incident, name) for _, name in _STEPS]
    if incident.status not in (Status.RESOLVED, Status.FOLLOW_UP, Status.CLOSED):
        reached[4:] = [None, None]  # a reopened incident is on its way again
    current = next((i for i, at in enumerate(reached) if at is None), len(reached))
    return [
        Stage(
            label, "done" if i < current else "current" if i == current else "todo", reached[i] if i < current else None
        )
        for i, (label, _) in enumerate(_STEPS)
    ]


def _staff_only(incident: Incident, seen: tuple[sla.Clock, ...], actor: Actor, now: datetime) -> dict[str, Any]:
    rhythm = composer.cadence(seen)
    escalation = Escalation.objects.select_related("policy__schedule").filter(incident=incident).first()
    return promises.decided_by_people(incident, actor, now) | {
        "decision": incident.decision,
        "escalation": escalation,
        "steps": ladder(escalation, incident) if escalation else [],
        "alerts": incident.alerts.order_by("-last_at")[:10],
        "breaches": _breaches(incident),
        "similar": _similar(incident),
        "notices": incident.notices.select_related("page"),
        "status_pages": StatusPage.objects.exclude(notices__incident=incident),
        "next_statuses": buttons.next_statuses(incident),
        "readers": composer.readers(incident),
        "cadence": rhythm,
        "draft": drafts.update(briefings.rows(incident)),
        "next_choices": composer.promises(now, rhythm),
    }


def _breaches(incident: Incident) -> list[Missed]:
    rows = incident.breaches.order_by("due_at")
    return [
        Missed(clocks.LABELS[row.kind], row, row.satisfied_at - row.due_at if row.satisfied_at else None)
        for row in rows
    ]


def next_step(incident: Incident) -> Rung | None:
    """Whom the escalation calls next, and when; None when nobody is."""
    escalation = Escalation.objects.filter(incident=incident).first()
    rungs = ladder(escalation, incident) if escalation else []
    return next((rung for rung in rungs if rung.state == "next"), None)


def ladder(escalation: Escalation, incident: Incident) -> list[Rung]:
    """The steps of the present pass with their planned instants, what came of each, and what is next."""
    policy, state = Policy.from_spec(escalation.snapshot), State.from_spec(escalation.state)
    begun = state.pass_started or escalation.started_at
    rungs, at = [], begun
    pages = list(incident.pages.filter(generation=incident.generation, turn=state.pass_number).select_related("user"))
    for number, step in enumerate(policy.steps, start=1):
        fired = number <= state.next_step
        who = [p for p in pages if p.step == number]
        upcoming = number == state.next_step + 1 and escalation.status == "triggered"
        planned = state.planned_at if upcoming and state.planned_at else at
        rungs.append(
            Rung(
                number,
                planned,
                _targets(step.targets),
                _rung_state(escalation.status, fired, upcoming, number == state.next_step),
                _outcome(who),
            )
        )
        at = planned + step.delay
    return rungs


def _rung_state(status: str, fired: bool, upcoming: bool, latest: bool) -> str:
    if fired:
        return "current" if latest and status == "triggered" else "done"
    if upcoming:
        return "next"
    return "later" if status == "triggered" else "stopped"


def _targets(targets: Any) -> str:
    words = [_TARGET_WORDS.get(t.kind.value, t.ref or t.kind.value) for t in targets]
    return ", ".join(words)


def _outcome(pages: list[Page]) -> str:
    return ", ".join(f"{page.recipient}: {_standing(page)}" for page in pages)


def _standing(page: Page) -> str:
    if page.user is None or page.kept_until is None or not page.is_kept(instants.now()):
        return page.get_state_display()
    return f"kept until {readable.clock_time(page.kept_until, page.user.time_zone)}, quiet hours"


def _similar(incident: Incident) -> list[Precedent]:
    """Resolved incidents of the same service, newest first."""
    if incident.service_id is None:
        return []
    rows = (
        Incident.objects.filter(service_id=incident.service_id, resolved_at__isnull=False, is_drill=False)
        .exclude(pk=incident.pk)
        .select_related("owner", "organization")
        .order_by("-resolved_at")[:3]
    )
    return [Precedent(row, row.resolved_at - row.received_at) for row in rows if row.resolved_at]

"""Keeping a war room in step with its incident: opened when it becomes critical, and its prompts planned as they should
be. Called by every verb that changes what the plan looks at; in its transaction, with the incident locked."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any

from django.conf import settings

from incidents import facts, telling, timeline
from incidents.models import HeldRole, Incident, Prompt, WarRoom
from incidents.states import Status
from incidents.timeline import Fact
from incidents.war_room import seats, tasks
from incidents.war_room.plan import Kind, Planned, Situation, plan
from incidents.war_room.roles import IncidentRole
from rotations import oncall
from rotations.models import Schedule
from supportdesk import actors, instants, sitting
from supportdesk.accounts.models import User
from supportdesk.queue import timers

PROMPT = "incidents.tasks.war_room_prompt"
TOP = "P1"
LONGEST_NAME = 80
_DESK = actors.desk("war_room")


def follow(incident: Incident, *, was_claimed: bool = False, is_declared_anew: bool = False) -> None:
    """Open the war room if it needs one now, keep the commander's seat, and plan what is to come.

    `was_claimed`: somebody asked to be the commander, rather than having come first.
    """
    if incident.is_drill:
        return
    room = _open(incident, is_declared_anew=is_declared_anew)
    if room is not None:
        _seat_responders(incident, was_claimed=was_claimed)
    _plan(incident, room)


def _open(incident: Incident, *, is_declared_anew: bool) -> WarRoom | None:
    """The room of an incident that has one, or gets one now. None for all others."""
    room = None if sitting.is_new(incident.subject) else WarRoom.objects.filter(incident=incident).first()
    wants = incident.war_room and incident.severity == TOP and not incident.is_resolved and incident.is_open
    now = instants.now()
    if room is not None:
        if is_declared_anew and wants:
            room.declared_at = now
            room.save(update_fields=["declared_at"])
        return room
    if not wants:
        return None
    room = WarRoom.objects.create(
        incident=incident,
        declared_at=now,
        channel_name=channel_name(incident, now),
        bridge_url=settings.BRIDGE_URL.format(ref=incident.ref.lower()) if settings.BRIDGE_URL else "",
        opened_at=now,
    )
    timeline.record(incident, _DESK, Fact("war_room", f"War room opened: #{room.channel_name}."))
    tasks.add_checklist(incident, "declared")
    telling.tell(incident, "war_room", str(incident.generation), **opening(incident, room))
    return room


def channel_name(incident: Incident, now: datetime) -> str:
    """`inc-20260329-42-checkout-is-down`: lower case, at most 80 characters (domain §6)."""
    slug = re.sub(r"[^a-z0-9]+", "-", incident.title.lower()).strip("-")
    return f"inc-{now:%Y%m%d}-{incident.pk}-{slug}"[:LONGEST_NAME].rstrip("-")


def opening(incident: Incident, room: WarRoom) -> dict[str, Any]:
    """What whoever comes into the room has to know."""
    due = incident.decision.get("first_response_due")
    primary, backup = on_call(incident)
    return {
        "impact_line": incident.get_impact_display(),
        "source": incident.get_source_display(),
        "due_local": facts.moment(datetime.fromisoformat(due), incident.zone) if due else "",
        "primary": primary,
        "backup": backup,
        "commander": incident.owner.name if incident.owner else "nobody yet",
        "bridge_url": room.bridge_url,
        "channel": room.channel_name,
        **facts.in_room(incident),
    }


def on_call(incident: Incident) -> tuple[str, str]:
    """The names of primary and backup of the schedule an incident is paged by."""
    row = _schedule(incident)
    if row is None:
        return "nobody", "nobody"
    held = oncall.now_on_call(row, instants.now())
    slots = (held.primary, held.backup)
    names = dict(User.objects.filter(pk__in=[int(person) for person in slots if person]).values_list("pk", "name"))
    first, second = (names.get(int(person), "nobody") if person else "nobody" for person in slots)
    return first, second


def _schedule(incident: Incident) -> Schedule | None:
    escalation = getattr(incident, "escalation", None)
    return escalation.policy.schedule if escalation is not None and escalation.policy_id else None


def _seat_responders(incident: Incident, *, was_claimed: bool) -> None:
    """The owner is the commander, for the time being if they only came first; whoever came first leads the fix."""
    if incident.is_resolved or not incident.is_open:
        return
    if incident.owner_id is None:
        if not sitting.is_new(incident.subject):
            seats.leave(incident, IncidentRole.COMMANDER)
    else:
        row = seats.held(incident).get(IncidentRole.COMMANDER)
        is_same = row is not None and row.user_id == incident.owner_id
        if was_claimed or not is_same:
            seats.seat(incident, IncidentRole.COMMANDER, incident.owner_id, is_interim=not was_claimed)
    lead = IncidentRole.TECH_LEAD
    if incident.acknowledged_by_id and not HeldRole.objects.filter(incident=incident, role=lead).exists():
        seats.seat(incident, lead, incident.acknowledged_by_id, is_interim=True)


def _plan(incident: Incident, room: WarRoom | None) -> None:
    """Make rows and timers exactly what the plan asks for; what it asks for no longer is cancelled, with the reason."""
    now = instants.now()
    is_new = sitting.is_new(incident.subject)
    rows = () if is_new else incident.prompts.filter(generation=incident.generation)
    known = {(row.kind, row.slot): row for row in rows}
    planned = _counted_on(plan(situation(incident, room), now), known, room)
    wanted = {(p.kind.value, p.slot): p for p in planned}
    if not is_new:
        _withdraw(incident, [row.pk for key, row in known.items() if key in wanted])
    Prompt.objects.bulk_create(
        Prompt(incident=incident, generation=incident.generation, kind=kind, slot=slot, planned_at=p.at)
        for (kind, slot), p in wanted.items()
        if (kind, slot) not in known
    )
    for key in wanted.keys() & known.keys():
        _move(known[key], wanted[key].at, now)
    due = [p for key, p in wanted.items() if key not in known or known[key].state == Prompt.State.PLANNED]
    timers.replace(incident.subject, PROMPT, [_timer(incident, planned) for planned in due])


def _counted_on(
    planned: Iterable[Planned], known: dict[tuple[str, int], Prompt], room: WarRoom | None
) -> Iterator[Planned]:
    """What is planned, its slots counted on from those of an earlier declaration: lowered and raised again, an
    incident is briefed, checked and relieved anew, and what happened before stays written down."""
    used: dict[str, int] = {}
    for kind, slot in known:
        is_of_before = room is not None and known[kind, slot].planned_at < room.declared_at
        if is_of_before and kind != Kind.HAND_OFF:  # that slot names its shift
            used[kind] = max(slot, used.get(kind, 0))
    for one in planned:
        yield replace(one, slot=one.slot + used.get(one.kind.value, 0))


def _withdraw(incident: Incident, keep: list[int]) -> None:
    """What was planned and is asked for no longer."""
    is_over = incident.is_resolved or not incident.is_open
    incident.prompts.filter(state=Prompt.State.PLANNED).exclude(pk__in=keep).update(
        state=Prompt.State.CANCELLED,
        settled_at=instants.now(),
        outcome=f"{incident.ref} is {incident.status.replace('_', ' ')}" if is_over else "no longer needed",
    )


def _move(row: Prompt, at: datetime, now: datetime) -> None:
    """A planned instant moved, or what was withdrawn is asked for again; what had its effect stays as it is."""
    is_withdrawn = row.state == Prompt.State.CANCELLED and row.planned_at > now
    if row.state != Prompt.State.PLANNED and not is_withdrawn:
        return
    if is_withdrawn or row.planned_at != at:
        row.planned_at, row.state, row.settled_at, row.outcome = at, Prompt.State.PLANNED, None, ""
        row.save(update_fields=["planned_at", "state", "settled_at", "outcome"])


def _timer(incident: Incident, planned: Planned) -> timers.Planned:
    return timers.Planned(
        key=f"war_room:{incident.pk}:{incident.generation}:{planned.kind}:{planned.slot}",
        run=PROMPT,
        subject=incident.subject,
        at=planned.at,
        generation=incident.generation,
        args={"kind": planned.kind.value, "slot": planned.slot},
    )


def situation(incident: Incident, room: WarRoom | None) -> Situation:
    """What the plan looks at, from rows; of an incident that was made this moment there are none but its room."""
    if sitting.is_new(incident.subject):
        declared_at = room.declared_at if room and incident.severity == TOP else None
        return Situation(declared_at=declared_at)
    report = getattr(incident, "report", None)
    commander = seats.held(incident).get(IncidentRole.COMMANDER) if room else None
    left = seats.last_left(incident, IncidentRole.COMMANDER) if room else None
    return Situation(
        declared_at=room.declared_at if room and incident.severity == TOP else None,
        mitigated_at=incident.mitigated_at if incident.status == Status.MONITORING else None,
        resolved_at=incident.resolved_at if incident.is_resolved else None,
        confirmed_at=incident.confirmed_at,
        published_at=report.published_at if report is not None else None,
        shift_ends_at=_shift_end(incident) if room else None,
        was_notice_settled=incident.notices.exists(),
        was_commander_claimed=commander is not None and not commander.is_interim,
        commander_left_at=left.ended_at if left else None,
        is_over=incident.status in (Status.CANCELLED, Status.MERGED),
    )


def _shift_end(incident: Incident) -> datetime | None:
    """When the shift of the commander ends, if they are on shift: where two sites overlap, when the next one begins."""
    row = _schedule(incident)
    if row is None or incident.owner_id is None:
        return None
    rota, commander = oncall.schedule(row), str(incident.owner_id)
    held = rota.who(instants.now())
    shifts = ((held.primary, held.primary_shift), (held.backup, held.backup_shift))
    ends = next((shift.shift_end for person, shift in shifts if shift is not None and person == commander), None)
    if ends is None or held.changes_at is None or held.changes_at >= ends:
        return ends
    after = rota.who(held.changes_at)
    return ends if commander in (after.primary, after.backup) else held.changes_at

"""Executive briefings as rows: drafted from the record, sent when their time has come (domain §6)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import Q

from incidents import clockwork, facts, sla, telling, timeline
from incidents.models import Briefing, Incident, SlaClock
from incidents.states import Status
from incidents.timeline import Fact
from incidents.war_room import drafts, seats
from incidents.war_room.plan import BRIEFING_EVERY
from incidents.war_room.roles import IncidentRole
from supportdesk import instants, readable
from supportdesk.actors import Actor

_TOLD = ("update", "decision", "message", "task_done", "note", "status_changed", "resolved")


def draft(incident: Incident, number: int, planned_at: datetime, *, is_last: bool = False) -> Briefing:
    """The draft of a briefing; drafting twice gives the same."""
    row, _ = Briefing.objects.get_or_create(
        incident=incident,
        generation=incident.generation,
        number=number,
        is_last=is_last,
        defaults={"planned_at": planned_at, "facts": drafts.briefing(record(incident))},
    )
    return row


def record(incident: Incident) -> drafts.Record:
    """What a briefing is drafted from."""
    return drafts.Record(
        title=incident.title,
        organization=incident.organization.name if incident.organization else "our own platform",
        service=incident.service.name if incident.service else "",
        impact=incident.impact,
        status=incident.status,
        promises=promises(incident),
        lasted=readable.duration(_ended_at(incident) - (incident.impact_started_at or incident.detected_at)),
        rows=tuple(rows(incident)),
    )


def _ended_at(incident: Incident) -> datetime:
    """Until when the customer felt it, as far as we know."""
    return incident.mitigated_at if incident.is_resolved and incident.mitigated_at else instants.now()


def rows(incident: Incident) -> list[drafts.Row]:
    """The entries drafts are made from, oldest first."""
    entries = incident.timeline.filter(kind__in=_TOLD).order_by("at", "pk")
    return [
        drafts.Row(
            entry.at,
            entry.kind,
            entry.text,
            entry.data.get("state", ""),
            entry.data.get("doing", ""),
            entry.is_from_customer,
            entry.data.get("status", ""),
        )
        for entry in entries
    ]


def promises(incident: Incident) -> str:
    """What was kept and missed, in one line: executives read it before they call the customer."""
    clocks = list(SlaClock.objects.filter(incident=incident).exclude(kind=sla.ClockKind.ACK))
    first = next((clock for clock in clocks if clock.kind == sla.ClockKind.FIRST_RESPONSE), None)
    ended = [
        clock
        for clock in clocks
        if clock.kind == sla.ClockKind.NEXT_UPDATE and clock.state in (sla.State.MET, sla.State.MISSED)
    ]
    kept = sum(clock.state == sla.State.MET for clock in ended)
    missed = (clock for clock in ended if clock.state == sla.State.MISSED)
    late = [clock.satisfied_at - clock.due_at for clock in missed if clock.satisfied_at and clock.due_at]
    worst = f", the worst {readable.duration(max(late))} late" if late else ""
    answered = {None: "not promised", sla.State.MET: "kept", sla.State.MISSED: "missed"}.get(
        sla.State(first.state) if first else None, "still due"
    )
    aimed = next((clock for clock in clocks if clock.kind == sla.ClockKind.RESOLUTION), None)
    beyond = ", not solved in the time we aim for" if aimed and aimed.state == sla.State.MISSED else ""
    return f"first response {answered}, updates {kept} of {len(ended)} on time{worst}{beyond}"


def send(briefing: Briefing, actor: Actor) -> None:
    """Send it, in the caller's transaction; what nobody looked at says so. Customers' executives hear only what the
    commander approved for them."""
    incident = briefing.incident
    clockwork.refresh(incident)
    if not briefing.is_reviewed:
        briefing.facts = drafts.briefing(record(incident))  # what was told since the draft is in it
    briefing.state, briefing.sent_at = Briefing.State.SENT, instants.now()
    briefing.save(update_fields=["state", "sent_at", "facts"])
    key = f"{briefing.generation}:{briefing.number}{':last' if briefing.is_last else ''}"
    telling.tell(incident, "briefing", key, **said(briefing))
    if briefing.external_text and briefing.is_reviewed:
        telling.tell(incident, "briefing_external", key, text=briefing.external_text)
    label = "The closing briefing" if briefing.is_last else f"Briefing {briefing.number}"
    text = f"{label} was sent{'' if briefing.is_reviewed else ', unreviewed'}: {briefing.facts['headline']}"
    timeline.record(incident, actor, Fact("briefing", text, data={"briefing": briefing.pk}))


def said(briefing: Briefing) -> dict[str, Any]:
    """The facts of its message."""
    incident = briefing.incident
    commander = seats.holder(incident, IncidentRole.COMMANDER) or incident.owner
    is_over = briefing.is_last or incident.status == Status.RESOLVED
    return {
        **briefing.facts,
        "hour": "closing" if briefing.is_last else f"hour {briefing.number}",
        "promises": promises(incident),
        "unreviewed": "" if briefing.is_reviewed else "Unreviewed: the commander has not looked at this yet.",
        "commander": commander.name if commander else "nobody",
        "next_local": "" if is_over else facts.moment(briefing.planned_at + BRIEFING_EVERY, incident.zone),
    }


def waiting(incident: Incident) -> Briefing | None:
    """The draft that waits for the commander."""
    return (
        Briefing.objects.filter(incident=incident, generation=incident.generation)
        .filter(Q(state=Briefing.State.DRAFT) | Q(state=Briefing.State.APPROVED))
        .order_by("-number")
        .first()
    )

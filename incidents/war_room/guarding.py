"""The fifteen-minute guard: what is said before and after an update is late, where a war room is open (domain §6)."""

from __future__ import annotations

from typing import Any

from incidents import facts, sla, telling
from incidents.models import Incident, WarRoom
from incidents.routing import Audience
from incidents.war_room import briefings, drafts
from supportdesk import instants, links, readable

PROMPT_AT, PING_AT = 75, 90
_KINDS = {PROMPT_AT: "update_prompt", PING_AT: "update_ping"}


def warn(incident: Incident, clock: sla.Clock, threshold: int, key: str) -> bool:
    """Prompt whoever speaks for us with a draft, then ping the commander. False where the usual warning does."""
    kind = _KINDS.get(threshold)
    is_guarded = clock.kind is sla.ClockKind.NEXT_UPDATE and WarRoom.objects.filter(incident=incident).exists()
    if kind is None or clock.due_at is None or not is_guarded:
        return False
    said: dict[str, Any] = {
        "due_local": facts.moment(clock.due_at, incident.zone),
        "left": readable.duration(clock.due_at - instants.now()),
        "url": f"{links.absolute('console:incident', incident.pk)}?draft=update#say-state",
    }
    telling.tell(incident, kind, key, **said, **_draft(incident))
    return True


def _draft(incident: Incident) -> dict[str, Any]:
    draft = drafts.update(briefings.rows(incident))
    return {"last_state": draft.state, "last_doing": draft.doing, "since": " · ".join(draft.since)}


def say_sorry(incident: Incident, clock: sla.Clock) -> None:
    """Tell the customer that our word is broken and who knows. It satisfies no clock (SLA-17)."""
    if clock.kind is not sla.ClockKind.NEXT_UPDATE or clock.satisfied_at is not None or clock.due_at is None:
        return
    if not WarRoom.objects.filter(incident=incident).exists():
        return
    who = incident.owner or incident.acknowledged_by
    telling.tell(
        incident,
        "update_late",
        f"{incident.generation}:{clock.cycle}",
        heard_by=(Audience.REPORTER, Audience.CUSTOMER_CHANNEL),
        due_local=facts.moment(clock.due_at, incident.zone),
        commander=who.name if who else "",
    )

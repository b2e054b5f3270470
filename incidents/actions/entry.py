"""How every verb begins, and how an incident moves from one status to the next."""

from __future__ import annotations

from datetime import datetime

from incidents.models import Incident
from incidents.permissions import may
from incidents.states import FIRST_ENTRY, Status, may_move
from supportdesk.actors import Actor, Kind
from supportdesk.errors import Invalid, NotAllowed, NotFound, WrongState

LONGEST_TEXT = 20_000


def locked(incident_id: int, actor: Actor, verb: str) -> Incident:
    """Lock the incident and ask permission. What is not yours does not exist; what you may not do is refused."""
    incident = Incident.objects.lock(incident_id)
    hidden = (
        actor.kind is not Kind.DESK
        and not actor.is_staff
        and (actor.organization_id is None or actor.organization_id != incident.organization_id or incident.is_drill)
    )
    if hidden:
        raise NotFound("There is no such incident.")
    if not may(actor, verb, incident.organization_id):
        raise NotAllowed(f"You may not do this to {incident.ref}.")
    return incident


def move(incident: Incident, wanted: Status, now: datetime) -> bool:
    """Set the status, and the timestamp of its first entry. False when it is that already. Raises `WrongState`."""
    current = Status(incident.status)
    if current is wanted:
        return False
    if not may_move(current, wanted):
        raise WrongState(
            f"{incident.ref} is {current.value.replace('_', ' ')}; it cannot become {wanted.value.replace('_', ' ')}."
        )
    incident.status = wanted
    stamp = FIRST_ENTRY.get(wanted)
    if stamp and getattr(incident, stamp) is None:
        setattr(incident, stamp, now)
    return True


def words(text: str, field: str = "text", *, longest: int = LONGEST_TEXT) -> str:
    """A text a person wrote: not empty, not endless. Raises `Invalid` naming the field."""
    cleaned = text.replace("\r\n", "\n").strip()
    if not cleaned:
        raise Invalid("Please write something.", field=field)
    if len(cleaned) > longest:
        raise Invalid(f"This is {len(cleaned):,} characters long; {longest:,} is the most.", field=field)
    if "\0" in cleaned:
        raise Invalid("The text contains a NUL character.", field=field)
    return cleaned


def require_open(incident: Incident, doing: str) -> None:
    """Some verbs make sense only while an incident is open."""
    if not incident.is_open or incident.is_resolved:
        raise WrongState(
            f"{incident.ref} is {incident.status.replace('_', ' ')}: {doing} is no longer possible. Reopen it first."
        )

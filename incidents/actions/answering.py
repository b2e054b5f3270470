"""A responder took the customer's call."""

from __future__ import annotations

from django.db import transaction

from incidents import clockwork, sla, timeline
from incidents.actions.entry import locked
from incidents.actions.responding import acknowledge
from incidents.models import Incident
from incidents.timeline import CUSTOMER, Fact
from supportdesk.actors import Actor


def answer_call(incident_id: int, *, actor: Actor, call: str) -> Incident:
    """Somebody speaks with the customer: that is the first answer they were promised (SLA-2), and they have it now.

    `call` is the provider's name for the call: the proof.
    """
    with transaction.atomic():
        incident = locked(incident_id, actor, "acknowledge")
        if incident.timeline.filter(kind="call_answered", data__call=call).exists():
            return incident
        said = Fact("call_answered", f"{actor.name} answered the call.", CUSTOMER, data={"call": call})
        (entry,) = timeline.record(incident, actor, said)
        if incident.is_resolved or not incident.is_open:
            return incident
        acknowledge(incident.pk, actor=actor)
        incident.refresh_from_db()
        clockwork.append(incident, sla.Event(entry.at, sla.EventKind.RESPONDED, ref=f"call:{call}"))
        if incident.first_response_at is None:
            incident.first_response_at = entry.at
            incident.save(update_fields=["first_response_at", "updated_at"])
    return incident

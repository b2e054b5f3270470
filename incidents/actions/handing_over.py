"""What a change of shift, or of the rota, means for whatever is open (ESC-4, ESC-5, ROT-11)."""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction

from incidents import escalating, facts, timeline
from incidents.actions.entry import locked, require_open
from incidents.models import Escalation, Incident, WarRoom
from incidents.timeline import CUSTOMER, Fact
from incidents.war_room import following
from incidents.war_room.roles import IncidentRole
from rotations import telling
from rotations.escalation import EventKind, Status
from rotations.models import HandOff, HandOffItem
from supportdesk import instants
from supportdesk.actors import Actor
from supportdesk.errors import WrongState
from supportdesk.integrations.lines import Lines
from supportdesk.queue import timers

ACCEPT_WITHIN = timedelta(minutes=15)
CHASE = "incidents.tasks.chase_hand_over"
_RINGING = (Status.TRIGGERED, Status.EXHAUSTED)


def follow_rota(schedule_id: int, *, actor: Actor) -> None:
    """A schedule changed: whatever rings by it rings whoever is on duty now, and waits for its next boundary."""
    paged = Escalation.objects.filter(policy__schedule=schedule_id).exclude(status=Status.RESOLVED)
    for incident_id, status in paged.order_by("incident").values_list("incident", "status"):
        with transaction.atomic():
            incident = locked(incident_id, actor, "escalate")
            if status in _RINGING:
                escalating.feed(incident, EventKind.ROTA)
            following.follow(incident)  # the commander's shift may end at another time now


def offer_hand_over(hand_off_id: int, *, actor: Actor) -> None:
    """A shift began: each open P1 and P2 is the incoming person's to accept, and stays the acker's until they do."""
    hand_off = HandOff.objects.select_related("incoming", "outgoing", "schedule").filter(pk=hand_off_id).first()
    if hand_off is None or hand_off.incoming is None:
        return
    held = Escalation.objects.filter(
        policy__schedule=hand_off.schedule_id, status=Status.ACKNOWLEDGED, incident__severity__in=escalating.URGENT
    )
    for incident_id in held.order_by("incident").values_list("incident", flat=True):
        with transaction.atomic():
            _offer(locked(incident_id, actor, "escalate"), hand_off, actor)


def _offer(incident: Incident, hand_off: HandOff, actor: Actor) -> None:
    if incident.is_resolved or not incident.is_acknowledged or incident.acknowledged_by_id == hand_off.incoming_id:
        return
    item, made = HandOffItem.objects.get_or_create(
        hand_off=hand_off, subject=incident.subject, defaults={"title": incident.title, "severity": incident.severity}
    )
    if not made:
        return
    text = f"{hand_off.incoming} begins their shift and is asked to accept; {incident.acknowledged_name} has it so far."
    timeline.record(incident, actor, Fact("hand_over_offered", text, data={"hand_off": hand_off.pk}))
    telling.tell(
        "hand_over",
        f"{item.pk}",
        incident.subject,
        [hand_off.incoming],
        **facts.for_staff(incident, outgoing=incident.acknowledged_name),
    )
    args = {"item": item.pk}
    at = instants.now() + ACCEPT_WITHIN
    key = f"chase:{item.pk}:{incident.generation}"
    timers.arm([timers.Planned(key, CHASE, incident.subject, at, generation=incident.generation, args=args)])


def accept_hand_over(incident_id: int, *, actor: Actor) -> Incident:
    """The next shift has it now. Doing it twice is not an error."""
    with transaction.atomic():
        incident = locked(incident_id, actor, "accept_hand_over")
        require_open(incident, "accepting")
        if incident.acknowledged_by_id == actor.user_id:
            return incident
        item = offered_to(incident, actor)
        if item is None:
            raise WrongState(f"{incident.ref} is not waiting for you. Claim it if you want it.")
        _take_over(incident, item, actor)
    return incident


def offered_to(incident: Incident, actor: Actor) -> HandOffItem | None:
    """What waits for this person to accept."""
    waiting = HandOffItem.objects.filter(subject=incident.subject, accepted_at=None, hand_off__incoming=actor.user_id)
    return waiting.order_by("pk").last() if actor.user_id is not None else None


def _take_over(incident: Incident, item: HandOffItem, actor: Actor) -> None:
    before, outgoing = incident.acknowledged_name, incident.acknowledged_by_id
    item.accepted_at = instants.now()
    item.save(update_fields=["accepted_at"])
    incident.acknowledged_name, incident.acknowledged_by_id = actor.name, actor.user_id
    takes_command = incident.owner_id in (None, outgoing)  # whoever else commands goes on doing so
    if takes_command:
        incident.owner_id = actor.user_id
    incident.save(update_fields=["acknowledged_name", "acknowledged_by", "owner", "updated_at"])
    timeline.record(incident, actor, Fact("handed_over", f"{actor.name} has it now, after {before}.", CUSTOMER))
    escalating.feed(incident, EventKind.HAND_OVER, by=str(actor.user_id))
    escalating.stop_pages(incident, actor, by_user_id=actor.user_id, why=f"accepted by {actor.name}")
    timers.cancel(incident.subject, run=CHASE)
    if takes_command and WarRoom.objects.filter(incident=incident).exists():
        data = {"role": IncidentRole.COMMANDER, "user": actor.user_id}
        timeline.record(incident, actor, Fact("role", f"{actor.name} is commander now.", data=data))
    following.follow(incident, was_claimed=takes_command)


def chase_hand_over(item_id: int, *, actor: Actor, generation: int) -> None:
    """A quarter of an hour later: whoever has not accepted is paged, if it still waits for them."""
    item = HandOffItem.objects.select_related("hand_off__incoming").filter(pk=item_id).first()
    if item is None or item.hand_off.incoming_id is None:
        return
    with transaction.atomic():
        incident = locked(int(item.subject.removeprefix("incident:")), actor, "escalate")
        item.refresh_from_db()
        stands = incident.generation == generation and incident.is_acknowledged and not incident.is_resolved
        if not stands or item.accepted_at or incident.acknowledged_by_id == item.hand_off.incoming_id:
            return
        escalating.page_incoming(incident, Lines.load(), item.hand_off.incoming_id)


def apply_policy(incident_id: int, *, actor: Actor) -> Incident:
    """Start again at step 1, by the policy as it stands now; running escalations keep their own copy (ESC-4)."""
    with transaction.atomic():
        incident = locked(incident_id, actor, "apply_policy")
        require_open(incident, "paging anew")
        row = escalating.policy_for(incident)
        running = Escalation.objects.filter(incident=incident).exclude(status=Status.RESOLVED).first()
        if row is None or running is None:
            raise WrongState("No escalation is running here, so there is no policy to apply.")
        if running.policy_id == row.pk and running.snapshot == row.value().to_spec():
            return incident
        incident.acknowledged_name, incident.acknowledged_by = "", None
        incident.save(update_fields=["acknowledged_name", "acknowledged_by", "updated_at"])
        text = f"{actor.name} applies “{row}” as it stands now: paging starts again at its first step."
        timeline.record(incident, actor, Fact("policy_applied", text, data={"policy": row.pk, "version": row.version}))
        escalating.change_severity(incident, raised=True)
        following.follow(incident)  # another policy has another rota, so the commander's shift may end elsewhere
    return incident

"""Hand-offs: the note, who takes it, and who still answers for a while (ROT-7, ROT-11)."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction

from rotations import oncall, telling
from rotations.actions.entry import LONGEST_NOTE, colleague, locked_schedule, require, text
from rotations.handoffs import STILL_OPEN, Change, next_change
from rotations.models import HandOff, Schedule
from rotations.rules import PRIMARY
from supportdesk import instants
from supportdesk.actors import Actor
from supportdesk.audit import trail
from supportdesk.errors import Invalid, NotFound, WrongState
from supportdesk.queue import timers
from supportdesk.web import live

NOTE_DUE = "rotations.tasks.remind_of_note"
CHANGE_SHIFT = "rotations.tasks.change_shift"
NOTE_DUE_BEFORE = timedelta(minutes=15)
WITHOUT_OVERLAP = timedelta(minutes=15)  # the note is due so much earlier where two sites never meet (§4.3)
LONGEST_CONTACT = timedelta(hours=24)


def plan_hand_off(schedule_id: int) -> None:
    """Arm what the next hand-off of a schedule needs: the reminder of its note, and the change itself."""
    row = Schedule.objects.filter(pk=schedule_id).first()
    if row is None:
        return
    now = instants.now()
    change = next_change(row, now)
    due, turn = [], []
    if change is not None:
        args = {"schedule": row.pk, "at": change.at.isoformat()}
        due_at = change.at - NOTE_DUE_BEFORE
        if not change.has_overlap and row.layers.filter(slot=PRIMARY).count() > 1:
            due_at -= WITHOUT_OVERLAP
        if due_at > now and change.outgoing:
            key = f"note:{row.pk}:{change.at.isoformat()}:{change.outgoing}"
            due.append(timers.Planned(key, NOTE_DUE, row.subject, due_at, args=args))
        key = f"shift:{row.pk}:{change.at.isoformat()}:{change.outgoing}:{change.incoming}"
        args |= {"outgoing": change.outgoing, "incoming": change.incoming}
        turn.append(timers.Planned(key, CHANGE_SHIFT, row.subject, change.at, args=args))
    timers.replace(row.subject, NOTE_DUE, due)
    timers.replace(row.subject, CHANGE_SHIFT, turn)


def remind_of_note(schedule_id: int, *, actor: Actor, at: datetime) -> None:
    """A shift ends soon: whoever has it is asked for a note, unless one is written."""
    with transaction.atomic():
        row = locked_schedule(schedule_id, actor)
        change = next_change(row, instants.now())
        if change is None or change.at != at:
            return
        hand_off = _of(row, change)
        if hand_off.note:
            return
        telling.tell(
            "handoff", f"{hand_off.pk}", row.subject, [hand_off.outgoing], times={"at": at},
            schedule=row.name, incoming=hand_off.incoming.name if hand_off.incoming else "nobody",
        )  # fmt: skip


def change_shift(
    schedule_id: int, *, actor: Actor, at: datetime, outgoing: str | None, incoming: str | None
) -> HandOff | None:
    """The next shift begins: the incoming person gets the note, and whatever is open is theirs to accept."""
    with transaction.atomic():
        row = locked_schedule(schedule_id, actor)
        holder = oncall.schedule(row).who(at).primary
        hand_off = None
        if holder == incoming:
            hand_off = _of(row, Change(at, outgoing, incoming, has_overlap=False))
            if hand_off.note:
                _give_note(hand_off)
            args = {"hand_off": hand_off.pk}
            key = f"hand-over:{hand_off.pk}"
            timers.arm([timers.Planned(key, settings.SHIFT_CHANGED_TASK, row.subject, instants.now(), args=args)])
            live.changed("rota", row.pk)
        plan_hand_off(row.pk)
    return hand_off


def write_note(schedule_id: int, *, actor: Actor, note: str) -> HandOff:
    """Write what the next one has to know. Until an hour after a shift its note can still be written."""
    with transaction.atomic():
        row = locked_schedule(schedule_id, actor)
        hand_off = _written_by(row, actor)
        require(actor, "hand_off", own=hand_off.outgoing_id == actor.user_id, what="this for somebody else")
        said = text(note, "note", LONGEST_NOTE)
        if not said:
            raise Invalid("Write what the next one has to know, if only that all is quiet.", field="note")
        if said == hand_off.note:
            return hand_off
        before, hand_off.note = hand_off.note, said
        hand_off.written_by_id, hand_off.written_at = actor.user_id, instants.now()
        hand_off.accepted_at = hand_off.accepted_by = None
        hand_off.save()
        trail.record(actor, "write_hand_off", f"hand_off:{hand_off.pk}", before=before or None, after=said)
        if hand_off.at <= instants.now():
            _give_note(hand_off)
    return hand_off


def accept_hand_off(hand_off_id: int, *, actor: Actor) -> HandOff:
    """The incoming person has read it."""
    with transaction.atomic():
        hand_off = _locked(hand_off_id, actor)
        require(actor, "hand_off", own=hand_off.incoming_id == actor.user_id, what="this for somebody else")
        if hand_off.accepted_at is not None:
            return hand_off
        if not hand_off.note:
            raise WrongState("There is no note to accept yet.")
        hand_off.accepted_at, hand_off.accepted_by_id = instants.now(), actor.user_id
        hand_off.save(update_fields=["accepted_at", "accepted_by"])
        trail.record(actor, "accept_hand_off", f"hand_off:{hand_off.pk}")
    return hand_off


def name_contact(schedule_id: int, *, actor: Actor, until: datetime, user_id: int | None = None) -> HandOff:
    """Say who answers questions about the last shift for a while: they are shown, not paged (ROT-7)."""
    with transaction.atomic():
        row = locked_schedule(schedule_id, actor)
        hand_off = _written_by(row, actor)
        user = colleague(user_id or hand_off.outgoing_id or 0, "user")
        is_own = actor.user_id in (hand_off.outgoing_id, user.pk)
        require(actor, "hand_off", own=is_own, what="this for somebody else")
        now = instants.now()
        if not max(now, hand_off.at) < until <= max(now, hand_off.at) + LONGEST_CONTACT:
            raise Invalid("They answer for up to 24 hours after the hand-off.", field="until")
        if (hand_off.contact_id, hand_off.contact_until) == (user.pk, until):
            return hand_off
        hand_off.contact, hand_off.contact_until = user, until
        hand_off.save(update_fields=["contact", "contact_until"])
        trail.record(
            actor, "name_contact", f"hand_off:{hand_off.pk}", after={"user": user.pk, "until": until.isoformat()}
        )
        live.changed("rota", row.pk)
    return hand_off


def _written_by(row: Schedule, actor: Actor) -> HandOff:
    """The hand-off an actor speaks of: the one behind them, if they just handed off; else the next one."""
    now = instants.now()
    last = (
        HandOff.objects.filter(schedule=row, at__gt=now - STILL_OPEN, at__lte=now, outgoing_id=actor.user_id)
        .select_related("outgoing", "incoming")
        .first()
    )
    if last is not None:
        return last
    change = next_change(row, now)
    if change is None:
        raise WrongState("Nobody takes over from anybody here for more than a year: there is nothing to hand off.")
    return _of(row, change)


def _of(row: Schedule, change: Change) -> HandOff:
    """The row of a hand-off; people who changed since it was made are put right, and the note stays."""
    people = {
        "outgoing_id": int(change.outgoing) if change.outgoing else None,
        "incoming_id": int(change.incoming) if change.incoming else None,
    }
    hand_off, _ = HandOff.objects.update_or_create(schedule=row, at=change.at, defaults=people)
    return hand_off


def _locked(hand_off_id: int, actor: Actor) -> HandOff:
    found = HandOff.objects.filter(pk=hand_off_id).first()
    if found is None:
        raise NotFound("There is no such hand-off.")
    locked_schedule(found.schedule_id, actor)
    return HandOff.objects.select_related("outgoing", "incoming").get(pk=hand_off_id)


def _give_note(hand_off: HandOff) -> None:
    telling.tell(
        "handoff_note",
        f"{hand_off.pk}:{hand_off.written_at and hand_off.written_at.isoformat()}",
        hand_off.schedule.subject,
        [hand_off.incoming],
        times={"at": hand_off.at},
        schedule=hand_off.schedule.name,
        outgoing=hand_off.outgoing.name if hand_off.outgoing else "nobody",
        note=hand_off.note,
    )

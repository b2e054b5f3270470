"""Overrides: one person takes one slot for a while, whatever the rotation says (ROT-5)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from django.db import transaction

from rotations import oncall, planning, rules, telling
from rotations.actions.entry import Planned, locked_schedule, reachable, require, require_fit, slot_of, span, text
from rotations.actions.entry import noted as noted_findings
from rotations.fatigue import Finding
from rotations.models import Override, Schedule
from rotations.rules import Slot
from supportdesk import instants
from supportdesk.accounts.models import User
from supportdesk.actors import Actor
from supportdesk.audit import trail
from supportdesk.errors import Invalid, NotFound, WrongState

LONGEST_TAKEN = timedelta(hours=24)


def create_override(
    schedule_id: int,
    *,
    actor: Actor,
    user_id: int,
    start: datetime,
    end: datetime,
    slot: str = "primary",
    reason: str = "",
    force: str = "",
) -> Planned[Override]:
    """Put somebody on duty from `start` (never before now) until `end`. `force`: why, against a limit of fatigue."""
    with transaction.atomic():
        row = locked_schedule(schedule_id, actor)
        require(actor, "override", own=user_id == actor.user_id, what="this to somebody else")
        wanted, now = slot_of(slot), instants.now()
        span(start, end)
        if end <= now:
            raise Invalid("This is over already; what was cannot be planned.", field="end")
        start, user, why = max(start, now), reachable(user_id, "user"), text(reason, "reason")
        same = _same(row, wanted, user, start, end)
        if same is not None:
            return Planned(same)
        _require_free(row, wanted, start, end)
        findings = foreseen(row, wanted, user, start, end)
        require_fit(findings, actor, force)
        made = place(row, wanted, user, start, end, reason=why or text(force, "force"), actor=actor, findings=findings)
    return Planned(made, findings)


def place(
    row: Schedule,
    slot: Slot,
    user: User,
    start: datetime,
    end: datetime,
    *,
    reason: str,
    actor: Actor,
    findings: tuple[Finding, ...] = (),
    verb: str = "create_override",
    kind: str = "override_made",
) -> Override:
    """Write an override that was found good, and tell whoever takes over and whoever is relieved."""
    relieved = _holders(row, slot, start, end)
    made = Override.objects.create(
        schedule=row, slot=slot, user=user, start=start, end=end, reason=reason[:200], created_by_id=actor.user_id
    )
    trail.record(
        actor, verb, f"override:{made.pk}", after={**_plain(made), "findings": noted_findings(findings)}, reason=reason
    )
    _tell(kind, made, actor, relieved)
    row.touch()
    return made


def foreseen(row: Schedule, slot: Slot, user: User, start: datetime, end: datetime) -> tuple[Finding, ...]:
    """What an override would do to the person who takes over."""
    now = oncall.schedule(row).rules
    after = replace(now, overrides=(*now.overrides, rules.Override(slot, str(user.pk), start, end)))
    return planning.consequences({row.pk: after}, {str(user.pk)}, start, end)


def cancel_override(override_id: int, *, actor: Actor) -> None:
    """Take an override back. One that has begun ends now: what was stays as it was."""
    with transaction.atomic():
        found = Override.objects.filter(pk=override_id).first()
        if found is None:
            raise NotFound("There is no such override.")
        row = locked_schedule(found.schedule_id, actor)
        override = Override.objects.filter(pk=override_id).select_related("user").first()
        if override is None:
            return  # somebody else took it back first
        require(actor, "override", own=actor.user_id in (override.user_id, override.created_by_id))
        now = instants.now()
        if override.end <= now:
            raise WrongState("This override is over; what was cannot be changed.")
        before = _plain(override)
        _tell("override_cancelled", override, actor, _holders(row, slot_of(override.slot), now, override.end))
        trail.record(actor, "cancel_override", f"override:{override.pk}", before=before)
        _cut(override, now)
        row.touch()


def take_shift(schedule_id: int, *, actor: Actor, slot: str = "primary", until: datetime | None = None) -> Override:
    """Take this shift now: the actor is on duty from this moment until the shift ends, or until `until`.

    At run time coverage wins (D13): no limit of fatigue stands in the way, it is only written down.
    """
    with transaction.atomic():
        row = locked_schedule(schedule_id, actor)
        require(actor, "take_shift")
        if actor.user_id is None:
            raise Invalid("Somebody with an account has to take it.", field="user")
        wanted, now = slot_of(slot), instants.now()
        user = reachable(actor.user_id, "user")
        shift = _current(row, wanted, now)
        if shift is not None and shift[0] == str(user.pk) and until is None:
            own = Override.objects.filter(schedule=row, slot=wanted, user=user, start__lte=now, end__gt=now).first()
            if own is not None:
                return own
            raise WrongState(f"You are {wanted} already.")
        end = until or (shift[1] if shift else now + timedelta(hours=1))
        if not now < end <= now + LONGEST_TAKEN:
            raise Invalid("Take a shift for up to 24 hours.", field="until")
        _make_room(row, wanted, now, end, actor)
        findings = foreseen(row, wanted, user, now, end)
        return place(
            row, wanted, user, now, end, reason="took the shift", actor=actor, findings=findings,
            verb="take_shift", kind="shift_taken",
        )  # fmt: skip


def _current(row: Schedule, slot: Slot, now: datetime) -> tuple[str, datetime] | None:
    """Who holds a slot now, and until when, at most a day ahead."""
    held = [s for s in oncall.schedule(row).shifts(now, now + LONGEST_TAKEN).shifts if s.slot == slot]
    return (held[0].person, held[0].end) if held and held[0].start == now else None


def _make_room(row: Schedule, slot: Slot, start: datetime, end: datetime, actor: Actor) -> None:
    """Overrides that stand in the way give up the part that is taken."""
    for override in Override.objects.filter(schedule=row, slot=slot, start__lt=end, end__gt=start):
        trail.record(actor, "shorten_override", f"override:{override.pk}", before=_plain(override))
        ends = override.end
        if override.start >= start and ends <= end:
            override.delete()
        elif override.start >= start:
            override.start = end
            override.save(update_fields=["start"])
        else:
            override.end = start
            override.save(update_fields=["end"])
            if ends > end:
                _go_on(override, end, ends)


def _go_on(override: Override, start: datetime, end: datetime) -> None:
    """What is left of an override behind the part that was taken."""
    Override.objects.create(
        schedule=override.schedule,
        slot=override.slot,
        user=override.user,
        start=start,
        end=end,
        reason=override.reason,
        created_by=override.created_by,
    )


def _cut(override: Override, now: datetime) -> None:
    if override.start < now:
        override.end = now
        override.save(update_fields=["end"])
    else:
        override.delete()


def _same(row: Schedule, slot: Slot, user: User, start: datetime, end: datetime) -> Override | None:
    """The same press a second time; one that began a moment ago was clipped to its own now."""
    alike = Override.objects.filter(schedule=row, slot=slot, user=user, start__lte=start, end=end)
    return next((found for found in alike if found.start == start or start == instants.now()), None)


def _require_free(row: Schedule, slot: Slot, start: datetime, end: datetime) -> None:
    other = (
        Override.objects.filter(schedule=row, slot=slot, start__lt=end, end__gt=start).select_related("user").first()
    )
    if other is not None:
        raise WrongState(f"Another override covers part of this time: {other}. Take that one back first.")


def _holders(row: Schedule, slot: Slot, start: datetime, end: datetime) -> set[str]:
    return {shift.person for shift in oncall.schedule(row).shifts(start, end).shifts if shift.slot == slot}


def _tell(kind: str, override: Override, actor: Actor, others: set[str]) -> None:
    """Everybody it concerns, except whoever pressed the button."""
    ids = {override.user_id} | {int(person) for person in others}
    telling.tell(
        kind,
        str(override.pk),
        override.schedule.subject,
        User.objects.filter(pk__in=ids - {actor.user_id}),
        times={"start": override.start, "end": override.end},
        page="rotations:oncall",
        schedule=override.schedule.name,
        slot=override.slot,
        person=override.user.name,
        who=actor.name,
        reason=override.reason,
    )


def _plain(override: Override) -> dict[str, object]:
    return {
        "schedule": override.schedule_id,
        "slot": override.slot,
        "user": override.user_id,
        "start": override.start.isoformat(),
        "end": override.end.isoformat(),
        "reason": override.reason,
    }

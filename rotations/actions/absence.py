"""Leave: asked for, approved once every shift it hits is covered, and at once when somebody is ill (ROT-9)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction

from rotations import planning, telling
from rotations.actions.entry import colleague, require, require_staff, span, text
from rotations.models import Leave, Schedule
from rotations.planning import Hit
from supportdesk import instants, readable
from supportdesk.accounts.models import User
from supportdesk.actors import Actor
from supportdesk.audit import trail
from supportdesk.errors import Invalid, NotFound, WrongState

LONGEST = timedelta(days=366)


@dataclass(frozen=True, slots=True)
class Asked:
    """Leave as it stands now, and the shifts it hits."""

    row: Leave
    hits: tuple[Hit, ...] = ()


def ask_leave(
    *,
    actor: Actor,
    start: datetime,
    end: datetime,
    kind: str = Leave.Kind.HOLIDAY,
    note: str = "",
    user_id: int | None = None,
) -> Asked:
    """Ask for time off. Somebody who is ill does not ask: whoever is next steps up at once, and managers are told."""
    with transaction.atomic():
        require_staff(actor)
        user = colleague(user_id or actor.user_id or 0, "user")
        require(actor, "ask_leave", own=user.pk == actor.user_id, what="this for somebody else")
        if kind not in Leave.Kind.values:
            raise Invalid("Leave is holiday, sick or other.", field="kind")
        span(start, end, longest=LONGEST)
        now = instants.now()
        if end <= now:
            raise Invalid("This is over already.", field="end")
        User.objects.select_for_update(no_key=True).get(pk=user.pk)
        same = _same(user, start, end, kind)
        if same is not None:
            return Asked(same, tuple(planning.hits(user.pk, start, end, now)))
        hit = planning.hits(user.pk, start, end, now)
        is_sick = kind == Leave.Kind.SICK
        row = Leave.objects.create(user=user, start=start, end=end, kind=kind, note=text(note, "note"))
        trail.record(actor, "ask_leave", f"leave:{row.pk}", after=_plain(row))
        if is_sick:
            _approve(row, actor, hit, "ill: at once")
            _tell("leave_sick", row, actor, hit, [*_managers(user), *_stepping_up(hit)])
        else:
            _tell("leave_asked", row, actor, hit, _managers(user))
    return Asked(row, tuple(hit))


def approve_leave(leave_id: int, *, actor: Actor, promote: bool = False) -> Asked:
    """Approve leave. Refused while a shift in it has nobody; with `promote`, whoever is next in line steps up."""
    with transaction.atomic():
        row = _locked(leave_id, actor)
        require(actor, "decide_leave")
        hit = planning.hits(row.user_id, row.start, row.end, instants.now())
        if row.state == Leave.State.APPROVED:
            return Asked(row)
        if row.state not in (Leave.State.ASKED, Leave.State.DECLINED):
            raise WrongState(f"This leave was {row.get_state_display()}.")
        _require_covered(row, hit, promote=promote)
        _approve(row, actor, hit, "")
        _tell("leave_decided", row, actor, hit, [row.user, *_stepping_up(hit)])
    return Asked(row, tuple(hit))


def refuse_leave(leave_id: int, *, actor: Actor, reason: str) -> Leave:
    """Say no, and why."""
    with transaction.atomic():
        row = _locked(leave_id, actor)
        require(actor, "decide_leave")
        if row.state == Leave.State.DECLINED:
            return row
        if row.state != Leave.State.ASKED:
            raise WrongState(f"This leave was {row.get_state_display()} already.")
        why = text(reason, "reason")
        if not why:
            raise Invalid("Say why; they will want to know.", field="reason")
        _decide(row, Leave.State.DECLINED, actor, why)
        trail.record(actor, "refuse_leave", f"leave:{row.pk}", after=_plain(row), reason=why)
        _tell("leave_decided", row, actor, [], [row.user])
    return row


def cancel_leave(leave_id: int, *, actor: Actor) -> Leave:
    """Take leave back: they are there after all. What is over stays as it was."""
    with transaction.atomic():
        row = _locked(leave_id, actor)
        require(actor, "cancel_leave", own=row.user_id == actor.user_id)
        if row.state == Leave.State.CANCELLED:
            return row
        now, was = instants.now(), row.state
        if row.end <= now:
            raise WrongState("This leave is over; what was cannot be changed.")
        if was == Leave.State.APPROVED and row.start < now:
            row.end = now
            row.save(update_fields=["end"])
        else:
            _decide(row, Leave.State.CANCELLED, actor, "")
        trail.record(actor, "cancel_leave", f"leave:{row.pk}", before=was, after=_plain(row))
        if was == Leave.State.APPROVED:
            touch_all(planning.schedules_of(row.user_id))
    return row


def touch_all(schedules: Iterable[Schedule]) -> None:
    """Whoever compiled these schedules does it anew; locked in the order of their keys."""
    ids = [row.pk for row in schedules]
    for row in Schedule.objects.select_for_update().filter(pk__in=ids).order_by("pk"):
        row.touch()


def _locked(leave_id: int, actor: Actor) -> Leave:
    require_staff(actor)
    row = Leave.objects.select_for_update(of=("self",)).select_related("user").filter(pk=leave_id).first()
    if row is None:
        raise NotFound("There is no such leave.")
    return row


def _require_covered(row: Leave, hit: list[Hit], *, promote: bool) -> None:
    bare = [one for one in hit if one.is_uncovered]
    if bare:
        raise WrongState(
            f"Nobody would be on duty for {_said(bare[0], row.user)}. Cover it with an override or a swap first; "
            "the leave stays asked for."
        )
    if hit and not promote:
        raise WrongState(
            f"{row.user} is on duty {_said(hit[0], row.user)}. Cover it with a swap or an override, or confirm that "
            "whoever is next in line steps up."
        )


def _said(hit: Hit, reader: User) -> str:
    return f"{readable.moment(hit.start, reader.time_zone)} to {readable.moment(hit.end, reader.time_zone)}"


def _approve(row: Leave, actor: Actor, hit: list[Hit], reason: str) -> None:
    _decide(row, Leave.State.APPROVED, actor, reason)
    promoted = [
        {"schedule": h.schedule.pk, "slot": h.slot, "start": h.start.isoformat(), "by": h.covered_by} for h in hit
    ]
    trail.record(actor, "approve_leave", f"leave:{row.pk}", after={**_plain(row), "promoted": promoted})
    touch_all(planning.schedules_of(row.user_id))


def _decide(row: Leave, state: Leave.State, actor: Actor, reason: str) -> None:
    row.state, row.reason = state, reason
    row.decided_at, row.decided_by_id = instants.now(), actor.user_id
    row.save(update_fields=["state", "reason", "decided_at", "decided_by"])


def _same(user: User, start: datetime, end: datetime, kind: str) -> Leave | None:
    standing = (Leave.State.ASKED, Leave.State.APPROVED)
    return Leave.objects.filter(user=user, start=start, end=end, kind=kind, state__in=standing).first()


def _managers(user: User) -> list[User]:
    return telling.managers(planning.schedules_of(user.pk))


def _stepping_up(hit: Iterable[Hit]) -> list[User]:
    return list(User.objects.filter(pk__in={int(one.covered_by) for one in hit if one.covered_by}))


def _tell(kind: str, row: Leave, actor: Actor, hit: Iterable[Hit], readers: Iterable[User]) -> None:
    hit = list(hit)
    telling.tell(
        kind,
        f"{row.pk}:{row.state}",
        f"leave:{row.pk}",
        [reader for reader in readers if reader.pk != actor.user_id],
        times={"start": row.start, "end": row.end},
        page="rotations:leave",
        person=row.user.name,
        kind_words=row.get_kind_display(),
        state=row.get_state_display(),
        shifts=len(hit),
        open_shifts=sum(one.is_uncovered for one in hit),
        note=row.note,
        reason=row.reason,
        who=actor.name,
    )


def _plain(row: Leave) -> dict[str, object]:
    return {
        "user": row.user_id,
        "start": row.start.isoformat(),
        "end": row.end.isoformat(),
        "kind": row.kind,
        "state": row.state,
        "source": row.source,
    }

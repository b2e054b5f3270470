"""Swaps: somebody offers a part of their shifts, somebody takes it, perhaps for a part of theirs (ROT-8)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from django.db import transaction
from django.db.models import Q

from rotations import oncall, planning, rules, telling
from rotations.actions.entry import (
    Planned,
    colleague,
    locked_schedule,
    noted,
    reachable,
    require,
    require_fit,
    slot_of,
    span,
    text,
)
from rotations.fatigue import Finding
from rotations.models import Schedule, Swap
from rotations.rules import Slot
from supportdesk import instants
from supportdesk.accounts.models import User
from supportdesk.actors import Actor
from supportdesk.audit import trail
from supportdesk.errors import Invalid, NotAllowed, NotFound, WrongState
from supportdesk.queue import timers

EXPIRE = "rotations.tasks.expire_swap"
_STANDING = (Swap.State.OPEN, Swap.State.ACCEPTED)


def offer_swap(
    schedule_id: int,
    *,
    actor: Actor,
    start: datetime,
    end: datetime,
    slot: str = "primary",
    giver_id: int | None = None,
    taker_id: int | None = None,
    return_start: datetime | None = None,
    return_end: datetime | None = None,
    note: str = "",
) -> Planned[Swap]:
    """Offer a part of one's shifts to somebody, or to whoever wants it; it changes hands only once accepted.

    Unaccepted at `start` it expires and the shift stays where it is. Managers offer for others (`giver_id`).
    """
    with transaction.atomic():
        row = locked_schedule(schedule_id, actor)
        giver = colleague(giver_id or actor.user_id or 0, "giver")
        require(actor, "offer_swap", own=giver.pk == actor.user_id, what="this for somebody else")
        wanted = slot_of(slot)
        taker = reachable(taker_id, "taker") if taker_id else None
        offered = Swap(
            schedule=row, slot=wanted, giver=giver, taker=taker, start=start, end=end,
            return_start=return_start, return_end=return_end, note=text(note, "note"),
        )  # fmt: skip
        same = _same(offered)
        if same is not None:
            return Planned(same)
        _check(offered, wanted)
        findings = _foreseen(offered, taker) if taker else ()
        offered.save()
        trail.record(actor, "offer_swap", f"swap:{offered.pk}", after=_plain(offered))
        timers.arm([timers.Planned(f"swap:{offered.pk}:expire", EXPIRE, offered.subject, start)])
        _tell("swap_offered", offered, actor, [taker] if taker else _others(row, giver))
    return Planned(offered, findings)


def accept_swap(swap_id: int, *, actor: Actor, taker_id: int | None = None, force: str = "") -> Planned[Swap]:
    """Take an offered swap; limits of fatigue are checked for both people on both spans. Managers accept for others."""
    with transaction.atomic():
        swap = _locked(swap_id, actor)
        person = reachable(taker_id or swap.taker_id or actor.user_id or 0, "taker")
        require(actor, "answer_swap", own=person.pk == actor.user_id, what="this for somebody else")
        if swap.state == Swap.State.ACCEPTED and swap.taker_id == person.pk:
            return Planned(swap)
        _require_open(swap)
        if swap.taker_id not in (None, person.pk):
            raise NotAllowed(f"This was offered to {swap.taker}, not to you.")
        if person.pk == swap.giver_id:
            raise Invalid("Nobody swaps with themselves.", field="taker")
        _require_still_theirs(swap)
        findings = _foreseen(swap, person)
        require_fit(findings, actor, force)
        swap.taker = person
        _settle(swap, Swap.State.ACCEPTED)
        trail.record(
            actor, "accept_swap", f"swap:{swap.pk}", after={**_plain(swap), "findings": noted(findings)}, reason=force
        )
        _tell("swap_accepted", swap, actor, [swap.giver, person, *telling.managers([swap.schedule])])
        swap.schedule.touch()
    return Planned(swap, findings)


def decline_swap(swap_id: int, *, actor: Actor) -> Swap:
    """Say no to a swap that was offered to oneself; the shift stays where it is."""
    with transaction.atomic():
        swap = _locked(swap_id, actor)
        if swap.taker_id is None:
            raise WrongState("This is offered to everybody; nobody has to say no.")
        require(actor, "answer_swap", own=swap.taker_id == actor.user_id, what="this for somebody else")
        if swap.state == Swap.State.DECLINED:
            return swap
        _require_open(swap)
        _settle(swap, Swap.State.DECLINED)
        trail.record(actor, "decline_swap", f"swap:{swap.pk}", after=_plain(swap))
        _tell("swap_declined", swap, actor, [swap.giver])
    return swap


def withdraw_swap(swap_id: int, *, actor: Actor) -> Swap:
    """Take an offer back; withdrawing an accepted swap restores both spans, as long as neither has begun."""
    with transaction.atomic():
        swap = _locked(swap_id, actor)
        is_own = actor.user_id in (swap.giver_id, swap.taker_id if swap.state == Swap.State.ACCEPTED else None)
        require(actor, "withdraw_swap", own=is_own)
        if swap.state == Swap.State.WITHDRAWN:
            return swap
        if swap.state not in _STANDING:
            raise WrongState(f"This swap is {swap.get_state_display()}; there is nothing to take back.")
        now, was = instants.now(), swap.state
        if any(begins <= now for begins, _ in swap.spans):
            raise WrongState("This has begun. What was cannot be changed; take the rest over with an override.")
        _settle(swap, Swap.State.WITHDRAWN)
        trail.record(actor, "withdraw_swap", f"swap:{swap.pk}", before=was, after=_plain(swap))
        _tell("swap_withdrawn", swap, actor, [swap.giver, swap.taker])
        if was == Swap.State.ACCEPTED:
            swap.schedule.touch()
    return swap


def expire_swap(swap_id: int, *, actor: Actor) -> Swap:
    """Nobody took it in time: the shift stays with whoever has it, and they are told so."""
    with transaction.atomic():
        swap = _locked(swap_id, actor)
        if swap.state != Swap.State.OPEN or instants.now() < swap.start:
            return swap
        _settle(swap, Swap.State.EXPIRED)
        trail.record(actor, "expire_swap", f"swap:{swap.pk}", after=_plain(swap))
        _tell("swap_expired", swap, actor, [swap.giver, swap.taker])
    return swap


def _locked(swap_id: int, actor: Actor) -> Swap:
    found = Swap.objects.filter(pk=swap_id).values_list("schedule", flat=True).first()
    if found is None:
        raise NotFound("There is no such swap.")
    row = locked_schedule(found, actor)
    swap = Swap.objects.select_related("giver", "taker").get(pk=swap_id)
    swap.schedule = row
    return swap


def _check(offered: Swap, slot: Slot) -> None:
    """Refuse what moves nothing, what has begun, and what is promised to somebody already."""
    now, row = instants.now(), offered.schedule
    span(offered.start, offered.end)
    if offered.start <= now:
        raise WrongState("This has begun. What was cannot be changed; take the rest over with an override.")
    if (offered.return_start is None) != (offered.return_end is None):
        raise Invalid("Give both ends of the span in return, or neither.", field="return_end")
    if offered.taker_id == offered.giver_id:
        raise Invalid("Nobody swaps with themselves.", field="taker")
    if not planning.holds_throughout(row, slot, offered.giver_id, offered.start, offered.end):
        raise Invalid(f"{offered.giver} is not {slot} for all of this time.", field="start")
    if offered.return_start is not None and offered.return_end is not None:
        if offered.taker is None:
            raise Invalid("Name the colleague whose shift you want in return.", field="taker")
        if offered.return_end <= offered.return_start or offered.return_start <= now:
            raise Invalid("The span in return must lie ahead, and end after it begins.", field="return_start")
        if not planning.holds_throughout(row, slot, offered.taker.pk, offered.return_start, offered.return_end):
            raise Invalid(f"{offered.taker} is not {slot} for all of the time in return.", field="return_start")
    _require_unpromised(offered)


def _require_unpromised(offered: Swap) -> None:
    for begins, ends in offered.spans:
        taken = Swap.objects.filter(schedule=offered.schedule, slot=offered.slot, state__in=_STANDING).filter(
            Q(start__lt=ends, end__gt=begins) | Q(return_start__lt=ends, return_end__gt=begins)
        )
        other = taken.select_related("giver").first()
        if other is not None:
            raise WrongState(f"Part of this is in another swap already: {other}. Withdraw that one first.")


def _require_open(swap: Swap) -> None:
    if swap.state != Swap.State.OPEN:
        raise WrongState(f"This swap is {swap.get_state_display()} already.")
    if swap.start <= instants.now():
        raise WrongState("This swap has expired: its time has begun.")


def _require_still_theirs(swap: Swap) -> None:
    """The rota may have changed since the offer."""
    slot = slot_of(swap.slot)
    people = [(swap.giver, *swap.spans[0])] + [(swap.taker, *back) for back in swap.spans[1:]]
    for person, begins, ends in people:
        if person is None or not planning.holds_throughout(swap.schedule, slot, person.pk, begins, ends):
            raise WrongState(f"{person} does not hold all of this any more. Withdraw it and offer what is left.")


def _same(offered: Swap) -> Swap | None:
    """The same offer a second time."""
    return Swap.objects.filter(
        schedule=offered.schedule, slot=offered.slot, giver=offered.giver, taker=offered.taker, start=offered.start,
        end=offered.end, return_start=offered.return_start, return_end=offered.return_end, state=Swap.State.OPEN,
    ).first()  # fmt: skip


def _foreseen(swap: Swap, taker: User) -> tuple[Finding, ...]:
    """What the swap would do to both people, on both spans."""
    now = oncall.schedule(swap.schedule).rules
    as_value = rules.Swap(
        str(swap.pk), slot_of(swap.slot), str(swap.giver_id), str(taker.pk), swap.start, swap.end,
        swap.return_start, swap.return_end, rules.SwapState.ACCEPTED,
    )  # fmt: skip
    after = replace(now, swaps=(*now.swaps, as_value))
    begins, ends = min(s for s, _ in swap.spans), max(e for _, e in swap.spans)
    return planning.consequences({swap.schedule_id: after}, {str(swap.giver_id), str(taker.pk)}, begins, ends)


def _settle(swap: Swap, state: Swap.State) -> None:
    swap.state, swap.settled_at = state, instants.now()
    swap.save(update_fields=["state", "taker", "settled_at"])
    timers.cancel(swap.subject)


def _others(row: Schedule, giver: User) -> list[User]:
    return list(User.objects.filter(pk__in=set(planning.crew(row)) - {giver.pk}))


def _tell(kind: str, swap: Swap, actor: Actor, readers: Iterable[User | None]) -> None:
    times = {"start": swap.start, "end": swap.end}
    if swap.return_start is not None and swap.return_end is not None:
        times |= {"return_start": swap.return_start, "return_end": swap.return_end}
    telling.tell(
        kind,
        f"{swap.pk}",
        swap.schedule.subject,
        [reader for reader in readers if reader is not None and reader.pk != actor.user_id],
        times=times,
        page="rotations:swaps",
        schedule=swap.schedule.name,
        slot=swap.slot,
        giver=swap.giver.name,
        taker=swap.taker.name if swap.taker else "",
        is_exchange=swap.return_start is not None,
        note=swap.note,
        who=actor.name,
    )


def _plain(swap: Swap) -> dict[str, object]:
    return {
        "schedule": swap.schedule_id,
        "slot": swap.slot,
        "giver": swap.giver_id,
        "taker": swap.taker_id,
        "spans": [[begins.isoformat(), ends.isoformat()] for begins, ends in swap.spans],
        "state": swap.state,
    }

"""The chain: which step fires when, pass after pass, and what time alone brings about. Pure.

Three decisions run through it:

* Every step is anchored to its *planned* instant, so a late worker delays nobody after it (ESC-2). Who is meant is
  asked at the instant of the decision (D11), and so is the one-minute pause of ESC-6: what counts is when phones ring.
* Nobody is never silence. An empty step pages the fallback manager and does not wait (ESC-7). A pass that took no
  time, because no step reached anybody, is not repeated: the chain is exhausted there and then, and the fallback
  manager is paged again and again. Repeating it would find the same nobody at the same instant.
* While triggered, acknowledged or exhausted there is always a next instant (INV-7).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from rotations.escalation.effects import AckExpired, Exhausted, Reason, StepFired, StepSkipped, Why
from rotations.escalation.paging import Decision, nobody, page_fallback, primary, ring_again, ring_incoming, ring_step
from rotations.escalation.policy import FOR_EVER, Policy, Step
from rotations.escalation.state import People, State, Status

URGENT = frozenset({"P1", "P2"})  # after downtime these catch up on every step, the others on the latest (ESC-13)
_WATCHING = frozenset({Status.TRIGGERED, Status.EXHAUSTED})


def next_due(policy: Policy, state: State, people: People) -> datetime | None:
    """When time alone will have something to do; None only where it never has (idle, resolved).

    Ask again when the schedule changes: a new override may bring a shift boundary forward.
    """
    if state.status is Status.ACKNOWLEDGED:
        return known(state.last_activity) + policy.ack_timeout
    boundary = _boundary(state, people)
    if boundary is not None:
        return min(boundary, known(state.planned_at))
    return state.planned_at


def begin(d: Decision, at: datetime) -> None:
    """Start at step 1 of pass 1, owned by nobody."""
    _watch_from(d, at)
    d.move(status=Status.TRIGGERED, pass_number=1, pass_started=at, next_step=0, fallback_paged=False)
    d.move(ackers=(), responders=(), rung=())
    fire(d, at)


def go_on(d: Decision, at: datetime) -> None:
    """Take the chain up again at its next step."""
    _watch_from(d, at)
    d.move(status=Status.TRIGGERED)
    fire(d, at)


def fire(d: Decision, at: datetime) -> None:
    """Fire steps, from the next one on, until one reaches somebody; after the last pass the chain is exhausted."""
    while _has_step(d) or _next_pass(d, at):
        step = d.policy.steps[d.state.next_step]
        d.move(next_step=d.state.next_step + 1)
        if not step.condition.holds(at, d.state.severity):
            d.note(StepSkipped(at, Why.CONDITION, *d.place))
        elif _is_overtaken(d, step, at):
            d.note(StepSkipped(at, Why.OVERTAKEN, *d.place))
            at += step.delay
        else:
            d.note(StepFired(at, *d.place))
            if ring_step(d, step, at):
                d.move(planned_at=at + step.delay)
                return
            nobody(d, at)
    _exhaust(d, at)


def nag(d: Decision, at: datetime) -> None:
    """Page the fallback manager, once however many times were missed, and plan the next time on the same grid."""
    every = d.policy.exhausted_every
    at += (d.now - at) // every * every
    if d.people.fallback(d.now) is None:
        nobody(d, at)
    page_fallback(d, Reason.EXHAUSTED, at)
    d.move(planned_at=at + every)


def catch_up(d: Decision) -> None:
    """Do everything that is due by now, in the order it was planned."""
    while (due := next_due(d.policy, d.state, d.people)) is not None and due <= d.now:
        _TIMERS[d.state.status](d, due)


def look_again(d: Decision) -> None:
    """The rules of the schedule are others than when it was last looked at; shifts may have changed since before now.

    What was due before is done first, in its order: a boundary that lies behind rings whoever came on duty then.
    """
    catch_up(d)
    if d.state.status in _WATCHING:
        _change_shift(d, d.now)


def known(at: datetime | None) -> datetime:
    """An instant that this status always has. Raises ValueError for a stored state that lost it."""
    if at is None:
        raise ValueError("this escalation's stored state misses an instant that its status needs")
    return at


def _has_step(d: Decision) -> bool:
    return d.state.next_step < len(d.policy.steps)


def _has_pass(d: Decision) -> bool:
    return d.policy.repeat == FOR_EVER or d.state.pass_number <= d.policy.repeat


def _next_pass(d: Decision, at: datetime) -> bool:
    """Begin the next pass, if there is one and the last took any time at all."""
    if not _has_pass(d) or at == d.state.pass_started:
        return False
    d.move(pass_number=d.state.pass_number + 1, pass_started=at, next_step=0, fallback_paged=False)
    return True


def _is_overtaken(d: Decision, step: Step, at: datetime) -> bool:
    """Whether the step after this one is overdue too and this one may be left out (ESC-13)."""
    has_later = _has_step(d) or _has_pass(d)
    return d.state.severity not in URGENT and has_later and bool(step.delay) and at + step.delay <= d.now


def _exhaust(d: Decision, at: datetime) -> None:
    d.move(status=Status.EXHAUSTED)
    d.note(Exhausted(at, d.state.pass_number))
    nag(d, at)


def _chain_timer(d: Decision, due: datetime) -> None:
    """The next step or, first at one instant, the new shift."""
    if due == _boundary(d.state, d.people):
        _change_shift(d, due)
    elif d.state.status is Status.EXHAUSTED:
        nag(d, due)
    else:
        fire(d, due)


def _change_shift(d: Decision, at: datetime) -> None:
    """Page whoever is on duty now, and leave the step timer alone (ESC-5). A fresh primary needs no relief (FAT-5)."""
    before, incoming = d.state.on_duty, primary(d, d.now)
    d.move(on_duty=incoming, watched_from=d.now)
    if incoming != before:
        d.move(backup_first=False)
        ring_incoming(d, incoming, at)


def _expire(d: Decision, at: datetime) -> None:
    """Nobody has heard from the ackers: back to step 1 with live people, and with them (ESC-9)."""
    silent = d.state.ackers
    d.note(AckExpired(at, silent))
    begin(d, at)
    ring_again(d, silent, Reason.ACK_TIMEOUT, at)


def _watch_from(d: Decision, at: datetime) -> None:
    """Watch for shift changes after `at`; where that is done already, none may be lost."""
    if d.state.status not in _WATCHING:
        d.move(on_duty=primary(d, at), watched_from=at)


def _boundary(state: State, people: People) -> datetime | None:
    return people.boundary_after(known(state.watched_from)) if state.status in _WATCHING else None


_TIMERS: dict[Status, Callable[[Decision, datetime], None]] = {
    Status.TRIGGERED: _chain_timer,
    Status.EXHAUSTED: _chain_timer,
    Status.ACKNOWLEDGED: _expire,
    Status.SUPPRESSED: begin,
}

"""The escalation engine: one event in, the next state and its effects out (domain §5). Pure.

The states and events are the table of §5.3, row by row, in `MOVES`; `chain.next_due` says when time has its say.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from rotations.escalation import chain
from rotations.escalation.effects import Acknowledged, Effect, Reason
from rotations.escalation.paging import Decision, nobody, ring_again, take_over, vendor_pages
from rotations.escalation.policy import Policy
from rotations.escalation.state import Event, EventKind, People, State, Status


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an event: the policy now in force (a new severity brings its own), the state, the effects."""

    policy: Policy
    state: State
    effects: tuple[Effect, ...] = ()


def decide(policy: Policy, state: State, event: Event, people: People) -> Outcome:
    """Answer one event. `policy` is the snapshot in force (ESC-4); `event.at` is now.

    An event of an older generation changes nothing (ESC-12).
    """
    if event.generation is not None and event.generation != state.generation:
        return Outcome(policy, state)
    d = Decision(policy, state, people, event.at)
    MOVES[state.status][event.kind](d, event)
    return Outcome(d.policy, d.state, tuple(d.effects))


def _keep(d: Decision, event: Event) -> None:
    """Nothing changes."""


def _catch_up(d: Decision, event: Event) -> None:
    chain.catch_up(d)


def _start(d: Decision, event: Event) -> None:
    _adopt(d, event)
    d.move(backup_first=event.backup_first)
    chain.begin(d, d.now)


def _reopen(d: Decision, event: Event) -> None:
    d.move(generation=d.state.generation + 1, paged={}, excluded=(), taken_over=False)
    _start(d, event)


# Somebody takes it, or gives it back


def _acknowledge(d: Decision, event: Event) -> None:
    """Accept. When enough have, the paging stops; whoever comes later joins (ESC-8)."""
    if event.by not in d.state.ackers:
        d.note(Acknowledged(event.at, event.by, claimed=event.by not in d.state.paged, joined=False))
        d.move(
            ackers=(*d.state.ackers, event.by),
            responders=_without(d.state.responders, event.by),
            excluded=_without(d.state.excluded, event.by),
        )
    _be_active(d, event)
    if len(d.state.ackers) >= d.policy.required_acks:
        d.move(status=Status.ACKNOWLEDGED, planned_at=None, rung=())


def _join(d: Decision, event: Event) -> None:
    """It is taken already: a second press is a sign of life, another person joins as a responder (ESC-8)."""
    if event.by in d.state.ackers:
        _be_active(d, event)
    elif event.by not in d.state.responders:
        d.note(Acknowledged(event.at, event.by, claimed=event.by not in d.state.paged, joined=True))
        d.move(responders=(*d.state.responders, event.by), excluded=_without(d.state.excluded, event.by))


def _be_active(d: Decision, event: Event) -> None:
    """Only those who acknowledged can keep the acknowledgement alive (ESC-9)."""
    if event.by in d.state.ackers:
        d.move(last_activity=max(event.at, d.state.last_activity or event.at))


def _take_over(d: Decision, event: Event) -> None:
    """The next shift accepted it: theirs is the acknowledgement now, and their activity keeps it (ROT-11)."""
    d.move(ackers=(event.by,), responders=_without(d.state.responders, event.by))
    d.move(excluded=_without(d.state.excluded, event.by))
    _be_active(d, event)


def _look_again(d: Decision, event: Event) -> None:
    """The schedule changed: whoever is on duty by it now is rung at once, if that is somebody else (ESC-5)."""
    chain.look_again(d)


def _hand_back(d: Decision, event: Event) -> None:
    """Continue with the next step now, without them (ESC-10), unless enough others have it all the same.

    Somebody who merely joined takes nothing away by leaving.
    """
    d.move(responders=_without(d.state.responders, event.by))
    if event.by not in d.state.ackers:
        return
    d.move(ackers=_without(d.state.ackers, event.by), excluded=(*d.state.excluded, event.by))
    if len(d.state.ackers) < d.policy.required_acks:
        chain.go_on(d, d.now)


def _escalate(d: Decision, event: Event) -> None:
    """The next step, now. Whoever has it keeps it and is not paged, but somebody has to acknowledge anew."""
    chain.go_on(d, d.now)


def _nag_now(d: Decision, event: Event) -> None:
    chain.nag(d, d.now)


# The ways to reach people fail


def _lose_one(d: Decision, event: Event) -> None:
    """A person turned out unreachable (ESC-14)."""
    if event.by in d.state.rung:
        d.move(rung=_without(d.state.rung, event.by))
        _go_on_without(d)


def _replace_pager(d: Decision, event: Event) -> None:
    """The vendor's pager failed: ring whoever it should have rung, ourselves, now (ESC-17)."""
    if not vendor_pages(d):
        return
    take_over(d, "the pager of record did not accept the page", d.now)
    if meant := d.state.rung:
        d.move(rung=())
        ring_again(d, meant, Reason.PAGER_FAILED, d.now)
        _go_on_without(d)


def _go_on_without(d: Decision) -> None:
    """When nobody is being rung any more, go on as if the step had found nobody (ESC-7)."""
    if not d.state.rung:
        nobody(d, d.now)
        chain.fire(d, d.now)


# The severity changes


def _adopt(d: Decision, event: Event) -> None:
    d.policy = event.policy or d.policy
    d.move(severity=event.severity or d.state.severity)


def _raise(d: Decision, event: Event) -> None:
    """Step 1 of the new policy, even if acknowledged; nobody is spared for having just been paged (ESC-11, ESC-6)."""
    if event.policy is None:
        _adopt(d, event)
        return
    had_it = d.state.ackers
    d.move(paged=dict.fromkeys(d.state.paged), excluded=())
    _start(d, event)
    ring_again(d, had_it, Reason.SEVERITY_UP, d.now)


def _lower(d: Decision, event: Event) -> None:
    """Go on from the same step under the new policy, and wait as long as that one says (ESC-11)."""
    if event.policy is None:
        _stand_down(d, event)
        return
    fired_at = chain.known(d.state.planned_at) - d.policy.steps[d.state.next_step - 1].delay
    fired = min(d.state.next_step, len(event.policy.steps))
    planned = fired_at + event.policy.steps[fired - 1].delay
    _adopt(d, event)
    d.move(next_step=fired, planned_at=max(planned, d.now))


def _lower_exhausted(d: Decision, event: Event) -> None:
    """Nobody has it, and the chain that ran was another one: run the new one."""
    (_start if event.policy else _stand_down)(d, event)


def _lower_suppressed(d: Decision, event: Event) -> None:
    (_adopt if event.policy else _stand_down)(d, event)


def _stand_down(d: Decision, event: Event) -> None:
    """The severity no longer pages anybody: back to the queue, and late jobs go home."""
    _adopt(d, event)
    d.move(status=Status.IDLE, generation=d.state.generation + 1, planned_at=None, rung=())


# Maintenance, and the end


def _suppress(d: Decision, event: Event) -> None:
    """Hold a monitor's incident back until the window ends; a customer's report is never held back (MON-7)."""
    if d.state.suppressible:
        d.move(status=Status.SUPPRESSED, planned_at=event.until, rung=())


def _wake(d: Decision, event: Event) -> None:
    chain.begin(d, d.now)


def _stop(d: Decision, event: Event) -> None:
    """Everything stops: jobs of the old generation compare and go home (ESC-12)."""
    d.move(status=Status.RESOLVED, generation=d.state.generation + 1, planned_at=None, rung=())


def _without(people: tuple[str, ...], person: str) -> tuple[str, ...]:
    return tuple(other for other in people if other != person)


Move = Callable[[Decision, Event], None]
_NOTHING: dict[EventKind, Move] = dict.fromkeys(EventKind, _keep)

MOVES: dict[Status, dict[EventKind, Move]] = {
    Status.IDLE: {
        **_NOTHING,
        EventKind.START: _start,
        EventKind.SEVERITY_UP: _raise,
        EventKind.SUPPRESS: _suppress,
        EventKind.RESOLVE: _stop,
    },
    Status.TRIGGERED: {
        **_NOTHING,
        EventKind.DUE: _catch_up,
        EventKind.ACK: _acknowledge,
        EventKind.UNACK: _hand_back,
        EventKind.SEVERITY_UP: _raise,
        EventKind.SEVERITY_DOWN: _lower,
        EventKind.ESCALATE: _escalate,
        EventKind.UNREACHABLE: _lose_one,
        EventKind.ROTA: _look_again,
        EventKind.PAGER_FAILED: _replace_pager,
        EventKind.SUPPRESS: _suppress,
        EventKind.RESOLVE: _stop,
    },
    Status.ACKNOWLEDGED: {
        **_NOTHING,
        EventKind.DUE: _catch_up,
        EventKind.ACK: _join,
        EventKind.UNACK: _hand_back,
        EventKind.HAND_OVER: _take_over,
        EventKind.ACTIVITY: _be_active,
        EventKind.SEVERITY_UP: _raise,
        EventKind.SEVERITY_DOWN: _adopt,
        EventKind.ESCALATE: _escalate,
        EventKind.PAGER_FAILED: _replace_pager,
        EventKind.RESOLVE: _stop,
    },
    Status.EXHAUSTED: {
        **_NOTHING,
        EventKind.DUE: _catch_up,
        EventKind.ACK: _acknowledge,
        EventKind.UNACK: _hand_back,
        EventKind.SEVERITY_UP: _raise,
        EventKind.SEVERITY_DOWN: _lower_exhausted,
        EventKind.ESCALATE: _nag_now,
        EventKind.ROTA: _look_again,
        EventKind.RESOLVE: _stop,
    },
    Status.SUPPRESSED: {
        **_NOTHING,
        EventKind.DUE: _catch_up,
        EventKind.ACK: _acknowledge,
        EventKind.SEVERITY_UP: _adopt,
        EventKind.SEVERITY_DOWN: _lower_suppressed,
        EventKind.ESCALATE: _wake,
        EventKind.SUPPRESS: _suppress,
        EventKind.UNSUPPRESS: _wake,
        EventKind.RESOLVE: _stop,
    },
    Status.RESOLVED: {**_NOTHING, EventKind.REOPEN: _reopen},
}

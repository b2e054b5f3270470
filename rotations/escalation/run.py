"""Running an escalation through time: what-if, and replay (INV-3). Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from rotations.escalation.chain import next_due
from rotations.escalation.effects import Effect, Page
from rotations.escalation.engine import Outcome, decide
from rotations.escalation.policy import Policy
from rotations.escalation.state import Event, EventKind, People, State

IDLE = State()


@dataclass(frozen=True, slots=True)
class Run:
    """What a run came to: where it stands, what happened, and the events that made it so, timers included."""

    policy: Policy
    state: State
    effects: tuple[Effect, ...]
    events: tuple[Event, ...]

    @property
    def pages(self) -> tuple[Page, ...]:
        return tuple(effect for effect in self.effects if isinstance(effect, Page))


def run(policy: Policy, people: People, events: Iterable[Event], until: datetime, *, state: State = IDLE) -> Run:
    """Play `events`, and the timers between them, up to but not including `until`.

    Timers are on time. At one instant somebody's decision comes before a timer (ESC-8); several of them keep the
    order they are given in. The first event is the start, normally.
    """
    waiting = sorted((event for event in events if event.at < until), key=lambda event: event.at)
    outcome, effects, played = Outcome(policy, state), list[Effect](), list[Event]()
    while True:
        due = next_due(outcome.policy, outcome.state, people)
        if waiting and (due is None or waiting[0].at <= due):
            event = waiting.pop(0)
        elif due is not None and due < until:
            event = Event(EventKind.DUE, due)
        else:
            return Run(outcome.policy, outcome.state, tuple(effects), tuple(played))
        outcome = decide(outcome.policy, outcome.state, event, people)
        effects += outcome.effects
        played.append(event)


def replay(policy: Policy, people: People, events: Iterable[Event], *, state: State = IDLE) -> Outcome:
    """Fold recorded events, timers included, into the state they led to; the outcome holds all effects."""
    outcome, effects = Outcome(policy, state), list[Effect]()
    for event in events:
        outcome = decide(outcome.policy, outcome.state, event, people)
        effects += outcome.effects
    return Outcome(outcome.policy, outcome.state, tuple(effects))

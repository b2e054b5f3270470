"""SLA clocks: what was promised, what happened, and what follows (SLA-1 … SLA-18). Pure.

`terms` holds the promises, `events` what can happen, `fold` the rules, `clock` what they give, `moments` the timers.
"""

from incidents.sla.clock import (
    ALGORITHM,
    THRESHOLDS,
    Basis,
    Clock,
    Reason,
    Segment,
    State,
    by_kind,
    threshold_durations,
)
from incidents.sla.events import Event, EventKind
from incidents.sla.fold import clocks, replay
from incidents.sla.moments import BREACH, Moment, moments_of, next_moments
from incidents.sla.terms import ClockKind, Commitment, Target, Terms

__all__ = [
    "ALGORITHM",
    "BREACH",
    "THRESHOLDS",
    "Basis",
    "Clock",
    "ClockKind",
    "Commitment",
    "Event",
    "EventKind",
    "Moment",
    "Reason",
    "Segment",
    "State",
    "Target",
    "Terms",
    "by_kind",
    "clocks",
    "moments_of",
    "next_moments",
    "replay",
    "threshold_durations",
]

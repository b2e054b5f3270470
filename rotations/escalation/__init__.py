"""Escalation: who is paged, when, and until somebody has it (domain §5). Pure.

`policy` is what managers write, `state` what an escalation remembers, `effects` what comes of an event; `engine`
decides events, `chain` what time brings, `paging` whom a firing rings; `run` plays it all, `reach` checks a policy.
"""

from rotations.escalation.chain import next_due
from rotations.escalation.engine import Outcome, decide
from rotations.escalation.policy import Condition, Kind, Pager, Policy, Step, Target
from rotations.escalation.reach import Finding, Reached, check_people, check_reach, reach
from rotations.escalation.run import Run, replay, run
from rotations.escalation.state import Event, EventKind, Found, People, State, Status

__all__ = [
    "Condition",
    "Event",
    "EventKind",
    "Finding",
    "Found",
    "Kind",
    "Outcome",
    "Pager",
    "People",
    "Policy",
    "Reached",
    "Run",
    "State",
    "Status",
    "Step",
    "Target",
    "check_people",
    "check_reach",
    "decide",
    "next_due",
    "reach",
    "replay",
    "run",
]

"""What a proof is made from: who was promised what, by which policy, on which schedules, and how people are reached.

Values only. Pure. People are named by the id the schedules know them by.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from rotations.escalation.policy import Policy
from rotations.responders import CALL, EMERGENCY, GONE, Responder
from rotations.schedule import Schedule
from rotations.shifts import Interval
from supportdesk.accounts.reach import Attempt, Method


@dataclass(frozen=True, slots=True)
class Claim:
    """What one organization was promised for one severity: whenever a report comes in `windows`, somebody is paged.

    `held`: when the contract holds; `windows`: when it is open as well, all of `held` under 24x7. `policy` is the key
    of the policy an incident would get (None: no rule gives it one), `service` the one it is about where that decides.
    `promised`: the first response. `problem` says why the contract itself cannot be kept; `menders` can change it.
    """

    organization: str
    severity: str
    plan: str
    policy: int | None
    windows: tuple[Interval, ...]
    held: tuple[Interval, ...] = ()
    promised: timedelta | None = None
    service: str = ""
    menders: tuple[str, ...] = ()
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Roster:
    """A schedule with its people of last resort. `stamp` names the version that was looked at."""

    name: str
    schedule: Schedule
    fallback: str | None = None
    manager: str | None = None
    stamp: str = ""


@dataclass(frozen=True, slots=True)
class Ladder:
    """An escalation policy and the roster (by key) whose primary and backup it means."""

    policy: Policy
    roster: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything a proof looks at besides the claims.

    `duty`: the rosters of the duty managers. `managers`: who can mend what is nobody's in particular.
    `has_emergency_number`: one is set and the desk can call it. `has_pagerduty`: the desk is connected to it.
    `drilled`: when each person last passed a fire drill; None where no drills are held.
    """

    rosters: Mapping[str, Roster]
    ladders: Mapping[int, Ladder]
    people: Mapping[str, Responder]
    duty: tuple[str, ...] = ()
    seniors: tuple[str, ...] = ()
    managers: tuple[str, ...] = ()
    has_emergency_number: bool = False
    has_pagerduty: bool = False
    drilled: Mapping[str, datetime] | None = None

    def why_not(self, person: str) -> str:
        """Why somebody cannot be paged at all; empty if they can."""
        if person == EMERGENCY:
            return ""
        found = self.people.get(person)
        return found.why_not() if found else GONE

    def attempts(self, person: str, severity: str, reason: str = "") -> tuple[Attempt, ...]:
        """How a page rings somebody; none where it would ring nothing."""
        if person == EMERGENCY:
            return (Attempt(Method(CALL, ""), timedelta(0)),) if self.has_emergency_number else ()
        found = self.people.get(person)
        return found.attempts(severity, reason) if found else ()

    def kinds(self, person: str) -> frozenset[str]:
        """The kinds of method that would reach somebody now."""
        if person == EMERGENCY:
            return frozenset({CALL} if self.has_emergency_number else ())
        found = self.people.get(person)
        return found.kinds if found else frozenset()

    def name(self, person: str) -> str:
        """Somebody's name, for people to read."""
        if person == EMERGENCY:
            return "the emergency number"
        found = self.people.get(person)
        return found.name if found else f"person {person}"

"""Evidence in few words, for the tests of the proof: a team around bob, and what everybody can be reached by."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from rotations.escalation import Found, Policy, Target, roles
from rotations.escalation.defaults import DEFAULTS
from rotations.escalation.policy import MANAGERS, Kind
from rotations.proof import Claim, Evidence, Ladder, Proof, Roster, prove
from rotations.responders import EMERGENCY, Responder
from rotations.rules import Rules
from rotations.schedule import Schedule
from supportdesk.accounts.reach import Method

START = datetime(2026, 3, 1, tzinfo=UTC)
PROMISED = {"P1": timedelta(minutes=10), "P2": timedelta(minutes=30), "P3": timedelta(hours=4)}
EVERYTHING = "slack sms phone email"


def person(name: str, kinds: str = EVERYTHING, **fields: Any) -> Responder:
    """Somebody whose methods of these kinds would work now."""
    return Responder(
        name, name.title(), methods=tuple(Method(kind, f"{name}-{kind}") for kind in kinds.split()), **fields
    )


def ring_of(rules: Rules) -> set[str]:
    return {name for layer in rules.layers for revision in layer.revisions for name in revision.rotation.ring}


def evidence(
    rules: Rules, policies: dict[int, Policy] | None = None, people: Iterable[Responder] = (), **fields: Any
) -> Evidence:
    """A desk with one schedule, dana its fallback and hana its manager. `people` replace those with everything."""
    ladders = policies or {int(severity[1]): policy for severity, policy in DEFAULTS.items()}
    names = ring_of(rules) | {override.person for override in rules.overrides} | {"dana", "hana", "sven"}
    everybody = {name: person(name) for name in names} | {one.id: one for one in people}
    usual: dict[str, Any] = {"seniors": ("sven",), "managers": ("hana",), "has_emergency_number": True}
    return Evidence(
        {"platform": Roster("Platform", Schedule(rules), "dana", "hana", "v1")},
        {key: Ladder(policy, "platform") for key, policy in ladders.items()},
        everybody,
        **usual | fields,
    )


def claim(severity: str = "P1", days: float = 90, **fields: Any) -> Claim:
    """Acme, around the clock, under the default policy of the severity."""
    whole = ((START, START + timedelta(days=days)),)
    usual: dict[str, Any] = {"policy": int(severity[1]), "windows": whole, "held": whole, "menders": ("dana",)}
    return Claim("Acme", severity, "M Mission-critical v1", **usual | {"promised": PROMISED[severity]} | fields)


def proof(given: Evidence, *claims: Claim, days: float = 90) -> Proof:
    return prove(claims or [claim(days=days)], given, START, START + timedelta(days=days))


class EvidencePeople:
    """The engine's people by the same evidence, asked instant by instant: another reading to test the sweep by."""

    def __init__(self, given: Evidence, roster: str) -> None:
        self.evidence = given
        self.roster = given.rosters[roster]
        self.schedule = Schedule(replace(self.roster.schedule.rules, fallback=None))

    def resolve(self, target: Target, at: datetime) -> Found:
        meant = [name for name in dict.fromkeys(self._meant(target, at)) if name]
        lost = {name: self.evidence.why_not(name) for name in meant if self.evidence.why_not(name)}
        return Found(tuple(name for name in meant if name not in lost), tuple(lost.items()))

    def fallback(self, at: datetime) -> str | None:
        for name in (self.roster.fallback, *self._duty(at)):
            if name and not self.evidence.why_not(name):
                return name
        return EMERGENCY

    def boundary_after(self, at: datetime) -> datetime | None:
        return self.schedule.who(at).changes_at

    def _duty(self, at: datetime) -> list[str | None]:
        return [roles.primary(self.evidence.rosters[key].schedule, at) for key in self.evidence.duty]

    def _meant(self, target: Target, at: datetime) -> list[str | None]:
        if target.kind in (Kind.PRIMARY, Kind.BACKUP, Kind.NEIGHBOUR):
            asked = {Kind.PRIMARY: roles.primary, Kind.BACKUP: roles.backup, Kind.NEIGHBOUR: roles.neighbour}
            return [asked[target.kind](self.schedule, at)]
        if target.kind is Kind.SCHEDULE:
            other = self.evidence.rosters.get(target.ref)
            return [roles.primary(other.schedule, at) if other else None]
        if target.kind is Kind.MANAGER:
            return [self.fallback(at)]
        if target.kind in MANAGERS:
            return self._duty(at)
        named = {Kind.SENIORS: self.evidence.seniors, Kind.HEAD_OF_SUPPORT: (self.roster.manager,)}
        return list(named.get(target.kind, (target.ref,)))

"""Which contract holds at an instant, and what it gives (ENT-1 … ENT-5, §2.4). Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

from supportdesk.calendars import ALWAYS, Calendar
from supportdesk.entitlements.plans import Coverage, Feature, Level, Plan
from supportdesk.zones import day_start

DEFAULT_GRACE = timedelta(days=7)
_DAY = timedelta(days=1)


class ContractState(StrEnum):
    """What a contract is at an instant. `grace` and `expired` follow from its dates; the rest is set by a manager."""

    DRAFT = "draft"
    ACTIVE = "active"
    GRACE = "grace"
    EXPIRED = "expired"
    SUSPENDED = "suspended"
    TERMINATED = "terminated"


@dataclass(frozen=True, slots=True)
class Contract:
    """An organization's contract.

    Dates are local to the organization; `valid_until` is the last covered day (ENT-2). `grace` is counted in whole
    local days, so that it ends at midnight there too, whatever its clocks do meanwhile.
    """

    id: int
    plan: Plan
    valid_from: date
    valid_until: date | None = None
    state: ContractState = ContractState.ACTIVE
    grace: timedelta = DEFAULT_GRACE

    def begins(self, zone: str) -> datetime:
        """The first covered instant: local midnight of the first day."""
        return day_start(self.valid_from, zone)

    def ends(self, zone: str) -> datetime | None:
        """The first instant no longer covered: local midnight after the last day (S-16)."""
        return day_start(self.valid_until + _DAY, zone) if self.valid_until else None

    def grace_ends(self, zone: str) -> datetime | None:
        """The first instant at which even the grace period is over."""
        return day_start(self.valid_until + _DAY + self.grace, zone) if self.valid_until else None

    def boundaries(self, zone: str) -> dict[str, datetime]:
        """The instants at which its dates change what it is, by name. Only an active contract has any."""
        if self.state is not ContractState.ACTIVE:
            return {}
        found = {"begins": self.begins(zone), "ends": self.ends(zone), "grace-ends": self.grace_ends(zone)}
        return {name: at for name, at in found.items() if at is not None}

    def state_at(self, at: datetime, zone: str) -> ContractState:
        if self.state is not ContractState.ACTIVE:
            return self.state
        if at < self.begins(zone):
            return ContractState.DRAFT
        ends, grace_ends = self.ends(zone), self.grace_ends(zone)
        if ends is None or grace_ends is None or at < ends:
            return ContractState.ACTIVE
        return ContractState.GRACE if at < grace_ends else ContractState.EXPIRED


@dataclass(frozen=True, slots=True)
class Reason:
    """One sentence of a decision. `rule` is the id in the specification; `text` is for people."""

    rule: str
    text: str

    def to_spec(self) -> dict[str, str]:
        return {"rule": self.rule, "text": self.text}


@dataclass(frozen=True, slots=True)
class Hours:
    """The calendars a contract is read with: its business hours, and the extended ones of plan M."""

    business: Calendar
    extended: Calendar

    def of(self, coverage: Coverage) -> Calendar:
        return {Coverage.ALWAYS: ALWAYS, Coverage.BUSINESS: self.business, Coverage.EXTENDED: self.extended}[coverage]


@dataclass(frozen=True, slots=True)
class Entitlement:
    """What an organization is owed at an instant; an incident keeps the one it was received under (ENT-1, D8).

    Without a plan it is owed a kind word and a manager's attention (ENT-5).
    """

    plan: Plan | None
    contract_id: int | None
    state: ContractState | None
    zone: str
    hours: Hours
    reasons: tuple[Reason, ...] = ()

    def level(self, severity: str) -> Level | None:
        return self.plan.levels.get(severity) if self.plan else None

    def calendar(self, severity: str) -> Calendar:
        level = self.level(severity)
        return self.hours.of(level.coverage) if level else self.hours.business

    def has(self, feature: Feature) -> bool:
        return self.plan is not None and feature in self.plan.features

    def to_spec(self) -> dict[str, Any]:
        """Everything as plain JSON values; `from_spec` reads it back. Without a plan, `plan` is empty."""
        return {
            **(self.plan.to_spec() if self.plan else {"plan": ""}),
            "contract": self.contract_id,
            "state": self.state.value if self.state else None,
            "zone": self.zone,
            "hours": {"business": self.hours.business.to_spec(), "extended": self.hours.extended.to_spec()},
            "reasons": [reason.to_spec() for reason in self.reasons],
        }

    @classmethod
    def from_spec(cls, spec: Mapping[str, Any]) -> Entitlement:
        """Read what `to_spec` wrote. Raises ValueError or KeyError where it is not one."""
        hours = spec["hours"]
        return cls(
            plan=Plan.from_spec(spec) if spec["plan"] else None,
            contract_id=spec["contract"],
            state=ContractState(spec["state"]) if spec["state"] else None,
            zone=spec["zone"],
            hours=Hours(Calendar.from_spec(hours["business"]), Calendar.from_spec(hours["extended"])),
            reasons=tuple(Reason(reason["rule"], reason["text"]) for reason in spec["reasons"]),
        )


def resolve(contracts: Iterable[Contract], *, zone: str, hours: Hours, at: datetime) -> Entitlement:
    """The entitlement of an organization at an instant.

    An active contract wins over one in grace; of two that both hold, the one with 24×7 wins, then the shorter P1
    target, then the newer (ENT-4). Nothing valid gives an entitlement without a plan (ENT-5).
    """
    held = [(contract, contract.state_at(at, zone)) for contract in contracts]
    for wanted, note in (
        (ContractState.ACTIVE, "active"),
        (ContractState.GRACE, "in its grace period: the service stays the same"),
    ):
        candidates = sorted((c for c, state in held if state is wanted), key=_preference)
        if candidates:
            best = candidates[0]
            reasons = [Reason("ENT-1", f"Contract {best.id} on plan {best.plan.label} is {note}.")]
            reasons += [
                Reason("ENT-4", f"Contract {other.id} on plan {other.plan.label} gives way: {_why(best, other)}.")
                for other in candidates[1:]
            ]
            return Entitlement(best.plan, best.id, wanted, zone, hours, tuple(reasons))
    return Entitlement(None, None, None, zone, hours, (Reason("ENT-5", _why_none(held)),))


def is_better(one: Entitlement, other: Entitlement) -> bool:
    """Whether moving from `other` to `one` is an upgrade (§2.4). Any plan is better than none."""
    if one.plan is None or other.plan is None:
        return one.plan is not None and other.plan is None
    return one.plan.worth < other.plan.worth


def is_worse(one: Entitlement, other: Entitlement) -> bool:
    """Whether `one` gives less than `other`: a lesser plan, none, or the same in its grace period (§2.4)."""
    has_lapsed = one.state is ContractState.GRACE and other.state is ContractState.ACTIVE
    return is_better(other, one) or (has_lapsed and not is_better(one, other))


def _preference(contract: Contract) -> tuple[bool, timedelta, int]:
    return (not contract.plan.has_24x7(), _p1_target(contract), -contract.id)


def _p1_target(contract: Contract) -> timedelta:
    level = contract.plan.levels.get("P1")
    return level.first_response if level and level.first_response else timedelta.max


def _why(best: Contract, other: Contract) -> str:
    if best.plan.has_24x7() and not other.plan.has_24x7():
        return f"contract {best.id} includes 24×7"
    if _p1_target(best) < _p1_target(other):
        return f"contract {best.id} answers a P1 sooner"
    return f"contract {best.id} is the newer one"


def _why_none(held: list[tuple[Contract, ContractState]]) -> str:
    states = {state for _, state in held}
    for state, text in _WHY_NONE.items():
        if state in states:
            return text
    return "There is no contract for this organization yet."


_WHY_NONE = {
    ContractState.SUSPENDED: "The contract is suspended.",
    ContractState.EXPIRED: "The contract ended and its grace period is over.",
    ContractState.TERMINATED: "The contract was terminated.",
    ContractState.DRAFT: "The contract has not begun yet.",
}

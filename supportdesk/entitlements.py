"""Plans, contracts, and what they promise for one incident. Pure.

`resolve` answers which contract holds at an instant (ENT-1 … ENT-5); `decide` answers what happens with an incident of a
severity under it (ENT-6 … ENT-13), always with the reasons a manager, an engineer and the customer can read.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from datetime import time as clock_time
from enum import StrEnum
from typing import Any

from supportdesk import calendars, zones
from supportdesk.calendars import ALWAYS, Calendar

SEVERITIES = ("P1", "P2", "P3", "P4")
DEFAULT_GRACE = timedelta(days=7)
GOODWILL_LONGEST = timedelta(hours=24)
GOODWILL_REASON_LENGTH = 20
GOODWILL_SOFT_LIMIT = 2


class Coverage(StrEnum):
    """Which hours a severity is worked in."""

    ALWAYS = "24x7"
    BUSINESS = "business"
    EXTENDED = "extended"


class ContractState(StrEnum):
    """What a contract is at an instant. `grace` and `expired` follow from its dates; the rest is set by a manager."""

    DRAFT = "draft"
    ACTIVE = "active"
    GRACE = "grace"
    EXPIRED = "expired"
    SUSPENDED = "suspended"
    TERMINATED = "terminated"


class Feature(StrEnum):
    """What a plan includes beside targets."""

    EMERGENCY_PHONE = "emergency_phone"
    DEDICATED_SLACK = "dedicated_slack"
    SHARED_SLACK = "shared_slack"
    WAR_ROOM = "war_room"
    PRIVATE_STATUS_PAGE = "private_status_page"
    REPORT_ALWAYS = "report_always"
    REPORT_ON_REQUEST = "report_on_request"
    SENIORS_FIRST = "seniors_first"


class Engagement(StrEnum):
    """How an incident begins: worked now, waiting for the desk to open, or waiting for a manager (no contract)."""

    NOW = "now"
    QUEUED = "queued"
    UNENTITLED = "unentitled"


@dataclass(frozen=True, slots=True)
class Level:
    """The service level of one severity. A missing target means that no clock is created, not a target of zero."""

    coverage: Coverage
    first_response: timedelta | None = None
    next_update: timedelta | None = None
    next_update_mitigated: timedelta | None = None
    resolution: timedelta | None = None

    def to_spec(self) -> dict[str, Any]:
        seconds = {
            name: int(value.total_seconds())
            for name in ("first_response", "next_update", "next_update_mitigated", "resolution")
            if (value := getattr(self, name)) is not None
        }
        return {"coverage": self.coverage.value, **seconds}

    @classmethod
    def from_spec(cls, spec: Mapping[str, Any]) -> Level:
        """Read a level as plan versions store it: coverage, and targets in seconds. Raises ValueError naming the key."""
        known = {"coverage", "first_response", "next_update", "next_update_mitigated", "resolution"}
        if unknown := set(spec) - known:
            raise ValueError(f"{sorted(unknown)[0]} is not part of a service level")
        targets = {}
        for name in known - {"coverage"}:
            value = spec.get(name)
            if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value <= 0):
                raise ValueError(f"{name} must be a positive number of seconds")
            targets[name] = timedelta(seconds=value) if value is not None else None
        return cls(Coverage(spec["coverage"]), **targets)


@dataclass(frozen=True, slots=True)
class Plan:
    """One version of a plan; immutable once any contract uses it."""

    code: str
    name: str
    version: int
    levels: Mapping[str, Level]
    features: frozenset[Feature] = frozenset()
    channels: tuple[str, ...] = ()

    def has_24x7(self, severity: str | None = None) -> bool:
        wanted = [severity] if severity else list(self.levels)
        return any(s in self.levels and self.levels[s].coverage is Coverage.ALWAYS for s in wanted)

    @property
    def label(self) -> str:
        return f"{self.code} {self.name} v{self.version}"


@dataclass(frozen=True, slots=True)
class Contract:
    """An organization's contract.

    Dates are local to the organization; `valid_until` is the last covered day (ENT-2).
    """

    id: int
    plan: Plan
    valid_from: date
    valid_until: date | None = None
    state: ContractState = ContractState.ACTIVE
    grace: timedelta = DEFAULT_GRACE

    def begins(self, zone: str) -> datetime:
        return _midnight(self.valid_from, zone)

    def ends(self, zone: str) -> datetime | None:
        """The first instant no longer covered: local midnight after the last day (S-16)."""
        return _midnight(self.valid_until + timedelta(days=1), zone) if self.valid_until else None

    def state_at(self, at: datetime, zone: str) -> ContractState:
        if self.state is not ContractState.ACTIVE:
            return self.state
        if at < self.begins(zone):
            return ContractState.DRAFT
        ends = self.ends(zone)
        if ends is None or at < ends:
            return ContractState.ACTIVE
        return ContractState.GRACE if at < ends + self.grace else ContractState.EXPIRED


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
    """What an organization is owed at an instant.

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


@dataclass(frozen=True, slots=True)
class Goodwill:
    """A manager's exception for one incident (ENT-12)."""

    scope: frozenset[str]
    expires_at: datetime
    granted_by: str

    def covers(self, what: str, at: datetime) -> bool:
        return what in self.scope and at < self.expires_at


@dataclass(frozen=True, slots=True)
class Decision:
    """What happens with an incident, and why. Stored whole on the incident and shown as it stands."""

    engagement: Engagement
    pages: bool
    war_room: bool
    pages_duty_manager: bool
    opens_at: datetime | None
    first_response_due: datetime | None
    severity: str
    plan: str
    contract_id: int | None
    reasons: tuple[Reason, ...] = field(default_factory=tuple)

    def to_spec(self) -> dict[str, Any]:
        return {
            "engagement": self.engagement.value,
            "pages": self.pages,
            "war_room": self.war_room,
            "pages_duty_manager": self.pages_duty_manager,
            "opens_at": self.opens_at.isoformat() if self.opens_at else None,
            "first_response_due": self.first_response_due.isoformat() if self.first_response_due else None,
            "severity": self.severity,
            "plan": self.plan,
            "contract_id": self.contract_id,
            "reasons": [reason.to_spec() for reason in self.reasons],
        }


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
                Reason("ENT-4", f"Contract {other.id} on plan {other.plan.label} overlaps and gives way.")
                for other in candidates[1:]
            ]
            return Entitlement(best.plan, best.id, wanted, zone, hours, tuple(reasons))
    return Entitlement(None, None, None, zone, hours, (Reason("ENT-5", _why_none(held)),))


def _preference(contract: Contract) -> tuple[bool, timedelta, int]:
    level = contract.plan.levels.get("P1")
    target = level.first_response if level and level.first_response else timedelta.max
    return (not contract.plan.has_24x7(), target, -contract.id)


def _why_none(held: list[tuple[Contract, ContractState]]) -> str:
    states = {state for _, state in held}
    if ContractState.SUSPENDED in states:
        return "The contract is suspended."
    if ContractState.EXPIRED in states:
        return "The contract ended and its grace period is over."
    if ContractState.TERMINATED in states:
        return "The contract was terminated."
    return "There is no contract for this organization yet."


def decide(
    entitlement: Entitlement,
    severity: str,
    at: datetime,
    *,
    duty_of_care: bool = False,
    goodwill: Goodwill | None = None,
    monitor: bool = False,
) -> Decision:
    """What happens with an incident of this severity received at this instant.

    `duty_of_care`: security exposure or data loss was reported (ENT-10). `monitor`: a machine reported it, so nobody is
    waiting for a greeting. Severity is a fact; the plan decides only the service level (D1).
    """
    level = entitlement.level(severity)
    calendar = entitlement.calendar(severity)
    is_open = calendars.is_open(calendar, at)
    reasons = list(entitlement.reasons)
    if goodwill and goodwill.covers("page", at):
        reasons.append(
            Reason("ENT-12", f"{goodwill.granted_by} granted an exception until {_utc(goodwill.expires_at)}.")
        )
        engagement, pages = Engagement.NOW, True
    elif level is None:
        engagement, pages = _without_level(entitlement, severity, reasons)
    elif is_open:
        engagement = Engagement.NOW
        pages = severity != "P4"
        reasons.append(_open_reason(level, severity, pages))
    else:
        engagement, pages = Engagement.QUEUED, False
        reasons.append(
            Reason(
                "ENT-6",
                f"{severity} on plan {entitlement.plan.code if entitlement.plan else '–'} is worked in "
                f"{_hours_word(level.coverage)} hours, and those are closed now: nobody is woken.",
            )
        )
    if duty_of_care:
        reasons.append(
            Reason("ENT-10", "Data loss or a security exposure was reported: the duty manager is told at once.")
        )
    opens_at = _next_open(calendar, at) if engagement is not Engagement.NOW else None
    due = None
    if level and level.first_response:
        due = calendars.add(calendar, at, level.first_response)
    war_room = bool(
        (pages and severity == "P1" and entitlement.has(Feature.WAR_ROOM))
        or (goodwill and goodwill.covers("war_room", at))
    )
    return Decision(
        engagement=engagement,
        pages=pages,
        war_room=war_room,
        pages_duty_manager=duty_of_care and not pages,
        opens_at=opens_at,
        first_response_due=due,
        severity=severity,
        plan=entitlement.plan.label if entitlement.plan else "",
        contract_id=entitlement.contract_id,
        reasons=tuple(reasons),
    )


def _without_level(entitlement: Entitlement, severity: str, reasons: list[Reason]) -> tuple[Engagement, bool]:
    if entitlement.plan is None:
        reasons.append(Reason("ENT-5", "It is stored and queued; the account manager is told. No clock runs."))
        return Engagement.UNENTITLED, False
    reasons.append(
        Reason(
            "ENT-6", f"Plan {entitlement.plan.code} promises no target for {severity}: it is queued for business hours."
        )
    )
    return Engagement.QUEUED, False


def _open_reason(level: Level, severity: str, pages: bool) -> Reason:
    if level.coverage is Coverage.ALWAYS:
        return Reason("ENT-13", f"{severity} is covered around the clock: on-call is paged now, questions come later.")
    doing = "on-call is told now" if pages else "it joins the queue; nobody is paged for P4"
    return Reason(
        "ENT-6", f"{severity} is covered in {_hours_word(level.coverage)} hours, and those are open: {doing}."
    )


def _hours_word(coverage: Coverage) -> str:
    return {Coverage.ALWAYS: "all", Coverage.BUSINESS: "business", Coverage.EXTENDED: "extended business"}[coverage]


def _next_open(calendar: Calendar, at: datetime) -> datetime | None:
    try:
        return calendars.next_open(calendar, at)
    except calendars.NeverOpen:
        return None


def _midnight(day: date, zone: str) -> datetime:
    return zones.first_instant(datetime.combine(day, clock_time()), zone)


def _utc(at: datetime) -> str:
    return at.strftime("%Y-%m-%d %H:%M UTC")

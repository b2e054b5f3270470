"""Stages, statuses and holds of an incident, and the one table of what may follow what (domain §1.2). Pure."""

from __future__ import annotations

from enum import StrEnum


class Status(StrEnum):
    """The working state."""

    NEW = "new"
    TRIAGING = "triaging"
    INVESTIGATING = "investigating"
    IDENTIFIED = "identified"
    MITIGATING = "mitigating"
    MONITORING = "monitoring"
    RESOLVED = "resolved"
    FOLLOW_UP = "follow_up"
    CLOSED = "closed"
    CANCELLED = "cancelled"
    MERGED = "merged"


class Stage(StrEnum):
    """What customers and reports see."""

    DETECTED = "detected"
    TRIAGE = "triage"
    RESPONSE = "response"
    RESOLUTION = "resolution"
    FOLLOW_UP = "follow_up"
    CLOSED = "closed"


class Hold(StrEnum):
    """Why we wait. Only `customer` and `change_window` pause clocks (SLA-7, SLA-8)."""

    NONE = "none"
    CUSTOMER = "customer"
    CHANGE_WINDOW = "change_window"
    THIRD_PARTY = "third_party"

    @property
    def pauses(self) -> bool:
        return self in (Hold.CUSTOMER, Hold.CHANGE_WINDOW)


_STAGES = {
    Status.NEW: Stage.DETECTED,
    Status.TRIAGING: Stage.TRIAGE,
    Status.INVESTIGATING: Stage.RESPONSE,
    Status.IDENTIFIED: Stage.RESPONSE,
    Status.MITIGATING: Stage.RESOLUTION,
    Status.MONITORING: Stage.RESOLUTION,
    Status.RESOLVED: Stage.RESOLUTION,
    Status.FOLLOW_UP: Stage.FOLLOW_UP,
    Status.CLOSED: Stage.CLOSED,
    Status.CANCELLED: Stage.CLOSED,
    Status.MERGED: Stage.CLOSED,
}
_FORWARD = list(Status)[: list(Status).index(Status.CLOSED) + 1]
_OPEN = _FORWARD[: _FORWARD.index(Status.FOLLOW_UP)]


def _moves() -> dict[Status, frozenset[Status]]:
    moves = {status: set(_FORWARD[place + 1 :]) for place, status in enumerate(_FORWARD)}
    for status in _OPEN:
        moves[status] |= {Status.CANCELLED, Status.MERGED}
    moves[Status.MONITORING].add(Status.INVESTIGATING)  # the fix failed
    for status in (Status.RESOLVED, Status.FOLLOW_UP, Status.CLOSED):
        moves[status].add(Status.INVESTIGATING)  # reopened
    moves[Status.CANCELLED] = set()
    moves[Status.MERGED] = {Status.INVESTIGATING}  # unmerged
    return {status: frozenset(after) for status, after in moves.items()}


MOVES = _moves()

# Timestamps that are set once, when a status is first entered.
FIRST_ENTRY = {
    Status.TRIAGING: "triaged_at",
    Status.IDENTIFIED: "identified_at",
    Status.MONITORING: "mitigated_at",
    Status.RESOLVED: "resolved_at",
    Status.FOLLOW_UP: "confirmed_at",
    Status.CLOSED: "closed_at",
}


class LoweringCode(StrEnum):
    """Why a severity is lowered when most of a promise is used up (SLA-12)."""

    SMALLER_IMPACT = "smaller_impact"
    WORKAROUND = "workaround"
    NOT_OURS = "not_ours"
    CUSTOMER_AGREED = "customer_agreed"
    CLAIMED_TOO_HIGH = "claimed_too_high"

    @property
    def words(self) -> str:
        return _LOWERING_WORDS[self]


_LOWERING_WORDS = {
    LoweringCode.SMALLER_IMPACT: "fewer are affected than it seemed",
    LoweringCode.WORKAROUND: "a way around it works",
    LoweringCode.NOT_OURS: "it is not caused by what we support",
    LoweringCode.CUSTOMER_AGREED: "the customer agreed",
    LoweringCode.CLAIMED_TOO_HIGH: "it was reported higher than it was from the start",
}


def stage_of(status: Status) -> Stage:
    """The stage a status belongs to."""
    return _STAGES[status]


def may_move(current: Status, wanted: Status) -> bool:
    """May a status follow another?"""
    return wanted in MOVES[current]


_MATRIX = {
    (1, 1): "P1",
    (1, 2): "P2",
    (1, 3): "P3",
    (2, 1): "P2",
    (2, 2): "P3",
    (2, 3): "P4",
    (3, 1): "P3",
    (3, 2): "P4",
    (3, 3): "P4",
}
RAISERS = ("security_exposure", "data_loss", "safety")


def severity_of(impact: int, urgency: int, raisers: tuple[str, ...] = ()) -> str:
    """Severity from impact and urgency in plain words; a raiser makes it P1 whatever the matrix says."""
    return "P1" if any(raiser in RAISERS for raiser in raisers) else _MATRIX[impact, urgency]

"""What happens with an incident of a severity under an entitlement, with the reasons (ENT-6 … ENT-13). Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from supportdesk import calendars
from supportdesk.calendars import ALWAYS, Calendar
from supportdesk.entitlements.contracts import Entitlement, Reason
from supportdesk.entitlements.plans import Coverage, Feature, Level

GOODWILL_LONGEST = timedelta(hours=24)
GOODWILL_REASON_LENGTH = 20
GOODWILL_SOFT_LIMIT = 2
GOODWILL_SOFT_PERIOD = timedelta(days=365)
GOODWILL_SCOPES = ("page", "24x7", "war_room", "phone")


class Engagement(StrEnum):
    """How an incident begins: worked now, waiting for the desk to open, or waiting for a manager (no contract)."""

    NOW = "now"
    QUEUED = "queued"
    UNENTITLED = "unentitled"


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


def decide(
    entitlement: Entitlement,
    severity: str,
    at: datetime,
    *,
    duty_of_care: bool = False,
    goodwill: Goodwill | None = None,
) -> Decision:
    """What happens at `at` with an incident of this severity.

    `duty_of_care`: security exposure or data loss was reported (ENT-10). Severity is a fact; the plan decides only the
    service level (D1). A calendar that never opens queues nothing into silence: the duty manager is told.
    """
    level = entitlement.level(severity)
    excepted = goodwill if goodwill and at < goodwill.expires_at else None
    calendar = ALWAYS if excepted and "24x7" in excepted.scope else entitlement.calendar(severity)
    engagement, pages, why = _engagement(entitlement, severity, at, calendar, excepted)
    reasons = [*entitlement.reasons, why]
    if duty_of_care:
        reasons.append(
            Reason("ENT-10", "Data loss or a security exposure was reported: the duty manager is told at once.")
        )
    opens_at = None if engagement is Engagement.NOW else _next_open(calendar, at)
    never_opens = engagement is Engagement.QUEUED and opens_at is None
    if never_opens:
        reasons.append(Reason("ENT-3", "The hours agreed for this never come: the duty manager has to look at it."))
    return Decision(
        engagement=engagement,
        pages=pages,
        war_room=_has_war_room(entitlement, severity, excepted, pages=pages),
        pages_duty_manager=(duty_of_care and not pages) or never_opens,
        opens_at=opens_at,
        first_response_due=_due(calendar, at, level),
        severity=severity,
        plan=entitlement.plan.label if entitlement.plan else "",
        contract_id=entitlement.contract_id,
        reasons=tuple(reasons),
    )


def _engagement(
    entitlement: Entitlement, severity: str, at: datetime, calendar: Calendar, excepted: Goodwill | None
) -> tuple[Engagement, bool, Reason]:
    """When it is worked, whether anybody is paged, and the sentence that says why."""
    level = entitlement.level(severity)
    if excepted and ({"page", "24x7"} & excepted.scope):
        return Engagement.NOW, "page" in excepted.scope, _excepted(excepted)
    if entitlement.plan is None:
        text = "It is stored and queued; the account manager is told. No clock runs."
        return Engagement.UNENTITLED, False, Reason("ENT-5", text)
    if calendars.is_open(calendar, at):
        pages = level is not None and severity != "P4"
        return Engagement.NOW, pages, _open_reason(level, severity, pages=pages)
    return Engagement.QUEUED, False, _closed_reason(entitlement.plan.code, level, severity)


def _excepted(goodwill: Goodwill) -> Reason:
    return Reason("ENT-12", f"{goodwill.granted_by} granted an exception until {_utc(goodwill.expires_at)}.")


def _open_reason(level: Level | None, severity: str, *, pages: bool) -> Reason:
    if level is not None and level.coverage is Coverage.ALWAYS and pages:
        return Reason("ENT-13", f"{severity} is covered around the clock: on-call is paged now, questions come later.")
    doing = "on-call is told now" if pages else f"it joins the queue; nobody is paged for {severity}"
    return Reason("ENT-6", f"{severity} is covered in {_hours_word(level)} hours, and those are open: {doing}.")


def _closed_reason(plan: str, level: Level | None, severity: str) -> Reason:
    return Reason(
        "ENT-6",
        f"{severity} on plan {plan} is worked in {_hours_word(level)} hours, and those are closed now: "
        "nobody is woken.",
    )


def _has_war_room(entitlement: Entitlement, severity: str, excepted: Goodwill | None, *, pages: bool) -> bool:
    is_entitled = pages and severity == "P1" and entitlement.has(Feature.WAR_ROOM)
    return is_entitled or (excepted is not None and "war_room" in excepted.scope)


def _due(calendar: Calendar, at: datetime, level: Level | None) -> datetime | None:
    if level is None or level.first_response is None:
        return None
    try:
        return calendars.add(calendar, at, level.first_response)
    except calendars.NeverOpen:
        return None


def _next_open(calendar: Calendar, at: datetime) -> datetime | None:
    try:
        return calendars.next_open(calendar, at)
    except calendars.NeverOpen:
        return None


def _hours_word(level: Level | None) -> str:
    words = {Coverage.ALWAYS: "all", Coverage.BUSINESS: "business", Coverage.EXTENDED: "extended business"}
    return words[level.coverage if level else Coverage.BUSINESS]


def _utc(at: datetime) -> str:
    return at.strftime("%Y-%m-%d %H:%M UTC")

"""The plans of the catalogue as SLA terms, and short words for telling what happened to an incident."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from incidents.sla import Clock, ClockKind, Commitment, Event, EventKind, Target, Terms
from supportdesk.calendars import ALWAYS, Calendar
from tests.vectors import calendar_spec

FIRST_RESPONSE, NEXT_UPDATE, RESOLUTION, ACK = (
    ClockKind.FIRST_RESPONSE,
    ClockKind.NEXT_UPDATE,
    ClockKind.RESOLUTION,
    ClockKind.ACK,
)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
SECOND = timedelta(seconds=1)


def utc(text: str) -> datetime:
    """An instant; without a date it is on Thursday 2026-06-11, UTC."""
    return datetime.fromisoformat(text if "T" in text else f"2026-06-11T{text}Z")


def _targets(
    calendar: str, first_response: timedelta, next_update: timedelta | None, resolution: timedelta | None
) -> dict[ClockKind, Target]:
    targets = {FIRST_RESPONSE: Target(first_response, calendar)}
    if next_update:
        targets[NEXT_UPDATE] = Target(next_update, calendar)
    if resolution:
        targets[RESOLUTION] = Target(resolution, calendar, Commitment.OBJECTIVE)
    return targets


def business_hours(name: str, closed: list[str] | None = None) -> Calendar:
    return Calendar.from_spec(calendar_spec(name, closed))


def plan_m(extended: Calendar | None = None) -> Terms:
    """M Mission-critical: 24x7 for P1 and P2, extended business hours for the rest."""
    p1 = _targets("24x7", 10 * MINUTE, 15 * MINUTE, 4 * HOUR)
    return Terms(
        plan="M",
        version="1",
        calendars={"24x7": ALWAYS, "extended": extended or business_hours("BER10")},
        targets={
            "P1": p1 | {ACK: Target(5 * MINUTE, "24x7", Commitment.OBJECTIVE)},
            "P2": _targets("24x7", 30 * MINUTE, 60 * MINUTE, 8 * HOUR),
            "P3": _targets("extended", 4 * HOUR, 8 * HOUR, 40 * HOUR),
            "P4": _targets("extended", 8 * HOUR, 40 * HOUR, None),
        },
        after_mitigation={"P1": 30 * MINUTE},
        cadence_from_declaration=frozenset({"P1"}),
    )


def plan_s(business: Calendar | None = None) -> Terms:
    """S Standard: business hours for everything."""
    return Terms(
        plan="S",
        version="1",
        calendars={"business": business or business_hours("BER")},
        targets={
            "P1": _targets("business", 1 * HOUR, 2 * HOUR, 8 * HOUR),
            "P2": _targets("business", 2 * HOUR, 4 * HOUR, 16 * HOUR),
            "P3": _targets("business", 8 * HOUR, 16 * HOUR, None),
            "P4": _targets("business", 16 * HOUR, None, None),
        },
    )


def plan_xs(business: Calendar | None = None) -> Terms:
    """XS Starter: a first response in business hours, and none at all for P4."""
    return Terms(
        plan="XS",
        version="1",
        calendars={"business": business or business_hours("BER")},
        targets={
            "P1": _targets("business", 4 * HOUR, None, None),
            "P2": _targets("business", 8 * HOUR, None, None),
            "P3": _targets("business", 16 * HOUR, None, None),
        },
    )


M, S, XS = plan_m(), plan_s(), plan_xs()
GOODWILL = replace(M, plan="S", version="goodwill", goodwill=True)


def happened(at: str, kind: EventKind, **fields: Any) -> Event:
    return Event(at=utc(at), kind=kind, **fields)


def received(at: str, severity: str, terms: Terms) -> Event:
    return happened(at, EventKind.RECEIVED, severity=severity, terms=terms)


def severity(at: str, severity: str) -> Event:
    return happened(at, EventKind.SEVERITY_CHANGED, severity=severity)


def terms(at: str, terms: Terms) -> Event:
    return happened(at, EventKind.TERMS_CHANGED, terms=terms)


def cycle(clocks: tuple[Clock, ...], kind: ClockKind, number: int | None = None) -> Clock:
    """One cycle of a kind; the latest unless a number is given."""
    return [clock for clock in clocks if clock.kind is kind and number in (None, clock.cycle)][-1]


def cycles(clocks: tuple[Clock, ...], kind: ClockKind) -> list[Clock]:
    return [clock for clock in clocks if clock.kind is kind]


def results(clocks: tuple[Clock, ...], kind: ClockKind) -> list[tuple[str, str]]:
    """When each cycle was due, and what became of it: what a report shows."""
    return [(f"{clock.due_at:%H:%M}", str(clock.state)) for clock in cycles(clocks, kind) if clock.due_at]

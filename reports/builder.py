"""Drafting a report from what was recorded: facts in, section texts out. Pure.

A draft says what the desk knows and leaves the rest visibly open; it never invents a cause.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from supportdesk import readable

OPEN = "_To be written._"
_LEFT_OUT = frozenset({"step_skipped", "person_skipped", "joined", "notice_drafted", "sla_warning"})


@dataclass(frozen=True, slots=True)
class Row:
    """One timeline entry. `role` stands in for the name in anything a customer reads."""

    at: datetime
    kind: str
    text: str
    actor: str
    role: str
    for_customer: bool
    automatic: bool


@dataclass(frozen=True, slots=True)
class Promise:
    """One SLA cycle and what became of it."""

    name: str
    target: timedelta
    due_at: datetime | None
    satisfied_at: datetime | None
    kept: bool
    guaranteed: bool


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything a draft is made of."""

    ref: str
    title: str
    organization: str
    service: str
    severity: str
    zone: str
    source: str
    detected_at: datetime
    acked_at: datetime | None
    first_response_at: datetime | None
    mitigated_at: datetime | None
    resolved_at: datetime | None
    resolution: str
    staff: Sequence[tuple[str, str]] = ()  # names of ours, and the role that stands in for each before a customer
    rows: Sequence[Row] = ()
    promises: Sequence[Promise] = ()


def internal(facts: Facts) -> dict[str, str]:
    """The internal version: roles and times in full."""
    who = f"{facts.organization}, {facts.service or 'no service named'}"
    how = f"Reported through {facts.source.replace('_', ' ')} at {_at(facts.detected_at, facts.zone)}"
    return {
        "summary": _summary(facts),
        "impact": f"{who}. {_lasted(facts)}\n\n{OPEN} Give a number and its source.",
        "timeline": "\n".join(_line(row, facts.zone) for row in facts.rows if row.kind not in _LEFT_OUT),
        "detection": f"{how}.\n\n{OPEN} Could it have been sooner?",
        "factors": OPEN,
        "response": f"{_response(facts)}\n\n**Helped:** {OPEN}\n\n**Hindered:** {OPEN}",
        "luck": OPEN,
        "recovery": facts.resolution or OPEN,
        "sla": _promises(facts),
        "actions": "",
        "questions": OPEN,
        "message": OPEN,
    }


def customer(facts: Facts) -> dict[str, str]:
    """The customer's version: their timeline in their zone, roles instead of names, their promises including the
    missed ones."""
    rows = [replace(row, actor=row.role) for row in facts.rows if row.for_customer and row.kind not in _LEFT_OUT]
    sections = {
        "summary": _summary(facts),
        "impact": f"{_lasted(facts)}\n\n{OPEN}",
        "timeline": "\n".join(_line(row, facts.zone) for row in rows),
        "factors": OPEN,
        "recovery": facts.resolution or OPEN,
        "sla": _promises(facts),
        "actions": OPEN,
        "message": OPEN,
    }
    return {slug: _without_names(text, facts.staff) for slug, text in sections.items()}


def _without_names(text: str, staff: Sequence[tuple[str, str]]) -> str:
    """Our people by their roles: a customer's report names nobody."""
    for name, role in staff:
        text = re.sub(rf"\b{re.escape(name)}\b", f"our {role}", text)
    return text


def _summary(facts: Facts) -> str:
    began = _at(facts.detected_at, facts.zone)
    ended = f" Service was restored at {_at(facts.resolved_at, facts.zone)}." if facts.resolved_at else ""
    what = f" ({facts.service})" if facts.service else ""
    told = f"At {began}, {facts.title}{what} was reported and handled as {readable.severity(facts.severity)}.{ended}"
    return f"{told}\n\n{OPEN} What made it stop?"


def _lasted(facts: Facts) -> str:
    end = facts.mitigated_at or facts.resolved_at
    return f"It lasted {readable.duration(end - facts.detected_at)}." if end else "How long it lasted is not known yet."


def _response(facts: Facts) -> str:
    marks = (
        ("acknowledged", facts.acked_at),
        ("answered", facts.first_response_at),
        ("mitigated", facts.mitigated_at),
        ("resolved", facts.resolved_at),
    )
    said = [f"{word} after {readable.duration(at - facts.detected_at, precise=True)}" for word, at in marks if at]
    return (", ".join(said).capitalize() + ".") if said else "Nobody acknowledged it."


def _promises(facts: Facts) -> str:
    if not facts.promises:
        return "No promise applied."
    return "\n".join(_promise(p, facts.zone) for p in facts.promises)


def _promise(promise: Promise, zone: str) -> str:
    word = "kept" if promise.kept else "missed"
    kind = "promised" if promise.guaranteed else "aimed for"
    when = f", done {_at(promise.satisfied_at, zone)}" if promise.satisfied_at else ""
    due = f", due {_at(promise.due_at, zone)}" if promise.due_at else ""
    return f"- {promise.name}: {readable.duration(promise.target)} {kind}{due}{when}: **{word}**"


def _line(row: Row, zone: str) -> str:
    who = row.actor or "the desk"
    mark = " _(automatic)_" if row.automatic else ""
    text = " ".join(row.text.split())[:400]
    return f"- {_at(row.at, zone)} — {who}: {text}{mark}"


def _at(at: datetime, zone: str) -> str:
    return f"{readable.clock_time(at, zone)} ({at:%H:%M} UTC)"

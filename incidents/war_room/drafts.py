"""Drafts for people to correct: the next update, and the executive briefing, from what was recorded. Pure.

A draft repeats only what was already said or decided; it never guesses a cause or a time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

BRIEFED = ("headline", "effect", "cause", "plan", "decision", "mood")


@dataclass(frozen=True, slots=True)
class Row:
    """One entry of the timeline, as drafts read it. `state` and `doing` are of an update."""

    at: datetime
    kind: str
    text: str = ""
    state: str = ""
    doing: str = ""
    is_from_customer: bool = False


@dataclass(frozen=True, slots=True)
class Update:
    """The next status update: what the customer was told last, and what was decided or done since."""

    state: str
    doing: str
    since: tuple[str, ...]


def update(rows: Sequence[Row]) -> Update:
    """Pre-fill the next update from the last one. `since` is for the writer only: it was written for us."""
    told = [row for row in rows if row.kind == "update"]
    last = told[-1] if told else None
    since = [row for row in rows if last is None or row.at > last.at]
    noted = tuple(row.text for row in since if row.kind in ("decision", "task_done", "status_changed", "note"))
    return Update(last.state if last else "", last.doing if last else "", noted[-5:])


@dataclass(frozen=True, slots=True)
class Record:
    """What a briefing is drafted from."""

    title: str
    organization: str
    service: str
    impact: str
    status: str
    promises: str
    rows: tuple[Row, ...] = ()


def briefing(record: Record) -> dict[str, str]:
    """The fields of an executive briefing: short, from the record; unknown stays unknown."""
    told = [row for row in record.rows if row.kind == "update"]
    decided = [row.text for row in record.rows if row.kind == "decision"]
    heard = [row.text for row in record.rows if row.is_from_customer and row.kind == "message"]
    is_known = record.status in ("identified", "mitigating", "monitoring", "resolved", "follow_up", "closed")
    where = f" ({record.service})" if record.service else ""
    return {
        "headline": told[-1].state if told else f"{record.title}{where}",
        "effect": f"{record.organization}: {record.impact.lower()}",
        "cause": "known; the team has it" if is_known else "not known yet",
        "plan": told[-1].doing if told else "find the cause",
        "decision": decided[-1] if decided else "none",
        "mood": f"last heard: “{_short(heard[-1])}”" if heard else "not heard from since the report",
    }


def _short(text: str, longest: int = 120) -> str:
    line = " ".join(text.split())
    return line if len(line) <= longest else f"{line[: longest - 1].rstrip()}…"

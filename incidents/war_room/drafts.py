"""Drafts for people to correct: the next update, and the executive briefing, from what was recorded. Pure.

A draft repeats only what was already said or decided; it never guesses a cause or a time.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

BRIEFED = ("headline", "effect", "cause", "plan", "decision", "mood")


@dataclass(frozen=True, slots=True)
class Row:
    """One entry of the timeline, as drafts read it. An update has `state`, `doing` and `status`."""

    at: datetime
    kind: str
    text: str = ""
    state: str = ""
    doing: str = ""
    is_from_customer: bool = False
    status: str = ""


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
    """What a briefing is drafted from. `lasted` is for how long it has been so, in words."""

    title: str
    organization: str
    service: str
    impact: int
    status: str
    promises: str
    lasted: str = ""
    rows: tuple[Row, ...] = ()


_SENTENCE_ENDS = re.compile(r"(?<=[.!?])\s+(?=\w)")
_EFFECTS = {1: "all or most of their users", 2: "a core function, or many of their users", 3: "a few of their users"}
_OVER = frozenset({"resolved", "follow_up", "closed"})
_KNOWN = _OVER | {"identified", "mitigating", "monitoring"}


def briefing(record: Record) -> dict[str, str]:
    """The fields of an executive briefing: short, from the record; unknown stays unknown."""
    told = [row for row in record.rows if row.kind == "update"]
    heard = [row.text for row in record.rows if row.is_from_customer and row.kind == "message"]
    is_over = record.status in _OVER
    summary = next((row.text for row in reversed(record.rows) if row.kind == "resolved"), "") if is_over else ""
    effect = f"{record.organization}, as reported: {_EFFECTS.get(record.impact, 'not judged yet')}"
    return {
        "headline": _first_sentence(summary or (told[-1].state if told else _named(record))),
        "effect": f"{effect}, for {record.lasted}" if record.lasted else effect,
        "cause": _cause(record, told),
        "plan": _plan(record, told),
        "decision": "none",
        "mood": f"last heard: “{_short(heard[-1])}”" if heard else "not heard from since the report",
    }


def _named(record: Record) -> str:
    return f"{record.title} ({record.service})" if record.service else record.title


def _cause(record: Record, told: Sequence[Row]) -> str:
    """What the customer was told when the cause was found; a draft never finds one itself."""
    if record.status not in _KNOWN:
        return "not confirmed yet"
    found = next((row.state for row in told if row.status in ("identified", "mitigating")), "")
    return found or ("in the report to come" if record.status in _OVER else "found; not yet put into words")


def _plan(record: Record, told: Sequence[Row]) -> str:
    """What is being done, and what was decided lately: the reader need not ask why."""
    if record.status in _OVER:
        return "hear from the customer that it works, then the report"
    decided = [row.text for row in record.rows if row.kind == "decision"]
    doing = told[-1].doing if told else "find the cause"
    return f"{doing} Decided: {decided[-1]}" if decided else doing


def _first_sentence(text: str) -> str:
    """What stands in one line, and in the subject of a mail."""
    return _SENTENCE_ENDS.split(" ".join(text.split()), maxsplit=1)[0]


def _short(text: str, longest: int = 120) -> str:
    line = " ".join(text.split())
    return line if len(line) <= longest else f"{line[: longest - 1].rstrip()}…"

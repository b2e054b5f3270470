"""One round: ask every invariant, remember what is wrong, put right what can be put right, tell somebody.

A question that fails or takes too long is itself something wrong: an auditor that sees nothing must not look content.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import DatabaseError, connection, transaction

from supportdesk import instants, version
from supportdesk.auditor import findings, groups, tallies
from supportdesk.auditor.findings import News
from supportdesk.auditor.invariants import Invariant, registered
from supportdesk.auditor.models import AuditRun
from supportdesk.queue import clock

log = logging.getLogger("supportdesk.auditor")

BEAT = "auditor"
EVERY_SECONDS = 60.0
LONGEST_QUESTION_MS = 2_000
SLOW_ROUND = timedelta(seconds=10)
SHOWN = 5  # subjects named in a finding
KEPT = timedelta(days=7)
BOOKKEEPING = Invariant(
    "A1-slow",
    "The auditor's own round took longer than ten seconds",
    "The database is overloaded, or an index is missing: the page Health shows which question is slow.",
)

_ASK = "SELECT subject, detail, count(*) OVER () FROM ({}) AS wrong LIMIT {}"


@dataclass(frozen=True, slots=True)
class Violation:
    """An invariant that does not hold: for how many subjects, which, and in words."""

    invariant: Invariant
    subjects: tuple[str, ...]
    detail: str
    count: int


@dataclass(slots=True)
class Round:
    """What one round saw."""

    at: datetime
    violations: list[Violation] = field(default_factory=list)
    timings: dict[str, float] = field(default_factory=dict)
    seconds: float = 0.0

    @property
    def is_well(self) -> bool:
        """Nothing that somebody would be woken for."""
        return not any(violation.invariant.wakes for violation in self.violations)

    @property
    def failed(self) -> list[str]:
        return [violation.invariant.name for violation in self.violations]


def look(now: datetime | None = None) -> Round:
    """Ask everything and change nothing."""
    found = Round(now or clock.database_now())
    begun = time.monotonic()
    for invariant in registered():
        asked = time.monotonic()
        violation = _ask(invariant, found.at)
        found.timings[invariant.name] = round((time.monotonic() - asked) * 1000, 1)
        if violation is not None:
            found.violations.append(violation)
    found.seconds = time.monotonic() - begun
    if found.seconds > SLOW_ROUND.total_seconds():
        slowest = max(found.timings, key=lambda name: found.timings[name])
        found.violations.append(Violation(BOOKKEEPING, ("auditor",), f"{slowest} was the slowest", 1))
    return found


def _ask(invariant: Invariant, now: datetime) -> Violation | None:
    """Ask one question, in a transaction of its own that is always rolled back."""
    try:
        with transaction.atomic():
            rows, count = _by_sql(invariant, now) if invariant.sql else _by_function(invariant, now)
            transaction.set_rollback(True)
    except DatabaseError as error:
        if not connection.is_usable():
            raise
        log.warning("auditor: %s could not be asked: %s", invariant.name, error)
        said = str(error).strip().splitlines()[0]
        return Violation(invariant, (), f"This could not be checked: {type(error).__name__}: {said}", 1)
    except Exception as error:  # a broken question must not keep the others from being asked
        log.exception("auditor: %s", invariant.name)
        return Violation(invariant, (), f"This could not be checked: {type(error).__name__}: {error}", 1)
    if not rows:
        return None
    more = f" and {count - len(rows[:SHOWN])} more" if count > SHOWN else ""
    words = "; ".join(f"{subject}: {detail}" for subject, detail in rows[:SHOWN])
    return Violation(invariant, tuple(subject for subject, _ in rows), words + more, count)


def _by_sql(invariant: Invariant, now: datetime) -> tuple[list[tuple[str, str]], int]:
    said: dict[str, Any] = {"now": now, "lanes": list(settings.QUEUE_LANES), "patience": _patience()}
    with connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL statement_timeout = {LONGEST_QUESTION_MS}")
        cursor.execute(_ASK.format(invariant.sql, 100), said)
        rows = cursor.fetchall()
    return [(str(row[0]), str(row[1])) for row in rows], rows[0][2] if rows else 0


def _patience() -> list[int]:
    """Seconds after which a lane that has done nothing is wedged: its longest task, and half a minute."""
    clusters = settings.Q_CLUSTER["ALT_CLUSTERS"]
    return [30 + int(clusters.get(lane, settings.Q_CLUSTER)["timeout"]) for lane in settings.QUEUE_LANES]


def _by_function(invariant: Invariant, now: datetime) -> tuple[list[tuple[str, str]], int]:
    rows: Sequence[tuple[str, str]] = invariant.ask(now) if invariant.ask else ()
    return list(rows), len(rows)


def hold(now: datetime | None = None) -> tuple[Round, News]:
    """A whole round: look, keep what was found, mend once, add up, note that it was done. Returns what is new."""
    found = look(now)
    news = findings.keep(found.violations, found.at)
    for violation, row in news.to_mend:
        findings.mend(violation.invariant, violation.subjects, row)
    tallies.add_up()
    _note(found)
    return found, news


def _note(found: Round) -> None:
    AuditRun.objects.create(
        at=found.at,
        duration_ms=int(found.seconds * 1000),
        ok=found.is_well,
        failed=found.failed,
        timings=found.timings,
        version=version.code(),
    )
    clock.beat(BEAT, found.at, 1)
    AuditRun.objects.filter(at__lt=found.at - KEPT).delete()
    tallies.forget(instants.now())
    groups.note_version(found.at)
    groups.forget_the_dead()


def as_json(found: Round) -> dict[str, Any]:
    """A round for programs."""
    return {
        "at": found.at.isoformat(),
        "ok": found.is_well,
        "seconds": round(found.seconds, 3),
        "failed": {v.invariant.name: {"count": v.count, "detail": v.detail} for v in found.violations},
        "milliseconds": found.timings,
    }

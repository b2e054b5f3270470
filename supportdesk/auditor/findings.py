"""What is wrong now: from the round that saw it first to the round in which it was gone."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from supportdesk.auditor.invariants import Invariant
from supportdesk.auditor.models import AuditPause, Finding

log = logging.getLogger("supportdesk.auditor")

SAID_AGAIN_AFTER = timedelta(minutes=30)


class Seen(Protocol):
    """A violation, as a round has it."""

    @property
    def invariant(self) -> Invariant: ...
    @property
    def subjects(self) -> tuple[str, ...]: ...
    @property
    def detail(self) -> str: ...
    @property
    def count(self) -> int: ...


@dataclass(slots=True)
class News:
    """What a round changed. `to_say`: findings somebody has to hear of now."""

    begun: list[Finding] = field(default_factory=list)
    over: list[Finding] = field(default_factory=list)
    to_say: list[Finding] = field(default_factory=list)
    to_mend: list[tuple[Seen, Finding]] = field(default_factory=list)


def keep(violations: Sequence[Seen], now: datetime) -> News:
    """Bring the open findings in step with what was seen."""
    news = News()
    known = {row.invariant: row for row in Finding.objects.filter(cleared_at=None)}
    for seen in violations:
        row = known.pop(seen.invariant.name, None)
        if row is None:
            row = Finding(invariant=seen.invariant.name, since=now)
            news.begun.append(row)
        row.level, row.title, row.remedy = seen.invariant.level, seen.invariant.title, seen.invariant.remedy
        row.detail, row.count, row.seen_at = seen.detail[:4000], seen.count, now
        if seen.invariant.wakes and (row.alarmed_at is None or now - row.alarmed_at >= SAID_AGAIN_AFTER):
            news.to_say.append(row)
        row.save()
        if seen.invariant.mend is not None and row.mended_at is None and seen.subjects:
            news.to_mend.append((seen, row))
    for row in known.values():
        row.cleared_at = now
        row.save(update_fields=["cleared_at"])
        news.over.append(row)
    return news


def mend(invariant: Invariant, subjects: Sequence[str], row: Finding) -> None:
    """Try once to put it right; whether that helped, the next round sees."""
    row.mended_at = row.seen_at
    try:
        did = invariant.mend(subjects) if invariant.mend else ""
    except Exception as error:  # the finding stays and is told; that matters more than the attempt
        log.exception("auditor: mending %s", invariant.name)
        did = f"Putting it right failed: {type(error).__name__}: {error}"
    row.detail = f"{row.detail}\n{did}"[:4000]
    row.save(update_fields=["mended_at", "detail"])


def pause(now: datetime) -> AuditPause | None:
    """The pause that holds now, if any."""
    return AuditPause.objects.filter(since__lte=now, until__gt=now).first()


def open_now() -> list[Finding]:
    """What is wrong at the moment, alarms first."""
    return list(Finding.objects.filter(cleared_at=None).order_by("level", "since"))

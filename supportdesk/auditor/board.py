"""What the page Health shows: what is wrong, who works, how the vendors are doing. Changes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Count, Q

from supportdesk.auditor import alarm, findings
from supportdesk.auditor.models import AuditRun, Finding
from supportdesk.integrations.breaker import Breaker
from supportdesk.integrations.budget import Budget
from supportdesk.integrations.calls import VendorCall
from supportdesk.integrations.models import Connection
from supportdesk.queue.models import Delivery, Heartbeat
from supportdesk.web.health import auditor_problem

LATELY = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Worker:
    """One thing that has to work: what it is, when it last got something done, and whether that is lately."""

    name: str
    at: datetime | None
    is_well: bool
    note: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """One connection: its state in a word, and how its calls went lately."""

    connection: Connection
    state: str  # works, waits, down, refused, untried, off
    note: str
    calls: int
    failed: int
    waiting: int


def page(now: datetime) -> dict[str, Any]:
    """The whole page."""
    run = AuditRun.objects.order_by("-at").first()
    return {
        "problem": auditor_problem(now),
        "run": run,
        "slowest": max(run.timings.items(), key=lambda item: item[1]) if run and run.timings else None,
        "findings": findings.open_now(),
        "past": Finding.objects.filter(cleared_at__isnull=False).order_by("-cleared_at")[:10],
        "workers": workers(now),
        "lines": lines(now),
        "ways": sorted(alarm.ways()),
        "dead_man": bool(settings.DEAD_MAN_URL),
    }


def unwell(now: datetime) -> str:
    """What every page of the console says while the desk itself is unwell; empty while it is well.

    A desk nobody has started yet (no clock has ever worked) has nothing to complain about.
    """
    problem = auditor_problem(now)
    if problem == "has never run" and not Heartbeat.objects.filter(name="clock").exists():
        return ""
    if problem:
        return f"The auditor {problem}: nobody would notice if something stopped."
    wrong = [row.title for row in findings.open_now() if row.level == Finding.Level.ALARM]
    return f"{wrong[0]}{f' (and {len(wrong) - 1} more)' if len(wrong) > 1 else ''}." if wrong else ""


def workers(now: datetime) -> list[Worker]:
    """The clock and every cluster."""
    beats = {row.name: row for row in Heartbeat.objects.exclude(name__startswith="version:")}
    found = [_worker("clock", beats.get("clock"), now, timedelta(seconds=15))]
    for lane in settings.QUEUE_LANES:
        done = max(filter(None, (beats.get(f"canary:{lane}"), beats.get(f"lane:{lane}"))), key=_at, default=None)
        sung = beats.get(f"canary:{lane}")
        note = f"the last canary took {sung.detail.get('seconds', 0):.2f} s" if sung else ""
        found.append(_worker(f"{lane} cluster", done, now, timedelta(seconds=60), note))
    return found


def _at(beat: Heartbeat) -> datetime:
    return beat.at


def _worker(name: str, beat: Heartbeat | None, now: datetime, patience: timedelta, note: str = "") -> Worker:
    return Worker(name, beat.at if beat else None, beat is not None and now - beat.at <= patience, note)


def lines(now: datetime) -> list[Line]:
    """Every connection of the desk, as the breakers and the calls see it."""
    calls = {
        row["connection_id"]: (row["all"], row["bad"])
        for row in VendorCall.objects.filter(at__gt=now - LATELY)
        .values("connection_id")
        .annotate(all=Count("id"), bad=Count("id", filter=~Q(outcome="ok")))
    }
    waiting = dict(
        Delivery.objects.filter(state=Delivery.State.PENDING, due_at__lte=now + timedelta(minutes=5))
        .values_list("connection_id")
        .annotate(Count("id"))
    )
    breakers = {row.connection_id: row for row in Breaker.objects.all()}
    budgets = {row.connection_id: row for row in Budget.objects.all()}
    return [
        Line(
            line,
            *state_of(line, breakers.get(line.pk), budgets.get(line.pk), now),
            *calls.get(line.pk, (0, 0)),
            waiting.get(line.pk, 0),
        )
        for line in Connection.objects.select_related("organization")
    ]


def state_of(line: Connection, breaker: Breaker | None, budget: Budget | None, now: datetime) -> tuple[str, str]:
    """A connection's state in a word and a line."""
    if not line.is_enabled:
        return "off", "Switched off."
    if breaker is not None and breaker.is_open:
        return "down", f"{breaker.failures} failures in a row, the last: {breaker.error}"
    if breaker is not None and breaker.asked_until and breaker.asked_until > now:
        return "waits", f"It asked us to wait until {breaker.asked_until:%H:%M:%S} UTC."
    if line.works is False:
        return "refused", line.check_result
    if line.works is None:
        return "untried", "Never tried: press Test in the back office."
    return "works", f"{budget.left:.0f} calls left in this minute's budget." if budget and budget.left < 50 else ""

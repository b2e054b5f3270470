"""Health: is this process alive, can it serve, and does paging work (which is another question).

Reasons are given by name and never hold an address, a token or anybody's name: whoever can reach this may read it.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from django.contrib.auth.decorators import login_not_required
from django.db import DatabaseError, InterfaceError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_GET

from supportdesk.auditor import findings, machine
from supportdesk.auditor.models import AuditRun
from supportdesk.queue import clock
from supportdesk.queue.models import Delivery, Heartbeat

CLOCK_SILENT_AFTER = timedelta(seconds=15)
PAGE_LATE_AFTER = timedelta(seconds=30)
CANARY_SILENT_AFTER = timedelta(seconds=60)
AUDITOR_SILENT_AFTER = timedelta(seconds=120)
Problems = dict[str, str]


@login_not_required
@require_GET
def live(request: HttpRequest) -> HttpResponse:
    """This process answers."""
    return JsonResponse({"status": "ok"})


@login_not_required
@require_GET
def ready(request: HttpRequest) -> HttpResponse:
    """The database answers, takes writes, and its schema is the one this code was written for."""
    return _answer(_ready_problems)


@login_not_required
@require_GET
def paging(request: HttpRequest) -> HttpResponse:
    """Somebody would be paged right now, and somebody would notice if not."""
    return _answer(paging_problems)


def _answer(ask: Callable[[], Problems]) -> HttpResponse:
    try:
        problems = ask()
    except (DatabaseError, InterfaceError):
        problems = {"database": "away"}
    if not problems:
        return _uncached(JsonResponse({"status": "ok"}))
    return _uncached(
        JsonResponse({"status": "unwell", "problems": problems}, status=503, headers={"Retry-After": "10"})
    )


def _uncached(response: HttpResponse) -> HttpResponse:
    response["Cache-Control"] = "no-store"
    return response


def _ready_problems() -> Problems:
    executor = MigrationExecutor(connection)
    behind = executor.migration_plan(executor.loader.graph.leaf_nodes())
    problems = {"migrations": f"{len(behind)} to apply"} if behind else {}
    return problems | dict(machine.read_only(clock.database_now()))


def paging_problems() -> Problems:
    """Why paging may not work, empty when it does."""
    now = clock.database_now()
    problems: Problems = {}
    for look in (_clock, _pages, _canary, _auditor, _machine):
        problems |= look(now)
    return problems


def _clock(now: datetime) -> Problems:
    beat = Heartbeat.objects.filter(name="clock").first()
    if beat is not None and now - beat.at <= CLOCK_SILENT_AFTER:
        return {}
    return {"clock": "has never worked" if beat is None else f"has not worked since {beat.at:%H:%M:%S} UTC"}


def _pages(now: datetime) -> Problems:
    late = Delivery.objects.filter(
        state=Delivery.State.PENDING, is_urgent=True, attempts=0, due_at__lt=now - PAGE_LATE_AFTER
    ).count()
    return {"pages": f"{late} pages have waited longer than {PAGE_LATE_AFTER.seconds} s"} if late else {}


def _canary(now: datetime) -> Problems:
    """The page cluster's own work; where no auditor ever sent a canary, its silence is told by `_auditor`."""
    beats = {beat.name: beat for beat in Heartbeat.objects.filter(name__in=("canary-sent:page", "canary:page"))}
    sent, sung = beats.get("canary-sent:page"), beats.get("canary:page")
    if sent is None or datetime.fromisoformat(sent.detail["first"]) > now - CANARY_SILENT_AFTER:
        return {}
    if sung is not None and now - sung.at <= CANARY_SILENT_AFTER:
        return {}
    return {"page cluster": "has done nothing for a minute; the clock sends pages in its place"}


def auditor_problem(now: datetime) -> str:
    """Why nobody would notice if something went wrong; empty where the auditor does its work."""
    run = AuditRun.objects.order_by("-at").first()
    if run is None:
        return "has never run"
    if now - run.at > AUDITOR_SILENT_AFTER:
        return f"has not run since {run.at:%H:%M:%S} UTC"
    if (pause := findings.pause(now)) is not None:
        return f"is told to keep quiet until {pause.until:%H:%M} UTC"
    return ""


def _auditor(now: datetime) -> Problems:
    problem = auditor_problem(now)
    if problem:
        return {"auditor": problem}
    wrong = [row.invariant for row in findings.open_now() if row.level == "alarm"]
    return {"invariants": ", ".join(sorted(wrong))} if wrong else {}


def _machine(now: datetime) -> Problems:
    problems = dict([*machine.skew(now), *machine.read_only(now)])
    return problems | ({"disk": "less than a tenth is free"} if machine.full_disks(now) else {})

"""Health: is this process alive, can it serve, and does paging work (which is another question)."""

from __future__ import annotations

from datetime import timedelta

from django.contrib.auth.decorators import login_not_required
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_GET

from supportdesk.queue import clock
from supportdesk.queue.models import Delivery, Heartbeat

CLOCK_SILENT_AFTER = timedelta(seconds=15)
PAGE_LATE_AFTER = timedelta(seconds=30)


@login_not_required
@require_GET
def live(request: HttpRequest) -> HttpResponse:
    """This process answers."""
    return JsonResponse({"status": "ok"})


@login_not_required
@require_GET
def ready(request: HttpRequest) -> HttpResponse:
    """The database answers and its schema is the one this code was written for."""
    try:
        executor = MigrationExecutor(connection)
        behind = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError:
        return _unwell({"database": "away"})
    return _unwell({"migrations": f"{len(behind)} to apply"}) if behind else JsonResponse({"status": "ok"})


@login_not_required
@require_GET
def paging(request: HttpRequest) -> HttpResponse:
    """Somebody would be paged right now: the clock has worked lately and no page waits."""
    try:
        problems = paging_problems()
    except DatabaseError:
        problems = {"database": "away"}
    return _unwell(problems) if problems else JsonResponse({"status": "ok"})


def paging_problems() -> dict[str, str]:
    """Why paging may not work, empty when it does."""
    now, problems = clock.database_now(), {}
    beat = Heartbeat.objects.filter(name="clock").first()
    if beat is None or now - beat.at > CLOCK_SILENT_AFTER:
        problems["clock"] = "has never worked" if beat is None else f"has not worked since {beat.at:%H:%M:%S} UTC"
    late = Delivery.objects.filter(
        state=Delivery.State.PENDING, is_urgent=True, attempts=0, due_at__lt=now - PAGE_LATE_AFTER
    ).count()
    if late:
        problems["pages"] = f"{late} pages have waited longer than {PAGE_LATE_AFTER.seconds} s"
    return problems


def _unwell(problems: dict[str, str]) -> HttpResponse:
    return JsonResponse({"status": "unwell", "problems": problems}, status=503)

"""Who is on call, in the console."""

from __future__ import annotations

from datetime import date, timedelta

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_GET

from rotations import boards
from supportdesk import instants
from supportdesk.actors import Actor
from supportdesk.errors import Invalid
from supportdesk.web.doors import door
from supportdesk.web.pages import page

SHOWN_DAYS = 7


@require_GET
@door("console", staff=True)
def on_call(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Now, and a week of shifts."""
    now = instants.now()
    first = _first_day(request)
    context = {
        "section": "oncall",
        "weeks": boards.weeks(first, SHOWN_DAYS, now, actor),
        "first": first,
        "last": first + timedelta(days=SHOWN_DAYS - 1),
        "before": first - timedelta(days=SHOWN_DAYS),
        "after": first + timedelta(days=SHOWN_DAYS),
    }
    return page(request, "console/oncall.html", context, {"seats": "console/_seats.html"})


def _first_day(request: HttpRequest) -> date:
    """The Monday of the asked week, in the reader's zone."""
    asked = request.GET.get("week", "")
    try:
        day = date.fromisoformat(asked) if asked else timezone.localdate(instants.now())
    except ValueError as error:
        raise Invalid("A week is named by one of its days: 2026-11-23.", field="week") from error
    return day - timedelta(days=day.weekday())

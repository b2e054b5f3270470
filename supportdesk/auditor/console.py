"""The page Health of the console: how the desk itself is doing."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from supportdesk import instants
from supportdesk.actors import Actor
from supportdesk.auditor import board
from supportdesk.web.doors import door
from supportdesk.web.pages import page


@require_GET
@door("console", staff=True)
def health(request: HttpRequest, actor: Actor) -> HttpResponse:
    """What is wrong, who works, how the vendors are doing."""
    now = instants.now()
    context = board.page(now) | {"section": "health", "at": now}
    return page(request, "console/health.html", context, {"health": "console/_health.html"})

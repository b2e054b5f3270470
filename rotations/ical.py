"""The door of calendar programs: a secret address instead of a log-in."""

from __future__ import annotations

from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from rotations import feeds
from supportdesk import instants


@login_not_required
@require_safe
@never_cache
def show(request: HttpRequest, token: str) -> HttpResponse:
    """The shifts behind a secret address; anything else is nothing."""
    feed = feeds.find(token)
    if feed is None:
        raise Http404("There is no calendar at this address.")
    response = HttpResponse(feeds.calendar(feed, instants.now()), content_type="text/calendar; charset=utf-8")
    response["Content-Disposition"] = 'inline; filename="on-call.ics"'
    return response

"""The front door: everybody to their own page."""

from __future__ import annotations

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.templatetags.static import static
from django.views.decorators.http import require_GET


@require_GET
def front(request: HttpRequest) -> HttpResponse:
    """Staff to the console, customers to the portal."""
    return redirect("console:queue" if request.user.works_here else "portal:home")  # type: ignore[union-attr]


@login_not_required
@require_GET
def icon(request: HttpRequest) -> HttpResponse:
    """Where browsers look for an icon beside a page that names none, like a feed or a file."""
    return redirect(static("img/favicon.svg"))

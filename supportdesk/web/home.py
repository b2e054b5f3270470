"""The front door: everybody to their own page."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_GET


@require_GET
def front(request: HttpRequest) -> HttpResponse:
    """Staff to the console, customers to the portal."""
    return redirect("console:queue" if request.user.works_here else "portal:home")  # type: ignore[union-attr]

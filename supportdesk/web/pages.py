"""One view serves the page or one of its fragments, from one context."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render


def page(
    request: HttpRequest, template: str, context: dict[str, Any], fragments: dict[str, str] | None = None
) -> HttpResponse:
    """Render `template`, or the fragment that `?fragment=` names: the same partial the page includes."""
    wanted = request.GET.get("fragment")
    if not wanted:
        return render(request, template, context)
    if not fragments or wanted not in fragments:
        raise Http404("There is no such fragment.")
    return render(request, fragments[wanted], context)

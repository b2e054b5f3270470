"""From `DeskError` to what a caller sees: a problem body (RFC 9457) for machines, a page for people."""

from __future__ import annotations

import logging
import sys
from typing import Any

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render

from supportdesk.errors import DeskError, Invalid, NotAllowed, TooMany, Unavailable

log = logging.getLogger("supportdesk.web")

RETRY_AFTER_SECONDS = 10
_MACHINE_PATHS = ("/api/", "/hooks/", "/healthz/")


def wants_problem(request: HttpRequest) -> bool:
    """Machines get JSON; people get a page."""
    return request.path.startswith(_MACHINE_PATHS) or request.headers.get("Accept", "").startswith("application/json")


def problem_body(error: DeskError) -> dict[str, Any]:
    """RFC 9457, with one `errors` entry where a field is named."""
    body: dict[str, Any] = {
        "type": f"urn:supportdesk:{error.code}",
        "title": error.title,
        "status": error.status,
        "detail": error.detail,
    }
    if error.field:
        body["errors"] = [{"field": error.field, "detail": error.detail}]
    return body


def answer(request: HttpRequest, error: DeskError) -> HttpResponse:
    """The response for a refusal."""
    if wants_problem(request):
        response: HttpResponse = JsonResponse(
            problem_body(error), status=error.status, content_type="application/problem+json"
        )
    else:
        response = render(request, _template(error.status), {"error": error}, status=error.status)
    if isinstance(error, Unavailable):
        response["Retry-After"] = str(RETRY_AFTER_SECONDS)
    if isinstance(error, TooMany):
        response["Retry-After"] = str(error.retry_after)
    return response


def _template(status: int) -> str:
    return f"{status}.html" if status in (403, 404, 503) else "refused.html"


def server_error(request: HttpRequest) -> HttpResponse:
    """handler500: the database being away is 503 with Retry-After; anything else is a bug, said plainly."""
    error = sys.exc_info()[1]
    if isinstance(error, (OperationalError, InterfaceError)):
        log.error("database away: %s", str(error).strip().splitlines()[:1])
        return answer(
            request, Unavailable("The desk cannot reach its database. Nothing was stored; please send this again.")
        )
    if wants_problem(request):
        body = {
            "type": "about:blank",
            "title": "Something went wrong here",
            "status": 500,
            "detail": "The desk failed to handle this. It has been logged; sending it again is safe.",
        }
        return JsonResponse(body, status=500, content_type="application/problem+json")
    return render(request, "500.html", status=500)


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """handler404."""
    if wants_problem(request):
        body = {
            "type": "urn:supportdesk:not-found",
            "title": "Not found",
            "status": 404,
            "detail": "There is nothing at this address.",
        }
        return JsonResponse(body, status=404, content_type="application/problem+json")
    return render(request, "404.html", status=404)


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """handler400: what Django itself refuses, such as a form with too many fields."""
    return answer(request, Invalid("The desk could not read this request. Nothing was stored."))


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """handler403."""
    return answer(request, NotAllowed("You may not do this here."))

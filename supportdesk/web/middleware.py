"""What happens to every request before a view sees it."""

from __future__ import annotations

from collections.abc import Callable
from zoneinfo import ZoneInfo

from allauth.mfa.models import Authenticator
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone

from supportdesk.errors import Invalid, NotAllowed, TooLarge
from supportdesk.web.errors import answer, wants_problem

Handler = Callable[[HttpRequest], HttpResponse]

JSON_LIMIT = 1_048_576
UPLOAD_LIMIT = 26_214_400


class CleanInput:
    """Refuse what no view should meet: bodies over the limit (413) and NUL characters in the address (400)."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        limit = UPLOAD_LIMIT if request.content_type == "multipart/form-data" else JSON_LIMIT
        try:
            length = int(request.META.get("CONTENT_LENGTH") or 0)
        except ValueError:
            return answer(request, Invalid("Content-Length is not a number.", field="Content-Length"))
        if length > limit:
            return answer(
                request, TooLarge(f"The request is {length:,} bytes; the limit here is {limit:,}. Nothing was stored.")
            )
        if "\0" in request.path or "%00" in request.META.get("QUERY_STRING", ""):
            return answer(request, Invalid("The address contains a NUL character.", field="path"))
        return self.get_response(request)


class StaffSecondFactor:
    """Staff without a second factor reach the page where they set one up, and nothing else (security S8)."""

    _OPEN = ("/accounts/", "/static/", "/healthz/", "/status/", "/hooks/", "/a/")

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not settings.STAFF_SECOND_FACTOR or request.path.startswith(self._OPEN):
            return self.get_response(request)
        user = request.user
        if user.is_authenticated and user.works_here and not Authenticator.objects.filter(user=user).exists():
            if wants_problem(request):  # a session used on the API is held to the same (a token has its own scopes)
                return answer(request, NotAllowed("Set up your second factor first."))
            return redirect(reverse("mfa_activate_totp"))
        return self.get_response(request)


class ReaderContext:
    """Times are shown in the reader's zone."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path.startswith(("/api/", "/hooks/", "/static/")):
            return self.get_response(request)
        zone = request.user.time_zone if request.user.is_authenticated else "UTC"
        with timezone.override(ZoneInfo(zone)):
            response = self.get_response(request)
        if settings.LIVE_PORT:  # no proxy in front: live updates come from a port of their own
            host = request.get_host().rsplit(":", 1)[0]
            response._csp_update = {"connect-src": [f"{request.scheme}://{host}:{settings.LIVE_PORT}"]}  # type: ignore[attr-defined]
        return response

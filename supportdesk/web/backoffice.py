"""The back office: Django admin behind the desk's own log-in, with an index that says how things stand."""

from __future__ import annotations

from typing import Any

from allauth.account.decorators import secure_admin_login
from django.conf import settings
from django.contrib.admin import AdminSite
from django.http import HttpRequest, HttpResponse

from supportdesk import instants
from supportdesk.web import health


class BackOffice(AdminSite):
    """Managers only. Logging in happens at allauth's page: its rate limits and second factor hold here too (security
    S9)."""

    site_header = settings.DESK_NAME
    site_title = "Back office"
    index_title = "Back office"
    enable_nav_sidebar = True

    def has_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.is_active and request.user.is_staff)

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        return {**super().each_context(request), "tiles": tiles() if self.has_permission(request) else []}

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        return secure_admin_login(super().login)(request, extra_context)


def tiles() -> list[dict[str, Any]]:
    """How the desk stands, at a glance."""
    problems = health.paging_problems()
    return [
        {
            "label": "Paging",
            "value": "works" if not problems else "check now",
            "tone": "well" if not problems else "danger",
            "hint": "; ".join(f"{k} {v}" for k, v in problems.items()),
            "icon_name": "siren",
        },
        {"label": "Desk time", "value": f"{instants.now():%H:%M} UTC", "icon_name": "clock"},
    ]

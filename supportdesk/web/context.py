"""What every template may use, as far as the cellar knows it."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse

from supportdesk import instants
from supportdesk.web import live


def desk(request: HttpRequest) -> dict[str, Any]:
    """`desk`: its name, the time, this reader's theme, and where live updates come from."""
    user = getattr(request, "user", None)
    known = user if user is not None and user.is_authenticated else None
    return {
        "desk": {
            "name": settings.DESK_NAME,
            "now": instants.now(),
            "emergency_number": settings.EMERGENCY_NUMBER,
            "mode": settings.MODE,
            "live_url": live.url_for(request),
            "theme": known.theme if known else request.COOKIES.get("theme", "system"),
            "theme_url": reverse("theme"),
            "shortcuts": known.shortcuts if known else False,
            "settings_url": reverse("account_settings") if known else "",
            "logout_url": reverse("account_logout"),
            "home_url": reverse("home"),
            "zone_name": known.time_zone if known else "UTC",
        }
    }

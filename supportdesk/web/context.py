"""What every template may use."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest

from supportdesk import instants
from supportdesk.web import live


def desk(request: HttpRequest) -> dict[str, Any]:
    """`desk`: the name of the desk, the time, and where live updates come from."""
    return {
        "desk": {
            "name": settings.DESK_NAME,
            "now": instants.now(),
            "emergency_number": settings.EMERGENCY_NUMBER,
            "mode": settings.MODE,
            "live_url": live.url_for(request),
        }
    }

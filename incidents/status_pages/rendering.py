"""The public face of a page as HTML. No reader is known: the same for everybody, live or written to disk."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.http import urlencode

from incidents.models import StatusPage
from incidents.status_pages import board


def addresses(slug: str, key: str = "") -> dict[str, str]:
    """Where the forms of a page are; with a reader's `key` where a program cannot log in."""
    query = f"?{urlencode({'key': key})}" if key else ""
    return {
        "page": reverse("status:page", args=[slug]),
        "history": reverse("status:history", args=[slug]),
        "subscribe": reverse("status:subscribe", args=[slug]),
        "json": reverse("status:json", args=[slug]) + query,
        "rss": reverse("status:feed", args=[slug, "rss"]) + query,
        "atom": reverse("status:feed", args=[slug, "atom"]) + query,
        "ical": reverse("status:ical", args=[slug]) + query,
        "badge": reverse("status:badge", args=[slug]) + query,
    }


def page(of: StatusPage, now: datetime, *, key: str = "", is_copy: bool = False) -> str:
    """How everything is."""
    return render("statuspage/page.html", board.summary(of, now), now, key=key, is_copy=is_copy)


def month(of: StatusPage, first: date, now: datetime, *, key: str = "", is_copy: bool = False) -> str:
    """What was said in one month."""
    return render("statuspage/history.html", board.month(of, first, now), now, key=key, is_copy=is_copy)


def render(
    template: str,
    said: dict[str, Any],
    now: datetime,
    *,
    key: str = "",
    is_copy: bool = False,
    request: HttpRequest | None = None,
) -> str:
    """A template of the page with nothing but what it says. `request` only where there is a form to protect."""
    context = {
        **said,
        "desk": {"name": settings.DESK_NAME, "now": now},
        "at": addresses(said["slug"], key),
        "is_copy": is_copy,
    }
    return render_to_string(template, context, request=request)

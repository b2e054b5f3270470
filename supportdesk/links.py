"""Addresses that leave the desk: absolute, and signed where they act for one person."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core import signing
from django.urls import reverse

_PAGE_SALT = "supportdesk.page"
PAGE_LINK_SECONDS = 24 * 3600


def absolute(name: str, *args: Any) -> str:
    """The public address of a named page."""
    return settings.PUBLIC_URL + reverse(name, args=args)


def page_token(page_id: int, user_id: int | None) -> str:
    """Proves that an answer belongs to this page and this person, for a day (security S12)."""
    return signing.dumps([page_id, user_id], salt=_PAGE_SALT)


def read_page_token(token: str) -> tuple[int, int | None] | None:
    """The page and person of a token; None when it is forged or too old."""
    try:
        page_id, user_id = signing.loads(token, salt=_PAGE_SALT, max_age=PAGE_LINK_SECONDS)
    except (signing.BadSignature, ValueError, TypeError):
        return None
    return page_id, user_id

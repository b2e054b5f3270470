"""API tokens: made once, shown once, checked on every call; and what a call may do with one."""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta
from typing import Any

from django.core.cache import caches
from rest_framework import authentication, exceptions, permissions, throttling
from rest_framework.request import Request

from supportdesk import instants
from supportdesk.accounts.models import ApiToken, User
from supportdesk.actors import Actor

TOKEN_PREFIX = "sd_"  # noqa: S105 (a prefix, not a secret)
LONGEST_TOKEN_LIFE = timedelta(days=366)


def digest(token: str) -> str:
    """What is stored of a token."""
    return hashlib.sha256(token.encode()).hexdigest()


def issue_token(
    user: User, name: str, scopes: list[str], life: timedelta = timedelta(days=365)
) -> tuple[ApiToken, str]:
    """Make a token; the second value is the token itself, to be shown once and never again."""
    now = instants.now()
    token = TOKEN_PREFIX + secrets.token_urlsafe(32)
    row = ApiToken.objects.create(
        user=user,
        name=name,
        prefix=token[:9],
        digest=digest(token),
        scopes=scopes,
        created_at=now,
        expires_at=now + min(life, LONGEST_TOKEN_LIFE),
    )
    return row, token


class TokenAuthentication(authentication.BaseAuthentication):
    """`Authorization: Bearer sd_…`. Cookies play no part here, so CSRF does not either (security S6, S11)."""

    def authenticate(self, request: Request) -> tuple[User, ApiToken] | None:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            return None
        row = (
            ApiToken.objects.select_related("user__contact__organization").filter(digest=digest(token.strip())).first()
        )
        now = instants.now()
        if row is None or not row.is_valid(now) or not row.user.is_active:
            raise exceptions.AuthenticationFailed("This token is unknown, expired or revoked.")
        if row.last_used_at is None or now - row.last_used_at > timedelta(minutes=1):
            ApiToken.objects.filter(pk=row.pk).update(last_used_at=now)
        return row.user, row

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="supportdesk"'


class SessionAuthentication(authentication.SessionAuthentication):
    """The browser's own session, CSRF-checked: for the API pages and for our own scripts."""


class HasScope(permissions.BasePermission):
    """A token must carry the scope the view asks for in `scopes` by method; a session is limited by its role alone."""

    def has_permission(self, request: Request, view: Any) -> bool:
        if request.user is None:
            return False
        if not isinstance(request.auth, ApiToken):
            return True
        wanted = view.scopes.get(request.method, "read") if hasattr(view, "scopes") else "manage"
        return wanted in request.auth.scopes


def actor_of(request: Request) -> Actor:
    """Who is calling."""
    return request.user.actor("api")  # type: ignore[union-attr]


class TokenThrottle(throttling.SimpleRateThrottle):
    """Requests a minute per token, counted in each process: cheap enough to stand before the intake of an emergency."""

    scope = "token"
    cache = caches["queue"]

    def get_cache_key(self, request: Request, view: Any) -> str | None:
        return f"throttle:{request.auth.pk}" if isinstance(request.auth, ApiToken) else None

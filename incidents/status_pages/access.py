"""Who may read a page: everybody a public one; staff, its organizations' people and listed addresses a private one.

For anybody else a private page does not exist: what they get is what they get for a page that was never made.
"""

from __future__ import annotations

from typing import Any

from allauth.mfa.models import Authenticator
from django.conf import settings
from django.core import signing
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse

from incidents.models import StatusPage, StatusReader, Subscriber
from supportdesk.accounts.models import User
from supportdesk.organizations.models import Contact, Organization

LINK_SALT, FEED_SALT = "incidents.status.link", "incidents.status.feed"
LINK_SECONDS, COOKIE_SECONDS = 24 * 3600, 30 * 24 * 3600
COOKIE = "status-reader"


def readable(request: HttpRequest, slug: str) -> StatusPage | None:
    """The page this reader may read under that name; None where there is none for them."""
    page = StatusPage.objects.filter(slug=slug).first()
    return page if page is not None and (page.is_public or _is_let_in(request, page)) else None


def _is_let_in(request: HttpRequest, page: StatusPage) -> bool:
    return is_entitled(signed_in(request), page) or reader_of(request, page) is not None


def signed_in(request: HttpRequest) -> User | None:
    """Whose session this is; nobody's while staff still owe their second factor (S8: these addresses are open)."""
    user = request.user
    if not isinstance(user, User) or not user.is_active:
        return None
    owes = settings.STAFF_SECOND_FACTOR and user.works_here
    return None if owes and not Authenticator.objects.filter(user=user).exists() else user


def is_entitled(user: User | None, page: StatusPage) -> bool:
    """May this account read a private page: staff, or an active contact of one of its organizations?"""
    if user is None or not user.is_active:
        return False
    if user.works_here:
        return True
    mine = Contact.objects.filter(user=user, is_active=True)
    return mine.filter(Q(organization__status_pages=page) | Q(organization__shared_status_pages=page)).exists()


def private_pages_of(organization: Organization) -> QuerySet[StatusPage]:
    """The private pages the people of an organization may read: its own, and those it shares with others."""
    theirs = Q(organization=organization) | Q(audience=organization)
    return StatusPage.objects.filter(theirs, is_public=False).distinct().order_by("name", "pk")


def reader_of(request: HttpRequest, page: StatusPage) -> StatusReader | None:
    """The listed address this browser or program proves to be: by a cookie, or by `?key=` for feed readers."""
    named = [
        _read(request.GET.get("key", ""), FEED_SALT, None),
        *(_read(token, FEED_SALT, None) for token in request.COOKIES.get(COOKIE, "").split(" ")),
    ]
    for pk, version in filter(None, named):
        found = StatusReader.objects.filter(pk=pk, version=version, page=page).first()
        if found is not None:
            return found
    return None


def still_may(subscriber: Subscriber) -> bool:
    """Does the right a subscription rests on still stand?"""
    page = subscriber.page
    return page.is_public or subscriber.reader_id is not None or is_entitled(subscriber.user, page)


def link_token(reader: StatusReader) -> str:
    """Opens the page once clicked within a day."""
    return signing.dumps([reader.pk, reader.version], salt=LINK_SALT)


def feed_key(reader: StatusReader) -> str:
    """For programs: good until the address is taken off the list, or its version is raised."""
    return signing.dumps([reader.pk, reader.version], salt=FEED_SALT)


def opened(token: str) -> StatusReader | None:
    """The reader behind a link; None where it is forged, too old or withdrawn."""
    read = _read(token, LINK_SALT, LINK_SECONDS)
    return StatusReader.objects.select_related("page").filter(pk=read[0], version=read[1]).first() if read else None


def remember(request: HttpRequest, response: HttpResponse, reader: StatusReader) -> None:
    """Let this browser in for a month, beside the pages it may read already."""
    fresh = feed_key(reader)
    kept = [token for token in request.COOKIES.get(COOKIE, "").split(" ") if token and token != fresh][-4:]
    response.set_cookie(
        COOKIE,
        " ".join([*kept, fresh]),
        max_age=COOKIE_SECONDS,
        path="/status/",
        secure=settings.HTTPS,
        httponly=True,
        samesite="Lax",
    )


def _read(token: str, salt: str, seconds: int | None) -> tuple[int, int] | None:
    try:
        pk, version = signing.loads(token, salt=salt, max_age=seconds)
    except (signing.BadSignature, ValueError, TypeError):
        return None
    return int(pk), int(version)


def guard(response: HttpResponse, page: StatusPage) -> Any:
    """How long others may keep an answer: a public one half a minute, a private one not at all."""
    if page.is_public:
        response.setdefault("Cache-Control", "public, max-age=30")
    else:
        response["Cache-Control"] = "private, no-store"
        response["Vary"] = "Cookie"
        response["Referrer-Policy"] = "no-referrer"
        response["X-Robots-Tag"] = "noindex"
    return response

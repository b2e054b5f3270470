"""The page's doors, readable while logged out: HTML, JSON, feeds, calendar, badge, history.

A private page is not there for whoever may not read it, in any form.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from functools import wraps

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_safe

from incidents.models import StatusPage
from incidents.status_pages import access, board, feeds, rendering
from supportdesk import instants
from supportdesk.errors import NotFound
from supportdesk.web.errors import answer

View = Callable[..., HttpResponse]


def nothing(request: HttpRequest) -> HttpResponse:
    """What everybody gets who asks for a page that is not there for them."""
    response = answer(request, NotFound("There is no such status page."))
    response["Cache-Control"] = "no-store"
    return response


def of_page(view: View) -> View:
    """A form of one page, for whoever may read it."""

    @login_not_required
    @wraps(view)
    def inner(request: HttpRequest, slug: str, **more: object) -> HttpResponse:
        page = access.readable(request, slug)
        if page is None:
            return nothing(request)
        response: HttpResponse = access.guard(view(request, page, **more), page)
        return response

    return inner


def key_of(request: HttpRequest, page: StatusPage) -> str:
    """What a listed reader's programs add to the addresses of a private page."""
    if page.is_public:
        return ""
    reader = access.reader_of(request, page)
    return access.feed_key(reader) if reader else ""


@login_not_required
@require_safe
def front(request: HttpRequest) -> HttpResponse:
    """The first public page."""
    first = StatusPage.objects.filter(is_public=True).first()
    return redirect("status:page", first.slug) if first else nothing(request)


@require_safe
@of_page
def show(request: HttpRequest, page: StatusPage) -> HttpResponse:
    """The page for people."""
    return HttpResponse(rendering.page(page, instants.now(), key=key_of(request, page)))


@require_safe
@of_page
def history(request: HttpRequest, page: StatusPage, month: str = "") -> HttpResponse:
    """One month; the current one where none is named."""
    now = instants.now()
    known = {f"{first:%Y-%m}": first for first in board.months(page, now)}
    first: date | None = known.get(month) if month else next(iter(known.values()))
    if first is None:
        return nothing(request)
    return HttpResponse(rendering.month(page, first, now, key=key_of(request, page)))


@require_safe
@of_page
def as_json(request: HttpRequest, page: StatusPage) -> HttpResponse:
    """The page for machines."""
    return _open_to_scripts(JsonResponse(board.as_json(board.summary(page, instants.now()))), page)


@require_safe
@of_page
def feed(request: HttpRequest, page: StatusPage, form: str) -> HttpResponse:
    """The page for feed readers."""
    return HttpResponse(feeds.syndicated(page, form), content_type=f"{feeds.TYPES[form]}; charset=utf-8")


@require_safe
@of_page
def ical(request: HttpRequest, page: StatusPage) -> HttpResponse:
    """Planned maintenance for calendars."""
    response = HttpResponse(feeds.calendar(page), content_type="text/calendar; charset=utf-8")
    response["Content-Disposition"] = 'inline; filename="maintenance.ics"'
    return response


@require_safe
@of_page
def badge(request: HttpRequest, page: StatusPage) -> HttpResponse:
    """A picture for other people's pages."""
    said = board.summary(page, instants.now())
    return _open_to_scripts(HttpResponse(feeds.badge(said), content_type="image/svg+xml"), page)


def _open_to_scripts(response: HttpResponse, page: StatusPage) -> HttpResponse:
    """Other people's pages may show what is public; nothing of theirs comes with the question."""
    if page.is_public:
        response["Access-Control-Allow-Origin"] = "*"
    return response

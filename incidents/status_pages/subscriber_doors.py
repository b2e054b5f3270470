"""The doors of those who want to hear: subscribe, confirm, stop; and the link to a private page.

Looking at a link changes nothing: programs that open mail click everything (security S12). Only a button does.
"""

from __future__ import annotations

from typing import Any

from allauth.core import ratelimit
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from incidents.models import Component, StatusPage, Subscriber
from incidents.status_pages import access, rendering, subscribing
from incidents.status_pages.doors import nothing, of_page
from supportdesk import instants
from supportdesk.errors import DeskError, Invalid, NotFound
from supportdesk.integrations import status_hooks
from supportdesk.integrations.lines import Lines
from supportdesk.web.errors import answer

ASKED = "Look at that address: if it is one we can reach, a link to confirm it is on its way."
LINK_ASKED = "If this address may read a private page, a link to it is on its way."
TOO_OFTEN = "Too many requests came from where you are. Please try again in an hour."
_both = require_http_methods(["GET", "HEAD", "POST"])


def _may_ask(request: HttpRequest) -> bool:
    """Ten forms an hour from one place (`ACCOUNT_RATE_LIMITS`)."""
    return ratelimit.consume(request, action="status_form")


@_both
@of_page
def subscribe(request: HttpRequest, page: StatusPage) -> HttpResponse:
    """Choose what to hear of, and how."""
    status, said = 200, ""
    error: DeskError | None = None
    if request.method == "POST":
        if not _may_ask(request):
            status, error = 429, Invalid(TOO_OFTEN)
        else:
            try:
                _ask(request, page)
                said = ASKED
            except Invalid as refused:
                status, error = 400, refused
    return _form(request, "statuspage/subscribe.html", page, status, {"answer": said, "error": error})


def _ask(request: HttpRequest, page: StatusPage) -> None:
    given = request.POST
    subscribing.ask(
        page,
        channel=given.get("channel", ""),
        address=given.get("address", ""),
        components=[int(pk) for pk in given.getlist("components") if pk.isdecimal() and len(pk) < 10],
        user=None if page.is_public else access.signed_in(request),
        reader=None if page.is_public else access.reader_of(request, page),
    )


def _form(request: HttpRequest, template: str, page: StatusPage, status: int, more: dict[str, Any]) -> HttpResponse:
    context = {
        "name": page.name,
        "slug": page.slug,
        "is_public": page.is_public,
        "status_name": page.name,
        "components": Component.objects.filter(page=page, is_shown=True).order_by("group", "position", "name"),
        "channels": subscribing.channels(page, Lines.load()),
        "given": request.POST,
        "chosen": request.POST.getlist("components"),
        **more,
    }
    response = HttpResponse(rendering.render(template, context, instants.now(), request=request), status=status)
    response["Cache-Control"] = "private, no-store"  # there is a form in it
    return response


@login_not_required
@never_cache
@_both
def confirm(request: HttpRequest, token: str) -> HttpResponse:
    """Yes, it was me."""
    try:
        row, chosen = subscribing.asked(token)
        if request.method == "POST":
            row = subscribing.confirm(token)
    except NotFound as error:
        return answer(request, error)
    is_hook = row.channel == Subscriber.Channel.WEBHOOK
    more = {
        "row": row,
        "chosen_components": chosen,
        "is_done": request.method == "POST",
        "secret": status_hooks.secret_of(row.address) if is_hook and request.method == "POST" else "",
    }
    return _alone(_form(request, "statuspage/confirm.html", row.page, 200, more))


@csrf_exempt
@login_not_required
@never_cache
@_both
def stop(request: HttpRequest, token: str) -> HttpResponse:
    """Hear no more. A mail program may press this button for its reader (RFC 8058): the link itself is the proof."""
    if request.method == "POST":
        try:
            subscribing.stop(token)
        except NotFound as error:
            return answer(request, error)
    return _alone(_bare(request, "statuspage/stop.html", {"is_done": request.method == "POST"}))


@login_not_required
@never_cache
@_both
def ask_for_link(request: HttpRequest) -> HttpResponse:
    """For readers of private pages without an account. Says the same to everybody."""
    more: dict[str, Any] = {"answer": "", "error": None}
    if request.method == "POST":
        if not _may_ask(request):
            return _bare(request, "statuspage/link.html", {**more, "error": Invalid(TOO_OFTEN)}, status=429)
        subscribing.send_link(request.POST.get("email", "")[:320])
        more["answer"] = LINK_ASKED
    return _bare(request, "statuspage/link.html", more)


@login_not_required
@never_cache
@_both
def open_link(request: HttpRequest, token: str) -> HttpResponse:
    """The link that was sent: remembers this browser, and shows the page."""
    reader = access.opened(token)
    if reader is None:
        return nothing(request)
    response = redirect("status:page", reader.page.slug)
    access.remember(request, response, reader)
    return _alone(response)


def _bare(request: HttpRequest, template: str, more: dict[str, Any], status: int = 200) -> HttpResponse:
    """A page that names no status page."""
    context = {"name": "", "slug": "none", "is_public": False, "status_name": "Status", **more}
    return HttpResponse(rendering.render(template, context, instants.now(), request=request), status=status)


def _alone(response: HttpResponse) -> HttpResponse:
    """An address with a token in it is told to nobody."""
    response["Referrer-Policy"] = "no-referrer"
    response["X-Robots-Tag"] = "noindex"
    return response

"""What every page door shares: the actor behind a request, and refusals turned into pages."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.http import url_has_allowed_host_and_scheme

from supportdesk.actors import Actor
from supportdesk.errors import DeskError, NotFound
from supportdesk.web.errors import answer

View = Callable[..., HttpResponse]


def door(via: str, *, staff: bool = False, customer: bool = False) -> Callable[[View], View]:
    """A page for logged-in people: gives the view its `actor`, keeps the wrong audience out (404), shows refusals.

    A refused POST goes back to where it came from with the reason; a refused GET shows it.
    """

    def wrap(view: View) -> View:
        @functools.wraps(view)
        def inner(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            actor: Actor = request.user.actor(via)  # type: ignore[union-attr]
            if (staff and not actor.is_staff) or (customer and not actor.is_customer):
                return answer(request, NotFound("There is nothing at this address."))
            try:
                return view(request, actor, *args, **kwargs)
            except DeskError as error:
                if request.method == "POST" and not isinstance(error, NotFound):
                    messages.error(request, error.detail)
                    return redirect(back(request))
                return answer(request, error)

        return inner

    return wrap


def back(request: HttpRequest, default: str = "/") -> str:
    """The address a form came from, if it is ours."""
    target = request.POST.get("next") or request.headers.get("Referer", "")
    return target if url_has_allowed_host_and_scheme(target, {request.get_host()}, request.is_secure()) else default

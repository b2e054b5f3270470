"""Webhook endpoints in the portal: a customer's administrator looks after those of their own organization."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from incidents.webhook_pages import endpoint_of, what_was_sent
from supportdesk import secrets_at_rest
from supportdesk.actors import Actor
from supportdesk.errors import DeskError, Invalid, NotFound
from supportdesk.integrations import endpoints
from supportdesk.integrations.models import Connection
from supportdesk.integrations.webhooks import EVENT, TYPES
from supportdesk.web.doors import door
from supportdesk.web.pages import page

FRESH = "fresh_webhook_secret"  # in the session, sealed: of which endpoint, until it was shown once


class EndpointForm(forms.Form):
    """What an endpoint is called, where it is, and what it hears."""

    name = forms.CharField(max_length=120, help_text="So that you know it again.")
    url = forms.CharField(
        label="Address",
        max_length=2_000,
        help_text="Begins with https:// and can be reached from the internet.",
        widget=forms.URLInput(attrs={"placeholder": "https://hooks.example.com/support"}),
    )
    events = forms.MultipleChoiceField(
        label="What it hears",
        choices=[(kind, kind) for kind in TYPES],
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="Nothing chosen: everything.",
    )


def _require_admin(actor: Actor) -> None:
    if not endpoints.is_customer_admin(actor):
        raise NotFound("There is nothing at this address.")


@door("portal", customer=True)
def list_endpoints(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Every endpoint of theirs, and a form for one more."""
    _require_admin(actor)
    form = EndpointForm(request.POST or None)
    if request.method == "POST" and form.is_valid() and (made := _saved(form, None, actor)) is not None:
        _keep_to_show(request, made, made.values["secret"])
        return redirect("portal:webhook", made.code)
    rows = endpoints.visible_to(actor).order_by("name", "pk")
    context = {"section": "plan", "endpoints": rows, "form": form}
    return page(request, "portal/webhooks.html", context)


def _saved(form: EndpointForm, row: Connection | None, actor: Actor) -> Connection | None:
    """What was filled in, stored; None where the form has to say what is wrong with it."""
    said = form.cleaned_data
    try:
        return endpoints.save(row, actor=actor, name=said["name"], url=said["url"], events=said["events"])
    except DeskError as error:
        field = error.field if isinstance(error, Invalid) and error.field in form.fields else None
        form.add_error(field, error.detail)
        return None


@never_cache
@door("portal", customer=True)
def show_endpoint(request: HttpRequest, actor: Actor, code: str) -> HttpResponse:
    """One endpoint: its secret where it is new, the last events with every try, and what can be changed."""
    endpoint = endpoint_of(actor, code)
    kept = endpoint.settings
    now = {"name": endpoint.name, "url": kept.get("url", ""), "events": str(kept.get("events", "")).split()}
    form = EndpointForm(request.POST or None, initial=now)
    if request.method == "POST" and form.is_valid() and _saved(form, endpoint, actor) is not None:
        messages.success(request, "Saved.")
        return redirect("portal:webhook", code)
    context = {"section": "plan", "form": form, "secret": _to_show(request, endpoint)}
    return page(request, "portal/webhook.html", context | what_was_sent(endpoint, request))


def _keep_to_show(request: HttpRequest, endpoint: Connection, secret: str) -> None:
    request.session[FRESH] = secrets_at_rest.seal({"code": endpoint.code, "secret": secret})


def _to_show(request: HttpRequest, endpoint: Connection) -> str:
    """The new secret of this endpoint, this once; empty ever after."""
    kept = secrets_at_rest.open_sealed(request.session.get(FRESH, ""))
    if kept.get("code") != endpoint.code:
        return ""
    del request.session[FRESH]
    return kept["secret"]


@require_POST
@door("portal", customer=True)
def act(request: HttpRequest, actor: Actor, code: str, verb: str) -> HttpResponse:
    """Test, switch on or off, or make a new secret."""
    endpoint = endpoint_of(actor, code)
    if verb not in _VERBS:
        raise NotFound("There is nothing at this address.")
    messages.success(request, _VERBS[verb](request, endpoint, actor))
    return redirect("portal:webhook", code)


def _test(request: HttpRequest, endpoint: Connection, actor: Actor) -> str:
    endpoints.send_test(endpoint, actor=actor)
    return "A test is on its way. Reload in a moment to see what was answered."


def _switch(request: HttpRequest, endpoint: Connection, actor: Actor) -> str:
    on = request.POST.get("on") == "1"
    endpoints.save(endpoint, actor=actor, is_enabled=on)
    return f"{endpoint.name} is switched {'on' if on else 'off'}."


def _secret(request: HttpRequest, endpoint: Connection, actor: Actor) -> str:
    _keep_to_show(request, endpoint, endpoints.renew_secret(endpoint, actor=actor))
    return "A new secret was made. The one before keeps signing beside it, until you make the next."


_VERBS: dict[str, Any] = {"test": _test, "switch": _switch, "secret": _secret}


@require_POST
@door("portal", customer=True)
def send_again(request: HttpRequest, actor: Actor, code: str, pk: int) -> HttpResponse:
    """One event once more."""
    row = endpoint_of(actor, code).deliveries.filter(pk=pk, kind=EVENT).first()
    if row is None:
        raise NotFound("There is no such event.")
    endpoints.send_again(row, actor=actor)
    messages.success(request, "On its way again. Reload in a moment to see what was answered.")
    return redirect("portal:webhook", code)

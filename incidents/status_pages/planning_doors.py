"""The engineers' door to planned maintenance: announce, move, call off."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from incidents import actions
from incidents.models import Component, StatusPage
from supportdesk.actors import Actor
from supportdesk.errors import Invalid
from supportdesk.web.doors import door
from supportdesk.web.pages import page

_LOCAL = "%Y-%m-%dT%H:%M"


class _Components(forms.ModelMultipleChoiceField):
    """Components by the page they are on: two pages may have one of the same name."""

    def label_from_instance(self, obj: Component) -> str:
        return f"{obj.name} ({obj.page})"


class PlanForm(forms.Form):
    """What readers are told beforehand. Times are in the reader's own zone."""

    page = forms.ModelChoiceField(label="On which page?", queryset=StatusPage.objects.all(), empty_label=None)
    title = forms.CharField(label="What is done?", max_length=200, help_text="“Database of Checkout is upgraded”")
    text = forms.CharField(
        label="What readers should know",
        max_length=2_000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Plain words: what they will notice, and what they can do.",
    )
    starts_at = forms.DateTimeField(label="Begins", input_formats=[_LOCAL], widget=forms.DateTimeInput(
        attrs={"type": "datetime-local"}, format=_LOCAL
    ))  # fmt: skip
    ends_at = forms.DateTimeField(label="Ends", input_formats=[_LOCAL], widget=forms.DateTimeInput(
        attrs={"type": "datetime-local"}, format=_LOCAL
    ))  # fmt: skip
    components = _Components(
        label="What is affected?",
        queryset=Component.objects.filter(is_shown=True).select_related("page"),
        widget=forms.CheckboxSelectMultiple,
    )


@require_http_methods(["GET", "HEAD", "POST"])
@door("console", staff=True)
def plan(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Announce maintenance; subscribers hear of it at once, when it begins and when it is over."""
    form = PlanForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        said = form.cleaned_data
        actions.plan_maintenance(
            said["page"].pk,
            actor=actor,
            title=said["title"],
            text=said["text"],
            components=[each.pk for each in said["components"]],
            starts_at=said["starts_at"],
            ends_at=said["ends_at"],
            is_checked=bool(request.POST.get("is_checked")),
        )
        return redirect("console:notices")
    context = {"section": "status", "form": form, "zone": timezone.get_current_timezone_name()}
    return page(request, "statuspage/plan.html", context)


@require_POST
@door("console", staff=True)
def move(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    """Other times."""
    said = request.POST
    starts_at = _instant(said["starts_at"], "starts_at") if said.get("starts_at") else None
    ends_at = _instant(said.get("ends_at", ""), "ends_at")
    actions.move_maintenance(pk, actor=actor, text=said.get("text", ""), starts_at=starts_at, ends_at=ends_at)
    return redirect("console:notices")


@require_POST
@door("console", staff=True)
def call_off(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    """It will not happen, or is over now."""
    actions.call_off_maintenance(pk, actor=actor, text=request.POST.get("text", ""))
    return redirect("console:notices")


def _instant(text: str, field: str) -> datetime:
    try:
        local = datetime.strptime(text, _LOCAL)  # noqa: DTZ007 (the reader's zone follows)
    except ValueError as error:
        raise Invalid("Give a day and a time.", field=field) from error
    return local.replace(tzinfo=ZoneInfo(timezone.get_current_timezone_name()))

"""Who hears what: one page for the table, those who asked besides, and the question before sending. Engineers look and
ask, managers change."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_GET, require_POST

from incidents import actions
from incidents.boards import routing as board
from incidents.permissions import may
from incidents.routing import Topic
from rotations.models import severity_choices
from supportdesk.accounts.models import User
from supportdesk.actors import Actor, Role
from supportdesk.errors import Invalid
from supportdesk.organizations.models import Organization, Service
from supportdesk.web import unsent
from supportdesk.web.doors import door
from supportdesk.web.pages import page

_PLACE = "routing"
_LEAST = [("P4", "Every severity"), ("P3", "P3 and worse"), ("P2", "P2 and worse"), ("P1", "P1 only")]


class PreviewForm(forms.Form):
    """Of which incident, and what is said of it."""

    organization = forms.ModelChoiceField(
        queryset=Organization.objects.all(), required=False, empty_label="Our own platform", to_field_name="slug"
    )
    service = forms.ModelChoiceField(
        queryset=Service.objects.all(), required=False, empty_label="No service named", to_field_name="slug"
    )
    severity = forms.ChoiceField(choices=severity_choices)
    kind = forms.ChoiceField(label="What is said", choices=board.kind_choices)

    def clean(self) -> dict[str, Any]:
        said = super().clean() or {}
        service, organization = said.get("service"), said.get("organization")
        if service and service.organization_id not in (None, organization.pk if organization else None):
            self.add_error("service", "This service belongs to somebody else.")
        return said


class StakeholderForm(forms.Form):
    """Who hears what, of whose incidents."""

    user = forms.ModelChoiceField(
        label="A colleague", queryset=User.objects.none(), required=False, empty_label="Nobody"
    )
    address = forms.CharField(
        label="Or somebody of the customer's, by e-mail",
        max_length=254,
        required=False,
        widget=forms.EmailInput,
        help_text="They hear what a customer may read, in the customer's words.",
    )
    name = forms.CharField(label="Their name", max_length=120, required=False)
    slack_channel = forms.CharField(label="Or a Slack channel of ours, by its id", max_length=40, required=False)
    organization = forms.ModelChoiceField(
        label="Of whose incidents",
        queryset=Organization.objects.all(),
        required=False,
        empty_label="Every organization",
    )
    service = forms.ModelChoiceField(
        label="About which service", queryset=Service.objects.all(), required=False, empty_label="Every service"
    )
    topics = forms.MultipleChoiceField(
        label="What they hear", choices=list(board.TOPIC_WORDS.items()), widget=forms.CheckboxSelectMultiple
    )
    least_severity = forms.ChoiceField(label="From which severity on", choices=_LEAST)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        colleagues = User.objects.filter(is_active=True, role__in=(Role.ENGINEER, Role.MANAGER)).order_by("name")
        self.fields["user"].queryset = colleagues  # type: ignore[attr-defined]


@require_GET
@door("console", staff=True)
def show(request: HttpRequest, actor: Actor) -> HttpResponse:
    """The table, those who asked, and the answer to “who would hear this?” for the incident in the address."""
    asked = PreviewForm(request.GET if "kind" in request.GET else None)
    kept = unsent.take(request, _PLACE)
    context = {
        "section": "routing",
        "may_edit": may(actor, "edit_routing"),
        "table": board.by_default(),
        "stakeholders": board.stakeholders(),
        "topics": board.TOPIC_WORDS.items(),
        "severities": _LEAST,
        "asked": asked,
        "form": StakeholderForm(initial={"least_severity": "P4", **kept.get("said", {})}),
        "chosen": _several(kept.get("said", {}).get("topics", [])),
        "is_kept": bool(kept),
    }
    if asked.is_valid():
        said = asked.cleaned_data
        incident = board.imagined(said["organization"], said["service"], said["severity"])
        context |= {
            "groups": board.grouped(board.readers(incident, said["kind"])),
            "unfilled": board.unfilled(said["kind"]),
        }
    return page(request, "console/routing.html", context)


@require_POST
@door("console", staff=True)
def add(request: HttpRequest, actor: Actor) -> HttpResponse:
    """One more reader."""
    with unsent.kept(request, _PLACE, "add"):
        said = _valid(StakeholderForm(request.POST))
        row = actions.add_stakeholder(actor=actor, **said)
    messages.success(request, f"{row} hears of it from now on.")
    return redirect("console:routing")


@require_POST
@door("console", staff=True)
def change(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    """Other topics, or another severity."""
    topics = [topic for topic in Topic if topic in request.POST.getlist("topics")]
    row = actions.change_stakeholder(
        pk, actor=actor, topics=topics, least_severity=request.POST.get("least_severity", "")
    )
    messages.success(request, f"{row} hears this from now on.")
    return redirect("console:routing")


@require_POST
@door("console", staff=True)
def remove(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    """Nothing more to them."""
    actions.remove_stakeholder(pk, actor=actor)
    messages.success(request, "They hear nothing more, but what they hear by their part in an incident.")
    return redirect("console:routing")


def _valid(form: StakeholderForm) -> dict[str, Any]:
    if not form.is_valid():
        field, wrong = next(iter(form.errors.items()))
        label = form.fields[field].label if field in form.fields else "Something here"
        raise Invalid(f"{label}: {' '.join(map(str, wrong))}", field=field)
    return form.cleaned_data


def _several(kept: str | list[str]) -> list[str]:
    return [kept] if isinstance(kept, str) else kept

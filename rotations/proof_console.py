"""The coverage proof and what-if, in the console."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods

from rotations import proof_runs, proving, what_if
from rotations.models import Proof
from rotations.proof.written import said
from supportdesk import instants, zones
from supportdesk.actors import Actor
from supportdesk.entitlements import SEVERITIES
from supportdesk.errors import Invalid
from supportdesk.organizations.models import Organization, Service
from supportdesk.web.doors import door

HISTORY = 20
MOST_FAILURES = 12
_TIMES = ("at", "until", "first_at", "start")
_LENGTHS = [(30, "30 days"), (proving.NIGHTLY.days, "90 days"), (proving.ON_SAVE.days, "400 days")]


@require_http_methods(["GET", "POST"])
@door("console", staff=True)
def certificate(request: HttpRequest, actor: Actor) -> HttpResponse:
    """The newest proof, or an older one by its number; the button proves now."""
    if request.method == "POST":
        made = proof_runs.on_demand(_days(request))
        messages.success(request, f"Proved {len(made.summary['claims'])} claims in {made.duration_ms} ms.")
        return redirect("proof:certificate")
    wanted = request.GET.get("proof", "")
    asked = Proof.objects.filter(pk=int(wanted)).first() if wanted.isdecimal() and len(wanted) < 10 else None
    row = asked or Proof.objects.first()
    proof = _timed(row.summary) if row else None
    context = {
        "section": "proof",
        "row": row,
        "proof": proof,
        **_failures(proof["failures"] if proof else []),
        "history": Proof.objects.defer("summary")[:HISTORY],
        "lengths": _LENGTHS,
        "usual": proving.NIGHTLY.days,
    }
    return render(request, "console/proof.html", context)


@require_GET
@door("console", staff=True)
def ask_what_if(request: HttpRequest, actor: Actor) -> HttpResponse:
    """A report that nobody has made: who would be contacted when, by what."""
    form = WhatIfForm(request.GET if "organization" in request.GET else None, initial=_initially())
    answer = None
    if form.is_bound and form.is_valid():
        try:
            answer = form.answer()
        except Invalid as error:
            form.add_error(error.field if error.field in form.fields else None, error.detail)
    return render(request, "console/what_if.html", {"section": "proof", "form": form, "answer": answer})


class WhatIfForm(forms.Form):
    """If this customer reports this, at this time on somebody's wall clock."""

    organization = forms.ModelChoiceField(
        label="If this customer",
        queryset=Organization.objects.filter(is_hidden=False).select_related("calendar", "account_manager"),
        to_field_name="slug",
        empty_label=None,
    )
    severity = forms.ChoiceField(label="reports", choices=[(severity, severity) for severity in SEVERITIES])
    at = forms.CharField(label="at", max_length=20, widget=forms.TextInput(attrs={"type": "datetime-local"}))
    clock = forms.ChoiceField(label="on the clock of", choices=[("theirs", "the customer"), ("mine", "yourself")])
    service = forms.ModelChoiceField(
        label="about", queryset=Service.objects.all(), to_field_name="slug", required=False, empty_label="no service"
    )

    def clean_at(self) -> datetime:
        """A reading of a wall clock, without a zone: `clock` says whose."""
        try:
            return datetime.fromisoformat(self.cleaned_data["at"]).replace(tzinfo=None)
        except ValueError as error:
            raise forms.ValidationError("Write the time as 2026-11-29T03:20.") from error

    def answer(self) -> what_if.Answer:
        """What would happen. Raises `Invalid` naming the field."""
        asked = self.cleaned_data
        organization = asked["organization"]
        zone = organization.time_zone if asked["clock"] == "theirs" else timezone.get_current_timezone_name()
        try:
            at = zones.first_instant(asked["at"], zone)
        except OverflowError as error:
            raise Invalid("This time is too far away.", field="at") from error
        return what_if.what_if(organization, asked["severity"], at, asked["service"])


def _initially() -> dict[str, Any]:
    return {"severity": "P1", "clock": "mine", "at": f"{timezone.localtime(instants.now()):%Y-%m-%dT%H:%M}"}


def _days(request: HttpRequest) -> int:
    asked = request.POST.get("days", "")
    if not asked.isdecimal():
        raise Invalid("A proof covers a number of days.", field="days")
    return int(asked)


def _failures(listed: list[dict[str, Any]]) -> dict[str, Any]:
    """Failing stretches with everybody they hit: the same hole breaks many promises at once."""
    joined: dict[tuple[Any, ...], dict[str, Any]] = {}
    for failure in listed:
        key = (failure["at"], failure["until"], failure["text"])
        hit = joined.setdefault(key, {**failure, "organizations": {}, "severities": {}})
        hit["organizations"][failure["organization"]] = hit["severities"][failure["severity"]] = True
    return {"failures": list(joined.values())[:MOST_FAILURES], "more_failures": max(0, len(joined) - MOST_FAILURES)}


def _timed(value: Any) -> Any:
    """A written proof with its instants as instants again."""
    if isinstance(value, list):
        return [_timed(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {name: _instant(item) if name in _TIMES else _timed(item) for name, item in value.items()}


def _instant(text: str | None) -> datetime | None:
    return said(text) if text else None

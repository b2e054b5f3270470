"""Action items in the console: part of the page of their report."""

from __future__ import annotations

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from reports import items
from reports.models import ActionItem
from supportdesk.accounts.models import User
from supportdesk.actors import Actor, Role
from supportdesk.errors import Invalid
from supportdesk.web.doors import door

PART = "action-items"  # the part of the page that shows them


class AssignForm(forms.Form):
    """Who does it, and until when."""

    owner = forms.ModelChoiceField(
        label="Who",
        required=False,
        empty_label="nobody yet",
        queryset=User.objects.filter(is_active=True).exclude(role=Role.CUSTOMER).order_by("name"),
    )
    due_on = forms.DateField(label="Until", required=False, widget=forms.DateInput(attrs={"type": "date"}))


class AddForm(AssignForm):
    """One thing somebody will do."""

    title = forms.CharField(label="What will be done", max_length=items.LONGEST_TITLE)
    kind = forms.ChoiceField(label="It will", choices=ActionItem.Kind.choices)
    field_order = ("title", "kind", "owner", "due_on")


def for_changing(item: ActionItem) -> AssignForm:
    """The form of one item, its ids its own: several stand on one page."""
    return AssignForm(initial={"owner": item.owner_id, "due_on": item.due_on}, auto_id=f"item-{item.pk}-%s")


@require_POST
@door("console", staff=True)
def add(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    """Add one to a report."""
    form = _valid(AddForm(request.POST))
    items.add(pk, actor=actor, **form.cleaned_data)
    return _to(pk)


@require_POST
@door("console", staff=True)
def change(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    """Give one to somebody, or finish it."""
    status = request.POST.get("status", "")
    if status:
        return _to(items.finish(pk, actor=actor, status=status).report_id)
    form = _valid(AssignForm(request.POST))
    return _to(items.assign(pk, actor=actor, **form.cleaned_data).report_id)


def _valid(form: forms.Form) -> forms.Form:
    """The form, or what is wrong with it in one line."""
    if not form.is_valid():
        name, problems = next(iter(form.errors.items()))
        raise Invalid(f"{form.fields[name].label}: {problems[0]}", field=name)
    return form


def _to(report_id: int) -> HttpResponse:
    return redirect(f"{reverse('reports:report', args=[report_id])}#{PART}")

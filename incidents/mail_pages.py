"""Mail that waits for a person, in the console."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_GET, require_POST

from incidents import mailroom
from incidents.models import HeldMail, Incident
from supportdesk.actors import Actor
from supportdesk.errors import Invalid, NotFound
from supportdesk.organizations.models import Contact
from supportdesk.web.doors import door
from supportdesk.web.pages import page


class AcceptForm(forms.Form):
    """Whose mail it is, and whether it belongs to something open."""

    contact = forms.ModelChoiceField(
        label="It was written by",
        queryset=Contact.objects.filter(is_active=True).select_related("organization"),
        help_text="Be sure: what follows is done in their name.",
    )
    incident = forms.ModelChoiceField(
        label="It belongs to",
        queryset=Incident.objects.open().exclude(organization=None),
        required=False,
        empty_label="a new incident",
    )


@require_GET
@door("console", staff=True)
def list_mail(request: HttpRequest, actor: Actor) -> HttpResponse:
    """What waits, oldest first, and what was decided last."""
    rows = HeldMail.objects.select_related("contact__organization", "incident", "decided_by")
    context = {
        "section": "mail",
        "waiting": list(rows.filter(state=HeldMail.State.WAITING)[:100]),
        "decided": list(rows.exclude(state=HeldMail.State.WAITING).order_by("-decided_at")[:20]),
    }
    return page(request, "console/held_mails.html", context)


@require_GET
@door("console", staff=True)
def show_mail(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    """One mail: what it says, why nobody is believed, and whose it may be."""
    held = HeldMail.objects.select_related("contact__organization", "incident", "decided_by").filter(pk=pk).first()
    if held is None:
        raise NotFound("There is no such mail.")
    form = AcceptForm(initial={"contact": held.contact_id, "incident": held.incident_id})
    context = {
        "section": "mail",
        "held": held,
        "form": form,
        "files": held.attachments.defer("content"),
        "perhaps": mailroom.customers_of(held.sender),
    }
    return page(request, "console/held_mail.html", context)


@require_POST
@door("console", staff=True)
def decide(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    """Accept it for somebody, or discard it."""
    if request.POST.get("what") == "discard":
        mailroom.discard(pk, actor=actor)
        messages.success(request, "Discarded. It can still be looked up.")
        return redirect("console:mail")
    form = AcceptForm(request.POST)
    if not form.is_valid():
        raise Invalid("Say who wrote it.", field="contact")
    incident = mailroom.accept(pk, actor=actor, **form.cleaned_data)
    return redirect("console:incident", incident.pk)

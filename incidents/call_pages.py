"""Calls to the emergency line, in the console."""

from __future__ import annotations

from collections import defaultdict

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from incidents.models import EmergencyCall
from supportdesk.actors import Actor
from supportdesk.organizations.models import Contact
from supportdesk.web.doors import door
from supportdesk.web.pages import page

SHOWN = 100


@require_GET
@door("console", staff=True)
def list_calls(request: HttpRequest, actor: Actor) -> HttpResponse:
    """The newest calls: who rang, whom we rang for them, and what became of it."""
    calls = list(EmergencyCall.objects.select_related("organization", "contact", "incident", "taken_by")[:SHOWN])
    unknown = {call.caller for call in calls if call.contact_id is None and call.caller}
    owners: dict[str, list[Contact]] = defaultdict(list)
    for contact in Contact.objects.filter(phone__in=unknown, is_active=True).select_related("organization"):
        owners[contact.phone].append(contact)
    rows = [(call, owners.get(call.caller, []) if call.contact_id is None else []) for call in calls]
    return page(request, "console/calls.html", {"section": "calls", "calls": rows})

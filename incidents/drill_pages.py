"""The console's page of fire drills: who has passed one, starting one, and how long each hop took."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_GET, require_POST

from incidents import drills
from supportdesk import instants
from supportdesk.accounts.models import User
from supportdesk.actors import Actor
from supportdesk.errors import Invalid
from supportdesk.web.doors import door
from supportdesk.web.pages import page


@require_GET
@door("console", staff=True)
def show(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Who has proved it, and the last drills."""
    now = instants.now()
    context = drills.board(now) | {"section": "health", "at": now}
    return page(request, "console/drills.html", context, {"drills": "console/_drills.html"})


@require_POST
@door("console", staff=True)
def start(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Begin one, for the chosen person or for whoever is on call."""
    said = request.POST.get("person", "")
    person = User.objects.filter(pk=int(said)).first() if said.isdigit() and len(said) < 18 else None
    if said and person is None:
        raise Invalid("There is no such person.", field="person")
    incident = drills.start(actor=actor, person=person)
    messages.success(request, f"{incident.ref}: the drill has begun. The telephone rings within two minutes.")
    return redirect("console:drills")

"""What every page of the desk may use: its name, the time, the way around. Counted only where a page shows it."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import SimpleLazyObject

from incidents.boards import promises, queue
from incidents.models import HeldMail
from rotations import boards
from rotations.models import Schedule
from supportdesk import instants
from supportdesk.accounts.models import User
from supportdesk.actors import Actor
from supportdesk.auditor import board
from supportdesk.entitlements import Feature
from supportdesk.organizations import terms
from supportdesk.organizations.models import Contact
from supportdesk.web import context


def desk(request: HttpRequest) -> dict[str, Any]:
    """`desk` of the cellar, with what only the upper floors know."""
    said = context.desk(request)
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return said
    if user.works_here:
        actor = user.actor("console")
        said["desk"] |= {
            "nav": SimpleLazyObject(lambda: _console_nav(actor)),
            "oncall": SimpleLazyObject(lambda: _on_call(actor)),
            "jump_url": reverse("console:jump"),
            "unwell": SimpleLazyObject(lambda: board.unwell(instants.now())),
        }
    else:
        said["desk"] |= {
            "portal_nav": _portal_nav(),
            "emergency_number": SimpleLazyObject(lambda: _emergency_number(user)),
        }
    return said


def _console_nav(actor: Actor) -> list[dict[str, Any]]:
    waiting = queue.of_tab(actor, "needs-action").count()
    pressing = waiting and queue.unacknowledged(actor) is not None
    nav: list[dict[str, Any]] = [
        {
            "slug": "queue",
            "label": "Queue",
            "url": reverse("console:queue"),
            "icon_name": "inbox",
            "count": waiting,
            "is_urgent": pressing,
        },
        {"slug": "oncall", "label": "On-call", "url": reverse("rotations:oncall"), "icon_name": "calendar-clock"},
        {"slug": "customers", "label": "Customers", "url": reverse("console:customers"), "icon_name": "building-2"},
        {"slug": "reports", "label": "Reports", "url": reverse("reports:index"), "icon_name": "scroll-text"},
        {"slug": "monitoring", "label": "Monitoring", "url": reverse("console:monitoring"), "icon_name": "activity"},
        {
            "slug": "mail",
            "label": "Mail",
            "url": reverse("console:mail"),
            "icon_name": "mail",
            "count": HeldMail.objects.filter(state="waiting").count(),
        },
        {"slug": "calls", "label": "Calls", "url": reverse("console:calls"), "icon_name": "phone"},
        {"slug": "proof", "label": "Coverage", "url": reverse("proof:certificate"), "icon_name": "shield-check"},
        {"slug": "status", "label": "Status page", "url": reverse("console:notices"), "icon_name": "megaphone"},
        {"slug": "routing", "label": "Who hears what", "url": reverse("console:routing"), "icon_name": "send"},
        {"slug": "health", "label": "Health", "url": reverse("console:health"), "icon_name": "heart-pulse"},
    ]
    if actor.role == "manager":
        nav.append(
            {
                "slug": "follow-ups",
                "label": "Follow-ups",
                "url": reverse("console:follow-ups"),
                "icon_name": "list-checks",
                "count": promises.open_follow_ups(),
            }
        )
        nav.append({"slug": "texts", "label": "Texts", "url": reverse("console:texts"), "icon_name": "notebook-pen"})
        nav.append({"slug": "admin", "label": "Back office", "url": reverse("admin:index"), "icon_name": "settings"})
    return nav


def _portal_nav() -> list[dict[str, Any]]:
    return [
        {"slug": "home", "label": "Home", "url": reverse("portal:home"), "icon_name": "house"},
        {"slug": "incidents", "label": "Incidents", "url": reverse("portal:incidents"), "icon_name": "inbox"},
        {"slug": "reports", "label": "Reports", "url": reverse("portal-reports:index"), "icon_name": "scroll-text"},
        {"slug": "plan", "label": "Your plan", "url": reverse("portal:plan"), "icon_name": "shield-check"},
    ]


def _emergency_number(user: User) -> str:
    """The number a plan with an emergency line includes; empty for everybody else."""
    contact = Contact.objects.select_related("organization__calendar").filter(user=user, is_active=True).first()
    has_line = contact is not None and terms.entitlement(contact.organization, instants.now()).has(
        Feature.EMERGENCY_PHONE
    )
    return settings.EMERGENCY_NUMBER if has_line else ""


def _on_call(actor: Actor) -> list[boards.Seat]:
    """Who has the first schedule now: the foot of the rail."""
    row = Schedule.objects.filter(duty=False).order_by("pk").first()
    return boards.seats(row, instants.now(), actor) if row else []

"""The gallery's pages: each name is a template of `templates/gallery/` and what it shows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from supportdesk.gallery import samples, week
from supportdesk.gallery.forms import IMPACT_HINTS, URGENCY_HINTS, EveryFieldForm, ReportForm
from supportdesk.gallery.samples import Sample
from supportdesk.templatetags.desk import STATUSES

Page = Callable[[], dict[str, Any]]


def _components() -> dict[str, Any]:
    wrong = EveryFieldForm({"name": "", "zone": "Europe/Berlin", "reason": "too short", "wake": "on"})
    paginator = Paginator(range(142), 25)
    return {
        "statuses": list(STATUSES),
        "clocks": samples.ALL_CLOCKS,
        "banners": samples.BANNERS,
        "entries": samples.TIMELINE,
        "receipts": samples.RECEIPTS,
        "stages": samples.STAGES,
        "steps": samples.LADDER,
        "oncall": samples.ONCALL,
        "tiles": samples.TILES,
        "schedule": week.SCHEDULE,
        "people": [
            samples.ALICE,
            samples.BOB,
            samples.CAROL,
            samples.ERIN,
            samples.DANA,
            week.HANA,
            week.KENJI,
            None,
        ],
        "wrong_form": wrong,
        "plain_form": EveryFieldForm(auto_id="plain_%s"),
        "report_form": ReportForm(initial={"impact": "1"}, auto_id="report_%s"),
        "impact_hints": IMPACT_HINTS,
        "page": paginator.page(2),
        "empty": Sample(
            title="Nothing is open",
            text="All promises of tonight are kept.",
            icon_name="moon",
            url="#",
            action="See closed incidents",
        ),
        "nobody_on_call": [
            Sample(
                slot="Backup",
                person=None,
                until=None,
                note="the duty manager is called instead",
                phone="",
                is_you=False,
            )
        ],
        "examples": [name for name in PAGES if name != "components"],
    }


def _queue() -> dict[str, Any]:
    return {"section": "queue", "incidents": samples.QUEUE, "banner": samples.BANNERS[0]}


def _incident() -> dict[str, Any]:
    return {
        "section": "queue",
        "incident": samples.QUEUE[1],
        "clocks": samples.CLOCKS,
        "entries": samples.TIMELINE,
        "stages": samples.STAGES,
        "roles": samples.ROLES,
        "steps": [
            Sample(
                number=1,
                at=samples.at(-33),
                targets="Bob Novak, primary",
                state="done",
                outcome="acknowledged by phone",
            ),
            Sample(number=2, at=samples.at(-30), targets="Carol Jensen, backup", state="stopped", outcome=""),
            Sample(number=3, at=samples.at(-27), targets="Dana Petrova, duty manager", state="stopped", outcome=""),
        ],
    }


def _ack() -> dict[str, Any]:
    return {"incident": samples.QUEUE[0], "reporter": samples.ALICE, "steps": samples.LADDER}


def _oncall() -> dict[str, Any]:
    return {"section": "oncall", "schedule": week.SCHEDULE, "oncall": samples.ONCALL, "banner": samples.BANNERS[1]}


def _portal_home() -> dict[str, Any]:
    return {"section": "home", "organization": samples.ACME, "user": samples.ALICE, "incidents": samples.QUEUE[:3:2]}


def _portal_report() -> dict[str, Any]:
    form = ReportForm(initial={"impact": "1", "urgency": "1"})
    return {"section": "incidents", "user": samples.ALICE, "organization": samples.ACME, "form": form} | {
        "impact_hints": IMPACT_HINTS,
        "urgency_hints": URGENCY_HINTS,
        "answer_by": samples.at(10),
    }


def _portal_incident() -> dict[str, Any]:
    return {
        "section": "incidents",
        "user": samples.ALICE,
        "organization": samples.ACME,
        "incident": samples.QUEUE[0],
        "engineer": samples.BOB,
        "entries": samples.PORTAL_TIMELINE,
        "next_update_at": samples.at(6.6),
    }


def _status() -> dict[str, Any]:
    return {"status_name": "Acme services", "components": samples.STATUS_COMPONENTS, "updates": samples.NOTICE_UPDATES}


PAGES: dict[str, Page] = {
    "components": _components,
    "queue": _queue,
    "incident": _incident,
    "ack": _ack,
    "oncall": _oncall,
    "portal-home": _portal_home,
    "portal-report": _portal_report,
    "portal-incident": _portal_incident,
    "status": _status,
}


@login_not_required
def gallery(request: HttpRequest, name: str = "components") -> HttpResponse:
    """One page of the gallery; `?theme=light` or `dark` overrides the device."""
    if not settings.DEBUG or name not in PAGES:
        raise Http404
    desk = Sample(
        name=settings.DESK_NAME,
        now=samples.NOW,
        theme=request.GET.get("theme", "system"),
        theme_url="#",
        settings_url="#",
        shortcuts=True,
        nav=samples.NAV,
        portal_nav=samples.PORTAL_NAV,
        oncall=samples.ONCALL,
        oncall_label="On call now, platform",
        emergency_number="+49 30 5550 0199",
        zone_name="CET",
        home_url="/gallery/",
        jump_url="#",
    )
    template = "gallery.html" if name == "components" else f"gallery/{name.replace('-', '_')}.html"
    with timezone.override(samples.ZONE):
        return render(request, template, {"desk": desk} | PAGES[name]())

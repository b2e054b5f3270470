"""The engineers' door: queue, incident, verbs, customers, status notices."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse, QueryDict
from django.shortcuts import redirect
from django.views.decorators.http import require_GET, require_POST

from incidents import actions, promise_pages
from incidents.boards import customers, queue, search
from incidents.boards import incident as incident_board
from incidents.forms import StaffReportForm
from incidents.models import Component, Incident, Notice, StatusPage
from incidents.models.incident import Source
from incidents.states import Hold, LoweringCode
from supportdesk import instants
from supportdesk.actors import Actor
from supportdesk.entitlements import SEVERITIES
from supportdesk.errors import Invalid, NotFound
from supportdesk.organizations.models import Organization
from supportdesk.web import unsent
from supportdesk.web.doors import door
from supportdesk.web.pages import page


@require_GET
@door("console", staff=True)
def show_queue(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Everything open, most pressing first."""
    tab = request.GET.get("tab", "needs-action")
    if tab not in dict(queue.TABS):
        raise NotFound("There is no such list.")
    now, counts, pressing = instants.now(), queue.counts(actor), queue.unacknowledged(actor)
    context = {
        "section": "queue",
        "tabs": [(slug, label, counts.get(slug)) for slug, label in queue.TABS],
        "tab": tab,
        "rows": queue.rows(queue.of_tab(actor, tab), actor, now),
        "pressing": pressing,
        "next_step": incident_board.next_step(pressing) if pressing else None,
        "shown": queue.SHOWN,
    }
    return page(
        request, "console/queue.html", context, {"rows": "console/_rows.html", "attention": "console/_attention.html"}
    )


def _seen(actor: Actor, pk: int) -> Incident:
    incident = (
        Incident.objects.visible_to(actor)
        .select_related(
            "organization__account_manager",
            "service",
            "owner",
            "reporter",
            "contract__plan_version__plan",
            "master",
            "merged_into",
        )
        .filter(pk=pk)
        .first()
    )
    if incident is None:
        raise NotFound("There is no such incident.")
    return incident


@require_GET
@door("console", staff=True)
def show_incident(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    """One incident: what happened, what is promised, what can be done."""
    context = incident_board.page(_seen(actor, pk), actor, instants.now()) | {
        "section": "queue",
        "severities": SEVERITIES,
        "lowering_codes": list(LoweringCode),
        "holds": (Hold.CUSTOMER, Hold.CHANGE_WINDOW, Hold.THIRD_PARTY),
        "unsent": unsent.take(request, f"incident:{pk}"),
        "begins_with_last": request.GET.get("draft") == "update",
    }
    fragments = {name: f"console/_{name}.html" for name in ("head", "timeline", "clocks", "escalation")}
    return page(request, "console/incident.html", context, fragments)


Verb = Callable[[int, Actor, QueryDict], Any]

# What each button of the incident page calls: the same verbs as every other door.
VERBS: dict[str, Verb] = {
    **promise_pages.VERBS,
    "acknowledge": lambda pk, actor, said: actions.acknowledge(pk, actor=actor),
    "claim": lambda pk, actor, said: actions.claim(pk, actor=actor),
    "escalate": lambda pk, actor, said: actions.escalate(pk, actor=actor, reason=said.get("reason", "")),
    "hand-back": lambda pk, actor, said: actions.hand_back(pk, actor=actor, reason=said.get("reason", "")),
    "accept": lambda pk, actor, said: actions.accept_hand_over(pk, actor=actor),
    "apply-policy": lambda pk, actor, said: actions.apply_policy(pk, actor=actor),
    "note": lambda pk, actor, said: actions.write_note(pk, actor=actor, text=said.get("text", "")),
    "message": lambda pk, actor, said: actions.write_message(
        pk, actor=actor, text=said.get("text", ""), is_checked=bool(said.get("is_checked"))
    ),
    "update": lambda pk, actor, said: actions.post_update(
        pk,
        actor=actor,
        state=said.get("state", ""),
        doing=said.get("doing", ""),
        status=said.get("status", ""),
        next_update_at=_minutes_from_now(said.get("next", "")),
        is_checked=bool(said.get("is_checked")),
        is_for_linked=bool(said.get("is_for_linked")),
    ),
    "severity": lambda pk, actor, said: actions.change_severity(
        pk,
        actor=actor,
        severity=said.get("severity", ""),
        reason=said.get("reason", ""),
        code=said.get("code", ""),
        is_checked=bool(said.get("is_checked")),
    ),
    "status": lambda pk, actor, said: actions.change_status(pk, actor=actor, status=said.get("status", "")),
    "hold": lambda pk, actor, said: actions.hold(
        pk,
        actor=actor,
        kind=said.get("kind", ""),
        question=said.get("question", ""),
        is_checked=bool(said.get("is_checked")),
    ),
    "release": lambda pk, actor, said: actions.release(pk, actor=actor),
    "resolve": lambda pk, actor, said: actions.resolve(
        pk, actor=actor, summary=said.get("summary", ""), is_checked=bool(said.get("is_checked"))
    ),
    "reopen": lambda pk, actor, said: actions.reopen(
        pk, actor=actor, reason=said.get("reason", ""), is_checked=bool(said.get("is_checked"))
    ),
    "cancel": lambda pk, actor, said: actions.cancel(
        pk, actor=actor, reason=said.get("reason", ""), is_checked=bool(said.get("is_checked"))
    ),
    "close": lambda pk, actor, said: actions.close(pk, actor=actor),
    "link": lambda pk, actor, said: actions.link_to_master(
        pk, actor=actor, master_id=_number(said.get("master", ""), "master")
    ),
    "unlink": lambda pk, actor, said: actions.unlink(pk, actor=actor),
    "merge": lambda pk, actor, said: actions.merge(
        pk,
        actor=actor,
        into_id=_number(said.get("into", ""), "into"),
        reason=said.get("reason", ""),
        is_checked=bool(said.get("is_checked")),
    ),
    "unmerge": lambda pk, actor, said: actions.unmerge(pk, actor=actor),
    "notice": lambda pk, actor, said: actions.draft_notice(
        pk, actor=actor, page_id=_number(said.get("page", ""), "page")
    ),
}


def _number(text: str, field: str) -> int:
    if not text.isdigit() or len(text) > 18:
        raise Invalid("This is not one of the choices.", field=field)
    return int(text)


def _minutes_from_now(text: str) -> Any:
    """`15`: a quarter of an hour from now; empty leaves the promise to the contract."""
    if not text:
        return None
    if not text.isdigit() or not 1 <= int(text) <= 1440:
        raise Invalid("The next update is 1 to 1440 minutes away.", field="next")
    return instants.now() + timedelta(minutes=int(text))


@require_POST
@door("console", staff=True)
def act(request: HttpRequest, actor: Actor, pk: int, verb: str) -> HttpResponse:
    """Press one button of the incident page."""
    if verb not in VERBS:
        raise NotFound("There is no such verb.")
    with unsent.kept(request, f"incident:{pk}", verb):
        VERBS[verb](pk, actor, request.POST)
    return redirect("console:incident", pk)


@door("console", staff=True)
def declare(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Staff report an incident for a customer, or for our own platform."""
    form = StaffReportForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        incident = actions.report(form.report(Source.STAFF), actor=actor)
        return redirect("console:incident", incident.pk)
    return page(request, "console/declare.html", {"section": "queue", "form": form})


@require_GET
@door("console", staff=True)
def list_customers(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Every organization with its plan and what is open there."""
    return page(
        request, "console/customers.html", {"section": "customers", "customers": customers.summaries(instants.now())}
    )


@require_GET
@door("console", staff=True)
def show_customer(request: HttpRequest, actor: Actor, slug: str) -> HttpResponse:
    """One organization: contract, people, services, incidents."""
    organization = Organization.objects.select_related("account_manager").filter(slug=slug).first()
    if organization is None:
        raise NotFound("There is no such customer.")
    now = instants.now()
    incidents = queue.rows(Incident.objects.filter(organization=organization).order_by("-received_at"), actor, now)
    context = customers.detail(organization, now) | {"section": "customers", "rows": incidents}
    return page(request, "console/customer.html", context)


@require_GET
@door("console", staff=True)
def jump(request: HttpRequest, actor: Actor) -> HttpResponse:
    """What the palette finds, as JSON for it and as a page for people without scripts."""
    asked = request.GET.get("q", "")
    found = search.find(asked, actor)
    if "text/html" not in request.headers.get("Accept", ""):
        return JsonResponse({"results": [one.to_spec() for one in found]})
    return page(request, "console/found.html", {"section": "", "asked": asked, "found": found})


@require_GET
@door("console", staff=True)
def list_notices(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Every status page with its notices, drafts first."""
    context = {
        "section": "status",
        "pages": StatusPage.objects.prefetch_related("components"),
        "notices": Notice.objects.select_related("page", "incident")
        .prefetch_related("updates", "components", "page__components")
        .order_by("is_posted", "-starts_at")[:50],
        "states": Notice.State.choices,
        "component_states": Component.State.choices,
        "unsent": unsent.take(request, "notice"),
    }
    return page(request, "console/notices.html", context)


@require_POST
@door("console", staff=True)
def post_notice(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    """Publish a draft, or the next update of a notice."""
    said = request.POST
    with unsent.kept(request, "notice", str(pk)):
        actions.post_notice(
            pk,
            actor=actor,
            text=said.get("text", ""),
            state=said.get("state", ""),
            title=said.get("title", ""),
            component_state=said.get("component_state", ""),
            components=_components(said),
            is_checked=bool(said.get("is_checked")),
        )
    return redirect("console:notices")


def _components(said: QueryDict) -> list[int] | None:
    """What the form says is affected; None where it does not ask."""
    if "asks_components" not in said:
        return None
    return [int(pk) for pk in said.getlist("components") if pk.isdecimal() and len(pk) < 10]

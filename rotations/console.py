"""The rota in the console: who is on call, what is coming, and everything people do about it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.forms import Form
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from rotations import actions, boards, feeds, planning
from rotations.actions.overriding import foreseen
from rotations.boards import load, own, present
from rotations.fatigue import Finding
from rotations.forms import ImportForm, InstantField, LeaveForm, PlanForm, SwapForm, colleagues
from rotations.models import Leave, LeaveCalendar, Override, Schedule, Shadow
from rotations.permissions import may
from rotations.rules import BACKUP, PRIMARY
from supportdesk import instants
from supportdesk.actors import Actor
from supportdesk.errors import DeskError, Invalid, NotFound
from supportdesk.web.doors import back, door
from supportdesk.web.pages import page

SHOWN_DAYS = 7
SHOWN_SHIFTS = 14  # the others are folded
WEEKS = (1, 2, 4)
PERIODS = {"28": timedelta(days=28), "91": timedelta(days=91), "365": timedelta(days=365)}
MOST_NUMBER = 18  # digits of the largest key, at least


@require_GET
@door("console", staff=True)
def on_call(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Now, and a week of shifts."""
    now, first = instants.now(), _first_day(request)
    context = _weeks_around(first, SHOWN_DAYS) | {
        "section": "oncall",
        "tab": "oncall",
        "weeks": boards.weeks(first, SHOWN_DAYS, now, actor),
        "standing": present.standing(now, actor),
        "away": present.away(now, now + timedelta(minutes=1)),
        "overrides": Override.objects.filter(end__gt=now).select_related("schedule", "user").order_by("start"),
        "is_manager": may(actor, "override"),
    }
    return page(request, "console/oncall.html", context, {"seats": "console/_seats.html"})


@require_GET
@door("console", staff=True)
def calendar(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Weeks of every schedule, narrowed to one schedule or one person; who is away."""
    now, first = instants.now(), _first_day(request)
    asked = request.GET.get("weeks", "2")
    count = int(asked) if asked in map(str, WEEKS) else 2
    schedule, person = request.GET.get("schedule", ""), _number_or_none(request.GET.get("person", ""))
    if schedule and not Schedule.objects.filter(slug=schedule).exists():
        raise NotFound("There is no such schedule.")
    spans = [first + timedelta(days=7 * number) for number in range(count)]
    context = _weeks_around(first, 7 * count) | {
        "section": "oncall",
        "tab": "calendar",
        "spans": [
            (
                monday,
                monday + timedelta(days=6),
                boards.weeks(monday, 7, now, actor, schedule=schedule, person=person, with_seats=False),
            )
            for monday in spans
        ],
        "schedules": Schedule.objects.order_by("duty", "name"),
        "people": colleagues(),
        "chosen": {"schedule": schedule, "person": person, "weeks": count},
        "query": urlencode({"schedule": schedule, "person": person or "", "weeks": count}),
        "counts": WEEKS,
    }
    return page(request, "console/calendar.html", context)


@require_GET
@door("console", staff=True)
def my_shifts(request: HttpRequest, actor: Actor) -> HttpResponse:
    """What I hold, what I hand off, what waits for me, and my calendar."""
    now, me = instants.now(), actor.user_id or 0
    feed = actions.open_feed(actor=actor)
    context = {
        "section": "oncall",
        "tab": "mine",
        "duties": own.duties(me, now),
        "just_left": own.just_left(me, now),
        "hand_offs": own.hand_offs(me, now),
        "shifts": [(one, _offer_form(one, me)) for one in own.shifts(me, now)],
        "soon": SHOWN_SHIFTS,
        "shadows": Shadow.objects.filter(user=me, end__gt=now).select_related("schedule"),
        "schedules": Schedule.objects.order_by("duty", "name"),
        "swaps": own.swaps(actor, now),
        "standing": [one for one in present.standing(now, actor) if not one.is_yours],
        "feed_address": feeds.address(feed),
        "schedule_feeds": [
            (row, feeds.address(actions.open_feed(actor=actor, schedule_id=row.pk)))
            for row in Schedule.objects.order_by("duty", "name")
        ],
    }
    return page(request, "console/my_shifts.html", context)


def _offer_form(shift: own.OwnShift, me: int) -> SwapForm | None:
    """The form to offer a shift that lies ahead and is not offered already."""
    if shift.is_now or shift.swap is not None:
        return None
    initial = {"schedule": shift.schedule.pk, "slot": shift.slot, "start": shift.start, "end": shift.end}
    return SwapForm(initial=initial, but=me, auto_id=f"swap-{shift.schedule.pk}-{shift.start.timestamp():.0f}-%s")


@require_GET
@door("console", staff=True)
def swaps(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Offers that wait for me, mine, those of others, and what was agreed."""
    now = instants.now()
    context = own.swaps(actor, now) | {
        "section": "oncall",
        "tab": "swaps",
        "is_manager": may(actor, "force"),
        "people": colleagues() if may(actor, "force") else [],
    }
    return page(request, "console/swaps.html", context)


@require_GET
@door("console", staff=True)
def leave(request: HttpRequest, actor: Actor) -> HttpResponse:
    """My leave, the form to ask for more, and for managers what waits for a decision."""
    now, is_manager = instants.now(), may(actor, "decide_leave")
    waiting = Leave.objects.filter(state=Leave.State.ASKED, end__gt=now).select_related("user").order_by("start")
    context = {
        "section": "oncall",
        "tab": "leave",
        "is_manager": is_manager,
        "waiting": [(row, _hits(row, now)) for row in waiting] if is_manager else [],
        "mine": [
            (row, _hits(row, now) if row.state == Leave.State.ASKED else [])
            for row in Leave.objects.filter(user=actor.user_id, end__gt=now - timedelta(days=90)).order_by("-start")
        ],
        "ahead": present.away(now, now + timedelta(days=60)),
        "form": LeaveForm(),
        "import_form": ImportForm(),
        "calendar": LeaveCalendar.objects.filter(user=actor.user_id).first(),
    }
    return page(request, "console/leave.html", context)


def _hits(row: Leave, now: datetime) -> list[Any]:
    found = planning.hits(row.user_id, row.start, row.end, now)
    known = boards.people({hit.covered_by for hit in found if hit.covered_by})
    return [(hit, known.get(hit.covered_by or "")) for hit in found]


@require_GET
@door("console", staff=True)
def fairness(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Who carries how much, how evenly, and which limits the coming weeks pass."""
    now = instants.now()
    period = request.GET.get("days", "91")
    length = PERIODS.get(period, PERIODS["91"])
    slug = request.GET.get("schedule", "")
    chosen = Schedule.objects.filter(slug=slug).first() if slug else None
    if slug and chosen is None:
        raise NotFound("There is no such schedule.")
    context = {
        "section": "oncall",
        "tab": "fairness",
        "report": load.report(now - length, now, now, chosen),
        "periods": [("28", "4 weeks"), ("91", "quarter"), ("365", "year")],
        "period": period if period in PERIODS else "91",
        "schedules": Schedule.objects.filter(duty=False).order_by("name"),
        "chosen": chosen,
    }
    return page(request, "console/fairness.html", context)


@door("console", staff=True)
def plan(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Put somebody on duty; what it does to them is shown beside the form before anything is saved."""
    only = None if may(actor, "override") else actor.user_id
    findings: Iterable[dict[str, Any]] = ()
    is_checked = request.method == "GET" and "check" in request.GET
    form = PlanForm(request.POST if request.method == "POST" else request.GET if is_checked else None, only=only)
    if request.method == "POST" and form.is_valid():
        said = form.cleaned_data
        try:
            made = actions.create_override(
                said["schedule"].pk, actor=actor, user_id=said["user"].pk, start=said["start"], end=said["end"],
                slot=said["slot"], reason=said["reason"], force=said.get("force", ""),
            )  # fmt: skip
        except DeskError as error:
            form.add_error(error.field if error.field in form.fields else None, error.detail)
            findings = _looked_ahead(form)
        else:
            _warn(request, made.findings)
            messages.success(request, f"{made.row.user} is {made.row.slot} then. Everybody concerned was told.")
            return redirect("rotations:oncall")
    elif is_checked and form.is_valid():
        findings = _looked_ahead(form)
    context = {
        "section": "oncall", "tab": "oncall", "form": form, "findings": findings,
        "is_checked": is_checked and form.is_valid(),
    }  # fmt: skip
    return page(request, "console/plan_shift.html", context)


def _looked_ahead(form: Form) -> list[dict[str, Any]]:
    said = form.cleaned_data
    if not all(said.get(name) for name in ("schedule", "user", "start", "end")) or said["end"] <= said["start"]:
        return []
    slot = BACKUP if said["slot"] == BACKUP else PRIMARY
    return planning.in_words(foreseen(said["schedule"], slot, said["user"], said["start"], said["end"]))


Verb = Callable[[HttpRequest, Actor, QueryDict], Any]


def _take(request: HttpRequest, actor: Actor, said: QueryDict) -> None:
    made = actions.take_shift(_key(said, "schedule"), actor=actor, slot=said.get("slot", "primary"))
    messages.success(request, f"You are {made.slot} now. Pages ring you from this moment.")


def _offer(request: HttpRequest, actor: Actor, said: QueryDict) -> None:
    form = SwapForm(said, but=actor.user_id)
    if not form.is_valid():
        raise _first_error(form)
    data = form.cleaned_data
    made = actions.offer_swap(
        data["schedule"].pk, actor=actor, start=data["start"], end=data["end"], slot=data["slot"],
        taker_id=data["taker"].pk if data["taker"] else None,
        return_start=data["return_start"], return_end=data["return_end"], note=data["note"],
    )  # fmt: skip
    _warn(request, made.findings)
    messages.success(request, "Offered. The shift stays yours until somebody takes it.")


def _accept_swap(request: HttpRequest, actor: Actor, said: QueryDict) -> None:
    made = actions.accept_swap(
        _key(said, "swap"), actor=actor, taker_id=_number_or_none(said.get("taker", "")), force=said.get("force", "")
    )
    _warn(request, made.findings)
    messages.success(request, f"Agreed: {made.row.taker} takes it. The calendar shows it already.")


def _ask_leave(request: HttpRequest, actor: Actor, said: QueryDict) -> None:
    form = LeaveForm(said)
    if not form.is_valid():
        raise _first_error(form)
    data = form.cleaned_data
    asked = actions.ask_leave(actor=actor, start=data["start"], end=data["end"], kind=data["kind"], note=data["note"])
    if asked.row.state == Leave.State.APPROVED:
        messages.success(request, "Get well. Whoever is next in line has stepped up, and your manager knows.")
        return
    messages.success(request, "Asked for. You hear when it is decided.")
    if asked.hits:
        messages.warning(request, f"You are on duty {len(asked.hits)} times in it: offer those shifts to somebody.")


def _import_leave(request: HttpRequest, actor: Actor, said: QueryDict) -> None:
    sent = request.FILES.get("file")
    if sent is None:
        raise Invalid("Choose a calendar file first.", field="file")
    read = actions.import_leave(actor=actor, data=sent.read())
    messages.success(request, f"Read: {read.added} new, {read.changed} changed, {read.waiting} wait for a manager.")


def _contact(request: HttpRequest, actor: Actor, said: QueryDict) -> None:
    hours = said.get("hours", "")
    if not hours.isdigit() or not 1 <= int(hours) <= 24:
        raise Invalid("For one to 24 hours.", field="hours")
    change = _key(said, "schedule")
    hand_off = actions.name_contact(change, actor=actor, until=_after_hand_off(change, actor, int(hours)))
    messages.success(request, f"{hand_off.contact} is shown as the one to ask.")


def _after_hand_off(schedule_id: int, actor: Actor, hours: int) -> datetime:
    """So many hours after the hand-off the contact speaks of: the one behind them, else the next."""
    now = instants.now()
    behind = [one.at for one in own.just_left(actor.user_id or 0, now) if one.schedule_id == schedule_id]
    ahead = [
        one.change.at for one in own.duties(actor.user_id or 0, now) if one.change and one.schedule.pk == schedule_id
    ]
    return max(now, *(behind or ahead or [now])) + timedelta(hours=hours)


# What each button of the rota calls: the same verbs as every other door.
VERBS: dict[str, Verb] = {
    "take": _take,
    "cancel-override": lambda request, actor, said: actions.cancel_override(_key(said, "override"), actor=actor),
    "offer": _offer,
    "accept-swap": _accept_swap,
    "decline-swap": lambda request, actor, said: actions.decline_swap(_key(said, "swap"), actor=actor),
    "withdraw-swap": lambda request, actor, said: actions.withdraw_swap(_key(said, "swap"), actor=actor),
    "ask-leave": _ask_leave,
    "approve-leave": lambda request, actor, said: actions.approve_leave(
        _key(said, "leave"), actor=actor, promote="promote" in said
    ),
    "refuse-leave": lambda request, actor, said: actions.refuse_leave(
        _key(said, "leave"), actor=actor, reason=said.get("reason", "")
    ),
    "cancel-leave": lambda request, actor, said: actions.cancel_leave(_key(said, "leave"), actor=actor),
    "import-leave": _import_leave,
    "follow-calendar": lambda request, actor, said: actions.follow_calendar(
        actor=actor, address=said.get("address", "")
    ),
    "forget-calendar": lambda request, actor, said: actions.forget_calendar(actor=actor),
    "note": lambda request, actor, said: actions.write_note(
        _key(said, "schedule"), actor=actor, note=said.get("note", "")
    ),
    "accept-note": lambda request, actor, said: actions.accept_hand_off(_key(said, "hand_off"), actor=actor),
    "contact": _contact,
    "shadow": lambda request, actor, said: actions.shadow(
        _key(said, "schedule"), actor=actor, start=_instant(said, "start"), end=_instant(said, "end")
    ),
    "leave-shadow": lambda request, actor, said: actions.leave_shadow(_key(said, "shadow"), actor=actor),
    "renew-feed": lambda request, actor, said: actions.renew_feed(
        actor=actor, schedule_id=_number_or_none(said.get("schedule", ""))
    ),
}


@require_POST
@door("console", staff=True)
def act(request: HttpRequest, actor: Actor, verb: str) -> HttpResponse:
    """Press one button of the rota."""
    if verb not in VERBS:
        raise NotFound("There is no such verb.")
    VERBS[verb](request, actor, request.POST)
    return redirect(back(request, "/console/on-call/"))


def _warn(request: HttpRequest, findings: Iterable[Finding]) -> None:
    for one in planning.in_words(findings):
        messages.warning(request, f"{one['person']}: {one['text']} ({one['rule']})")


def _first_error(form: Form) -> Invalid:
    field, errors = next(iter(form.errors.items()))
    label = form.fields[field].label or field if field in form.fields else ""
    return Invalid(f"{label}: {errors[0]}" if label else str(errors[0]), field=field)


def _key(said: QueryDict, field: str) -> int:
    found = _number_or_none(said.get(field, ""))
    if found is None:
        raise Invalid("This is not one of the choices.", field=field)
    return found


def _number_or_none(said: str) -> int | None:
    return int(said) if said.isascii() and said.isdigit() and len(said) <= MOST_NUMBER else None


def _instant(said: QueryDict, field: str) -> datetime:
    value = InstantField().to_python(said.get(field, ""))
    if value is None:
        raise Invalid("Say when.", field=field)
    return value


def _weeks_around(first: date, days: int) -> dict[str, date]:
    return {
        "first": first,
        "last": first + timedelta(days=days - 1),
        "before": first - timedelta(days=days),
        "after": first + timedelta(days=days),
    }


def _first_day(request: HttpRequest) -> date:
    """The Monday of the asked week, in the reader's zone."""
    asked = request.GET.get("week", "")
    try:
        day = date.fromisoformat(asked) if asked else timezone.localdate(instants.now())
    except ValueError as error:
        raise Invalid("A week is named by one of its days: 2026-11-23.", field="week") from error
    if not 2000 <= day.year <= 2100:
        raise Invalid("The calendar shows the years from 2000 to 2100.", field="week")
    return day - timedelta(days=day.weekday())

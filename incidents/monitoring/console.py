"""Monitoring in the console: what fires, what should call, what is held back, which figures are watched."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_GET, require_POST

from incidents.models import Alert, AlertStorm, AnomalyFiring, HeartbeatMonitor, MaintenanceWindow, Series
from incidents.monitoring import anomaly, charts, intake, maintenance, scraping, watching, windows
from incidents.monitoring import series as series_work
from incidents.monitoring.forms import HeartbeatForm, SeriesForm, TryForm, WindowForm
from supportdesk import instants, integrations
from supportdesk.actors import Actor
from supportdesk.errors import NotFound
from supportdesk.integrations.base import BadPayload
from supportdesk.integrations.monitors import Monitor
from supportdesk.queue import outbox
from supportdesk.web.doors import door
from supportdesk.web.pages import page

SHOWN = 100
CHART_LENGTH = timedelta(hours=24)
TABS = (
    ("monitoring", "Alerts"),
    ("heartbeats", "Heartbeats"),
    ("maintenance", "Maintenance"),
    ("all-series", "Figures"),
    ("try-payload", "Try a payload"),
)


def _page(request: HttpRequest, template: str, tab: str, context: dict[str, Any]) -> HttpResponse:
    return page(
        request, f"console/monitoring/{template}.html", {"section": "monitoring", "tabs": TABS, "tab": tab} | context
    )


# --- alerts ----------------------------------------------------------------------------------------------------------


@require_GET
@door("console", staff=True)
def list_alerts(request: HttpRequest, actor: Actor) -> HttpResponse:
    """What fires, and what fired last."""
    alerts = Alert.objects.select_related("organization", "service", "incident", "connection").filter(count__gt=0)
    now = instants.now()
    context = {
        "firing": list(alerts.filter(status=Alert.Status.FIRING).order_by("-first_at")[:SHOWN]),
        "resolved": list(alerts.filter(status=Alert.Status.RESOLVED).order_by("-last_at")[:30]),
        "storms": list(
            AlertStorm.objects.select_related("connection").filter(last_at__gt=now - timedelta(days=1))[:10]
        ),
    }
    return _page(request, "alerts", "monitoring", context)


# --- heartbeats ------------------------------------------------------------------------------------------------------


@require_GET
@door("console", staff=True)
def list_heartbeats(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Every job that should call."""
    rows = HeartbeatMonitor.objects.select_related("organization", "service")
    return _page(request, "heartbeats", "heartbeats", {"heartbeats": rows})


@door("console", staff=True)
def edit_heartbeat(request: HttpRequest, actor: Actor, pk: int | None = None) -> HttpResponse:
    """Make a heartbeat, or look at one and change it."""
    row = _found(HeartbeatMonitor, pk) if pk else HeartbeatMonitor()
    form = HeartbeatForm(request.POST or None, instance=row)
    if request.method == "POST" and form.is_valid():
        saved = watching.save(form.save(commit=False), actor=actor)
        messages.success(request, f"Saved. {saved.name} calls {watching.address(saved)}")
        return redirect("console:heartbeat", saved.pk)
    calls = row.calls.all()[:20] if row.pk else []
    context = {"form": form, "row": row, "address": watching.address(row) if row.pk else "", "calls": calls}
    return _page(request, "heartbeat", "heartbeats", context)


_HEARTBEAT_VERBS: dict[str, Callable[..., Any]] = {"pause": watching.pause, "resume": watching.resume}


@require_POST
@door("console", staff=True)
def act_on_heartbeat(request: HttpRequest, actor: Actor, pk: int, verb: str) -> HttpResponse:
    """Pause it, or go on."""
    if verb not in _HEARTBEAT_VERBS:
        raise NotFound("There is no such verb.")
    _HEARTBEAT_VERBS[verb](pk, actor=actor)
    return redirect("console:heartbeat", pk)


# --- maintenance -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Scheduled:
    """A window with the occurrence that is open or comes next; None: it is over for good."""

    row: MaintenanceWindow
    next: windows.Occurrence | None
    is_open: bool


@require_GET
@door("console", staff=True)
def list_windows(request: HttpRequest, actor: Actor) -> HttpResponse:
    """What is held back now, what will be, and what is held back by it."""
    now = instants.now()
    rows = MaintenanceWindow.objects.select_related("organization", "connection").prefetch_related("services")
    scheduled = [_scheduled(row, now) for row in rows.order_by("-is_enabled", "first_day")[:SHOWN]]
    held = Alert.objects.filter(status=Alert.Status.FIRING, suppressed_until__isnull=False).select_related("service")
    return _page(request, "maintenance", "maintenance", {"scheduled": scheduled, "held": held[:SHOWN]})


def _scheduled(row: MaintenanceWindow, now: Any) -> Scheduled:
    upcoming = windows.upcoming(row.value(), now) if row.is_enabled else None
    return Scheduled(row, upcoming, bool(upcoming and upcoming.holds(now)))


@door("console", staff=True)
def edit_window(request: HttpRequest, actor: Actor, pk: int | None = None) -> HttpResponse:
    """Schedule maintenance, or change it."""
    row = _found(MaintenanceWindow, pk) if pk else MaintenanceWindow()
    form = WindowForm(request.POST or None, instance=row)
    if request.method == "POST" and form.is_valid():
        maintenance.save(form.save(commit=False), form.cleaned_data["services"], actor=actor)
        messages.success(request, "Saved. Customers' reports are never held back.")
        return redirect("console:maintenance")
    return _page(request, "window", "maintenance", {"form": form, "row": row})


@require_POST
@door("console", staff=True)
def call_off(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    """End a window now: what still fires pages at once."""
    maintenance.call_off(pk, actor=actor)
    messages.success(request, "Called off. What still fires pages now.")
    return redirect("console:maintenance")


# --- figures ---------------------------------------------------------------------------------------------------------


@require_GET
@door("console", staff=True)
def list_series(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Every series, and whether it may speak."""
    rows = Series.objects.select_related("organization", "service").annotate(
        open_firings=Count("firings", filter=Q(firings__ended_at=None))
    )
    return _page(request, "all_series", "all-series", {"all_series": rows})


@require_GET
@door("console", staff=True)
def show_series(request: HttpRequest, actor: Actor, key: str) -> HttpResponse:
    """One series: what came, what is usual, why it fired, and whether it may speak."""
    row = Series.objects.select_related("organization", "service", "connection").filter(key=key).first()
    if row is None:
        raise NotFound("There is no such series.")
    firings = list(row.firings.select_related("alert", "incident", "judged_by")[:20])
    asked = request.GET.get("firing", "")
    shown = next((one for one in firings if str(one.pk) == asked), None)
    context = {
        "row": row,
        "firings": firings,
        "shown": shown,
        "chart": _chart(row, shown),
        "can_enable": row.replay.get("may_enable"),
    }
    return _page(request, "series", "all-series", context)


def _chart(row: Series, firing: AnomalyFiring | None) -> charts.Chart | None:
    """The day around a firing with what was usual then, or the last day with what is usual now."""
    now = instants.now()
    if firing is not None:
        until = min(firing.began_at + CHART_LENGTH / 4, now)
        points = [p for p in series_work.recent(row, firing.began_at - CHART_LENGTH / 2) if p.at <= until]
        usual, scale = firing.evidence.get("usual"), firing.evidence.get("scale", 0.0)
        return charts.draw(points, usual=usual, scale=scale, began_at=firing.began_at)
    known = row.memory.get("usual") or {}
    is_known = known.get("samples", 0) >= anomaly.FEWEST_SAMPLES
    return charts.draw(
        series_work.recent(row, now - CHART_LENGTH),
        usual=known.get("usual") if is_known else None,
        scale=known.get("scale", 0.0),
    )


@door("console", staff=True)
def edit_series(request: HttpRequest, actor: Actor, key: str | None = None) -> HttpResponse:
    """Watch a figure, or change how it is watched."""
    row = (Series.objects.filter(key=key).first() if key else Series()) or None
    if row is None:
        raise NotFound("There is no such series.")
    form = SeriesForm(request.POST or None, instance=row)
    if request.method == "POST" and form.is_valid():
        saved = series_work.save(form.save(commit=False), actor=actor)
        scraping.plan(saved)
        return redirect("console:series", saved.key)
    return _page(request, "edit_series", "all-series", {"form": form, "row": row})


_SERIES_VERBS: dict[str, Callable[..., Any]] = {
    "replay": series_work.ask_replay,
    "enable": series_work.enable,
    "switch-off": series_work.switch_off,
}


@require_POST
@door("console", staff=True)
def act_on_series(request: HttpRequest, actor: Actor, key: str, verb: str) -> HttpResponse:
    """Replay, enable, switch off."""
    row = Series.objects.filter(key=key).first()
    if row is None or verb not in _SERIES_VERBS:
        raise NotFound("There is nothing at this address.")
    _SERIES_VERBS[verb](row, actor=actor)
    return redirect("console:series", key)


@require_POST
@door("console", staff=True)
def judge_firing(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    """Useful, or noise."""
    if not AnomalyFiring.objects.filter(pk=pk).exists():
        raise NotFound("There is no such firing.")
    firing = series_work.judge(pk, actor=actor, verdict=request.POST.get("verdict", ""))
    return redirect("console:series", firing.series.key)


# --- try a payload ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Tried:
    """One alarm of a payload, and what would come of it."""

    signal: dict[str, Any]
    words: str


@door("console", staff=True)
def try_payload(request: HttpRequest, actor: Actor) -> HttpResponse:
    """What would come of a payload: read as the monitor's, applied and taken back."""
    vendors = [one.slug for one in integrations.all() if issubclass(one, Monitor)]
    form = TryForm(request.POST or None, vendors=vendors, initial={"connection": request.GET.get("connection")})
    tried: list[Tried] = []
    if request.method == "POST" and form.is_valid():
        connection = form.cleaned_data["connection"]
        reader = outbox.build(connection)
        assert isinstance(reader, Monitor)
        try:
            replies = reader.read(form.cleaned_data["payload"].encode(), {})
        except BadPayload as error:
            form.add_error("payload", f"It would be refused: {error.detail}.")
        else:
            signals = [reply.data["signal"] for reply in replies if "signal" in reply.data]
            sender = intake.Sender.over(connection)
            tried = [Tried(signal, intake.preview(sender, signal).words) for signal in signals[:20]]
    return _page(request, "try", "try-payload", {"form": form, "tried": tried})


def _found(model: Any, pk: int) -> Any:
    row = model.objects.filter(pk=pk).first()
    if row is None:
        raise NotFound("There is nothing at this address.")
    return row

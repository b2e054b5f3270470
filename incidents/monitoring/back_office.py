"""The back office of monitoring. Saving goes through the same verbs as the console and the API."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from incidents.models import AlertRule, HeartbeatMonitor, HeldMail, MaintenanceWindow, Series
from incidents.monitoring import maintenance, scraping, series, watching
from incidents.monitoring.forms import WindowForm
from supportdesk.web.audited import Audited, ReadOnly, actor_of


@admin.register(AlertRule)
class AlertRuleAdmin(Audited):
    """The only way a single signal becomes a P1 (MON-10)."""

    list_display = ("name", "position", "severity", "organization", "connection", "is_enabled")
    list_editable = ("position",)
    list_select_related = ("organization", "connection")
    filter_horizontal = ("services",)


@admin.register(MaintenanceWindow)
class MaintenanceWindowAdmin(Audited):
    form = WindowForm
    list_display = ("name", "first_day", "starts", "ends", "time_zone", "repeats", "is_enabled")
    list_filter = ("is_enabled", "repeats")

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        maintenance.save(obj, form.cleaned_data["services"], actor=actor_of(request))

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        super().delete_model(request, obj)
        maintenance.changed()


@admin.register(HeartbeatMonitor)
class HeartbeatMonitorAdmin(Audited):
    list_display = ("name", "state", "service", "organization", "last_ping_at", "late_at")
    list_filter = ("state",)
    list_select_related = ("service", "organization")
    readonly_fields = ("address", "state", "last_ping_at", "expected_at", "late_at", "pings")

    @admin.display(description="where it calls")
    def address(self, row: HeartbeatMonitor) -> str:
        return watching.address(row) if row.pk else "made when it is saved"

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        watching.save(obj, actor=actor_of(request))


@admin.register(Series)
class SeriesAdmin(Audited):
    list_display = ("name", "key", "state", "service", "organization", "last_at", "last_value", "trouble")
    list_filter = ("state",)
    list_select_related = ("service", "organization")
    prepopulated_fields = {"key": ("name",)}
    readonly_fields = ("state", "replayed_at", "last_at", "last_value", "trouble")

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        series.save(obj, actor=actor_of(request))
        scraping.plan(obj)


@admin.register(HeldMail)
class HeldMailAdmin(ReadOnly):
    """Decided in the console; kept here."""

    list_display = ("received_at", "sender", "subject", "state", "decided_by", "incident")
    list_filter = ("state",)
    list_select_related = ("decided_by", "incident")

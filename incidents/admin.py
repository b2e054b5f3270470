"""The back office of incidents: looked at here, changed in the console; status pages are set up here."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html

from incidents.models import Alert, Breach, Component, Incident, StatusPage
from incidents.monitoring import back_office
from supportdesk.web.audited import Audited, ReadOnly

__all__ = ["back_office"]  # monitoring has pages of its own there


@admin.register(Incident)
class IncidentAdmin(ReadOnly):
    list_display = (
        "ref",
        "title",
        "organization",
        "severity",
        "status",
        "engagement",
        "acknowledged_name",
        "received_at",
        "in_console",
    )
    list_filter = ("severity", "status", "engagement", "source")
    search_fields = ("title", "organization__name")
    list_select_related = ("organization",)
    date_hierarchy = "received_at"

    @admin.display(description="")
    def in_console(self, incident: Incident) -> str:
        return format_html('<a href="{}">Open</a>', reverse("console:incident", args=[incident.pk]))


@admin.register(Alert)
class AlertAdmin(ReadOnly):
    list_display = ("title", "status", "severity", "organization", "service", "count", "last_at", "incident")
    list_filter = ("status", "severity")
    search_fields = ("title", "dedup_key")
    list_select_related = ("organization", "service", "incident")


@admin.register(Breach)
class BreachAdmin(ReadOnly):
    list_display = ("incident", "kind", "cycle", "severity", "due_at", "satisfied_at", "is_counted", "excused_category")
    list_filter = ("kind", "severity")
    list_select_related = ("incident",)


class ComponentInline(admin.TabularInline):
    model = Component
    extra = 0


@admin.register(StatusPage)
class StatusPageAdmin(Audited):
    list_display = ("name", "slug", "is_public", "organization")
    prepopulated_fields = {"slug": ("name",)}
    inlines = (ComponentInline,)

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).select_related("organization")

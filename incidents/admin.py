"""The back office of incidents: looked at here, changed in the console; status pages are set up here."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html

from incidents.models import Alert, Breach, Component, Incident, StatusPage, StatusReader
from incidents.monitoring import back_office
from incidents.status_pages import written
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
    readonly_fields = ("state",)  # what it is changes with a notice, so that its history is whole
    filter_horizontal = ("depends_on",)

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **options: Any) -> Any:
        """What a component depends on is of its own page: readers of one page learn nothing of another."""
        if db_field.name == "depends_on":
            page = request.resolver_match.kwargs.get("object_id") if request.resolver_match else None
            options["queryset"] = Component.objects.filter(page_id=page)
        return super().formfield_for_manytomany(db_field, request, **options)


class StatusReaderInline(admin.TabularInline):
    model = StatusReader
    extra = 0
    verbose_name = "address that may read this private page"
    verbose_name_plural = "addresses that may read this private page; each asks for its link at /status/~link/"


@admin.register(StatusPage)
class StatusPageAdmin(Audited):
    list_display = ("name", "slug", "is_public", "organization")
    prepopulated_fields = {"slug": ("name",)}
    filter_horizontal = ("audience",)
    inlines = (ComponentInline, StatusReaderInline)

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).select_related("organization")

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        written.changed()

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        super().delete_model(request, obj)
        written.changed()

    def delete_queryset(self, request: HttpRequest, queryset: Any) -> None:
        super().delete_queryset(request, queryset)
        written.changed()

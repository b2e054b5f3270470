"""Back office pages that leave a trail: every save says who changed what, from what, to what (INV-8)."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db import models
from django.http import HttpRequest

from supportdesk.actors import Actor
from supportdesk.audit import rows, trail


def actor_of(request: HttpRequest) -> Actor:
    """The manager at the desk."""
    return request.user.actor("admin")  # type: ignore[union-attr]


class Audited(admin.ModelAdmin):
    """Saves and deletions are recorded; deleting is for superusers and only where nothing refers to the row."""

    def save_model(self, request: HttpRequest, obj: models.Model, form: Any, change: bool) -> None:
        before = rows.plain(type(obj)._default_manager.get(pk=obj.pk)) if change else None
        super().save_model(request, obj, form, change)
        rows.record_save(actor_of(request), obj, before)

    def delete_model(self, request: HttpRequest, obj: models.Model) -> None:
        trail.record(actor_of(request), "delete", rows.name_of(obj), before=rows.plain(obj))
        super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: Any) -> None:
        for row in queryset:
            self.delete_model(request, row)

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        super().save_formset(request, form, formset, change)
        for row, fields in formset.changed_objects:
            said = rows.plain(row)
            trail.record(actor_of(request), "change", rows.name_of(row), after={f: said.get(f) for f in fields})
        for row in formset.new_objects:
            trail.record(actor_of(request), "add", rows.name_of(row), after=rows.plain(row))
        for row in formset.deleted_objects:
            trail.record(actor_of(request), "delete", rows.name_of(row), before=rows.plain(row))


class ReadOnly(admin.ModelAdmin):
    """Looked at here, changed elsewhere by its own verbs."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

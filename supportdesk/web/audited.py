"""Back office pages that leave a trail: every save says who changed what, from what, to what (INV-8)."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.core.serializers.python import Serializer
from django.db import models
from django.http import HttpRequest

from supportdesk.actors import Actor
from supportdesk.audit import trail

_SECRET = {"password", "digest", "secrets"}


def actor_of(request: HttpRequest) -> Actor:
    """The manager at the desk."""
    return request.user.actor("admin")  # type: ignore[union-attr]


def plain(row: models.Model) -> dict[str, Any]:
    """A row's fields as plain values, without secrets."""
    (said,) = Serializer().serialize([row])
    return {name: _json(value) for name, value in said["fields"].items() if name not in _SECRET}


def _json(value: Any) -> Any:
    return value if isinstance(value, (str, int, float, bool, list, dict, type(None))) else str(value)


class Audited(admin.ModelAdmin):
    """Saves and deletions are recorded; deleting is for superusers and only where nothing refers to the row."""

    def save_model(self, request: HttpRequest, obj: models.Model, form: Any, change: bool) -> None:
        before = plain(type(obj)._default_manager.get(pk=obj.pk)) if change else None
        super().save_model(request, obj, form, change)
        after = plain(obj)
        if before != after:
            trail.record(
                actor_of(request),
                "change" if change else "add",
                f"{obj._meta.label_lower}:{obj.pk}",
                before=_only_changed(before, after) if before else None,
                after=_only_changed(after, before or {}),
            )

    def delete_model(self, request: HttpRequest, obj: models.Model) -> None:
        trail.record(actor_of(request), "delete", f"{obj._meta.label_lower}:{obj.pk}", before=plain(obj))
        super().delete_model(request, obj)

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        super().save_formset(request, form, formset, change)
        for row, fields in formset.changed_objects:
            trail.record(
                actor_of(request),
                "change",
                f"{row._meta.label_lower}:{row.pk}",
                after={f: plain(row).get(f) for f in fields},
            )
        for row in formset.new_objects:
            trail.record(actor_of(request), "add", f"{row._meta.label_lower}:{row.pk}", after=plain(row))
        for row in formset.deleted_objects:
            trail.record(actor_of(request), "delete", f"{row._meta.label_lower}:{row.pk}", before=plain(row))


def _only_changed(said: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in said.items() if name not in other or other[name] != value}


class ReadOnly(admin.ModelAdmin):
    """Looked at here, changed elsewhere by its own verbs."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

"""The back office of schedules and policies."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from rotations.confirming import ConfirmsWhoIsPaged
from rotations.models import (
    EscalationPolicy,
    Layer,
    Leave,
    Override,
    PolicyRule,
    RotationMember,
    RotationRevision,
    Schedule,
    Swap,
)
from supportdesk.web.audited import Audited


class TouchesSchedules(ConfirmsWhoIsPaged, Audited):
    """Whatever is saved here changes who is on call: it is shown first, and the compiled schedules are made anew."""

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        self._touch(form.instance)

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        super().delete_model(request, obj)
        self._touch(obj)

    def _touch(self, obj: Any) -> None:
        own = _schedule_of(obj)
        for schedule in [own] if own else Schedule.objects.all():
            schedule.touch()


def _schedule_of(obj: Any) -> Schedule | None:
    """The one schedule a row belongs to; leave belongs to all."""
    if isinstance(obj, Schedule):
        return obj
    if isinstance(obj, RotationRevision):
        return obj.layer.schedule
    return getattr(obj, "schedule", None)


class LayerInline(admin.TabularInline):
    model = Layer
    extra = 0
    show_change_link = True


@admin.register(Schedule)
class ScheduleAdmin(TouchesSchedules):
    list_display = ("name", "fallback", "manager", "duty")
    prepopulated_fields = {"slug": ("name",)}
    autocomplete_fields = ("fallback", "manager")
    inlines = (LayerInline,)


class RevisionInline(admin.TabularInline):
    model = RotationRevision
    extra = 0
    show_change_link = True


@admin.register(Layer)
class LayerAdmin(TouchesSchedules):
    list_display = ("name", "schedule", "slot", "time_zone", "window_start", "window_end", "priority")
    list_select_related = ("schedule",)
    inlines = (RevisionInline,)


class MemberInline(admin.TabularInline):
    model = RotationMember
    extra = 0
    autocomplete_fields = ("user",)


@admin.register(RotationRevision)
class RotationRevisionAdmin(TouchesSchedules):
    list_display = ("layer", "effective_from", "unit", "every", "anchor")
    list_select_related = ("layer__schedule",)
    inlines = (MemberInline,)


@admin.register(Override)
class OverrideAdmin(TouchesSchedules):
    list_display = ("schedule", "slot", "user", "start", "end", "reason")
    list_filter = ("schedule", "slot")
    autocomplete_fields = ("user",)
    list_select_related = ("schedule", "user")


@admin.register(Leave)
class LeaveAdmin(TouchesSchedules):
    list_display = ("user", "start", "end", "kind", "state")
    list_filter = ("state", "kind")
    autocomplete_fields = ("user",)
    list_select_related = ("user",)


@admin.register(Swap)
class SwapAdmin(TouchesSchedules):
    list_display = ("schedule", "slot", "giver", "taker", "start", "end", "state")
    list_filter = ("state",)
    autocomplete_fields = ("giver", "taker")
    list_select_related = ("schedule", "giver", "taker")


@admin.register(EscalationPolicy)
class EscalationPolicyAdmin(ConfirmsWhoIsPaged, Audited):
    """Edits hold for later escalations; a running one keeps the copy it began with (ESC-4).

    One that cannot keep what was promised is refused (ESC-1).
    """

    list_display = ("name", "schedule", "repeat", "version")
    list_select_related = ("schedule",)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if change:
            obj.version += 1
        super().save_model(request, obj, form, change)


@admin.register(PolicyRule)
class PolicyRuleAdmin(ConfirmsWhoIsPaged, Audited):
    list_display = ("severity", "plan", "organization", "service", "policy")
    list_filter = ("severity", "plan")
    list_select_related = ("plan", "organization", "service", "policy")

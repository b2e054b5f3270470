"""Who is on call, now and in a range, and who takes a shift or is put on one."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar

from django.urls import path
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from rotations import actions, boards, oncall
from rotations.api.rota.asking import SPAN, listed, of_schedule, schedule_of, span, staff
from rotations.api.rota.fields import FindingShown, by_slug, colleague, email, warnings
from rotations.models import Layer, Override, Schedule
from rotations.schedule import OnCall
from rotations.shifts import Final
from supportdesk import instants
from supportdesk.accounts.models import User
from supportdesk.errors import NotFound
from supportdesk.web.api.rooms import read
from supportdesk.web.api.strict import StrictSerializer
from supportdesk.web.api.tokens import HasScope


class TakeBody(StrictSerializer):
    slot = serializers.ChoiceField(Layer.Slot.choices, required=False)
    until = serializers.DateTimeField(required=False)


class OverrideBody(StrictSerializer):
    schedule = by_slug(Schedule.objects.all())
    person = colleague()
    slot = serializers.ChoiceField(Layer.Slot.choices, required=False)
    start = serializers.DateTimeField()
    end = serializers.DateTimeField()
    reason = serializers.CharField(max_length=200, required=False, allow_blank=True)
    force = serializers.CharField(
        max_length=200, required=False, allow_blank=True, help_text="managers: why, against a limit of fatigue"
    )


class OverrideShown(serializers.ModelSerializer[Override]):
    schedule = serializers.CharField(source="schedule.slug", read_only=True)
    person = email("user")

    class Meta:
        model = Override
        fields: ClassVar[Any] = ("id", "schedule", "slot", "person", "start", "end", "reason", "created_at")
        read_only_fields = fields


class OverrideMade(OverrideShown):
    """The override, and what it does to whoever takes over."""

    warnings = FindingShown(many=True, read_only=True)

    class Meta(OverrideShown.Meta):
        fields: ClassVar[Any] = (*OverrideShown.Meta.fields, "warnings")


class SeatShown(serializers.Serializer):
    person = serializers.EmailField(allow_null=True)
    name = serializers.CharField(allow_null=True)
    reason = serializers.CharField(allow_null=True)
    layer = serializers.CharField(allow_null=True)
    shift_start = serializers.DateTimeField(allow_null=True)
    shift_end = serializers.DateTimeField(allow_null=True)


class OnCallShown(serializers.Serializer):
    """A schedule at an instant; `handover_contact` answers questions and is not paged."""

    schedule = serializers.SlugField()
    at = serializers.DateTimeField()
    primary = SeatShown()
    backup = SeatShown()
    handover_contact = serializers.EmailField(allow_null=True)
    changes_at = serializers.DateTimeField(allow_null=True)


class ShiftShown(serializers.Serializer):
    slot = serializers.CharField()
    person = serializers.EmailField(allow_null=True)
    start = serializers.DateTimeField()
    end = serializers.DateTimeField()
    layer = serializers.CharField(allow_null=True)
    reason = serializers.CharField()
    shift_start = serializers.DateTimeField()
    shift_end = serializers.DateTimeField()


class GapShown(serializers.Serializer):
    slot = serializers.CharField()
    start = serializers.DateTimeField()
    end = serializers.DateTimeField()


class FinalShown(serializers.Serializer):
    """The final schedule of a range. A gap in primary: whoever is the fallback is called."""

    schedule = serializers.SlugField()
    start = serializers.DateTimeField()
    end = serializers.DateTimeField()
    shifts = ShiftShown(many=True)
    gaps = GapShown(many=True)


def _seat(person: str | None, hold: Any, known: Mapping[str, User]) -> dict[str, Any]:
    user = known.get(person or "")
    return {
        "person": user.email if user else None,
        "name": user.name if user else None,
        "reason": hold.reason.value if hold else None,
        "layer": hold.layer if hold else None,
        "shift_start": hold.shift_start if hold else None,
        "shift_end": hold.shift_end if hold else None,
    }


def on_call(row: Schedule, held: OnCall, known: Mapping[str, User], now: datetime) -> dict[str, Any]:
    """Who holds a schedule, as `OnCallShown` wants it."""
    contact = known.get(held.handover_contact or "")
    return {
        "schedule": row.slug,
        "at": now,
        "primary": _seat(held.primary, held.primary_shift, known),
        "backup": _seat(held.backup, held.backup_shift, known),
        "handover_contact": contact.email if contact else None,
        "changes_at": held.changes_at,
    }


def shown_final(row: Schedule, found: Final, known: Mapping[str, User]) -> dict[str, Any]:
    """A final schedule, as `FinalShown` wants it; shifts and gaps in order of time."""
    shifts = [
        {
            **shift._asdict(),
            "person": known[shift.person].email if shift.person in known else None,
            "reason": shift.reason.value,
        }
        for shift in sorted(found.shifts, key=lambda shift: (shift.start, shift.slot != "primary"))
    ]
    gaps = [gap._asdict() for gap in sorted(found.gaps, key=lambda gap: gap.start)]
    return {"schedule": row.slug, "start": found.start, "end": found.end, "shifts": shifts, "gaps": gaps}


class OnCallView(APIView):
    """Who holds every schedule right now."""

    permission_classes = [HasScope]
    scopes = {"GET": "read"}

    @extend_schema(operation_id="on_call_now", responses=OnCallShown(many=True))
    def get(self, request: Request) -> Response:
        staff(request)
        now = instants.now()
        rows = list(Schedule.objects.order_by("duty", "name"))
        held = [schedule.who(now) for schedule in oncall.schedules(rows)]
        ids = {p for one in held for p in (one.primary, one.backup, one.handover_contact) if p}
        known = boards.people(ids)
        shown = [on_call(row, one, known, now) for row, one in zip(rows, held, strict=True)]
        return Response(OnCallShown(shown, many=True).data)


class ShiftsView(APIView):
    """The final schedule of a range: every shift and every gap, cut at both ends."""

    permission_classes = [HasScope]
    scopes = {"GET": "read"}

    @extend_schema(operation_id="schedule_shifts", parameters=SPAN, responses=FinalShown)
    def get(self, request: Request, slug: str) -> Response:
        staff(request)
        row = schedule_of(slug)
        start, end = span(request)
        final = oncall.schedule(row).shifts(start, end)
        known = boards.people({shift.person for shift in final.shifts})
        return Response(FinalShown(shown_final(row, final, known)).data)


class TakeView(APIView):
    """Take this shift now: the caller is on duty from this moment."""

    permission_classes = [HasScope]
    scopes = {"POST": "operate"}

    @extend_schema(operation_id="schedule_take", request=TakeBody, responses=OverrideShown)
    def post(self, request: Request, slug: str) -> Response:
        actor, said = staff(request), read(TakeBody, request)
        return Response(OverrideShown(actions.take_shift(schedule_of(slug).pk, actor=actor, **said)).data)


class OverrideList(APIView):
    """`GET` lists overrides of a range, `POST` puts somebody on duty."""

    permission_classes = [HasScope]
    scopes = {"GET": "read", "POST": "operate"}

    @extend_schema(
        operation_id="overrides_list",
        parameters=[*SPAN, OpenApiParameter("schedule", str)],
        responses=OverrideShown(many=True),
    )
    def get(self, request: Request) -> Response:
        staff(request)
        start, end = span(request)
        rows = (
            Override.objects.filter(start__lt=end, end__gt=start).select_related("schedule", "user").order_by("start")
        )
        rows = of_schedule(request, rows)
        return listed(self, request, rows, lambda row: OverrideShown(row).data)

    @extend_schema(operation_id="overrides_add", request=OverrideBody, responses={201: OverrideMade})
    def post(self, request: Request) -> Response:
        actor, said = staff(request), read(OverrideBody, request)
        schedule, user = said.pop("schedule"), said.pop("person")
        made = actions.create_override(schedule.pk, actor=actor, user_id=user.pk, **said)
        body = {**OverrideShown(made.row).data, "warnings": warnings(made.findings)}
        return Response(body, status=status.HTTP_201_CREATED)


class OverrideItem(APIView):
    """One override; `DELETE` takes it back: one that has begun ends now."""

    permission_classes = [HasScope]
    scopes = {"GET": "read", "DELETE": "operate"}

    @extend_schema(operation_id="overrides_read", responses=OverrideShown)
    def get(self, request: Request, pk: int) -> Response:
        staff(request)
        row = Override.objects.select_related("schedule", "user").filter(pk=pk).first()
        if row is None:
            raise NotFound("There is no such override.")
        return Response(OverrideShown(row).data)

    @extend_schema(operation_id="overrides_cancel", responses={204: None})
    def delete(self, request: Request, pk: int) -> Response:
        actions.cancel_override(pk, actor=staff(request))
        return Response(status=status.HTTP_204_NO_CONTENT)


urlpatterns = [
    path("on-call/", OnCallView.as_view(), name="on-call"),
    path("schedules/<slug:slug>/shifts/", ShiftsView.as_view(), name="schedule-shifts"),
    path("schedules/<slug:slug>/take/", TakeView.as_view(), name="schedule-take"),
    path("overrides/", OverrideList.as_view(), name="overrides"),
    path("overrides/<int:pk>/", OverrideItem.as_view(), name="override"),
]

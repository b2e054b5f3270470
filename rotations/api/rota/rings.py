"""Schedules, their layers, and who turns in them (ROT-10)."""

from __future__ import annotations

from typing import Any, ClassVar

from django.urls import path
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from rotations import actions
from rotations.api.rota.asking import seen_by_staff, staff
from rotations.api.rota.fields import by_slug, colleague, email
from rotations.models import Layer, RotationRevision, Schedule
from supportdesk.errors import NotFound
from supportdesk.web.api.rooms import Room, read, urls
from supportdesk.web.api.strict import StrictSerializer
from supportdesk.web.api.tokens import HasScope

LONGEST_RING = 100


class ScheduleBody(StrictSerializer):
    name = serializers.CharField(max_length=120)
    slug = serializers.SlugField(max_length=50)
    backup_offset = serializers.IntegerField(min_value=-100, max_value=100, required=False)
    fallback = colleague(required=False, allow_null=True)
    manager = colleague(required=False, allow_null=True)
    duty = serializers.BooleanField(required=False)


class LayerBody(StrictSerializer):
    schedule = by_slug(Schedule.objects.all())
    name = serializers.CharField(max_length=60)
    slot = serializers.ChoiceField(Layer.Slot.choices, required=False)
    time_zone = serializers.CharField(max_length=64)
    window_start = serializers.TimeField(required=False, allow_null=True)
    window_end = serializers.TimeField(required=False, allow_null=True)
    weekdays = serializers.ListField(
        child=serializers.IntegerField(min_value=0, max_value=6), required=False, max_length=7, help_text="0 is Monday"
    )
    priority = serializers.IntegerField(min_value=-1000, max_value=1000, required=False)
    position = serializers.IntegerField(min_value=0, max_value=1000, required=False)
    confirm = serializers.BooleanField(required=False, help_text="a gap that this opens soon is meant")


class RingBody(StrictSerializer):
    ring = serializers.ListField(child=colleague(), min_length=1, max_length=LONGEST_RING)
    at_once = serializers.BooleanField(required=False, help_text="whoever is taken out is relieved now")
    confirm = serializers.BooleanField(required=False, help_text="a gap that this opens soon is meant")


class RevisionBody(StrictSerializer):
    effective_from = serializers.DateTimeField(required=False, allow_null=True, default=None)
    unit = serializers.ChoiceField(RotationRevision.Unit.choices)
    every = serializers.IntegerField(min_value=1, max_value=1000)
    anchor = serializers.RegexField(
        r"\A\d{4}-\d\d-\d\dT\d\d:\d\d\Z", help_text="local time of hand-off 0: 2026-03-23T09:00"
    )
    ring = serializers.ListField(child=colleague(), min_length=1, max_length=LONGEST_RING)
    start_index = serializers.IntegerField(min_value=0, max_value=LONGEST_RING, required=False, default=0)
    confirm = serializers.BooleanField(required=False, help_text="a gap that this opens soon is meant")


class ScheduleShown(serializers.ModelSerializer[Schedule]):
    fallback = email("fallback")
    manager = email("manager")

    class Meta:
        model = Schedule
        fields: ClassVar[Any] = ("id", "slug", "name", "backup_offset", "fallback", "manager", "duty")
        read_only_fields = fields


class LayerShown(serializers.ModelSerializer[Layer]):
    schedule = serializers.CharField(source="schedule.slug", read_only=True)

    class Meta:
        model = Layer
        fields: ClassVar[Any] = (
            "id",
            "schedule",
            "name",
            "slot",
            "time_zone",
            "window_start",
            "window_end",
            "weekdays",
            "priority",
            "position",
        )
        read_only_fields = fields


class RevisionShown(serializers.ModelSerializer[RotationRevision]):
    ring = serializers.SerializerMethodField()

    class Meta:
        model = RotationRevision
        fields: ClassVar[Any] = ("id", "effective_from", "unit", "every", "anchor", "start_index", "ring")
        read_only_fields = fields

    def get_ring(self, row: RotationRevision) -> list[str]:
        return [member.user.email for member in row.members.all()]


class RevisionList(APIView):
    """The dated revisions of a layer; `POST` adds one that takes effect ahead (managers)."""

    permission_classes = [HasScope]
    scopes = {"GET": "read", "POST": "manage"}

    @extend_schema(operation_id="revisions_list", responses=RevisionShown(many=True))
    def get(self, request: Request, pk: int) -> Response:
        staff(request)
        if not Layer.objects.filter(pk=pk).exists():
            raise NotFound("There is no such layer.")
        rows = RotationRevision.objects.filter(layer=pk).prefetch_related("members__user")
        return Response(RevisionShown(rows, many=True).data)

    @extend_schema(operation_id="revisions_add", request=RevisionBody, responses={201: RevisionShown})
    def post(self, request: Request, pk: int) -> Response:
        actor, said = staff(request), read(RevisionBody, request)
        ring = [person.pk for person in said.pop("ring")]
        made = actions.add_revision(pk, actor=actor, ring=ring, **said)
        return Response(RevisionShown(made).data, status=status.HTTP_201_CREATED)


class RingView(APIView):
    """A new ring for a layer, from its next hand-off on (managers)."""

    permission_classes = [HasScope]
    scopes = {"POST": "manage"}

    @extend_schema(operation_id="layers_change_ring", request=RingBody, responses=RevisionShown)
    def post(self, request: Request, pk: int) -> Response:
        actor, said = staff(request), read(RingBody, request)
        ring = [person.pk for person in said.pop("ring")]
        return Response(RevisionShown(actions.change_ring(pk, actor=actor, ring=ring, **said)).data)


ROOMS = [
    Room(
        "schedules",
        "slug",
        seen_by_staff(lambda: Schedule.objects.select_related("fallback", "manager").order_by("name")),
        ScheduleShown,
        ScheduleBody,
        actions.save_schedule,
    ),
    Room(
        "layers",
        "pk",
        seen_by_staff(lambda: Layer.objects.select_related("schedule").order_by("schedule", "-priority", "position")),
        LayerShown,
        LayerBody,
        actions.save_layer,
        filters=("schedule__slug",),
    ),
]
urlpatterns = [
    path("layers/<int:pk>/revisions/", RevisionList.as_view(), name="revisions"),
    path("layers/<int:pk>/ring/", RingView.as_view(), name="layer-ring"),
    *urls(ROOMS),
]

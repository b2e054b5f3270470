"""Heartbeats, maintenance and series over REST: the desk's own people and their programs."""

from __future__ import annotations

import math
from typing import Any, ClassVar, TypeVar

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import models
from django.db.models import QuerySet
from django.urls import path
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from incidents.models import AnomalyFiring, HeartbeatMonitor, MaintenanceWindow, Series, SeriesMarker
from incidents.monitoring import maintenance, scraping, watching
from incidents.monitoring import series as series_work
from incidents.monitoring.anomaly import Point
from supportdesk import instants
from supportdesk.actors import Actor
from supportdesk.errors import Invalid, NotFound
from supportdesk.integrations.models import Connection
from supportdesk.organizations.models import Organization, Service
from supportdesk.web.api.rooms import Room, read, urls
from supportdesk.web.api.strict import StrictSerializer
from supportdesk.web.api.tokens import HasScope, actor_of

Row = TypeVar("Row", bound=models.Model)


def _for_staff(rows: QuerySet[Any], actor: Actor) -> QuerySet[Any]:
    """Customers have no business here: to them there is nothing at these addresses."""
    return rows if actor.is_staff else rows.none()


def _filled(row: Row, said: dict[str, Any]) -> Row:
    """The row with what was said of it, checked as the back office checks it. Raises `Invalid` naming the field."""
    for name, value in said.items():
        setattr(row, name, value)
    try:
        row.full_clean()
    except ValidationError as error:
        field, messages = next(iter(error.message_dict.items()))
        raise Invalid(" ".join(messages), field="" if field == NON_FIELD_ERRORS else field) from error
    return row


# --- heartbeats ------------------------------------------------------------------------------------------------------


class HeartbeatBody(StrictSerializer):
    name = serializers.CharField(max_length=120)
    organization: Any = serializers.SlugRelatedField(
        slug_field="slug", queryset=Organization.objects.all(), required=False, allow_null=True
    )
    service: Any = serializers.SlugRelatedField(
        slug_field="slug", queryset=Service.objects.all(), required=False, allow_null=True
    )
    period_seconds = serializers.IntegerField(required=False, allow_null=True, min_value=10)
    cron = serializers.CharField(max_length=120, required=False, allow_blank=True)
    time_zone = serializers.CharField(max_length=64, required=False)
    grace_seconds = serializers.IntegerField(required=False, min_value=0)
    severity = serializers.ChoiceField(HeartbeatMonitor.Severity.choices, required=False)
    description = serializers.CharField(max_length=10_000, required=False, allow_blank=True)


class HeartbeatShown(serializers.ModelSerializer[HeartbeatMonitor]):
    organization: Any = serializers.SlugRelatedField(slug_field="slug", read_only=True)
    service: Any = serializers.SlugRelatedField(slug_field="slug", read_only=True)
    url = serializers.SerializerMethodField(help_text="where the job calls")

    class Meta:
        model = HeartbeatMonitor
        fields: ClassVar = (
            "id", "name", "url", "organization", "service", "period_seconds", "cron", "time_zone", "grace_seconds",
            "severity", "description", "state", "last_ping_at", "expected_at", "late_at", "pings",
        )  # fmt: skip
        read_only_fields = fields

    def get_url(self, row: HeartbeatMonitor) -> str:
        return watching.address(row)


def save_heartbeat(row: HeartbeatMonitor | None, *, actor: Actor, **said: Any) -> HeartbeatMonitor:
    return watching.save(_filled(row or HeartbeatMonitor(), said), actor=actor)


class HeartbeatVerbView(APIView):
    """Pause a heartbeat, or go on with it: the next ping arms it again."""

    permission_classes = [HasScope]
    scopes = {"POST": "operate"}
    verbs: ClassVar = {"pause": watching.pause, "resume": watching.resume}

    @extend_schema(operation_id="heartbeats_verb", request=None, responses=HeartbeatShown)
    def post(self, request: Request, key: int, verb: str) -> Response:
        actor = actor_of(request)
        heartbeats.find(actor, key)
        if verb not in self.verbs:
            raise NotFound("There is no such verb.")
        return Response(HeartbeatShown(self.verbs[verb](key, actor=actor)).data)


# --- maintenance -----------------------------------------------------------------------------------------------------


class WindowBody(StrictSerializer):
    name = serializers.CharField(max_length=120)
    reason = serializers.CharField(max_length=2_000, required=False, allow_blank=True)
    organization: Any = serializers.SlugRelatedField(
        slug_field="slug", queryset=Organization.objects.all(), required=False, allow_null=True
    )
    services = serializers.SlugRelatedField(
        slug_field="slug", queryset=Service.objects.all(), many=True, required=False
    )
    condition = serializers.JSONField(required=False)
    covers_everything = serializers.BooleanField(required=False)
    time_zone = serializers.CharField(max_length=64, required=False)
    first_day = serializers.DateField()
    starts = serializers.TimeField()
    ends = serializers.TimeField()
    more_days = serializers.IntegerField(required=False, min_value=0, max_value=31)
    repeats = serializers.ChoiceField(MaintenanceWindow.Repeats.choices, required=False)
    weekdays = serializers.ListField(child=serializers.IntegerField(min_value=0, max_value=6), required=False)
    last_day = serializers.DateField(required=False, allow_null=True)
    is_enabled = serializers.BooleanField(required=False)


class WindowShown(serializers.ModelSerializer[MaintenanceWindow]):
    organization: Any = serializers.SlugRelatedField(slug_field="slug", read_only=True)
    services: Any = serializers.SlugRelatedField(slug_field="slug", read_only=True, many=True)

    class Meta:
        model = MaintenanceWindow
        fields: ClassVar = (
            "id", "name", "reason", "organization", "services", "condition", "covers_everything", "time_zone",
            "first_day", "starts", "ends", "more_days", "repeats", "weekdays", "last_day", "is_enabled",
        )  # fmt: skip
        read_only_fields = fields


def save_window(row: MaintenanceWindow | None, *, actor: Actor, **said: Any) -> MaintenanceWindow:
    services = said.pop("services", None if row else [])
    return maintenance.save(_filled(row or MaintenanceWindow(), said), services, actor=actor)


# --- series ----------------------------------------------------------------------------------------------------------


class SeriesBody(StrictSerializer):
    key = serializers.SlugField(max_length=80)
    name = serializers.CharField(max_length=120)
    unit = serializers.CharField(max_length=20, required=False, allow_blank=True)
    organization: Any = serializers.SlugRelatedField(
        slug_field="slug", queryset=Organization.objects.all(), required=False, allow_null=True
    )
    service: Any = serializers.SlugRelatedField(
        slug_field="slug", queryset=Service.objects.all(), required=False, allow_null=True
    )
    time_zone = serializers.CharField(max_length=64, required=False)
    connection = serializers.PrimaryKeyRelatedField(
        queryset=Connection.objects.filter(vendor="prometheus"), required=False, allow_null=True
    )
    query = serializers.CharField(max_length=2_000, required=False, allow_blank=True)
    interval_seconds = serializers.IntegerField(required=False, min_value=10, max_value=86_400)
    direction = serializers.ChoiceField(["up", "down", "both"], required=False)
    min_delta = serializers.FloatField(required=False, min_value=0)
    min_abs_scale = serializers.FloatField(required=False, min_value=0)


class SeriesShown(serializers.ModelSerializer[Series]):
    organization: Any = serializers.SlugRelatedField(slug_field="slug", read_only=True)
    service: Any = serializers.SlugRelatedField(slug_field="slug", read_only=True)

    class Meta:
        model = Series
        fields: ClassVar = (
            "key", "name", "unit", "organization", "service", "time_zone", "connection", "query", "interval_seconds",
            "direction", "min_delta", "min_abs_scale", "state", "observing_since", "replayed_at", "replay", "last_at",
            "last_value", "trouble",
        )  # fmt: skip
        read_only_fields = fields


def save_series(row: Series | None, *, actor: Actor, **said: Any) -> Series:
    saved = series_work.save(_filled(row or Series(), said), actor=actor)
    scraping.plan(saved)
    return saved


class FiguresBody(StrictSerializer):
    """One figure (`value`, and `at` unless it is now), or several as `points`: `[["2026-06-15T10:00:00Z", 118], …]`."""

    value = serializers.FloatField(required=False)
    at = serializers.DateTimeField(required=False)
    points = serializers.ListField(child=serializers.ListField(min_length=2, max_length=2), required=False)

    def figures(self) -> list[Point]:
        said = self.validated_data
        if ("value" in said) == ("points" in said):
            raise Invalid("Give either a value or points.", field="value")
        if "value" in said:
            return [_point(said.get("at") or instants.now(), said["value"], "value")]
        time = serializers.DateTimeField()
        return [_point(time.run_validation(at), value, "points") for at, value in said["points"]]


def _point(at: Any, value: Any, field: str) -> Point:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise Invalid("A figure is a number.", field=field)
    return Point(at, float(value))


class SeriesView(APIView):
    """One series: `GET` shows it, `PATCH` changes it, `POST` brings figures."""

    permission_classes = [HasScope]
    scopes = {"GET": "read", "PATCH": "manage", "POST": "report"}

    @extend_schema(operation_id="series_read", responses=SeriesShown)
    def get(self, request: Request, key: str) -> Response:
        return Response(SeriesShown(all_series.find(actor_of(request), key)).data)

    @extend_schema(operation_id="series_change", request=SeriesBody, responses=SeriesShown)
    def patch(self, request: Request, key: str) -> Response:
        actor = actor_of(request)
        saved = save_series(all_series.find(actor, key), actor=actor, **read(SeriesBody, request, partial=True))
        return Response(SeriesShown(saved).data)

    @extend_schema(operation_id="series_push", request=FiguresBody, responses={202: None})
    def post(self, request: Request, key: str) -> Response:
        row = all_series.find(actor_of(request), key)
        body = FiguresBody(data=request.data)
        body.is_valid(raise_exception=True)
        fresh = series_work.push(row, body.figures())
        return Response({"new": fresh}, status=status.HTTP_202_ACCEPTED)


class MarkerBody(StrictSerializer):
    kind = serializers.ChoiceField(SeriesMarker.Kind.choices)
    text = serializers.CharField(max_length=200, required=False, allow_blank=True)
    at = serializers.DateTimeField(required=False)


class MarkersView(APIView):
    """A deployment or a holiday: nothing fires for half an hour, or for the day."""

    permission_classes = [HasScope]
    scopes = {"POST": "report"}

    @extend_schema(operation_id="series_mark", request=MarkerBody, responses={201: None})
    def post(self, request: Request, key: str) -> Response:
        actor = actor_of(request)
        marker = series_work.mark(all_series.find(actor, key), actor=actor, **read(MarkerBody, request))
        said = {"id": marker.pk, "kind": marker.kind, "at": marker.at, "until": marker.until}
        return Response(said, status=status.HTTP_201_CREATED)


class SeriesVerbView(APIView):
    """Replay a series, let it observe and then speak, or switch it off."""

    permission_classes = [HasScope]
    scopes = {"POST": "manage"}
    verbs: ClassVar = {
        "replay": series_work.ask_replay,
        "enable": series_work.enable,
        "switch-off": series_work.switch_off,
    }

    @extend_schema(operation_id="series_verb", request=None, responses=SeriesShown)
    def post(self, request: Request, key: str, verb: str) -> Response:
        actor = actor_of(request)
        row = all_series.find(actor, key)
        if verb not in self.verbs:
            raise NotFound("There is no such verb.")
        self.verbs[verb](row, actor=actor)
        return Response(SeriesShown(all_series.find(actor, key)).data)


class VerdictBody(StrictSerializer):
    verdict = serializers.ChoiceField(["useful", "noise"])


class VerdictView(APIView):
    """Whether a firing was useful."""

    permission_classes = [HasScope]
    scopes = {"POST": "operate"}

    @extend_schema(operation_id="firings_judge", request=VerdictBody, responses={204: None})
    def post(self, request: Request, pk: int) -> Response:
        actor = actor_of(request)
        if not _for_staff(AnomalyFiring.objects.filter(pk=pk), actor).exists():
            raise NotFound("There is no such firing.")
        series_work.judge(pk, actor=actor, **read(VerdictBody, request))
        return Response(status=status.HTTP_204_NO_CONTENT)


heartbeats = Room(
    "heartbeats",
    "id",
    lambda actor: _for_staff(HeartbeatMonitor.objects.select_related("organization", "service"), actor),
    HeartbeatShown,
    HeartbeatBody,
    save_heartbeat,
    filters=("state", "service__slug"),
)
windows = Room(
    "maintenance-windows",
    "id",
    lambda actor: _for_staff(
        MaintenanceWindow.objects.select_related("organization").prefetch_related("services"), actor
    ),
    WindowShown,
    WindowBody,
    save_window,
)
all_series = Room(
    "series",
    "key",
    lambda actor: _for_staff(Series.objects.select_related("organization", "service"), actor),
    SeriesShown,
    SeriesBody,
    save_series,
    filters=("state", "service__slug"),
)
_LIST_OF_SERIES = urls([all_series])[0]

urlpatterns = [
    *urls([heartbeats, windows]),
    path("heartbeats/<int:key>/<slug:verb>/", HeartbeatVerbView.as_view(), name="heartbeat-verb"),
    _LIST_OF_SERIES,
    path("series/<slug:key>/", SeriesView.as_view(), name="one-series"),
    path("series/<slug:key>/markers/", MarkersView.as_view(), name="series-markers"),
    path("series/<slug:key>/<slug:verb>/", SeriesVerbView.as_view(), name="series-verb"),
    path("firings/<int:pk>/verdict/", VerdictView.as_view(), name="firing-verdict"),
]

"""Who carried how much, and which limits the coming weeks pass (FAT-1 … FAT-8)."""

from __future__ import annotations

from datetime import timedelta

from django.urls import path
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from rotations.api.rota.asking import LONGEST_RANGE, schedule_of, staff
from rotations.api.rota.fields import FindingShown
from rotations.boards import load
from supportdesk import instants
from supportdesk.errors import Invalid
from supportdesk.web.api.tokens import HasScope


class LoadShown(serializers.Serializer):
    person = serializers.EmailField(source="user.email")
    name = serializers.CharField(source="user.name")
    hours = serializers.FloatField()
    night_hours = serializers.FloatField()
    weekend_hours = serializers.FloatField()
    holiday_hours = serializers.FloatField(help_text="on public holidays where they live")
    overload_percent = serializers.IntegerField(source="overload")
    pages = serializers.IntegerField()
    night_pages = serializers.IntegerField()
    broken_nights = serializers.IntegerField()
    call_outs = serializers.IntegerField()
    stood_in = serializers.IntegerField(source="given")
    was_stood_in_for = serializers.IntegerField(source="received")
    findings = FindingShown(many=True)


class FairnessShown(serializers.Serializer):
    start = serializers.DateTimeField()
    end = serializers.DateTimeField()
    balance_percent = serializers.IntegerField(source="balance")
    people = LoadShown(many=True, source="loads")


class FairnessView(APIView):
    """Who carried how much in a range up to now, and which limits the coming weeks pass."""

    permission_classes = [HasScope]
    scopes = {"GET": "read"}

    @extend_schema(
        operation_id="fairness",
        parameters=[OpenApiParameter("days", int), OpenApiParameter("schedule", str)],
        responses=FairnessShown,
    )
    def get(self, request: Request) -> Response:
        staff(request)
        asked = request.query_params.get("days", "91")
        if not asked.isascii() or not asked.isdigit() or not 1 <= int(asked[:6]) <= LONGEST_RANGE.days:
            raise Invalid(f"A whole number of days from 1 to {LONGEST_RANGE.days}.", field="days")
        slug, now = request.query_params.get("schedule"), instants.now()
        report = load.report(now - timedelta(days=int(asked)), now, now, schedule_of(slug) if slug else None)
        return Response(FairnessShown(report).data)


urlpatterns = [path("fairness/", FairnessView.as_view(), name="fairness")]

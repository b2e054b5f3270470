"""Webhook endpoints over REST: managers have all of them, a customer's administrator those of their organization."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.urls import path
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema, extend_schema_field, inline_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from supportdesk.actors import Actor
from supportdesk.errors import NotFound
from supportdesk.integrations import endpoints
from supportdesk.integrations.models import Connection
from supportdesk.integrations.webhooks import EVENT, TYPES
from supportdesk.organizations.models import Organization
from supportdesk.queue.models import Delivery
from supportdesk.web.api.rooms import Room, urls
from supportdesk.web.api.strict import Pages, StrictSerializer
from supportdesk.web.api.tokens import HasScope, actor_of


class WebhookBody(StrictSerializer):
    name = serializers.CharField(max_length=120, required=False)
    url = serializers.URLField(max_length=2_000)
    events = serializers.ListField(child=serializers.ChoiceField(TYPES), required=False, help_text="empty: all")
    secret = serializers.CharField(max_length=200, required=False, help_text="whsec_…; left out, one is made")
    organization = serializers.SlugRelatedField(
        slug_field="slug", queryset=Organization.objects.all(), required=False, allow_null=True
    )
    is_enabled = serializers.BooleanField(required=False)


class WebhookShown(serializers.ModelSerializer[Connection]):
    url = serializers.SerializerMethodField()
    events = serializers.SerializerMethodField()
    organization: serializers.SlugRelatedField[Organization] = serializers.SlugRelatedField(
        slug_field="slug", read_only=True
    )

    class Meta:
        model = Connection
        fields = ("code", "name", "url", "events", "organization", "is_enabled", "works", "check_result", "created_at")

    def get_url(self, row: Connection) -> str:
        return str(row.settings.get("url", ""))

    @extend_schema_field(serializers.ListField(child=serializers.CharField()))
    def get_events(self, row: Connection) -> list[str]:
        return str(row.settings.get("events", "")).split()


class EventShown(serializers.ModelSerializer[Delivery]):
    """One event on its way to an endpoint, with every try."""

    event = serializers.SerializerMethodField()
    tries = serializers.SerializerMethodField()

    class Meta:
        model = Delivery
        fields = ("id", "event", "state", "planned_at", "sent_at", "tries")

    @extend_schema_field(OpenApiTypes.OBJECT)
    def get_event(self, row: Delivery) -> Any:
        return row.facts.get(EVENT)

    @extend_schema_field(OpenApiTypes.OBJECT)
    def get_tries(self, row: Delivery) -> Any:
        return row.receipt.get("tries", [])


def _visible(actor: Actor) -> QuerySet[Connection]:
    return endpoints.visible_to(actor).order_by("pk")


def _endpoint(actor: Actor, key: str) -> Connection:
    row = _visible(actor).filter(code=key).first()
    if row is None:
        raise NotFound("There is no such webhook.")
    return row


class SecretView(APIView):
    """`POST` makes a new signing secret and shows it, this once; the one before keeps signing beside it."""

    permission_classes = [HasScope]
    scopes = {"POST": "manage"}

    @extend_schema(
        operation_id="webhook_renew_secret",
        request=None,
        responses=inline_serializer("WebhookSecret", {"secret": serializers.CharField()}),
    )
    def post(self, request: Request, key: str) -> Response:
        actor = actor_of(request)
        return Response({"secret": endpoints.renew_secret(_endpoint(actor, key), actor=actor)})


class EventsView(APIView):
    """What was sent to an endpoint, newest first, with every try."""

    permission_classes = [HasScope]
    scopes = {"GET": "read"}

    @extend_schema(operation_id="webhook_events", responses=EventShown(many=True))
    def get(self, request: Request, key: str) -> Response:
        pages = Pages()
        rows = _endpoint(actor_of(request), key).deliveries.filter(kind=EVENT).order_by("-pk")
        found = pages.paginate_queryset(rows, request, view=self)
        return pages.get_paginated_response(EventShown(found, many=True).data)


class AgainView(APIView):
    """`POST` sends one event once more, under the same id."""

    permission_classes = [HasScope]
    scopes = {"POST": "manage"}

    @extend_schema(operation_id="webhook_send_again", request=None, responses={201: EventShown})
    def post(self, request: Request, key: str, pk: int) -> Response:
        actor = actor_of(request)
        row = _endpoint(actor, key).deliveries.filter(pk=pk, kind=EVENT).first()
        if row is None:
            raise NotFound("There is no such event.")
        return Response(EventShown(endpoints.send_again(row, actor=actor)).data, status=201)


ROOM = Room(name="webhooks", key="code", visible=_visible, shown=WebhookShown, body=WebhookBody, save=endpoints.save)
urlpatterns = [
    *urls([ROOM]),
    path("webhooks/<slug:key>/secret/", SecretView.as_view(), name="webhook-secret"),
    path("webhooks/<slug:key>/events/", EventsView.as_view(), name="webhook-events"),
    path("webhooks/<slug:key>/events/<int:pk>/again/", AgainView.as_view(), name="webhook-again"),
]

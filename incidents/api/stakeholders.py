"""Who else hears of incidents, and who would hear this, over REST: staff look and ask, managers change."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db.models import QuerySet
from django.urls import path
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from incidents import actions
from incidents.boards import routing as board
from incidents.models import Stakeholder
from incidents.routing import Topic, topic_of
from supportdesk.accounts.models import User
from supportdesk.actors import Actor
from supportdesk.entitlements import SEVERITIES
from supportdesk.errors import Invalid, NotFound
from supportdesk.organizations.models import Organization, Service
from supportdesk.web.api.rooms import Room, urls
from supportdesk.web.api.strict import StrictSerializer
from supportdesk.web.api.tokens import HasScope, actor_of

_CHANGEABLE = frozenset({"topics", "least_severity", "name"})


class StakeholderBody(StrictSerializer):
    organization: Any = serializers.SlugRelatedField(
        slug_field="slug", queryset=Organization.objects.all(), required=False, allow_null=True
    )
    service: Any = serializers.SlugRelatedField(
        slug_field="slug", queryset=Service.objects.all(), required=False, allow_null=True
    )
    user: Any = serializers.SlugRelatedField(
        slug_field="email", queryset=User.objects.all(), required=False, allow_null=True, help_text="a colleague"
    )
    address = serializers.EmailField(max_length=254, required=False, help_text="somebody of the organization's")
    name = serializers.CharField(max_length=120, required=False)
    slack_channel = serializers.CharField(max_length=40, required=False, help_text="a channel of ours")
    topics = serializers.ListField(child=serializers.ChoiceField(list(Topic)), min_length=1, max_length=len(Topic))
    least_severity = serializers.ChoiceField(SEVERITIES, required=False)


class StakeholderShown(serializers.ModelSerializer[Stakeholder]):
    organization: Any = serializers.SlugRelatedField(slug_field="slug", read_only=True)
    service: Any = serializers.SlugRelatedField(slug_field="slug", read_only=True)
    user: Any = serializers.SlugRelatedField(slug_field="email", read_only=True)
    address = serializers.SerializerMethodField()
    name = serializers.CharField(source="shown_name", read_only=True)
    topics = serializers.ListField(child=serializers.CharField(), read_only=True)

    class Meta:
        model = Stakeholder
        fields: ClassVar = (
            "id", "organization", "service", "user", "contact", "address", "name", "slack_channel", "topics",
            "least_severity", "created_at",
        )  # fmt: skip
        read_only_fields = fields

    def get_address(self, row: Stakeholder) -> str:
        return row.email


def _visible(actor: Actor) -> QuerySet[Stakeholder]:
    """Customers have no business here: to them there is nothing at these addresses."""
    rows = Stakeholder.objects.select_related("organization", "service", "user", "contact").order_by("pk")
    return rows if actor.is_staff else rows.none()


def save_stakeholder(row: Stakeholder | None, *, actor: Actor, **said: Any) -> Stakeholder:
    if row is None:
        return actions.add_stakeholder(actor=actor, **said)
    fixed = sorted(said.keys() - _CHANGEABLE)
    if fixed:
        raise Invalid("Who it is and of whose incidents stays. Remove this one and add another.", field=fixed[0])
    return actions.change_stakeholder(row.pk, actor=actor, **said)


def remove_stakeholder(row: Stakeholder, *, actor: Actor) -> None:
    actions.remove_stakeholder(row.pk, actor=actor)


class PreviewQuery(StrictSerializer):
    organization: Any = serializers.SlugRelatedField(
        slug_field="slug", queryset=Organization.objects.all(), required=False
    )
    service: Any = serializers.SlugRelatedField(slug_field="slug", queryset=Service.objects.all(), required=False)
    severity = serializers.ChoiceField(SEVERITIES)
    kind = serializers.ChoiceField(list(board.KIND_WORDS))


class ReaderShown(serializers.Serializer[board.Reader]):
    name = serializers.CharField()
    by = serializers.CharField(help_text="e-mail, Slack, or the other system")
    to = serializers.CharField(help_text="empty for other systems")
    audience = serializers.CharField()


class HeardShown(serializers.Serializer[Any]):
    kind = serializers.CharField()
    topic = serializers.CharField()
    customer = ReaderShown(many=True)
    ours = ReaderShown(many=True)
    systems = ReaderShown(many=True)
    unfilled = serializers.ListField(child=serializers.CharField(), help_text="who hears it besides, once there is one")


class RoutingPreviewView(APIView):
    """Who would hear this, of an incident there is not. Sends and keeps nothing."""

    permission_classes = [HasScope]
    scopes = {"GET": "read"}

    @extend_schema(operation_id="routing_preview", parameters=[PreviewQuery], responses=HeardShown)
    def get(self, request: Request) -> Response:
        if not actor_of(request).is_staff:
            raise NotFound("There is nothing at this address.")
        query = PreviewQuery(data={name: value for name, value in request.query_params.items() if value})
        query.is_valid(raise_exception=True)
        said = query.validated_data
        organization, service, kind = said.get("organization"), said.get("service"), said["kind"]
        if service and service.organization_id not in (None, organization.pk if organization else None):
            raise Invalid("This service belongs to somebody else.", field="service")
        found = board.readers(board.imagined(organization, service, said["severity"]), kind)
        heard = {group["slug"]: group["readers"] for group in board.grouped(found)}
        return Response(
            HeardShown({"kind": kind, "topic": topic_of(kind), "unfilled": board.unfilled(kind), **heard}).data
        )


ROOM = Room(
    name="stakeholders",
    key="id",
    visible=_visible,
    shown=StakeholderShown,
    body=StakeholderBody,
    save=save_stakeholder,
    remove=remove_stakeholder,
    filters=("organization__slug", "service__slug"),
)
urlpatterns = [*urls([ROOM]), path("routing/preview/", RoutingPreviewView.as_view(), name="routing-preview")]

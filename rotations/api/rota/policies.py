"""Who is paged in which order, and for what (ESC-1, ESC-4)."""

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
from rotations.api.rota.fields import NothingBody, by_slug
from rotations.escalation.policy import Pager
from rotations.models import EscalationPolicy, PolicyRule, Schedule
from supportdesk.entitlements import SEVERITIES
from supportdesk.organizations.models import Organization, Plan, Service
from supportdesk.web.api.rooms import Room, read, urls
from supportdesk.web.api.strict import StrictSerializer
from supportdesk.web.api.tokens import HasScope


class PolicyBody(StrictSerializer):
    name = serializers.CharField(max_length=120)
    schedule = by_slug(Schedule.objects.all())
    steps = serializers.JSONField(help_text='[{"targets": ["primary", …], "delay_seconds": 180}, …]')
    repeat = serializers.IntegerField(min_value=-1, max_value=1000, required=False)
    ack_timeout_seconds = serializers.IntegerField(min_value=60, max_value=1_000_000, required=False)
    exhausted_every_seconds = serializers.IntegerField(min_value=10, max_value=1_000_000, required=False)
    required_acks = serializers.IntegerField(min_value=1, max_value=10, required=False)
    pager = serializers.ChoiceField([p.value for p in Pager], required=False)


class RuleBody(StrictSerializer):
    severity = serializers.ChoiceField(SEVERITIES)
    plan = serializers.SlugRelatedField(slug_field="code", queryset=Plan.objects.all(), required=False, allow_null=True)
    organization = by_slug(Organization.objects.all(), required=False, allow_null=True)
    service = by_slug(Service.objects.all(), required=False, allow_null=True)
    policy = serializers.PrimaryKeyRelatedField(queryset=EscalationPolicy.objects.all())


class PolicyShown(serializers.ModelSerializer[EscalationPolicy]):
    schedule = serializers.CharField(source="schedule.slug", read_only=True)

    class Meta:
        model = EscalationPolicy
        fields: ClassVar[Any] = (
            "id",
            "name",
            "schedule",
            "steps",
            "repeat",
            "ack_timeout_seconds",
            "exhausted_every_seconds",
            "required_acks",
            "pager",
            "version",
        )
        read_only_fields = fields


class RuleShown(serializers.ModelSerializer[PolicyRule]):
    plan = serializers.CharField(source="plan.code", default=None, read_only=True)
    organization = serializers.CharField(source="organization.slug", default=None, read_only=True)
    service = serializers.CharField(source="service.slug", default=None, read_only=True)
    policy_name = serializers.CharField(source="policy.name", read_only=True)

    class Meta:
        model = PolicyRule
        fields: ClassVar[Any] = ("id", "severity", "plan", "organization", "service", "policy", "policy_name")
        read_only_fields = fields


class Policies(Room):
    """A room whose one thing is a policy."""

    @property
    def singular(self) -> str:
        return "policy"


class RemoveRule(APIView):
    """Take a policy rule away: what it covered falls to the next best one (managers)."""

    permission_classes = [HasScope]
    scopes = {"POST": "manage"}

    @extend_schema(operation_id="policy_rules_remove", request=NothingBody, responses={204: None})
    def post(self, request: Request, pk: int) -> Response:
        read(NothingBody, request)
        actions.remove_rule(pk, actor=staff(request))
        return Response(status=status.HTTP_204_NO_CONTENT)


ROOMS = [
    Policies(
        "policies",
        "pk",
        seen_by_staff(lambda: EscalationPolicy.objects.select_related("schedule").order_by("name")),
        PolicyShown,
        PolicyBody,
        actions.save_policy,
    ),
    Room(
        "policy-rules",
        "pk",
        seen_by_staff(
            lambda: PolicyRule.objects.select_related("plan", "organization", "service", "policy").order_by("pk")
        ),
        RuleShown,
        RuleBody,
        actions.save_rule,
        filters=("severity",),
    ),
]
urlpatterns = [
    path("policy-rules/<int:pk>/remove/", RemoveRule.as_view(), name="policy-rule-remove"),
    *urls(ROOMS),
]

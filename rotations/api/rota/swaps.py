"""Offering a shift, taking one, and thinking better of it (ROT-8)."""

from __future__ import annotations

from typing import Any, ClassVar

from django.urls import path
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from rotations import actions
from rotations.api.rota.asking import listed, of_schedule, of_state, staff, verb
from rotations.api.rota.fields import FindingShown, NothingBody, by_slug, colleague, email, warnings
from rotations.models import Layer, Schedule, Swap
from supportdesk.actors import Actor
from supportdesk.web.api.rooms import read
from supportdesk.web.api.strict import StrictSerializer
from supportdesk.web.api.tokens import HasScope


class SwapBody(StrictSerializer):
    schedule = by_slug(Schedule.objects.all())
    slot = serializers.ChoiceField(Layer.Slot.choices, required=False)
    start = serializers.DateTimeField()
    end = serializers.DateTimeField()
    giver = colleague(required=False, help_text="the caller unless a manager says otherwise")
    taker = colleague(required=False, allow_null=True, help_text="empty: whoever wants it")
    return_start = serializers.DateTimeField(required=False, allow_null=True)
    return_end = serializers.DateTimeField(required=False, allow_null=True)
    note = serializers.CharField(max_length=200, required=False, allow_blank=True)


class AcceptBody(StrictSerializer):
    taker = colleague(required=False, help_text="the caller unless a manager says otherwise")
    force = serializers.CharField(max_length=200, required=False, allow_blank=True)


class SwapShown(serializers.ModelSerializer[Swap]):
    schedule = serializers.CharField(source="schedule.slug", read_only=True)
    giver = email("giver")
    taker = email("taker")

    class Meta:
        model = Swap
        fields: ClassVar[Any] = (
            "id",
            "schedule",
            "slot",
            "giver",
            "taker",
            "start",
            "end",
            "return_start",
            "return_end",
            "state",
            "note",
        )
        read_only_fields = fields


class SwapMade(SwapShown):
    """The swap, and what it does to both people."""

    warnings = FindingShown(many=True, read_only=True)

    class Meta(SwapShown.Meta):
        fields: ClassVar[Any] = (*SwapShown.Meta.fields, "warnings")


class SwapList(APIView):
    """`GET` lists swaps, newest first, `POST` offers one."""

    permission_classes = [HasScope]
    scopes = {"GET": "read", "POST": "operate"}

    @extend_schema(
        operation_id="swaps_list",
        parameters=[OpenApiParameter("state", str, enum=Swap.State.values), OpenApiParameter("schedule", str)],
        responses=SwapShown(many=True),
    )
    def get(self, request: Request) -> Response:
        staff(request)
        rows = of_schedule(request, Swap.objects.select_related("schedule", "giver", "taker").order_by("-start", "-pk"))
        return listed(self, request, of_state(request, rows, Swap.State.values), lambda r: SwapShown(r).data)

    @extend_schema(operation_id="swaps_offer", request=SwapBody, responses={201: SwapMade})
    def post(self, request: Request) -> Response:
        actor, said = staff(request), read(SwapBody, request)
        schedule, giver, taker = said.pop("schedule"), said.pop("giver", None), said.pop("taker", None)
        made = actions.offer_swap(
            schedule.pk,
            actor=actor,
            giver_id=giver.pk if giver else None,
            taker_id=taker.pk if taker else None,
            **said,
        )
        body = {**SwapShown(made.row).data, "warnings": warnings(made.findings)}
        return Response(body, status=status.HTTP_201_CREATED)


def _accept_swap(pk: int, actor: Actor, said: dict[str, Any]) -> Any:
    taker = said.pop("taker", None)
    made = actions.accept_swap(pk, actor=actor, taker_id=taker.pk if taker else None, **said)
    return {**SwapShown(made.row).data, "warnings": warnings(made.findings)}


urlpatterns = [
    path("swaps/", SwapList.as_view(), name="swaps"),
    path("swaps/<int:pk>/accept/", verb("swaps_accept", AcceptBody, SwapMade, _accept_swap), name="swaps-accept"),
    path(
        "swaps/<int:pk>/decline/",
        verb(
            "swaps_decline",
            NothingBody,
            SwapShown,
            lambda pk, actor, said: SwapShown(actions.decline_swap(pk, actor=actor)).data,
        ),
        name="swaps-decline",
    ),
    path(
        "swaps/<int:pk>/withdraw/",
        verb(
            "swaps_withdraw",
            NothingBody,
            SwapShown,
            lambda pk, actor, said: SwapShown(actions.withdraw_swap(pk, actor=actor)).data,
        ),
        name="swaps-withdraw",
    ),
]

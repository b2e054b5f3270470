"""From one shift to the next: the note, who accepts it, and who still answers for a while (ROT-7, ROT-11)."""

from __future__ import annotations

from typing import Any, ClassVar

from django.urls import path
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from rotations import actions
from rotations.api.rota.asking import listed, of_schedule, schedule_of, staff, verb
from rotations.api.rota.fields import NothingBody, colleague, email
from rotations.models import HandOff, HandOffItem
from supportdesk.actors import Actor
from supportdesk.web.api.rooms import read
from supportdesk.web.api.strict import StrictSerializer
from supportdesk.web.api.tokens import HasScope


class NoteBody(StrictSerializer):
    note = serializers.CharField(max_length=5_000)


class ItemShown(serializers.ModelSerializer[HandOffItem]):
    class Meta:
        model = HandOffItem
        fields: ClassVar[Any] = ("subject", "title", "severity", "accepted_at")
        read_only_fields = fields


class HandOffShown(serializers.ModelSerializer[HandOff]):
    schedule = serializers.CharField(source="schedule.slug", read_only=True)
    outgoing = email("outgoing")
    incoming = email("incoming")
    contact = email("contact")
    items = ItemShown(many=True, read_only=True)

    class Meta:
        model = HandOff
        fields: ClassVar[Any] = (
            "id",
            "schedule",
            "at",
            "outgoing",
            "incoming",
            "note",
            "written_at",
            "accepted_at",
            "contact",
            "contact_until",
            "items",
        )
        read_only_fields = fields


class NoteView(APIView):
    """Write the note of the next hand-off of a schedule, or of the one just behind you."""

    permission_classes = [HasScope]
    scopes = {"POST": "operate"}

    @extend_schema(operation_id="schedule_hand_off", request=NoteBody, responses=HandOffShown)
    def post(self, request: Request, slug: str) -> Response:
        actor, said = staff(request), read(NoteBody, request)
        return Response(HandOffShown(actions.write_note(schedule_of(slug).pk, actor=actor, **said)).data)


class HandOffList(APIView):
    """Hand-offs, newest first, with their notes and what waits to be accepted."""

    permission_classes = [HasScope]
    scopes = {"GET": "read"}

    @extend_schema(
        operation_id="hand_offs_list",
        parameters=[OpenApiParameter("schedule", str)],
        responses=HandOffShown(many=True),
    )
    def get(self, request: Request) -> Response:
        staff(request)
        rows = HandOff.objects.select_related("schedule", "outgoing", "incoming", "contact").prefetch_related("items")
        return listed(self, request, of_schedule(request, rows), lambda row: HandOffShown(row).data)


class HandOverContactBody(StrictSerializer):
    until = serializers.DateTimeField(help_text="at most 24 hours after the hand-off")
    person = colleague(required=False, help_text="whoever hands off unless somebody else is named")


class ContactView(APIView):
    """Say who answers questions about the last shift for a while: shown, not paged."""

    permission_classes = [HasScope]
    scopes = {"POST": "operate"}

    @extend_schema(operation_id="schedule_contact", request=HandOverContactBody, responses=HandOffShown)
    def post(self, request: Request, slug: str) -> Response:
        actor, said = staff(request), read(HandOverContactBody, request)
        who = said.get("person")
        named = actions.name_contact(
            schedule_of(slug).pk, actor=actor, until=said["until"], user_id=who.pk if who is not None else None
        )
        return Response(HandOffShown(named).data)


def _accept(pk: int, actor: Actor, said: dict[str, Any]) -> Any:
    return HandOffShown(actions.accept_hand_off(pk, actor=actor)).data


urlpatterns = [
    path("schedules/<slug:slug>/hand-off/", NoteView.as_view(), name="schedule-hand-off"),
    path("schedules/<slug:slug>/contact/", ContactView.as_view(), name="schedule-contact"),
    path("hand-offs/", HandOffList.as_view(), name="hand-offs"),
    path(
        "hand-offs/<int:pk>/accept/",
        verb("hand_offs_accept", NothingBody, HandOffShown, _accept),
        name="hand-offs-accept",
    ),
]

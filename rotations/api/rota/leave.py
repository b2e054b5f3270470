"""Being away: asking for leave, deciding it, and reading it from calendars (ROT-9)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from django.urls import path
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from rotations import actions, boards
from rotations.actions.calendars import LARGEST
from rotations.api.rota.asking import SPAN, listed, of_state, span, staff, verb
from rotations.api.rota.fields import NothingBody, colleague, email
from rotations.models import Leave, LeaveCalendar
from rotations.planning import Hit
from supportdesk.accounts.models import User
from supportdesk.actors import Actor
from supportdesk.errors import NotFound
from supportdesk.web.api.rooms import read
from supportdesk.web.api.strict import StrictSerializer
from supportdesk.web.api.tokens import HasScope


class LeaveBody(StrictSerializer):
    person = colleague(required=False, help_text="the caller unless a manager says otherwise")
    start = serializers.DateTimeField()
    end = serializers.DateTimeField()
    kind = serializers.ChoiceField(Leave.Kind.choices, required=False)
    note = serializers.CharField(max_length=200, required=False, allow_blank=True)


class ApproveBody(StrictSerializer):
    promote = serializers.BooleanField(required=False, help_text="whoever is next in line steps up")


class RefuseBody(StrictSerializer):
    reason = serializers.CharField(max_length=200)


class LeaveShown(serializers.ModelSerializer[Leave]):
    person = email("user")

    class Meta:
        model = Leave
        fields: ClassVar[Any] = ("id", "person", "start", "end", "kind", "state", "note", "source", "reason")
        read_only_fields = fields


class HitShown(serializers.Serializer):
    """A shift that leave leaves open, and who steps up; `covered_by` empty: nobody."""

    schedule = serializers.CharField()
    slot = serializers.CharField()
    start = serializers.DateTimeField()
    end = serializers.DateTimeField()
    covered_by = serializers.CharField(allow_null=True)


class LeaveMade(LeaveShown):
    """The leave, and the shifts it hits."""

    shifts = HitShown(many=True, read_only=True)

    class Meta(LeaveShown.Meta):
        fields: ClassVar[Any] = (*LeaveShown.Meta.fields, "shifts")


def hit(one: Hit, known: Mapping[str, User]) -> dict[str, Any]:
    """A shift left open, as `HitShown` wants it."""
    user = known.get(one.covered_by or "")
    return {
        "schedule": one.schedule.slug,
        "slot": one.slot,
        "start": one.start,
        "end": one.end,
        "covered_by": user.email if user else None,
    }


class LeaveList(APIView):
    """`GET` lists leave of a range, `POST` asks for some."""

    permission_classes = [HasScope]
    scopes = {"GET": "read", "POST": "operate"}

    @extend_schema(
        operation_id="leave_list",
        parameters=[*SPAN, OpenApiParameter("state", str, enum=Leave.State.values)],
        responses=LeaveShown(many=True),
    )
    def get(self, request: Request) -> Response:
        staff(request)
        start, end = span(request)
        rows = Leave.objects.filter(start__lt=end, end__gt=start).select_related("user").order_by("start", "pk")
        return listed(self, request, of_state(request, rows, Leave.State.values), lambda r: LeaveShown(r).data)

    @extend_schema(operation_id="leave_ask", request=LeaveBody, responses={201: LeaveMade})
    def post(self, request: Request) -> Response:
        actor, said = staff(request), read(LeaveBody, request)
        person = said.pop("person", None)
        asked = actions.ask_leave(actor=actor, user_id=person.pk if person else None, **said)
        return Response(_asked(asked), status=status.HTTP_201_CREATED)


def _asked(asked: actions.Asked) -> dict[str, Any]:
    known = boards.people({hit.covered_by for hit in asked.hits if hit.covered_by})
    hits = [hit(one, known) for one in asked.hits]
    return {**LeaveShown(asked.row).data, "shifts": list(HitShown(hits, many=True).data)}


class ImportBody(StrictSerializer):
    person = colleague(required=False, help_text="the caller unless a manager says otherwise")
    calendar = serializers.CharField(
        max_length=LARGEST, trim_whitespace=False, help_text="the text of an iCalendar file"
    )


class ReadShown(serializers.Serializer):
    """What reading a calendar changed. `waiting`: leave that hits shifts, so a manager has to decide."""

    added = serializers.IntegerField()
    changed = serializers.IntegerField()
    gone = serializers.IntegerField()
    waiting = serializers.IntegerField()


class FollowBody(StrictSerializer):
    address = serializers.CharField(max_length=2_000, help_text="https:// or webcal://, on the public internet")


class LeaveCalendarShown(serializers.ModelSerializer[LeaveCalendar]):
    """A calendar that is read every night. Its address is a secret, so only its host is shown."""

    person = email("user")

    class Meta:
        model = LeaveCalendar
        fields: ClassVar[Any] = ("person", "host", "read_at", "tried_at", "error")
        read_only_fields = fields


class ImportView(APIView):
    """Read leave from a file: what hits no shift is approved at once, the rest waits for a manager."""

    permission_classes = [HasScope]
    scopes = {"POST": "operate"}

    @extend_schema(operation_id="leave_import", request=ImportBody, responses=ReadShown)
    def post(self, request: Request) -> Response:
        actor, said = staff(request), read(ImportBody, request)
        who = said.get("person")
        found = actions.import_leave(
            actor=actor, data=said["calendar"].encode(), user_id=who.pk if who is not None else None
        )
        return Response(ReadShown(found).data)


class LeaveCalendarView(APIView):
    """The calendar elsewhere one's own leave is read from: `POST` follows one, `DELETE` stops reading it."""

    permission_classes = [HasScope]
    scopes = {"GET": "read", "POST": "operate", "DELETE": "operate"}

    @extend_schema(operation_id="leave_calendar_read", responses=LeaveCalendarShown)
    def get(self, request: Request) -> Response:
        row = LeaveCalendar.objects.select_related("user").filter(user=staff(request).user_id).first()
        if row is None:
            raise NotFound("Your leave is read from no calendar.")
        return Response(LeaveCalendarShown(row).data)

    @extend_schema(operation_id="leave_calendar_follow", request=FollowBody, responses=LeaveCalendarShown)
    def post(self, request: Request) -> Response:
        actor, said = staff(request), read(FollowBody, request)
        return Response(LeaveCalendarShown(actions.follow_calendar(actor=actor, **said)).data)

    @extend_schema(operation_id="leave_calendar_forget", responses={204: None})
    def delete(self, request: Request) -> Response:
        actions.forget_calendar(actor=staff(request))
        return Response(status=status.HTTP_204_NO_CONTENT)


def _approve(pk: int, actor: Actor, said: dict[str, Any]) -> Any:
    return _asked(actions.approve_leave(pk, actor=actor, **said))


def _refuse(pk: int, actor: Actor, said: dict[str, Any]) -> Any:
    return LeaveShown(actions.refuse_leave(pk, actor=actor, **said)).data


def _cancel(pk: int, actor: Actor, said: dict[str, Any]) -> Any:
    return LeaveShown(actions.cancel_leave(pk, actor=actor)).data


urlpatterns = [
    path("leave/", LeaveList.as_view(), name="leave"),
    path("leave/import/", ImportView.as_view(), name="leave-import"),
    path("leave-calendar/", LeaveCalendarView.as_view(), name="leave-calendar"),
    path("leave/<int:pk>/approve/", verb("leave_approve", ApproveBody, LeaveMade, _approve), name="leave-approve"),
    path("leave/<int:pk>/refuse/", verb("leave_refuse", RefuseBody, LeaveShown, _refuse), name="leave-refuse"),
    path("leave/<int:pk>/cancel/", verb("leave_cancel", NothingBody, LeaveShown, _cancel), name="leave-cancel"),
]

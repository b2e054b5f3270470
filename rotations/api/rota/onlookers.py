"""Looking on: the shadow seat of a schedule, and the secret addresses other programs read one's shifts at."""

from __future__ import annotations

from typing import Any, ClassVar

from django.urls import path
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from rotations import actions, feeds
from rotations.api.rota.asking import SPAN, listed, of_schedule, span, staff, verb
from rotations.api.rota.fields import NothingBody, by_slug, colleague, email
from rotations.models import CalendarFeed, Schedule, Shadow
from supportdesk.actors import Actor
from supportdesk.errors import NotFound
from supportdesk.web.api.rooms import read
from supportdesk.web.api.strict import StrictSerializer
from supportdesk.web.api.tokens import HasScope


class ShadowBody(StrictSerializer):
    schedule = by_slug(Schedule.objects.all())
    person = colleague(required=False, help_text="the caller unless a manager says otherwise")
    start = serializers.DateTimeField()
    end = serializers.DateTimeField()


class ShadowShown(serializers.ModelSerializer[Shadow]):
    """Somebody who hears of every page and is never paged."""

    schedule = serializers.CharField(source="schedule.slug", read_only=True)
    person = email("user")

    class Meta:
        model = Shadow
        fields: ClassVar[Any] = ("id", "schedule", "person", "start", "end")
        read_only_fields = fields


class FeedBody(StrictSerializer):
    schedule = by_slug(Schedule.objects.all(), required=False, allow_null=True, help_text="empty: one's own shifts")


class FeedShown(serializers.ModelSerializer[CalendarFeed]):
    schedule = serializers.CharField(source="schedule.slug", default=None, read_only=True, allow_null=True)

    class Meta:
        model = CalendarFeed
        fields: ClassVar[Any] = ("id", "schedule")
        read_only_fields = fields


class FeedOpened(FeedShown):
    """The feed with its secret address: whoever has it reads the shifts."""

    address = serializers.SerializerMethodField()

    class Meta(FeedShown.Meta):
        fields: ClassVar[Any] = (*FeedShown.Meta.fields, "address")

    def get_address(self, row: CalendarFeed) -> str:
        return feeds.address(row)


class ShadowList(APIView):
    """`GET` lists the shadow seats of a range, `POST` takes one."""

    permission_classes = [HasScope]
    scopes = {"GET": "read", "POST": "operate"}

    @extend_schema(
        operation_id="shadows_list",
        parameters=[*SPAN, OpenApiParameter("schedule", str)],
        responses=ShadowShown(many=True),
    )
    def get(self, request: Request) -> Response:
        staff(request)
        start, end = span(request)
        rows = Shadow.objects.filter(start__lt=end, end__gt=start).select_related("schedule", "user").order_by("start")
        return listed(self, request, of_schedule(request, rows), lambda row: ShadowShown(row).data)

    @extend_schema(operation_id="shadows_add", request=ShadowBody, responses={201: ShadowShown})
    def post(self, request: Request) -> Response:
        actor, said = staff(request), read(ShadowBody, request)
        row, who = said["schedule"], said.get("person")
        seat = actions.shadow(
            row.pk, actor=actor, start=said["start"], end=said["end"], user_id=who.pk if who is not None else None
        )
        return Response(ShadowShown(seat).data, status=status.HTTP_201_CREATED)


class ShadowItem(APIView):
    """`DELETE` leaves a shadow seat: one that has begun ends now."""

    permission_classes = [HasScope]
    scopes = {"DELETE": "operate"}

    @extend_schema(operation_id="shadows_leave", responses={204: None})
    def delete(self, request: Request, pk: int) -> Response:
        actions.leave_shadow(pk, actor=staff(request))
        return Response(status=status.HTTP_204_NO_CONTENT)


class FeedList(APIView):
    """`GET` lists one's own feeds, `POST` opens one and says its secret address."""

    permission_classes = [HasScope]
    scopes = {"GET": "read", "POST": "operate"}

    @extend_schema(operation_id="calendar_feeds_list", responses=FeedShown(many=True))
    def get(self, request: Request) -> Response:
        rows = CalendarFeed.objects.filter(user=staff(request).user_id).select_related("schedule").order_by("pk")
        return listed(self, request, rows, lambda row: FeedShown(row).data)

    @extend_schema(operation_id="calendar_feeds_open", request=FeedBody, responses={201: FeedOpened})
    def post(self, request: Request) -> Response:
        actor, row = staff(request), read(FeedBody, request).get("schedule")
        feed = actions.open_feed(actor=actor, schedule_id=row.pk if row is not None else None)
        return Response(FeedOpened(feed).data, status=status.HTTP_201_CREATED)


class FeedItem(APIView):
    """`DELETE` closes a feed: whoever has its address reads nothing any more."""

    permission_classes = [HasScope]
    scopes = {"DELETE": "operate"}

    @extend_schema(operation_id="calendar_feeds_close", responses={204: None})
    def delete(self, request: Request, pk: int) -> Response:
        actor = staff(request)
        actions.close_feed(actor=actor, schedule_id=_own(pk, actor).schedule_id)
        return Response(status=status.HTTP_204_NO_CONTENT)


def _own(pk: int, actor: Actor) -> CalendarFeed:
    feed = CalendarFeed.objects.filter(pk=pk, user=actor.user_id).first()
    if feed is None:
        raise NotFound("There is no such calendar feed.")
    return feed


def _renew(pk: int, actor: Actor, said: dict[str, Any]) -> Any:
    return FeedOpened(actions.renew_feed(actor=actor, schedule_id=_own(pk, actor).schedule_id)).data


urlpatterns = [
    path("shadows/", ShadowList.as_view(), name="shadows"),
    path("shadows/<int:pk>/", ShadowItem.as_view(), name="shadow"),
    path("calendar-feeds/", FeedList.as_view(), name="calendar-feeds"),
    path("calendar-feeds/<int:pk>/", FeedItem.as_view(), name="calendar-feed"),
    path(
        "calendar-feeds/<int:pk>/renew/",
        verb("calendar_feeds_renew", NothingBody, FeedOpened, _renew),
        name="calendar-feeds-renew",
    ),
]

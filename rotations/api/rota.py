"""The rota over REST, for staff: who is on call, shifts and gaps, and everything people do about them.

People are named by their e-mail address. Customers find nothing here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any

from django.db.models import QuerySet
from django.urls import path
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from rotations import actions, boards, oncall, planning
from rotations.api import rota_shapes as shapes
from rotations.boards import load
from rotations.models import (
    EscalationPolicy,
    HandOff,
    Layer,
    Leave,
    Override,
    PolicyRule,
    RotationRevision,
    Schedule,
    Swap,
)
from rotations.permissions import may
from supportdesk import instants
from supportdesk.actors import Actor
from supportdesk.errors import Invalid, NotFound
from supportdesk.plain import read_instant
from supportdesk.web.api.rooms import Room, read, urls
from supportdesk.web.api.strict import Pages, StrictSerializer
from supportdesk.web.api.tokens import HasScope, actor_of

LONGEST_RANGE = timedelta(days=400)
SPAN = [
    OpenApiParameter("from", OpenApiTypes.DATETIME, description="with an offset, or in UTC; now unless given"),
    OpenApiParameter("until", OpenApiTypes.DATETIME, description="at most 400 days later; 30 days unless given"),
]


def _staff(request: Request) -> Actor:
    actor = actor_of(request)
    _require_staff(actor)
    return actor


def _require_staff(actor: Actor) -> None:
    if not may(actor, "see"):
        raise NotFound("There is nothing at this address.")


def _seen_by_staff(rows: Callable[[], QuerySet[Any]]) -> Callable[[Actor], QuerySet[Any]]:
    def visible(actor: Actor) -> QuerySet[Any]:
        _require_staff(actor)
        return rows()

    return visible


def _schedule(slug: str) -> Schedule:
    row = Schedule.objects.filter(slug=slug).first()
    if row is None:
        raise NotFound("There is no such schedule.")
    return row


def _span(request: Request) -> tuple[datetime, datetime]:
    """The asked range; open ends are now, and thirty days later."""
    said = request.query_params
    try:
        start = read_instant(said["from"], "from") if said.get("from") else instants.now()
        end = read_instant(said["until"], "until") if said.get("until") else start + timedelta(days=30)
    except ValueError as error:
        field, _, words = str(error).partition(": ")
        raise Invalid(words, field=field) from error
    except OverflowError as error:
        raise Invalid("This is out of range.", field="from") from error
    if not start < end <= start + LONGEST_RANGE:
        raise Invalid("The end lies after the beginning, by at most 400 days.", field="until")
    return start, end


def _page(view: APIView, request: Request, rows: QuerySet[Any], show: Callable[[Any], Any]) -> Response:
    pages = Pages()
    found = pages.paginate_queryset(rows, request, view=view)
    return pages.get_paginated_response([show(row) for row in found or []])


class OnCallView(APIView):
    """Who holds every schedule right now."""

    permission_classes = [HasScope]
    scopes = {"GET": "read"}

    @extend_schema(operation_id="on_call_now", responses=shapes.OnCallShown(many=True))
    def get(self, request: Request) -> Response:
        _staff(request)
        now = instants.now()
        rows = list(Schedule.objects.order_by("duty", "name"))
        held = [schedule.who(now) for schedule in oncall.schedules(rows)]
        ids = {p for one in held for p in (one.primary, one.backup, one.handover_contact) if p}
        known = boards.people(ids)
        shown = [shapes.on_call(row, one, known, now) for row, one in zip(rows, held, strict=True)]
        return Response(shapes.OnCallShown(shown, many=True).data)


class ShiftsView(APIView):
    """The final schedule of a range: every shift and every gap, cut at both ends."""

    permission_classes = [HasScope]
    scopes = {"GET": "read"}

    @extend_schema(operation_id="schedule_shifts", parameters=SPAN, responses=shapes.FinalShown)
    def get(self, request: Request, slug: str) -> Response:
        _staff(request)
        row = _schedule(slug)
        start, end = _span(request)
        final = oncall.schedule(row).shifts(start, end)
        known = boards.people({shift.person for shift in final.shifts})
        return Response(shapes.FinalShown(shapes.final(row, final, known)).data)


class TakeView(APIView):
    """Take this shift now: the caller is on duty from this moment."""

    permission_classes = [HasScope]
    scopes = {"POST": "operate"}

    @extend_schema(operation_id="schedule_take", request=shapes.TakeBody, responses=shapes.OverrideShown)
    def post(self, request: Request, slug: str) -> Response:
        actor, said = _staff(request), read(shapes.TakeBody, request)
        return Response(shapes.OverrideShown(actions.take_shift(_schedule(slug).pk, actor=actor, **said)).data)


class NoteView(APIView):
    """Write the note of the next hand-off of a schedule, or of the one just behind you."""

    permission_classes = [HasScope]
    scopes = {"POST": "operate"}

    @extend_schema(operation_id="schedule_hand_off", request=shapes.NoteBody, responses=shapes.HandOffShown)
    def post(self, request: Request, slug: str) -> Response:
        actor, said = _staff(request), read(shapes.NoteBody, request)
        return Response(shapes.HandOffShown(actions.write_note(_schedule(slug).pk, actor=actor, **said)).data)


class OverrideList(APIView):
    """`GET` lists overrides of a range, `POST` puts somebody on duty."""

    permission_classes = [HasScope]
    scopes = {"GET": "read", "POST": "operate"}

    @extend_schema(
        operation_id="overrides_list",
        parameters=[*SPAN, OpenApiParameter("schedule", str)],
        responses=shapes.OverrideShown(many=True),
    )
    def get(self, request: Request) -> Response:
        _staff(request)
        start, end = _span(request)
        rows = (
            Override.objects.filter(start__lt=end, end__gt=start).select_related("schedule", "user").order_by("start")
        )
        rows = _of_schedule(request, rows)
        return _page(self, request, rows, lambda row: shapes.OverrideShown(row).data)

    @extend_schema(operation_id="overrides_add", request=shapes.OverrideBody, responses={201: shapes.OverrideMade})
    def post(self, request: Request) -> Response:
        actor, said = _staff(request), read(shapes.OverrideBody, request)
        schedule, user = said.pop("schedule"), said.pop("person")
        made = actions.create_override(schedule.pk, actor=actor, user_id=user.pk, **said)
        body = {**shapes.OverrideShown(made.row).data, "warnings": _warnings(made.findings)}
        return Response(body, status=status.HTTP_201_CREATED)


class OverrideItem(APIView):
    """One override; `DELETE` takes it back: one that has begun ends now."""

    permission_classes = [HasScope]
    scopes = {"GET": "read", "DELETE": "operate"}

    @extend_schema(operation_id="overrides_read", responses=shapes.OverrideShown)
    def get(self, request: Request, pk: int) -> Response:
        _staff(request)
        row = Override.objects.select_related("schedule", "user").filter(pk=pk).first()
        if row is None:
            raise NotFound("There is no such override.")
        return Response(shapes.OverrideShown(row).data)

    @extend_schema(operation_id="overrides_cancel", responses={204: None})
    def delete(self, request: Request, pk: int) -> Response:
        actions.cancel_override(pk, actor=_staff(request))
        return Response(status=status.HTTP_204_NO_CONTENT)


def _of_schedule(request: Request, rows: QuerySet[Any]) -> QuerySet[Any]:
    slug = request.query_params.get("schedule")
    return rows.filter(schedule=_schedule(slug)) if slug else rows


def _warnings(findings: Iterable[Any]) -> list[dict[str, Any]]:
    return list(shapes.FindingShown(planning.in_words(findings), many=True).data)


class SwapList(APIView):
    """`GET` lists swaps, newest first, `POST` offers one."""

    permission_classes = [HasScope]
    scopes = {"GET": "read", "POST": "operate"}

    @extend_schema(
        operation_id="swaps_list",
        parameters=[OpenApiParameter("state", str, enum=Swap.State.values), OpenApiParameter("schedule", str)],
        responses=shapes.SwapShown(many=True),
    )
    def get(self, request: Request) -> Response:
        _staff(request)
        rows = _of_schedule(
            request, Swap.objects.select_related("schedule", "giver", "taker").order_by("-start", "-pk")
        )
        return _page(self, request, _of_state(request, rows, Swap.State.values), lambda r: shapes.SwapShown(r).data)

    @extend_schema(operation_id="swaps_offer", request=shapes.SwapBody, responses={201: shapes.SwapMade})
    def post(self, request: Request) -> Response:
        actor, said = _staff(request), read(shapes.SwapBody, request)
        schedule, giver, taker = said.pop("schedule"), said.pop("giver", None), said.pop("taker", None)
        made = actions.offer_swap(
            schedule.pk,
            actor=actor,
            giver_id=giver.pk if giver else None,
            taker_id=taker.pk if taker else None,
            **said,
        )
        body = {**shapes.SwapShown(made.row).data, "warnings": _warnings(made.findings)}
        return Response(body, status=status.HTTP_201_CREATED)


def _of_state(request: Request, rows: QuerySet[Any], known: list[str]) -> QuerySet[Any]:
    state = request.query_params.get("state")
    if state and state not in known:
        raise Invalid(f"A state is one of {', '.join(known)}.", field="state")
    return rows.filter(state=state) if state else rows


class LeaveList(APIView):
    """`GET` lists leave of a range, `POST` asks for some."""

    permission_classes = [HasScope]
    scopes = {"GET": "read", "POST": "operate"}

    @extend_schema(
        operation_id="leave_list",
        parameters=[*SPAN, OpenApiParameter("state", str, enum=Leave.State.values)],
        responses=shapes.LeaveShown(many=True),
    )
    def get(self, request: Request) -> Response:
        _staff(request)
        start, end = _span(request)
        rows = Leave.objects.filter(start__lt=end, end__gt=start).select_related("user").order_by("start", "pk")
        return _page(self, request, _of_state(request, rows, Leave.State.values), lambda r: shapes.LeaveShown(r).data)

    @extend_schema(operation_id="leave_ask", request=shapes.LeaveBody, responses={201: shapes.LeaveMade})
    def post(self, request: Request) -> Response:
        actor, said = _staff(request), read(shapes.LeaveBody, request)
        person = said.pop("person", None)
        asked = actions.ask_leave(actor=actor, user_id=person.pk if person else None, **said)
        return Response(_asked(asked), status=status.HTTP_201_CREATED)


def _asked(asked: actions.Asked) -> dict[str, Any]:
    known = boards.people({hit.covered_by for hit in asked.hits if hit.covered_by})
    hits = [shapes.hit(one, known) for one in asked.hits]
    return {**shapes.LeaveShown(asked.row).data, "shifts": list(shapes.HitShown(hits, many=True).data)}


class RevisionList(APIView):
    """The dated revisions of a layer; `POST` adds one that takes effect ahead (managers)."""

    permission_classes = [HasScope]
    scopes = {"GET": "read", "POST": "manage"}

    @extend_schema(operation_id="revisions_list", responses=shapes.RevisionShown(many=True))
    def get(self, request: Request, pk: int) -> Response:
        _staff(request)
        if not Layer.objects.filter(pk=pk).exists():
            raise NotFound("There is no such layer.")
        rows = RotationRevision.objects.filter(layer=pk).prefetch_related("members__user")
        return Response(shapes.RevisionShown(rows, many=True).data)

    @extend_schema(operation_id="revisions_add", request=shapes.RevisionBody, responses={201: shapes.RevisionShown})
    def post(self, request: Request, pk: int) -> Response:
        actor, said = _staff(request), read(shapes.RevisionBody, request)
        ring = [person.pk for person in said.pop("ring")]
        made = actions.add_revision(pk, actor=actor, ring=ring, **said)
        return Response(shapes.RevisionShown(made).data, status=status.HTTP_201_CREATED)


class RingView(APIView):
    """A new ring for a layer, from its next hand-off on (managers)."""

    permission_classes = [HasScope]
    scopes = {"POST": "manage"}

    @extend_schema(operation_id="layers_change_ring", request=shapes.RingBody, responses=shapes.RevisionShown)
    def post(self, request: Request, pk: int) -> Response:
        actor, said = _staff(request), read(shapes.RingBody, request)
        ring = [person.pk for person in said.pop("ring")]
        return Response(shapes.RevisionShown(actions.change_ring(pk, actor=actor, ring=ring, **said)).data)


class HandOffList(APIView):
    """Hand-offs, newest first, with their notes and what waits to be accepted."""

    permission_classes = [HasScope]
    scopes = {"GET": "read"}

    @extend_schema(
        operation_id="hand_offs_list",
        parameters=[OpenApiParameter("schedule", str)],
        responses=shapes.HandOffShown(many=True),
    )
    def get(self, request: Request) -> Response:
        _staff(request)
        rows = HandOff.objects.select_related("schedule", "outgoing", "incoming", "contact").prefetch_related("items")
        return _page(self, request, _of_schedule(request, rows), lambda row: shapes.HandOffShown(row).data)


class FairnessView(APIView):
    """Who carried how much in a range up to now, and which limits the coming weeks pass."""

    permission_classes = [HasScope]
    scopes = {"GET": "read"}

    @extend_schema(
        operation_id="fairness",
        parameters=[OpenApiParameter("days", int), OpenApiParameter("schedule", str)],
        responses=shapes.FairnessShown,
    )
    def get(self, request: Request) -> Response:
        _staff(request)
        asked = request.query_params.get("days", "91")
        if not asked.isascii() or not asked.isdigit() or not 1 <= int(asked[:6]) <= LONGEST_RANGE.days:
            raise Invalid(f"A whole number of days from 1 to {LONGEST_RANGE.days}.", field="days")
        slug, now = request.query_params.get("schedule"), instants.now()
        report = load.report(now - timedelta(days=int(asked)), now, now, _schedule(slug) if slug else None)
        return Response(shapes.FairnessShown(report).data)


class Policies(Room):
    """A room whose one thing is a policy."""

    @property
    def singular(self) -> str:
        return "policy"


class RemoveRule(APIView):
    """Take a policy rule away: what it covered falls to the next best one (managers)."""

    permission_classes = [HasScope]
    scopes = {"POST": "manage"}

    @extend_schema(operation_id="policy_rules_remove", request=shapes.NothingBody, responses={204: None})
    def post(self, request: Request, pk: int) -> Response:
        read(shapes.NothingBody, request)
        actions.remove_rule(pk, actor=_staff(request))
        return Response(status=status.HTTP_204_NO_CONTENT)


Call = Callable[[int, Actor, dict[str, Any]], Any]


def _verb(name: str, body: type[StrictSerializer], shown: Any, call: Call, scope: str = "operate") -> type[APIView]:
    """One POST endpoint for one verb: validate, call the action, answer with what became of it."""

    class VerbView(APIView):
        permission_classes = [HasScope]
        scopes = {"POST": scope}

        @extend_schema(operation_id=name, request=body, responses=shown)
        def post(self, request: Request, pk: int) -> Response:
            return Response(call(pk, _staff(request), read(body, request)))

    VerbView.__name__ = VerbView.__qualname__ = f"{name.title().replace('_', '')}View"
    VerbView.__doc__ = f"{name.replace('_', ' ').capitalize()}."
    return VerbView


def _accept_swap(pk: int, actor: Actor, said: dict[str, Any]) -> Any:
    taker = said.pop("taker", None)
    made = actions.accept_swap(pk, actor=actor, taker_id=taker.pk if taker else None, **said)
    return {**shapes.SwapShown(made.row).data, "warnings": _warnings(made.findings)}


VERBS: dict[str, type[APIView]] = {
    "swaps/<int:pk>/accept/": _verb("swaps_accept", shapes.AcceptBody, shapes.SwapMade, _accept_swap),
    "swaps/<int:pk>/decline/": _verb(
        "swaps_decline",
        shapes.NothingBody,
        shapes.SwapShown,
        lambda pk, actor, said: shapes.SwapShown(actions.decline_swap(pk, actor=actor)).data,
    ),
    "swaps/<int:pk>/withdraw/": _verb(
        "swaps_withdraw",
        shapes.NothingBody,
        shapes.SwapShown,
        lambda pk, actor, said: shapes.SwapShown(actions.withdraw_swap(pk, actor=actor)).data,
    ),
    "leave/<int:pk>/approve/": _verb(
        "leave_approve",
        shapes.ApproveBody,
        shapes.LeaveMade,
        lambda pk, actor, said: _asked(actions.approve_leave(pk, actor=actor, **said)),
    ),
    "leave/<int:pk>/refuse/": _verb(
        "leave_refuse",
        shapes.RefuseBody,
        shapes.LeaveShown,
        lambda pk, actor, said: shapes.LeaveShown(actions.refuse_leave(pk, actor=actor, **said)).data,
    ),
    "leave/<int:pk>/cancel/": _verb(
        "leave_cancel",
        shapes.NothingBody,
        shapes.LeaveShown,
        lambda pk, actor, said: shapes.LeaveShown(actions.cancel_leave(pk, actor=actor)).data,
    ),
    "hand-offs/<int:pk>/accept/": _verb(
        "hand_offs_accept",
        shapes.NothingBody,
        shapes.HandOffShown,
        lambda pk, actor, said: shapes.HandOffShown(actions.accept_hand_off(pk, actor=actor)).data,
    ),
}

ROOMS = [
    Room(
        "schedules",
        "slug",
        _seen_by_staff(lambda: Schedule.objects.select_related("fallback", "manager").order_by("name")),
        shapes.ScheduleShown,
        shapes.ScheduleBody,
        actions.save_schedule,
    ),
    Room(
        "layers",
        "pk",
        _seen_by_staff(lambda: Layer.objects.select_related("schedule").order_by("schedule", "-priority", "position")),
        shapes.LayerShown,
        shapes.LayerBody,
        actions.save_layer,
        filters=("schedule__slug",),
    ),
    Policies(
        "policies",
        "pk",
        _seen_by_staff(lambda: EscalationPolicy.objects.select_related("schedule").order_by("name")),
        shapes.PolicyShown,
        shapes.PolicyBody,
        actions.save_policy,
    ),
    Room(
        "policy-rules",
        "pk",
        _seen_by_staff(
            lambda: PolicyRule.objects.select_related("plan", "organization", "service", "policy").order_by("pk")
        ),
        shapes.RuleShown,
        shapes.RuleBody,
        actions.save_rule,
        filters=("severity",),
    ),
]

urlpatterns = [
    path("on-call/", OnCallView.as_view(), name="on-call"),
    path("fairness/", FairnessView.as_view(), name="fairness"),
    path("schedules/<slug:slug>/shifts/", ShiftsView.as_view(), name="schedule-shifts"),
    path("schedules/<slug:slug>/take/", TakeView.as_view(), name="schedule-take"),
    path("schedules/<slug:slug>/hand-off/", NoteView.as_view(), name="schedule-hand-off"),
    path("layers/<int:pk>/revisions/", RevisionList.as_view(), name="revisions"),
    path("layers/<int:pk>/ring/", RingView.as_view(), name="layer-ring"),
    path("overrides/", OverrideList.as_view(), name="overrides"),
    path("overrides/<int:pk>/", OverrideItem.as_view(), name="override"),
    path("swaps/", SwapList.as_view(), name="swaps"),
    path("leave/", LeaveList.as_view(), name="leave"),
    path("hand-offs/", HandOffList.as_view(), name="hand-offs"),
    path("policy-rules/<int:pk>/remove/", RemoveRule.as_view(), name="policy-rule-remove"),
    *(
        path(address, view.as_view(), name=address.replace("/<int:pk>", "").strip("/").replace("/", "-"))
        for address, view in VERBS.items()
    ),
    *urls(ROOMS),
]

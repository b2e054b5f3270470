"""What every door of the rota shares: who may ask, for which schedule and range, and how a list is answered."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.db.models import QuerySet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from rotations.models import Schedule
from rotations.permissions import may
from supportdesk import instants
from supportdesk.actors import Actor
from supportdesk.errors import Invalid, NotFound
from supportdesk.plain import read_instant
from supportdesk.web.api.rooms import read
from supportdesk.web.api.strict import Pages, StrictSerializer
from supportdesk.web.api.tokens import HasScope, actor_of

LONGEST_RANGE = timedelta(days=400)
SPAN = [
    OpenApiParameter("from", OpenApiTypes.DATETIME, description="with an offset, or in UTC; now unless given"),
    OpenApiParameter("until", OpenApiTypes.DATETIME, description="at most 400 days later; 30 days unless given"),
]

Call = Callable[[int, Actor, dict[str, Any]], Any]
View = Callable[..., Any]


def staff(request: Request) -> Actor:
    actor = actor_of(request)
    require_staff(actor)
    return actor


def require_staff(actor: Actor) -> None:
    if not may(actor, "see"):
        raise NotFound("There is nothing at this address.")


def seen_by_staff(rows: Callable[[], QuerySet[Any]]) -> Callable[[Actor], QuerySet[Any]]:
    def visible(actor: Actor) -> QuerySet[Any]:
        require_staff(actor)
        return rows()

    return visible


def schedule_of(slug: str) -> Schedule:
    row = Schedule.objects.filter(slug=slug).first()
    if row is None:
        raise NotFound("There is no such schedule.")
    return row


def span(request: Request) -> tuple[datetime, datetime]:
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


def listed(view: APIView, request: Request, rows: QuerySet[Any], show: Callable[[Any], Any]) -> Response:
    pages = Pages()
    found = pages.paginate_queryset(rows, request, view=view)
    return pages.get_paginated_response([show(row) for row in found or []])


def of_schedule(request: Request, rows: QuerySet[Any]) -> QuerySet[Any]:
    slug = request.query_params.get("schedule")
    return rows.filter(schedule=schedule_of(slug)) if slug else rows


def of_state(request: Request, rows: QuerySet[Any], known: list[str]) -> QuerySet[Any]:
    state = request.query_params.get("state")
    if state and state not in known:
        raise Invalid(f"A state is one of {', '.join(known)}.", field="state")
    return rows.filter(state=state) if state else rows


def verb(name: str, body: type[StrictSerializer], shown: Any, call: Call, scope: str = "operate") -> View:
    """One POST endpoint for one verb: validate, call the action, answer with what became of it."""

    class VerbView(APIView):
        permission_classes = [HasScope]
        scopes = {"POST": scope}

        @extend_schema(operation_id=name, request=body, responses=shown)
        def post(self, request: Request, pk: int) -> Response:
            return Response(call(pk, staff(request), read(body, request)))

    VerbView.__name__ = VerbView.__qualname__ = f"{name.title().replace('_', '')}View"
    VerbView.__doc__ = f"{name.replace('_', ' ').capitalize()}."
    return VerbView.as_view()

"""Lists of things that are read by whoever may see them and written by one action: two views a room.

`GET` and `POST /things/`, `GET` and `PATCH /things/<key>/`, and `DELETE` where a thing may go. What is not yours is not
there (404); the action decides who may write, and leaves the trail.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Model, QuerySet
from django.urls import URLPattern, path
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from supportdesk.actors import Actor
from supportdesk.errors import NotFound
from supportdesk.web.api.strict import Pages, StrictSerializer
from supportdesk.web.api.tokens import HasScope, actor_of


@dataclass(frozen=True)
class Room:
    """One kind of thing.

    `key` is the field its address names it by; `visible` are the rows an actor may know of; `save(row, *, actor, …)` is
    the one writer, with a row of None for a new one; `filters` are look-ups a list can be narrowed by, each named by
    its first word. `remove(row, *, actor)` takes one away; without it nothing here can be deleted.
    """

    name: str
    key: str
    visible: Callable[[Actor], QuerySet[Any]]
    shown: type[serializers.BaseSerializer[Any]]
    body: type[StrictSerializer]
    save: Callable[..., Model]
    shown_to_staff: type[serializers.BaseSerializer[Any]] | None = None
    filters: tuple[str, ...] = ()
    remove: Callable[..., None] | None = None

    @property
    def singular(self) -> str:
        return self.name.rstrip("s")

    def show(self, actor: Actor, rows: Any, *, many: bool = False) -> Any:
        """A row, or many, as this reader may see it."""
        serializer = self.shown_to_staff if actor.is_staff and self.shown_to_staff else self.shown
        return serializer(rows, many=many).data

    def find(self, actor: Actor, key: str | int) -> Any:
        """One row, as fresh as the database. Raises `NotFound` for what is not there or not theirs."""
        row = self.visible(actor).filter(**{self.key: key}).first()
        if row is None:
            raise NotFound(f"There is no such {self.singular}.")
        return row


def urls(rooms: Sequence[Room]) -> list[URLPattern]:
    """The addresses of the rooms."""
    found = []
    for room in rooms:
        item = _item_view(room) if room.remove is None else _removable(room, _item_view(room), room.remove)
        kind = "int" if room.key in ("id", "pk") else "slug"
        found += [
            path(f"{room.name}/", _list_view(room).as_view(), name=room.name),
            path(f"{room.name}/<{kind}:key>/", item.as_view(), name=room.singular),
        ]
    return found


def read(serializer: type[StrictSerializer], request: Request, *, partial: bool = False) -> dict[str, Any]:
    """The validated body."""
    body = serializer(data=request.data, partial=partial)
    body.is_valid(raise_exception=True)
    return body.validated_data


def _list_view(room: Room) -> type[APIView]:
    narrowed = [OpenApiParameter(look_up.split("__")[0], str) for look_up in room.filters]

    class ListView(APIView):
        permission_classes = [HasScope]
        scopes = {"GET": "read", "POST": "manage"}

        @extend_schema(operation_id=f"{room.name}_list", responses=room.shown(many=True), parameters=narrowed)
        def get(self, request: Request) -> Response:
            actor, pages = actor_of(request), Pages()
            rows = room.visible(actor)
            for look_up in room.filters:
                if wanted := request.query_params.get(look_up.split("__")[0]):
                    rows = rows.filter(**{look_up: wanted})
            found = pages.paginate_queryset(rows, request, view=self)
            return pages.get_paginated_response(room.show(actor, found, many=True))

        @extend_schema(operation_id=f"{room.name}_add", request=room.body, responses={201: room.shown})
        def post(self, request: Request) -> Response:
            actor = actor_of(request)
            saved = room.save(None, actor=actor, **read(room.body, request))
            key = getattr(saved, room.key)
            return Response(
                room.show(actor, room.find(actor, key)),
                status=status.HTTP_201_CREATED,
                headers={"Location": f"{request.path}{key}/"},
            )

    ListView.__name__ = ListView.__qualname__ = f"{room.name.capitalize()}View"
    ListView.__doc__ = f"`GET` lists the {room.name} you may see, `POST` adds one (managers)."
    return ListView


def _item_view(room: Room) -> type[APIView]:
    class ItemView(APIView):
        permission_classes = [HasScope]
        scopes = {"GET": "read", "PATCH": "manage"}

        @extend_schema(operation_id=f"{room.name}_read", responses=room.shown)
        def get(self, request: Request, key: str | int) -> Response:
            actor = actor_of(request)
            return Response(room.show(actor, room.find(actor, key)))

        @extend_schema(operation_id=f"{room.name}_change", request=room.body, responses=room.shown)
        def patch(self, request: Request, key: str | int) -> Response:
            actor = actor_of(request)
            saved = room.save(room.find(actor, key), actor=actor, **read(room.body, request, partial=True))
            return Response(room.show(actor, room.find(actor, getattr(saved, room.key))))

    ItemView.__name__ = ItemView.__qualname__ = f"{room.singular.capitalize()}View"
    ItemView.__doc__ = f"One {room.singular}; `PATCH` changes the fields it names (managers)."
    return ItemView


def _removable(room: Room, view: type[APIView], remove: Callable[..., None]) -> type[APIView]:
    class RemovableView(view):  # type: ignore[valid-type]
        scopes = {"GET": "read", "PATCH": "manage", "DELETE": "manage"}

        @extend_schema(operation_id=f"{room.name}_remove", request=None, responses={204: None})
        def delete(self, request: Request, key: str | int) -> Response:
            actor = actor_of(request)
            remove(room.find(actor, key), actor=actor)
            return Response(status=status.HTTP_204_NO_CONTENT)

    RemovableView.__name__ = RemovableView.__qualname__ = view.__name__
    RemovableView.__doc__ = (
        f"One {room.singular}; `PATCH` changes the fields it names, `DELETE` takes it away (managers)."
    )
    return RemovableView

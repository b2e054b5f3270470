"""What managers still have to do because of an incident, over REST."""

from __future__ import annotations

from typing import ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from incidents import actions
from incidents.models import FollowUp
from supportdesk.errors import NotAllowed, NotFound
from supportdesk.web.api.strict import Pages, StrictSerializer
from supportdesk.web.api.tokens import HasScope, actor_of


class FollowUpSerializer(serializers.ModelSerializer[FollowUp]):
    incident = serializers.IntegerField(source="incident_id", read_only=True)
    assignee = serializers.CharField(source="assignee.email", default=None, read_only=True)
    done_by = serializers.CharField(source="done_by.email", default=None, read_only=True)

    class Meta:
        model = FollowUp
        fields: ClassVar = ("id", "kind", "incident", "text", "assignee", "created_at", "done_at", "done_by", "answer")
        read_only_fields = fields


class AnswerSerializer(StrictSerializer):
    answer = serializers.CharField(max_length=2_000)


class FollowUpsView(APIView):
    """What is still to be done, oldest first."""

    permission_classes = [HasScope]
    scopes = {"GET": "read"}

    @extend_schema(operation_id="follow_ups_list", responses=FollowUpSerializer(many=True))
    def get(self, request: Request) -> Response:
        if not actor_of(request).is_staff:
            raise NotFound("There is nothing at this address.")
        pages = Pages()
        rows = FollowUp.objects.filter(done_at=None).select_related("assignee", "done_by")
        found = pages.paginate_queryset(rows, request, view=self)
        return pages.get_paginated_response(FollowUpSerializer(found, many=True).data)


class FollowUpDoneView(APIView):
    """Say what came of one (managers)."""

    permission_classes = [HasScope]
    scopes = {"POST": "operate"}

    @extend_schema(operation_id="follow_ups_done", request=AnswerSerializer, responses=FollowUpSerializer)
    def post(self, request: Request, pk: int) -> Response:
        actor = actor_of(request)
        if not actor.is_staff:
            raise NotAllowed("Follow-ups are done by managers.")
        body = AnswerSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        done = actions.finish_follow_up(pk, actor=actor, **body.validated_data)
        return Response(FollowUpSerializer(done).data)

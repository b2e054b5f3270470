"""The coverage proof and what-if over REST: for staff; customers find nothing here."""

from __future__ import annotations

from typing import Any

from django.urls import path
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from rotations import proof_runs, proving, what_if
from rotations.models import Proof
from supportdesk.entitlements import SEVERITIES
from supportdesk.errors import Invalid, NotFound
from supportdesk.organizations.models import Organization, Service
from supportdesk.web.api.strict import StrictSerializer
from supportdesk.web.api.tokens import HasScope, actor_of


class ProveSerializer(StrictSerializer):
    """How far to look."""

    days = serializers.IntegerField(
        required=False, default=proving.NIGHTLY.days, min_value=1, max_value=proof_runs.LONGEST_DAYS
    )


class WhatIfSerializer(StrictSerializer):
    """A report that nobody has made."""

    organization = serializers.SlugField()
    severity = serializers.ChoiceField(SEVERITIES)
    at = serializers.DateTimeField(help_text="with an offset, or in UTC")
    service = serializers.SlugField(required=False, default="")


class ProofView(APIView):
    """`GET` is the last proof that was run, whole; `POST` proves now and keeps the result."""

    permission_classes = [HasScope]
    scopes = {"GET": "read", "POST": "operate"}

    @extend_schema(operation_id="proof_read", responses=OpenApiTypes.OBJECT)
    def get(self, request: Request) -> Response:
        _require_staff(request)
        row = Proof.objects.first()
        if row is None:
            raise NotFound("Nothing has been proved yet. POST to this address to prove it now.")
        return Response(_shown(row))

    @extend_schema(operation_id="proof_run", request=ProveSerializer, responses={201: OpenApiTypes.OBJECT})
    def post(self, request: Request) -> Response:
        _require_staff(request)
        said = _read(ProveSerializer, request)
        return Response(_shown(proof_runs.on_demand(said["days"])), status=status.HTTP_201_CREATED)


class WhatIfView(APIView):
    """Who would be contacted when, by what. Stores nothing."""

    permission_classes = [HasScope]
    scopes = {"POST": "read"}

    @extend_schema(operation_id="what_if", request=WhatIfSerializer, responses=OpenApiTypes.OBJECT)
    def post(self, request: Request) -> Response:
        _require_staff(request)
        said = _read(WhatIfSerializer, request)
        organization = Organization.objects.select_related("calendar", "account_manager").filter(
            slug=said["organization"]
        )
        found = organization.first()
        if found is None:
            raise Invalid("There is no such organization.", field="organization")
        answer = what_if.what_if(found, said["severity"], said["at"], _service(said["service"]))
        return Response(answer.to_spec())


def _read(kind: type[StrictSerializer], request: Request) -> dict[str, Any]:
    body = kind(data=request.data if request.data is not None else {})
    body.is_valid(raise_exception=True)
    return body.validated_data


def _require_staff(request: Request) -> None:
    if not actor_of(request).is_staff:
        raise NotFound("There is nothing at this address.")


def _service(slug: str) -> Service | None:
    if not slug:
        return None
    found = Service.objects.filter(slug=slug).first()
    if found is None:
        raise Invalid("There is no such service.", field="service")
    return found


def _shown(row: Proof) -> dict[str, Any]:
    return {"id": row.pk, "kind": row.kind, "duration_ms": row.duration_ms, **row.summary}


urlpatterns = [
    path("proof/", ProofView.as_view(), name="proof"),
    path("what-if/", WhatIfView.as_view(), name="what-if"),
]

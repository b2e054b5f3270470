"""What is promised for an incident and how it stands, and the evidence of it."""

from __future__ import annotations

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from incidents import clockwork, evidence, sla
from incidents.api.incidents import seen
from incidents.models import Incident
from supportdesk import instants
from supportdesk.actors import Actor
from supportdesk.errors import NotAllowed
from supportdesk.web.api.tokens import HasScope, actor_of


class ClocksView(APIView):
    """Every cycle of every clock as it stands now: time used, time left, whether it is paused, and since when."""

    permission_classes = [HasScope]
    scopes = {"GET": "read"}

    @extend_schema(operation_id="incidents_clocks", responses=OpenApiTypes.OBJECT)
    def get(self, request: Request, pk: int) -> Response:
        return Response({"clocks": clocks_of(seen(request, pk), actor_of(request))})


class EvidenceView(APIView):
    """What the promises of an incident rest on: events with their seals, clocks, misses, receipts. Staff only."""

    permission_classes = [HasScope]
    scopes = {"GET": "read"}

    @extend_schema(operation_id="incidents_evidence", responses=OpenApiTypes.OBJECT)
    def get(self, request: Request, pk: int) -> Response:
        incident = seen(request, pk)
        if not actor_of(request).is_staff:
            raise NotAllowed("The evidence names our own people and words; ask your account manager for it.")
        return Response(
            evidence.bundle(incident, instants.now()),
            headers={"Content-Disposition": f'attachment; filename="{incident.ref}-evidence.json"'},
        )


def clocks_of(incident: Incident, actor: Actor) -> list[dict[str, Any]]:
    """The clocks for this reader: customers see what is promised to them, not our own objective."""
    events = clockwork.events_of(incident)
    clocks = sla.clocks(events, instants.now()) if events else ()
    shown = [clock for clock in clocks if actor.is_staff or clock.kind is not sla.ClockKind.ACK]
    return [clock.to_spec() | evidence.measured(clock) for clock in shown]

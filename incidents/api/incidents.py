"""Incidents over REST: report, list, read. What portal and console can do, a token can do, within its scopes."""

from __future__ import annotations

from typing import Any, ClassVar

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from incidents import actions
from incidents.actions import Report
from incidents.models import Incident
from incidents.models.incident import Impact, Source, Urgency
from incidents.states import RAISERS
from incidents.timeline import visible
from supportdesk.entitlements import SEVERITIES
from supportdesk.errors import Invalid, NotFound
from supportdesk.organizations.models import Contact, Organization, Service
from supportdesk.web.api.strict import Pages, StrictSerializer
from supportdesk.web.api.tokens import HasScope, actor_of

IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key", str, OpenApiParameter.HEADER, description="The same key makes the same incident, once."
)


class ReportSerializer(StrictSerializer):
    """What can be said of a new incident. Severity follows from impact and urgency; nobody types “P1”."""

    title = serializers.CharField(max_length=200)
    description = serializers.CharField(max_length=20_000, required=False, allow_blank=True, default="")
    impact = serializers.ChoiceField(Impact.choices)
    urgency = serializers.ChoiceField(Urgency.choices)
    raisers = serializers.ListField(child=serializers.ChoiceField(RAISERS), required=False, default=list, max_length=3)
    service = serializers.SlugField(required=False, default="")
    organization = serializers.SlugField(required=False, default="", help_text="staff only; a customer's own otherwise")
    reporter = serializers.EmailField(required=False, default="", help_text="staff only: the contact who called")

    def report(self, actor: Any, key: str) -> Report:
        """The validated body as the verb wants it; every related thing must be the caller's own (security S2)."""
        said = self.validated_data
        reporter = _caller(actor)
        organization = _organization(actor, said["organization"], reporter)
        return Report(
            title=said["title"],
            description=said["description"],
            source=Source.PARTNER,
            impact=said["impact"],
            urgency=said["urgency"],
            raisers=tuple(said["raisers"]),
            organization=organization,
            reporter=reporter or _reporter(organization, said["reporter"]),
            service=_service(organization, said["service"]),
            request_key=key,
        )


def _caller(actor: Any) -> Contact | None:
    """The contact who calls, with their organization as an incident wants it; None for staff."""
    rows = Contact.objects.select_related("organization__account_manager", "organization__calendar")
    return rows.filter(pk=actor.contact_id).first() if actor.contact_id else None


def _organization(actor: Any, slug: str, caller: Contact | None) -> Organization | None:
    if actor.is_customer:
        own = caller.organization if caller else None
        if own is None or (slug and slug != own.slug):
            raise Invalid("There is no such organization.", field="organization")
        return own
    found = (
        Organization.objects.select_related("account_manager", "calendar").filter(slug=slug).first() if slug else None
    )
    if slug and found is None:
        raise Invalid("There is no such organization.", field="organization")
    return found


def _reporter(organization: Organization | None, email: str) -> Contact | None:
    if not email:
        return None
    found = (
        Contact.objects.filter(organization=organization, email__iexact=email, is_active=True).first()
        if organization
        else None
    )
    if found is None:
        raise Invalid("There is no such contact.", field="reporter")
    return found


def _service(organization: Organization | None, slug: str) -> Service | None:
    if not slug:
        return None
    found = Service.objects.filter(slug=slug).first()
    if found is None or found.organization_id not in (None, organization.pk if organization else None):
        raise Invalid("There is no such service.", field="service")
    return found


class ClockSerializer(serializers.Serializer):
    kind = serializers.CharField()
    cycle = serializers.IntegerField()
    state = serializers.CharField()
    promise = serializers.CharField()
    target_seconds = serializers.IntegerField()
    due_at = serializers.DateTimeField()
    satisfied_at = serializers.DateTimeField()


class IncidentSerializer(serializers.ModelSerializer[Incident]):
    """An incident as its organization may see it; staff fields are added for staff."""

    ref = serializers.CharField(read_only=True)
    stage = serializers.CharField(read_only=True)
    organization: Any = serializers.SlugRelatedField(slug_field="slug", read_only=True)
    service: Any = serializers.SlugRelatedField(slug_field="slug", read_only=True)
    reporter = serializers.CharField(source="reporter.email", read_only=True, default=None)
    clocks = serializers.SerializerMethodField()

    class Meta:
        model = Incident
        fields: ClassVar[Any] = (
            "id",
            "ref",
            "title",
            "description",
            "source",
            "impact",
            "urgency",
            "raisers",
            "severity",
            "status",
            "stage",
            "hold",
            "engagement",
            "queued_until",
            "organization",
            "service",
            "reporter",
            "acknowledged_name",
            "detected_at",
            "received_at",
            "acked_at",
            "first_response_at",
            "mitigated_at",
            "resolved_at",
            "confirmed_at",
            "closed_at",
            "reopen_count",
            "clocks",
        )
        read_only_fields = fields

    def get_clocks(self, incident: Incident) -> list[dict[str, Any]]:
        shown = [clock for clock in incident.clocks.all() if clock.kind != "ack"]
        return list(ClockSerializer(shown, many=True).data)


class StaffIncidentSerializer(IncidentSerializer):
    """The same, with the decision and its reasons."""

    class Meta(IncidentSerializer.Meta):
        fields: ClassVar[Any] = (*IncidentSerializer.Meta.fields, "decision", "owner", "generation")
        read_only_fields = fields


class TimelineSerializer(serializers.Serializer):
    id = serializers.IntegerField()
    at = serializers.DateTimeField()
    kind = serializers.CharField()
    visibility = serializers.CharField()
    actor = serializers.CharField()
    via = serializers.CharField()
    text = serializers.CharField()


def shown(incident: Incident, actor: Any) -> dict[str, Any]:
    """The incident for this reader."""
    return (StaffIncidentSerializer if actor.is_staff else IncidentSerializer)(incident).data


def seen(request: Request, pk: int) -> Incident:
    """The incident, if the caller may know of it. Raises `NotFound`."""
    incident = (
        Incident.objects.visible_to(actor_of(request))
        .select_related("organization", "service", "reporter")
        .prefetch_related("clocks")
        .filter(pk=pk)
        .first()
    )
    if incident is None:
        raise NotFound("There is no such incident.")
    return incident


class IncidentList(APIView):
    """`GET` lists what you may see, newest first; `POST` reports an incident."""

    permission_classes = [HasScope]
    scopes = {"GET": "read", "POST": "report"}

    @extend_schema(
        responses=IncidentSerializer(many=True),
        parameters=[OpenApiParameter("status", str), OpenApiParameter("severity", str)],
    )
    def get(self, request: Request) -> Response:
        actor = actor_of(request)
        incidents = (
            Incident.objects.visible_to(actor)
            .select_related("organization", "service", "reporter")
            .prefetch_related("clocks")
        )
        if wanted := request.query_params.get("status"):
            incidents = incidents.open() if wanted == "open" else incidents.filter(status=wanted)
        if severity := request.query_params.get("severity"):
            if severity not in SEVERITIES:
                raise Invalid("Severity is P1, P2, P3 or P4.", field="severity")
            incidents = incidents.filter(severity=severity)
        pages = Pages()
        rows = pages.paginate_queryset(incidents, request, view=self)
        return pages.get_paginated_response([shown(row, actor) for row in rows or []])

    @extend_schema(request=ReportSerializer, responses={201: IncidentSerializer}, parameters=[IDEMPOTENCY_KEY])
    def post(self, request: Request) -> Response:
        body = ReportSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        actor = actor_of(request)
        key = request.headers.get("Idempotency-Key", "")
        if len(key) > 120:
            raise Invalid("An Idempotency-Key has at most 120 characters.", field="Idempotency-Key")
        incident = actions.report(body.report(actor, key), actor=actor)
        return Response(
            shown(incident, actor),
            status=status.HTTP_201_CREATED,
            headers={"Location": f"/api/v1/incidents/{incident.pk}/"},
        )


class IncidentDetail(APIView):
    """One incident."""

    permission_classes = [HasScope]
    scopes = {"GET": "read"}

    @extend_schema(responses=IncidentSerializer)
    def get(self, request: Request, pk: int) -> Response:
        return Response(shown(seen(request, pk), actor_of(request)))


class IncidentTimeline(APIView):
    """What happened, oldest first: for a customer only what was meant for them."""

    permission_classes = [HasScope]
    scopes = {"GET": "read"}

    @extend_schema(responses=TimelineSerializer(many=True))
    def get(self, request: Request, pk: int) -> Response:
        incident = seen(request, pk)
        return Response(TimelineSerializer(visible(incident.timeline.all(), actor_of(request)), many=True).data)

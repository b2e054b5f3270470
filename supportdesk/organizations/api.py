"""Customers, their people, plans, contracts and calendars over REST. Everybody reads what is theirs; managers write.

Nothing is deleted here: contracts are terminated, people switched off, plans get a new version.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from django.db.models import Prefetch, Q, QuerySet
from django.urls import path
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from supportdesk import instants
from supportdesk.accounts.models import User
from supportdesk.actors import Actor, Role
from supportdesk.errors import Invalid
from supportdesk.localised import LANGUAGES
from supportdesk.organizations import actions, terms
from supportdesk.organizations.models import BusinessCalendar, Contact, Contract, Organization, Plan, PlanVersion
from supportdesk.plain import read_instant
from supportdesk.web.api.rooms import Room, read, urls
from supportdesk.web.api.strict import StrictSerializer
from supportdesk.web.api.tokens import HasScope, actor_of

_PLAN_OF_CONTRACT = ("plan_version__plan", "plan_version__business_hours", "plan_version__extended_hours", "calendar")


# --- what is said ----------------------------------------------------------------------------------------------------


class OrganizationBody(StrictSerializer):
    name = serializers.CharField(max_length=120)
    slug = serializers.SlugField()
    time_zone = serializers.CharField(max_length=64, required=False)
    calendar = serializers.PrimaryKeyRelatedField(
        queryset=BusinessCalendar.objects.all(), required=False, allow_null=True
    )
    account_manager = serializers.SlugRelatedField(
        slug_field="email",
        queryset=User.objects.filter(is_active=True, role=Role.MANAGER),
        required=False,
        allow_null=True,
    )
    slack_channel = serializers.CharField(max_length=40, required=False, allow_blank=True)
    emergency_pin = serializers.CharField(max_length=12, required=False, allow_blank=True)
    notes = serializers.CharField(max_length=10_000, required=False, allow_blank=True)
    is_hidden = serializers.BooleanField(required=False)


class ContactBody(StrictSerializer):
    organization = serializers.SlugRelatedField(slug_field="slug", queryset=Organization.objects.all())
    name = serializers.CharField(max_length=120)
    email = serializers.EmailField()
    phone = serializers.CharField(max_length=20, required=False, allow_blank=True)
    slack_id = serializers.CharField(max_length=40, required=False, allow_blank=True)
    may_declare_emergency = serializers.BooleanField(required=False)
    is_executive = serializers.BooleanField(required=False)
    is_technical = serializers.BooleanField(required=False)
    is_admin = serializers.BooleanField(required=False)
    is_active = serializers.BooleanField(required=False)
    language = serializers.ChoiceField(LANGUAGES, required=False)


class ContractBody(StrictSerializer):
    organization = serializers.SlugRelatedField(slug_field="slug", queryset=Organization.objects.all())
    plan = serializers.SlugRelatedField(slug_field="code", queryset=Plan.objects.all())
    version = serializers.IntegerField(min_value=1, required=False, help_text="the newest one unless named")
    state = serializers.ChoiceField(Contract.State.choices, required=False)
    valid_from = serializers.DateField()
    valid_until = serializers.DateField(required=False, allow_null=True)
    grace_days = serializers.IntegerField(min_value=0, max_value=366, required=False)
    calendar = serializers.PrimaryKeyRelatedField(
        queryset=BusinessCalendar.objects.all(), required=False, allow_null=True
    )
    notes = serializers.CharField(max_length=10_000, required=False, allow_blank=True)

    def validate(self, said: dict[str, Any]) -> dict[str, Any]:
        """Plan and version become the one plan version they name."""
        plan, number = said.pop("plan", None), said.pop("version", None)
        if plan is None:
            if number is not None:
                raise serializers.ValidationError({"plan": ["Name the plan the version belongs to."]})
            return said
        versions = plan.versions.order_by("-number")
        version = (versions.filter(number=number) if number else versions).first()
        if version is None:
            raise serializers.ValidationError({"version": ["This plan has no such version."]})
        return {**said, "plan_version": version}


class CalendarBody(StrictSerializer):
    name = serializers.CharField(max_length=120)
    time_zone = serializers.CharField(max_length=64, required=False, allow_blank=True)
    weekly = serializers.JSONField()
    holiday_region = serializers.CharField(max_length=20, required=False, allow_blank=True)
    closed = serializers.JSONField(required=False)
    special = serializers.JSONField(required=False)


class PlanBody(StrictSerializer):
    code = serializers.CharField(max_length=10)
    name = serializers.CharField(max_length=120)


class PlanVersionBody(StrictSerializer):
    levels = serializers.JSONField()
    features = serializers.JSONField(required=False)
    channels = serializers.JSONField(required=False)
    business_hours = serializers.PrimaryKeyRelatedField(queryset=BusinessCalendar.objects.all())
    extended_hours = serializers.PrimaryKeyRelatedField(queryset=BusinessCalendar.objects.all())


# --- what is shown ---------------------------------------------------------------------------------------------------


class OrganizationShown(serializers.ModelSerializer[Organization]):
    account_manager = serializers.CharField(source="account_manager.email", default=None, read_only=True)

    class Meta:
        model = Organization
        fields: ClassVar[Any] = ("id", "slug", "name", "time_zone", "calendar", "account_manager", "emergency_pin")
        read_only_fields = fields


class OrganizationShownToStaff(OrganizationShown):
    class Meta(OrganizationShown.Meta):
        fields: ClassVar[Any] = (*OrganizationShown.Meta.fields, "slack_channel", "notes", "is_hidden", "created_at")
        read_only_fields = fields


class ContactShown(serializers.ModelSerializer[Contact]):
    organization: Any = serializers.SlugRelatedField(slug_field="slug", read_only=True)
    has_log_in = serializers.SerializerMethodField()

    class Meta:
        model = Contact
        fields: ClassVar[Any] = (
            "id",
            "organization",
            "name",
            "email",
            "phone",
            "slack_id",
            "may_declare_emergency",
            "is_executive",
            "is_technical",
            "is_admin",
            "is_active",
            "language",
            "has_log_in",
        )
        read_only_fields = fields

    def get_has_log_in(self, contact: Contact) -> bool:
        return contact.user_id is not None


class ContractShown(serializers.ModelSerializer[Contract]):
    """`state` is what a manager set, `holds_as` what its dates make of it now; the instants are exclusive ends."""

    organization: Any = serializers.SlugRelatedField(slug_field="slug", read_only=True)
    plan = serializers.CharField(source="plan_version.plan.code", read_only=True)
    version = serializers.IntegerField(source="plan_version.number", read_only=True)
    holds_as = serializers.SerializerMethodField()
    begins_at = serializers.SerializerMethodField()
    ends_at = serializers.SerializerMethodField()
    grace_ends_at = serializers.SerializerMethodField()

    class Meta:
        model = Contract
        fields: ClassVar[Any] = (
            "id",
            "organization",
            "plan",
            "version",
            "state",
            "holds_as",
            "valid_from",
            "valid_until",
            "grace_days",
            "begins_at",
            "ends_at",
            "grace_ends_at",
            "calendar",
        )
        read_only_fields = fields

    def get_holds_as(self, row: Contract) -> str:
        return str(terms.contract(row).state_at(instants.now(), row.organization.time_zone))

    def get_begins_at(self, row: Contract) -> str:
        return terms.contract(row).begins(row.organization.time_zone).isoformat()

    def get_ends_at(self, row: Contract) -> str | None:
        ends = terms.contract(row).ends(row.organization.time_zone)
        return ends.isoformat() if ends else None

    def get_grace_ends_at(self, row: Contract) -> str | None:
        ends = terms.contract(row).grace_ends(row.organization.time_zone)
        return ends.isoformat() if ends else None


class ContractShownToStaff(ContractShown):
    class Meta(ContractShown.Meta):
        fields: ClassVar[Any] = (*ContractShown.Meta.fields, "notes")
        read_only_fields = fields


class CalendarShown(serializers.ModelSerializer[BusinessCalendar]):
    class Meta:
        model = BusinessCalendar
        fields: ClassVar[Any] = ("id", "name", "time_zone", "weekly", "holiday_region", "closed", "special", "version")
        read_only_fields = fields


class PlanVersionShown(serializers.ModelSerializer[PlanVersion]):
    plan = serializers.CharField(source="plan.code", read_only=True)
    version = serializers.IntegerField(source="number", read_only=True)

    class Meta:
        model = PlanVersion
        fields: ClassVar[Any] = (
            "plan",
            "version",
            "levels",
            "features",
            "channels",
            "business_hours",
            "extended_hours",
            "created_at",
        )
        read_only_fields = fields


class PlanShown(serializers.ModelSerializer[Plan]):
    versions = PlanVersionShown(many=True, read_only=True)

    class Meta:
        model = Plan
        fields: ClassVar[Any] = ("code", "name", "versions")
        read_only_fields = fields


# --- who sees what ---------------------------------------------------------------------------------------------------


def _organizations(actor: Actor) -> QuerySet[Organization]:
    rows = Organization.objects.select_related("account_manager").order_by("name", "pk")
    return rows if actor.is_staff else rows.filter(pk=actor.organization_id)


def _contacts(actor: Actor) -> QuerySet[Contact]:
    rows = Contact.objects.select_related("organization").order_by("name", "pk")
    return rows if actor.is_staff else rows.filter(organization_id=actor.organization_id, is_active=True)


def _contracts(actor: Actor) -> QuerySet[Contract]:
    rows = Contract.objects.select_related("organization", *_PLAN_OF_CONTRACT).order_by("-valid_from", "-pk")
    return rows if actor.is_staff else rows.filter(organization_id=actor.organization_id)


def _versions(actor: Actor) -> QuerySet[PlanVersion]:
    """Customers see what was agreed with them; another customer's special plan is not theirs to know."""
    rows = PlanVersion.objects.select_related("plan").order_by("plan__code", "-number")
    return rows if actor.is_staff else rows.filter(contracts__organization_id=actor.organization_id).distinct()


def _plans(actor: Actor) -> QuerySet[Plan]:
    versions = _versions(actor)
    rows = Plan.objects.prefetch_related(Prefetch("versions", queryset=versions)).order_by("code")
    return rows if actor.is_staff else rows.filter(pk__in=versions.values("plan"))


def _calendars(actor: Actor) -> QuerySet[BusinessCalendar]:
    rows = BusinessCalendar.objects.order_by("name")
    if actor.is_staff:
        return rows
    used = _versions(actor)
    own = Q(pk__in=_contracts(actor).values("calendar")) | Q(pk__in=_organizations(actor).values("calendar"))
    plans = Q(pk__in=used.values("business_hours")) | Q(pk__in=used.values("extended_hours"))
    return rows.filter(own | plans)


# --- the rooms -------------------------------------------------------------------------------------------------------


organizations = Room(
    "organizations",
    "slug",
    _organizations,
    OrganizationShown,
    OrganizationBody,
    actions.save_organization,
    shown_to_staff=OrganizationShownToStaff,
)
plans = Room("plans", "code", _plans, PlanShown, PlanBody, actions.save_plan)
ROOMS = (
    organizations,
    Room("contacts", "id", _contacts, ContactShown, ContactBody, actions.save_contact, filters=("organization__slug",)),
    Room(
        "contracts",
        "id",
        _contracts,
        ContractShown,
        ContractBody,
        actions.save_contract,
        shown_to_staff=ContractShownToStaff,
        filters=("organization__slug", "state"),
    ),
    Room("calendars", "id", _calendars, CalendarShown, CalendarBody, actions.save_calendar),
    plans,
)


class PlanVersionsView(APIView):
    """The versions of a plan, newest first; `POST` says what it promises from now on (managers)."""

    permission_classes = [HasScope]
    scopes = {"GET": "read", "POST": "manage"}

    @extend_schema(operation_id="plan_versions_list", responses=PlanVersionShown(many=True))
    def get(self, request: Request, code: str) -> Response:
        actor = actor_of(request)
        versions = _versions(actor).filter(plan=plans.find(actor, code))
        return Response(PlanVersionShown(versions, many=True).data)

    @extend_schema(operation_id="plan_versions_add", request=PlanVersionBody, responses={201: PlanVersionShown})
    def post(self, request: Request, code: str) -> Response:
        actor = actor_of(request)
        plan = plans.find(actor, code)
        version = actions.add_plan_version(plan, actor=actor, **read(PlanVersionBody, request))
        return Response(PlanVersionShown(version).data, status=status.HTTP_201_CREATED)


class EntitlementView(APIView):
    """What an organization is owed at an instant (`?at=`, now unless told), and which rules say so (ENT-1 … ENT-5)."""

    permission_classes = [HasScope]
    scopes = {"GET": "read"}

    @extend_schema(
        operation_id="organization_entitlement",
        responses=OpenApiTypes.OBJECT,
        parameters=[OpenApiParameter("at", OpenApiTypes.DATETIME)],
    )
    def get(self, request: Request, slug: str) -> Response:
        organization = organizations.find(actor_of(request), slug)
        return Response(terms.entitlement(organization, _instant(request)).to_spec())


def _instant(request: Request) -> datetime:
    asked = request.query_params.get("at")
    if not asked:
        return instants.now()
    try:
        return read_instant(asked, "at")
    except ValueError as error:
        raise Invalid(str(error), field="at") from error


urlpatterns = [
    *urls(ROOMS),
    path("plans/<slug:code>/versions/", PlanVersionsView.as_view(), name="plan-versions"),
    path("organizations/<slug:slug>/entitlement/", EntitlementView.as_view(), name="organization-entitlement"),
]

"""What the rota's API reads and shows: strict bodies, and answers that name people by their e-mail address."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar

from rest_framework import serializers

from rotations.escalation.policy import Pager
from rotations.models import (
    EscalationPolicy,
    HandOff,
    HandOffItem,
    Layer,
    Leave,
    Override,
    PolicyRule,
    RotationRevision,
    Schedule,
    Swap,
)
from rotations.planning import Hit
from rotations.schedule import OnCall
from rotations.shifts import Final
from supportdesk.accounts.models import User
from supportdesk.actors import Role
from supportdesk.entitlements import SEVERITIES
from supportdesk.organizations.models import Organization, Plan, Service
from supportdesk.web.api.strict import StrictSerializer

LONGEST_RING = 100


def _person(**options: Any) -> serializers.SlugRelatedField[Any]:
    """Somebody who works here, by e-mail address."""
    people = User.objects.filter(is_active=True).exclude(role=Role.CUSTOMER)
    return serializers.SlugRelatedField(slug_field="email", queryset=people, **options)


def _by_slug(rows: Any, **options: Any) -> serializers.SlugRelatedField[Any]:
    return serializers.SlugRelatedField(slug_field="slug", queryset=rows, **options)


def _email(source: str) -> serializers.CharField:
    return serializers.CharField(source=f"{source}.email", default=None, read_only=True, allow_null=True)


# --- what is said ----------------------------------------------------------------------------------------------------


class NothingBody(StrictSerializer):
    """No fields."""


class ScheduleBody(StrictSerializer):
    name = serializers.CharField(max_length=120)
    slug = serializers.SlugField(max_length=50)
    backup_offset = serializers.IntegerField(min_value=-100, max_value=100, required=False)
    fallback = _person(required=False, allow_null=True)
    manager = _person(required=False, allow_null=True)
    duty = serializers.BooleanField(required=False)


class LayerBody(StrictSerializer):
    schedule = _by_slug(Schedule.objects.all())
    name = serializers.CharField(max_length=60)
    slot = serializers.ChoiceField(Layer.Slot.choices, required=False)
    time_zone = serializers.CharField(max_length=64)
    window_start = serializers.TimeField(required=False, allow_null=True)
    window_end = serializers.TimeField(required=False, allow_null=True)
    weekdays = serializers.ListField(
        child=serializers.IntegerField(min_value=0, max_value=6), required=False, max_length=7, help_text="0 is Monday"
    )
    priority = serializers.IntegerField(min_value=-1000, max_value=1000, required=False)
    position = serializers.IntegerField(min_value=0, max_value=1000, required=False)
    confirm = serializers.BooleanField(required=False, help_text="a gap that this opens soon is meant")


class RingBody(StrictSerializer):
    ring = serializers.ListField(child=_person(), min_length=1, max_length=LONGEST_RING)
    at_once = serializers.BooleanField(required=False, help_text="whoever is taken out is relieved now")
    confirm = serializers.BooleanField(required=False, help_text="a gap that this opens soon is meant")


class RevisionBody(StrictSerializer):
    effective_from = serializers.DateTimeField(required=False, allow_null=True, default=None)
    unit = serializers.ChoiceField(RotationRevision.Unit.choices)
    every = serializers.IntegerField(min_value=1, max_value=1000)
    anchor = serializers.RegexField(
        r"\A\d{4}-\d\d-\d\dT\d\d:\d\d\Z", help_text="local time of hand-off 0: 2026-03-23T09:00"
    )
    ring = serializers.ListField(child=_person(), min_length=1, max_length=LONGEST_RING)
    start_index = serializers.IntegerField(min_value=0, max_value=LONGEST_RING, required=False, default=0)
    confirm = serializers.BooleanField(required=False, help_text="a gap that this opens soon is meant")


class TakeBody(StrictSerializer):
    slot = serializers.ChoiceField(Layer.Slot.choices, required=False)
    until = serializers.DateTimeField(required=False)


class NoteBody(StrictSerializer):
    note = serializers.CharField(max_length=5_000)


class OverrideBody(StrictSerializer):
    schedule = _by_slug(Schedule.objects.all())
    person = _person()
    slot = serializers.ChoiceField(Layer.Slot.choices, required=False)
    start = serializers.DateTimeField()
    end = serializers.DateTimeField()
    reason = serializers.CharField(max_length=200, required=False, allow_blank=True)
    force = serializers.CharField(
        max_length=200, required=False, allow_blank=True, help_text="managers: why, against a limit of fatigue"
    )


class SwapBody(StrictSerializer):
    schedule = _by_slug(Schedule.objects.all())
    slot = serializers.ChoiceField(Layer.Slot.choices, required=False)
    start = serializers.DateTimeField()
    end = serializers.DateTimeField()
    giver = _person(required=False, help_text="the caller unless a manager says otherwise")
    taker = _person(required=False, allow_null=True, help_text="empty: whoever wants it")
    return_start = serializers.DateTimeField(required=False, allow_null=True)
    return_end = serializers.DateTimeField(required=False, allow_null=True)
    note = serializers.CharField(max_length=200, required=False, allow_blank=True)


class AcceptBody(StrictSerializer):
    taker = _person(required=False, help_text="the caller unless a manager says otherwise")
    force = serializers.CharField(max_length=200, required=False, allow_blank=True)


class LeaveBody(StrictSerializer):
    person = _person(required=False, help_text="the caller unless a manager says otherwise")
    start = serializers.DateTimeField()
    end = serializers.DateTimeField()
    kind = serializers.ChoiceField(Leave.Kind.choices, required=False)
    note = serializers.CharField(max_length=200, required=False, allow_blank=True)


class ApproveBody(StrictSerializer):
    promote = serializers.BooleanField(required=False, help_text="whoever is next in line steps up")


class RefuseBody(StrictSerializer):
    reason = serializers.CharField(max_length=200)


class PolicyBody(StrictSerializer):
    name = serializers.CharField(max_length=120)
    schedule = _by_slug(Schedule.objects.all())
    steps = serializers.JSONField(help_text='[{"targets": ["primary", …], "delay_seconds": 180}, …]')
    repeat = serializers.IntegerField(min_value=-1, max_value=1000, required=False)
    ack_timeout_seconds = serializers.IntegerField(min_value=60, max_value=1_000_000, required=False)
    exhausted_every_seconds = serializers.IntegerField(min_value=10, max_value=1_000_000, required=False)
    required_acks = serializers.IntegerField(min_value=1, max_value=10, required=False)
    pager = serializers.ChoiceField([p.value for p in Pager], required=False)


class RuleBody(StrictSerializer):
    severity = serializers.ChoiceField(SEVERITIES)
    plan = serializers.SlugRelatedField(slug_field="code", queryset=Plan.objects.all(), required=False, allow_null=True)
    organization = _by_slug(Organization.objects.all(), required=False, allow_null=True)
    service = _by_slug(Service.objects.all(), required=False, allow_null=True)
    policy = serializers.PrimaryKeyRelatedField(queryset=EscalationPolicy.objects.all())


# --- what is shown ---------------------------------------------------------------------------------------------------


class ScheduleShown(serializers.ModelSerializer[Schedule]):
    fallback = _email("fallback")
    manager = _email("manager")

    class Meta:
        model = Schedule
        fields: ClassVar[Any] = ("id", "slug", "name", "backup_offset", "fallback", "manager", "duty")
        read_only_fields = fields


class LayerShown(serializers.ModelSerializer[Layer]):
    schedule = serializers.CharField(source="schedule.slug", read_only=True)

    class Meta:
        model = Layer
        fields: ClassVar[Any] = (
            "id",
            "schedule",
            "name",
            "slot",
            "time_zone",
            "window_start",
            "window_end",
            "weekdays",
            "priority",
            "position",
        )
        read_only_fields = fields


class RevisionShown(serializers.ModelSerializer[RotationRevision]):
    ring = serializers.SerializerMethodField()

    class Meta:
        model = RotationRevision
        fields: ClassVar[Any] = ("id", "effective_from", "unit", "every", "anchor", "start_index", "ring")
        read_only_fields = fields

    def get_ring(self, row: RotationRevision) -> list[str]:
        return [member.user.email for member in row.members.all()]


class OverrideShown(serializers.ModelSerializer[Override]):
    schedule = serializers.CharField(source="schedule.slug", read_only=True)
    person = _email("user")

    class Meta:
        model = Override
        fields: ClassVar[Any] = ("id", "schedule", "slot", "person", "start", "end", "reason", "created_at")
        read_only_fields = fields


class FindingShown(serializers.Serializer):
    """A limit of fatigue that a plan passes; `block` was forced by a manager."""

    rule = serializers.CharField()
    severity = serializers.CharField()
    person = serializers.CharField()
    text = serializers.CharField()
    start = serializers.DateTimeField()
    end = serializers.DateTimeField()
    is_legal_limit = serializers.BooleanField()


class OverrideMade(OverrideShown):
    """The override, and what it does to whoever takes over."""

    warnings = FindingShown(many=True, read_only=True)

    class Meta(OverrideShown.Meta):
        fields: ClassVar[Any] = (*OverrideShown.Meta.fields, "warnings")


class SwapShown(serializers.ModelSerializer[Swap]):
    schedule = serializers.CharField(source="schedule.slug", read_only=True)
    giver = _email("giver")
    taker = _email("taker")

    class Meta:
        model = Swap
        fields: ClassVar[Any] = (
            "id",
            "schedule",
            "slot",
            "giver",
            "taker",
            "start",
            "end",
            "return_start",
            "return_end",
            "state",
            "note",
        )
        read_only_fields = fields


class SwapMade(SwapShown):
    """The swap, and what it does to both people."""

    warnings = FindingShown(many=True, read_only=True)

    class Meta(SwapShown.Meta):
        fields: ClassVar[Any] = (*SwapShown.Meta.fields, "warnings")


class LeaveShown(serializers.ModelSerializer[Leave]):
    person = _email("user")

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


class ItemShown(serializers.ModelSerializer[HandOffItem]):
    class Meta:
        model = HandOffItem
        fields: ClassVar[Any] = ("subject", "title", "severity", "accepted_at")
        read_only_fields = fields


class HandOffShown(serializers.ModelSerializer[HandOff]):
    schedule = serializers.CharField(source="schedule.slug", read_only=True)
    outgoing = _email("outgoing")
    incoming = _email("incoming")
    contact = _email("contact")
    items = ItemShown(many=True, read_only=True)

    class Meta:
        model = HandOff
        fields: ClassVar[Any] = (
            "id",
            "schedule",
            "at",
            "outgoing",
            "incoming",
            "note",
            "written_at",
            "accepted_at",
            "contact",
            "contact_until",
            "items",
        )
        read_only_fields = fields


class SeatShown(serializers.Serializer):
    person = serializers.EmailField(allow_null=True)
    name = serializers.CharField(allow_null=True)
    reason = serializers.CharField(allow_null=True)
    layer = serializers.CharField(allow_null=True)
    shift_start = serializers.DateTimeField(allow_null=True)
    shift_end = serializers.DateTimeField(allow_null=True)


class OnCallShown(serializers.Serializer):
    """A schedule at an instant; `handover_contact` answers questions and is not paged."""

    schedule = serializers.SlugField()
    at = serializers.DateTimeField()
    primary = SeatShown()
    backup = SeatShown()
    handover_contact = serializers.EmailField(allow_null=True)
    changes_at = serializers.DateTimeField(allow_null=True)


class ShiftShown(serializers.Serializer):
    slot = serializers.CharField()
    person = serializers.EmailField(allow_null=True)
    start = serializers.DateTimeField()
    end = serializers.DateTimeField()
    layer = serializers.CharField(allow_null=True)
    reason = serializers.CharField()
    shift_start = serializers.DateTimeField()
    shift_end = serializers.DateTimeField()


class GapShown(serializers.Serializer):
    slot = serializers.CharField()
    start = serializers.DateTimeField()
    end = serializers.DateTimeField()


class FinalShown(serializers.Serializer):
    """The final schedule of a range. A gap in primary: whoever is the fallback is called."""

    schedule = serializers.SlugField()
    start = serializers.DateTimeField()
    end = serializers.DateTimeField()
    shifts = ShiftShown(many=True)
    gaps = GapShown(many=True)


class PolicyShown(serializers.ModelSerializer[EscalationPolicy]):
    schedule = serializers.CharField(source="schedule.slug", read_only=True)

    class Meta:
        model = EscalationPolicy
        fields: ClassVar[Any] = (
            "id",
            "name",
            "schedule",
            "steps",
            "repeat",
            "ack_timeout_seconds",
            "exhausted_every_seconds",
            "required_acks",
            "pager",
            "version",
        )
        read_only_fields = fields


class RuleShown(serializers.ModelSerializer[PolicyRule]):
    plan = serializers.CharField(source="plan.code", default=None, read_only=True)
    organization = serializers.CharField(source="organization.slug", default=None, read_only=True)
    service = serializers.CharField(source="service.slug", default=None, read_only=True)
    policy_name = serializers.CharField(source="policy.name", read_only=True)

    class Meta:
        model = PolicyRule
        fields: ClassVar[Any] = ("id", "severity", "plan", "organization", "service", "policy", "policy_name")
        read_only_fields = fields


class LoadShown(serializers.Serializer):
    person = serializers.EmailField(source="user.email")
    name = serializers.CharField(source="user.name")
    hours = serializers.FloatField()
    night_hours = serializers.FloatField()
    weekend_hours = serializers.FloatField()
    overload_percent = serializers.IntegerField(source="overload")
    pages = serializers.IntegerField()
    night_pages = serializers.IntegerField()
    broken_nights = serializers.IntegerField()
    call_outs = serializers.IntegerField()
    stood_in = serializers.IntegerField(source="given")
    was_stood_in_for = serializers.IntegerField(source="received")
    findings = FindingShown(many=True)


class FairnessShown(serializers.Serializer):
    start = serializers.DateTimeField()
    end = serializers.DateTimeField()
    balance_percent = serializers.IntegerField(source="balance")
    people = LoadShown(many=True, source="loads")


def _seat(person: str | None, hold: Any, known: Mapping[str, User]) -> dict[str, Any]:
    user = known.get(person or "")
    return {
        "person": user.email if user else None,
        "name": user.name if user else None,
        "reason": hold.reason.value if hold else None,
        "layer": hold.layer if hold else None,
        "shift_start": hold.shift_start if hold else None,
        "shift_end": hold.shift_end if hold else None,
    }


def on_call(row: Schedule, held: OnCall, known: Mapping[str, User], now: datetime) -> dict[str, Any]:
    """Who holds a schedule, as `OnCallShown` wants it."""
    contact = known.get(held.handover_contact or "")
    return {
        "schedule": row.slug,
        "at": now,
        "primary": _seat(held.primary, held.primary_shift, known),
        "backup": _seat(held.backup, held.backup_shift, known),
        "handover_contact": contact.email if contact else None,
        "changes_at": held.changes_at,
    }


def final(row: Schedule, found: Final, known: Mapping[str, User]) -> dict[str, Any]:
    """A final schedule, as `FinalShown` wants it; shifts and gaps in order of time."""
    shifts = [
        {
            **shift._asdict(),
            "person": known[shift.person].email if shift.person in known else None,
            "reason": shift.reason.value,
        }
        for shift in sorted(found.shifts, key=lambda shift: (shift.start, shift.slot != "primary"))
    ]
    gaps = [gap._asdict() for gap in sorted(found.gaps, key=lambda gap: gap.start)]
    return {"schedule": row.slug, "start": found.start, "end": found.end, "shifts": shifts, "gaps": gaps}


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

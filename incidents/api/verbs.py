"""The verbs over REST: one POST each, answered with the incident as it is afterwards. Pressing twice is no error."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from incidents import actions
from incidents.api.incidents import IncidentSerializer, seen, shown
from incidents.models import Breach, Incident
from incidents.states import LoweringCode
from supportdesk.actors import Actor
from supportdesk.entitlements import GOODWILL_SCOPES, SEVERITIES
from supportdesk.errors import Invalid
from supportdesk.web.api.strict import StrictSerializer
from supportdesk.web.api.tokens import HasScope, actor_of

CHECKED = "send it although it names a customer or a machine: somebody has read it; a secret is never sent"

Call = Callable[[int, Actor, dict[str, Any]], Any]


class TextSerializer(StrictSerializer):
    text = serializers.CharField(max_length=20_000)


class CheckedSerializer(StrictSerializer):
    """A text the customer reads: it may be held back once, and sent all the same."""

    is_checked = serializers.BooleanField(required=False, default=False, help_text=CHECKED)


class MessageSerializer(CheckedSerializer, TextSerializer):
    pass


class OptionalTextSerializer(StrictSerializer):
    text = serializers.CharField(max_length=20_000, required=False, allow_blank=True, default="")


class OptionalMessageSerializer(CheckedSerializer, OptionalTextSerializer):
    pass


class NothingSerializer(StrictSerializer):
    """No fields."""


class UpdateSerializer(CheckedSerializer):
    state = serializers.CharField(max_length=10_000)
    doing = serializers.CharField(max_length=10_000)
    status = serializers.ChoiceField(
        ["investigating", "identified", "mitigating", "monitoring"], required=False, default=""
    )
    next_update_at = serializers.DateTimeField(required=False, allow_null=True, default=None)
    is_for_linked = serializers.BooleanField(
        required=False, default=False, help_text="send it to every incident linked to this one as well"
    )


class MasterSerializer(StrictSerializer):
    master = serializers.IntegerField(min_value=1, help_text="the number of the incident with the same cause")


class MergeSerializer(CheckedSerializer):
    into = serializers.IntegerField(min_value=1, help_text="the number of the incident that goes on")
    reason = serializers.CharField(max_length=500)


class SeveritySerializer(CheckedSerializer):
    severity = serializers.ChoiceField(SEVERITIES)
    reason = serializers.CharField(max_length=500)
    code = serializers.ChoiceField(list(LoweringCode), required=False, default="")


class HoldSerializer(CheckedSerializer):
    kind = serializers.ChoiceField(["customer", "change_window", "third_party"])
    question = serializers.CharField(max_length=20_000, required=False, allow_blank=True, default="")


class GoodwillSerializer(StrictSerializer):
    scope = serializers.ListField(child=serializers.ChoiceField(GOODWILL_SCOPES), min_length=1, max_length=4)
    reason = serializers.CharField(max_length=2_000)
    expires_at = serializers.DateTimeField(help_text="at most 24 hours away")


class DecisionSerializer(CheckedSerializer):
    uphold = serializers.BooleanField(help_text="true: the customer was right, the higher severity stays")
    reason = serializers.CharField(max_length=500)


class ReceivedSerializer(StrictSerializer):
    received_at = serializers.DateTimeField(help_text="earlier than now recorded, never later")
    reason = serializers.CharField(max_length=500)


class CadenceSerializer(CheckedSerializer):
    minutes = serializers.ChoiceField([30, 60])
    agreement = serializers.CharField(max_length=2_000, help_text="who agreed to it, when, and how")


class ExcuseSerializer(StrictSerializer):
    breach = serializers.IntegerField(min_value=1)
    category = serializers.ChoiceField(Breach.Excuse.choices)
    text = serializers.CharField(max_length=2_000)


def _excuse(pk: int, actor: Actor, said: dict[str, Any]) -> None:
    """A miss is excused at the incident it belongs to, nowhere else."""
    if not Breach.objects.filter(pk=said["breach"], incident_id=pk).exists():
        raise Invalid("This incident has no such miss.", field="breach")
    actions.annotate_breach(said["breach"], actor=actor, category=said["category"], text=said["text"])


def _readable(pk: int, actor: Actor, field: str) -> int:
    """The number of another incident, as a field of the body."""
    if not Incident.objects.visible_to(actor).filter(pk=pk).exists():
        raise Invalid("There is no such incident.", field=field)
    return pk


def _verb(name: str, serializer: type[StrictSerializer], call: Call, scope: str = "operate") -> type[APIView]:
    """One POST endpoint for one verb: validate, call the action, answer with the incident."""

    class VerbView(APIView):
        permission_classes = [HasScope]
        scopes = {"POST": scope}

        @extend_schema(operation_id=f"incidents_{name}", request=serializer, responses=IncidentSerializer)
        def post(self, request: Request, pk: int) -> Response:
            seen(request, pk)
            body = serializer(data=request.data or {})
            body.is_valid(raise_exception=True)
            call(pk, actor_of(request), body.validated_data)
            return Response(shown(seen(request, pk), actor_of(request)))

    VerbView.__name__ = VerbView.__qualname__ = f"{name.title().replace('_', '')}View"
    VerbView.__doc__ = f"{name.replace('_', ' ').capitalize()}."
    return VerbView


VERBS: dict[str, type[APIView]] = {
    "acknowledge": _verb(
        "acknowledge", NothingSerializer, lambda pk, actor, said: actions.acknowledge(pk, actor=actor)
    ),
    "claim": _verb("claim", NothingSerializer, lambda pk, actor, said: actions.claim(pk, actor=actor)),
    "escalate": _verb(
        "escalate",
        OptionalTextSerializer,
        lambda pk, actor, said: actions.escalate(pk, actor=actor, reason=said["text"]),
    ),
    "hand-back": _verb(
        "hand_back",
        OptionalTextSerializer,
        lambda pk, actor, said: actions.hand_back(pk, actor=actor, reason=said["text"]),
    ),
    "notes": _verb(
        "note", TextSerializer, lambda pk, actor, said: actions.write_note(pk, actor=actor, text=said["text"])
    ),
    "messages": _verb(
        "message",
        MessageSerializer,
        lambda pk, actor, said: actions.write_message(pk, actor=actor, **said),
        "report",
    ),
    "updates": _verb("update", UpdateSerializer, lambda pk, actor, said: actions.post_update(pk, actor=actor, **said)),
    "severity": _verb(
        "severity", SeveritySerializer, lambda pk, actor, said: actions.change_severity(pk, actor=actor, **said)
    ),
    "hold": _verb("hold", HoldSerializer, lambda pk, actor, said: actions.hold(pk, actor=actor, **said)),
    "release": _verb("release", NothingSerializer, lambda pk, actor, said: actions.release(pk, actor=actor)),
    "resolve": _verb(
        "resolve",
        MessageSerializer,
        lambda pk, actor, said: actions.resolve(pk, actor=actor, summary=said["text"], is_checked=said["is_checked"]),
    ),
    "confirm": _verb(
        "confirm",
        OptionalMessageSerializer,
        lambda pk, actor, said: actions.confirm(pk, actor=actor, **said),
        "report",
    ),
    "reopen": _verb(
        "reopen",
        MessageSerializer,
        lambda pk, actor, said: actions.reopen(pk, actor=actor, reason=said["text"], is_checked=said["is_checked"]),
        "report",
    ),
    "cancel": _verb(
        "cancel",
        MessageSerializer,
        lambda pk, actor, said: actions.cancel(pk, actor=actor, reason=said["text"], is_checked=said["is_checked"]),
    ),
    "goodwill": _verb(
        "goodwill", GoodwillSerializer, lambda pk, actor, said: actions.grant_goodwill(pk, actor=actor, **said)
    ),
    "dispute": _verb(
        "dispute",
        TextSerializer,
        lambda pk, actor, said: actions.dispute_severity(pk, actor=actor, text=said["text"]),
        "report",
    ),
    "decide-dispute": _verb(
        "decide_dispute", DecisionSerializer, lambda pk, actor, said: actions.decide_dispute(pk, actor=actor, **said)
    ),
    "received": _verb(
        "received", ReceivedSerializer, lambda pk, actor, said: actions.move_received(pk, actor=actor, **said)
    ),
    "cadence": _verb(
        "cadence", CadenceSerializer, lambda pk, actor, said: actions.agree_cadence(pk, actor=actor, **said)
    ),
    "link": _verb(
        "link",
        MasterSerializer,
        lambda pk, actor, said: actions.link_to_master(
            pk, actor=actor, master_id=_readable(said["master"], actor, "master")
        ),
    ),
    "unlink": _verb("unlink", NothingSerializer, lambda pk, actor, said: actions.unlink(pk, actor=actor)),
    "merge": _verb(
        "merge",
        MergeSerializer,
        lambda pk, actor, said: actions.merge(
            pk,
            actor=actor,
            into_id=_readable(said["into"], actor, "into"),
            reason=said["reason"],
            is_checked=said["is_checked"],
        ),
    ),
    "unmerge": _verb("unmerge", NothingSerializer, lambda pk, actor, said: actions.unmerge(pk, actor=actor)),
    "excuse": _verb("excuse", ExcuseSerializer, _excuse),
}

"""Fields that several bodies and answers share: people by e-mail address, things by slug, limits of fatigue."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rest_framework import serializers

from rotations import planning
from supportdesk.accounts.models import User
from supportdesk.actors import Role
from supportdesk.web.api.strict import StrictSerializer


def colleague(**options: Any) -> serializers.SlugRelatedField[Any]:
    """Somebody who works here, by e-mail address."""
    people = User.objects.filter(is_active=True).exclude(role=Role.CUSTOMER)
    return serializers.SlugRelatedField(slug_field="email", queryset=people, **options)


def by_slug(rows: Any, **options: Any) -> serializers.SlugRelatedField[Any]:
    return serializers.SlugRelatedField(slug_field="slug", queryset=rows, **options)


def email(source: str) -> serializers.CharField:
    return serializers.CharField(source=f"{source}.email", default=None, read_only=True, allow_null=True)


class NothingBody(StrictSerializer):
    """No fields."""


class FindingShown(serializers.Serializer):
    """A limit of fatigue that a plan passes; `block` was forced by a manager."""

    rule = serializers.CharField()
    severity = serializers.CharField()
    person = serializers.CharField()
    text = serializers.CharField()
    start = serializers.DateTimeField()
    end = serializers.DateTimeField()
    is_legal_limit = serializers.BooleanField()


def warnings(findings: Iterable[Any]) -> list[dict[str, Any]]:
    return list(FindingShown(planning.in_words(findings), many=True).data)

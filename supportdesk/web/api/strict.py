"""Strict reading: no unknown fields, no NUL characters, no endless nesting; pages of at most 100."""

from __future__ import annotations

import json
from typing import Any

from rest_framework import exceptions, pagination, parsers, serializers

DEEPEST_JSON = 32


class StrictJSONParser(parsers.JSONParser):
    """JSON without NUL characters, NaN or nesting deeper than 32."""

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        try:
            data = json.loads(stream.read().decode("utf-8"), parse_constant=_refuse_constant)
        except (ValueError, RecursionError) as error:
            raise exceptions.ParseError(f"This is not valid JSON: {error}") from error
        _check(data, "", 0)
        return data


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _check(value: Any, path: str, depth: int) -> None:
    if depth > DEEPEST_JSON:
        raise exceptions.ParseError("This JSON is nested too deeply.")
    if isinstance(value, str) and "\0" in value:
        raise serializers.ValidationError({path or "body": ["NUL characters are not allowed."]})
    if isinstance(value, dict):
        for key, item in value.items():
            if "\0" in key:
                raise serializers.ValidationError({path or "body": ["NUL characters are not allowed."]})
            _check(item, f"{path}.{key}" if path else key, depth + 1)
    elif isinstance(value, list):
        for place, item in enumerate(value):
            _check(item, f"{path}[{place}]", depth + 1)


class StrictSerializer(serializers.Serializer):
    """Refuses fields it does not know: a misspelt field is an error, not silence."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, dict) and (unknown := set(data) - set(self.fields)):
            raise serializers.ValidationError({name: ["There is no such field."] for name in sorted(unknown)})
        return super().to_internal_value(data)


class Pages(pagination.PageNumberPagination):
    """`?page=2&page_size=50`, never more than 100."""

    page_size = 50
    page_size_query_param = "page_size"
    max_page_size = 100

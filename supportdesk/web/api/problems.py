"""DRF's refusals as problem bodies (RFC 9457) that name the field."""

from __future__ import annotations

from typing import Any

from rest_framework.response import Response
from rest_framework.views import exception_handler

from supportdesk.errors import DeskError
from supportdesk.web.errors import problem_body


def problem(error: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's exception handler: every refusal is a problem body that names the field."""
    if isinstance(error, DeskError):
        return Response(problem_body(error), status=error.status, content_type="application/problem+json")
    response = exception_handler(error, context)
    if response is None:
        return None
    details = _flatten(response.data)
    title = getattr(error, "default_detail", "Request refused")
    response.data = {
        "type": f"urn:supportdesk:{_code(error)}",
        "title": str(title),
        "status": response.status_code,
        "detail": "; ".join(f"{d['field']}: {d['detail']}" if d["field"] else d["detail"] for d in details)[:1000],
        "errors": [d for d in details if d["field"]],
    }
    response.content_type = "application/problem+json"
    return response


def _code(error: Exception) -> str:
    """Our own name for what DRF refuses: words joined by dashes, as in `not-allowed`."""
    return str(getattr(error, "default_code", "refused")).replace("_", "-").replace("permission-denied", "not-allowed")


def _flatten(data: Any, path: str = "") -> list[dict[str, str]]:
    if isinstance(data, dict):
        return [
            row
            for key, value in data.items()
            for row in _flatten(
                value, path if key in ("detail", "non_field_errors") else f"{path}.{key}" if path else str(key)
            )
        ]
    if isinstance(data, list):
        rows = []
        for place, value in enumerate(data):
            rows += _flatten(value, f"{path}[{place}]" if isinstance(value, dict) else path)
        return rows
    return [{"field": path, "detail": str(data)}]

"""Figures from a Prometheus, asked for one at a time. https://prometheus.io/docs/prometheus/latest/querying/api/"""

from __future__ import annotations

import json
import math
from urllib.parse import urlencode

from supportdesk.integrations import guarded, inbound
from supportdesk.integrations.base import Field, Integration, IntegrationError
from supportdesk.integrations.outbound import refused

ANSWER_LIMIT = 262_144


class Prometheus(Integration):
    """Asked from the queue for the figure of a series; never writes."""

    slug = "prometheus"
    label = "Prometheus (figures)"
    fields = (
        Field(
            "url",
            "Address",
            help="https://prometheus.example.com; a private network has to be allowed in the settings.",
        ),
        Field("token", "Token", secret=True, required=False, help="Sent as Authorization: Bearer …"),
    )

    def check(self) -> str:
        self.ask("vector(1)")
        return "Asked for a figure and got one."

    def ask(self, query: str) -> float:
        """The one figure a PromQL expression answers with. Raises `IntegrationError`."""
        where = (self.base_url or self.values["url"]).rstrip("/")
        token = self.values.get("token", "")
        headers = {"Accept": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
        url = f"{where}/api/v1/query?{urlencode({'query': query})}"
        answer = guarded.fetch(url, headers=headers, timeout=self.timeout, most_bytes=ANSWER_LIMIT)
        if not answer.is_success:
            raise refused(
                answer.status, f"Prometheus: HTTP {answer.status} {_reason(answer.body)}".strip(), answer.headers
            )
        return _figure(answer.body)


def _figure(body: bytes) -> float:
    try:
        said = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise IntegrationError("Prometheus answered in words we cannot read") from error
    kind, result = inbound.member(said, "data.resultType"), inbound.member(said, "data.result")
    if kind == "vector" and isinstance(result, list):
        if len(result) != 1:
            raise IntegrationError(
                f"the query answers with {len(result)} figures; it has to be one: use sum() or max()"
            )
        result = inbound.member(result[0], "value")
    if not isinstance(result, list) or len(result) != 2:
        raise IntegrationError("the query does not answer with a figure", permanent=True)
    try:
        value = float(result[1])
    except (TypeError, ValueError) as error:
        raise IntegrationError("the query does not answer with a figure") from error
    if not math.isfinite(value):
        raise IntegrationError(f"the figure is {value}")
    return value


def _reason(body: bytes) -> str:
    try:
        return inbound.hint(json.loads(body), "error")[:200]
    except (ValueError, RecursionError):
        return ""

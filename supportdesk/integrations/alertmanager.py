"""Alerts from Prometheus Alertmanager, webhook version 4. https://prometheus.io/docs/alerting/latest/configuration/"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from supportdesk.integrations import inbound
from supportdesk.integrations.base import BadPayload, BadSignature, Field, Integration, Reply, Request, Signal

ALERT_LIMIT = 1_000
NAME_LIMIT = 100
TITLE_LIMIT = 200
# What the severity label of other people's rules means to us; whatever is not here is a warning (MON-10).
SEVERITIES = {
    "critical": "critical",
    "page": "critical",
    "error": "error",
    "major": "error",
    "high": "error",
    "warning": "warning",
    "minor": "warning",
    "info": "info",
    "none": "info",
}


class Alertmanager(Integration):
    """Take firing and resolved alerts in; one reply for each alert of a notification."""

    slug = "alertmanager"
    label = "Prometheus Alertmanager"
    fields = (
        Field(
            "token",
            "Token",
            secret=True,
            required=False,
            help="A Bearer token or the Basic password. Empty: the address alone is the secret.",
        ),
    )

    def receive(self, request: Request) -> list[Reply]:
        self._verify(request)
        body = inbound.json_object(request.body)
        if body.get("version") != "4":
            raise BadPayload("only webhook version 4 is understood", field="version")
        alerts = body.get("alerts")
        if not isinstance(alerts, list) or not 0 < len(alerts) <= ALERT_LIMIT:
            raise BadPayload(f"alerts must be a list of 1 to {ALERT_LIMIT}", field="alerts")
        group, truncated = inbound.hint(body, "groupKey"), _count(body, "truncatedAlerts")
        return [_reply(alert, f"alerts[{index}].", group, truncated) for index, alert in enumerate(alerts)]

    def _verify(self, request: Request) -> None:
        wanted = inbound.secrets(self.values, "token")
        if wanted and not inbound.same_secret(_offered(request.headers.get("authorization", "")), wanted):
            raise BadSignature("the token does not match")


def _offered(authorization: str) -> str:
    scheme, _, credentials = authorization.partition(" ")
    if scheme.lower() == "bearer":
        return credentials.strip()
    if scheme.lower() == "basic":
        try:
            return base64.b64decode(credentials, validate=True).decode().partition(":")[2]
        except (binascii.Error, ValueError):
            return ""
    return ""


def _reply(alert: Any, where: str, group: str, truncated: int) -> Reply:
    """One alert. Errors call its fields by their place: `alerts[2].startsAt`."""
    status = inbound.text(alert, "status", where=where)
    if status not in ("firing", "resolved"):
        raise BadPayload(f"{where}status is neither firing nor resolved", field=f"{where}status")
    fingerprint = inbound.text(alert, "fingerprint", where=where)
    if len(fingerprint) > NAME_LIMIT:
        raise BadPayload(f"{where}fingerprint is longer than {NAME_LIMIT} characters", field=f"{where}fingerprint")
    started, ended = _instant(alert, "startsAt", where), _instant(alert, "endsAt", where)
    if not started:
        raise BadPayload(f"{where}startsAt is missing", field=f"{where}startsAt")
    labels, notes = _texts(alert, "labels", where), _texts(alert, "annotations", where)
    signal = Signal(
        dedup_key=fingerprint,
        status=status,
        severity=SEVERITIES.get(labels.get("severity", "").lower(), "warning"),
        title=(notes.get("summary") or labels.get("alertname") or fingerprint)[:TITLE_LIMIT],
        at=(ended or started) if status == "resolved" else started,
        service=labels.get("service", ""),
        component=labels.get("component") or labels.get("instance", ""),
        check=labels.get("alertname", ""),
        organization=labels.get("organization", ""),
        group=group,
        description=notes.get("description", ""),
        url=_web_address(notes.get("runbook_url", "")) or _web_address(inbound.hint(alert, "generatorURL")),
        labels=labels,
    )
    data = {"signal": asdict(signal), "truncated": truncated}
    return Reply("alert", "", "alertmanager", f"{fingerprint}:{started}:{status}", text=signal.title, data=data)


def _instant(alert: Any, field: str, where: str) -> str:
    """An instant in UTC, ISO 8601. Year 1 is how Go spells "not yet", and reads as ""."""
    written = inbound.text(alert, field, required=False, limit=64, where=where)
    if not written or written.startswith("0001-"):
        return ""
    try:
        moment = datetime.fromisoformat(written)
        if moment.tzinfo is None:
            raise ValueError("it has no time zone")
        return moment.astimezone(UTC).isoformat()
    except (ValueError, OverflowError) as error:
        raise BadPayload(f"{where}{field} is not an instant: {error}", field=where + field) from error


def _texts(alert: Any, field: str, where: str) -> dict[str, str]:
    values = inbound.member(alert, field)
    if values is None:
        return {}
    if not isinstance(values, dict) or not all(isinstance(value, str) for value in values.values()):
        raise BadPayload(f"{where}{field} is not a map of texts", field=where + field)
    return {name[: inbound.NAME_LIMIT]: inbound.clean(value) for name, value in values.items()}


def _count(body: Mapping[str, Any], field: str) -> int:
    value = body.get(field, 0)
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise BadPayload(f"{field} is not a count", field=field)
    return value


def _web_address(url: str) -> str:
    return url if url.startswith(("http://", "https://")) else ""

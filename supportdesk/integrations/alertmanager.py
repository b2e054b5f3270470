"""Alerts from Prometheus Alertmanager, webhook version 4. https://prometheus.io/docs/alerting/latest/configuration/"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from supportdesk.integrations import inbound, monitors
from supportdesk.integrations.base import BadPayload, Field, Reply, Signal
from supportdesk.integrations.monitors import TITLE_LIMIT, Monitor

ALERT_LIMIT = 1_000
NAME_LIMIT = 100


class Alertmanager(Monitor):
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

    def read(self, content: bytes, headers: Mapping[str, str]) -> list[Reply]:
        body = inbound.json_object(content)
        if body.get("version") != "4":
            raise BadPayload("only webhook version 4 is understood", field="version")
        return replies(body, self.slug)


def replies(body: Mapping[str, Any], sender: str) -> list[Reply]:
    """One reply for each alert of a notification; Grafana's have the same shape."""
    alerts = body.get("alerts")
    if not isinstance(alerts, list) or not 0 < len(alerts) <= ALERT_LIMIT:
        raise BadPayload(f"alerts must be a list of 1 to {ALERT_LIMIT}", field="alerts")
    truncated = _count(body, "truncatedAlerts")
    return [_reply(alert, f"alerts[{index}].", sender, truncated) for index, alert in enumerate(alerts)]


def _reply(alert: Any, where: str, sender: str, truncated: int) -> Reply:
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
    labels, notes = monitors.texts(alert, "labels", where), monitors.texts(alert, "annotations", where)
    signal = Signal(
        dedup_key=fingerprint,
        status=status,
        severity=monitors.severity(labels.get("severity")),
        title=(notes.get("summary") or labels.get("alertname") or fingerprint)[:TITLE_LIMIT],
        at=(ended or started) if status == "resolved" else started,
        service=labels.get("service", ""),
        component=labels.get("component") or labels.get("instance", ""),
        check=labels.get("alertname", ""),
        organization=labels.get("organization", ""),
        group=labels.get("group", ""),
        description=notes.get("description", ""),
        url=_web_page(alert, notes),
        labels=labels,
    )
    return monitors.signalled(signal, sender, f"{fingerprint}:{started}:{status}", truncated=truncated)


def _web_page(alert: Any, notes: Mapping[str, str]) -> str:
    """Where to read on: what to do about it, else what it looks like, else the query."""
    offered = (notes.get("runbook_url", ""), *(inbound.hint(alert, name) for name in ("panelURL", "dashboardURL")))
    found = [url for url in (*offered, inbound.hint(alert, "generatorURL")) if monitors.web_address(url)]
    return found[0] if found else ""


def _instant(alert: Any, field: str, where: str) -> str:
    return monitors.instant(inbound.text(alert, field, required=False, limit=64, where=where), where + field)


def _count(body: Mapping[str, Any], field: str) -> int:
    value = body.get(field, 0)
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise BadPayload(f"{field} is not a count", field=field)
    return value

"""Alerts from Datadog monitors, by its Webhooks integration and the template in docs/api.md.

https://docs.datadoghq.com/integrations/webhooks/
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from supportdesk.integrations import inbound, monitors
from supportdesk.integrations.base import BadPayload, Field, Reply, Signal
from supportdesk.integrations.monitors import TITLE_LIMIT, Monitor

_RESOLVED = frozenset({"recovered"})
# A transition that says less than the monitor's priority.
_MILDER = {"warn": "warning", "re-warn": "warning"}
_KNOWN = frozenset({"triggered", "re-triggered", "no data", "re-no data", "renotify", "muted", *_RESOLVED, *_MILDER})
_BRACKETS = re.compile(r"^(?:\[[^\]]{0,40}\]\s*)+")


class Datadog(Monitor):
    """One monitor and scope is one condition; the body of the webhook is our template, since Datadog has none."""

    slug = "datadog"
    label = "Datadog"
    fields = (
        Field(
            "token",
            "Token",
            secret=True,
            required=False,
            help='In the webhook\'s custom headers: {"Authorization": "Bearer …"}. Empty: the address is the secret.',
        ),
    )

    def read(self, content: bytes, headers: Mapping[str, str]) -> list[Reply]:
        body = inbound.json_object(content)
        transition = inbound.text(body, "alert_transition").strip().lower()
        if transition not in _KNOWN:
            raise BadPayload("alert_transition is none of Datadog's", field="alert_transition")
        at = monitors.instant(body.get("last_updated") or body.get("date"), "last_updated")
        if not at:
            raise BadPayload("last_updated is missing", field="last_updated")
        signal = _signal(body, transition, at)
        return [monitors.signalled(signal, self.slug, f"{inbound.text(body, 'id')}:{transition}:{at}", verb="notified")]


def _signal(body: Mapping[str, Any], transition: str, at: str) -> Signal:
    monitor, scopes = inbound.text(body, "monitor_id", limit=60), inbound.hint(body, "scopes")
    labels = {**monitors.tags(inbound.hint(body, "tags")), **monitors.tags(scopes)}
    title = _BRACKETS.sub("", inbound.text(body, "title"))
    named = body.get("severity") or body.get("alert_type")
    return Signal(
        dedup_key=f"{monitor}:{scopes}"[:200],
        status="resolved" if transition in _RESOLVED else "firing",
        severity=_MILDER.get(transition) or monitors.severity(named),
        title=(title or f"Monitor {monitor}")[:TITLE_LIMIT],
        at=at,
        service=labels.get("service", ""),
        component=labels.get("host", ""),
        check=monitor,
        organization=labels.get("organization", ""),
        group=labels.get("group", ""),
        description=inbound.hint(body, "body"),
        url=monitors.web_address(inbound.hint(body, "url")),
        labels=labels,
    )

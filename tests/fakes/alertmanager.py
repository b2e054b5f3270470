"""A fake Alertmanager: it only talks."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from tests.fakes.desk import JSON, Desk, DeskAnswer

OPEN_END = "0001-01-01T00:00:00Z"


class FakeAlertmanager:
    """Sends version 4 notifications to `hook_url`."""

    token = "alertmanager-token"

    def __init__(self) -> None:
        self.hook_url = ""

    @property
    def values(self) -> dict[str, str]:
        """What a connection to this Alertmanager is made with."""
        return {"token": self.token}

    def fires(self, name: str, desk: Desk, *, at: str = "2026-01-01T00:00:00.000Z", **labels: str) -> DeskAnswer:
        """One alert begins."""
        return self.post(notification([alert(name, "firing", at, OPEN_END, labels)]), desk)

    def resolves(
        self,
        name: str,
        desk: Desk,
        *,
        at: str = "2026-01-01T00:00:00.000Z",
        end: str = "2026-01-01T00:20:00Z",
        **labels: str,
    ) -> DeskAnswer:
        """The same alert ends."""
        return self.post(notification([alert(name, "resolved", at, end, labels)]), desk)

    def post(self, body: Mapping[str, Any], desk: Desk) -> DeskAnswer:
        headers = {"Content-Type": JSON, "Authorization": f"Bearer {self.token}"}
        return desk(self.hook_url, json.dumps(body).encode(), headers)


def alert(name: str, status: str, starts: str, ends: str, labels: Mapping[str, str]) -> dict[str, Any]:
    named = {"alertname": name, "severity": "critical", **labels}
    fingerprint = hashlib.sha256(json.dumps(named, sort_keys=True).encode()).hexdigest()[:16]
    return {
        "status": status,
        "labels": named,
        "annotations": {"summary": f"{name} on {labels.get('service', 'something')}"},
        "startsAt": starts,
        "endsAt": ends,
        "generatorURL": "http://prometheus.example:9090/graph?g0.expr=up",
        "fingerprint": fingerprint,
    }


def notification(alerts: list[dict[str, Any]], truncated: int = 0) -> dict[str, Any]:
    return {
        "version": "4",
        "groupKey": '{}:{alertname="fake"}',
        "truncatedAlerts": truncated,
        "status": "firing",
        "receiver": "desk",
        "groupLabels": {},
        "commonLabels": {},
        "commonAnnotations": {},
        "externalURL": "http://alertmanager.example:9093",
        "alerts": alerts,
    }

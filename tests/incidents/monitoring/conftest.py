"""A monitor that says what it is told to say, at the instant the world's clock shows."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from incidents.models import Alert
from incidents.monitoring import intake
from supportdesk.integrations.models import Connection


class Monitor:
    """Signals straight into the intake, over one connection."""

    def __init__(self, world: Any, connection: Connection) -> None:
        self.world, self.connection = world, connection

    def says(self, status: str, key: str = "checkout-down", *, at: datetime | None = None, **more: Any) -> intake.Taken:
        signal = {
            "dedup_key": key,
            "status": status,
            "severity": "critical",
            "title": f"{key} on web1",
            "at": (at or self.world.now).isoformat(),
            "service": "checkout",
            **more,
        }
        taken = intake.take(intake.Sender.over(self.connection), signal)
        self.world.settle()
        return taken

    def fires(self, key: str = "checkout-down", **more: Any) -> intake.Taken:
        return self.says("firing", key, **more)

    def recovers(self, key: str = "checkout-down", **more: Any) -> intake.Taken:
        return self.says("resolved", key, **more)

    def alert(self, key: str = "checkout-down") -> Alert:
        return Alert.objects.filter(connection=self.connection, dedup_key=key).order_by("-pk")[0]


@pytest.fixture
def monitor(world: Any) -> Monitor:
    return Monitor(world, Connection.objects.get(vendor="alertmanager"))


@pytest.fixture
def other_monitor(world: Any) -> Monitor:
    return Monitor(world, Connection.objects.create(vendor="alertmanager", name="The other Prometheus"))

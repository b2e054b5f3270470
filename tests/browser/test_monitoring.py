"""Monitoring in a real browser: light and dark, desk and phone, without sideways scrolling or a complaint."""

from __future__ import annotations

import os
from datetime import timedelta

import pytest

from incidents.models import HeartbeatMonitor, HeldMail, MaintenanceWindow, Series, SeriesPoint
from incidents.monitoring.anomaly import Point
from incidents.monitoring.series import push, run_replay
from supportdesk.integrations.models import Connection
from supportdesk.organizations.models import Service
from tests.browser.conftest import DESK, PHONE

PLACES = {
    "alerts": "/console/monitoring/",
    "heartbeats": "/console/monitoring/heartbeats/",
    "heartbeat": "/console/monitoring/heartbeats/new/",
    "maintenance": "/console/monitoring/maintenance/",
    "window": "/console/monitoring/maintenance/new/",
    "figures": "/console/monitoring/figures/",
    "figure": "/console/monitoring/figures/orders/?firing={firing}",
    "try": "/console/monitoring/try/",
    "mail": "/console/mail/",
    "one mail": "/console/mail/{mail}/",
}


@pytest.fixture
def busy(world):
    """One of everything."""
    checkout = Service.objects.get(slug="checkout")
    world.fakes.alertmanager.fires("CheckoutDown", world.desk, service="checkout")
    world.settle()
    HeartbeatMonitor.objects.create(
        name="Nightly backup", cron="30 2 * * *", time_zone="Europe/Berlin", service=checkout
    )
    MaintenanceWindow.objects.create(
        name="Database upgrade", covers_everything=True, first_day="2026-12-01", starts="01:00", ends="05:00"
    )
    series = Series.objects.create(key="orders", name="Orders a minute", service=checkout, min_abs_scale=5)
    start = world.now - timedelta(weeks=9)
    SeriesPoint.objects.bulk_create(
        SeriesPoint(series=series, at=start + n * timedelta(minutes=30), value=118 + n * 3 % 7)
        for n in range(9 * 7 * 48)
    )
    run_replay(series)
    Series.objects.update(state="observe", observing_since=world.now)
    push(series, [Point(world.now - timedelta(minutes=3 - n), 170.0 + n) for n in range(4)])
    line = Connection.objects.create(vendor="mail_in", name="Mailbox")
    mail = HeldMail.objects.create(
        connection=line, message_id="m", sender="somebody@acme.example", subject="It is down for me too", text="Help",
        reason="Nobody we know has this address.", received_at=world.now,
    )  # fmt: skip
    return {"firing": series.firings.get().pk, "mail": mail.pk}


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_every_page_fits_and_complains_about_nothing(enter, busy, size, scheme):
    page = enter("bob", color_scheme=scheme, **size)
    for name, place in PLACES.items():
        answer = page.goto(place.format(**busy))
        assert answer.status == 200, name
        assert page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0, name
        if folder := os.environ.get("SHOTS"):
            width = size["viewport"]["width"]
            page.screenshot(path=f"{folder}/{name.replace(' ', '-')}-{width}-{scheme}.png", full_page=True)

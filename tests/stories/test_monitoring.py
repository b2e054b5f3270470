"""Machines raise the alarm: a backup that stays silent, a figure that is odd, a window in which they may complain."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client

from incidents.models import Alert, AnomalyFiring, HeartbeatMonitor, Incident, MaintenanceWindow, Series, SeriesPoint
from incidents.monitoring import series as series_work
from supportdesk.integrations.models import Connection
from supportdesk.organizations.models import Service
from supportdesk.queue.models import Delivery

HOUR = timedelta(hours=1)


# --- heartbeats ------------------------------------------------------------------------------------------------------


@pytest.fixture
def backup(world, bob):
    """A job that calls every ten minutes and may be five late."""
    data = {"name": "Nightly backup", "service": Service.objects.get(slug="checkout").pk, "period_seconds": 600,
            "grace_seconds": 300, "time_zone": "UTC", "severity": "critical", "description": "Runbook 7."}  # fmt: skip
    bob.post("/console/monitoring/heartbeats/new/", data)
    return HeartbeatMonitor.objects.get()


def calls(row: HeartbeatMonitor, fail: str = "", method: str = "get") -> int:
    return getattr(Client(), method)(f"/ping/{row.code}/{fail}").status_code


def test_mon_8_the_backup_stays_silent_and_somebody_is_paged(world, backup, bob):
    world.advance(hours=5)
    assert Incident.objects.count() == 0  # it is armed by its first call
    assert calls(backup) == 200
    world.advance(minutes=14, seconds=59)
    assert Incident.objects.count() == 0
    world.advance(seconds=1)
    assert (world.incident.title, world.incident.source, world.incident.severity) == (
        "Nightly backup did not call",
        "heartbeat",
        "P2",
    )
    assert bob.is_paged
    assert "Runbook 7." in world.incident.description
    assert "did not call" in bob.reads("/console/monitoring/")
    world.advance(minutes=1)
    calls(backup)
    world.settle()
    backup.refresh_from_db()
    assert (backup.state, Alert.objects.get().status) == ("up", "resolved")


def test_mon_8_calls_on_time_raise_nothing_and_need_no_timer_each(world, backup):
    for _ in range(30):
        calls(backup, method="post")
        world.advance(minutes=9)
    assert Incident.objects.count() == 0
    backup.refresh_from_db()
    assert (backup.pings, backup.state) == (30, "up")


def test_mon_8_a_job_that_says_it_failed_is_believed_at_once(world, backup, bob):
    calls(backup)
    assert calls(backup, "fail/") == 200
    world.settle()
    assert world.incident.title == "Nightly backup reported a failure"
    assert bob.is_paged


def test_mon_8_paused_it_expects_nothing(world, backup, bob):
    calls(backup)
    bob.post(f"/console/monitoring/heartbeats/{backup.pk}/pause/", {})
    world.advance(hours=3)
    assert Incident.objects.count() == 0
    bob.post(f"/console/monitoring/heartbeats/{backup.pk}/resume/", {})
    calls(backup)
    world.advance(minutes=15)
    assert Incident.objects.count() == 1


def test_a_ping_address_nobody_has_is_404_and_says_nothing(world):
    for method in ("get", "head", "post"):
        assert getattr(Client(), method)("/ping/guessed/").status_code == 404


def test_heartbeats_over_the_api_are_for_our_own_people(world, api, dana, bob, alice):
    scopes = ("read", "report", "operate", "manage")
    body = {"name": "Importer", "cron": "30 2 * * *", "time_zone": "Europe/Berlin", "grace_seconds": 900}
    made = api(dana, scopes).post("heartbeats/", body)
    assert made.status_code == 201, made.content
    said = made.json()
    assert Client().get(said["url"].removeprefix("http://testserver")).status_code == 200
    shown = api(bob).get(f"heartbeats/{said['id']}/").json()
    assert (shown["state"], shown["expected_at"], shown["late_at"]) == (
        "up",
        "2026-11-30T01:30:00Z",
        "2026-11-30T01:45:00Z",
    )
    assert api(bob).post(f"heartbeats/{said['id']}/pause/", {}).json()["state"] == "paused"
    assert api(alice).get(f"heartbeats/{said['id']}/").status_code == 404
    assert api(alice).get("heartbeats/").json()["results"] == []
    wrong = api(dana, scopes).post("heartbeats/", body | {"cron": "61 * * * *"})
    assert (wrong.status_code, "61" in wrong.content.decode()) == (400, True)


# --- maintenance -----------------------------------------------------------------------------------------------------


def test_mon_7_maintenance_scheduled_ahead_in_the_console(world, bob, dana):
    checkout = Service.objects.get(slug="checkout")
    data = {"name": "Upgrade", "services": [checkout.pk], "condition": "{}", "time_zone": "Europe/Berlin",
            "first_day": "2026-11-29", "starts": "10:00", "ends": "11:00", "more_days": 0, "repeats": "once"}  # fmt: skip # noqa: E501
    bob.post("/console/monitoring/maintenance/new/", data)
    window = MaintenanceWindow.objects.get()
    assert (window.created_by, list(window.services.all())) == (bob.user, [checkout])
    assert "Upgrade" in dana.reads("/console/monitoring/maintenance/")
    world.until(datetime(2026, 11, 29, 9, 30, tzinfo=UTC))  # 10:30 in Berlin
    world.fakes.alertmanager.fires("CheckoutDown", world.desk, service="checkout")
    world.settle()
    assert (Incident.objects.count(), bob.is_paged) == (0, False)
    assert "Held back now" in bob.reads("/console/monitoring/maintenance/")
    bob.post(f"/console/monitoring/maintenance/{window.pk}/call-off/", {})
    world.settle()
    assert bob.is_paged


def test_mon_7_a_window_about_nothing_is_refused(world, bob, api, dana):
    data = {"name": "Oops", "condition": "{}", "time_zone": "UTC", "first_day": "2026-11-29", "starts": "10:00",
            "ends": "11:00", "more_days": 0, "repeats": "once"}  # fmt: skip
    assert "Say what it is about" in bob.client.post("/console/monitoring/maintenance/new/", data).content.decode()
    body = {"name": "Oops", "first_day": "2026-11-29", "starts": "10:00", "ends": "11:00"}
    scopes = ("read", "manage")
    assert api(dana, scopes).post("maintenance-windows/", body).status_code == 400
    assert api(dana, scopes).post("maintenance-windows/", body | {"services": ["checkout"]}).status_code == 201
    assert MaintenanceWindow.objects.count() == 1


# --- figures ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def orders(world):
    """Orders a minute, one figure every half hour for twelve weeks: about 120, with a small ripple."""
    made = Series.objects.create(
        key="orders", name="Orders a minute", time_zone="Europe/Berlin", service=Service.objects.get(slug="checkout"),
        min_abs_scale=5,
    )  # fmt: skip
    ripple = (118, 121, 125, 119, 122, 124, 117)
    start = world.now - timedelta(weeks=12)
    SeriesPoint.objects.bulk_create(
        SeriesPoint(series=made, at=start + n * HOUR / 2, value=ripple[n * 3 % 7]) for n in range(12 * 7 * 48)
    )
    return made


def figures(world, api, person, *values, minutes=1):
    """Push figures, a minute apart."""
    for value in values:
        said = api(person, ("read", "report")).post("series/orders/", {"value": value})
        assert said.status_code == 202, said.content
        world.settle()
        world.advance(minutes=minutes)


@pytest.fixture
def speaking(world, orders, bob):
    """The same, replayed, observed for a week and on."""
    bob.post("/console/monitoring/figures/orders/replay/", {})
    world.settle()
    bob.post("/console/monitoring/figures/orders/enable/", {})
    Series.objects.update(state="enabled")
    return orders


def test_a_rule_is_replayed_before_it_may_be_switched_on(world, orders, bob):
    refused = bob.is_refused("/console/monitoring/figures/orders/enable/", {})
    assert "Replay it over 28 days first" in refused
    bob.post("/console/monitoring/figures/orders/replay/", {})
    world.settle()
    orders.refresh_from_db()
    assert orders.replay["may_enable"], orders.replay
    assert "0 firings in 28 days" in bob.reads("/console/monitoring/figures/orders/")
    bob.post("/console/monitoring/figures/orders/enable/", {})
    orders.refresh_from_db()
    assert orders.state == "observe"


def test_after_seven_days_of_observing_it_speaks(world, orders, bob, api):
    bob.post("/console/monitoring/figures/orders/replay/", {})
    world.settle()
    bob.post("/console/monitoring/figures/orders/enable/", {})
    figures(world, api, bob, 120, 300, 300, 300)
    firing = AnomalyFiring.objects.get()
    assert (firing.is_told, firing.alert, Alert.objects.count()) == (False, None, 0)
    world.until(world.now + timedelta(days=7))
    figures(world, api, bob, 120)
    orders.refresh_from_db()
    assert orders.state == "enabled"


def test_an_unusual_figure_alone_is_a_suggestion_in_slack_and_never_a_page(world, speaking, bob, api):
    figures(world, api, bob, 120, 300, 300, 300)
    firing = AnomalyFiring.objects.get()
    assert firing.explanation.startswith("Orders a minute is 300; usual for Sun 09:00 ± 1 h is 12")
    assert "3 of the last 5 points." in firing.explanation
    said = Delivery.objects.get(kind="anomaly")
    assert (said.vendor, said.state) == ("slack", "sent")
    assert (Incident.objects.count(), bob.is_paged) == (0, False)
    page = bob.reads(f"/console/monitoring/figures/orders/?firing={firing.pk}")
    assert firing.explanation in page
    html = bob.client.get(f"/console/monitoring/figures/orders/?firing={firing.pk}").content.decode()
    assert 'role="img" aria-labelledby="chart-title chart-text"' in html
    assert html.count('class="chart-mark"') >= 3
    figures(world, api, bob, 120, 121, 122, 121, 120)
    firing.refresh_from_db()
    assert firing.ended_at is not None
    assert Alert.objects.get().status == "resolved"


def test_with_a_second_witness_it_becomes_a_p2(world, speaking, bob, api):
    figures(world, api, bob, 300, 300, 300)
    world.fakes.alertmanager.fires("CheckoutSlow", world.desk, service="checkout", severity="warning")
    world.settle()
    assert (world.incident.severity, Incident.objects.count()) == ("P2", 1)
    assert world.incident.alerts.count() == 2


def test_a_second_witness_that_was_there_first_counts_as_well(world, speaking, bob, api):
    world.fakes.alertmanager.fires("CheckoutSlow", world.desk, service="checkout", severity="warning")
    world.settle()
    figures(world, api, bob, 300, 300, 300)
    assert (world.incident.severity, Incident.objects.count()) == ("P2", 1)


def test_a_customers_report_bears_it_out_and_is_left_as_it_is(world, speaking, bob, api, alice):
    figures(world, api, bob, 300, 300, 300)
    reported = alice.reports("Orders fail", impact="limited", urgency="normal", service=speaking.service_id)
    figures(world, api, bob, 300)
    opened = Incident.objects.get(source="anomaly")
    assert (opened.severity, opened.organization) == ("P2", None)
    reported.refresh_from_db()
    assert reported.severity == "P4"
    assert "follows what our own figures say" in reported.timeline.get(kind="anomaly_seen").text


def test_a_slow_drift_is_always_a_p4_suggestion(world, speaking, bob, api):
    world.fakes.alertmanager.fires("CheckoutSlow", world.desk, service="checkout", severity="warning")
    world.settle()
    figures(world, api, bob, *[137] * 8)
    assert AnomalyFiring.objects.get().kind == "drift"
    assert world.incident.severity == "P4"


def test_noise_sends_it_back_to_observing(world, speaking, bob):
    for n in range(10):
        AnomalyFiring.objects.create(
            series=speaking, kind="spike", began_at=world.now - n * HOUR, ended_at=world.now, value=1, explanation="x"
        )
    for firing in AnomalyFiring.objects.all():
        bob.post(f"/console/monitoring/firings/{firing.pk}/judge/", {"verdict": "noise"})
    world.settle()
    speaking.refresh_from_db()
    assert speaking.state == "observe"
    assert Delivery.objects.filter(kind="anomaly_noisy").count() == 1


def test_after_a_deployment_it_is_quiet_for_half_an_hour(world, speaking, bob, api):
    marked = api(bob, ("report",)).post("series/orders/markers/", {"kind": "deploy", "text": "v42"})
    assert marked.status_code == 201
    figures(world, api, bob, 300, 300, 300, 300)
    assert AnomalyFiring.objects.count() == 0


def test_a_changed_rule_has_to_be_replayed_again(world, speaking, bob):
    data = {"name": "Orders", "key": "orders", "time_zone": "UTC", "interval_seconds": 60, "direction": "down",
            "min_delta": 0, "min_abs_scale": 5}  # fmt: skip
    bob.post("/console/monitoring/figures/orders/edit/", data)
    speaking.refresh_from_db()
    assert (speaking.state, speaking.replay) == ("learning", {})


def test_figures_are_checked_and_are_nobody_elses_business(world, orders, bob, api, alice):
    caller = api(bob, ("read", "report"))
    for wrong in ({}, {"value": "x"}, {"points": [["soon", 1]]}, {"points": [["2026-11-29T08:00:00Z", None]]},
                  {"value": 1, "points": []}, {"value": 1, "at": "2030-01-01T00:00:00Z"}):  # fmt: skip
        assert caller.post("series/orders/", wrong).status_code == 400, wrong
    many = {"points": [[(world.now - n * HOUR / 60).isoformat(), 120 + n] for n in range(5)]}
    assert caller.post("series/orders/", many).json() == {"new": 5}
    assert caller.post("series/orders/", many).json() == {"new": 0}
    assert api(alice, ("read", "report")).post("series/orders/", {"value": 1}).status_code == 404


def test_a_prometheus_is_asked_from_the_queue(world, orders, dana, monkeypatch, settings):
    """A real server on loopback that answers like Prometheus; what it says wrong stands on the series."""
    from tests.fakes.server import FakeVendor, Reaction

    class FakePrometheus(FakeVendor):
        name = "prometheus"
        answers = [{"status": "success", "data": {"resultType": "vector", "result": [{"metric": {}, "value": [1, "7.5"]}]}},  # noqa: E501
                   {"status": "success", "data": {"resultType": "vector", "result": []}}]  # fmt: skip

        def react(self, seen):
            assert seen.query == {"query": "sum(rate(orders[1m]))"}
            return Reaction(200, self.answers[min(len(self.seen) - 1, 1)])

    fake = FakePrometheus()
    fake.start()
    try:
        settings.VENDOR_BASE_URLS |= {"prometheus": fake.base_url}
        line = Connection(vendor="prometheus", name="Prometheus")
        line.set_values({"url": "https://prometheus.example"})
        line.save()
        data = {"name": "Orders", "key": "orders", "time_zone": "Europe/Berlin", "interval_seconds": 60, "unit": "",
                "direction": "both", "min_delta": 0, "min_abs_scale": 5, "connection": line.pk,
                "query": "sum(rate(orders[1m]))"}  # fmt: skip
        dana.post("/console/monitoring/figures/orders/edit/", data)
        world.settle()
        orders.refresh_from_db()
        assert (orders.last_value, orders.trouble) == (7.5, "")
        world.advance(minutes=1)
        orders.refresh_from_db()
        assert "answers with 0 figures" in orders.trouble
    finally:
        fake.stop()


# --- sources and trying ----------------------------------------------------------------------------------------------


def test_somebody_tries_a_payload_before_the_monitor_sends_one(world, bob):
    line = Connection(vendor="generic", name="Our own monitor")
    line.set_values({"title": "$.alarm.text", "severity": "=critical", "service": "$.alarm.where", "key": "$.alarm.id"})
    line.save()
    payload = json.dumps({"alarm": {"text": "Disk full", "where": "checkout", "id": 7}})
    page = bob.client.post("/console/monitoring/try/", {"connection": line.pk, "payload": payload}).content.decode()
    assert "Disk full" in page
    assert "Opened INC-" in page
    assert (Incident.objects.count(), Alert.objects.count()) == (0, 0)
    wrong = bob.client.post("/console/monitoring/try/", {"connection": line.pk, "payload": "{}"}).content.decode()
    assert "It would be refused" in wrong
    answer = Client().post(f"/hooks/generic/{line.code}/", payload, content_type="application/json")
    assert answer.status_code == 202
    world.settle()
    assert (world.incident.title, world.incident.service.slug) == ("Disk full", "checkout")


def test_mon_12_what_is_answered_2xx_is_stored_and_applied_after(world, bob):
    answer = world.fakes.alertmanager.fires("CheckoutDown", world.desk, service="checkout")
    assert (answer.status, Alert.objects.count()) == (202, 0)
    world.settle()
    assert Alert.objects.count() == 1


def test_every_page_of_monitoring_opens_for_staff_and_for_nobody_else(world, orders, backup, bob, alice):
    window = MaintenanceWindow.objects.create(
        name="W", covers_everything=True, first_day="2026-12-01", starts="01:00", ends="02:00"
    )
    places = ["", "heartbeats/", "heartbeats/new/", f"heartbeats/{backup.pk}/", "maintenance/", "maintenance/new/",
              f"maintenance/{window.pk}/", "figures/", "figures/new/", "figures/orders/", "figures/orders/edit/",
              "try/"]  # fmt: skip
    for place in places:
        assert bob.client.get(f"/console/monitoring/{place}").status_code == 200, place
        assert alice.client.get(f"/console/monitoring/{place}").status_code == 404, place


def test_old_points_are_forgotten_and_needed_ones_kept(world, orders):
    SeriesPoint.objects.create(series=orders, at=world.now - timedelta(weeks=20), value=1)
    kept = SeriesPoint.objects.count() - 1
    assert series_work.forget_old(orders) >= 1
    assert SeriesPoint.objects.count() == kept

"""MON-1 … MON-12 with rows: what becomes of a signal, an alert, an incident."""

from __future__ import annotations

import itertools
from datetime import date, time, timedelta

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext

from incidents.models import Alert, AlertRule, AlertStorm, Incident, MaintenanceWindow, Page
from incidents.monitoring import intake, maintenance
from supportdesk.organizations.models import Organization, Service


def pages() -> int:
    return Page.objects.count()


# --- MON-1 -----------------------------------------------------------------------------------------------------------


def test_mon_1_the_same_alert_again_is_counted_and_pages_nobody_again(world, monitor):
    first = monitor.fires()
    paged = pages()
    for _ in range(5):
        world.advance(seconds=10)
        again = monitor.fires()
    assert again.alert.incident == first.alert.incident
    assert (monitor.alert().count, Alert.objects.count(), pages()) == (6, 1, paged)


def test_mon_1_a_signal_without_a_key_is_known_by_where_it_was_seen(world, monitor, other_monitor):
    monitor.fires("", component="web1", check="http")
    monitor.fires("", component="web1", check="http")
    monitor.fires("", component="web2", check="http")
    other_monitor.fires("", component="web1", check="http")
    assert sorted(Alert.objects.values_list("count", flat=True)) == [1, 1, 2]


# --- MON-2 -----------------------------------------------------------------------------------------------------------


def test_mon_2_within_a_quarter_of_an_hour_the_same_incident_is_opened_again(world, monitor, bob):
    first = monitor.fires()
    world.advance(minutes=1)
    bob.presses_button("resolve", summary="Restarted it.")
    monitor.recovers()
    world.advance(minutes=10)
    again = monitor.fires()
    assert again.alert.pk == first.alert.pk
    assert (world.incident.pk, world.incident.reopen_count, world.incident.is_resolved) == (
        first.alert.incident.pk,
        1,
        False,
    )


def test_mon_2_later_it_is_a_new_alert_that_knows_the_old_one(world, monitor, bob):
    first = monitor.fires()
    bob.presses_button("resolve", summary="Restarted it.")
    monitor.recovers()
    world.advance(minutes=16)
    again = monitor.fires()
    assert again.alert.pk != first.alert.pk
    assert again.alert.previous_id == first.alert.pk
    assert again.alert.incident.pk != first.alert.incident.pk


def test_mon_2_a_false_alarm_stays_cancelled(world, monitor, bob):
    first = monitor.fires()
    bob.presses_button("cancel", reason="A test of the load balancer.")
    monitor.recovers()
    world.advance(minutes=1)
    assert monitor.fires().alert.incident.pk != first.alert.incident.pk


# --- MON-3 -----------------------------------------------------------------------------------------------------------


def test_mon_3_the_same_service_within_five_minutes_joins(world, monitor):
    first = monitor.fires("down")
    world.advance(minutes=5)
    assert monitor.fires("slow").alert.incident == first.alert.incident
    world.advance(minutes=6)
    assert monitor.fires("late").alert.incident != first.alert.incident


def test_mon_3_the_same_group_joins_for_half_an_hour(world, monitor):
    first = monitor.fires("a", service="", group="rack-7")
    world.advance(minutes=30)
    assert monitor.fires("b", service="", group="rack-7").alert.incident == first.alert.incident
    assert monitor.fires("c", service="", group="rack-8").alert.incident != first.alert.incident


def test_mon_3_a_more_severe_alert_raises_the_incident_and_a_milder_one_lowers_nothing(world, monitor):
    monitor.fires("slow", severity="warning")
    assert world.incident.severity == "P4"
    monitor.fires("down", severity="critical")
    assert world.incident.severity == "P2"
    monitor.fires("odd", severity="warning")
    assert (world.incident.severity, Incident.objects.count()) == ("P2", 1)


def test_mon_3_two_customers_are_never_joined(world, monitor):
    first = monitor.fires("a", organization="acme", service="", group="shared")
    second = monitor.fires("b", organization="smallco", service="", group="shared")
    third = monitor.fires("c", service="", group="shared")
    assert len({first.alert.incident.pk, second.alert.incident.pk, third.alert.incident.pk}) == 3
    assert {i.organization and i.organization.slug for i in Incident.objects.all()} == {"acme", "smallco", None}


def test_mon_3_a_customers_own_report_is_left_alone(world, monitor, alice):
    reported = alice.reports("Checkout is down")
    Incident.objects.filter(pk=reported.pk).update(service=Service.objects.get(slug="checkout"))
    assert monitor.fires().alert.incident.pk != reported.pk


# --- MON-4 -----------------------------------------------------------------------------------------------------------


def test_mon_4_whatever_the_order_the_last_word_of_the_sender_counts(world, monitor):
    """Fire, resolve, fire again, fire again: every order of arrival ends with the alert firing."""
    start = world.now - timedelta(hours=1)
    told = [("firing", 0), ("resolved", 10), ("firing", 20), ("firing", 30)]
    for number, order in enumerate(itertools.permutations(told)):
        for status, minute in order:
            monitor.says(status, f"key-{number}", at=start + timedelta(minutes=minute), severity="info")
        assert monitor.alert(f"key-{number}").is_firing, order


def test_mon_4_a_resolve_that_overtakes_its_trigger_is_not_lost(world, monitor):
    assert "remembered" in monitor.recovers(at=world.now).words
    late = monitor.fires(at=world.now - timedelta(minutes=5))
    assert "logged, not applied" in late.words
    assert (Incident.objects.count(), Alert.objects.get().status) == (0, "resolved")


def test_mon_4_a_clock_that_runs_ahead_does_not_silence_what_comes_later(world, monitor):
    monitor.fires(at=world.now + timedelta(days=365))
    world.advance(minutes=6)
    assert monitor.recovers(at=world.now).alert.status == "resolved"


# --- MON-5 -----------------------------------------------------------------------------------------------------------


def test_mon_5_flapping_pages_once_keeps_the_incident_open_and_ends_after_half_an_hour_of_calm(world, monitor):
    """I-01: 10:00, 10:04, 10:09, 10:15 is flapping from 10:15 and ends at 10:45."""
    opened = monitor.fires().alert.incident
    paged = pages()
    for minutes, say in ((4, monitor.recovers), (5, monitor.fires), (6, monitor.recovers)):
        world.advance(minutes=minutes)
        say()
    alert = monitor.alert()
    assert alert.flapping_since == world.now
    assert world.timeline("flapping")[0].text.endswith("It pages nobody again.")
    world.advance(minutes=29)
    assert world.incident.is_open and not world.incident.is_resolved
    assert monitor.alert().flapping_since is not None
    world.advance(minutes=1)
    assert monitor.alert().flapping_since is None
    assert (world.incident.pk, world.incident.status) == (opened.pk, "resolved")
    assert Page.objects.filter(step=1, turn=1).count() == paged == 1
    assert world.incident.reopen_count == 0


def test_mon_5_what_still_fires_when_it_has_calmed_applies_then(world, monitor, bob):
    monitor.fires()
    for say in (monitor.recovers, monitor.fires, monitor.recovers, monitor.fires):
        world.advance(minutes=2)
        say()
    bob.presses_button("resolve", summary="It comes and goes.")
    world.advance(minutes=29)
    assert world.incident.is_resolved
    world.advance(minutes=2)
    assert not world.incident.is_resolved
    assert world.incident.reopen_count == 1


# --- MON-6 -----------------------------------------------------------------------------------------------------------


def test_mon_6_what_nobody_touched_ends_by_itself_after_ten_minutes(world, monitor):
    monitor.fires(severity="warning")
    world.advance(minutes=1)
    monitor.recovers()
    world.advance(minutes=9)
    assert world.incident.is_open and not world.incident.is_resolved
    world.advance(minutes=1)
    assert world.incident.status == "resolved"
    assert "Nobody had to act" in world.timeline("resolved")[0].text


def test_mon_6_what_somebody_has_is_theirs_to_end(world, monitor, bob):
    monitor.fires()
    bob.acknowledges()
    monitor.recovers()
    world.advance(minutes=11)
    assert not world.incident.is_resolved
    assert "Set it to monitoring" in world.timeline("monitoring_proposed")[0].text
    assert any("back to normal" in (m.text or "") for m in world.fakes.slack.messages)


def test_mon_6_while_one_alert_fires_nothing_ends(world, monitor):
    monitor.fires("down", severity="warning")
    monitor.fires("slow", severity="warning")
    monitor.recovers("down")
    world.advance(minutes=30)
    assert not world.incident.is_resolved


# --- MON-7 -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def window(world):
    """Maintenance of checkout from ten minutes ago for an hour: a Sunday 09:00–10:00 in Berlin."""
    made = MaintenanceWindow.objects.create(
        name="Database upgrade", time_zone="Europe/Berlin", first_day=date(2026, 11, 29), starts=time(9), ends=time(10)
    )
    made.services.set(Service.objects.filter(slug="checkout"))
    return made


def test_mon_7_maintenance_holds_monitors_back_and_what_still_fires_at_its_end_pages(world, monitor, window, bob):
    held = monitor.fires()
    assert "Maintenance" in held.words
    assert (Incident.objects.count(), bob.is_paged) == (0, False)
    world.advance(minutes=49)
    assert Incident.objects.count() == 0
    world.advance(minutes=1)
    assert monitor.alert().incident == world.incident
    assert bob.is_paged


def test_mon_7_recoveries_pass_through(world, monitor, window, bob):
    monitor.fires()
    world.advance(minutes=20)
    monitor.recovers()
    world.advance(hours=2)
    assert (Incident.objects.count(), monitor.alert().status) == (0, "resolved")


def test_mon_7_an_incident_from_before_recovers_during_maintenance(world, monitor, window):
    MaintenanceWindow.objects.update(is_enabled=False)
    monitor.fires(severity="warning")
    MaintenanceWindow.objects.update(is_enabled=True)
    world.advance(minutes=1)
    monitor.recovers()
    world.advance(minutes=10)
    assert world.incident.is_resolved


def test_mon_7_other_services_and_customers_are_heard(world, monitor, window, alice, bob):
    assert monitor.fires("disk", service="").alert.incident is not None
    alice.reports("Checkout is down")
    assert bob.is_paged


def test_mon_7_a_window_that_is_called_off_pages_at_once(world, monitor, window):
    monitor.fires()
    MaintenanceWindow.objects.update(is_enabled=False)
    maintenance.changed()
    world.settle()
    assert monitor.alert().incident is not None


def test_mon_7_by_condition(world, monitor, window):
    window.services.clear()
    window.condition = {"labels": {"env": "staging"}}
    window.save()
    assert monitor.fires("a", labels={"env": "staging"}).alert.incident is None
    assert monitor.fires("b", labels={"env": "production"}).alert.incident is not None


def test_mon_7_a_window_without_any_condition_holds_nothing_back_unless_it_says_so(world, monitor, window):
    window.services.clear()
    assert monitor.fires("a").alert.incident is not None
    MaintenanceWindow.objects.update(covers_everything=True)
    assert monitor.fires("b", service="").alert.incident is None


# --- MON-9 -----------------------------------------------------------------------------------------------------------


def test_mon_9_a_storm_makes_one_incident_a_service_and_is_said_once(world, monitor):
    for number in range(61):
        monitor.fires(f"host-{number}", service="", severity="warning")
    before = Incident.objects.count()
    for number in range(61, 90):
        monitor.fires(f"host-{number}", service="", severity="warning")
        monitor.fires(f"checkout-{number}", severity="warning")
    assert Incident.objects.count() <= before + 1
    assert Alert.objects.count() == 61 + 2 * 29
    storm = AlertStorm.objects.get()
    assert storm.count >= 61 + 2 * 29 - 1
    said = [m for m in world.fakes.slack.messages if "alert storm" in (m.text or "").lower()]
    assert len(said) == 1


def test_a_thousand_times_the_same_is_one_incident_and_one_page(world, monitor):
    monitor.fires()
    paged = pages()
    for _ in range(999):
        intake.take(intake.Sender.over(monitor.connection), _signal(world))
    assert (Incident.objects.count(), pages(), monitor.alert().count) == (1, paged, 1000)


# --- MON-10, MON-11 --------------------------------------------------------------------------------------------------


def test_mon_10_the_words_of_a_monitor_and_what_they_make(world, monitor):
    made = {}
    for word in ("critical", "error", "warning"):
        made[word] = monitor.fires(word, severity=word, service="").alert.incident.severity
    assert made == {"critical": "P2", "error": "P3", "warning": "P4"}
    assert monitor.fires("note", severity="info", service="").alert.incident is None


def test_mon_10_only_an_explicit_rule_makes_one_signal_a_p1(world, monitor):
    AlertRule.objects.create(name="Payments", severity="P1", condition={"checks": ["PaymentsDown"]})
    AlertRule.objects.create(name="Staging", severity="", condition={"labels": {"env": "staging"}})
    assert monitor.fires("a", check="PaymentsDown", service="").alert.incident.severity == "P1"
    assert monitor.fires("b", service="", labels={"env": "staging"}).alert.incident is None


def test_mon_10_two_independent_monitors_on_a_tier_one_service_make_a_p1(world, monitor, other_monitor):
    Service.objects.filter(slug="checkout").update(tier=1)
    monitor.fires("down")
    monitor.fires("slow")
    assert world.incident.severity == "P2"
    other_monitor.fires("probe")
    assert (world.incident.severity, Incident.objects.count()) == ("P1", 1)


def test_mon_11_an_alert_takes_the_entitlement_of_the_organization_it_is_about(world, monitor, bob):
    small = monitor.fires("a", organization="smallco", service="").alert.incident
    assert (small.organization.slug, small.entitlement["plan"]) == ("smallco", "S")
    assert not bob.is_paged
    ours = monitor.fires("b", service="").alert.incident
    assert ours.organization is None
    assert bob.is_paged


def test_mon_11_a_connection_of_one_customer_speaks_for_that_one_only(world, monitor):
    monitor.connection.organization = Organization.objects.get(slug="acme")
    monitor.connection.save()
    assert monitor.fires(organization="smallco", service="").alert.incident.organization.slug == "acme"


# --- cost, and trying ------------------------------------------------------------------------------------------------


def _signal(world, key="checkout-down"):
    return {
        "dedup_key": key,
        "status": "firing",
        "severity": "critical",
        "title": "down",
        "at": world.now.isoformat(),
        "service": "checkout",
    }


def test_an_alert_said_again_costs_five_queries_and_one_that_joins_fewer_than_twenty_five(world, monitor):
    """A savepoint counts as two: a repetition is a lock, a look and one update."""
    monitor.fires()
    sender = intake.Sender.over(monitor.connection)
    with CaptureQueriesContext(database) as repeated:
        intake.take(sender, _signal(world))
    with CaptureQueriesContext(database) as joined:
        intake.take(sender, _signal(world, "another"))
    assert len(repeated) <= 5, [q["sql"][:80] for q in repeated]
    assert len(joined) <= 24, [q["sql"][:80] for q in joined]


def test_trying_a_signal_tells_the_truth_and_leaves_no_trace(world, monitor):
    sender = intake.Sender.over(monitor.connection)
    tried = intake.preview(sender, _signal(world))
    assert tried.words.startswith("Opened INC-")
    assert (Alert.objects.count(), Incident.objects.count()) == (0, 0)
    monitor.fires()
    assert intake.preview(sender, _signal(world, "another")).words == f"Joined {world.incident.ref}."
    assert Alert.objects.count() == 1

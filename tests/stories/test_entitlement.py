"""Step 2: the contract decides, and says why."""

from __future__ import annotations

from datetime import UTC, date, datetime

from supportdesk.organizations.models import Contract


def test_alice_on_a_sunday_night_is_paged_for_at_once(world, alice, bob):
    incident = alice.reports("Checkout is down")
    assert bob.is_paged
    assert incident.engagement == "now"
    assert "covered around the clock" in str(incident.decision["reasons"])
    assert "A person answers you by Sun 29 Nov 2026, 03:20 EST (UTC−5)" in alice.mail


def test_sam_at_the_same_minute_is_told_kindly_and_nobody_is_woken(world, sam, bob, carol, dana):
    incident = sam.reports("Shop is down")
    assert (incident.severity, incident.engagement) == ("P1", "queued")
    assert incident.queued_until == datetime(2026, 11, 30, 8, tzinfo=UTC)
    assert not any(person.is_paged for person in (bob, carol, dana))
    for words in (
        "recorded it as critical",
        "next opens Mon 30 Nov 2026, 09:00 CET (UTC+1)",
        "We will answer by Mon 30 Nov 2026, 10:00 CET (UTC+1)",
        "part of plan M",
        "Dana Petrova can arrange it",
    ):
        assert words in sam.mail, sam.mail
    assert [reason["rule"] for reason in incident.decision["reasons"]] == ["ENT-1", "ENT-6"]


def test_when_the_desk_opens_sams_incident_is_worked(world, sam, bob):
    incident = sam.reports("Shop is down")
    world.until(datetime(2026, 11, 30, 7, 59, 59, tzinfo=UTC))
    assert not bob.is_paged
    world.advance(seconds=1)
    incident.refresh_from_db()
    assert incident.engagement == "now"
    assert world.timeline("desk_opened")[0].at == datetime(2026, 11, 30, 8, tzinfo=UTC)
    assert any(person.is_paged for person in (bob, world.people["carol"]))


def test_without_a_contract_it_is_kept_and_the_account_manager_hears_of_it(world, sam, dana):
    Contract.objects.filter(organization=sam.user.contact.organization).update(state="suspended")
    incident = sam.reports("Shop is down")
    assert incident.engagement == "unentitled"
    assert not incident.clocks.exists()
    assert "cannot promise a response time" in sam.mail
    assert "Shop is down" in dana.mail
    assert not dana.is_paged


def test_the_last_covered_day_is_covered_whole_in_the_customers_zone(world, alice, bob):
    """S-16: until local midnight after the last day, then grace."""
    Contract.objects.filter(organization=alice.user.contact.organization).update(valid_until=date(2026, 11, 28))
    incident = alice.reports("Checkout is down")
    assert incident.entitlement["state"] == "grace"
    assert bob.is_paged


def test_data_loss_reaches_the_duty_manager_whatever_the_plan(world, sam, bob, dana):
    incident = sam.reports("Orders are gone", data_loss="on")
    assert incident.engagement == "queued"
    assert dana.is_paged
    assert not bob.is_paged
    assert incident.decision["pages_duty_manager"]

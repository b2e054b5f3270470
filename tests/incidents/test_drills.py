"""Fire drills: the real path, marked everywhere, touching no customer, no clock and no figure."""

from __future__ import annotations

from datetime import timedelta

import pytest

from incidents import drills
from incidents.models import Breach, ClockEvent, Incident, SlaClock
from supportdesk import actors
from supportdesk.errors import Invalid
from supportdesk.queue.models import Delivery, Timer


def test_somebody_is_drilled_by_the_telephone_and_passes(world, bob, carol):
    incident = drills.start(actor=actors.desk("drill"), person=bob.user)
    world.advance(seconds=70)
    assert "This is a drill" in bob.phone.calls[-1].words
    bob.presses("4")
    incident.refresh_from_db()
    assert incident.status == "cancelled"
    assert "Bob Novak answered by phone after 70 s" in world.timeline("cancelled")[0].text
    assert drills.last_passed() == {str(bob.user.pk): world.now}
    world.advance(minutes=10)
    assert not carol.is_paged
    assert len(bob.phone.calls) == 1


def test_every_text_says_that_it_is_a_drill(world, bob):
    drills.start(actor=actors.desk("drill"), person=bob.user)
    world.advance(minutes=3)
    for row in Delivery.objects.filter(sent_at__isnull=False):
        assert "drill" in f"{row.rendered['subject']} {row.rendered['text']}".lower(), row
    assert Delivery.objects.filter(sent_at__isnull=False).count() >= 3


def test_a_drill_touches_no_customer_no_clock_and_no_figure(world, alice, bob):
    drills.start(actor=actors.desk("drill"), person=bob.user)
    world.advance(minutes=5)
    assert not SlaClock.objects.exists()
    assert not ClockEvent.objects.exists()
    assert not Breach.objects.exists()
    assert not Timer.objects.filter(run="incidents.tasks.sla_threshold").exists()
    assert alice.mails == []
    assert set(Delivery.objects.values_list("kind", flat=True)) == {"page"}
    assert "Fire drill" not in bob.reads("/console/?tab=all")
    assert alice.client.get(f"/portal/incidents/{world.incident.pk}/").status_code == 404


def test_the_whole_chain_is_drilled_by_the_policy_that_would_be_used(world, bob, carol, dana):
    drills.start(actor=actors.desk("drill"))
    world.advance(minutes=4)
    assert bob.is_paged
    assert carol.is_paged
    carol.presses("4")
    assert list(drills.last_passed()) == [str(carol.user.pk)]
    assert all("drill" in mail.subject.lower() for mail in dana.mails)


def test_nobody_answers_and_the_drill_ends_by_itself(world, bob, dana):
    incident = drills.start(actor=actors.desk("drill"), person=bob.user)
    world.advance(minutes=30)
    incident.refresh_from_db()
    assert incident.status == "cancelled"
    assert "nobody answered" in world.timeline("cancelled")[0].text
    assert drills.last_passed() == {}
    assert not dana.phone.calls  # who stands behind a real page is not woken by one person's drill


def test_a_button_in_the_console_proves_nothing(world, bob):
    drills.start(actor=actors.desk("drill"), person=bob.user)
    bob.acknowledges()
    assert drills.last_passed() == {}


def test_one_drill_at_a_time(world, bob, carol):
    drills.start(actor=actors.desk("drill"), person=bob.user)
    with pytest.raises(Invalid, match="A drill is running"):
        drills.start(actor=actors.desk("drill"), person=carol.user)


def test_customers_are_not_drilled(world, alice):
    with pytest.raises(Invalid):
        drills.start(actor=actors.desk("drill"), person=alice.user)


def test_nobody_was_ever_drilled_is_not_the_same_as_everybody_failed(world):
    assert drills.last_passed() is None


def test_planned_drills_ring_by_day_and_only_who_is_due(world, bob, carol):
    drills.plan(21)
    world.advance(hours=26)  # Sunday morning to Monday noon in Berlin
    made = Incident.objects.filter(is_drill=True)
    assert made.count() == 1
    assert made.get().received_at.weekday() == 0
    drills.plan(None)
    world.advance(hours=30)
    assert made.count() == 1


def test_after_an_outage_planned_drills_do_not_pile_up(world, bob):
    drills.plan(21)
    world.settle()
    world.stand_still_until(world.now + timedelta(days=3))
    world.settle()
    assert Timer.objects.filter(run=drills.PLAN, state="armed").count() == 1


def test_the_hops_of_a_drill_are_told_in_order(world, bob):
    incident = drills.start(actor=actors.desk("drill"), person=bob.user)
    world.advance(seconds=65)
    bob.presses("4")
    hops = drills.hops(incident)
    assert [hop.after for hop in hops] == sorted(hop.after for hop in hops)
    said = [hop.what for hop in hops]
    assert said[0] == "Bob Novak is to be paged"
    assert "phone call to Bob Novak: accepted by the vendor" in said
    assert said[-1].startswith("Bob Novak answers by phone") or "Bob Novak answers by phone" in said


def test_the_page_of_drills_starts_one_and_shows_it(world, bob, dana):
    assert "No drill was held yet" in dana.reads("/console/drills/")
    dana.post("/console/drills/start/", {"person": str(bob.user.pk)})
    world.settle()
    world.advance(seconds=65)
    bob.presses("4")
    page = dana.reads("/console/drills/")
    assert "Bob Novak answered" in page
    assert "accepted by the vendor" in page
    assert dana.reads("/console/drills/?fragment=drills")
    assert "never" in page


def test_the_proof_hears_who_has_passed(world, bob):
    from rotations import proving

    assert proving.evidence([]).drilled is None
    drills.start(actor=actors.desk("drill"), person=bob.user)
    world.advance(seconds=65)
    bob.presses("4")
    assert str(bob.user.pk) in proving.evidence([]).drilled

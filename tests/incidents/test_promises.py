"""Promises at work: who hears that time runs out, what a wait and a late fall need, and what pages and the API show."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.checks import run_checks

from incidents.models import Page
from supportdesk.organizations.models import BusinessCalendar, Plan, PlanVersion
from supportdesk.queue.models import Delivery

WHY = "Their biggest day of the year; agreed with sales."


def _clock(world, kind, cycle=1):
    return world.incident.clocks.get(kind=kind, cycle=cycle)


def _heard(kind, word):
    """Who got a message of a kind with a word in it: by audience."""
    rows = Delivery.objects.filter(kind=kind).order_by("pk")
    return {row.key.split(":")[-3] for row in rows if word in str(row.facts.get("warning", ""))}


# --- thresholds (SLA-14) ---------------------------------------------------------------------------------------------


def test_sla_14_each_threshold_has_its_readers_and_the_last_call_of_a_p1_rings(world, alice, bob, dana):
    alice.reports("Checkout is down")
    bob.acknowledges()
    told = [(5, "50 %", {"responder"}), (7.5, "75 %", {"responder", "desk_channel"})]
    told.append((9, "90 %", {"responder", "duty_manager", "desk_channel"}))
    passed = 0
    for minute, word, readers in told:
        world.advance(minutes=minute - passed)
        passed = minute
        assert _heard("warning", f"First response: {word}") == readers
    assert Page.objects.filter(user=dana.user, reason="almost_missed").count() == 1
    world.advance(minutes=1, seconds=1)
    assert Page.objects.filter(user=dana.user, reason="breach").count() == 1
    told = Delivery.objects.filter(kind="breach", vendor="email", to=dana.user.email)
    assert told.count() == 1, "the account manager is the commander too, and hears it once"


def test_what_was_met_in_time_warns_nobody(world, alice, bob):
    alice.reports("Checkout is down")
    bob.writes("On it.")
    world.advance(minutes=11)
    assert not _heard("warning", "First response")
    assert not world.incident.breaches.filter(kind="first_response").exists()


def test_after_a_raise_only_the_highest_threshold_already_passed_is_told(world, alice, bob):
    """SLA-14: a P2 that waited 28 of its 30 minutes becomes a P1: the old due stays, and nothing is told twice."""
    alice.reports("Checkout is slow", urgency="high")
    world.advance(minutes=28)
    before = len(world.timeline("sla_warning"))
    bob.presses_button("severity", severity="P1", reason="Now it is down.")
    world.advance(seconds=30)
    warned = [
        e.data["threshold"] for e in world.timeline("sla_warning")[before:] if e.data["clock"] == "first_response"
    ]
    assert warned == []


def test_an_update_that_is_late_rings_its_commander_every_five_minutes_until_it_is_sent(world, alice, bob):
    alice.reports("Checkout is down")
    bob.acknowledges()
    bob.writes("On it.")
    late = Page.objects.filter(reason="update_late")
    world.advance(minutes=15)
    assert not late.exists()
    world.advance(seconds=1)
    assert late.count() == 1
    world.advance(minutes=10)
    assert late.count() == 3
    bob.presses_button("update", state="Card payments fail.", doing="We restart the gateway.")
    assert not late.filter(state=Page.State.OPEN).exists()
    assert "We are sorry" in alice.mail
    world.advance(minutes=6)
    assert late.count() == 3


# --- waiting (SLA-7) -------------------------------------------------------------------------------------------------


@pytest.fixture
def slow(world, alice, bob):
    """A P2 that bob has answered, an hour old."""
    alice.reports("Checkout is slow", urgency="high")
    bob.acknowledges()
    bob.writes("We see it.")
    world.advance(minutes=30)
    return world.incident


def test_sla_7_the_clock_stands_still_from_the_question_to_the_answer(world, slow, alice, bob):
    due = _clock(world, "resolution").due_at
    assert "Please write something" in bob.is_refused(f"/console/incidents/{slow.pk}/hold/", {"kind": "customer"})
    bob.presses_button("hold", kind="customer", question="May we restart it?")
    assert _clock(world, "resolution").state == "paused"
    assert _clock(world, "resolution").due_at is None
    world.advance(hours=2)
    page = bob.reads(f"/console/incidents/{slow.pk}/")
    assert "7 h 30 min left" in page
    assert "30 min of 8 h used" in page
    alice.writes("Yes, go ahead.")
    assert _clock(world, "resolution").due_at == due + timedelta(hours=2)
    assert world.incident.hold == "none"


def test_a_question_is_an_answer_to_the_customer_as_well(world, alice, bob):
    """D4: the first message of a person that the customer sees."""
    alice.reports("Checkout is slow", urgency="high")
    bob.presses_button("hold", kind="customer", question="Since when?")
    assert _clock(world, "first_response").state == "met"
    assert world.incident.first_response_at == world.now


def test_a_p1_is_held_by_its_commander_only_and_its_updates_go_on(world, alice, bob, carol):
    alice.reports("Checkout is down")
    bob.acknowledges()
    said = {"kind": "customer", "question": "May we?"}
    assert "commander" in carol.is_refused(f"/console/incidents/{world.incident.pk}/hold/", said)
    bob.presses_button("hold", **said)
    assert (_clock(world, "resolution").state, _clock(world, "next_update").state) == ("paused", "running")


def test_sla_8_waiting_for_a_supplier_pauses_nothing(world, slow, bob):
    due = _clock(world, "resolution").due_at
    bob.presses_button("hold", kind="third_party", question="The bank looks into it.")
    assert (_clock(world, "resolution").state, _clock(world, "resolution").due_at) == ("running", due)


# --- late falls (SLA-12) ---------------------------------------------------------------------------------------------


def test_sla_12_lowered_late_it_needs_a_code_and_the_duty_manager_hears(world, alice, bob, dana):
    alice.reports("Checkout is down")
    world.advance(minutes=8)
    url = f"/console/incidents/{world.incident.pk}/severity/"
    said = {"severity": "P3", "reason": "Only the preview shop."}
    assert "Say by its code" in bob.is_refused(url, said)
    bob.presses_button("severity", **said, code="smaller_impact")
    assert world.incident.severity == "P3"
    assert "fewer are affected than it seemed" in dana.mail


def test_lowered_early_no_code_is_needed_and_nobody_is_told_but_alice(world, alice, bob):
    alice.reports("Checkout is down")
    world.advance(minutes=5)
    bob.presses_button("severity", severity="P3", reason="Only the preview shop.")
    assert not Delivery.objects.filter(kind="lowered_late").exists()
    assert "Only the preview shop." in alice.mail


# --- the same over REST ----------------------------------------------------------------------------------------------


def test_the_verbs_over_rest(world, api, alice, sam, bob, dana):
    incident = sam.reports("Shop is down")
    staff, manager, customer = api(bob), api(dana), api(sam)
    place = f"incidents/{incident.pk}"
    until = (world.now + timedelta(hours=8)).isoformat()
    granted = {"scope": ["page", "24x7"], "reason": WHY, "expires_at": until}
    assert staff.post(f"{place}/goodwill/", granted).status_code == 403
    assert manager.post(f"{place}/goodwill/", granted).json()["engagement"] == "now"
    assert manager.post(f"{place}/goodwill/", {**granted, "scope": ["cake"]}).status_code == 400
    earlier = {"received_at": (world.now - timedelta(minutes=3)).isoformat(), "reason": "They called first."}
    assert staff.post(f"{place}/received/", earlier).status_code == 200
    lowered = {"severity": "P3", "reason": "One shop of ten."}
    assert staff.post(f"{place}/severity/", lowered).json()["severity"] == "P3"
    assert customer.post(f"{place}/decide-dispute/", {"uphold": True, "reason": "me"}).status_code == 403
    assert customer.post(f"{place}/dispute/", {"text": "All ten."}).json()["severity"] == "P1"
    decided = manager.post(f"{place}/decide-dispute/", {"uphold": False, "reason": "We counted."})
    assert decided.json()["severity"] == "P3"
    world.settle()


def test_the_clocks_over_rest_with_elapsed_remaining_and_paused(world, api, slow, alice, bob, mallory):
    bob.presses_button("hold", kind="customer", question="May we?")
    world.advance(hours=1)
    clocks = {c["kind"]: c for c in api(alice).get(f"incidents/{slow.pk}/clocks/").json()["clocks"]}
    assert set(clocks) == {"first_response", "next_update", "resolution"}
    held = clocks["resolution"]
    assert (held["elapsed_seconds"], held["remaining_seconds"], held["is_paused"]) == (1800, 27_000, True)
    assert api(mallory).get(f"incidents/{slow.pk}/clocks/").status_code == 404


def test_a_miss_is_excused_at_its_own_incident_only(world, api, alice, dana):
    alice.reports("Checkout is down")
    world.advance(minutes=11)
    missed = world.incident
    breach = missed.breaches.get(kind="first_response")
    other = alice.reports("Search is slow", impact="limited", urgency="normal")
    said = {"breach": breach.pk, "category": "force_majeure", "text": "The whole exchange was under water."}
    assert api(dana).post(f"incidents/{other.pk}/excuse/", said).status_code == 400
    assert api(dana).post(f"incidents/{missed.pk}/excuse/", said).status_code == 200
    assert "force majeure" in dana.reads(f"/console/incidents/{missed.pk}/")


def test_follow_ups_over_rest(world, api, alice, sam, dana):
    for number in range(3):
        sam.reports(f"Shop is down, {number}")
        dana.presses_button("goodwill", scope=["page"], reason=WHY, hours="8")
    (asked,) = api(dana).get("follow-ups/").json()["results"]
    assert asked["kind"] == "goodwill"
    assert api(alice).get("follow-ups/").status_code == 404
    assert api(dana).post(f"follow-ups/{asked['id']}/done/", {"answer": "Me again."}).status_code == 403
    assert api(dana).post("follow-ups/999999/done/", {"answer": "?"}).status_code == 404


# --- what a contact sees ---------------------------------------------------------------------------------------------


def test_alice_sees_her_plan_her_hours_her_targets_and_her_clocks_in_her_zone(world, alice):
    alice.reports("Checkout is down")
    page = alice.reads("/portal/plan/")
    for words in ("Plan M, Mission-critical", "around the clock", "10 min", "every 15 min", "America/New_York time"):
        assert words in page
    assert "Checkout is down First response" in page
    assert "due 03:20 EST" in page
    assert "Acknowledge" not in page, "our own objective is nobody's promise"


# --- only M carries 24x7 (D2) ----------------------------------------------------------------------------------------


def test_d2_a_system_check_warns_when_another_plan_promises_24x7(world):
    def warned():
        return [check.msg for check in run_checks(include_deployment_checks=True) if check.id == "supportdesk.W004"]

    assert warned() == []
    hours = BusinessCalendar.objects.first()
    PlanVersion.objects.create(
        plan=Plan.objects.get(code="S"),
        number=2,
        levels={"P1": {"coverage": "24x7", "first_response": 600}},
        business_hours=hours,
        extended_hours=hours,
    )
    (said,) = warned()
    assert "S Standard v2 promises 24×7 for P1" in said

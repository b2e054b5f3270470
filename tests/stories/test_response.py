"""Step 4: somebody works on it, and the customer hears from a human."""

from __future__ import annotations

from incidents.models import Breach, SlaClock


def _clock(world, kind, cycle=1):
    return SlaClock.objects.get(incident=world.incident, kind=kind, cycle=cycle)


def test_an_acknowledgement_does_not_stop_the_customers_clock_a_message_does(world, alice, bob):
    """D4."""
    alice.reports("Checkout is down")
    world.advance(minutes=2)
    bob.acknowledges()
    assert _clock(world, "first_response").state == "running"
    world.advance(minutes=3)
    bob.writes("Bob here, I see the errors and am looking at the payment gateway.")
    clock = _clock(world, "first_response")
    assert (clock.state, clock.satisfied_at) == ("met", world.now)
    assert world.incident.first_response_at == world.now
    assert "I see the errors" in alice.mail


def test_an_internal_note_satisfies_nothing_and_alice_never_sees_it(world, alice, bob):
    alice.reports("Checkout is down")
    bob.presses_button("note", text="their certificate expired, embarrassing")
    assert _clock(world, "first_response").state == "running"
    assert all("embarrassing" not in mail.part("plain") for mail in alice.mails)
    shown = alice.client.get(f"/api/v1/incidents/{world.incident.pk}/timeline/").json()
    assert "note" not in {row["kind"] for row in shown}
    assert "embarrassing" not in str(shown)


def test_a_status_update_says_what_is_what_we_do_and_when_we_speak_again(world, alice, bob):
    alice.reports("Checkout is down")
    world.advance(minutes=2)
    bob.presses_button(
        "update", state="Card payments fail.", doing="We restart the gateway.", next="10", status="identified"
    )
    assert world.incident.status == "identified"
    for words in ("Card payments fail.", "We restart the gateway.", "by Sun 29 Nov 2026, 03:22 EST (UTC−5)"):
        assert words in alice.mail, alice.mail
    assert _clock(world, "next_update").state == "met"
    assert (_clock(world, "next_update", 2).due_at - world.now).total_seconds() == 600


def test_a_missed_update_is_recorded_and_the_duty_manager_is_paged(world, alice, bob, dana):
    alice.reports("Checkout is down")
    bob.writes("On it.")
    assert not dana.is_paged
    world.advance(minutes=16)
    breach = Breach.objects.get()
    assert (breach.kind, breach.cycle) == ("next_update", 1)
    assert (breach.due_at - world.incident.received_at).total_seconds() == 900
    assert dana.is_paged
    assert _clock(world, "next_update", 2).due_at == breach.due_at + (breach.due_at - world.incident.received_at)


def test_a_late_first_answer_stays_a_miss_whatever_comes_after(world, alice, bob):
    alice.reports("Checkout is down")
    bob.acknowledges()
    world.advance(minutes=11)
    bob.writes("Sorry, here I am.")
    clock = _clock(world, "first_response")
    assert clock.state == "missed"
    assert clock.satisfied_at == world.now
    assert Breach.objects.get(kind="first_response").satisfied_at == world.now


def test_writing_to_the_customer_takes_the_incident(world, alice, bob, carol):
    alice.reports("Checkout is down")
    bob.writes("Bob here.")
    assert world.incident.acknowledged_by == bob.user
    world.advance(minutes=5)
    assert not carol.is_paged


def test_claiming_makes_an_owner_and_says_after_whom(world, alice, bob, carol):
    alice.reports("Checkout is down")
    bob.acknowledges()
    carol.presses_button("claim")
    assert world.incident.owner == carol.user
    assert "after Bob Novak" in world.timeline("claimed")[0].text


def test_severity_changes_need_a_reason_that_alice_reads(world, alice, bob):
    incident = alice.reports("Checkout is down")
    assert "write something" in bob.is_refused(
        f"/console/incidents/{incident.pk}/severity/", {"severity": "P3", "reason": " "}
    )
    bob.presses_button("severity", severity="P3", reason="Only the test shop is affected.")
    assert world.incident.severity == "P3"
    assert "Only the test shop is affected." in alice.mail


def test_a_raise_pages_anew_and_never_moves_the_deadline_later(world, alice, bob):
    """D5, E-07."""
    alice.reports("Search is slow", impact="significant", urgency="normal")
    assert world.incident.severity == "P4"
    world.advance(minutes=5)
    before = len(bob.phone.texts)
    bob.presses_button("severity", severity="P1", reason="It is the checkout after all.")
    assert len(bob.phone.texts) > before
    assert (_clock(world, "first_response").due_at - world.now).total_seconds() == 600
    assert world.incident.escalation.status == "triggered"


def test_waiting_for_the_customer_needs_a_question_and_stops_the_clock(world, alice, bob):
    """SLA-7."""
    incident = alice.reports("Search is slow", impact="significant", urgency="critical")
    bob.writes("Bob here.")
    assert "write something" in bob.is_refused(
        f"/console/incidents/{incident.pk}/hold/", {"kind": "customer", "question": ""}
    )
    bob.presses_button("hold", kind="customer", question="Which browser do you use?")
    assert _clock(world, "resolution").state == "paused"
    assert "Which browser" in alice.mail
    world.advance(minutes=30)
    alice.writes("Firefox.")
    assert world.incident.hold == "none"
    clock = _clock(world, "resolution")
    assert clock.state == "running"
    assert (clock.due_at - incident.received_at).total_seconds() == 8 * 3600 + 30 * 60


def test_what_alice_writes_reaches_bob(world, alice, bob):
    alice.reports("Checkout is down")
    bob.acknowledges()
    alice.writes("Now the search fails too.")
    assert "Now the search fails too." in bob.mail

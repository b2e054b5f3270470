"""The emergency line at night: a person, a number, a PIN, and never a dead end."""

from __future__ import annotations

import pytest

from incidents.models import EmergencyCall, Incident
from supportdesk.integrations.models import Connection
from supportdesk.queue.models import Delivery

ALICE, PIN = "+12125550142", "4711"
STRANGER = "+447700900123"


@pytest.fixture
def rings(world):
    def ring(number):
        return world.fakes.phone.rings_the_desk(number, world.desk)

    return ring


def settled(world, act, *said):
    act(*said)
    world.settle()


def test_alice_calls_and_bob_takes_it(world, rings, bob):
    call = rings(ALICE)
    assert "enter your PIN" in call.words
    settled(world, call.enters, PIN)
    assert call.rung == [bob.phone.number]
    heard = call.callee_presses("4")
    assert "Alice Moreau of Acme" in heard
    assert call.is_bridged
    incident = world.incident
    assert incident.organization.slug == "acme"
    assert incident.severity == "P1"
    assert incident.source == "customer_phone"
    assert incident.acknowledged_by == bob.user
    assert incident.first_response_at == world.now
    (answered,) = world.timeline("call_answered")
    assert answered.data == {"call": call.sid}
    first = incident.clocks.get(kind="first_response", cycle=1)
    assert first.satisfied_at == world.now


def test_primary_then_backup_then_the_duty_manager_then_a_message(world, rings, bob, carol, dana):
    call = rings(ALICE)
    settled(world, call.enters, PIN)
    for _ in range(4):
        call.nobody_picks_up()
    assert call.rung == [bob.phone.number, carol.phone.number, dana.phone.number, "+4930555000"]
    assert call.is_asked_for_a_message
    settled(world, call.leaves_a_message)
    assert "on its way" in call.words
    (entry,) = world.timeline("voicemail")
    assert "https://api.twilio.com/" in entry.text
    assert entry.visibility == "internal"
    assert Incident.objects.count() == 1


def test_a_voice_box_that_picks_up_takes_nothing(world, rings, bob, carol):
    call = rings(ALICE)
    settled(world, call.enters, PIN)
    call.callee_presses("")
    assert not call.is_bridged
    assert call.rung == [bob.phone.number, carol.phone.number]
    assert not world.incident.is_acknowledged
    call.callee_presses("4")
    assert world.incident.acknowledged_by == carol.user


def test_a_contact_who_presses_nothing_is_connected_all_the_same(world, rings, bob):
    call = rings(ALICE)
    settled(world, call.is_silent)
    assert call.rung == [bob.phone.number]
    assert world.incident.organization.slug == "acme"
    assert "without a PIN" in world.incident.description
    assert not EmergencyCall.objects.get().is_verified


def test_who_does_not_know_the_pin_reaches_the_manager_and_opens_nothing(world, rings, dana):
    call = rings(ALICE)
    call.enters("0000")
    assert "not right" in call.words
    call.enters("1111")
    assert call.rung == [dana.phone.number]
    assert not Incident.objects.exists()


def test_an_unknown_caller_reaches_the_manager(world, rings, dana):
    call = rings(STRANGER)
    assert call.rung == [dana.phone.number]
    assert "unknown caller" in call.callee_presses("4")
    assert call.is_bridged
    assert EmergencyCall.objects.get().taken_by == dana.user


def test_an_unknown_callers_message_becomes_an_incident(world, rings, bob):
    call = rings(STRANGER)
    call.nobody_picks_up()
    call.nobody_picks_up()
    settled(world, call.leaves_a_message)
    incident = world.incident
    assert incident.organization is None
    assert STRANGER in incident.title
    assert incident.timeline.get(kind="voicemail").data["recording"].startswith("https://")
    assert bob.is_paged


def test_a_plan_without_the_line_is_told_so_and_the_call_is_kept(world, rings, sam, bob):
    sam_contact = world.rows.contacts["sam"]
    sam_contact.phone = "+4915112340001"
    sam_contact.save()
    call = rings("+4915112340001")
    settled(world, call.enters, PIN)
    assert "does not include the emergency line" in call.words
    assert "The desk opens" in call.words
    assert call.rung == []
    assert world.incident.organization.slug == "smallco"
    assert not bob.phone.rang()


def test_the_same_request_twice_is_one_incident_and_one_answer(world, rings, bob):
    call = rings(ALICE)
    action = call.document.find("Gather").attrib["action"]
    settled(world, call.enters, PIN)
    again = world.fakes.phone.post(action, call._fields({"Digits": PIN, "CallStatus": "in-progress"}), world.desk)
    assert bob.phone.number in again.body
    assert Incident.objects.count() == 1


def test_a_hang_up_is_written_down(world, rings):
    call = rings(ALICE)
    call.hangs_up()
    assert EmergencyCall.objects.get().state == "over"


def missed(person):
    return [mail for mail in person.mails if "Missed call" in mail.subject]


def test_who_hangs_up_at_the_pin_is_called_back_by_the_duty_manager(world, rings, bob, dana):
    call = rings(ALICE)
    call.hangs_up()
    world.settle()
    (mail,) = missed(dana)
    assert ALICE in mail.subject
    assert "Alice Moreau of Acme" in mail.part("plain")
    assert "asked for their PIN" in mail.part("plain")
    assert any(ALICE in text.body for text in world.fakes.sms.to(dana.phone.number))
    assert not Incident.objects.exists()
    assert not missed(bob)
    world.advance(minutes=5)
    assert len(missed(dana)) == 1
    page = bob.reads("/console/calls/")
    assert "missed" in page
    assert "Number of Alice Moreau, Acme" in page


def test_a_provider_that_tells_no_hang_up_changes_nothing_about_that(world, rings, dana):
    rings(ALICE)
    world.advance(seconds=89)
    assert not missed(dana)
    world.advance(seconds=1)
    assert len(missed(dana)) == 1


def test_a_stranger_who_gives_up_while_it_rings_is_missed_too(world, rings, dana):
    call = rings(STRANGER)
    call.hangs_up()
    world.settle()
    (mail,) = missed(dana)
    assert "while we were ringing" in mail.part("plain")
    assert "nobody we know" in mail.part("plain")


def test_calls_somebody_took_or_that_left_an_incident_are_not_missed(world, rings, bob, dana):
    taken = rings(ALICE)
    settled(world, taken.enters, PIN)
    taken.callee_presses("4")
    taken.hangs_up()
    given_up = rings(ALICE)
    settled(world, given_up.enters, PIN)
    given_up.hangs_up()  # the incident pages on
    world.advance(minutes=2)
    assert not missed(dana)
    page = dana.reads("/console/calls/")
    assert "right PIN" in page
    assert "rung: Bob Novak" in page
    assert "rung: Bob Novak, Carol" not in page  # nobody else's turn came


# --- calls that page -------------------------------------------------------------------------------------------------


def test_a_tone_in_somebodys_greeting_takes_no_critical_incident(world, alice, bob):
    """Voicemail answered: its greeting holds the tone of a 4. The call of a P1 asks for its own code as well."""
    alice.reports("Checkout is down")
    world.advance(seconds=61)
    ringing = bob.phone.calls[-1]
    world.fakes.phone.tone(ringing, "4", world.desk)
    world.settle()
    assert "To confirm, press" in ringing.words
    world.fakes.phone.tone(ringing, "44", world.desk)
    world.settle()
    assert not world.incident.is_acknowledged
    bob.presses("4")  # bob listens, and presses what the voice says
    assert world.incident.acknowledged_by == bob.user


def test_lesser_incidents_need_one_key(world, alice, bob):
    alice.reports("Checkout is slow", impact="significant", urgency="critical")
    world.advance(seconds=61)
    world.fakes.phone.tone(bob.phone.calls[-1], "4", world.desk)
    world.settle()
    assert world.incident.acknowledged_by == bob.user


@pytest.mark.parametrize("status", ["no-answer", "busy", "failed", "completed"])
def test_a_call_that_reaches_nobody_is_followed_by_the_next_at_once(world, alice, bob, status):
    alice.reports("Checkout is down")
    world.advance(seconds=61)
    (first,) = bob.phone.calls
    world.fakes.phone.status(first, status, world.desk)
    world.settle()
    assert len(bob.phone.calls) == 2


def test_a_call_that_never_reports_back_counts_as_not_reached(world, alice, bob):
    alice.reports("Checkout is down")
    world.advance(seconds=61)
    first = Delivery.objects.get(vendor="phone", recipient_user=bob.user, sent_at__isnull=False)
    world.advance(seconds=62)
    first.refresh_from_db()
    assert first.state == "failed"


def test_where_one_provider_is_down_the_other_rings(world, alice, bob):
    first = Connection.objects.get(vendor="phone")
    second = Connection(vendor="phone", name="Second provider")
    second.set_values(first.values)
    second.save()
    first.fallback = second
    first.save()
    world.fakes.phone.next(status=503, path="Calls")
    alice.reports("Checkout is down")
    world.advance(seconds=61)
    assert bob.phone.rang()
    rung = Delivery.objects.get(vendor="phone", recipient_user=bob.user, sent_at__isnull=False)
    assert rung.connection == second
    assert rung.sent_at == rung.planned_at  # at once, not after a wait
    bob.presses("4")
    assert world.incident.acknowledged_by == bob.user

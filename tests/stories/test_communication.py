"""Step 5: four real wires, what goes over them, and what happens when one breaks."""

from __future__ import annotations

from datetime import timedelta

from supportdesk.integrations.models import Connection
from supportdesk.queue.models import Delivery
from tests.cast import World


def test_everybody_hears_on_their_own_wire(world, alice, bob):
    alice.reports("Checkout is down", service=world.rows.services["checkout"].pk)
    number = world.incident.pk
    assert f"Received: Checkout is down (INC-{number})" in alice.mail
    acme, desk = world.fakes.slack.to("C0ACME"), world.fakes.slack.to("C0DESK")
    assert any("On call, please" in m.text for m in acme)
    assert any("First answer due" in m.text for m in desk)
    assert f"ACK {number}" in bob.phone.texts[-1].body
    trigger = world.fakes.pagerduty.alerts[f"supportdesk-{number}"]
    assert trigger.status == "triggered"
    world.advance(seconds=60)
    assert "Press 4 to acknowledge" in bob.phone.calls[-1].heard[0]
    assert "Priority one for Acme" in bob.phone.calls[-1].heard[0]


def test_resolving_resolves_at_pagerduty_too(world, alice, bob):
    alice.reports("Checkout is down")
    alert = world.fakes.pagerduty.alerts[f"supportdesk-{world.incident.pk}"]
    bob.acknowledges()
    assert alert.status == "acknowledged"
    bob.presses_button("resolve", summary="The gateway runs again.")
    assert alert.status == "resolved"


def test_mails_of_one_incident_form_one_thread(world, alice, bob):
    alice.reports("Checkout is down")
    bob.writes("On it.")
    references = {mail.message["References"].split()[0] for mail in alice.mails}
    assert len(alice.mails) >= 3
    assert len(references) == 1


def test_the_customers_words_call_nobody_on_slack(world, alice):
    alice.reports("Down <!channel> & <@U0BOB>")
    words = " ".join(m.text for m in world.fakes.slack.messages)
    assert "<!channel>" not in words
    assert "&lt;!channel&gt; &amp; &lt;@U0BOB&gt;" in words


def test_a_busy_mail_server_is_tried_again_and_sam_gets_one_mail(world, sam):
    world.fakes.smtp.next(at="rcpt", reply="451 try later")
    sam.reports("Shop is down")
    assert sam.mails == []
    delivery = Delivery.objects.get(kind="received_queued", vendor="email")
    assert (delivery.state, delivery.attempts) == ("pending", 1)
    assert "451" in delivery.error
    world.advance(minutes=1)
    delivery.refresh_from_db()
    assert delivery.state == "sent"
    assert len(sam.mails) == 1


def test_slack_that_took_it_and_hung_up_is_asked_before_it_is_told_again(world, alice, bob):
    world.fakes.slack.next(drop="after", path="/chat.postMessage")
    alice.reports("Checkout is down")
    world.advance(minutes=1)
    keys = [m.metadata["event_payload"]["key"] for m in world.fakes.slack.messages]
    assert len(keys) == len(set(keys))
    assert not Delivery.objects.filter(vendor="slack", state__in=["pending", "failed"], due_at__lte=world.now).exists()


def test_a_text_that_cannot_be_sent_makes_the_phone_ring_at_once(world, alice, bob):
    """E-12: not at T+1:00."""
    start = world.now
    world.fakes.sms.next(status=400, body={"code": 21610, "message": "unsubscribed", "status": 400})
    alice.reports("Checkout is down")
    assert bob.phone.rang()
    assert world.now == start
    failed = Delivery.objects.get(vendor="sms", recipient="Bob Novak", state="failed")
    assert "unsubscribed" in failed.error


def test_a_busy_phone_is_followed_by_the_next_attempt_at_once(world, alice, bob):
    alice.reports("Checkout is down")
    world.advance(seconds=60)
    assert len(bob.phone.calls) == 1
    world.fakes.phone.status(bob.phone.calls[-1], "busy", world.desk)
    world.settle()
    assert len(bob.phone.calls) == 2


def test_a_call_that_never_reports_back_counts_as_not_reached(world, alice, bob):
    alice.reports("Checkout is down")
    world.advance(seconds=60)
    world.advance(seconds=61)
    call = Delivery.objects.filter(vendor="phone", recipient="Bob Novak").order_by("pk")[0]
    assert (call.state, call.error) == ("failed", "no report from the vendor")


def test_slack_down_delays_no_phone_call(world, alice, bob):
    for _ in range(3):
        world.fakes.slack.next(status=503)
    alice.reports("Checkout is down")
    assert bob.phone.buzzed()
    world.advance(seconds=60)
    assert bob.phone.rang()


def test_the_page_shows_what_was_really_delivered(world, sam, bob):
    world.fakes.smtp.next(at="rcpt", reply="550 no such user")
    incident = sam.reports("Shop is down")
    delivery = Delivery.objects.get(kind="received_queued", vendor="email")
    assert delivery.state == "failed"
    assert "550" in delivery.error
    assert Connection.objects.get(vendor="email").check_result.startswith("recipient refused")
    assert "E-mail to Sam Okafor failed" in bob.reads(f"/console/incidents/{incident.pk}/")


def test_a_desk_connected_to_nothing_still_takes_the_report(db, fakes, settings, moved_clock):
    settings.EMERGENCY_NUMBER = ""
    world = World(fakes, vendors=())
    incident = world.people["alice"].reports("Checkout is down")
    assert incident.severity == "P1"
    assert world.timeline("nobody_on_call")
    assert world.incident.escalation.status in ("triggered", "exhausted")
    assert world.incident.escalation.next_at > world.now - timedelta(seconds=1)

"""Somebody's program hears what happens: signed, once each, again and again for a day, and only what it may read."""

from __future__ import annotations

import pytest

from supportdesk.integrations import webhooks
from supportdesk.integrations.models import Connection
from supportdesk.queue.models import Delivery


@pytest.fixture
def receiver(world):
    return world.fakes.webhooks


@pytest.fixture
def subscribe(api, dana, receiver):
    """Dana makes an endpoint over the API."""
    caller = api(dana, scopes=("read", "manage"))

    def make(name="Ours", **more):
        body = {"name": name, "url": receiver.values["url"], "secret": receiver.secret} | more
        answer = caller.post("webhooks/", body)
        assert answer.status_code == 201, answer.content
        assert receiver.secret not in answer.content.decode()
        return Connection.objects.get(code=answer.json()["code"])

    make.caller = caller
    return make


def types(receiver):
    return [event.type for event in receiver.events]


def test_the_desk_hears_everything_signed_and_in_order(world, subscribe, receiver, alice, bob):
    subscribe()
    incident = alice.reports("Checkout is down")
    bob.acknowledges()
    bob.writes("We are on it.")
    assert types(receiver) == ["incident.reported", "incident.acknowledged", "incident.message"]
    reported = receiver.events[0]
    assert reported.data["incident"]["ref"] == incident.ref
    assert reported.data["entry"]["by"] == "Alice Moreau"
    assert len({event.id for event in receiver.events}) == 3


def test_an_organization_hears_its_own_and_only_what_it_may_read(world, subscribe, receiver, alice, mallory, bob):
    subscribe("Acme", organization="acme")
    mallory.reports("Rival is down")
    assert receiver.events == []
    incident = alice.reports("Checkout is down")
    bob.presses_button("note", incident, text="Their config is a mess.")
    bob.acknowledges(incident)
    assert types(receiver) == ["incident.reported", "incident.acknowledged"]
    told = receiver.events[1].data
    assert "mess" not in str([event.data for event in receiver.events])
    assert told["entry"]["by"] == "support"
    assert "/portal/" in told["incident"]["url"]


def test_an_endpoint_hears_only_the_events_it_asked_for(world, subscribe, receiver, alice, bob):
    subscribe(events=["incident.resolved"])
    alice.reports("Checkout is down")
    bob.acknowledges()
    bob.presses_button("resolve", summary="Rolled back.")
    assert types(receiver) == ["incident.resolved"]


def test_what_is_not_taken_is_sent_again_under_the_same_id(world, subscribe, receiver, alice):
    endpoint = subscribe(events=["incident.reported"])
    receiver.answers = 500
    alice.reports("Checkout is down")
    world.advance(seconds=6)
    receiver.answers = 200
    world.advance(minutes=6)
    assert types(receiver) == ["incident.reported"]
    asked = [seen.headers["webhook-id"] for seen in receiver.seen]
    assert len(asked) == 3
    assert len(set(asked)) == 1
    tries = Delivery.objects.get(connection=endpoint).receipt["tries"]
    assert [one["words"][:8] for one in tries] == ["HTTP 500", "HTTP 500", "HTTP 200"]


def test_after_a_day_the_endpoint_is_switched_off_and_managers_are_told(world, subscribe, receiver, alice, dana):
    endpoint = subscribe(events=["incident.reported"])
    receiver.answers = 404
    alice.reports("Checkout is down", impact="limited", urgency="normal")
    world.advance(hours=23)
    endpoint.refresh_from_db()
    assert endpoint.is_enabled
    world.advance(hours=3)
    endpoint.refresh_from_db()
    assert not endpoint.is_enabled
    assert Delivery.objects.get(connection=endpoint).attempts == 8
    assert "switched off" in dana.mail
    assert "HTTP 404" in dana.mail


def test_an_endpoint_that_asks_for_nothing_more_gets_nothing_more(world, subscribe, receiver, alice):
    endpoint = subscribe()
    receiver.answers = 410
    alice.reports("Checkout is down")
    endpoint.refresh_from_db()
    assert not endpoint.is_enabled


def test_one_event_nobody_takes_does_not_switch_off_an_endpoint_that_takes_others(world, subscribe, receiver, alice):
    endpoint = subscribe(events=["incident.reported"])
    receiver.answers = 422
    alice.reports("Checkout is down", impact="limited", urgency="normal")
    world.advance(seconds=1)
    lost = Delivery.objects.get(connection=endpoint)
    Delivery.objects.filter(pk=lost.pk).update(attempts=7)
    receiver.answers = 200
    alice.reports("Search is slow", impact="limited", urgency="normal")
    receiver.answers = 422
    world.advance(hours=12)
    lost.refresh_from_db()
    endpoint.refresh_from_db()
    assert lost.state == "failed"
    assert endpoint.is_enabled


def test_a_manager_reads_every_try_and_sends_it_again(world, subscribe, receiver, alice, dana):
    endpoint = subscribe(events=["incident.reported"])
    receiver.answers = 410
    alice.reports("Checkout is down")
    endpoint.refresh_from_db()
    page = dana.reads(f"/console/webhooks/{endpoint.code}/")
    assert "incident.reported" in page
    assert "HTTP 410" in page
    lost = Delivery.objects.get(connection=endpoint)
    again = f"/console/webhooks/{endpoint.code}/events/{lost.pk}/again/"
    assert "switched off" in dana.is_refused(again, {})
    dana.post(f"/console/webhooks/{endpoint.code}/switch/", {"on": "1"})
    receiver.answers = 200
    dana.post(again, {})
    world.settle()
    assert types(receiver) == ["incident.reported"]
    assert receiver.events[0].id == receiver.seen[0].headers["webhook-id"]


def test_engineers_and_customers_see_no_endpoints(world, subscribe, api, alice, bob, mallory):
    endpoint = subscribe("Acme", organization="acme")
    assert "no such webhook" in bob.reads(f"/console/webhooks/{endpoint.code}/", expect=404)
    assert api(mallory).get(f"webhooks/{endpoint.code}/").status_code == 404
    assert api(bob).get(f"webhooks/{endpoint.code}/").status_code == 404
    assert api(alice).get(f"webhooks/{endpoint.code}/").status_code == 200  # their own administrator


def test_a_customers_administrator_makes_one_for_their_own_organization_only(world, api, alice, mallory, receiver):
    mine = api(alice, scopes=("read", "manage"))
    made = mine.post("webhooks/", {"name": "Acme", "url": receiver.values["url"]})
    assert made.status_code == 201
    assert made.json()["organization"] == "acme"
    other = mine.post("webhooks/", {"name": "Rival", "url": receiver.values["url"], "organization": "rival"})
    assert other.status_code == 403
    theirs = api(mallory, scopes=("read", "manage")).call(
        "PATCH", f"webhooks/{made.json()['code']}/", {"is_enabled": False}
    )
    assert theirs.status_code == 404


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"url": "https://169.254.169.254/latest/"}, "url"),
        ({"url": "https://user:secret@hooks.example/"}, "url"),
        ({"url": "ftp://hooks.example/"}, "url"),
        ({"secret": "short"}, "secret"),
        ({"events": ["incident.exploded"]}, "events"),
    ],
)
def test_what_cannot_work_is_refused_when_it_is_made(world, subscribe, receiver, body, field):
    answer = subscribe.caller.post("webhooks/", {"name": "Bad", "url": "https://hooks.example/"} | body)
    assert answer.status_code == 400
    assert field in answer.content.decode()


def test_a_new_secret_is_shown_once_and_the_old_one_still_signs(world, subscribe, receiver, alice):
    endpoint = subscribe(events=["incident.reported"])
    fresh = subscribe.caller.post(f"webhooks/{endpoint.code}/secret/", {}).json()["secret"]
    assert fresh.startswith("whsec_")
    alice.reports("Checkout is down")
    (event,) = receiver.events  # which still knows the old secret only
    assert len(event.signatures) == 2
    body = receiver.seen[0].body
    stamp = receiver.seen[0].headers["webhook-timestamp"]
    assert webhooks.signatures([fresh], event.id, stamp, body) in event.signatures


def test_an_endpoint_inside_our_network_is_never_called(world, subscribe, receiver, settings, alice):
    endpoint = subscribe()
    settings.REACHABLE_NETWORKS = []
    alice.reports("Checkout is down")
    assert receiver.seen == []
    assert "private network" in Delivery.objects.filter(connection=endpoint).first().error


def test_an_endpoint_that_hangs_up_delays_no_page(world, subscribe, receiver, alice, bob):
    subscribe()
    receiver.next(drop="before")
    alice.reports("Checkout is down")
    assert bob.phone.buzzed()


def test_drills_are_told_to_nobody_outside(world, subscribe, receiver):
    from incidents import actions
    from incidents.actions import Report
    from supportdesk import actors

    subscribe()
    actions.report(Report("A drill", "staff", 1, 1, is_drill=True), actor=actors.desk("drill"))
    world.settle()
    assert receiver.events == []

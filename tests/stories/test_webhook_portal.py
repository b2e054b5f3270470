"""A customer's administrator looks after their own endpoints in the portal, and nobody else's."""

from __future__ import annotations

import pytest

from supportdesk.integrations.models import Connection
from supportdesk.organizations.models import Contact
from supportdesk.queue.models import Delivery

PLACE = "/portal/webhooks/"


@pytest.fixture
def receiver(world):
    return world.fakes.webhooks


@pytest.fixture
def endpoint(world, alice, receiver):
    """Alice makes one, as her colleagues would: by the form. The receiver is told its secret."""
    answer = alice.post(PLACE, {"name": "Ours", "url": receiver.values["url"]})
    made = Connection.objects.get(vendor="webhooks")
    assert answer.url == f"{PLACE}{made.code}/"
    before, receiver.secret = receiver.secret, made.values["secret"]
    yield made
    receiver.secret = before


def test_the_secret_is_shown_once_and_signs(world, alice, endpoint, receiver):
    (secret,) = endpoint.values["secret"].split()
    assert endpoint.organization.slug == "acme"
    assert secret in alice.reads(f"{PLACE}{endpoint.code}/")
    assert secret not in alice.reads(f"{PLACE}{endpoint.code}/")
    alice.reports("Checkout is down")
    assert [event.type for event in receiver.events] == ["incident.reported"]


def test_a_second_press_makes_no_second_endpoint(world, alice, endpoint, receiver):
    again = alice.client.post(PLACE, {"name": "Ours", "url": receiver.values["url"]})
    assert "There is an endpoint at this address already." in again.content.decode()
    assert Connection.objects.filter(vendor="webhooks").count() == 1


def test_an_organization_has_no_more_than_it_needs(world, alice):
    for number in range(10):
        alice.post(PLACE, {"name": f"No. {number}", "url": f"https://hooks.example/{number}"})
    eleventh = alice.client.post(PLACE, {"name": "More", "url": "https://hooks.example/10"})
    assert "at most 10 endpoints" in eleventh.content.decode()


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("https://169.254.169.254/latest/", "private network"),
        ("https://[::ffff:10.0.0.1]/", "private network"),
        ("http://10.0.0.1/", "private network"),
        ("https://a:b@hooks.example/", "name or password"),
        ("ftp://hooks.example/", "starts with https"),
        ("javascript:alert(1)", "starts with https"),
        ("https://hooks.example:99999/", "starts with https"),
    ],
)
def test_an_address_that_leads_inside_is_refused_beside_its_field(world, alice, url, words):
    answer = alice.client.post(PLACE, {"name": "Bad", "url": url})
    assert answer.status_code == 200
    assert words in " ".join(answer.context["form"].errors["url"])
    assert not Connection.objects.filter(vendor="webhooks").exists()


def test_a_test_shows_what_was_answered_and_one_is_enough(world, alice, endpoint, receiver):
    receiver.answers = 503
    alice.post(f"{PLACE}{endpoint.code}/test/", {})
    assert "on its way" in alice.is_refused(f"{PLACE}{endpoint.code}/test/", {})
    world.settle()
    assert "HTTP 503" in alice.reads(f"{PLACE}{endpoint.code}/")
    assert receiver.seen[0].data["type"] == "desk.test"


def test_what_was_not_taken_is_sent_again_and_once_is_enough(world, alice, endpoint, receiver):
    receiver.answers = 410
    alice.reports("Checkout is down")
    lost = Delivery.objects.get(connection=endpoint, kind="event")
    page = alice.reads(f"{PLACE}{endpoint.code}/?state=failed")
    assert "HTTP 410" in page
    assert "switched off" in page
    alice.post(f"{PLACE}{endpoint.code}/switch/", {"on": "1"})
    alice.post(f"{PLACE}{endpoint.code}/events/{lost.pk}/again/", {})
    assert "still on its way" in alice.is_refused(f"{PLACE}{endpoint.code}/events/{lost.pk}/again/", {})
    receiver.answers = 200
    world.settle()
    assert len(receiver.seen) == 2
    assert receiver.seen[0].headers["webhook-id"] == receiver.seen[1].headers["webhook-id"]


def test_the_administrator_is_written_to_where_they_can_read_it(world, alice, endpoint, receiver, dana):
    receiver.answers = 410
    alice.reports("Checkout is down")
    assert f"{PLACE}{endpoint.code}/" in alice.mail
    assert f"/console/webhooks/{endpoint.code}/" in dana.mail


def test_a_new_secret_is_shown_once_and_the_old_one_keeps_signing(world, alice, endpoint):
    old = endpoint.values["secret"]
    alice.post(f"{PLACE}{endpoint.code}/secret/", {})
    endpoint.refresh_from_db()
    fresh, kept = endpoint.values["secret"].split()
    assert kept == old
    assert fresh in alice.reads(f"{PLACE}{endpoint.code}/")
    assert fresh not in alice.reads(f"{PLACE}{endpoint.code}/")


def test_it_can_be_changed_and_keeps_its_secret(world, alice, endpoint):
    changed = {"name": "Theirs", "url": "https://hooks.example/x", "events": ["incident.resolved"]}
    alice.post(f"{PLACE}{endpoint.code}/", changed)
    before = endpoint.values["secret"]
    endpoint.refresh_from_db()
    assert (endpoint.name, endpoint.settings["events"]) == ("Theirs", "incident.resolved")
    assert endpoint.values["secret"] == before


@pytest.mark.parametrize("who", ["mallory", "sam", "bob", "dana"])
def test_nobody_else_finds_it(world, who, endpoint, alice):
    alice.reports("Checkout is down")
    event = Delivery.objects.filter(connection=endpoint).first()
    person = world.people[who]
    for place in ("", "test/", "switch/", "secret/", f"events/{event.pk}/again/"):
        assert (
            person.client.post(
                f"{PLACE}{endpoint.code}/{place}", {"name": "x", "url": "https://x.example/"}
            ).status_code
            == 404
        )
    assert person.client.get(f"{PLACE}{endpoint.code}/").status_code == 404
    endpoint.refresh_from_db()
    assert (endpoint.name, endpoint.is_enabled) == ("Ours", True)


def test_another_administrator_sees_only_their_own(world, mallory, alice, endpoint, receiver):
    Contact.objects.filter(user=mallory.user).update(is_admin=True)
    assert "No webhooks yet" in mallory.reads(PLACE)
    mallory.reads(f"{PLACE}{endpoint.code}/", expect=404)
    mallory.post(PLACE, {"name": "Rival's", "url": receiver.values["url"]})
    theirs = Connection.objects.get(vendor="webhooks", organization__slug="rival")
    alice.reports("Checkout is down")
    event = Delivery.objects.get(connection=endpoint)
    stolen = mallory.client.post(f"{PLACE}{theirs.code}/events/{event.pk}/again/", {})
    assert stolen.status_code == 404


def test_only_an_administrator_is_led_there(world, alice, mallory):
    Contact.objects.filter(user=mallory.user).update(is_admin=False)
    assert "Look after webhooks" in alice.reads("/portal/plan/")
    assert "Look after webhooks" not in mallory.reads("/portal/plan/")
    mallory.reads(PLACE, expect=404)

"""Who else hears of incidents: what somebody asked for, the words they get, and the question before sending."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import IntegrityError, transaction

from incidents import actions, samples
from incidents.boards import routing as board
from incidents.models import Incident, Stakeholder
from incidents.routing import (
    CUSTOMER_KINDS,
    INTERNAL_KINDS,
    ROUTES,
    TOPICS,
    Audience,
    Topic,
    Wish,
    audiences,
    topic_of,
    wants,
)
from supportdesk import words
from supportdesk.audit.models import AuditEntry
from supportdesk.errors import Invalid, NotAllowed
from supportdesk.organizations.models import Organization, Service
from supportdesk.queue.models import Delivery
from tests.cast import Person, World

CIO = "cio@acme-holding.example"


# --- the rules -------------------------------------------------------------------------------------------------------
def test_every_topic_is_made_of_kinds_that_are_said_and_none_is_in_two() -> None:
    kinds = [kind for topic in Topic for kind in TOPICS[topic]]
    assert len(kinds) == len(set(kinds))
    assert set(kinds) <= set(ROUTES)
    assert not INTERNAL_KINDS & set(kinds)
    assert set(board.KIND_WORDS) == set(kinds)
    assert set(board.AUDIENCE_WORDS) == set(Audience) - {Audience.STAKEHOLDER}


@pytest.mark.parametrize("kind", ROUTES)
def test_stakeholders_are_heard_last_and_only_of_topics(kind: str) -> None:
    assert (audiences(kind)[-1:] == (Audience.STAKEHOLDER,)) is (topic_of(kind) is not None)
    assert audiences(kind)[: len(ROUTES[kind])] == ROUTES[kind]


@pytest.mark.parametrize(
    ("wish", "is_heard"),
    [
        (Wish({Topic.PROGRESS}, None, None, "P4"), True),
        (Wish({Topic.PROGRESS}, 1, 2, "P2"), True),
        (Wish({Topic.REPORT}, None, None, "P4"), False),
        (Wish(set(), None, None, "P4"), False),
        (Wish({Topic.PROGRESS}, 9, None, "P4"), False),
        (Wish({Topic.PROGRESS}, 1, 9, "P4"), False),
        (Wish({Topic.PROGRESS}, None, None, "P1"), False),
    ],
)
def test_somebody_hears_what_they_asked_for(wish: Wish, is_heard: bool) -> None:
    assert wants(wish, topic=Topic.PROGRESS, organization_id=1, service_id=2, severity="P2") is is_heard


def test_who_asked_for_a_customer_or_a_service_hears_of_no_incident_without() -> None:
    for wish in (Wish({Topic.OPENED}, 1, None, "P4"), Wish({Topic.OPENED}, None, 1, "P4")):
        assert not wants(wish, topic=Topic.OPENED, organization_id=None, service_id=None, severity="P1")


# --- the story -------------------------------------------------------------------------------------------------------
@pytest.fixture
def acme(world: World) -> Organization:
    return Organization.objects.get(slug="acme")


@pytest.fixture
def cio(acme: Organization, dana: Person) -> Stakeholder:
    """Acme's CIO, who cannot sign in, hears of critical incidents."""
    return actions.add_stakeholder(
        actor=dana.user.actor("console"),
        organization=acme,
        address=CIO.upper(),
        name="Ines Okoro",
        topics=[Topic.PROGRESS, Topic.TROUBLE],
        least_severity="P1",
    )


def _told(to: str) -> list[str]:
    return list(Delivery.objects.filter(to=to).order_by("pk").values_list("kind", flat=True))


def test_the_cio_hears_an_update_once_in_the_customers_words_and_nothing_internal(
    world: World, cio: Stakeholder, alice: Person, bob: Person, sam: Person
) -> None:
    incident = alice.reports("Checkout is down")
    bob.acknowledges(incident)
    bob.presses_button("note", incident, text="It is the old proxy again.")
    bob.presses_button("update", incident, state="Payments fail.", doing="We look for the cause.")
    assert _told(CIO) == ["acknowledged", "update"]
    mail = world.fakes.smtp.to(CIO)[-1].part("plain")
    assert "Payments fail." in mail
    assert "/portal/" not in mail  # no door is shown to who cannot sign in
    assert "/console/" not in mail
    world.advance(minutes=40)  # promises are missed: that is ours to know
    assert "breach" in Delivery.objects.values_list("kind", flat=True)
    assert not {"breach", "warning", "no_answer"} & set(_told(CIO))


@pytest.mark.parametrize("kind", sorted(CUSTOMER_KINDS & set(board.KIND_WORDS)))
@pytest.mark.parametrize("language", ["en", "de"])
def test_who_only_listens_is_not_asked_to_answer(kind: str, language: str) -> None:
    said = {**samples.sample_facts(kind, language), "for_staff": False, "copied": True, "url": "", "button": ""}
    _, text = words.said(words.shipped_text(kind, "email", language), said)
    wrong = (
        "your report",
        "Answer this message",
        "confirm it",
        "http",
        "Ihre Meldung",
        "bestätigen Sie",
        "Antworten Sie",
    )
    assert not [one for one in wrong if one in text]
    assert "here: \n" not in text and not text.rstrip().endswith(":")


def test_smallcos_incidents_and_lesser_ones_are_not_the_cios(
    cio: Stakeholder, alice: Person, bob: Person, sam: Person
) -> None:
    bob.acknowledges(sam.reports("Nothing works", impact="widespread"))
    bob.acknowledges(alice.reports("Labels were empty", impact="significant"))
    assert _told(CIO) == []


def test_who_heard_of_a_critical_incident_hears_that_it_is_smaller(
    cio: Stakeholder, alice: Person, bob: Person
) -> None:
    incident = alice.reports("Checkout is down")
    bob.presses_button("severity", incident, severity="P2", reason="half of it works")
    assert _told(CIO) == ["severity_changed"]


def test_a_colleague_who_asked_for_trouble_hears_of_a_missed_promise(
    world: World, alice: Person, erin: Person, dana: Person
) -> None:
    actions.add_stakeholder(actor=dana.user.actor("console"), user=erin.user, topics=["trouble"])
    alice.reports("Checkout is down")
    world.advance(minutes=20)
    mails = Delivery.objects.filter(kind="breach", vendor="email", to=erin.user.email)
    assert mails.exists()
    assert all(mail.facts["for_staff"] for mail in mails)


def test_a_contact_hears_once_in_their_language_whatever_parts_they_have(
    acme: Organization, dana: Person, alice: Person, bob: Person
) -> None:
    contact = acme.contacts.get(user=alice.user)
    made = actions.add_stakeholder(
        actor=dana.user.actor("console"), organization=acme, address=contact.email, topics=["progress"]
    )
    assert (made.contact, made.address) == (contact, "")
    incident = alice.reports("Checkout is down")
    bob.presses_button("update", incident, state="Payments fail.", doing="We look.")
    assert _told(contact.email).count("update") == 1


def test_drills_are_nobody_elses_business(cio: Stakeholder, acme: Organization) -> None:
    incident = board.imagined(acme, None, "P1")
    assert CIO in {one.to for one in board.readers(incident, "update")}
    incident.is_drill = True
    assert CIO not in {one.to for one in board.readers(incident, "update")}


def test_a_channel_that_becomes_a_customers_is_silent(acme: Organization, dana: Person) -> None:
    actions.add_stakeholder(actor=dana.user.actor("console"), slack_channel="C0LEADERS", topics=["progress"])
    incident = board.imagined(acme, None, "P1")
    assert "C0LEADERS" in {one.to for one in board.readers(incident, "update")}
    Organization.objects.filter(slug="smallco").update(slack_channel="C0LEADERS")
    assert "C0LEADERS" not in {one.to for one in board.readers(incident, "update")}


# --- who may, and what is refused ------------------------------------------------------------------------------------
def test_managers_decide_and_the_trail_keeps_it(cio: Stakeholder, dana: Person, bob: Person, alice: Person) -> None:
    for who in (bob, alice):
        with pytest.raises(NotAllowed):
            actions.remove_stakeholder(cio.pk, actor=who.user.actor("console"))
        with pytest.raises(NotAllowed):
            actions.add_stakeholder(actor=who.user.actor("console"), user=bob.user, topics=["opened"])
    actor = dana.user.actor("console")
    actions.change_stakeholder(cio.pk, actor=actor, topics=["report"], least_severity="P2")
    actions.remove_stakeholder(cio.pk, actor=actor)
    kept = AuditEntry.objects.filter(subject=f"stakeholder:{cio.pk}").order_by("pk")
    assert [one.verb for one in kept] == ["add_stakeholder", "change_stakeholder", "remove_stakeholder"]
    assert kept[1].before["topics"] == ["progress", "trouble"]
    assert kept[1].after["topics"] == ["report"]
    assert not Stakeholder.objects.exists()


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({}, "address"),
        ({"address": CIO, "name": "Ines", "slack_channel": "C1", "organization": "acme"}, "address"),
        ({"address": CIO, "name": "Ines"}, "organization"),
        ({"address": CIO, "organization": "acme"}, "name"),
        ({"address": "nonsense", "name": "Ines", "organization": "acme"}, "address"),
        ({"address": "sam@smallco.example", "name": "Sam", "organization": "acme"}, "address"),
        ({"slack_channel": "C1", "topics": []}, "topics"),
        ({"slack_channel": "C1", "topics": ["gossip"]}, "topics"),
        ({"slack_channel": "C1", "least_severity": "P9"}, "least_severity"),
        ({"slack_channel": "C1", "service": "of-acme"}, "service"),
        ({"slack_channel": "theirs"}, "slack_channel"),
    ],
)
def test_what_cannot_be_is_refused_by_its_field(
    acme: Organization, dana: Person, said: dict[str, Any], field: str
) -> None:
    theirs = Service.objects.create(name="Of Acme", slug="of-acme", organization=acme)
    chosen = {"topics": ["progress"], **said}
    if "organization" in chosen:
        chosen["organization"] = acme
    if "service" in chosen:
        chosen["service"] = theirs
    if chosen.get("slack_channel") == "theirs":
        chosen["slack_channel"] = acme.slack_channel
    with pytest.raises(Invalid) as refused:
        actions.add_stakeholder(actor=dana.user.actor("console"), **chosen)
    assert refused.value.field == field
    assert not Stakeholder.objects.exists()


def test_no_row_could_tell_one_customer_of_another(acme: Organization, dana: Person, cio: Stakeholder) -> None:
    contact = acme.contacts.first()
    for wrong in ({"address": CIO}, {"contact": contact}, {"user": dana.user, "slack_channel": "C1"}, {}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Stakeholder.objects.create(topics=["progress"], **wrong)
    with pytest.raises(Invalid):
        actions.add_stakeholder(
            actor=dana.user.actor("console"), organization=acme, address=CIO, name="Ines", topics=["report"]
        )


# --- the page and the API --------------------------------------------------------------------------------------------
def test_the_page_says_who_would_hear_it_and_writes_nothing(
    cio: Stakeholder, dana: Person, bob: Person, alice: Person
) -> None:
    before = Delivery.objects.count()
    asked = "/console/routing/?organization=acme&service=&severity={}&kind=update"
    read = bob.reads(asked.format("P1"))
    assert f"Ines Okoro, e-mail {CIO} asked to" in read
    assert "Whoever reports it, e-mail their own address" in read
    assert "Acme on Slack" in read
    assert "Let them hear" not in read
    assert f"Ines Okoro, e-mail {CIO} asked to" not in bob.reads(asked.format("P2"))
    assert "Let them hear" in dana.reads("/console/routing/")
    assert (Delivery.objects.count(), Incident.objects.count()) == (before, 0)


def test_a_manager_adds_changes_and_removes_on_the_page(acme: Organization, dana: Person, bob: Person) -> None:
    said = {"slack_channel": "C0LEADERS", "topics": ["opened", "resolved"], "least_severity": "P2"}
    assert bob.is_refused("/console/routing/add/", said)
    assert "is not an e-mail address" in dana.is_refused(
        "/console/routing/add/", {"address": "x", "organization": acme.pk, "topics": "opened", "least_severity": "P4"}
    )
    assert dana.reads("/console/routing/").count("Not saved yet") == 1
    dana.post("/console/routing/add/", said)
    row = Stakeholder.objects.get()
    assert (row.topics, row.least_severity, row.created_by) == (["opened", "resolved"], "P2", dana.user)
    dana.post(f"/console/routing/{row.pk}/change/", {"topics": ["report"], "least_severity": "P1"})
    row.refresh_from_db()
    assert (row.topics, row.least_severity) == (["report"], "P1")
    dana.post(f"/console/routing/{row.pk}/remove/", {})
    assert not Stakeholder.objects.exists()


def test_the_api_does_the_same(api: Any, acme: Organization, dana: Person, bob: Person, alice: Person) -> None:
    manager = api(dana, ("read", "manage"))
    body = {"organization": "acme", "address": CIO, "name": "Ines Okoro", "topics": ["progress"]}
    assert api(bob, ("read", "manage")).post("stakeholders/", body).status_code == 403
    made = manager.post("stakeholders/", body)
    assert made.status_code == 201, made.content
    place = f"stakeholders/{made.json()['id']}/"
    assert made.json()["address"] == CIO
    assert api(bob).get(place).status_code == 200
    assert api(alice).get(place).status_code == 404
    assert manager.call("PATCH", place, {"address": "other@acme.example"}).status_code == 400
    assert manager.call("PATCH", place, {"least_severity": "P2"}).json()["least_severity"] == "P2"
    query = "routing/preview/?organization=acme&service=&severity=P1&kind=update"
    heard = api(bob).get(query).json()
    assert {"name": "Ines Okoro", "by": "e-mail", "to": CIO, "audience": "stakeholder"} in heard["customer"]
    assert heard["topic"] == "progress"
    assert api(alice).get(query).status_code == 404
    assert api(bob).get("routing/preview/?severity=P1&kind=gossip").status_code == 400
    assert manager.call("DELETE", place).status_code == 204
    assert manager.get(place).status_code == 404

"""What messages say: shipped texts, what managers made of them, and readers of German."""

from __future__ import annotations

import copy
import re
from datetime import UTC, datetime
from typing import Any

import pytest

from incidents import routing, samples
from incidents.models import Incident
from supportdesk import localised, words
from supportdesk.audit.models import AuditEntry
from supportdesk.errors import Invalid, NotAllowed
from supportdesk.organizations.models import Contact
from supportdesk.queue.models import Delivery
from supportdesk.wording import actions, rules
from supportdesk.wording.models import MessageText

ENGLISH_WORDS = {" the ", " you ", " we ", " is ", " and "}


# --- languages ------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("kind", sorted(routing.CUSTOMER_KINDS))
def test_everything_a_customer_reads_is_there_in_german_and_says_the_same_facts(db: None, kind: str) -> None:
    assert words.languages_of(kind) == ["en", "de"]
    english, german = words.shipped_text(kind), words.shipped_text(kind, "", "de")
    assert _facts_for_customers(english) == _facts_for_customers(german)
    assert not rules.problems(german, words.shipped_facts(kind))
    said = " ".join(words.render(kind, "email", samples.sample_facts(kind, "de")))
    own = " ".join(str(value) for value in samples._SAID.values())
    assert not [word for word in ENGLISH_WORDS if word in f" {said} " and word not in own]


def _facts_for_customers(source: str) -> frozenset[str]:
    """What a text says to those outside: we ourselves read English, in sections of our own."""
    ours = re.compile(r"\{\{#for_staff}}.*?\{\{/for_staff}}", re.DOTALL)
    return rules.facts_in(ours.sub("", source)) - {"for_staff"}


def test_german_times_have_german_names_and_the_offset() -> None:
    night = datetime(2026, 3, 29, 0, 55, tzinfo=UTC)
    assert localised.german_moment(night, "Europe/Berlin") == "So, 29. März 2026, 01:55 Uhr MEZ (UTC+1)"
    summer = datetime(2026, 7, 1, 10, 0, tzinfo=UTC)
    assert localised.german_moment(summer, "Europe/Berlin") == "Mi, 1. Juli 2026, 12:00 Uhr MESZ (UTC+2)"
    assert localised.german_moment(summer, "America/New_York") == "Mi, 1. Juli 2026, 06:00 Uhr EDT (UTC−4)"
    assert localised.german_moment(summer, "UTC") == "Mi, 1. Juli 2026, 10:00 Uhr UTC"


def test_a_moment_is_its_text_and_survives_copying() -> None:
    moment = localised.Moment(datetime(2026, 7, 1, 10, 0, tzinfo=UTC), "Europe/Berlin")
    assert moment == "Wed 1 Jul 2026, 12:00 CEST (UTC+2)"
    assert copy.deepcopy({"at": moment})["at"].zone == "Europe/Berlin"
    facts = {"at": moment, "severity_word": "critical", "late_by": "2 d 4 h", "text": "critical"}
    said = localised.in_words_of(facts, "de", "America/New_York")
    assert said == {
        "at": "Mi, 1. Juli 2026, 06:00 Uhr EDT (UTC−4)",
        "severity_word": "kritisch",
        "late_by": "2 Tg. 4 Std.",
        "text": "critical",
        "language": "de",
    }


def test_whoever_reads_german_hears_german(world: Any, alice: Any, bob: Any) -> None:
    Contact.objects.filter(pk=alice.user.contact.pk).update(language="de")
    incident = alice.reports("Checkout is down")
    bob.presses_button("update", incident, state="Half of it works.", doing="We go on.", next="12")
    sent = {d.vendor: d.rendered for d in Delivery.objects.filter(kind="update", to__in=(alice.user.email, "C0ACME"))}
    assert sent["email"]["text"].startswith("Stand: Half of it works.")
    assert "Sie hören wieder von uns bis So, 29. Nov. 2026, 03:22 Uhr EST (UTC−5)." in sent["email"]["text"]
    assert "Stand:" in sent["slack"]["text"]
    received = Delivery.objects.get(kind="received", vendor="email").rendered
    assert received["subject"] == f"Eingegangen: Checkout is down ({incident.ref})"
    assert "„kritisch“" in received["text"]
    ours = Delivery.objects.filter(kind="update", vendor="slack").exclude(to="C0ACME").first()
    assert "Now: Half of it works." in ours.rendered["text"]


def test_a_channel_of_several_languages_speaks_english(world: Any, alice: Any) -> None:
    own = alice.user.contact
    Contact.objects.filter(pk=own.pk).update(language="de")
    Contact.objects.create(organization=own.organization, name="Ann Other", email="ann@acme.example")
    alice.reports("Checkout is down")
    assert Delivery.objects.get(kind="received", vendor="email").facts["language"] == "de"
    assert "language" not in Delivery.objects.get(kind="received", vendor="slack").facts


# --- texts of managers ----------------------------------------------------------------------------------------------
def save(person: Any, kind: str, text: str, **more: str) -> MessageText | None:
    known = samples.known_facts(kind)
    return actions.save_text(actor=person.user.actor("console"), kind=kind, text=text, known=known, **more)


def test_a_changed_text_is_said_from_the_next_message_on(world: Any, dana: Any, alice: Any) -> None:
    save(dana, "received", "We have {{ref}}\n\nHello {{org}}, somebody looks at {{title}} now.\n{{url}}")
    incident = alice.reports("Checkout is down")
    sent = Delivery.objects.get(kind="received", vendor="email").rendered
    assert sent["subject"] == f"We have {incident.ref}"
    assert sent["text"].startswith("Hello Acme, somebody looks at Checkout is down now.")
    assert AuditEntry.objects.get(verb="change_text").subject == "text:received::en"


def test_every_revision_is_kept_and_the_shipped_text_is_one_press_away(db: None, world: Any, dana: Any) -> None:
    facts = samples.sample_facts("received")
    shipped = words.render("received", "email", facts)
    save(dana, "received", "First {{ref}}")
    save(dana, "received", "Second {{ref}}")
    assert save(dana, "received", "Second {{ref}}") is None
    assert words.render("received", "email", facts)[0] == "Second INC-4711"
    actions.reset_text(actor=dana.user.actor("console"), kind="received")
    assert words.render("received", "email", facts) == shipped
    kept = MessageText.objects.filter(kind="received").order_by("number")
    assert list(kept.values_list("text", flat=True)) == ["First {{ref}}\n", "Second {{ref}}\n", ""]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("{{ref}} {{password}}", "knows nothing of password"),
        ("{{#pages}} open", "not closed"),
        ("{{> other}}", "Only"),
        ("{{{ref}}}", "Only"),
        ("  ", "empty"),
        ("x" * 4_001, "the most"),
    ],
)
def test_what_nobody_can_fill_in_is_refused(world: Any, dana: Any, text: str, problem: str) -> None:
    with pytest.raises(Invalid, match=problem):
        save(dana, "received", text)
    assert not MessageText.objects.exists()


def test_only_managers_change_texts(world: Any, bob: Any) -> None:
    with pytest.raises(NotAllowed):
        save(bob, "received", "Hello {{ref}}")


def test_a_text_for_all_channels_leaves_the_short_ones_alone(world: Any, dana: Any) -> None:
    save(dana, "page", "Wake up: {{ref}}")
    facts = samples.sample_facts("page") | {"drill": False}
    assert words.render("page", "email", facts)[0] == "Wake up: INC-4711"
    assert "Reply ACK" in words.render("page", "sms", facts)[1]


def test_a_changed_text_that_lacks_a_fact_gives_way_to_the_shipped_one(world: Any, dana: Any, caplog: Any) -> None:
    save(dana, "received", "{{org}}: {{ref}}")
    facts = samples.sample_facts("received")
    del facts["org"]
    assert words.render("received", "email", facts)[0] == "Received: Checkout is down (INC-4711)"
    assert "lacks a fact" in caplog.text


# --- their page -----------------------------------------------------------------------------------------------------
def test_a_manager_changes_a_text_on_its_page(world: Any, dana: Any, bob: Any) -> None:
    assert "Received queued" in dana.reads("/console/texts/")
    bob.reads("/console/texts/", expect=404)
    bob.reads("/console/texts/received/en/", expect=404)
    page = dana.reads("/console/texts/received/de/")
    assert "Eingegangen: Checkout is down (INC-4711)" in page
    address = "/console/texts/received/de/save/"
    refused = dana.is_refused(address, {"text": "Hallo {{nobody}}"})
    assert "knows nothing of nobody" in refused
    dana.post(address, {"text": "Hallo {{org}}\n\nWir haben {{ref}}."})
    assert "Hallo Example Ltd" in dana.reads("/console/texts/received/de/")
    dana.post(address, {"reset": "1"})
    assert "Hallo Example Ltd" not in dana.reads("/console/texts/received/de/").partition("Revisions")[0]


def test_what_was_refused_is_still_in_the_form(world: Any, dana: Any) -> None:
    dana.client.post("/console/texts/received/en/save/", {"text": "Keep me {{nobody}}"})
    assert "Keep me" in dana.client.get("/console/texts/received/en/").content.decode()


def test_the_preview_saves_nothing(world: Any, dana: Any) -> None:
    answer = dana.client.post("/console/texts/update/en/preview/", {"text": "{{ref}} now\n\n{{state}}"})
    assert "INC-4711 now" in answer.content.decode()
    answer = dana.client.post("/console/texts/update/en/preview/", {"text": "{{nobody}}"})
    assert "knows nothing of nobody" in answer.content.decode()
    assert not MessageText.objects.exists()


@pytest.mark.parametrize("language", ["en", "de"])
def test_every_text_has_a_preview(db: None, language: str) -> None:
    for kind, vendor in words.editable():
        if language in words.languages_of(kind):
            subject, body = words.said(words.shipped_text(kind, vendor, language), samples.sample_facts(kind, language))
            assert subject
            assert body
    assert not Incident.objects.filter(pk=4711).exists()


def test_our_own_channels_are_not_addressed_as_the_customer(world: Any, alice: Any, bob: Any) -> None:
    incident = alice.reports("Checkout is down")
    bob.acknowledges(incident)
    world.advance(minutes=16)
    bob.presses_button("update", incident, state="It fails.", doing="We look.")
    ours, theirs = (
        next(m.text for m in world.fakes.slack.to(channel) if "Now: It fails." in m.text)
        for channel in ("C0DESK", "C0ACME")
    )
    assert "You hear from us again by" in theirs
    assert "We are sorry" in theirs
    assert "The next one is due by" in ours
    assert "It was promised by" in ours
    assert "We are sorry" not in ours


def test_the_call_for_whoever_is_on_call_says_no_more_to_customers_than_they_know(world: Any, alice: Any) -> None:
    alice.reports("Checkout is down")
    (theirs,) = [m.text for m in world.fakes.slack.to("C0ACME") if "On call, please" in m.text]
    assert "P1" not in theirs
    assert "/console/" not in theirs
    (ours,) = [m.text for m in world.fakes.slack.to("C0DESK") if "On call, please" in m.text]
    assert "P1" in ours
    assert "/console/" in ours


def test_whoever_is_called_hears_why_on_every_way(world: Any, alice: Any, bob: Any) -> None:
    """A call about a late update is no call about something new."""
    incident = alice.reports("Checkout is down")
    bob.acknowledges(incident)
    bob.presses_button("update", incident, state="It fails.", doing="We look.")
    bob.post(f"/console/incidents/{incident.pk}/room/take/", {"role": "commander"})
    world.advance(minutes=17)
    assert "(commander, the customer waits for an update)" in bob.phone.texts[-1].body
    assert "You are called as commander, the customer waits for an update." in bob.phone.calls[-1].words

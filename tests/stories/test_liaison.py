"""The customer liaison: everything said to and heard from the customer on one page, and who would hear what."""

from __future__ import annotations

from typing import Any

from incidents import actions
from supportdesk.integrations.models import Connection
from supportdesk.queue.models import Delivery


def test_one_page_has_what_was_said_heard_and_agreed_and_nothing_of_our_own(world: Any, alice: Any, bob: Any) -> None:
    incident = alice.reports("Checkout is down")
    bob.acknowledges(incident)
    actions.take_role(incident.pk, actor=bob.user.actor("console"), role="commander")
    bob.presses_button("update", incident, state="Orders fail.", doing="We look for the cause.")
    bob.presses_button("note", incident, text="The disk of the old database is full.")
    alice.writes("Every hour is enough for us.", incident)
    world.advance(hours=2)
    bob.presses_button("cadence", incident, minutes="60", agreement="Alice, in the portal")
    said = bob.reads(f"/console/incidents/{incident.pk}/customer/")
    for words in ("Orders fail.", "Every hour is enough", "Agreed with the customer: an update every 1 h"):
        assert words in said
    assert "The disk" not in said
    assert "Alice Moreau by e-mail" in said
    assert "They hear from us next" in said or "Their update is late" in said


def test_who_would_hear_what_was_approved_for_executives(world: Any, alice: Any, bob: Any) -> None:
    incident = alice.reports("Checkout is down")
    address = f"/console/incidents/{incident.pk}/customer/"
    assert "What is approved for executives nobody" in bob.reads(address)
    contact = alice.user.contact
    contact.is_executive = True
    contact.save()
    assert "What is approved for executives Alice Moreau by e-mail" in bob.reads(address)


def test_customers_have_no_such_page(world: Any, alice: Any, mallory: Any) -> None:
    incident = alice.reports("Checkout is down")
    for person in (alice, mallory):
        person.reads(f"/console/incidents/{incident.pk}/customer/", expect=404)


def test_a_connected_ticket_system_is_no_reader_of_theirs(world: Any, alice: Any, bob: Any) -> None:
    row = Connection(vendor="jira", name="Jira")
    row.set_values(world.fakes.values("jira"))
    row.save()
    world.rows.connections["jira"] = row
    world.fakes.hooks(world.hook)
    incident = alice.reports("Checkout is down")
    assert "To Alice Moreau by e-mail, Acme on Slack and their portal." in bob.reads(
        f"/console/incidents/{incident.pk}/"
    )


def test_one_person_in_two_parts_hears_a_thing_once(world: Any, alice: Any, bob: Any) -> None:
    incident = alice.reports("Checkout is down")
    bob.acknowledges(incident)
    actions.take_role(incident.pk, actor=bob.user.actor("console"), role="commander")
    actions.take_role(incident.pk, actor=bob.user.actor("console"), role="comms")
    bob.presses_button("update", incident, state="Orders fail.", doing="We look.")
    world.advance(minutes=12)
    prompts = Delivery.objects.filter(kind="update_prompt", vendor="email", to=bob.user.email)
    assert prompts.count() == 1
    assert "draft=update" in prompts.get().facts["url"]
    assert "Orders fail." in bob.client.get(prompts.get().facts["url"]).content.decode()

"""One emergency through two browsers: alice at Acme, bob at the desk."""

from __future__ import annotations

import re
from typing import Any

from playwright.sync_api import Page, expect

from incidents.models import Incident
from supportdesk import links
from tests.browser.conftest import PHONE, Enter


def report(page: Page, title: str) -> None:
    page.goto("/portal/")
    page.get_by_role("link", name="Report an emergency").click()
    page.get_by_label("What is broken?").fill(title)
    page.get_by_text("All or most of our users").click()
    page.get_by_text("Our business has stopped").click()
    page.get_by_role("button", name="Send and alert an engineer").click()


def test_alice_reports_bob_answers_alice_reads_it(enter: Enter, world: Any) -> None:
    alice, bob = enter("alice"), enter("bob")

    report(alice, "Checkout is down")
    expect(alice.get_by_role("heading", name="Checkout is down")).to_be_visible()
    expect(alice.get_by_text("We are calling an engineer now.")).to_be_visible()
    expect(alice.get_by_text("A person answers you by")).to_be_visible()
    expect(alice.locator("#state")).to_contain_text("03:20 EST")  # ten minutes after 03:10, on alice's clock
    world.settle()
    assert world.people["bob"].is_paged

    bob.goto("/console/")
    expect(bob.get_by_role("region", name="Needs somebody now")).to_contain_text("has not been acknowledged")
    bob.get_by_role("button", name="Acknowledge").click()
    expect(bob.get_by_role("heading", name="Checkout is down")).to_be_visible()
    bob.get_by_placeholder("What is so now").fill("Payments fail since 03:08.")
    bob.get_by_placeholder("What we do next").fill("We switch to the second gateway.")
    bob.get_by_label("Status", exact=True).select_option("identified")
    bob.get_by_role("button", name="Send update to customer").click()
    expect(bob.get_by_text("Update 1, seen by customer")).to_be_visible()
    world.settle()

    alice.reload()
    expect(alice.get_by_text("Bob Novak is working on it.")).to_be_visible()
    expect(alice.get_by_text("Payments fail since 03:08.")).to_be_visible()
    expect(alice.get_by_text("Next update by")).to_be_visible()
    assert "second gateway" in world.people["alice"].mail


def test_a_note_stays_in_the_house(enter: Enter, world: Any, alice: Any, bob: Any) -> None:
    alice.reports("Checkout is down")
    bob.acknowledges()
    ours, theirs = enter("bob"), enter("alice")
    ours.goto(f"/console/incidents/{world.incident.pk}/")
    ours.get_by_role("radio", name="Internal note").check()
    expect(ours.get_by_role("button", name="Send update to customer")).to_be_hidden()
    ours.get_by_label("Internal note", exact=True).and_(ours.locator("textarea")).fill(
        "The gateway has no budget left."
    )
    ours.get_by_role("button", name="Save internal note").click()
    expect(ours.get_by_text("The gateway has no budget left.")).to_be_visible()
    theirs.goto(f"/portal/incidents/{world.incident.pk}/")
    expect(theirs.get_by_text("Bob Novak is working on it.")).to_be_visible()
    assert "budget" not in theirs.content()


def test_the_whole_way_without_scripts(enter: Enter, world: Any) -> None:
    alice, bob = enter("alice", java_script_enabled=False), enter("bob", java_script_enabled=False)
    report(alice, "Checkout is down")
    world.settle()
    bob.goto(f"/console/incidents/{world.incident.pk}/")
    bob.get_by_role("button", name="I have it").click()
    bob.locator("#act-resolve > summary").click()
    bob.get_by_label("What was wrong").fill("A certificate had expired.")
    bob.get_by_role("button", name="Resolve and tell the customer").click()
    world.settle()
    alice.reload()
    alice.get_by_text("No, it is still broken").click()
    alice.get_by_label("What is still wrong?").fill("Cards are refused again.")
    alice.get_by_role("button", name="Open it again").click()
    world.settle()
    assert world.incident.reopen_count == 1
    assert world.incident.status == "investigating"


def test_a_customer_without_round_the_clock_service_is_told_when_we_open(enter: Enter, world: Any) -> None:
    sam = enter("sam")
    sam.goto("/portal/")
    expect(sam.locator(".emergency")).to_contain_text("Mon 30 Nov, 09:00 CET")
    sam.get_by_role("link", name="Report an emergency").click()
    sam.get_by_label("What is broken?").fill("Invoices cannot be exported")
    sam.get_by_text("A core function, or many users").click()
    sam.get_by_text("Our business has stopped").click()
    sam.get_by_role("button", name="Send the report").click()
    expect(sam.get_by_text("We have it. The desk opens Mon 30 Nov, 09:00 CET.")).to_be_visible()
    world.settle()
    assert not world.people["bob"].is_paged


def test_reading_the_link_of_a_page_changes_nothing_and_the_button_takes_it(
    page: Page, world: Any, alice: Any, bob: Any
) -> None:
    incident = alice.reports("Checkout is down")
    ring = incident.pages.get(user=bob.user)
    address = f"/a/{links.page_token(ring.pk, bob.user.pk)}/"

    page.set_viewport_size(PHONE["viewport"])
    page.goto(address)
    expect(page.get_by_text("the next person is called at")).to_be_visible()
    button = page.get_by_role("button", name="I have it")
    box = button.bounding_box()
    assert box is not None
    assert box["height"] >= 64
    assert box["y"] + box["height"] <= PHONE["viewport"]["height"]  # under the thumb, without scrolling
    assert not Incident.objects.get(pk=incident.pk).is_acknowledged

    button.click()
    expect(page.get_by_text("You have it.")).to_be_visible()
    expect(page).to_have_url(re.compile(re.escape(address)))
    assert Incident.objects.get(pk=incident.pk).acknowledged_name == "Bob Novak"


def test_whoever_comes_second_is_told_who_has_it(page: Page, world: Any, alice: Any, bob: Any, carol: Any) -> None:
    incident = alice.reports("Checkout is down")
    world.advance(minutes=3)
    carol.acknowledges()
    ring = incident.pages.filter(user=bob.user).first()
    page.goto(f"/a/{links.page_token(ring.pk, bob.user.pk)}/")
    expect(page.get_by_text("Carol Jensen has it")).to_be_visible()
    expect(page.get_by_role("button", name="I have it")).to_have_count(0)

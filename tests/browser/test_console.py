"""The console under a hand: keys, theme, and what unfolds."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Page, expect

from supportdesk.accounts import actions as accounts
from tests.browser.conftest import PHONE, Enter


def selected(page: Page) -> str | None:
    return page.locator("[data-selected]").get_attribute("data-row-key")


def test_j_and_k_walk_a_takes_it_and_enter_opens(enter: Enter, world: Any, alice: Any, sam: Any) -> None:
    first, second = alice.reports("Checkout is down"), alice.reports("Search is slow", impact="significant")
    bob = enter("bob")
    bob.goto("/console/")
    bob.keyboard.press("j")
    assert selected(bob) == first.ref
    bob.keyboard.press("j")
    assert selected(bob) == second.ref
    bob.keyboard.press("k")
    assert selected(bob) == first.ref
    bob.keyboard.press("j")
    with bob.expect_navigation():
        bob.keyboard.press("a")  # the selected row, not the banner above it
    second.refresh_from_db()
    first.refresh_from_db()
    assert second.acknowledged_name == "Bob Novak"
    assert not first.is_acknowledged
    bob.goto("/console/?tab=mine")
    bob.keyboard.press("j")
    bob.keyboard.press("Enter")
    expect(bob.get_by_role("heading", name="Search is slow")).to_be_visible()


def test_keys_do_nothing_while_somebody_types(enter: Enter, world: Any, alice: Any) -> None:
    incident = alice.reports("Checkout is down")
    bob = enter("bob")
    bob.goto(f"/console/incidents/{incident.pk}/")
    bob.keyboard.press("u")
    expect(bob.locator("#say-state")).to_be_focused()
    bob.keyboard.type("a jar")
    expect(bob.locator("#say-state")).to_have_value("a jar")
    incident.refresh_from_db()
    assert not incident.is_acknowledged


def test_the_palette_finds_a_customer_and_says_whose_an_incident_is(enter: Enter, world: Any, alice: Any) -> None:
    alice.reports("Checkout is down")
    bob = enter("bob")
    bob.goto("/console/")
    bob.keyboard.press("Control+k")
    bob.keyboard.type("checkout")
    expect(bob.locator(".palette-result").first).to_contain_text("Acme")
    bob.locator("#palette-query").fill("acme")
    bob.locator(".palette-result", has_text="customer").click()
    expect(bob.get_by_text("What they are owed")).to_be_visible()


def test_dark_stays_dark(enter: Enter, world: Any) -> None:
    bob = enter("bob", color_scheme="light")
    bob.goto("/console/")
    light = bob.evaluate("getComputedStyle(document.body).backgroundColor")
    with bob.expect_response("**/accounts/theme/"):
        bob.get_by_role("button", name="Dark").click()
    expect(bob.locator("html")).to_have_attribute("data-theme", "dark")
    bob.goto("/console/customers/")
    expect(bob.locator("html")).to_have_attribute("data-theme", "dark")
    assert bob.evaluate("getComputedStyle(document.body).backgroundColor") != light


def test_on_a_phone_a_button_unfolds_over_the_page_and_folds_again(
    enter: Enter, world: Any, alice: Any, bob: Any
) -> None:
    incident = alice.reports("Checkout is down")
    bob.acknowledges()
    phone = enter("bob", **PHONE)
    phone.goto(f"/console/incidents/{incident.pk}/")
    phone.locator("#act-resolve > summary").click()
    send = phone.get_by_role("button", name="Resolve and tell the customer")
    expect(send).to_be_in_viewport(ratio=1)
    phone.mouse.click(20, 150)
    expect(send).to_be_hidden()


def test_what_is_unfolded_and_typed_survives_an_update_of_the_page(
    enter: Enter, world: Any, alice: Any, bob: Any
) -> None:
    incident = alice.reports("Checkout is down")
    bob.acknowledges()
    page = enter("bob")
    page.goto(f"/console/incidents/{incident.pk}/")
    page.locator("#act-resolve > summary").click()
    expect(page.locator("#act-resolve")).to_have_attribute("open", "")
    alice.writes("It is getting worse.")
    refresh = "document.dispatchEvent(new Event('visibilitychange'))"
    page.evaluate(refresh)
    expect(page.locator("#timeline")).to_contain_text("It is getting worse.")
    expect(page.locator("#act-resolve")).to_have_attribute("open", "")
    page.locator("#resolve-summary").fill("Nearly done")
    alice.writes("Now it works.")
    page.evaluate(refresh)
    expect(page.locator("#timeline")).to_contain_text("Now it works.")
    expect(page.locator("#resolve-summary")).to_have_value("Nearly done")


def test_an_invitation_opens_the_door(page: Page, world: Any, dana: Any) -> None:
    _, link = accounts.invite(
        actor=dana.user.actor("test"), email="nina@desk.example", name="Nina Roth", role="engineer"
    )
    page.goto(urlsplit(link).path)
    expect(page.get_by_role("heading", name="Welcome, Nina")).to_be_visible()
    page.get_by_label("Password", exact=True).fill("a-long-enough-word")
    page.get_by_label("The same again").fill("a-long-enough-word")
    page.get_by_role("button", name="Create my account").click()
    expect(page.get_by_role("heading", name="Queue")).to_be_visible()


def test_on_a_phone_a_refusal_is_read_in_the_sheet_that_lies_over_the_page(
    enter: Enter, world: Any, alice: Any, bob: Any
) -> None:
    incident = alice.reports("Checkout is down")
    bob.acknowledges(incident)
    phone = enter("bob", **PHONE)
    phone.goto(f"/console/incidents/{incident.pk}/")
    phone.locator("#act-resolve > summary").click()
    phone.locator("#resolve-summary").fill("As with Smallco, the gateway was full.")
    phone.get_by_role("button", name="Resolve and tell the customer").click()
    reason = phone.locator("#act-resolve .refused")
    expect(reason).to_contain_text("it names another customer, Smallco")
    box = reason.bounding_box()
    assert box is not None
    top = phone.evaluate("([x, y]) => document.elementFromPoint(x, y).closest('.refused') !== null", [
        box["x"] + box["width"] / 2, box["y"] + box["height"] / 2,
    ])  # fmt: skip
    assert top, "nothing lies over it"
    expect(phone.locator("#resolve-summary")).to_have_value("As with Smallco, the gateway was full.")

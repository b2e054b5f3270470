"""A manager connects Slack by hand: chooses it, fills it in, presses Test, and reads the receipt."""

from __future__ import annotations

import pytest

from supportdesk.integrations.models import Connection
from tests.browser.conftest import DESK, PHONE


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_dana_connects_slack_and_reads_the_receipt(world, enter, dana, size):
    page = enter("dana", **size)
    page.goto("/admin/supportdesk/connection/add/")
    page.get_by_role("link", name="Slack", exact=True).click()
    page.get_by_label("Name").fill("Second Slack")
    for name, value in world.fakes.slack.values.items():
        page.locator(f"[name=v_{name}]").fill(value)
    page.get_by_role("button", name="Save and continue editing").click()
    row = Connection.objects.get(name="Second Slack")
    page.get_by_role("button", name="Check the connection").click()
    world.settle()
    page.reload()
    standing = page.locator("#try")
    assert "It works." in standing.inner_text()
    assert f"/hooks/slack/{row.code}/" in standing.inner_text()
    page.get_by_label("Send a test to").fill("C0DESK")
    page.get_by_role("button", name="Test", exact=True).click()
    world.settle()
    page.reload()
    receipt = world.fakes.slack.to("C0DESK")[-1].ts
    assert receipt in standing.inner_text()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")

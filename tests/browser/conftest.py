"""A real Chromium at the desk's door. Whatever a page complains about, such as a policy violation, fails the test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, sync_playwright

from tests.machine_plugin import chromium

PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}
DESK = {"viewport": {"width": 1440, "height": 900}}
WAIT_MS = 10_000
# The event stream is a process of its own; the test server has none, and the page says that it looks again every 30 s.
_NO_STREAM = "/live/"

Enter = Callable[..., Page]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "tests/browser/" in item.nodeid:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        program = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        yield program
        program.close()


@pytest.fixture
def enter(browser: Browser, live_server: Any, world: Any) -> Iterator[Enter]:
    """`enter("bob")` is bob's browser, signed in; `enter()` a stranger's. Options are Playwright's, like `**PHONE`."""
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def open_browser(who: str = "", **options: Any) -> Page:
        context = browser.new_context(base_url=live_server.url, **(DESK | options))
        context.set_default_timeout(WAIT_MS)
        contexts.append(context)
        if who:
            session = world.people[who].client.cookies["sessionid"].value
            context.add_cookies([{"name": "sessionid", "value": session, "url": live_server.url}])
        page = context.new_page()
        page.on("console", lambda message: complaints.extend(_complaint(message)))
        page.on("pageerror", lambda error: complaints.append(f"{page.url}: {error}"))
        return page

    yield open_browser
    for context in contexts:
        context.close()
    assert complaints == []


def _complaint(message: ConsoleMessage) -> list[str]:
    address = message.location.get("url", "")
    is_serious = message.type in ("error", "warning") and _NO_STREAM not in address
    return [f"{address}: {message.text}"] if is_serious else []


@pytest.fixture
def page(enter: Enter) -> Page:
    """A stranger's browser."""
    return enter()

"""Every page somebody can reach by its links: it answers, keeps the content security policy, and fits a phone."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page

from incidents.models import StatusPage
from reports.models import PostIncidentReport
from tests.browser.conftest import PHONE, Enter

# Left out: files and machine-readable answers, signing out, and the insides of Django's own admin.
_OTHERS = ("/static/", "/accounts/logout/", "/admin/", "/api/")
_FILES = (".json", ".ics", ".xml", ".atom", ".rss", ".svg", ".csv", ".zip", ".md")
_ONE_WILL_DO = "/console/texts/"  # a page for every text, all made by one template
_MOST_PAGES = 120
_SPREAD_PX = "document.documentElement.scrollWidth - window.innerWidth"
_LINKS = "[...document.querySelectorAll('a[href]')].map((a) => a.href)"


@pytest.fixture
def busy(world: Any, alice: Any, bob: Any, sam: Any, dana: Any) -> Any:
    """A desk with something of everything."""
    done = alice.reports("Labels were empty")
    bob.acknowledges(done)
    bob.presses_button("notice", done, page=str(StatusPage.objects.get(slug="status").pk))
    bob.presses_button("resolve", done, summary="The old template is back.")
    dana.post(f"/console/reports/draft/{done.pk}/", {})
    alice.confirms(done)
    held = alice.reports("Stock is a day old", impact="significant")
    bob.acknowledges(held)
    bob.presses_button("hold", held, kind="customer", question="May we run the import again?")
    sam.reports("Invoices cannot be exported")
    alice.reports("Checkout is down")
    world.advance(minutes=4)
    return world


def crawl(page: Page, start: str) -> list[str]:
    """Follow every link on this host, once a path; returns the paths that were read."""
    page.goto(start)
    host = urlsplit(page.url).netloc
    waiting, seen = [start], {start}
    read = []
    while waiting:
        path = waiting.pop(0)
        answer = page.goto(path)
        assert answer is not None
        assert answer.status == 200, f"{path}: {answer.status}"
        assert page.evaluate(_SPREAD_PX) <= 0, f"{path} scrolls sideways"
        read.append(path)
        for address in page.evaluate(_LINKS):
            parts = urlsplit(address)
            if parts.path.startswith(_ONE_WILL_DO) and sum(path.startswith(_ONE_WILL_DO) for path in seen) > 2:
                continue
            is_page = not parts.path.startswith(_OTHERS) and not parts.path.endswith(_FILES)
            if parts.netloc == host and is_page and parts.path not in seen:
                seen.add(parts.path)
                waiting.append(parts.path)
        assert len(read) <= _MOST_PAGES, "\n".join(read)
    return read


@pytest.mark.parametrize(
    ("who", "start", "must"),
    [
        ("bob", "/console/", {"/console/declare/", "/console/customers/acme/", "/console/on-call/"}),
        ("dana", "/console/", {"/console/reports/", "/accounts/settings/", "/accounts/2fa/"}),
        ("alice", "/portal/", {"/portal/plan/", "/portal/report/", "/portal/reports/", "/status/status/"}),
        ("sam", "/portal/", {"/portal/plan/", "/portal/incidents/"}),
        ("", "/accounts/login/", {"/accounts/login/"}),
        ("", "/status/status/", {"/status/status/"}),
    ],
)  # fmt: skip
def test_every_page_answers_fits_a_phone_and_keeps_the_policy(
    enter: Enter, busy: Any, who: str, start: str, must: set[str]
) -> None:
    assert must <= set(crawl(enter(who, **PHONE), start))


def test_the_back_office_and_the_reports_keep_the_policy(enter: Enter, busy: Any, dana: Any) -> None:
    report = PostIncidentReport.objects.get()
    page = enter("dana")
    for path in ("/admin/", f"/console/reports/{report.pk}/"):
        answer = page.goto(path)
        assert answer is not None
        assert answer.status == 200

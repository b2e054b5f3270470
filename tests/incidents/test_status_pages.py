"""Status pages: who may read them in which form, what they say, who hears of it, and the copy on disk."""

from __future__ import annotations

import json
import re
from datetime import UTC, date, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import pytest
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.db import Error, transaction
from django.test import Client
from django.urls import resolve
from hypothesis import given, settings
from hypothesis import strategies as st
from icalendar import Calendar

from incidents import actions
from incidents.models import Component, ComponentState, Notice, StatusPage, StatusReader, Subscriber
from incidents.status_pages import health, subscribing, urls, written
from incidents.status_pages.health import Change, Part
from supportdesk.errors import Invalid, NotAllowed
from supportdesk.integrations import status_hooks
from supportdesk.organizations.models import Organization
from supportdesk.queue.models import Delivery
from tests.cast import Person, World
from tests.fakes.server import FakeVendor, Reaction, Seen

FORMS = (
    "", "status.json", "feed.rss", "feed.atom", "maintenance.ics", "badge.svg", "history/", "history/2026-11/",
    "subscribe/",
)  # fmt: skip
SECRET = "Acme vault"
T = datetime(2026, 11, 29, 8, tzinfo=UTC)


@pytest.fixture(autouse=True)
def nobody_asked_yet() -> None:
    """The limits of the forms count from here."""
    cache.clear()


@pytest.fixture
def page(world: World) -> StatusPage:
    return StatusPage.objects.get()


@pytest.fixture
def vault(world: World, bob: Person) -> StatusPage:
    """A private page of Acme's with a component, a notice, maintenance ahead, a reader and a history."""
    made = StatusPage.objects.create(
        slug="vault", name=SECRET, is_public=False, organization=Organization.objects.get(slug="acme")
    )
    part = Component.objects.create(page=made, name=f"{SECRET} door")
    StatusReader.objects.create(page=made, email="zoe@elsewhere.example")
    _plan(bob, made, [part.pk], title=f"{SECRET} is oiled", text=f"{SECRET} stays shut.")
    return made


def _plan(bob: Person, page: StatusPage, parts: list[int], title: str = "New disks", **more: Any) -> Notice:
    at = more.pop("starts_at", bob.world.now + timedelta(hours=1))
    return actions.plan_maintenance(
        page.pk,
        actor=bob.user.actor("console"),
        title=title,
        text=more.pop("text", "Checkout answers slowly for an hour."),
        components=parts,
        starts_at=at,
        ends_at=more.pop("ends_at", at + timedelta(hours=1)),
        **more,
    )


def _part(name: str) -> Component:
    return Component.objects.get(name=name)


def _subscribe(page: StatusPage, world: World, **given: Any) -> Any:
    answer = Client().post(f"/status/{page.slug}/subscribe/", given)
    world.settle()
    return answer


def _link_in(text: str, what: str) -> str:
    found = re.search(rf"http://testserver(/status/~{what}/\S+/)", text)
    assert found, text
    return found[1]


def _mails_to(world: World, address: str) -> list[str]:
    return [f"{mail.subject}\n{mail.part('plain')}" for mail in world.fakes.smtp.to(address)]


# --- private pages (S24) ---------------------------------------------------------------------------------------------
def test_an_anonymous_crawl_of_a_private_page_yields_nothing(vault: StatusPage, tmp_path: Path, settings: Any) -> None:
    stranger = Client()
    for form in FORMS:
        answer = stranger.get(f"/status/vault/{form}")
        never_made = stranger.get(f"/status/never-made/{form}")
        assert answer.status_code == 404, form
        assert answer.content.replace(b"vault", b"") == never_made.content.replace(b"never-made", b""), form
        assert "Acme" not in answer.content.decode(), form
        assert answer["Cache-Control"] == "no-store"
        assert stranger.head(f"/status/vault/{form}").status_code == 404
    for form in ("", "status.json", "subscribe/"):
        assert stranger.get(f"/status/vault/{form}?key=forged").status_code == 404
        assert stranger.post(f"/status/vault/{form}", {"channel": "email", "address": "a@b.example"}).status_code in (
            404,
            405,
        )
    assert not Subscriber.objects.exists()
    for form in FORMS:
        assert "Acme" not in stranger.get(f"/status/status/{form}").content.decode()
    files = written.write_all(tmp_path, T)
    assert files
    assert not any(b"Acme" in path.read_bytes() for path in files)
    assert not any("vault" in str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*"))


def test_the_crawl_knows_every_form_there_is() -> None:
    of_one_page = {pattern.name for pattern in urls.status_patterns if "slug" in pattern.pattern.converters} | {
        pattern.name for pattern in urls.status_patterns if "slug" in str(pattern.pattern)
    }
    assert {resolve(f"/status/vault/{form}").url_name for form in FORMS} == of_one_page


def test_a_page_asks_a_constant_number_of_questions(
    page: StatusPage, world: World, bob: Person, django_assert_num_queries: Any
) -> None:
    for number in range(5):
        _plan(bob, page, [_part("Checkout").pk], title=f"Work {number}")
        Component.objects.create(page=page, name=f"Part {number}")
    with django_assert_num_queries(7):
        Client().get("/status/status/")


def test_a_draft_is_posted_with_what_is_affected_as_its_poster_says(
    page: StatusPage, world: World, bob: Person, alice: Person
) -> None:
    incident = alice.reports("Nothing works", service=world.rows.services["checkout"].pk)
    bob.presses_button("notice", incident, page=page.pk)
    draft = Notice.objects.get()
    assert [part.name for part in draft.components.all()] == ["Checkout"], "suggested from the service"
    assert "Which components" in bob.reads("/console/status/")
    elsewhere = Component.objects.create(page=StatusPage.objects.create(slug="x", name="X"), name="Other")
    said = {"text": "Search is slow.", "state": "identified", "component_state": "degraded_performance"}
    chosen = [_part("Search").pk, elsewhere.pk]
    bob.post(f"/console/status/{draft.pk}/post/", {**said, "asks_components": "1", "components": chosen})
    body = Client().get("/status/status/status.json").json()
    assert body["notices"][0]["components"] == ["Search"]
    assert {part["name"]: part["status"] for part in body["components"]}["Checkout"] == "operational"
    elsewhere.refresh_from_db()
    assert elsewhere.state == "operational"


def test_a_private_page_is_read_by_its_people_and_staff_and_nobody_elses(
    vault: StatusPage, alice: Person, bob: Person, mallory: Person, sam: Person
) -> None:
    for form in FORMS:
        for reader in (alice, bob):
            answer = reader.client.get(f"/status/vault/{form}")
            assert answer.status_code == 200, (reader, form)
            assert answer["Cache-Control"] == "private, no-store"
            assert "Cookie" in answer["Vary"]
        outsiders = [one for one in (sam, mallory) if one.user.contact.organization.slug != "acme"]
        assert outsiders
        for one in outsiders:
            assert one.client.get(f"/status/vault/{form}").status_code == 404, (one, form)
    assert SECRET in alice.reads("/status/vault/")


def test_a_contact_who_left_and_staff_without_a_second_factor_read_nothing(
    vault: StatusPage, alice: Person, bob: Person, settings: Any
) -> None:
    alice.user.contact.is_active = False
    alice.user.contact.save()
    assert alice.client.get("/status/vault/").status_code == 404
    settings.STAFF_SECOND_FACTOR = True
    assert bob.client.get("/status/vault/").status_code == 404


def test_an_audience_of_several_organizations_reads_the_page(vault: StatusPage, sam: Person) -> None:
    assert sam.client.get("/status/vault/").status_code == 404
    vault.audience.add(sam.user.contact.organization)
    assert SECRET in sam.reads("/status/vault/")


def test_the_portal_leads_to_the_private_pages_of_its_organization(
    vault: StatusPage, alice: Person, sam: Person
) -> None:
    assert 'href="/status/vault/"' in alice.client.get("/portal/").content.decode()
    assert "vault" not in sam.client.get("/portal/").content.decode()
    vault.audience.add(sam.user.contact.organization)
    assert 'href="/status/vault/"' in sam.client.get("/portal/").content.decode()


def test_a_listed_address_gets_a_link_that_opens_the_page_until_it_is_taken_off(
    vault: StatusPage, world: World
) -> None:
    answers = set()
    for address in ("zoe@elsewhere.example", "mallory@elsewhere.example"):
        answer = Client().post("/status/~link/", {"email": address})
        assert answer.status_code == 200
        answers.add(re.sub(r"nonce=\S+|csrf\S+|value=\S+", "", answer.content.decode()))
        world.settle()
    assert len(answers) == 1, "the answer tells who is on the list"
    assert not _mails_to(world, "mallory@elsewhere.example")
    (mail,) = _mails_to(world, "zoe@elsewhere.example")
    browser = Client()
    opened = browser.get(_link_in(mail, "open"), follow=True)
    assert SECRET in opened.content.decode()
    assert opened["Cache-Control"] == "private, no-store"
    feed = re.search(r'href="(/status/vault/feed\.rss\?key=[^"]+)"', opened.content.decode())
    assert feed
    assert Client().get(feed[1]).status_code == 200
    assert Client().get(feed[1].replace("vault", "status")).status_code == 200
    StatusReader.objects.all().delete()
    assert browser.get("/status/vault/").status_code == 404
    assert Client().get(feed[1]).status_code == 404
    assert Client().get(_link_in(mail, "open")).status_code == 404


def test_a_link_to_one_private_page_opens_no_other(vault: StatusPage, world: World) -> None:
    StatusPage.objects.create(slug="other", name="Other", is_public=False)
    Client().post("/status/~link/", {"email": "ZOE@elsewhere.example"})
    world.settle()
    browser = Client()
    browser.get(_link_in(_mails_to(world, "zoe@elsewhere.example")[0], "open"))
    assert browser.get("/status/vault/").status_code == 200
    assert browser.get("/status/other/").status_code == 404


def test_a_public_page_says_nothing_of_who_reads_it(page: StatusPage, alice: Person, bob: Person) -> None:
    html = bob.client.get("/status/status/").content.decode()
    assert "desk-live" not in html
    assert bob.user.name not in html
    assert html == alice.client.get("/status/status/").content.decode()


# --- components ------------------------------------------------------------------------------------------------------
def test_what_depends_on_something_broken_is_shown_as_affected(page: StatusPage, world: World, bob: Person) -> None:
    checkout, search, billing = (_part(name) for name in ("Checkout", "Search", "Billing export"))
    search.depends_on.add(checkout)
    billing.depends_on.add(search)
    Component.objects.filter(pk=billing.pk).update(follows=False)
    elsewhere = StatusPage.objects.create(slug="other", name="Other", is_public=False)
    hidden = Component.objects.create(page=elsewhere, name="Acme's cellar", state="major_outage")
    search.depends_on.add(hidden)
    notice = Notice.objects.create(page=page, title="Slow", starts_at=world.now)
    notice.components.add(checkout)
    said = {"actor": bob.user.actor("console"), "text": "It is slow.", "state": "identified"}
    actions.post_notice(notice.pk, component_state="partial_outage", **said)
    body = Client().get("/status/status/status.json").json()
    parts = {part["name"]: (part["status"], part["affected_by"]) for part in body["components"]}
    assert parts["Search"] == ("partial_outage", ["Checkout"])
    assert parts["Billing export"] == ("operational", ["Checkout"])
    html = Client().get("/status/status/").content.decode()
    assert "Affected by Checkout" in html
    assert "cellar" not in html


def test_the_history_of_a_component_is_written_once(page: StatusPage, world: World, bob: Person) -> None:
    _plan(bob, page, [_part("Checkout").pk])
    world.advance(hours=3)
    rows = list(ComponentState.objects.values_list("state", flat=True))
    assert rows == ["under_maintenance", "operational"]
    with pytest.raises(Error, match="append-only"), transaction.atomic():
        ComponentState.objects.update(state="operational")
    with pytest.raises(Error, match="append-only"), transaction.atomic():
        ComponentState.objects.all()._raw_delete("default")


def test_uptime_counts_outages_and_not_planned_work() -> None:
    since, now = T - timedelta(days=10), T
    changes = [
        Change(T - timedelta(days=5), "major_outage"),
        Change(T - timedelta(days=4), "operational"),
        Change(T - timedelta(days=2), "under_maintenance"),
        Change(T - timedelta(days=1), "degraded_performance"),
    ]
    assert health.uptime(changes, since, now, timedelta(days=90)) == pytest.approx(0.9)
    bars = health.days(changes, since, now, ZoneInfo("Europe/Berlin"))
    by_day = {bar.day: bar for bar in bars}
    assert len(bars) == 90
    assert bars[0].state == "unknown"
    assert bars[-1].day == date(2026, 11, 29)
    assert by_day[date(2026, 11, 24)].down == timedelta(hours=15)  # from 09:00 in Berlin
    assert by_day[date(2026, 11, 25)].down == timedelta(hours=9)
    assert by_day[date(2026, 11, 26)].state == "operational"
    assert by_day[date(2026, 11, 28)].state == "degraded_performance"


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 100 * 24), st.sampled_from(health.WORST_FIRST[:-1])), max_size=8),
    st.integers(0, 120 * 24),
)
def test_days_and_uptime_agree(steps: list[tuple[int, str]], age: int) -> None:
    since = T - timedelta(hours=age)
    changes = [Change(T - timedelta(hours=hours), state) for hours, state in sorted(steps, reverse=True) if hours < age]
    bars = health.days(changes, since, T, ZoneInfo("UTC"))
    share = health.uptime(changes, since, T, timedelta(days=89, hours=8))  # ninety bars, today until eight
    assert all(timedelta() <= bar.down <= timedelta(hours=24) for bar in bars)
    if share is None:
        assert all(bar.state == "unknown" for bar in bars)
    else:
        watched = T - max(since, T - timedelta(days=89, hours=8))
        assert sum((bar.down for bar in bars), timedelta()) / watched == pytest.approx(1 - share)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(health.WORST_FIRST[:-1]), st.sets(st.integers(0, 5), max_size=3), st.booleans()),
        min_size=1,
        max_size=6,
    )
)
def test_nothing_is_shown_better_than_it_is_and_circles_end(rows: list[tuple[str, set[int], bool]]) -> None:
    parts = {n: Part(state, tuple(sorted(needs)), follows) for n, (state, needs, follows) in enumerate(rows)}
    for key, seen in health.shown(parts).items():
        assert health.WORST_FIRST.index(seen.state) <= health.WORST_FIRST.index(parts[key].state)
        assert seen.state in {part.state for part in parts.values()}
        assert key not in seen.affected_by


def test_the_badge_and_the_feeds_say_how_it_is(page: StatusPage, world: World, bob: Person) -> None:
    _plan(bob, page, [_part("Checkout").pk], title="New disks & cables")
    assert "operational" in Client().get("/status/status/badge.svg").content.decode()
    world.advance(minutes=61)
    badge = Client().get("/status/status/badge.svg")
    assert (badge["Content-Type"], "maintenance" in badge.content.decode()) == ("image/svg+xml", True)
    rss, atom = (Client().get(f"/status/status/feed.{form}").content.decode() for form in ("rss", "atom"))
    assert "New disks &amp; cables (in progress)" in rss
    assert "http://testserver/status/status/#notice-" in atom
    (event,) = Calendar.from_ical(Client().get("/status/status/maintenance.ics").content).walk("VEVENT")
    assert (event["dtend"].dt - event["dtstart"].dt) == timedelta(hours=1)
    assert str(event["summary"]) == "New disks & cables"


def test_the_past_is_read_by_months(page: StatusPage, world: World, bob: Person) -> None:
    _plan(bob, page, [_part("Checkout").pk])
    world.advance(days=5)
    now = Client().get("/status/status/history/").content.decode()
    assert "December 2026" in now
    assert "Nothing happened in this month." in now
    before = Client().get("/status/status/history/2026-11/").content.decode()
    assert "New disks" in before
    for unknown in ("2026-10", "2027-01", "2026-13", "0000-00"):
        assert Client().get(f"/status/status/history/{unknown}/").status_code == 404


# --- maintenance -----------------------------------------------------------------------------------------------------
def test_maintenance_begins_and_ends_by_itself(page: StatusPage, world: World, bob: Person) -> None:
    notice = _plan(bob, page, [_part("Checkout").pk])
    assert "Planned" in Client().get("/status/status/").content.decode()
    assert _part("Checkout").state == "operational"
    world.advance(minutes=60)
    assert _part("Checkout").state == "under_maintenance"
    assert Client().get("/status/status/status.json").json()["headline"] == "Maintenance is under way"
    world.advance(minutes=60)
    assert _part("Checkout").state == "operational"
    notice.refresh_from_db()
    assert (notice.state, notice.updates.count()) == ("completed", 3)


def test_maintenance_hides_no_outage_and_ends_none(page: StatusPage, world: World, bob: Person) -> None:
    checkout = _part("Checkout")
    _plan(bob, page, [checkout.pk])
    trouble = Notice.objects.create(page=page, title="Down", starts_at=world.now)
    trouble.components.add(checkout)
    said = {"actor": bob.user.actor("console"), "text": "We are on it."}
    actions.post_notice(trouble.pk, state="investigating", component_state="major_outage", **said)
    world.advance(minutes=70)
    assert _part("Checkout").state == "major_outage"
    actions.post_notice(trouble.pk, state="resolved", **said)
    assert _part("Checkout").state == "under_maintenance"
    world.advance(minutes=60)
    assert _part("Checkout").state == "operational"


def test_maintenance_is_moved_and_called_off(page: StatusPage, world: World, bob: Person, alice: Person) -> None:
    actor = bob.user.actor("console")
    notice = _plan(bob, page, [_part("Checkout").pk])
    later = world.now + timedelta(hours=5)
    actions.move_maintenance(notice.pk, actor=actor, starts_at=later, ends_at=later + timedelta(hours=1))
    world.advance(hours=3)
    assert _part("Checkout").state == "operational"
    actions.call_off_maintenance(notice.pk, actor=actor)
    world.advance(hours=3)
    notice.refresh_from_db()
    assert (notice.state, _part("Checkout").state) == ("completed", "operational")
    (event,) = Calendar.from_ical(Client().get("/status/status/maintenance.ics").content).walk("VEVENT")
    assert event["status"] == "CANCELLED"
    with pytest.raises(NotAllowed):
        _plan(alice, page, [_part("Checkout").pk])
    with pytest.raises(Invalid, match="end after it begins"):
        _plan(bob, page, [_part("Checkout").pk], ends_at=world.now)


def test_maintenance_is_planned_in_the_console(page: StatusPage, world: World, bob: Person, alice: Person) -> None:
    assert alice.client.get("/console/status/plan/").status_code == 404
    assert "Plan maintenance" in bob.reads("/console/status/plan/")
    given = {
        "page": page.pk,
        "title": "New disks",
        "text": "Slow for an hour.",
        "starts_at": "2026-11-29T12:00",
        "ends_at": "2026-11-29T13:00",
        "components": [_part("Checkout").pk],
    }
    bob.post("/console/status/plan/", given)
    notice = Notice.objects.get()
    assert notice.starts_at.astimezone(ZoneInfo(bob.user.time_zone)).hour == 12
    bob.post(f"/console/status/{notice.pk}/move/", {"ends_at": "2026-11-29T14:00"})
    notice.refresh_from_db()
    assert notice.ends_at.astimezone(ZoneInfo(bob.user.time_zone)).hour == 14
    bob.post(f"/console/status/{notice.pk}/call-off/", {"text": "Not today."})
    assert "Not today." in Client().get("/status/status/").content.decode()


# --- subscribers -----------------------------------------------------------------------------------------------------
def test_a_subscriber_counts_once_the_address_said_yes_and_until_it_says_no(
    page: StatusPage, world: World, bob: Person
) -> None:
    checkout = _part("Checkout")
    _subscribe(page, world, channel="email", address="Zoe@Elsewhere.example", components=[checkout.pk])
    (asked,) = _mails_to(world, "zoe@elsewhere.example")
    assert "about Checkout" in asked
    _plan(bob, page, [checkout.pk])
    world.settle()
    assert len(_mails_to(world, "zoe@elsewhere.example")) == 1, "told before it said yes"
    link = _link_in(asked, "confirm")
    assert Client().get(link).status_code == 200
    assert Subscriber.objects.get().confirmed_at is None, "looking is not saying yes"
    assert Client().post(link).status_code == 200
    world.advance(minutes=61)
    told = _mails_to(world, "zoe@elsewhere.example")[1:]
    assert len(told) == 1
    assert "New disks has begun." in told[0]
    _plan(bob, page, [_part("Search").pk], title="Search is moved")
    world.settle()
    assert len(_mails_to(world, "zoe@elsewhere.example")) == 2, "told of what was not chosen"
    stop = _link_in(told[0], "stop")
    assert stop in re.sub(r"\s", "", world.fakes.smtp.to("zoe@elsewhere.example")[-1].message["List-Unsubscribe"])
    assert Client().get(stop).status_code == 200
    assert Subscriber.objects.exists(), "looking is not saying no"
    assert Client(enforce_csrf_checks=True).post(stop, {"List-Unsubscribe": "One-Click"}).status_code == 200
    assert not Subscriber.objects.exists()
    world.advance(hours=2)
    assert len(_mails_to(world, "zoe@elsewhere.example")) == 2
    assert Client().post(link).status_code == 404
    assert {d.lane for d in Delivery.objects.filter(kind__startswith="status_")} == {"bulk"}


def test_the_form_answers_alike_whether_an_address_is_known(page: StatusPage, world: World) -> None:
    given = {"channel": "email", "address": "zoe@elsewhere.example"}
    first = _subscribe(page, world, **given)
    Client().post(_link_in(_mails_to(world, "zoe@elsewhere.example")[0], "confirm"))
    again = _subscribe(page, world, **given)
    assert (first.status_code, first.content) == (again.status_code, again.content)
    assert len(_mails_to(world, "zoe@elsewhere.example")) == 1, "written to twice in ten minutes"


def test_asking_again_changes_nothing_until_it_is_confirmed(page: StatusPage, world: World) -> None:
    checkout, search = _part("Checkout"), _part("Search")
    _subscribe(page, world, channel="email", address="zoe@elsewhere.example", components=[checkout.pk])
    first = _link_in(_mails_to(world, "zoe@elsewhere.example")[0], "confirm")
    Client().post(first)
    world.advance(minutes=11)
    _subscribe(page, world, channel="email", address="zoe@elsewhere.example", components=[search.pk])
    assert [part.name for part in Subscriber.objects.get().components.all()] == ["Checkout"]
    assert Client().post(first).status_code == 404
    Client().post(_link_in(_mails_to(world, "zoe@elsewhere.example")[1], "confirm"))
    assert [part.name for part in Subscriber.objects.get().components.all()] == ["Search"]


def test_a_stranger_cannot_have_somebody_written_to_for_ever(page: StatusPage, world: World) -> None:
    for _ in range(12):
        cache.clear()
        _subscribe(page, world, channel="email", address="zoe@elsewhere.example")
        world.advance(minutes=10)
    assert len(_mails_to(world, "zoe@elsewhere.example")) == 4  # after 0, 10, 30 and 70 minutes


def test_the_forms_are_rate_limited(page: StatusPage, world: World) -> None:
    codes = [_subscribe(page, world, channel="email", address=f"z{n}@elsewhere.example").status_code for n in range(12)]
    assert codes == [200] * 10 + [429] * 2
    assert Client().post("/status/~link/", {"email": "zoe@elsewhere.example"}).status_code == 429


@pytest.mark.parametrize(
    ("channel", "address", "wrong"),
    [
        ("email", "zoe", "not an e-mail address"),
        ("sms", "12", "country code"),
        ("slack", "https://example.com/hook", "hooks.slack.com"),
        ("webhook", "http://10.0.0.1/x", "private network"),
        ("webhook", "https://user:pw@example.com/", "name or password"),
        ("pigeon", "coo", "Choose one"),
    ],
)
def test_an_address_that_cannot_be_is_refused(page: StatusPage, channel: str, address: str, wrong: str) -> None:
    with pytest.raises(Invalid, match=wrong):
        subscribing.ask(page, channel=channel, address=address, components=[])


def test_a_phone_hears_of_it(page: StatusPage, world: World, bob: Person) -> None:
    _subscribe(page, world, channel="sms", address="+49 30 901820")
    Client().post(_link_in(world.fakes.sms.to("+4930901820")[-1].body, "confirm"))
    _plan(bob, page, [_part("Checkout").pk])
    world.settle()
    told = world.fakes.sms.to("+4930901820")[-1].body
    assert "New disks" in told
    assert "/status/~stop/" in told
    assert len(told) <= 320


def test_an_endpoint_hears_of_it_signed(page: StatusPage, world: World, bob: Person, monkeypatch: Any) -> None:
    address = f"{world.fakes.webhooks.base_url}/events"
    monkeypatch.setattr(world.fakes.webhooks, "secret", status_hooks.secret_of(address))
    _subscribe(page, world, channel="webhook", address=address)
    (asked,) = world.fakes.webhooks.events
    assert asked.type == "status.confirm"
    shown = Client().post(urlsplit(asked.data["link"]).path).content.decode()
    assert status_hooks.secret_of(address) in shown
    _plan(bob, page, [_part("Checkout").pk])
    world.settle()
    told = world.fakes.webhooks.events[-1]
    assert (told.type, told.data["title"], told.data["state"]) == ("status.posted", "New disks", "scheduled")
    assert "/status/~stop/" in told.data["stop"]
    alone = [e for e in world.fakes.webhooks.events if e.type.startswith("incident")]
    assert not alone, "a subscriber's endpoint heard what is ours"


class SlackHook(FakeVendor):
    """An incoming webhook of Slack: takes `{"text": …}`."""

    name = "slack-hook"

    def react(self, seen: Seen) -> Reaction:
        return Reaction(200, "ok")


def test_a_slack_channel_hears_of_it(page: StatusPage, world: World, bob: Person, settings: Any) -> None:
    hook = SlackHook()
    hook.start()
    try:
        settings.VENDOR_BASE_URLS = {**settings.VENDOR_BASE_URLS, "status_hooks": hook.base_url}
        _subscribe(page, world, channel="slack", address="https://hooks.slack.com/services/T1/B1/x")
        Client().post(_link_in(hook.seen[-1].data["text"], "confirm"))
        _plan(bob, page, [_part("Checkout").pk], title="New disks <!channel>")
        world.settle()
        assert hook.seen[-1].path == "/services/T1/B1/x"
        assert "New disks &lt;!channel&gt;" in hook.seen[-1].data["text"]
    finally:
        hook.stop()
        hook.close()


def test_a_right_that_ended_ends_the_news_of_a_private_page(vault: StatusPage, alice: Person, bob: Person) -> None:
    world = alice.world
    alice.client.post("/status/vault/subscribe/", {"channel": "email", "address": "alice@home.example"})
    world.settle()
    alice.client.post(_link_in(_mails_to(world, "alice@home.example")[0], "confirm"))
    world.advance(minutes=61)
    assert len(_mails_to(world, "alice@home.example")) == 2
    alice.user.contact.is_active = False
    alice.user.contact.save()
    world.advance(minutes=61)
    assert len(_mails_to(world, "alice@home.example")) == 2


# --- the copy --------------------------------------------------------------------------------------------------------
def test_public_pages_are_written_to_disk_after_each_change(
    page: StatusPage, world: World, bob: Person, tmp_path: Path, settings: Any
) -> None:
    settings.STATUS_FILES = str(tmp_path)
    _plan(bob, page, [_part("Checkout").pk])
    world.settle()
    home = tmp_path / "status" / "status"
    html = (home / "index.html").read_text()
    assert "New disks" in html
    assert "This is a copy of the page, written 2026-11-29 08:10:00 UTC" in html
    assert json.loads((home / "status.json").read_text())["notices"][0]["status"] == "scheduled"
    for name in ("feed.rss", "feed.atom", "maintenance.ics", "badge.svg", "history/index.html"):
        assert (home / name).read_bytes(), name
    for used in re.findall(r'(?:href|src)="/static/([^"]+)"', html):
        assert (tmp_path / "static" / used).is_file(), used
    for style in (tmp_path / "static" / "css").glob("*.css"):
        for used in re.findall(r"""url\(["']?(?!data:)([^"')]+)""", style.read_text()):
            assert (style.parent / used).is_file(), f"{style.name} names {used}"
    world.advance(minutes=61)
    assert json.loads((home / "status.json").read_text())["status"] == "under_maintenance"
    StatusPage.objects.update(is_public=False)
    world.advance(minutes=60)
    assert not home.exists()


def test_the_files_are_written_by_hand_too(page: StatusPage, tmp_path: Path, settings: Any) -> None:
    with pytest.raises(CommandError, match="not set"):
        call_command("write_status_files")
    settings.STATUS_FILES = str(tmp_path)
    call_command("write_status_files", stdout=StringIO())
    assert "Everything is working" in (tmp_path / "status" / "status" / "index.html").read_text()
    assert not list(tmp_path.rglob(".writing-*"))

"""Frank sleeps in the afternoon: what is not urgent waits for him, what is urgent does not (ESC-15)."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest

from incidents.models import Page
from supportdesk.accounts.models import User
from supportdesk.queue.models import Delivery

AFTERNOON = datetime(2026, 11, 30, 20, tzinfo=UTC)  # 15:00 for Acme and for frank, whose week it is
UP_AGAIN = datetime(2026, 11, 30, 22, tzinfo=UTC)  # 17:00 there
MORNING = datetime(2026, 11, 30, 9, tzinfo=UTC)  # 10:00 for Smallco in Berlin, and for whoever is on call there


@pytest.fixture
def asleep(world: Any, frank: Any) -> Any:
    """Frank, primary of New York, with quiet hours from 14:00 to 17:00 there."""
    set_quiet(frank, time(14), time(17))
    world.until(AFTERNOON)
    return frank


def set_quiet(person: Any, start: time, end: time) -> None:
    User.objects.filter(pk=person.user.pk).update(quiet_from=start, quiet_until=end)


def pages(world: Any, person: Any) -> list[Page]:
    return list(Page.objects.filter(incident=world.incident, user=person.user))


def left(page: Page) -> list[datetime]:
    """When the messages of a page went out."""
    rows = Delivery.objects.filter(key__startswith=page.key_prefix, sent_at__isnull=False)
    return [row.sent_at for row in rows.order_by("sent_at") if row.sent_at]


def small(alice: Any) -> None:
    alice.reports("A typo on the invoice", impact="significant", urgency="high")


def test_a_p3_waits_until_he_is_up_again(world: Any, alice: Any, dana: Any, asleep: Any) -> None:
    small(alice)
    assert world.incident.severity == "P3"
    (page,) = pages(world, asleep)
    assert (page.kept_until, page.state) == (UP_AGAIN, "open")
    assert not asleep.is_paged
    (entry,) = world.timeline("paged")
    assert entry.text == (
        "Paging Frank Ortiz (primary on call): kept until Mon 30 Nov 2026, 17:00 EST (UTC−5), quiet hours."
    )
    assert "Frank Ortiz: kept until 17:00 EST, quiet hours" in dana.reads(f"/console/incidents/{world.incident.pk}/")
    world.until(UP_AGAIN - timedelta(seconds=1))
    assert not asleep.is_paged
    world.until(UP_AGAIN)
    assert asleep.is_paged
    assert set(left(page)) == {UP_AGAIN}


@pytest.mark.parametrize(
    ("impact", "urgency", "severity"), [("widespread", "critical", "P1"), ("significant", "critical", "P2")]
)
def test_what_is_worked_around_the_clock_rings_him_at_once(
    world: Any, alice: Any, asleep: Any, impact: str, urgency: str, severity: str
) -> None:
    alice.reports("Checkout is down", impact=impact, urgency=urgency)
    assert world.incident.severity == severity
    assert asleep.is_paged
    assert [page.kept_until for page in pages(world, asleep)] == [None]


def test_a_p2_that_is_worked_in_business_hours_waits(world: Any, sam: Any, bob: Any, carol: Any) -> None:
    for person in (bob, carol):
        set_quiet(person, time(9), time(11))
    world.until(MORNING)
    sam.reports("Search is slow", impact="significant", urgency="critical")
    assert world.incident.severity == "P2"
    primary = next(person for person in (bob, carol) if pages(world, person))
    assert not primary.is_paged
    world.until(MORNING + timedelta(hours=1))
    assert primary.is_paged


def test_raised_to_p1_meanwhile_he_is_rung_at_once(world: Any, alice: Any, dana: Any, asleep: Any) -> None:
    small(alice)
    world.advance(minutes=10)
    dana.presses_button("severity", severity="P1", reason="It is every invoice, and they go out today.")
    assert world.incident.severity == "P1"
    first, *again = pages(world, asleep)
    assert (first.state, left(first)) == ("stopped", [])
    assert asleep.is_paged
    assert {page.kept_until for page in again} == {None}
    assert min(left(again[0])) == world.now
    asleep.acknowledges()
    world.until(UP_AGAIN + timedelta(minutes=5))
    assert left(first) == []


def test_whoever_takes_it_meanwhile_lets_him_sleep(world: Any, alice: Any, erin: Any, asleep: Any) -> None:
    small(alice)
    erin.acknowledges()
    world.until(UP_AGAIN + timedelta(minutes=5))
    assert not asleep.is_paged
    assert [page.state for page in pages(world, asleep)] == ["stopped"]


def test_several_pages_of_one_night_are_one_in_the_morning(world: Any, alice: Any, dana: Any, asleep: Any) -> None:
    """The fallback manager is paged every hour while nobody answers; who sleeps gets one message, not six."""
    set_quiet(dana, time(21), time(6))
    small(alice)
    world.until(datetime(2026, 12, 1, 4, 59, tzinfo=UTC))  # 05:59 for dana
    kept = pages(world, dana)
    assert len(kept) > 3
    assert not dana.is_paged
    world.advance(minutes=1)
    assert [bool(left(page)) for page in kept] == [True] + [False] * (len(kept) - 1)


def test_whoever_is_called_by_name_is_called_at_any_hour(world: Any, sam: Any, dana: Any) -> None:
    """SLA-14: a promise was missed, and the duty manager hears of it now; only the steps of a policy wait."""
    set_quiet(dana, time(8), time(23))
    world.until(MORNING)
    sam.reports("Search is slow", impact="significant", urgency="critical")
    world.until(datetime.fromisoformat(world.incident.decision["first_response_due"]) + timedelta(minutes=1))
    by_reason = {page.reason: page.kept_until for page in pages(world, dana)}
    assert by_reason["duty_manager"] == datetime(2026, 11, 30, 22, tzinfo=UTC)
    assert by_reason["breach"] is None
    assert dana.is_paged

"""What-if: nobody reported anything, and yet one knows who would be rung when, by what."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest

from incidents.models import Page
from rotations.models import Leave, PolicyRule, Schedule
from rotations.what_if import Answer, Planned, what_if
from supportdesk.accounts.models import User
from supportdesk.errors import Invalid
from supportdesk.organizations.models import Contract, Organization, Service
from supportdesk.queue.models import Delivery

NIGHT = datetime(2026, 11, 29, 8, 20, tzinfo=UTC)  # Sunday 03:20 in New York, 09:20 in Berlin


def ask(slug: str, severity: str = "P1", at: datetime = NIGHT, service: Service | None = None) -> Answer:
    return what_if(Organization.objects.get(slug=slug), severity, at, service)


def rung(answer: Answer) -> list[tuple[str, str]]:
    """Who would be rung, and when after the report; without what is told besides."""
    return [(one.after_in_words, one.who) for one in answer.planned if one.contacts]


def at_step(answer: Answer, step: int) -> list[Planned]:
    return [one for one in answer.planned if one.step == step and one.turn == 1]


def test_acme_on_a_sunday_night(world: Any) -> None:
    """“If Acme reports P1 on Sunday 03:20, who is contacted when, by what?”"""
    answer = ask("acme")
    assert answer.begins_at == NIGHT
    assert answer.decision.first_response_due == NIGHT + timedelta(minutes=10)
    assert "ENT-13" in [reason.rule for reason in answer.decision.reasons]
    assert rung(answer)[:5] == [
        ("T+0:00", "Bob Novak"),
        ("T+3:00", "Carol Jensen"),
        ("T+3:00", "Bob Novak"),
        ("T+6:00", "Dana Petrova"),
        ("T+6:00", "Erin Walsh"),
    ]
    bob = next(one for one in answer.planned if one.who == "Bob Novak")
    assert [(contact.method, contact.at - NIGHT) for contact in bob.contacts][-2:] == [
        ("phone call", timedelta(minutes=1)), ("phone call", timedelta(minutes=2))]  # fmt: skip
    (dana,) = [one for one in at_step(answer, 3) if one.who == "Dana Petrova"]
    assert {contact.method for contact in dana.contacts} == {"phone call"}
    assert "The customer's channel and ours" in [one.who for one in at_step(answer, 1)]
    assert answer.planned[-1].after == timedelta(minutes=30)  # E-01: exhausted
    assert answer.outcome.endswith("the last resort is paged every 5 minutes until somebody does.")


def test_what_is_foretold_is_what_then_happens(world: Any) -> None:
    """The same engine: play the night, and compare every page."""
    world.advance(minutes=10)
    foretold = ask("acme", at=world.now)
    world.people["alice"].reports("Checkout is down")
    start = world.now
    world.advance(minutes=8, seconds=30)  # from nine minutes on the clock has its own reasons to ring a manager
    real = [(page.planned_at - start, page.recipient) for page in Page.objects.order_by("planned_at", "pk")]
    told = [
        (one.after, one.who) for one in foretold.planned
        if (one.contacts or "PagerDuty" in one.why) and one.after < timedelta(minutes=9)
    ]  # fmt: skip
    assert told == real


def test_smallco_waits_until_monday_and_is_paged_then(world: Any) -> None:
    """ENT-6, ENT-8: nobody is woken; at the opening the desk pages."""
    answer = ask("smallco")
    assert answer.begins_at == datetime(2026, 11, 30, 8, tzinfo=UTC)  # Monday 09:00 in Berlin
    assert not answer.decision.pages
    assert answer.planned[0].at == answer.begins_at


def test_a_p4_joins_the_queue(world: Any) -> None:
    answer = ask("acme", "P4", datetime(2026, 11, 30, 15, tzinfo=UTC))
    assert (answer.begins_at, answer.planned) == (None, ())
    assert answer.outcome == "Nobody is paged: P4 joins the queue."


def test_without_a_contract_the_account_manager_is_told(world: Any) -> None:
    """ENT-5."""
    Contract.objects.filter(organization__slug="acme").update(state="terminated")
    answer = ask("acme")
    assert answer.planned == ()
    assert answer.outcome == "Nobody is paged. It is stored and queued, and Dana Petrova is told."


def test_leave_next_week_is_known_today(world: Any) -> None:
    monday = NIGHT + timedelta(days=8)
    primary = rung(ask("acme", at=monday))[0][1]
    user = next(person.user for person in world.people.values() if person.user.name == primary)
    around = {"start": monday - timedelta(hours=1), "end": monday + timedelta(hours=1)}
    Leave.objects.create(user=user, state="approved", **around)
    Schedule.objects.get(slug="platform").touch()
    assert rung(ask("acme", at=monday))[0][1] != primary
    assert rung(ask("acme", at=monday + timedelta(days=1)))[0][1] == primary


def test_a_step_that_finds_nobody_is_trouble_and_the_last_resort_is_rung(world: Any) -> None:
    """ESC-7, D12."""
    Schedule.objects.get(slug="platform").layers.all().delete()
    Schedule.objects.get(slug="platform").touch()
    answer = ask("acme")
    assert [(one.who, one.is_trouble) for one in answer.planned if not one.why.startswith("told")][:2] == [
        ("Nobody", True), ("Dana Petrova", False)]  # fmt: skip


def test_without_a_policy_a_p1_still_reaches_the_last_resort(world: Any) -> None:
    PolicyRule.objects.all().delete()
    answer = ask("acme")
    assert (answer.policy, rung(answer)[0]) == ("Last resort", ("T+0:00", "Dana Petrova"))
    assert "nobody would be paged" in ask("acme", "P3", datetime(2026, 11, 30, 15, tzinfo=UTC)).outcome


def test_asking_leaves_no_trace(world: Any) -> None:
    ask("acme")
    assert not Page.objects.exists()
    assert not Delivery.objects.exists()


def test_somebody_elses_service_does_not_exist(world: Any) -> None:
    with pytest.raises(Invalid, match="no such service"):
        ask("rival", service=Service.objects.get(slug="acme-warehouse"))


def test_the_far_future_is_not_foretold(world: Any) -> None:
    with pytest.raises(Invalid, match="within 800 days"):
        ask("acme", at=NIGHT + timedelta(days=900))


def test_the_page_asks_on_the_customers_clock(world: Any) -> None:
    bob = world.people["bob"]
    assert "What happens?" in bob.reads("/console/what-if/")
    page = bob.reads("/console/what-if/?organization=acme&severity=P1&at=2026-11-29T03:20&clock=theirs&service=")
    assert "paged at once" in page
    assert "03:20 EST there" in page
    assert "Carol Jensen" in page
    assert "Write the time as" in bob.reads("/console/what-if/?organization=acme&severity=P1&at=soon&clock=theirs")
    assert "800 days" in bob.reads("/console/what-if/?organization=acme&severity=P1&at=2040-01-01T00:00&clock=theirs")
    assert "too far" in bob.reads("/console/what-if/?organization=acme&severity=P1&at=9999-12-31T23:59&clock=theirs")


def test_the_api_answers_the_same(world: Any, api: Any) -> None:
    call = api(world.people["bob"])
    said = call.post("what-if/", {"organization": "acme", "severity": "P1", "at": "2026-11-29T03:20:00-05:00"}).json()
    assert said["at"] == said["paging_begins_at"] == "2026-11-29T08:20:00Z"
    assert said["decision"]["pages"] is True
    rings = [planned for planned in said["planned"] if planned["contacts"]]
    assert rings[0]["who"] == "Bob Novak"
    assert rings[0]["contacts"][-1]["method"] == "phone call"
    assert said["policy"] == "P1, around the clock"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"organization": "nobody"}, "organization"),
        ({"severity": "P9"}, "severity"),
        ({"at": "soon"}, "at"),
        ({"service": "nothing"}, "service"),
        ({"service": "acme-warehouse", "organization": "rival"}, "service"),
        ({"until": "later"}, "until"),
    ],
)
def test_the_api_names_what_is_wrong(world: Any, api: Any, change: dict[str, str], field: str) -> None:
    body = {"organization": "acme", "severity": "P1", "at": "2026-11-29T08:20:00Z", **change}
    answer = api(world.people["bob"]).post("what-if/", body)
    assert answer.status_code == 400
    assert [error["field"] for error in answer.json()["errors"]] == [field]


def test_quiet_hours_are_foretold(world: Any) -> None:
    """ESC-15: what waits for the morning is told once, then; a P1 asks nobody's leave."""
    User.objects.filter(email__startswith="frank").update(quiet_from=time(14), quiet_until=time(17))
    afternoon = datetime(2026, 11, 30, 20, tzinfo=UTC)
    frank = next(one for one in ask("acme", "P3", afternoon).planned if one.who == "Frank Ortiz")
    assert frank.why.endswith("kept for the end of their quiet hours")
    assert {contact.at for contact in frank.contacts} == {datetime(2026, 11, 30, 22, tzinfo=UTC)}
    assert not frank.is_trouble
    urgent = next(one for one in ask("acme", "P1", afternoon).planned if one.who == "Frank Ortiz" and one.contacts)
    assert urgent.contacts[0].at <= afternoon + timedelta(minutes=3)

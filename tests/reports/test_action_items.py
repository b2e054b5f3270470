"""What will be done so that it does not happen again: added, given to somebody, ticketed, finished."""

from __future__ import annotations

from datetime import timedelta

import pytest

from reports import actions as reports
from reports.models import ActionItem
from supportdesk import actors
from supportdesk.audit.models import AuditEntry
from supportdesk.integrations.models import Connection

TITLE = "Alarm on slow checkouts"


@pytest.fixture
def report(world, alice, bob):
    alice.reports("Checkout is down")
    bob.acknowledges()
    bob.presses_button("resolve", summary="Rolled back.")
    return reports.draft(world.incident.pk, actor=actors.desk())


@pytest.fixture
def jira(world):
    row = Connection(vendor="jira", name="Jira")
    row.set_values({**world.fakes.values("jira"), "action_item_type": "Task"})
    row.save()
    world.rows.connections["jira"] = row
    world.fakes.hooks(world.hook)
    return world.fakes.jira


def add(person, report, title=TITLE, **more):
    said = {"title": title, "kind": "detect", "owner": "", "due_on": "", **more}
    return person.post(f"/console/reports/{report.pk}/items/", said)


def change(person, item, **said):
    return person.post(f"/console/reports/items/{item.pk}/", said)


def filed(jira):
    """The tickets of action items; the incident has one of its own."""
    summaries = [ticket.fields["summary"] for ticket in jira.tickets.values()]
    return [words for words in summaries if not words.startswith("INC-")]


def publish(world, report, person):
    report.refresh_from_db()
    report.customer_sections = dict.fromkeys(report.customer_sections, "Done and dusted.")
    report.save()
    reports.publish(report.pk, actor=person.user.actor("console"))
    world.settle()


def test_from_the_report_to_a_ticket_to_done(world, jira, report, bob, carol, dana):
    add(bob, report, owner=carol.user.pk, due_on=(world.now + timedelta(days=14)).date().isoformat())
    item = ActionItem.objects.get()
    assert (item.title, item.kind, item.owner, item.status) == (TITLE, "detect", carol.user, "open")
    assert TITLE in bob.reads(f"/console/reports/{report.pk}/")
    world.settle()
    assert not filed(jira)  # nothing is filed from a draft
    publish(world, report, dana)
    item.refresh_from_db()
    assert jira.tickets[item.jira_key].fields["summary"] == TITLE
    change(bob, item, status="done")
    world.settle()
    item.refresh_from_db()
    assert item.status == "done"
    assert jira.tickets[item.jira_key].status == "Done"
    verbs = list(AuditEntry.objects.filter(subject=f"report:{report.pk}").values_list("verb", flat=True))
    assert {"add_action_item", "finish_action_item"} <= set(verbs)


def test_one_that_comes_after_the_report_gets_its_ticket_at_once(world, jira, report, bob, dana):
    publish(world, report, dana)
    add(bob, report)
    world.settle()
    assert filed(jira) == [TITLE]


def test_it_is_given_to_somebody_and_taken_back(world, report, bob, carol):
    add(bob, report)
    item = ActionItem.objects.get()
    change(bob, item, owner=carol.user.pk, due_on="")
    item.refresh_from_db()
    assert item.owner == carol.user
    change(bob, item, status="dropped")
    assert "is dropped" in bob.is_refused(f"/console/reports/items/{item.pk}/", {"owner": bob.user.pk, "due_on": ""})
    change(bob, item, status="open")
    item.refresh_from_db()
    assert (item.status, item.owner) == ("open", carol.user)


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"title": " "}, "What will be done"),
        ({"kind": "blame"}, "It will"),
        ({"due_on": "2020-01-01"}, "That day is over"),
        ({"due_on": "soon"}, "Until"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_added(report, bob, said, words):
    asked = {"title": TITLE, "kind": "detect", "owner": "", "due_on": "", **said}
    assert words in bob.is_refused(f"/console/reports/{report.pk}/items/", asked)
    assert not ActionItem.objects.exists()


def test_a_customer_owns_nothing_and_may_nothing(report, alice, bob):
    assert "Who" in bob.is_refused(
        f"/console/reports/{report.pk}/items/",
        {"title": TITLE, "kind": "detect", "owner": alice.user.pk, "due_on": ""},
    )
    alice.post(f"/console/reports/{report.pk}/items/", {"title": TITLE, "kind": "detect"}, expect=404)
    assert not ActionItem.objects.exists()

"""Other people's systems beside the desk: what they learn, what they tell us, and that no page ever waits for them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils.module_loading import import_string
from django_q.models import OrmQ
from django_q.signing import SignedPackage

from incidents.models import Notice, StatusPage, Subscriber
from reports import actions as reports
from reports.models import ActionItem
from rotations.models import EscalationPolicy
from supportdesk import actors, integrations
from supportdesk.integrations.actions import record_check
from supportdesk.integrations.jira_fields import KNOWN
from supportdesk.integrations.models import Connection
from supportdesk.queue import clock, outbox
from supportdesk.queue.models import Delivery, Lane


@pytest.fixture(autouse=True)
def _unknown_jira():
    KNOWN.forget()


@pytest.fixture
def connect(world):
    """Connect one more vendor, as a manager would in the back office."""

    def connect(vendor, organization=None, **values):
        row = Connection.objects.filter(vendor=vendor, organization=organization).first()
        row = row or Connection(vendor=vendor, name=vendor.title(), organization=organization)
        row.set_values({**row.values, **world.fakes.values(vendor), **values})
        row.save()
        world.rows.connections[vendor] = row
        world.fakes.hooks(world.hook)
        return row

    return connect


@pytest.fixture
def pagerduty_pages(world):
    """PagerDuty is the pager of record: it rings, and we only when it does not (ESC-17)."""
    EscalationPolicy.objects.filter(steps__0__targets__contains=["pagerduty"]).update(pager="pagerduty")


def run_only(lane: str) -> None:
    """Be one cluster for once: what waits on the other lanes goes on waiting."""
    while True:
        clock.tick()
        waiting = OrmQ.objects.filter(key=lane).order_by("pk").first()
        if waiting is None:
            return
        task = SignedPackage.loads(waiting.payload)
        waiting.delete()
        import_string(task["func"])(*task["args"], **task["kwargs"])


# --- the connect flow ------------------------------------------------------------------------------------------------

RECEIPTS = {
    "jira": "Connected to Operations as Support desk.",
    "statuspage": "Connected to the page Acme Status: 2 components, 0 subscribers.",
    "incidentio": "Connected to incident.io as Support desk.",
}


def test_every_vendor_can_be_chosen(dana):
    page = dana.reads("/admin/supportdesk/connection/add/")
    assert [label for _, label in integrations.choices() if label not in page] == []


@pytest.mark.parametrize("vendor", RECEIPTS)
def test_a_manager_connects_a_vendor_presses_test_and_reads_the_receipt(world, dana, vendor):
    asked = {f"v_{name}": value for name, value in world.fakes.values(vendor).items()}
    dana.post(
        f"/admin/supportdesk/connection/add/?vendor={vendor}",
        {"vendor": vendor, "name": "New", "is_enabled": "on", **asked},
    )
    row = Connection.objects.get(vendor=vendor)
    for what in ({"what": "check"}, {"what": "send", "to": "anything"}):
        dana.post(f"/admin/supportdesk/connection/{row.pk}/try/", what)
        world.settle()
    row.refresh_from_db()
    assert row.works
    assert Delivery.objects.get(connection=row).vendor_id == RECEIPTS[vendor]
    page = dana.client.get(f"/admin/supportdesk/connection/{row.pk}/change/").content.decode()
    assert RECEIPTS[vendor] in page
    for secret in (f.name for f in integrations.get(vendor).fields if f.secret):
        assert world.fakes.values(vendor).get(secret, "no such secret") not in page
    assert not getattr(world.fakes, vendor).trouble()


def test_the_test_of_statuspage_counts_readers_there_and_here(world, connect):
    page = StatusPage.objects.filter(organization=None).first()
    for address, yes in (("zoe@elsewhere.example", world.now), ("yan@elsewhere.example", None)):
        Subscriber.objects.create(page=page, channel="email", address=address, asked_at=world.now, confirmed_at=yes)
    world.fakes.statuspage.subscribers = {"s1": "zoe@elsewhere.example", "s2": "xi@elsewhere.example"}
    said = record_check(connect("statuspage"))
    assert "2 components, 2 subscribers. Our own pages have 1 subscribers." in said.words


# --- PagerDuty -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("hears", ["its webhook", "its REST API", "both"])
def test_pagerduty_says_202_and_does_nothing(world, pagerduty_pages, connect, alice, bob, hears):
    world.fakes.pagerduty.opens_incidents = False
    rest = world.fakes.pagerduty.rest_values if hears != "its webhook" else {}
    connect("pagerduty", **rest, **({"webhook_secret": "none"} if hears == "its REST API" else {}))
    alice.reports("Checkout is down")
    assert f"supportdesk-{world.incident.pk}" in world.fakes.pagerduty.alerts
    assert not bob.is_paged
    world.advance(seconds=19)
    assert not bob.is_paged
    world.advance(seconds=1)
    assert bob.is_paged
    assert "no report from the vendor" in world.timeline("pager_failed")[0].text
    assert world.timeline("pager_taken_over")
    world.advance(minutes=1)
    assert bob.phone.rang()


def test_a_pagerduty_we_cannot_hear_is_given_until_step_3(world, pagerduty_pages, connect, alice, bob, carol):
    row = connect("pagerduty")
    row.secrets = ""
    row.set_values({"routing_key": world.fakes.pagerduty.routing_key})
    row.save()
    alice.reports("Checkout is down")
    world.advance(minutes=2)
    assert not bob.is_paged
    world.advance(minutes=10)
    assert world.timeline("pager_taken_over")
    assert bob.is_paged or carol.is_paged


def test_pagerduty_that_takes_nothing_has_twenty_seconds(world, pagerduty_pages, alice, bob):
    for _ in range(4):
        world.fakes.pagerduty.next(status=503)
    alice.reports("Checkout is down")
    world.advance(seconds=20)
    assert bob.is_paged
    assert world.timeline("pager_failed")
    world.advance(minutes=2)


@pytest.mark.parametrize("answers", ["nothing", "503", "400"])
def test_a_watchdog_that_takes_nothing_is_no_failure_of_the_pager(world, alice, bob, answers):
    """ESC-17: as a watchdog PagerDuty only knows of what we page ourselves."""
    from incidents.models import Page

    EscalationPolicy.objects.filter(steps__0__targets__contains=["pagerduty"]).update(pager="internal")
    for _ in range(4 if answers != "nothing" else 0):
        world.fakes.pagerduty.next(status=int(answers))
    world.fakes.pagerduty.opens_incidents = False
    alice.reports("Checkout is down")
    assert bob.is_paged
    world.advance(minutes=2)
    assert Delivery.objects.filter(key__startswith="pagerduty:").exists()
    assert not world.timeline("pager_failed")
    assert not world.timeline("pager_taken_over")
    assert Page.objects.filter(user=bob.user).count() == 1
    world.fakes.pagerduty._script.clear()


def test_pagerduty_that_pages_is_left_to_it_even_if_its_webhook_is_lost(world, pagerduty_pages, connect, alice, bob):
    connect("pagerduty", **world.fakes.pagerduty.rest_values)
    alice.reports("Checkout is down")
    world.advance(seconds=60)
    assert not bob.is_paged
    assert not world.timeline("pager_failed")
    assert Delivery.objects.get(key__startswith="pagerduty:").state == Delivery.State.CONFIRMED


def test_an_acknowledgement_there_whose_webhook_is_lost_is_read(world, connect, alice, bob):
    connect("pagerduty", **world.fakes.pagerduty.rest_values)
    alice.reports("Checkout is down")
    world.fakes.pagerduty.acknowledges(f"supportdesk-{world.incident.pk}", who="Carol Jensen")
    world.advance(seconds=20)
    assert world.incident.acknowledged_name == "Carol Jensen"
    world.advance(minutes=2)
    assert not bob.phone.rang()


def test_notes_go_both_ways_and_do_not_echo(world, connect, alice, bob):
    connect("pagerduty", **world.fakes.pagerduty.rest_values)
    alice.reports("Checkout is down")
    world.advance(seconds=20)
    (theirs,) = world.fakes.pagerduty.incidents
    bob.presses_button("note", text="Looks like the database")
    world.fakes.pagerduty.notes_down(theirs, world.fakes.pagerduty.notes[theirs][0], world.desk)
    world.fakes.pagerduty.notes_down(theirs, "I restart it", world.desk, who="Carol Jensen")
    world.settle()
    assert [(entry.actor, entry.text) for entry in world.timeline("note")] == [
        ("Bob Novak", "Looks like the database"),
        ("Carol Jensen", "I restart it"),
    ]
    assert len(world.fakes.pagerduty.notes[theirs]) == 1


def test_a_well_signed_event_we_cannot_read_is_never_answered_with_4xx(world):
    """Three 4xx in a row, and PagerDuty says nothing for a day."""
    assert world.fakes.pagerduty.post({"event": {"event_type": 7}}, world.desk).status == 503
    assert world.fakes.pagerduty.post({"event": {"event_type": "brand.new", "id": "1"}}, world.desk).status == 202


def test_the_same_event_delivered_twice_happens_once(world, alice):
    alice.reports("Checkout is down")
    for _ in range(2):
        world.fakes.pagerduty.webhook("acknowledged", f"supportdesk-{world.incident.pk}", world.desk, id="same")
        world.settle()
    assert len(world.timeline("acknowledged")) == 1


# --- no page waits for any of them -----------------------------------------------------------------------------------


def test_jira_is_slow(world, connect, monkeypatch, alice, bob):
    connect("jira")
    monkeypatch.setattr(outbox, "SEND_TIMEOUT", 0.2)
    world.fakes.jira.next(hang=1.0)
    alice.reports("Checkout is down")
    assert bob.phone.buzzed()
    assert not world.fakes.jira.tickets
    world.advance(minutes=1)
    assert bob.phone.rang()
    (ticket,) = world.fakes.jira.tickets.values()
    assert ticket.fields["summary"] == f"INC-{world.incident.pk} Checkout is down"


def test_the_paging_path_waits_for_none_of_them(world, connect, alice, bob, monkeypatch):
    """Nobody works on the lane of integrations at all: the phone rings as if they were not there."""
    connect("jira")
    connect("incidentio")
    monkeypatch.setattr(world, "settle", lambda: (run_only(Lane.PAGE), run_only(Lane.SLA)))
    alice.reports("Checkout is down")
    world.advance(minutes=1)
    assert bob.phone.rang()
    others = Delivery.objects.filter(vendor__in=["jira", "incidentio"])
    assert {row.lane for row in others} == {Lane.INTEGRATIONS}
    assert not others.exclude(state=Delivery.State.PENDING).exists()
    assert not world.fakes.jira.seen
    assert not world.fakes.incidentio.seen


def test_slack_is_down(world, alice, bob, carol):
    for _ in range(60):
        world.fakes.slack.next(status=503)
    alice.reports("Checkout is down")
    assert not bob.slack_messages
    assert bob.phone.buzzed()
    world.advance(minutes=1)
    assert bob.phone.rang()
    assert "We have your report" in alice.mail
    world.advance(minutes=3)
    assert carol.is_paged
    bob.presses("4")
    assert world.incident.acknowledged_by == bob.user
    world.fakes.slack.reset()


@pytest.mark.parametrize("detection", ["on", "off"])
def test_voicemail_answered(world, connect, alice, bob, carol, detection):
    """A machine takes the call: with detection it is named at once, without it nobody presses a key."""
    connect("phone", machine_detection=detection)
    alice.reports("Checkout is down")
    world.advance(minutes=1)
    call = bob.phone.calls[-1]
    if detection == "on":
        world.fakes.phone.machine(call, world.desk)
    else:
        world.fakes.phone.silence(call, world.desk)
    world.settle()
    assert len(bob.phone.calls) == 2  # the next way at once, not when its minute comes
    world.fakes.phone.status(call, "completed", world.desk)  # which voicemail says as well
    world.settle()
    assert not world.incident.is_acknowledged
    world.advance(minutes=2)
    assert carol.is_paged
    carol.acknowledges()
    assert world.incident.acknowledged_by == carol.user


# --- Jira ------------------------------------------------------------------------------------------------------------


def test_a_ticket_follows_its_incident_from_the_report_to_the_end(world, connect, alice, bob):
    connect("jira")
    alice.reports("Checkout is down")
    (ticket,) = world.fakes.jira.tickets.values()
    bob.acknowledges()
    assert ticket.status == "In Progress"
    bob.writes("We have found it.")
    bob.presses_button("resolve", summary="Rolled back.")
    assert ticket.status == "Done"
    alice.reopens("Still down")
    assert ticket.status == "In Progress"
    assert len(world.fakes.jira.tickets) == 1
    said = "\n".join(ticket.words)
    assert "We have found it." in said
    assert "Rolled back." in said
    assert next(iter(ticket.links.values()))["title"] == world.incident.ref


def test_what_happens_on_the_ticket_is_told_here(world, connect, alice, bob):
    connect("jira")
    alice.reports("Checkout is down")
    world.fakes.jira.moves("OPS-1", "In Progress", world.desk, who="Bob Novak")
    world.settle()
    assert world.incident.acknowledged_by == bob.user
    world.fakes.jira.comments("OPS-1", "It is the database", world.desk, who="Ana Lima")
    world.fakes.jira.moves("OPS-1", "Done", world.desk)
    world.settle()
    assert [(note.actor, note.text) for note in world.timeline("note")] == [("Ana Lima", "It is the database")]
    assert len(world.timeline("resolve_hint")) == 1
    assert not world.incident.is_resolved
    assert not any("It is the database" in words for words in world.fakes.jira.tickets["OPS-1"].words)


def test_somebody_unknown_who_takes_the_ticket_stops_no_page(world, connect, alice, bob):
    connect("jira")
    alice.reports("Checkout is down")
    world.fakes.jira.moves("OPS-1", "In Progress", world.desk, who="Somebody Else")
    world.settle()
    world.advance(minutes=1)
    assert not world.incident.is_acknowledged
    assert bob.phone.rang()


def test_a_customers_own_jira_hears_nothing_internal_and_its_comments_are_messages(world, connect, alice, bob):
    connect("jira", organization=world.rows.organizations["acme"])
    alice.reports("Checkout is down")
    bob.acknowledges()
    bob.presses_button("note", text="Their admin broke it again")
    bob.writes("We are on it.")
    (ticket,) = world.fakes.jira.tickets.values()
    said = "\n".join(ticket.words)
    assert "We are on it." in said
    assert "broke it again" not in said
    assert "/console/" not in str(ticket.links) + said
    world.fakes.jira.comments("OPS-1", "It started after our deploy", world.desk, who="Alice Moreau")
    world.settle()
    assert world.timeline("message")[-1].text == "It started after our deploy"
    assert len([words for words in ticket.words if "after our deploy" in words]) == 0


def test_a_rivals_incident_never_reaches_acmes_jira(world, connect, mallory):
    connect("jira", organization=world.rows.organizations["acme"])
    mallory.reports("Secret plans are late")
    assert not world.fakes.jira.tickets


def test_a_jira_connected_in_the_middle_gets_its_ticket(world, connect, alice, bob):
    alice.reports("Checkout is down")
    connect("jira")
    bob.acknowledges()
    world.advance(minutes=1)
    (ticket,) = world.fakes.jira.tickets.values()
    assert ticket.status == "In Progress"


def test_what_jira_refuses_is_shown_with_the_field(world, connect, alice):
    row = connect("jira")
    world.fakes.jira.required = "customfield_10099"
    alice.reports("Checkout is down")
    row.refresh_from_db()
    assert row.works is False
    assert "Team (customfield_10099)" in row.check_result


def test_action_items_become_tickets_when_the_report_is_published(world, connect, alice, bob, dana):
    connect("jira", action_item_type="Task")
    alice.reports("Checkout is down")
    bob.acknowledges()
    bob.presses_button("resolve", summary="Rolled back.")
    report = reports.draft(world.incident.pk, actor=actors.desk())
    item = ActionItem.objects.create(report=report, title="Alarm on slow checkouts", kind="detect")
    report.customer_sections = dict.fromkeys(report.customer_sections, "Done and dusted.")
    report.save()
    reports.publish(report.pk, actor=dana.user.actor("console"))
    world.settle()
    item.refresh_from_db()
    assert world.fakes.jira.tickets[item.jira_key].fields["summary"] == "Alarm on slow checkouts"
    world.fakes.jira.moves(item.jira_key, "Done", world.desk)
    world.settle()
    item.refresh_from_db()
    assert item.status == ActionItem.Status.DONE


# --- Statuspage ------------------------------------------------------------------------------------------------------


@pytest.fixture
def notice(world, alice, bob):
    """A notice drafted from alice's incident; returns a function that posts it."""
    alice.reports("Down", service=world.rows.services["checkout"].pk)
    bob.presses_button("notice", page=StatusPage.objects.get().pk)
    found = Notice.objects.get()

    def post(text, state, component_state=""):
        said = {"text": text, "state": state, "component_state": component_state}
        bob.post(f"/console/status/{found.pk}/post/", said)
        world.settle()

    post.notice = found
    return post


def test_what_our_page_says_statuspage_says_too(world, connect, notice):
    connect("statuspage")
    notice("Card payments fail.", "identified", "major_outage")
    (incident,) = world.fakes.statuspage.incidents.values()
    assert (incident["status"], incident["name"]) == ("identified", "Problem with Checkout")
    assert world.fakes.statuspage.components["c1"]["status"] == "major_outage"
    notice("All is well.", "resolved")
    assert incident["status"] == "resolved"
    assert world.fakes.statuspage.components["c1"]["status"] == "operational"
    assert len(incident["incident_updates"]) == 2


def test_our_own_page_does_not_depend_on_it(world, connect, notice, client):
    connect("statuspage")
    for _ in range(20):
        world.fakes.statuspage.next(status=503)
    notice("Card payments fail.", "identified", "major_outage")
    assert "Card payments fail." in client.get("/status/status/").content.decode()
    world.fakes.statuspage.reset()


@pytest.mark.parametrize("kept", ["a customer's page", "a page that is not public"])
def test_a_page_for_few_is_not_published_to_all(world, connect, notice, kept):
    connect("statuspage")
    if kept == "a customer's page":
        StatusPage.objects.update(organization=world.rows.organizations["acme"])
    else:
        StatusPage.objects.update(is_public=False)
    notice("Card payments fail.", "identified")
    assert not world.fakes.statuspage.incidents


def test_planned_work_is_told_beside_pagerdutys_alerts(world, connect, notice):
    connect("statuspage")
    begins = world.now + timedelta(hours=1)
    Notice.objects.update(starts_at=begins, ends_at=begins + timedelta(hours=2))
    notice("We replace the disks.", "scheduled")
    assert not world.fakes.pagerduty.changes
    world.until(begins)  # it begins by itself
    (change,) = world.fakes.pagerduty.changes
    assert change["payload"]["summary"] == "Maintenance begins: Problem with Checkout"


# --- incident.io -----------------------------------------------------------------------------------------------------


def test_an_incident_beside_ours_follows_it(world, connect, alice, bob):
    connect("incidentio")
    alice.reports("Checkout is down")
    (theirs,) = world.fakes.incidentio.incidents.values()
    assert theirs["severity_id"] == "sev-Critical"
    bob.acknowledges()
    assert theirs["incident_role_assignments"][0]["assignee"] == {"email": bob.user.email}
    bob.presses_button("resolve", summary="Rolled back.")
    assert theirs["incident_status"]["category"] == "learning"
    assert set(world.fakes.incidentio.alerts.values()) == {"resolved"}


def test_what_its_people_do_is_read_again_in_any_order(world, connect, alice, carol):
    connect("incidentio")
    alice.reports("Checkout is down")
    (name,) = world.fakes.incidentio.incidents
    world.fakes.incidentio.leads(name, carol.user.email, carol.user.name)
    world.fakes.incidentio.says(name, "It is the database")
    for _ in range(2):  # the same state read twice changes nothing
        world.fakes.incidentio.webhook(name, world.desk)
        world.settle()
    assert world.incident.acknowledged_by == carol.user
    assert [(note.actor, note.text) for note in world.timeline("note")] == [("Carol Jensen", "It is the database")]
    world.fakes.incidentio.ends(name)
    world.fakes.incidentio.webhook(name, world.desk)
    world.settle()
    assert len(world.timeline("resolve_hint")) == 1
    assert not world.incident.is_resolved


def test_an_incident_nobody_here_knows_is_left_alone(world, connect):
    connect("incidentio")
    assert world.fakes.incidentio.webhook("inc-unknown", world.desk).status == 200
    world.settle()
    assert not Delivery.objects.filter(kind="reread").exists()

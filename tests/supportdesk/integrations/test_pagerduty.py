"""PagerDuty as pager of record: events out, what its people did back in. Accepted is not paged."""

from __future__ import annotations

import pytest

from supportdesk.integrations.base import BadPayload, IntegrationError
from tests.supportdesk.integrations.conftest import Door, inbound, page


@pytest.fixture
def pagerduty(connect):
    return connect("pagerduty")


def test_a_page_triggers_one_alert_under_our_key(fakes, pagerduty):
    receipt = pagerduty.send(page(action="trigger"))
    alert = fakes.pagerduty.alerts["INC-42"]
    (event,) = alert.events
    assert alert.status == "triggered"
    assert event["payload"]["summary"] == "P1 Acme: Checkout is down"
    assert event["payload"]["severity"] == "critical"
    assert event["payload"]["source"] == "checkout"
    assert event["payload"]["custom_details"]["text"].startswith("Emergency support.")
    assert event["links"] == [{"href": "https://desk.example/console/incidents/42/", "text": "INC-42"}]
    assert receipt.id == "INC-42"


def test_accepted_is_not_paged(fakes, pagerduty):
    assert pagerduty.send(page(action="trigger")).settled is False
    assert pagerduty.send(page(action="acknowledge")).settled is True


def test_the_same_page_again_updates_the_same_alert(fakes, pagerduty):
    pagerduty.send(page())
    fakes.pagerduty.next(drop="after")
    with pytest.raises(IntegrationError):
        pagerduty.send(page())
    pagerduty.send(page())
    assert list(fakes.pagerduty.alerts) == ["INC-42"]


@pytest.mark.parametrize(("action", "status"), [("acknowledge", "acknowledged"), ("resolve", "resolved")])
def test_what_happens_here_is_told_there(fakes, pagerduty, action, status):
    pagerduty.send(page(action="trigger"))
    pagerduty.send(page(action=action, kind=status))
    assert fakes.pagerduty.alerts["INC-42"].status == status


@pytest.mark.parametrize(
    ("ours", "theirs"), [("P1", "critical"), ("P2", "error"), ("P3", "warning"), ("P4", "info"), ("", "critical")]
)
def test_severities_in_pagerdutys_words(fakes, pagerduty, ours, theirs):
    pagerduty.send(page(facts={"severity": ours}))
    assert fakes.pagerduty.alerts["INC-42"].events[0]["payload"]["severity"] == theirs


def test_the_address_of_a_message_is_its_routing_key(fakes, connect):
    connect("pagerduty", routing_key="W" * 32).send(page(to=fakes.pagerduty.routing_key))
    assert "INC-42" in fakes.pagerduty.alerts


def test_an_address_that_is_no_key_means_the_connections_own(fakes, pagerduty):
    pagerduty.send(page(to="desk"))
    assert fakes.pagerduty.alerts["INC-42"].status == "triggered"


def test_a_token_of_ours_is_not_shown_to_everybody_there(fakes, pagerduty):
    pagerduty.send(page(facts={"service": "checkout", "token": "signed-token-for-bob"}))
    assert "signed-token" not in fakes.pagerduty.seen[0].body.decode()


def test_long_words_are_cut(fakes, pagerduty):
    pagerduty.send(page(subject="x" * 5_000))
    assert len(fakes.pagerduty.alerts["INC-42"].events[0]["payload"]["summary"]) == 1024


@pytest.mark.parametrize("changes", [{"thread": ""}, {"thread": "k" * 256}, {"action": "merge"}])
def test_what_pagerduty_could_not_file_is_not_sent(fakes, pagerduty, changes):
    with pytest.raises(IntegrationError) as caught:
        pagerduty.send(page(**changes))
    assert caught.value.permanent
    assert fakes.pagerduty.seen == []


def test_there_is_no_way_to_check_without_sending(pagerduty):
    with pytest.raises(IntegrationError, match="no way to test"):
        pagerduty.check()


# --- what comes back -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("happened", "verb"),
    [
        ("acknowledged", "acknowledge"),
        ("unacknowledged", "unacknowledge"),
        ("resolved", "resolve_hint"),
        ("triggered", "delivery_status"),
    ],
)
def test_what_people_do_there_is_a_verb_here(fakes, pagerduty, happened, verb):
    door = Door(pagerduty)
    answer = fakes.pagerduty.webhook(happened, "INC-42", door)
    (reply,) = door.replies
    assert answer.status == 202
    assert (reply.verb, reply.subject, reply.sender) == (verb, "INC-42", "PLH1HKV")
    assert reply.data["agent"] == "Carol Backup"


def test_only_triggered_proves_that_somebody_is_being_paged(fakes, pagerduty):
    door = Door(pagerduty)
    fakes.pagerduty.webhook("triggered", "INC-42", door)
    fakes.pagerduty.webhook("acknowledged", "INC-42", door)
    assert [reply.data["final"] for reply in door.replies] == [True, False]


def test_nobody_in_particular_may_have_done_it(fakes, pagerduty):
    door = Door(pagerduty)
    fakes.pagerduty.webhook("resolved", "INC-42", door, agent=None)
    assert door.replies[0].sender == ""


@pytest.mark.parametrize("happened", ["annotated", "reassigned", "escalated", "priority_updated", "invented_tomorrow"])
def test_other_events_are_accepted_and_left_alone(fakes, pagerduty, happened):
    door = Door(pagerduty)
    assert fakes.pagerduty.webhook(happened, "INC-42", door).status == 202
    assert door.replies == []


@pytest.mark.parametrize(
    "event",
    [
        {"event_type": "pagey.ping", "id": "1", "data": {"message": "Hello", "type": "ping"}},
        {"event_type": "service.updated", "id": "1", "agent": None, "client": None, "data": {"type": "service"}},
        {"event_type": "incident.acknowledged", "id": "1", "data": {"incident_key": None}},
        {"event_type": "incident.acknowledged", "id": "1", "data": None},
        {"event_type": "incident.acknowledged", "id": "1"},
    ],
)
def test_events_about_nothing_of_ours_are_accepted_and_left_alone(fakes, pagerduty, event):
    door = Door(pagerduty)
    assert fakes.pagerduty.post({"event": event}, door).status == 202
    assert door.replies == []


def test_details_that_only_help_may_be_anything(fakes, pagerduty):
    door = Door(pagerduty)
    odd = {"incident_key": "INC-42", "status": 7, "id": None, "html_url": ["x"]}
    fakes.pagerduty.post({"event": {"event_type": "incident.acknowledged", "id": "1", "agent": "x", "data": odd}}, door)
    assert door.replies[0].data["status"] == ""


@pytest.mark.parametrize(
    ("body", "field"),
    [({}, "event_type"), ({"event": []}, "event_type"), ({"event": {"event_type": 7}}, "event_type")],
)
def test_a_body_without_an_event_names_what_is_missing(fakes, pagerduty, body, field):
    with pytest.raises(BadPayload) as caught:
        fakes.pagerduty.post(body, Door(pagerduty))
    assert caught.value.field == field


def test_a_body_that_is_no_object_is_refused(fakes, pagerduty):
    for body in (b"", b"7", b"[]", b"{", b"\xff"):
        with pytest.raises(BadPayload):
            pagerduty.receive(inbound("https://desk.example/", body, fakes.pagerduty.signed(body)))


# --- over REST -------------------------------------------------------------------------------------------------------


@pytest.fixture
def account(fakes, connect):
    """A connection with a REST token."""
    return connect("pagerduty", **fakes.pagerduty.rest_values)


def asked(integration) -> list[str]:
    return [reply.verb for reply in integration.send(page(kind="reread", action="read")).replies]


def test_the_check_asks_the_account_and_wakes_nobody(fakes, account):
    assert account.check() == "Connected to PagerDuty. On call there now: Carol Backup."
    assert {seen.method for seen in fakes.pagerduty.seen} == {"GET"}


def test_a_page_is_confirmed_by_reading_its_incident(fakes, account):
    account.send(page(action="trigger"))
    assert asked(account) == ["delivery_status"]


def test_an_acknowledgement_whose_webhook_was_lost_is_read(fakes, account):
    account.send(page(action="trigger"))
    fakes.pagerduty.acknowledges("INC-42")
    assert asked(account) == ["delivery_status", "acknowledge"]


def test_a_pagerduty_that_did_nothing_confirms_nothing(fakes, account):
    fakes.pagerduty.opens_incidents = False
    assert account.send(page(action="trigger")).settled is False
    assert asked(account) == []


def test_notes_and_updates_go_to_the_incident(fakes, account):
    account.send(page(action="trigger"))
    account.send(page(kind="note", action="note", text="Restarting"))
    account.send(page(kind="update", action="status_update", text="Still looking"))
    (incident,) = fakes.pagerduty.incidents
    assert fakes.pagerduty.notes[incident][0].startswith("Restarting")
    assert fakes.pagerduty.status_updates[incident] == ["Still looking"]


def test_a_note_after_a_dead_line_is_not_written_twice(fakes, account):
    account.send(page(action="trigger"))
    note = page(kind="note", action="note", text="Restarting")
    fakes.pagerduty.next(acts=True, path="/incidents")
    fakes.pagerduty.next(drop="after", path="/notes")
    with pytest.raises(IntegrationError) as caught:
        account.send(note)
    assert caught.value.ambiguous
    assert account.find(note) is not None


def test_notes_written_there_come_back_and_ours_do_not(fakes, account):
    door = Door(account)
    account.send(page(action="trigger"))
    account.send(page(kind="note", action="note", text="Restarting"))
    (incident,) = fakes.pagerduty.incidents
    fakes.pagerduty.notes_down(incident, fakes.pagerduty.notes[incident][0], door)
    fakes.pagerduty.notes_down(incident, "On my way", door)
    assert [(reply.verb, reply.subject, reply.text) for reply in door.replies] == [("note", incident, "On my way")]


def test_a_change_is_told_beside_the_alerts(fakes, pagerduty):
    pagerduty.send(page(kind="change", action="change", facts={"at": "2026-11-29T08:00:00+00:00"}))
    (change,) = fakes.pagerduty.changes
    assert change["payload"]["summary"] == "P1 Acme: Checkout is down"


def test_without_a_routing_key_pages_are_opened_over_rest(fakes, connect):
    rest_only = connect("pagerduty", routing_key="", service_id="PSVC", **fakes.pagerduty.rest_values)
    for _ in range(2):
        rest_only.send(page(action="trigger"))
    (incident,) = fakes.pagerduty.incidents.values()
    rest_only.send(page(action="acknowledge"))
    assert incident["status"] == "acknowledged"
    rest_only.send(page(action="resolve"))
    assert incident["status"] == "resolved"


def test_a_token_without_an_address_to_write_as_needs_a_person(fakes, connect):
    with pytest.raises(IntegrationError) as caught:
        connect("pagerduty", api_token="x").send(page(kind="note", action="note"))
    assert caught.value.permanent


def test_a_region_nobody_knows_needs_a_person(connect):
    moon = connect("pagerduty", region="moon")
    moon.base_url = moon.default_base_url
    with pytest.raises(IntegrationError, match="no region 'moon'"):
        moon.send(page(action="trigger"))

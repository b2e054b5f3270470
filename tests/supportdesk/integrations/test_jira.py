"""Jira: one ticket an incident, found again after every doubt, moved and commented both ways."""

from __future__ import annotations

import json

import pytest

from supportdesk.integrations.base import BadPayload, IntegrationError, Receipt
from supportdesk.integrations.jira_fields import KNOWN
from tests.supportdesk.integrations.conftest import Door, inbound, page

TICKET = {"kind": "ticket", "action": "open", "to": "ticket", "thread": "supportdesk-42"}


@pytest.fixture(autouse=True)
def fresh():
    KNOWN.forget()


@pytest.fixture
def jira(connect):
    return connect("jira", field_map="customfield_10010={severity}; customfield_10020=7", priorities="P1=Highest")


def opened(jira) -> Receipt:
    return jira.send(page(**TICKET))


def refusal(call) -> IntegrationError:
    with pytest.raises(IntegrationError) as caught:
        call()
    return caught.value


def test_an_incident_becomes_a_ticket(fakes, jira):
    receipt = opened(jira)
    (ticket,) = fakes.jira.tickets.values()
    assert receipt.id == ticket.key
    assert receipt.detail["url"] == f"https://acme.atlassian.example/browse/{ticket.key}"
    assert ticket.fields["project"] == {"key": "OPS"}
    assert ticket.fields["issuetype"] == {"id": "10002"}
    assert ticket.fields["summary"] == "P1 Acme: Checkout is down"
    assert ticket.fields["description"]["content"][0]["content"][0]["text"].startswith("Emergency support.")
    assert ticket.fields["labels"][0].startswith("supportdesk-42-")


def test_fields_are_filled_as_the_mapping_says_in_the_shape_jira_wants(fakes, jira):
    opened(jira)
    fields = fakes.jira.tickets["OPS-1"].fields
    assert fields["customfield_10010"] == {"value": "P1"}
    assert fields["customfield_10020"] == 7.0
    assert fields["priority"] == {"name": "Highest"}


def test_the_ticket_points_back_at_us(fakes, jira):
    opened(jira)
    (link,) = fakes.jira.tickets["OPS-1"].links.values()
    assert link == {"url": "https://desk.example/console/incidents/42/", "title": "INC-42"}


def test_jira_is_asked_what_it_takes_before_the_first_ticket_and_not_before_the_second(fakes, jira):
    opened(jira)
    asked = [seen.path for seen in fakes.jira.seen if "createmeta" in seen.path]
    jira.send(page(**TICKET | {"thread": "supportdesk-43"}))
    assert len(asked) == 2
    assert [seen.path for seen in fakes.jira.seen if "createmeta" in seen.path] == asked


def test_a_required_field_nobody_fills_is_named_before_anything_is_created(fakes, jira):
    fakes.jira.required = "customfield_10099"
    error = refusal(lambda: opened(jira))
    assert error.permanent
    assert "Team (customfield_10099)" in error.detail
    assert not fakes.jira.tickets


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"field_map": "customfield_1=x"}, "no field customfield_1"),
        ({"field_map": "customfield_10010"}, "not of the form name=value"),
        ({"field_map": "customfield_10010={password}"}, "names 'password'"),
        ({"field_map": "customfield_10020={severity}"}, "takes a number"),
        ({"issue_type": "Epic"}, "no issue type 'Epic'"),
        ({"project": "NOPE"}, "No project could be found"),
        ({"project": 'OPS" OR 1=1'}, "not a project key"),
        ({"site": "acme"}, "needs the site's address"),
    ],
)
def test_a_connection_that_does_not_fit_says_what_is_wrong(connect, values, words):
    broken = connect("jira", **values)
    broken.base_url = broken.base_url if "site" not in values else ""
    error = refusal(lambda: opened(broken))
    assert error.permanent
    assert words in error.detail


def test_what_jira_refuses_is_shown_with_the_names_of_the_fields(fakes, jira):
    opened(jira)
    fakes.jira.required = "customfield_10099"  # since a minute ago: what we know is out of date
    error = refusal(lambda: jira.send(page(**TICKET | {"thread": "supportdesk-43"})))
    assert error.permanent
    assert "customfield_10099: customfield_10099 is required." in error.detail
    assert "Team (customfield_10099)" in refusal(lambda: opened(jira)).detail


def test_after_a_dead_line_the_ticket_is_found_and_no_second_one_made(fakes, jira):
    KNOWN.forget()
    jira.check()
    fakes.jira.next(drop="after", path="/rest/api/3/issue")
    assert refusal(lambda: opened(jira)).ambiguous
    found = jira.find(page(**TICKET))
    assert found is not None
    assert found.id == "OPS-1"
    assert list(fakes.jira.tickets) == ["OPS-1"]
    assert fakes.jira.tickets["OPS-1"].links


def test_a_link_that_failed_is_made_good(fakes, jira):
    fakes.jira.next(status=500, path="remotelink")
    assert refusal(lambda: opened(jira)).ambiguous
    assert jira.find(page(**TICKET)).id == "OPS-1"
    assert fakes.jira.tickets["OPS-1"].links


def test_nothing_is_found_where_nothing_was_made(jira):
    assert jira.find(page(**TICKET)) is None


def test_two_desks_in_one_project_do_not_take_each_others_tickets(fakes, connect):
    ours, theirs = connect("jira"), connect("jira")
    theirs.callback_url = "https://another-desk.example/hooks/jira/other/"
    opened(ours)
    assert theirs.find(page(**TICKET)) is None


def test_what_is_said_later_is_a_comment_that_says_where_it_comes_from(fakes, jira):
    receipt = opened(jira)
    jira.send(page(kind="update", text="We found it.", thread="supportdesk-42"), receipt)
    assert fakes.jira.tickets["OPS-1"].words[0].startswith("We found it.")
    assert fakes.jira.tickets["OPS-1"].words[0].endswith("Sent by the desk for INC-42.")


@pytest.mark.parametrize(
    ("kind", "status"),
    [("acknowledged", "In Progress"), ("resolved", "Done"), ("cancelled", "Done"), ("reopened", "In Progress")],
)
def test_the_ticket_moves_along(fakes, jira, kind, status):
    receipt = opened(jira)
    told = jira.send(page(kind=kind, thread="supportdesk-42"), receipt)
    assert fakes.jira.tickets["OPS-1"].status == status
    assert told.detail["status"] == status


def test_a_ticket_that_is_there_already_is_not_moved_again(fakes, jira):
    receipt = opened(jira)
    for _ in range(2):
        jira.send(page(kind="resolved", thread="supportdesk-42"), receipt)
    moves = [seen for seen in fakes.jira.seen if seen.method == "POST" and seen.path.endswith("transitions")]
    assert len(moves) == 1


def test_a_workflow_without_a_way_there_is_said_on_the_receipt(fakes, connect):
    jira = connect("jira", status_done="Shipped")
    told = jira.send(page(kind="resolved", thread="supportdesk-42"), opened(jira))
    assert told.detail["no_way_to"] == "Shipped"
    assert fakes.jira.tickets["OPS-1"].words


def test_a_comment_after_a_dead_line_is_not_written_twice(fakes, jira):
    receipt, update = opened(jira), page(kind="update", text="We found it.", thread="supportdesk-42")
    fakes.jira.next(drop="after", path="/comment")
    assert refusal(lambda: jira.send(update, receipt)).ambiguous
    assert jira.find(update).id == "OPS-1"
    assert len(fakes.jira.tickets["OPS-1"].comments) == 1


def test_an_update_before_its_ticket_waits_for_it(jira):
    error = refusal(lambda: jira.send(page(kind="update", thread="supportdesk-42")))
    assert (error.permanent, error.ambiguous, error.retry_after) == (False, False, 20.0)


def test_somebody_changed_the_ticket_in_the_same_moment(fakes, jira):
    receipt = opened(jira)
    fakes.jira.next(status=409, body={"errorMessages": ["changed"]}, path="transitions")
    assert not refusal(lambda: jira.send(page(kind="resolved", thread="supportdesk-42"), receipt)).permanent


def test_an_action_item_is_a_ticket_whose_key_comes_back(fakes, jira):
    receipt = jira.send(page(kind="action_item", thread="action-item:7", to="ticket"))
    (told,) = receipt.replies
    assert (told.verb, told.subject, told.text) == ("ticketed", "action-item:7", "OPS-1")


def test_the_check_creates_nothing(fakes, jira):
    assert jira.check() == "Connected to Operations as Support desk."
    assert {seen.method for seen in fakes.jira.seen} == {"GET"}


def test_the_test_button_says_the_same(jira):
    assert jira.send(page(kind="test", action="trigger")).id.startswith("Connected to Operations")


# --- what comes back -------------------------------------------------------------------------------------------------


def test_a_comment_is_a_note(fakes, jira):
    door = Door(jira)
    assert fakes.jira.comments("OPS-1", "looking", door).status == 200
    (reply,) = door.replies
    assert (reply.verb, reply.subject, reply.text, reply.data["agent"]) == ("note", "OPS-1", "looking", "Ana Lima")


def test_our_own_comments_do_not_come_back(fakes, jira):
    door = Door(jira)
    jira.send(page(kind="update", thread="supportdesk-42"), opened(jira))
    fakes.jira.comments("OPS-1", fakes.jira.tickets["OPS-1"].words[0], door)
    assert door.replies == []


@pytest.mark.parametrize(("status", "verb"), [("In Progress", "taken"), ("Done", "resolve_hint")])
def test_a_ticket_that_moves_there_is_told_here(fakes, jira, status, verb):
    door = Door(jira)
    fakes.jira.moves("OPS-1", status, door)
    assert [(reply.verb, reply.subject) for reply in door.replies] == [(verb, "OPS-1")]


def test_a_ticket_that_moves_back_is_jiras_business(fakes, jira):
    door = Door(jira)
    fakes.jira.moves("OPS-1", "To Do", door)
    assert door.replies == []


def test_a_repeated_delivery_has_the_same_key(fakes, jira):
    door = Door(jira)
    for _ in range(2):
        fakes.jira.comments("OPS-1", "looking", door, **{"X-Atlassian-Webhook-Identifier": "same"})
    assert len({reply.key for reply in door.replies}) == 1


def test_events_of_other_kinds_are_accepted_and_left_alone(fakes, jira):
    door = Door(jira)
    assert fakes.jira.post({"webhookEvent": "jira:worklog_updated"}, door).status == 200
    assert door.replies == []


@pytest.mark.parametrize(
    ("body", "field"),
    [({}, "webhookEvent"), ({"webhookEvent": "comment_created", "comment": {"body": "x"}}, "issue.key")],
)
def test_a_body_without_what_it_needs_names_the_field(fakes, jira, body, field):
    with pytest.raises(BadPayload) as caught:
        fakes.jira.post(body, Door(jira))
    assert caught.value.field == field


def test_a_body_that_is_no_object_is_refused(fakes, jira):
    for body in (b"", b"7", b"[]", b"{", json.dumps("x").encode()):
        with pytest.raises(BadPayload):
            jira.receive(inbound("https://desk.example/", body, fakes.jira.signed(body)))

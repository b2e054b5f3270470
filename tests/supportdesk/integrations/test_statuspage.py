"""Statuspage: published once, found again after a doubt, and nobody mailed twice."""

from __future__ import annotations

import pytest

from supportdesk.integrations.base import BadPayload, IntegrationError, Receipt
from tests.supportdesk.integrations.conftest import Door, page

FACTS = {
    "state": "investigating",
    "components": [{"name": "checkout", "state": "major_outage"}, {"name": "Billing", "state": "operational"}],
    "starts_at": "2026-11-29T08:00:00+00:00",
    "ends_at": "2026-11-29T20:00:00+00:00",
}


@pytest.fixture
def statuspage(connect):
    return connect("statuspage")


def notice(action: str = "open", text: str = "We are looking into it.", **facts):
    return page(
        kind="notice",
        action=action,
        to="page",
        subject="Problem with Checkout",
        text=text,
        thread="supportdesk-notice-7",
        facts=FACTS | facts,
    )


def refusal(call) -> IntegrationError:
    with pytest.raises(IntegrationError) as caught:
        call()
    return caught.value


def test_a_notice_becomes_an_incident_there(fakes, statuspage):
    receipt = statuspage.send(notice())
    (incident,) = fakes.statuspage.incidents.values()
    assert receipt.id == incident["id"]
    assert receipt.detail["url"] == "https://stspg.io/i1"
    assert (incident["name"], incident["status"]) == ("Problem with Checkout", "investigating")
    assert incident["metadata"] == {"supportdesk": {"key": "supportdesk-notice-7"}}


def test_components_go_along_by_name_and_unknown_ones_are_on_the_receipt(fakes, statuspage):
    receipt = statuspage.send(notice())
    assert fakes.statuspage.components["c1"]["status"] == "major_outage"
    assert receipt.detail["unknown"] == ["Billing"]


def test_an_update_follows_and_the_end_ends_it(fakes, statuspage):
    receipt = statuspage.send(notice())
    statuspage.send(notice("update", "Fixed.", state="resolved"), receipt)
    (incident,) = fakes.statuspage.incidents.values()
    assert incident["status"] == "resolved"
    assert [update["body"] for update in incident["incident_updates"]] == ["Fixed.", "We are looking into it."]


def test_after_a_dead_line_nobody_is_mailed_twice(fakes, statuspage):
    fakes.statuspage.next(acts=True, path="/incidents")  # the look-up before creating
    fakes.statuspage.next(drop="after", path="/incidents")
    assert refusal(lambda: statuspage.send(notice())).ambiguous
    assert statuspage.find(notice()).id == "i1"
    assert fakes.statuspage.mails == 1


def test_the_look_up_before_creating_finds_what_a_dead_line_left(fakes, statuspage):
    first = statuspage.send(notice())
    again = statuspage.send(notice())
    assert again.id == first.id
    assert len(fakes.statuspage.incidents) == 1


def test_what_was_not_said_yet_is_not_found(statuspage):
    statuspage.send(notice())
    assert statuspage.find(notice("update", "Something else.")) is None


def test_an_update_before_its_incident_waits_for_it(statuspage):
    error = refusal(lambda: statuspage.send(notice("update")))
    assert (error.permanent, error.ambiguous, error.retry_after) == (False, False, 20.0)


def test_planned_maintenance_has_its_time(fakes, statuspage):
    statuspage.send(notice(state="scheduled"))
    (incident,) = fakes.statuspage.incidents.values()
    assert (incident["scheduled_for"], incident["scheduled_until"]) == (FACTS["starts_at"], FACTS["ends_at"])


def test_planned_maintenance_without_an_end_says_so(fakes, statuspage):
    error = refusal(lambda: statuspage.send(notice(state="scheduled", ends_at="")))
    assert error.permanent
    assert "beginning and an end" in error.detail


def test_a_state_statuspage_does_not_know_is_not_sent(fakes, statuspage):
    assert refusal(lambda: statuspage.send(notice(state="whatever"))).permanent


def test_subscribers_are_left_alone_where_the_connection_says_so(fakes, connect):
    connect("statuspage", notify="no").send(notice())
    assert fakes.statuspage.mails == 0


def test_a_report_is_written_and_published(fakes, statuspage):
    receipt = statuspage.send(notice())
    statuspage.send(notice("report", "What happened.", state="postmortem"), receipt)
    (incident,) = fakes.statuspage.incidents.values()
    assert (incident["postmortem_body"], incident["status"]) == ("What happened.", "postmortem")


def test_the_check_says_what_is_there(statuspage):
    assert statuspage.check() == "Connected to the page Acme Status: 2 components, 0 subscribers."
    assert statuspage.send(page(kind="test", action="trigger")).id.startswith("Connected to the page")


def test_what_statuspage_says_is_passed_on(fakes, connect):
    error = refusal(lambda: connect("statuspage", api_key="wrong").send(notice(), Receipt("i1")))
    assert "Could not authenticate" in error.detail


# --- what comes back -------------------------------------------------------------------------------------------------


def body(page_id: str = "elsewhere", **incident):
    said = {"id": "i9", "name": "db down", "status": "investigating", "impact": "critical"}
    said |= {"updated_at": "2026-01-01T00:00:00Z", "shortlink": "https://stspg.io/x"}
    return {"page": {"id": page_id}, "incident": said | incident}


def test_another_companys_incident_is_a_signal_that_is_never_critical(fakes, statuspage):
    door = Door(statuspage)
    fakes.statuspage.post(body(), door)
    (reply,) = door.replies
    signal = reply.data["signal"]
    assert (reply.verb, signal["status"], signal["severity"], signal["title"]) == (
        "alert",
        "firing",
        "error",
        "db down",
    )


@pytest.mark.parametrize("status", ["resolved", "completed", "postmortem"])
def test_its_end_ends_the_signal(fakes, statuspage, status):
    door = Door(statuspage)
    fakes.statuspage.post(body(status=status), door)
    assert door.replies[0].data["signal"]["status"] == "resolved"


def test_our_own_page_tells_us_nothing_new(fakes, statuspage):
    door = Door(statuspage)
    assert fakes.statuspage.post(body(page_id="p1"), door).status == 200
    assert door.replies == []


@pytest.mark.parametrize(
    ("wrong", "field"),
    [({"id": None}, "incident.id"), ({"updated_at": "soon"}, "incident.updated_at"), ({"name": 7}, "incident.name")],
)
def test_a_body_that_is_not_as_documented_names_the_field(fakes, statuspage, wrong, field):
    with pytest.raises(BadPayload) as caught:
        fakes.statuspage.post(body(**wrong), Door(statuspage))
    assert caught.value.field == field

"""incident.io: alerts and incidents by our key, and people's doings read again, in whatever order we hear of them."""

from __future__ import annotations

import pytest

from supportdesk.integrations.base import BadPayload, IntegrationError, Receipt
from tests.supportdesk.integrations.conftest import Door, page

OPEN = {"kind": "ticket", "action": "open", "to": "incident", "thread": "supportdesk-42", "facts": {"severity": "P1"}}


@pytest.fixture
def incidentio(connect):
    return connect("incidentio")


def opened(incidentio) -> Receipt:
    return incidentio.send(page(**OPEN))


def later(kind: str, **facts):
    return page(kind=kind, action="update", to="incident", thread="supportdesk-42", facts={"severity": "P1"} | facts)


def refusal(call) -> IntegrationError:
    with pytest.raises(IntegrationError) as caught:
        call()
    return caught.value


def test_an_incident_is_opened_there_and_an_alert_fires(fakes, incidentio):
    receipt = opened(incidentio)
    (incident,) = fakes.incidentio.incidents.values()
    assert receipt.id == incident["id"]
    assert receipt.detail["url"] == "https://app.incident.io/incidents/inc-1"
    assert (incident["name"], incident["severity_id"]) == ("P1 Acme: Checkout is down", "sev-Critical")
    assert fakes.incidentio.alerts == {"supportdesk-42": "firing"}
    assert fakes.incidentio.attachments[0]["resource"]["url"] == "https://desk.example/console/incidents/42/"


def test_after_a_dead_line_the_same_incident_is_opened_again(fakes, incidentio):
    fakes.incidentio.next(drop="after", path="/v2/incidents")
    assert refusal(lambda: opened(incidentio)).ambiguous
    opened(incidentio)
    assert list(fakes.incidentio.incidents) == ["inc-1"]


def test_without_an_alert_source_no_alert_is_sent(fakes, connect):
    opened(connect("incidentio", alert_source=""))
    assert not fakes.incidentio.alerts


def test_a_connection_for_alerts_only_opens_nothing(fakes, connect):
    opened(connect("incidentio", incidents="no"))
    assert fakes.incidentio.alerts
    assert not fakes.incidentio.incidents


@pytest.mark.parametrize(
    ("kind", "category"),
    [("acknowledged", "live"), ("reopened", "live"), ("resolved", "learning"), ("cancelled", "canceled")],
)
def test_what_happens_here_moves_the_incident_there(fakes, incidentio, kind, category):
    incidentio.send(later(kind), opened(incidentio))
    assert fakes.incidentio.incidents["inc-1"]["incident_status"]["category"] == category


def test_the_end_here_ends_the_alert_there(fakes, incidentio):
    incidentio.send(later("resolved"), opened(incidentio))
    assert fakes.incidentio.alerts == {"supportdesk-42": "resolved"}


def test_whoever_has_it_leads_there(fakes, incidentio):
    incidentio.send(later("acknowledged", who_email="bob@desk.example"), opened(incidentio))
    (role,) = fakes.incidentio.incidents["inc-1"]["incident_role_assignments"]
    assert role == {"incident_role_id": "role-lead", "assignee": {"email": "bob@desk.example"}}


def test_severity_and_words_follow(fakes, incidentio):
    receipt = opened(incidentio)
    incidentio.send(later("severity_changed", severity="P2"), receipt)
    incidentio.send(later("update"), receipt)
    incident = fakes.incidentio.incidents["inc-1"]
    assert incident["severity_id"] == "sev-Major"
    assert incident["summary"].startswith("Emergency support.")


def test_an_update_before_its_incident_waits_for_it(incidentio):
    error = refusal(lambda: incidentio.send(later("update")))
    assert (error.permanent, error.ambiguous, error.retry_after) == (False, False, 20.0)


def test_a_severity_nobody_has_there_needs_a_person(connect):
    broken = connect("incidentio", severities="P1=Apocalypse")
    assert refusal(lambda: opened(broken)).permanent
    assert "Apocalypse" in refusal(broken.check).detail


def test_the_check_tells_who_we_are(incidentio):
    assert incidentio.check() == "Connected to incident.io as Support desk."
    assert incidentio.send(page(kind="test", action="trigger")).id.startswith("Connected to incident.io")


# --- what comes back -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "happened",
    [
        "public_incident.incident_created_v2",
        "public_incident.incident_updated_v2",
        "private_incident.incident_created_v2",
        "private_incident.incident_updated_v2",
    ],
)
def test_a_webhook_only_makes_us_look_again(fakes, incidentio, happened):
    door = Door(incidentio)
    assert fakes.incidentio.webhook("inc-1", door, happened).status == 200
    assert [(reply.verb, reply.subject) for reply in door.replies] == [("reread", "inc-1")]


def test_a_changed_status_names_its_incident_deeper(fakes, incidentio):
    door, happened = Door(incidentio), "public_incident.incident_status_updated_v2"
    fakes.incidentio.post({"event_type": happened, happened: {"incident": {"id": "inc-1"}, "message": "x"}}, door)
    assert door.replies[0].subject == "inc-1"


@pytest.mark.parametrize(
    "happened", ["public_incident.follow_up_created_v2", "schedule.shift_change_v1", "new.event_v9"]
)
def test_other_events_are_accepted_and_left_alone(fakes, incidentio, happened):
    door = Door(incidentio)
    assert fakes.incidentio.post({"event_type": happened, happened: {"id": "x"}}, door).status == 200
    assert door.replies == []


def read(incidentio) -> list[tuple[str, str]]:
    receipt = incidentio.send(page(kind="reread", action="read", to="inc-1"))
    return [(reply.verb, reply.text) for reply in receipt.replies]


def test_what_was_said_there_is_read_as_notes(fakes, incidentio):
    opened(incidentio)
    fakes.incidentio.says("inc-1", "Restarting the database")
    assert read(incidentio) == [("note", "Restarting the database")]


def test_each_update_is_told_under_one_key_however_often_it_is_read(fakes, incidentio):
    opened(incidentio)
    fakes.incidentio.says("inc-1", "Restarting")
    keys = [incidentio.send(page(kind="reread", to="inc-1")).replies[0].key for _ in range(2)]
    assert keys[0] == keys[1]


def test_the_order_of_events_does_not_matter_only_what_is_now(fakes, incidentio):
    opened(incidentio)
    fakes.incidentio.ends("inc-1")
    fakes.incidentio.incidents["inc-1"]["incident_status"] = {"category": "live"}  # reopened meanwhile
    assert read(incidentio) == []
    fakes.incidentio.ends("inc-1")
    assert [verb for verb, _ in read(incidentio)] == ["resolve_hint"]


def test_whoever_takes_the_lead_there_is_named_by_address(fakes, incidentio):
    opened(incidentio)
    fakes.incidentio.leads("inc-1", "carol@desk.example", "Carol Jensen")
    (reply,) = incidentio.send(page(kind="reread", to="inc-1")).replies
    assert (reply.verb, reply.data["email"]) == ("taken", "carol@desk.example")


@pytest.mark.parametrize("body", [{}, {"event_type": 7}, {"event_type": "public_incident.incident_updated_v2"}])
def test_a_body_without_an_incident_is_refused(fakes, incidentio, body):
    with pytest.raises(BadPayload):
        fakes.incidentio.post(body, Door(incidentio))

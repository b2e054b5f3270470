"""Step 1: an emergency reaches the desk three ways."""

from __future__ import annotations

import json

from django.test import Client

from incidents.models import Alert, Incident
from supportdesk.web.api.tokens import issue_token


def _api(person, scopes=("read", "report")):
    _, token = issue_token(person.user, "test", list(scopes))
    return {"headers": {"Authorization": f"Bearer {token}"}, "content_type": "application/json"}


def test_alice_reports_in_plain_words_and_never_types_a_severity(world, alice):
    incident = alice.reports(
        "Checkout is down", impact="widespread", urgency="critical", description="502 for everybody"
    )
    assert (incident.severity, incident.source, incident.reporter.name) == ("P1", "customer_portal", "Alice Moreau")
    assert incident.description == "502 for everybody"


def test_a_lost_order_raises_a_small_problem_to_critical(world, alice):
    assert alice.reports("Orders vanish", impact="limited", urgency="normal", data_loss="on").severity == "P1"


def test_pressing_send_twice_makes_one_incident(world, alice):
    data = {"title": "Checkout is down", "impact": 1, "urgency": 1, "request_key": "same-form"}
    first, second = alice.post("/portal/report/", data), alice.post("/portal/report/", data)
    assert first["Location"] == second["Location"]
    assert Incident.objects.count() == 1


def test_an_integrator_reports_through_the_api(world, alice, bob):
    body = {"title": "Checkout is down", "impact": 1, "urgency": 1, "service": "checkout"}
    response = Client().post("/api/v1/incidents/", json.dumps(body), **_api(alice))
    assert response.status_code == 201, response.content
    said = response.json()
    assert (said["severity"], said["organization"], said["service"], said["engagement"]) == (
        "P1",
        "acme",
        "checkout",
        "now",
    )
    assert response["Location"] == f"/api/v1/incidents/{said['id']}/"
    world.settle()
    assert bob.is_paged


def test_the_same_idempotency_key_is_the_same_incident(world, alice):
    body, call = json.dumps({"title": "Down", "impact": 1, "urgency": 1}), _api(alice)
    call["headers"]["Idempotency-Key"] = "k-1"
    ids = {Client().post("/api/v1/incidents/", body, **call).json()["id"] for _ in range(2)}
    assert len(ids) == 1


def test_alertmanager_opens_one_incident_however_often_it_repeats_itself(world, bob):
    for _ in range(3):
        answer = world.fakes.alertmanager.fires("CheckoutDown", world.desk, service="checkout")
        assert answer.status == 202, answer
    world.settle()
    alert = Alert.objects.get()
    assert (alert.count, alert.severity, alert.incident.severity) == (3, "critical", "P2")
    assert bob.is_paged
    assert len(bob.phone.texts) == 1


def test_a_second_alert_of_the_same_service_joins_the_incident(world):
    for name in ("CheckoutDown", "CheckoutSlow"):
        world.fakes.alertmanager.fires(name, world.desk, service="checkout")
    world.settle()
    assert (Alert.objects.count(), Incident.objects.count()) == (2, 1)


def test_a_resolved_alert_is_noted_and_closes_nothing(world):
    world.fakes.alertmanager.fires("CheckoutDown", world.desk, service="checkout")
    world.settle()
    world.advance(minutes=1)
    world.fakes.alertmanager.resolves("CheckoutDown", world.desk, service="checkout")
    world.settle()
    assert Alert.objects.get().status == "resolved"
    assert "No alert is firing any more" in world.timeline("alert_resolved")[0].text
    assert world.incident.is_open


def test_an_unknown_hook_code_is_404(world):
    response = Client().post("/hooks/alertmanager/wrong/", "{}", content_type="application/json")
    assert response.status_code == 404
    assert response["Content-Type"] == "application/problem+json"


def test_bob_records_what_alice_told_him_on_the_phone(world, alice, bob, sam):
    said = {"title": "Checkout is down", "impact": 1, "urgency": 1, "customer": alice.user.contact.organization_id}
    bob.post("/console/declare/", {**said, "reporter": alice.user.contact.pk})
    world.settle()
    assert (world.incident.source, world.incident.reporter.name) == ("staff", "Alice Moreau")
    assert "Checkout is down" in alice.mail
    refused = bob.post("/console/declare/", {**said, "reporter": sam.user.contact.pk}, expect=200)
    assert "belongs to Smallco. Choose that customer." in refused.content.decode()
    assert Incident.objects.count() == 1

"""The API's manners: clear refusals that name the field, and nothing of anybody else's."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.test import Client

from incidents.models import Incident
from supportdesk import instants
from supportdesk.accounts.models import ApiToken
from supportdesk.web.api.tokens import digest, issue_token

GOOD = {"title": "Checkout is down", "impact": 1, "urgency": 1}


def _problem(response, status):
    assert response.status_code == status, response.content
    assert response["Content-Type"].startswith("application/problem+json")
    body = response.json()
    assert body["status"] == status
    assert body["title"]
    return body


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({**GOOD, "title": ""}, "title"),
        ({**GOOD, "title": "x" * 201}, "title"),
        ({**GOOD, "title": ["a"]}, "title"),
        ({**GOOD, "title": {"a": 1}}, "title"),
        ({**GOOD, "title": "a\0b"}, "title"),
        ({**GOOD, "impact": 4}, "impact"),
        ({**GOOD, "impact": "widespread"}, "impact"),
        ({**GOOD, "urgency": None}, "urgency"),
        ({**GOOD, "raisers": ["fire"]}, "raisers"),
        ({**GOOD, "raisers": "data_loss"}, "raisers"),
        ({**GOOD, "severity": "P1"}, "severity"),
        ({**GOOD, "received_at": "2020-01-01T00:00:00Z"}, "received_at"),
        ({**GOOD, "service": "no-such"}, "service"),
        ({**GOOD, "organization": "rival"}, "organization"),
        ({**GOOD, "description": "x" * 20_001}, "description"),
        ({"title": "only a title"}, "impact"),
    ],
)
def test_a_bad_field_is_named_and_nothing_is_stored(api, alice, body, field):
    problem = _problem(api(alice).post("incidents/", body), 400)
    assert field in {error["field"].split("[")[0].split(".")[0] for error in problem["errors"]}, problem
    assert not Incident.objects.exists()


@pytest.mark.parametrize("body", ["{", "", "[1", '{"title": NaN}', b"\xff\xfe", '"text"', "[]", "[" * 100_000])
def test_what_is_not_a_json_object_is_a_clear_400(api, alice, body):
    _problem(api(alice).post("incidents/", body), 400)
    assert not Incident.objects.exists()


def test_another_content_type_is_415(api, alice):
    _problem(api(alice).post("incidents/", "title=x", content_type="application/x-www-form-urlencoded"), 415)


def test_a_body_over_the_limit_is_413(api, alice):
    problem = _problem(api(alice).post("incidents/", {**GOOD, "description": "x" * 1_100_000}), 413)
    assert "1,048,576" in problem["detail"]


def test_a_nul_in_the_address_is_400(api, alice):
    _problem(api(alice).get("incidents/?status=%00"), 400)


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer wrong", "Basic abc", "Bearer sd_"])
def test_without_a_valid_token_it_is_401(world, header):
    response = Client().get("/api/v1/incidents/", headers={"Authorization": header} if header else {})
    _problem(response, 401)


def test_a_token_is_shown_once_and_only_its_digest_is_kept(world, alice):
    row, token = issue_token(alice.user, "ci", ["read"])
    assert token not in str(ApiToken.objects.values())
    assert row.digest == digest(token)
    assert len(token) > 40


def test_a_revoked_token_and_an_expired_one_open_nothing(api, alice):
    caller = api(alice)
    assert caller.get("incidents/").status_code == 200
    ApiToken.objects.update(revoked_at=instants.now())
    _problem(caller.get("incidents/"), 401)
    other = api(alice)
    instants.freeze(instants.now() + timedelta(days=366))
    _problem(other.get("incidents/"), 401)


def test_a_switched_off_account_opens_nothing(api, alice):
    caller = api(alice)
    alice.user.is_active = False
    alice.user.save()
    _problem(caller.get("incidents/"), 401)


def test_a_token_does_only_what_its_scopes_say(api, alice):
    reader = api(alice, scopes=("read",))
    assert reader.get("incidents/").status_code == 200
    _problem(reader.post("incidents/", GOOD), 403)
    _problem(api(alice, scopes=("report",)).get("incidents/"), 403)


def test_a_customer_cannot_operate_whatever_the_token_says(api, alice):
    caller = api(alice)
    pk = caller.post("incidents/", GOOD).json()["id"]
    for verb, body in (
        ("acknowledge", {}),
        ("severity", {"severity": "P4", "reason": "no"}),
        ("resolve", {"text": "done"}),
        ("notes", {"text": "x"}),
    ):
        _problem(caller.post(f"incidents/{pk}/{verb}/", body), 403)


def test_what_is_not_yours_does_not_exist(api, alice, mallory):
    """S3: a foreign id and a missing one look the same."""
    pk = api(alice).post("incidents/", GOOD).json()["id"]
    stranger = api(mallory)
    for path in (f"incidents/{pk}/", f"incidents/{pk}/timeline/"):
        foreign = stranger.get(path)
        missing = stranger.get(path.replace(str(pk), "999999"))
        assert (
            (foreign.status_code, foreign.content) == (missing.status_code, missing.content) == (404, missing.content)
        )
    for verb in ("messages", "confirm", "reopen", "acknowledge"):
        _problem(stranger.post(f"incidents/{pk}/{verb}/", {"text": "hello"}), 404)
    assert stranger.get("incidents/").json()["results"] == []


def test_a_service_of_another_customer_does_not_exist(api, mallory, world):
    assert world.rows.services["acme-warehouse"].organization.slug == "acme"
    problem = _problem(api(mallory).post("incidents/", {**GOOD, "service": "acme-warehouse"}), 400)
    assert problem["errors"][0]["field"] == "service"


def test_cookies_alone_cannot_write(alice):
    """S11: a session needs its CSRF token here too."""
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(alice.user, backend="supportdesk.accounts.backends.RoleBackend")
    response = browser.post("/api/v1/incidents/", json.dumps(GOOD), content_type="application/json")
    assert response.status_code == 403


def test_staff_work_an_incident_through_the_api(api, world, alice, bob):
    alice.reports("Checkout is down")
    caller, pk = api(bob), world.incident.pk
    assert caller.post(f"incidents/{pk}/acknowledge/", {}).json()["acknowledged_name"] == "Bob Novak"
    assert caller.post(f"incidents/{pk}/notes/", {"text": "hm"}).status_code == 200
    assert caller.post(f"incidents/{pk}/updates/", {"state": "Broken.", "doing": "Mending."}).json()[
        "first_response_at"
    ]
    assert caller.post(f"incidents/{pk}/severity/", {"severity": "P2", "reason": "one shop"}).json()["severity"] == "P2"
    assert caller.post(f"incidents/{pk}/hold/", {"kind": "customer", "question": "Which?"}).json()["hold"] == "customer"
    assert caller.post(f"incidents/{pk}/release/", {}).json()["hold"] == "none"
    said = caller.post(f"incidents/{pk}/resolve/", {"text": "Works again."}).json()
    assert (said["status"], said["stage"]) == ("resolved", "resolution")
    assert {c["kind"] for c in said["clocks"]} == {"first_response", "next_update", "resolution"}
    assert api(alice).post(f"incidents/{pk}/confirm/", {}).json()["status"] == "follow_up"


def test_a_verb_that_no_longer_fits_is_409(api, world, alice, bob):
    alice.reports("Checkout is down")
    caller, pk = api(bob), world.incident.pk
    caller.post(f"incidents/{pk}/resolve/", {"text": "Works again."})
    problem = _problem(caller.post(f"incidents/{pk}/updates/", {"state": "a", "doing": "b"}), 409)
    assert "resolved" in problem["detail"]


def test_lists_come_in_pages_of_at_most_100(api, world, alice):
    caller = api(alice)
    for number in range(3):
        caller.post("incidents/", {**GOOD, "title": f"Problem {number}"})
    page = caller.get("incidents/?page_size=2").json()
    assert (page["count"], len(page["results"]), page["results"][0]["title"]) == (3, 2, "Problem 2")
    assert len(caller.get("incidents/?page_size=100000").json()["results"]) == 3
    _problem(caller.get("incidents/?severity=P9"), 400)


def test_every_endpoint_is_described(world):
    schema = Client()
    schema.force_login(world.people["bob"].user, backend="supportdesk.accounts.backends.RoleBackend")
    paths = schema.get("/api/v1/schema/", headers={"Accept": "application/json"}).json()["paths"]
    assert {"/api/v1/incidents/", "/api/v1/incidents/{id}/acknowledge/", "/api/v1/incidents/{id}/timeline/"} <= set(
        paths
    )

"""Customers, plans and contracts over REST: everybody reads what is theirs, managers write, every write is on the
trail."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, transaction

from supportdesk.audit.models import AuditEntry
from supportdesk.organizations.models import BusinessCalendar, Contract, Organization, PlanVersion

ROOMS = ("organizations", "contacts", "contracts", "calendars", "plans")


@pytest.fixture
def manager(api, dana):
    return api(dana, ("read", "manage"))


def _problem(response, status, field=""):
    assert response.status_code == status, response.content
    assert response["Content-Type"].startswith("application/problem+json")
    body = response.json()
    if field:
        assert [error["field"] for error in body["errors"]] == [field], body
    return body["detail"]


def _rows(caller, room, query=""):
    return caller.get(f"{room}/{query}").json()["results"]


# --- reading ---------------------------------------------------------------------------------------------------------


def test_alice_reads_what_is_hers_and_of_others_nothing(api, alice, world):
    caller = api(alice)
    assert [row["slug"] for row in _rows(caller, "organizations")] == ["acme"]
    assert {row["organization"] for row in _rows(caller, "contacts")} == {"acme"}
    assert [(row["plan"], row["holds_as"]) for row in _rows(caller, "contracts")] == [("M", "active")]
    assert [row["code"] for row in _rows(caller, "plans")] == ["M"]
    assert {row["name"] for row in _rows(caller, "calendars")} == {"Business hours", "Extended business hours"}


def test_what_is_for_our_eyes_only_is_not_shown_to_customers(api, alice, bob):
    Organization.objects.filter(slug="acme").update(notes="MARK: never restart the queue")
    assert "MARK" not in api(alice).get("organizations/acme/").content.decode()
    assert api(bob).get("organizations/acme/").json()["notes"].startswith("MARK")


@pytest.mark.parametrize("room", ["organizations", "contacts", "contracts"])
def test_a_foreign_id_and_a_missing_one_look_the_same(api, alice, mallory, room):
    own = _rows(api(alice), room)[0]
    key = own["slug"] if room == "organizations" else own["id"]
    missing = "nobody" if room == "organizations" else 999_999
    stranger = api(mallory, ("read", "manage"))
    for method, body in (("GET", None), ("PATCH", {"name": "Mine now"})):
        foreign, gone = (stranger.call(method, f"{room}/{k}/", body) for k in (key, missing))
        assert (foreign.status_code, foreign.content) == (404, gone.content)
    assert stranger.get("organizations/acme/entitlement/").status_code == 404


def test_the_entitlement_of_an_instant_with_its_reasons(api, alice, world):
    said = api(alice).get("organizations/acme/entitlement/").json()
    assert (said["plan"], said["state"], said["reasons"][0]["rule"]) == ("M", "active", "ENT-1")
    before = api(alice).get("organizations/acme/entitlement/?at=2020-01-01T00:00:00Z").json()
    assert (before["plan"], before["reasons"][0]["rule"]) == ("", "ENT-5")
    _problem(api(alice).get("organizations/acme/entitlement/?at=yesterday"), 400, "at")


def test_s16_a_contract_says_at_which_instants_its_dates_change_it(manager, world):
    (row,) = _rows(manager, "contracts", "?organization=acme")
    said = manager.call("PATCH", f"contracts/{row['id']}/", {"valid_until": "2026-12-31", "grace_days": 7}).json()
    assert said["ends_at"] == "2027-01-01T05:00:00+00:00"
    assert said["grace_ends_at"] == "2027-01-08T05:00:00+00:00"


# --- writing ---------------------------------------------------------------------------------------------------------

NEW = {
    "organizations": {"name": "Newco", "slug": "newco", "time_zone": "Africa/Cairo"},
    "contacts": {"organization": "acme", "name": "Ann Other", "email": "ann@acme.example", "language": "de"},
    "contracts": {"organization": "acme", "plan": "S", "valid_from": "2027-01-01", "valid_until": "2027-12-31"},
    "calendars": {"name": "Nights", "weekly": {"sat": [["22:00", "06:00"]]}, "holiday_region": "DE-BE"},
    "plans": {"code": "L", "name": "Large"},
}  # fmt: skip


@pytest.mark.parametrize("room", ROOMS)
def test_a_manager_adds_and_changes_and_both_are_on_the_trail(manager, room):
    answer = manager.post(f"{room}/", NEW[room])
    assert answer.status_code == 201, answer.content
    made = manager.get(answer["Location"].removeprefix("/api/v1/")).json()
    assert {name: made[name] for name in NEW[room]} == NEW[room]
    change = {"grace_days": 3} if room == "contracts" else {"name": "Another name"}
    changed = manager.call("PATCH", answer["Location"].removeprefix("/api/v1/"), change)
    assert changed.status_code == 200, changed.content
    added, entry = AuditEntry.objects.filter(actor="Dana Petrova", via="api").order_by("pk")
    assert (added.verb, entry.verb, added.subject) == ("add", "change", entry.subject)
    assert entry.after.items() >= change.items()


@pytest.mark.parametrize("room", ROOMS)
def test_only_managers_write_whatever_the_token_says(api, alice, bob, room):
    for person in (alice, bob):
        _problem(api(person, ("read", "manage")).post(f"{room}/", NEW[room]), 403)
    assert not AuditEntry.objects.exists()


@pytest.mark.parametrize("room", ROOMS)
def test_a_token_without_the_scope_writes_nothing(api, dana, room):
    _problem(api(dana, ("read", "report", "operate")).post(f"{room}/", NEW[room]), 403)


@pytest.mark.parametrize(
    ("room", "change", "field"),
    [
        ("organizations", {"time_zone": "Mars/Olympus"}, "time_zone"),
        ("organizations", {"slug": "acme"}, "slug"),
        ("organizations", {"account_manager": "bob@desk.example"}, "account_manager"),
        ("organizations", {"nme": "x"}, "nme"),
        ("contacts", {"email": "nonsense"}, "email"),
        ("contacts", {"language": "tlh"}, "language"),
        ("contacts", {"organization": "nobody"}, "organization"),
        ("contracts", {"plan": "Z"}, "plan"),
        ("contracts", {"version": 9}, "version"),
        ("contracts", {"valid_from": "tomorrow"}, "valid_from"),
        ("contracts", {"state": "grace"}, "state"),
        ("calendars", {"holiday_region": "Atlantis"}, "holiday_region"),
        ("plans", {"code": "M"}, "code"),
    ],
)
def test_a_bad_field_is_named_and_nothing_is_stored(manager, room, change, field):
    _problem(manager.post(f"{room}/", {**NEW[room], **change}), 400, field)
    assert not AuditEntry.objects.exists()


@pytest.mark.parametrize(
    ("room", "change", "words"),
    [
        ("contracts", {"valid_until": "2026-12-31"}, "before the first"),
        ("calendars", {"weekly": {"mon": []}, "holiday_region": ""}, "never open"),
        ("calendars", {"weekly": {"someday": []}}, "someday"),
        ("calendars", {"weekly": [["09:00", "17:00"]]}, "weekly"),
        ("contacts", {"email": "ALICE@acme.example"}, "once_per_organization"),
    ],
)
def test_what_makes_no_sense_is_refused_in_words(manager, room, change, words):
    assert words in _problem(manager.post(f"{room}/", {**NEW[room], **change}), 400)
    assert not AuditEntry.objects.exists()


@pytest.mark.parametrize("room", ["contacts", "contracts"])
def test_nothing_of_one_customer_becomes_anothers(manager, room):
    row = _rows(manager, room, "?organization=acme")[0]
    _problem(manager.call("PATCH", f"{room}/{row['id']}/", {"organization": "rival"}), 400, "organization")


def test_pressing_twice_changes_nothing_and_leaves_one_entry(manager):
    for _ in range(2):
        assert manager.call("PATCH", "organizations/acme/", {"name": "Acme Ltd"}).status_code == 200
    assert AuditEntry.objects.count() == 1


# --- plans never change ----------------------------------------------------------------------------------------------


def _version(**more):
    business, extended = BusinessCalendar.objects.order_by("name")
    return {
        "levels": {"P1": {"coverage": "business", "first_response": 1800}},
        "business_hours": business.pk,
        "extended_hours": extended.pk,
        **more,
    }


def test_an_edit_is_a_new_version_and_contracts_stay_with_theirs(manager, world):
    made = manager.post("plans/S/versions/", _version(features=["shared_slack"]))
    assert (made.status_code, made.json()["version"]) == (201, 2)
    assert [row["version"] for row in manager.get("plans/S/versions/").json()] == [2, 1]
    (row,) = _rows(manager, "contracts", "?organization=smallco")
    assert row["version"] == 1
    moved = manager.call("PATCH", f"contracts/{row['id']}/", {"plan": "S"})
    assert moved.json()["version"] == 2, "the newest unless one is named"


def test_a_saved_version_is_rewritten_by_nobody(world):
    version = PlanVersion.objects.get(plan__code="M")
    for attempt in (lambda: PlanVersion.objects.update(number=7), version.save, version.delete):
        with pytest.raises((IntegrityError, Exception), match=r"append-only|protected"), transaction.atomic():
            attempt()
    assert Contract.objects.filter(plan_version=version).exists()


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"levels": {"P9": {"coverage": "business"}}}, "levels"),
        ({"levels": {"P1": {"coverage": "sometimes"}}}, "levels"),
        ({"levels": ["P1"]}, "levels"),
        ({"features": ["cake"]}, "features"),
        ({"channels": "portal"}, "channels"),
        ({"business_hours": 999_999}, "business_hours"),
    ],
)
def test_a_version_that_cannot_be_read_is_refused(manager, change, field):
    _problem(manager.post("plans/S/versions/", _version(**change)), 400, field)
    assert PlanVersion.objects.filter(plan__code="S").count() == 1


def test_another_customers_special_plan_is_not_theirs_to_know(api, manager, alice):
    manager.post("plans/", {"code": "SECRET", "name": "For Rival only"})
    assert api(alice).get("plans/SECRET/").status_code == 404
    assert api(alice).get("plans/SECRET/versions/").status_code == 404


# --- calendars -------------------------------------------------------------------------------------------------------


def test_ent_3_hours_of_their_own_go_before_those_of_the_plan_and_count_public_holidays(manager, api, alice):
    own = manager.post("calendars/", {"name": "Acme", "weekly": {"thu": [["10:00", "12:00"]]}, "holiday_region": "US"})
    manager.call("PATCH", "organizations/acme/", {"calendar": own.json()["id"]})
    spec = api(alice).get("organizations/acme/entitlement/").json()["hours"]["extended"]
    assert (spec["time_zone"], spec["weekly"]) == ("America/New_York", {"thu": [["10:00", "12:00"]]})
    assert "2026-11-26" in spec["closed"], "Thanksgiving"
    contract = _rows(manager, "contracts", "?organization=acme")[0]
    other = manager.post("calendars/", {"name": "Contract", "weekly": {"fri": [["10:00", "12:00"]]}}).json()["id"]
    manager.call("PATCH", f"contracts/{contract['id']}/", {"calendar": other})
    spec = api(alice).get("organizations/acme/entitlement/").json()["hours"]["business"]
    assert spec["weekly"] == {"fri": [["10:00", "12:00"]]}, "the contract's go before the organization's"


def test_half_days_win_over_holidays(manager):
    body = {
        "name": "Half",
        "weekly": {"thu": [["09:00", "17:00"]]},
        "holiday_region": "US",
        "special": {"2026-11-26": [["09:00", "12:00"]]},
    }
    made = manager.post("calendars/", body).json()["id"]
    manager.call("PATCH", "organizations/acme/", {"calendar": made})
    spec = manager.get("organizations/acme/entitlement/").json()["hours"]["business"]
    assert "2026-11-26" not in spec["closed"]
    assert spec["special"] == {"2026-11-26": [["09:00", "12:00"]]}


def test_every_save_of_a_calendar_is_another_version_and_incidents_keep_theirs(manager, world, alice):
    before = alice.reports("Labels", impact="limited", urgency="normal").entitlement["hours"]["extended"]["version"]
    calendar = BusinessCalendar.objects.get(name="Extended business hours")
    assert before == f"Extended business hours v{calendar.version}"
    said = manager.call("PATCH", f"calendars/{calendar.pk}/", {"closed": ["2026-12-31"]}).json()
    assert said["version"] == calendar.version + 1
    after = alice.reports("Labels", impact="limited", urgency="normal").entitlement["hours"]["extended"]["version"]
    assert after == f"Extended business hours v{said['version']}"

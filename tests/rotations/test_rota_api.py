"""The rota over REST: read and write for staff, strict bodies, nothing for customers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client
from drf_spectacular.generators import SchemaGenerator

from rotations.models import EscalationPolicy, Layer, Leave, Override, PolicyRule, RotationRevision, Schedule
from supportdesk.accounts.models import User

ALL = ("read", "report", "operate", "manage")
READ = (
    "on-call/", "fairness/", "schedules/", "schedules/platform/", "schedules/platform/shifts/", "layers/",
    "overrides/", "swaps/", "leave/", "hand-offs/", "policies/", "policy-rules/", "shadows/",
    "calendar-feeds/",
)  # fmt: skip


@pytest.fixture
def layer(world):
    return Layer.objects.get(name="EMEA")


def ok(response, status=200):
    assert response.status_code == status, response.content
    return response.json() if response.content else None


def problem(response, status, field=""):
    assert response.status_code == status, response.content
    assert response["Content-Type"].startswith("application/problem+json")
    body = response.json()
    if field:
        assert field in {error["field"].split("[")[0] for error in body["errors"]}, body
    return body


def written(at):
    return at.isoformat().replace("+00:00", "Z")


@pytest.mark.parametrize("path", READ)
def test_staff_read_it_and_customers_find_nothing(api, bob, alice, path):
    ok(api(bob).get(path))
    problem(api(alice, ALL).get(path), 404)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("overrides/", {}),
        ("swaps/", {}),
        ("leave/", {}),
        ("schedules/", {"name": "Mine", "slug": "mine"}),
        ("schedules/platform/take/", {}),
        ("swaps/1/accept/", {}),
        ("leave/1/approve/", {}),
        ("policy-rules/1/remove/", {}),
        ("shadows/", {}),
        ("calendar-feeds/", {}),
        ("leave/import/", {"calendar": ""}),
        ("leave-calendar/", {"address": "https://calendar.example.com/"}),
        ("schedules/platform/contact/", {}),
    ],
)
def test_customers_write_nothing(api, mallory, path, body):
    assert api(mallory, ALL).post(path, body).status_code in (403, 404)
    assert not Override.objects.exists()


def test_a_token_needs_the_scope(api, dana):
    assert api(dana, ("read",)).post("overrides/", {}).status_code == 403
    assert api(dana, ("read", "operate")).post("schedules/", {}).status_code == 403


def test_who_is_on_call_now(world, api, bob, carol):
    (platform,) = [one for one in ok(api(bob).get("on-call/")) if one["schedule"] == "platform"]
    assert (platform["primary"]["person"], platform["primary"]["layer"]) == (bob.user.email, "EMEA")
    assert platform["backup"]["name"] == "Carol Jensen"
    assert platform["at"] == written(world.now)


def test_the_final_schedule_of_a_range_with_its_gaps(world, api, bob):
    Layer.objects.filter(name="AMER").delete()
    Schedule.objects.get(slug="platform").touch()
    span = f"from={written(world.now)}&until={written(world.now + timedelta(days=1))}"
    body = ok(api(bob).get(f"schedules/platform/shifts/?{span}"))
    holders = [(s["person"], s["layer"]) for s in body["shifts"] if s["slot"] == "primary"]
    assert holders[0] == (bob.user.email, "EMEA")
    gap = next(g for g in body["gaps"] if g["slot"] == "primary")
    assert (gap["start"], gap["end"]) == ("2026-11-29T17:00:00Z", "2026-11-30T00:00:00Z")
    reached = body["start"]
    pieces = [piece for piece in [*body["shifts"], *body["gaps"]] if piece["slot"] == "primary"]
    for piece in sorted(pieces, key=lambda piece: piece["start"]):
        assert piece["start"] == reached
        reached = piece["end"]
    assert reached == body["end"]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("from=yesterday", "from"),
        ("from=2026-11-29T08:00:00", "from"),
        ("from=2026-11-29T08:00:00Z&until=2026-11-29T08:00:00Z", "until"),
        ("from=2026-11-29T08:00:00Z&until=2036-11-29T08:00:00Z", "until"),
    ],
)
def test_a_wrong_range_is_named(api, bob, query, field):
    problem(api(bob).get(f"schedules/platform/shifts/?{query}"), 400, field)
    problem(api(bob).get(f"overrides/?{query}"), 400, field)


def test_an_override_from_birth_to_end(world, api, dana, carol):
    start, end = world.now + timedelta(hours=1), world.now + timedelta(hours=2)
    call = api(dana, ALL)
    body = {"schedule": "platform", "person": carol.user.email, "start": written(start), "end": written(end)}
    made = ok(call.post("overrides/", {**body, "reason": "dentist"}), 201)
    assert (made["person"], made["slot"]) == (carol.user.email, "primary")
    # Her own week begins the morning after: eight days on call, without a long rest.
    assert {(one["rule"], one["severity"]) for one in made["warnings"]} == {("FAT-3", "warn"), ("FAT-7", "warn")}
    assert [row["id"] for row in ok(call.get("overrides/?schedule=platform"))["results"]] == [made["id"]]
    problem(call.post("overrides/", {**body, "end": written(end + timedelta(hours=1))}), 409)
    assert call.call("DELETE", f"overrides/{made['id']}/").status_code == 204
    problem(call.get(f"overrides/{made['id']}/"), 404)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"person": "nobody@desk.example"}, "person"),
        ({"person": "alice@acme.example"}, "person"),
        ({"schedule": "no-such"}, "schedule"),
        ({"slot": "third"}, "slot"),
        ({"start": "soon"}, "start"),
        ({"end": "2026-11-29T07:00:00Z"}, "end"),
        ({"reason": "x" * 201}, "reason"),
        ({"user": 1}, "user"),
    ],
)
def test_a_wrong_field_is_named_and_nothing_is_saved(world, api, dana, carol, change, field):
    body = {
        "schedule": "platform", "person": carol.user.email, "start": "2026-11-29T10:00:00Z",
        "end": "2026-11-29T11:00:00Z", **change,
    }  # fmt: skip
    problem(api(dana, ALL).post("overrides/", body), 400, field)
    assert not Override.objects.exists()


def test_fatigue_blocks_in_the_answer_and_a_manager_may_force(world, api, dana, bob, ken):
    """R-20, D13: a Berlin engineer in the Tokyo window, hours after their own shift."""
    body = {
        "schedule": "platform",
        "person": bob.user.email,
        "start": "2026-11-30T00:00:00Z",
        "end": "2026-11-30T08:00:00Z",
    }
    call = api(dana, ALL)
    refused = problem(call.post("overrides/", body), 409)
    assert "FAT-1" in refused["detail"]
    assert "Bob Novak" in refused["detail"]
    made = ok(call.post("overrides/", {**body, "force": "Ken is in hospital; Bob agreed."}), 201)
    assert "FAT-1" in {warning["rule"] for warning in made["warnings"]}


def test_a_swap_through_the_api(world, api, bob, carol):
    shifts = ok(api(bob).get("schedules/platform/shifts/"))["shifts"]
    mine = next(
        s for s in shifts if s["person"] == bob.user.email and s["slot"] == "primary" and s["start"] > "2026-11-30"
    )
    body = {"schedule": "platform", "start": mine["start"], "end": mine["end"], "taker": carol.user.email}
    offered = ok(api(bob).post("swaps/", body), 201)
    assert offered["state"] == "open"
    agreed = ok(api(carol).post(f"swaps/{offered['id']}/accept/", {}))
    assert (agreed["state"], agreed["taker"]) == ("accepted", carol.user.email)
    assert ok(api(bob).post(f"swaps/{offered['id']}/withdraw/", {}))["state"] == "withdrawn"
    assert [s["id"] for s in ok(api(bob).get("swaps/?state=withdrawn"))["results"]] == [offered["id"]]
    problem(api(bob).get("swaps/?state=lost"), 400, "state")
    problem(api(bob).post("swaps/99999/accept/", {}), 404)


def test_leave_through_the_api_says_which_shifts_it_hits(world, api, bob, dana, carol):
    body = {"start": "2026-12-01T00:00:00Z", "end": "2026-12-02T23:00:00Z"}
    asked = ok(api(carol).post("leave/", body), 201)
    assert asked["state"] == "asked"
    assert {(hit["slot"], hit["covered_by"] is None) for hit in asked["shifts"]} >= {("primary", False)}
    problem(api(carol).post(f"leave/{asked['id']}/approve/", {}), 403)
    problem(api(dana, ALL).post(f"leave/{asked['id']}/approve/", {}), 409)
    assert ok(api(dana, ALL).post(f"leave/{asked['id']}/approve/", {"promote": True}))["state"] == "approved"
    assert ok(api(carol).post(f"leave/{asked['id']}/cancel/", {}))["state"] == "cancelled"


def test_schedules_and_layers_are_written_by_managers(world, api, dana, bob):
    call = api(dana, ALL)
    made = ok(call.post("schedules/", {"name": "Network", "slug": "network", "fallback": dana.user.email}), 201)
    assert made["fallback"] == dana.user.email
    assert ok(call.call("PATCH", "schedules/network/", {"backup_offset": -1}))["backup_offset"] == -1
    layer = ok(
        call.post(
            "layers/",
            {"schedule": "network", "name": "All day", "time_zone": "Europe/Berlin", "weekdays": [0, 1]},
        ),
        201,
    )
    revision = {"unit": "weekly", "every": 1, "anchor": "2026-11-02T09:00", "ring": [bob.user.email, dana.user.email]}
    assert ok(call.post(f"layers/{layer['id']}/revisions/", revision), 201)["ring"] == revision["ring"]
    assert len(ok(call.get(f"layers/{layer['id']}/revisions/"))) == 1
    problem(api(bob, ALL).post("schedules/", {"name": "Mine", "slug": "mine"}), 403)
    problem(call.post("layers/", {"schedule": "network", "name": "x", "time_zone": "Mars/Olympus"}), 400, "time_zone")


def test_a_ring_through_the_api(world, api, dana, bob, carol, layer):
    ring = [bob.user.email, carol.user.email, dana.user.email]
    revision = ok(api(dana, ALL).post(f"layers/{layer.pk}/ring/", {"ring": ring}))
    assert revision["ring"] == ring
    assert revision["effective_from"] > written(world.now)
    problem(api(dana, ALL).post(f"layers/{layer.pk}/ring/", {"ring": []}), 400, "ring")
    assert RotationRevision.objects.filter(layer=layer).count() == 2


def test_a_gap_that_opens_soon_has_to_be_confirmed(world, api, dana, layer):
    """§4.2."""
    call = api(dana, ALL)
    refused = problem(call.call("PATCH", f"layers/{layer.pk}/", {"window_end": "12:00"}), 409)
    assert "nobody would be on duty" in refused["detail"]
    layer.refresh_from_db()
    assert layer.window_end.hour == 18
    ok(call.call("PATCH", f"layers/{layer.pk}/", {"window_end": "12:00", "confirm": True}))


def test_a_policy_that_cannot_keep_a_promise_is_refused_with_its_arithmetic(world, api, dana):
    """ESC-1."""
    rule = PolicyRule.objects.get(severity="P1", plan=None, organization=None, service=None)
    call = api(dana, ALL)
    slow = [
        {"targets": ["primary"], "delay_seconds": 300},
        {"targets": ["backup"], "delay_seconds": 300},
        {"targets": ["duty_manager"], "delay_seconds": 300},
    ]
    refused = problem(call.call("PATCH", f"policies/{rule.policy_id}/", {"steps": slow}), 400, "steps")
    assert "cannot keep what was promised" in refused["detail"]
    assert EscalationPolicy.objects.get(pk=rule.policy_id).version == 1
    assert ok(call.call("PATCH", f"policies/{rule.policy_id}/", {"repeat": 3}))["version"] == 2
    problem(call.call("PATCH", f"policies/{rule.policy_id}/", {"steps": [{"targets": ["prime"]}]}), 400, "steps")


def test_policy_rules_come_and_go_but_somebody_is_always_paged(world, api, dana):
    call = api(dana, ALL)
    policy = EscalationPolicy.objects.first()
    rules = ok(call.get("policy-rules/?severity=P1"))["results"]
    general = next(rule for rule in rules if not (rule["plan"] or rule["organization"] or rule["service"]))
    problem(call.post(f"policy-rules/{general['id']}/remove/", {}), 409)
    made = ok(call.post("policy-rules/", {"severity": "P4", "service": "search", "policy": policy.pk}), 201)
    assert call.post(f"policy-rules/{made['id']}/remove/", {}).status_code == 204
    problem(call.post("policy-rules/", {"severity": "P9", "policy": policy.pk}), 400, "severity")


def test_taking_a_shift_and_handing_it_off(world, api, bob, carol):
    note = ok(api(bob).post("schedules/platform/hand-off/", {"note": "All quiet."}))
    assert (note["note"], note["outgoing"]) == ("All quiet.", bob.user.email)
    taken = ok(api(carol).post("schedules/platform/take/", {}))
    assert (taken["person"], taken["start"]) == (carol.user.email, written(world.now))
    assert ok(api(bob).get("hand-offs/"))["results"][0]["note"] == "All quiet."


def test_fairness_adds_up(world, api, bob):
    body = ok(api(bob).get("fairness/?days=28&schedule=platform"))
    assert {one["person"].split("@")[0] for one in body["people"]} == {"bob", "carol", "erin", "frank", "ken", "yuki"}
    assert abs(sum(one["hours"] for one in body["people"]) - 28 * 24) < 1
    problem(api(bob).get("fairness/?days=0"), 400, "days")


ICS = """BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//test//EN
BEGIN:VEVENT
UID:away-1
DTSTAMP:20261101T000000Z
DTSTART;VALUE=DATE:20270301
DTEND;VALUE=DATE:20270303
SUMMARY:Away
END:VEVENT
END:VCALENDAR
"""


def test_leave_is_read_from_a_calendar_file(world, api, bob, dana, carol):
    read = ok(api(bob).post("leave/import/", {"calendar": ICS}))
    assert (read["added"], read["changed"], read["gone"]) == (1, 0, 0)
    ok(api(dana, ALL).post("leave/import/", {"calendar": ICS, "person": carol.user.email}))
    assert {row.user for row in Leave.objects.all()} == {bob.user, carol.user}
    problem(api(bob).post("leave/import/", {"calendar": ICS, "person": carol.user.email}), 403)
    problem(api(bob).post("leave/import/", {"calendar": "not one"}), 400, "file")


def test_leave_is_followed_in_a_calendar_elsewhere(world, api, bob):
    call = api(bob)
    problem(call.get("leave-calendar/"), 404)
    followed = ok(call.post("leave-calendar/", {"address": "https://calendar.example.com/bob-secret.ics"}))
    assert (followed["person"], followed["host"]) == (bob.user.email, "calendar.example.com")
    assert b"bob-secret" not in call.get("leave-calendar/").content
    problem(call.post("leave-calendar/", {"address": "file:///etc/passwd"}), 400, "address")
    assert call.call("DELETE", "leave-calendar/").status_code == 204
    problem(call.get("leave-calendar/"), 404)


def test_a_calendar_feed_is_opened_renewed_and_closed(world, api, bob, carol):
    call, address = api(bob), lambda feed: feed["address"].removeprefix("http://testserver")
    first = ok(call.post("calendar-feeds/", {}), 201)
    of_schedule = ok(call.post("calendar-feeds/", {"schedule": "platform"}), 201)
    assert [(row["schedule"], "address" in row) for row in ok(call.get("calendar-feeds/"))["results"]] == [
        (None, False),
        ("platform", False),
    ]
    assert Client().get(address(first)).status_code == 200
    renewed = ok(call.post(f"calendar-feeds/{first['id']}/renew/", {}))
    assert Client().get(address(first)).status_code == 404
    assert Client().get(address(renewed)).status_code == 200
    problem(api(carol).post(f"calendar-feeds/{first['id']}/renew/", {}), 404)
    assert call.call("DELETE", f"calendar-feeds/{of_schedule['id']}/").status_code == 204
    assert Client().get(address(of_schedule)).status_code == 404
    problem(api(carol).call("DELETE", f"calendar-feeds/{first['id']}/"), 404)


def test_the_shadow_seat(world, api, bob, dana, yuki):
    body = {"schedule": "platform", "start": written(world.now), "end": written(world.now + timedelta(hours=8))}
    seat = ok(api(yuki).post("shadows/", body), 201)
    assert (seat["person"], seat["schedule"]) == (yuki.user.email, "platform")
    problem(api(bob).post("shadows/", {**body, "person": yuki.user.email}), 403)
    ok(api(dana, ALL).post("shadows/", {**body, "person": bob.user.email}), 201)
    assert len(ok(api(bob).get("shadows/?schedule=platform"))["results"]) == 2
    problem(api(bob).call("DELETE", f"shadows/{seat['id']}/"), 403)
    assert api(yuki).call("DELETE", f"shadows/{seat['id']}/").status_code == 204


def test_somebody_answers_for_a_while_after_the_hand_off(world, api, bob):
    shift = next(s for s in ok(api(bob).get("schedules/platform/shifts/"))["shifts"] if s["slot"] == "primary")
    until = world.now.fromisoformat(shift["end"]) + timedelta(hours=1)
    named = ok(api(bob).post("schedules/platform/contact/", {"until": written(until)}))
    assert (named["contact"], named["contact_until"]) == (bob.user.email, written(until))
    problem(api(bob).post("schedules/platform/contact/", {"until": "2027-11-29T10:00:00Z"}), 400, "until")


def test_fairness_counts_the_holidays_where_people_live(world, api, bob, carol):
    User.objects.filter(pk__in=[bob.user.pk, carol.user.pk]).update(holiday_region="DE-BE")
    world.until(datetime(2026, 12, 28, 8, tzinfo=UTC))
    people = ok(api(bob).get("fairness/?days=7&schedule=platform"))["people"]
    hours = {one["person"].split("@")[0]: one["holiday_hours"] for one in people}
    assert hours["bob"] + hours["carol"] == 16  # 25 and 26 December, eight hours each as primary
    assert hours["erin"] + hours["frank"] + hours["ken"] + hours["yuki"] == 0


def test_the_schema_names_every_body_once(capfd):
    """Two serializers of one name would be one in the schema, and wrong for one of the two."""
    schema = SchemaGenerator().get_schema(request=None, public=True)
    assert "identical names" not in capfd.readouterr().err
    for path in ("shadows/", "calendar-feeds/", "leave/import/", "leave-calendar/", "schedules/{slug}/contact/"):
        assert f"/api/v1/{path}" in schema["paths"], path

"""The proof at work: every night, after every save, on demand; who is told, and who may look."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from rotations import claims, proof_runs, proving
from rotations.models import EscalationPolicy, Layer, Leave, Override, PolicyRule, Proof, Schedule
from supportdesk import entitlements
from supportdesk.accounts import actions as account_actions
from supportdesk.accounts.models import ContactMethod
from supportdesk.organizations import terms
from supportdesk.organizations.models import Contract, Organization
from supportdesk.queue.models import Delivery, Timer

DAY = timedelta(days=1)


def armed(run: str) -> list[Timer]:
    return list(Timer.objects.filter(run=run, state=Timer.State.ARMED))


def drop_site(name: str) -> None:
    """Nobody works there any more: a hole a day."""
    Layer.objects.get(name=name).delete()
    Schedule.objects.get(slug="platform").touch()


# --- what is claimed -------------------------------------------------------------------------------------------------


def test_what_is_claimed_is_what_would_be_paged(world: Any) -> None:
    """At any instant a claim is open exactly when the entitlement decides to page (§4.2)."""
    Contract.objects.filter(organization__slug="rival").update(valid_until=date(2026, 12, 3))
    start, end = world.now, world.now + 20 * DAY
    rules = proving.handed_out()
    for organization in Organization.objects.all():
        contracts = list(organization.contracts.select_related("plan_version__plan", "plan_version__business_hours",
                                                               "plan_version__extended_hours", "calendar"))  # fmt: skip
        found = claims.of_organization(organization, contracts, rules, start, end)
        for step in range(0, int((end - start).total_seconds()), 5 * 3600):
            at = start + timedelta(seconds=step)
            owed = terms.entitlement_of(organization, contracts, at)
            for severity in entitlements.SEVERITIES:
                claimed = any(c.severity == severity and any(a <= at < b for a, b in c.windows) for c in found)
                assert claimed == entitlements.decide(owed, severity, at).pages, (organization, severity, at)


def test_a_contract_that_runs_out_is_a_weakness_before_it_is_a_gap(world: Any) -> None:
    Contract.objects.filter(organization__slug="rival").update(valid_until=date(2026, 12, 3))
    found = proving.current(world.now, world.now + 90 * DAY)
    (ending,) = [caution for caution in found.warnings if caution.kind == "ending"]
    assert ending.text == "The contract of Rival ends with Thursday 3 December 2026, and nothing follows it."
    assert ending.menders == (str(world.people["dana"].user.pk),)
    assert found.holds


# --- when it runs ----------------------------------------------------------------------------------------------------


def test_every_night_it_proves_ninety_days_and_plans_the_next_night(world: Any) -> None:
    proof_runs.note_save()
    world.until(datetime(2026, 12, 2, 3, tzinfo=UTC))
    nightly = Proof.objects.filter(kind="nightly").order_by("at")
    assert [row.at.day for row in nightly] == [30, 1, 2]
    assert all(row.ok and row.until - row.at == 90 * DAY for row in nightly)
    assert [timer.due_at for timer in armed(proof_runs.NIGHTLY)] == [datetime(2026, 12, 3, 2, 30, tzinfo=UTC)]


@pytest.mark.parametrize("what", ["layer", "override", "leave", "policy", "rule", "contract", "method", "person"])
def test_every_save_it_stands_on_is_proved_in_a_moment(world: Any, what: str) -> None:
    bob, schedule = world.people["bob"].user, Schedule.objects.get(slug="platform")
    span = {"start": world.now + DAY, "end": world.now + DAY + timedelta(hours=1)}
    saves = {
        "layer": lambda: Layer.objects.filter(schedule=schedule)[0].save(),
        "override": lambda: Override.objects.create(schedule=schedule, user=bob, **span),
        "leave": lambda: Leave.objects.create(user=bob, **span),
        "policy": lambda: EscalationPolicy.objects.all()[0].save(),
        "rule": lambda: PolicyRule.objects.all()[0].save(),
        "contract": lambda: Contract.objects.all()[0].save(),
        "method": lambda: ContactMethod.objects.filter(user=bob)[0].save(),
        "person": lambda: bob.save(),
    }
    saves[what]()
    assert not Proof.objects.exists()  # the save did not wait for it
    world.advance(seconds=proof_runs.SETTLES_IN.total_seconds())
    (row,) = Proof.objects.all()
    assert (row.kind, row.ok, row.until - row.at) == ("save", True, 400 * DAY)


def test_many_saves_are_proved_once(world: Any) -> None:
    for layer in Layer.objects.all():
        layer.save()
        world.advance(seconds=1)
    world.advance(minutes=1)
    assert Proof.objects.count() == 1


def test_logging_in_proves_nothing(world: Any) -> None:
    world.people["dana"].reads("/console/")
    assert not armed(proof_runs.SAVED)


def test_a_verified_phone_is_proved(world: Any) -> None:
    bob = world.people["bob"]
    method = account_actions.add_method(actor=bob.user.actor("portal"), kind="sms", address="+4915112345699")
    account_actions.remove_method(method.pk, actor=bob.user.actor("portal"))
    assert armed(proof_runs.SAVED)


# --- who is told -----------------------------------------------------------------------------------------------------


def test_a_proof_that_held_and_fails_is_told_to_the_managers_once(world: Any) -> None:
    proof_runs.on_demand(90)
    drop_site("EMEA")
    world.advance(seconds=10)
    (mail,) = [mail for mail in world.people["dana"].mails if "Coverage" in mail.subject]
    text = mail.part("plain")
    assert "P1 of Acme" in mail.subject
    assert "Nobody is planned as primary of Platform, follow the sun." in text
    assert "Who can do it: Dana Petrova." in text
    assert "/console/proof/" in text
    assert not world.people["bob"].mails
    proof_runs.on_demand(90)
    world.settle()
    assert len([mail for mail in world.people["dana"].mails if "Coverage" in mail.subject]) == 1


def test_a_failure_that_comes_nearer_is_news_again(world: Any) -> None:
    dana, schedule = world.people["dana"], Schedule.objects.get(slug="platform")
    everybody = [world.people[name].user for name in ("bob", "carol", "erin", "frank", "ken", "yuki")]
    for days in (60, 20):
        for user in everybody:
            start = world.now + days * DAY
            Leave.objects.create(user=user, start=start, end=start + DAY, state=Leave.State.APPROVED)
        schedule.touch()
        world.advance(seconds=30)
    assert len([mail for mail in dana.mails if "Coverage" in mail.subject]) == 2


def test_whoever_can_mend_it_is_told_too(world: Any) -> None:
    proof_runs.on_demand(90)
    bob = world.people["bob"]
    bob.user.contact_methods.exclude(kind="email").delete()
    Delivery.objects.all().delete()
    bob.user.contact_methods.update(verified_at=None)
    proof_runs.on_demand(90)
    world.settle()
    told = set(Delivery.objects.filter(kind="proof_failed").values_list("recipient", flat=True))
    assert "Dana Petrova" in told
    assert "Bob Novak has no verified contact method." in Proof.objects.all()[0].summary["first"]["text"]


# --- doors -----------------------------------------------------------------------------------------------------------


def prove(*args: str) -> tuple[str, int]:
    said, code = StringIO(), 0
    try:
        call_command("prove", *args, stdout=said)
    except SystemExit as left:
        code = int(left.code or 0)
    return said.getvalue(), code


def test_the_command_says_so_and_ends_well(world: Any) -> None:
    said, code = prove()
    assert code == 0
    assert said.startswith("Holds: 9 claims of 3 organizations, from 2026-11-29T08:10:00Z until 2027-02-27T08:10:00Z")


def test_the_command_fails_with_the_first_minute_and_who_can_mend_it(world: Any) -> None:
    drop_site("AMER")
    said, code = prove("--days", "2")
    assert code == 1
    assert "First at 2026-11-29T17:00:00Z: P1 of Acme." in said
    assert "Who can mend it: Dana Petrova." in said
    answer, code = prove("--json")
    assert code == 1
    whole = json.loads(answer)
    assert whole["holds"] is False
    assert whole["first"]["at"] == "2026-11-29T17:00:00Z"


def test_the_command_refuses_a_thousand_days(world: Any) -> None:
    with pytest.raises(CommandError, match="1 to 400 days"):
        call_command("prove", "--days", "1000")


def test_the_page_shows_the_certificate_and_proves_now(world: Any) -> None:
    dana = world.people["dana"]
    assert "Nothing has been proved yet" in dana.reads("/console/proof/")
    dana.post("/console/proof/", {"days": "90"})
    page = dana.reads("/console/proof/")
    assert "Every promise is covered" in page
    assert "9 promises to 3 customers are kept at every minute" in page
    assert "on demand" in page


def test_the_page_shows_the_first_minute_that_fails_and_keeps_history(world: Any) -> None:
    dana = world.people["dana"]
    dana.post("/console/proof/", {"days": "30"})
    drop_site("AMER")
    dana.post("/console/proof/", {"days": "30"})
    page = dana.reads("/console/proof/")
    assert "Fails first" in page
    assert "Nobody is planned as primary of Platform, follow the sun." in page
    assert "Add an override, or extend a layer." in page
    older = Proof.objects.order_by("pk")[0]
    assert "Every promise is covered" in dana.reads(f"/console/proof/?proof={older.pk}")
    assert "covers 1 to 400 days" in dana.is_refused("/console/proof/", {"days": "4000"})


def test_customers_find_no_proof(world: Any, api: Any) -> None:
    mallory = world.people["mallory"]
    assert mallory.client.get("/console/proof/").status_code == 404
    assert mallory.client.get("/console/what-if/").status_code == 404
    assert mallory.client.post("/console/proof/", {"days": "90"}).status_code == 404
    call = api(mallory)
    assert call.get("proof/").status_code == 404
    assert call.post("proof/", {}).status_code == 404
    body = {"organization": "acme", "severity": "P1", "at": "2026-11-29T08:20:00Z"}
    assert call.post("what-if/", body).status_code == 404
    assert not Proof.objects.exists()


def test_the_api_proves_and_tells_the_last_proof(world: Any, api: Any) -> None:
    call = api(world.people["bob"])
    assert call.get("proof/").status_code == 404
    made = call.post("proof/", {"days": 30})
    assert made.status_code == 201
    assert made.json()["holds"] is True
    assert made.json()["until"] == "2026-12-29T08:10:00Z"
    assert call.get("proof/").json() == made.json()


@pytest.mark.parametrize(
    ("body", "field"), [({"days": 0}, "days"), ({"days": 401}, "days"), ({"days": "soon"}, "days"), ({"day": 1}, "day")]
)
def test_the_api_names_the_wrong_field(world: Any, api: Any, body: dict[str, Any], field: str) -> None:
    answer = api(world.people["bob"]).post("proof/", body)
    assert answer.status_code == 400
    assert [error["field"] for error in answer.json()["errors"]] == [field]


def test_proving_takes_a_token_that_may_operate(world: Any, api: Any) -> None:
    assert api(world.people["bob"], ("read",)).post("proof/", {}).status_code == 403


def test_a_proof_costs_the_same_queries_however_many_customers(world: Any, django_assert_max_num_queries: Any) -> None:
    with django_assert_max_num_queries(15):
        proving.current(world.now, world.now + 30 * DAY)
    acme = Contract.objects.filter(organization__slug="acme")[0]
    for number in range(5):
        more = Organization.objects.create(name=f"More {number}", slug=f"more-{number}", time_zone="Europe/Berlin")
        Contract.objects.create(organization=more, plan_version=acme.plan_version, valid_from=acme.valid_from)
    with django_assert_max_num_queries(15):
        found = proving.current(world.now, world.now + 30 * DAY)
    assert len(found.verdicts) == 24

"""Contracts that change under an open incident, exceptions, disputes and promises that are agreed anew (§2.4, §2.5)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.db import IntegrityError, transaction

from incidents.models import FollowUp, GoodwillGrant, Notice, Page, StatusPage
from supportdesk.audit.models import AuditEntry
from supportdesk.organizations.models import Service
from supportdesk.queue.models import Timer

WHY = "Their biggest day of the year; agreed with sales."


@pytest.fixture
def books(world, api, dana):
    """Dana's program that keeps the contracts: `books("smallco", plan="M")` changes the contract of a customer."""
    caller = api(dana, ("read", "manage"))

    def change(organization: str, **said: object) -> dict:
        (contract,) = caller.get(f"contracts/?organization={organization}").json()["results"]
        response = caller.call("PATCH", f"contracts/{contract['id']}/", said)
        assert response.status_code == 200, response.content
        world.settle()
        return response.json()

    return change


def _clock(world, kind, cycle=1):
    return world.incident.clocks.get(kind=kind, cycle=cycle)


def _pages(person, **wanted):
    return Page.objects.filter(user=person.user, **wanted).count()


# --- upgrade and downgrade (§2.4) ------------------------------------------------------------------------------------


def test_s15_sam_upgrades_in_the_night_and_is_answered_in_the_night(world, sam, bob, books):
    """Queued until Monday; the upgrade re-targets from its instant, pages and opens the war room."""
    sam.reports("Shop is down")
    assert world.incident.engagement == "queued"
    world.advance(minutes=40)
    upgraded_at = world.now
    books("smallco", plan="M")
    incident = world.incident
    assert (incident.engagement, incident.queued_until, incident.war_room) == ("now", None, True)
    assert _clock(world, "first_response").due_at == upgraded_at + timedelta(minutes=10)
    assert _clock(world, "next_update").due_at == upgraded_at + timedelta(minutes=15)
    assert _pages(bob, reason="primary") == 1
    assert "Your upgrade is in effect" in sam.mail
    assert incident.entitlement["plan"] == "M"
    assert AuditEntry.objects.filter(verb="upgrade", subject=incident.subject).exists()


def test_an_upgrade_agreed_for_tomorrow_comes_tomorrow_at_the_customers_midnight(world, sam, bob, api, dana):
    """Nobody presses anything at midnight: the contract's own timer does."""
    sam.reports("Shop is down")
    caller = api(dana, ("read", "manage"))
    body = {"organization": "smallco", "plan": "M", "valid_from": "2026-11-30"}
    assert caller.post("contracts/", body).status_code == 201
    midnight = datetime(2026, 11, 29, 23, tzinfo=UTC)  # in Berlin
    world.until(midnight - timedelta(seconds=1))
    assert world.incident.engagement == "queued"
    world.advance(seconds=1)
    assert world.incident.engagement == "now"
    assert _clock(world, "first_response").due_at == midnight + timedelta(minutes=10)
    assert _pages(bob) + _pages(world.people["erin"]) + _pages(world.people["ken"]) >= 1


def test_d8_a_contract_that_ends_leaves_the_open_incident_as_it_was_and_the_next_one_in_grace(world, alice, bob, books):
    """S-16: until local midnight after the last day. The incident keeps M and says so; nobody stops ringing."""
    alice.reports("Labels are empty", impact="limited", urgency="normal")
    kept = world.incident
    books("acme", valid_until="2026-11-29", grace_days=7)
    ends = datetime(2026, 11, 30, 5, tzinfo=UTC)  # midnight in New York
    world.until(ends - timedelta(seconds=1))
    kept.refresh_from_db()
    assert not kept.entitlement_lapsed
    world.advance(seconds=1)
    kept.refresh_from_db()
    assert kept.entitlement_lapsed
    assert (kept.entitlement["plan"], kept.entitlement["state"]) == ("M", "active")
    assert "keeps plan M" in world.timeline("entitlement_lapsed")[0].text
    assert alice.reports("Checkout is down").entitlement["state"] == "grace"


def test_ent_5_after_grace_there_is_no_contract_and_nothing_is_promised(world, alice, books):
    books("acme", valid_until="2026-11-20", grace_days=7)
    incident = alice.reports("Checkout is down")
    assert (incident.engagement, incident.entitlement["plan"]) == ("unentitled", "")
    assert [reason["rule"] for reason in incident.decision["reasons"]] == ["ENT-5", "ENT-5"]
    assert not incident.clocks.exists()


def test_suspended_in_the_middle_the_open_incident_goes_on_and_renewed_it_is_flagged_no_more(world, alice, books):
    alice.reports("Checkout is down")
    due = _clock(world, "first_response").due_at
    books("acme", state="suspended")
    assert world.incident.entitlement_lapsed
    assert _clock(world, "first_response").due_at == due
    world.advance(minutes=1)
    books("acme", state="active")
    assert not world.incident.entitlement_lapsed
    assert world.timeline("entitlement_renewed")


def test_a_contract_saved_in_the_back_office_is_followed_too(world, sam, dana):
    sam.reports("Shop is down")
    contract = sam.user.contact.organization.contracts.get()
    plan_m = world.people["alice"].user.contact.organization.contracts.get().plan_version_id
    form = {
        "organization": contract.organization_id,
        "plan_version": plan_m,
        "state": "active",
        "valid_from": "2026-01-01",
        "grace_days": 7,
    }
    dana.post(f"/admin/supportdesk/contract/{contract.pk}/change/", form)
    world.settle()
    assert world.incident.entitlement["plan"] == "M"


def test_dates_that_are_taken_back_bring_nothing_about(world, alice, books):
    books("acme", valid_until="2026-11-29", grace_days=0)
    books("acme", valid_until=None)
    armed = Timer.objects.filter(run="incidents.tasks.follow_contract", state="armed")
    assert not armed.exists()


# --- goodwill (ENT-12) -----------------------------------------------------------------------------------------------


def test_ent_12_dana_makes_an_exception_for_sam(world, sam, bob, dana):
    sam.reports("Shop is down")
    assert not bob.is_paged
    dana.presses_button("goodwill", scope=["page", "24x7"], reason=WHY, hours="8")
    assert _pages(bob, reason="primary") == 1
    assert world.incident.engagement == "now"
    assert "As an exception, Dana Petrova arranged" in sam.mail
    assert WHY not in sam.mail
    assert WHY not in sam.reads(f"/portal/incidents/{world.incident.pk}/")
    clock = _clock(world, "first_response")
    assert (clock.promise, clock.is_counted) == ("objective", False)
    assert clock.due_at == world.now + timedelta(hours=1), "the targets stay those of plan S"
    entry = AuditEntry.objects.get(verb="grant_goodwill")
    assert (entry.actor, entry.reason, entry.after["scope"]) == ("Dana Petrova", WHY, ["page", "24x7"])


def test_an_exception_ends_by_itself_and_the_contract_holds_again(world, sam, bob, dana):
    sam.reports("Shop is down")
    dana.presses_button("goodwill", scope=["24x7"], reason=WHY, hours="4")
    world.advance(hours=4)
    incident = world.incident
    assert (incident.engagement, incident.queued_until) == ("queued", datetime(2026, 11, 30, 8, tzinfo=UTC))
    assert "the exception has ended" in sam.mail.lower()
    assert _clock(world, "first_response", 2).due_at == datetime(2026, 11, 30, 9, tzinfo=UTC)
    assert _clock(world, "first_response", 2).is_counted


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"scope": ["page"], "reason": "short", "hours": "8"}, "at least 20 characters"),
        ({"scope": ["cake"], "reason": WHY, "hours": "8"}, "Choose from"),
        ({"scope": [], "reason": WHY, "hours": "8"}, "Choose from"),
        ({"scope": ["page"], "reason": WHY, "hours": "25"}, "not one of the choices"),
    ],
)
def test_an_exception_has_a_reason_a_scope_and_an_end_within_24_hours(world, sam, dana, said, words):
    sam.reports("Shop is down")
    assert words in dana.is_refused(f"/console/incidents/{world.incident.pk}/goodwill/", said)
    assert not GoodwillGrant.objects.exists()


def test_an_engineer_grants_no_exceptions_and_nobody_rewrites_one(world, sam, bob, dana):
    sam.reports("Shop is down")
    said = {"scope": ["page"], "reason": WHY, "hours": "8"}
    assert "may not" in bob.is_refused(f"/console/incidents/{world.incident.pk}/goodwill/", said)
    dana.presses_button("goodwill", **said)
    with pytest.raises(IntegrityError), transaction.atomic():
        GoodwillGrant.objects.update(reason="another one")


def test_the_third_exception_holds_at_once_and_wants_a_second_name_afterwards(world, sam, dana, bob):
    for number in range(3):
        sam.reports(f"Shop is down, {number}")
        dana.presses_button("goodwill", scope=["page"], reason=WHY, hours="8")
        assert world.incident.engagement == "now"
    (asked,) = FollowUp.objects.filter(kind="goodwill")
    assert "Exception 3 for Smallco in twelve months" in dana.reads("/console/follow-ups/")
    refusal = dana.is_refused(f"/console/follow-ups/{asked.pk}/done/", {"answer": "Fine by me."})
    assert "another manager" in refusal
    bob.user.role = "manager"
    bob.user.save()
    bob.post(f"/console/follow-ups/{asked.pk}/done/", {"answer": "Agreed, I would have done the same."})
    asked.refresh_from_db()
    assert asked.done_by == bob.user


# --- severity claims (ENT-11, ENT-13, ENT-14) ------------------------------------------------------------------------


@pytest.fixture
def lowered(world, alice, bob):
    """Bob lowered alice's P1, with a reason she reads."""
    alice.reports("Checkout is down")
    bob.acknowledges()
    bob.presses_button("severity", severity="P3", reason="Only the preview shop is affected.")
    assert "Only the preview shop is affected." in alice.mail
    return world.incident


def test_ent_13_alice_disputes_and_the_higher_severity_stands_until_dana_decides(world, lowered, alice, dana, bob):
    before = _pages(dana, reason="dispute")
    alice.presses_button("dispute", text="No: the real shop is down as well.")
    assert world.incident.severity == "P1"
    assert _pages(dana, reason="dispute") == before + 1
    world.advance(minutes=30)
    assert _pages(dana, reason="dispute") == before + 2, "half an hour is over and nobody has decided"
    assert world.timeline("dispute_overdue")
    assert "until you decide" in dana.reads(f"/console/incidents/{lowered.pk}/")
    assert "until a manager decides" in bob.reads(f"/console/incidents/{lowered.pk}/")
    dana.presses_button("decide-dispute", decision="uphold", reason="We saw it in the logs.")
    assert world.incident.severity == "P1"
    assert "You were right" in alice.mail
    world.advance(minutes=60)
    assert _pages(dana, reason="dispute") == before + 2


def test_dana_decides_against_it_and_it_is_lowered(world, lowered, alice, dana):
    alice.presses_button("dispute", text="It is worse than that.")
    dana.presses_button("decide-dispute", decision="lower", reason="Orders go through, we watched twenty of them.")
    assert world.incident.severity == "P3"
    assert "Orders go through" in alice.mail
    refusal = alice.is_refused(f"/portal/incidents/{lowered.pk}/dispute/", {"text": "Still."})
    assert "a manager has decided" in refusal


def test_while_it_is_disputed_nobody_lowers_it_again(world, lowered, alice, bob):
    alice.presses_button("dispute", text="It is worse than that.")
    said = {"severity": "P4", "reason": "no", "code": "not_ours"}
    assert "until a manager decides" in bob.is_refused(f"/console/incidents/{lowered.pk}/severity/", said)


def test_what_was_never_lowered_cannot_be_disputed(world, alice):
    alice.reports("Checkout is down")
    assert "was not lowered" in alice.is_refused(f"/portal/incidents/{world.incident.pk}/dispute/", {"text": "Hm."})
    assert "I see it differently" not in alice.reads(f"/portal/incidents/{world.incident.pk}/")


def test_ent_14_customers_whose_claims_are_mostly_lowered_get_a_talk_and_every_page(world, alice, bob, dana):
    for number in range(4):
        alice.reports(f"Checkout is down, {number}")
        rung = Page.objects.filter(incident=world.incident, planned_at=world.now)
        assert rung.exists(), "a claim is paged for at once, whatever became of the last ones"
        bob.acknowledges()
        if number < 3:
            bob.presses_button("severity", severity="P3", reason="A few baskets only.")
    (asked,) = FollowUp.objects.filter(kind="claims")
    assert asked.assignee == dana.user
    assert "3 of 3 critical reports of Acme" in asked.text


# --- promises agreed anew (SLA-1, SLA-15, SLA-16) --------------------------------------------------------------------


@pytest.fixture
def long_one(world, alice, bob):
    """Two hours into a P1, with an update every quarter of an hour."""
    alice.reports("Checkout is down")
    bob.acknowledges()
    bob.presses_button("claim")
    for _ in range(9):
        bob.presses_button("update", state="Still broken.", doing="Still mending.")
        world.advance(minutes=14)
    return world.incident


def test_sla_16_after_two_hours_bob_and_alice_agree_on_fewer_updates(world, long_one, alice, bob):
    last = world.incident.clocks.filter(kind="next_update").latest("cycle")
    assert last.due_at - last.started_at == timedelta(minutes=15)
    bob.presses_button("claim")
    bob.presses_button("cadence", minutes="60", agreement="Alice Moreau, on the call.")
    assert _clock(world, "next_update", last.cycle).due_at == last.started_at + timedelta(minutes=60)
    assert "every 1 h" in alice.mail
    event = long_one.clock_events.get(kind="cadence_agreed")
    assert event.data["interval"] == 3600
    assert "Alice Moreau, on the call." in bob.reads(f"/console/incidents/{long_one.pk}/evidence/")


def test_before_two_hours_the_rhythm_stays(world, alice, bob):
    alice.reports("Checkout is down")
    bob.acknowledges()
    bob.presses_button("claim")
    said = {"minutes": "60", "agreement": "Alice said so."}
    assert "two hours" in bob.is_refused(f"/console/incidents/{world.incident.pk}/cadence/", said)


def test_sla_1_the_received_time_moves_earlier_and_never_later(world, alice, bob):
    alice.reports("Checkout is down")
    before = world.incident.received_at
    earlier = (before - timedelta(minutes=7)).isoformat()
    bob.presses_button("received", received_at=earlier, reason="Alice left a voicemail first.")
    assert world.incident.received_at == before - timedelta(minutes=7)
    assert _clock(world, "first_response").due_at == before + timedelta(minutes=3)
    later = {"received_at": before.isoformat(), "reason": "no"}
    assert "never later" in bob.is_refused(f"/console/incidents/{world.incident.pk}/received/", later)
    assert AuditEntry.objects.get(verb="move_received").reason == "Alice left a voicemail first."


def test_sla_15_a_miss_is_excused_by_a_manager_and_stays_a_miss(world, alice, bob, dana):
    alice.reports("Checkout is down")
    world.advance(minutes=12)
    bob.writes("We are on it.")
    breach = world.incident.breaches.get(kind="first_response")
    assert (breach.due_at, breach.satisfied_at) == (breach.due_at, world.now)
    assert "2 min late. We are sorry." in alice.mail, "the customer is told with the next message"
    said = {"breach": breach.pk, "category": "measured_wrong", "text": "We called her at 03:12."}
    assert "may not" in bob.is_refused(f"/console/incidents/{world.incident.pk}/excuse/", said)
    dana.presses_button("excuse", **said)
    breach.refresh_from_db()
    assert (breach.is_excused, breach.is_counted, breach.excused_by) == (True, True, dana.user)
    with pytest.raises(IntegrityError), transaction.atomic():
        breach.delete()


# --- our own trouble (ENT-9) -----------------------------------------------------------------------------------------


def _own_trouble(bob):
    bob.post("/console/declare/", {"title": "Search is down", "impact": 1, "urgency": 1, "service": _search().pk})
    bob.world.settle()
    return bob.world.incident


def _search():
    return Service.objects.get(slug="search")


def test_ent_9_sams_report_hangs_on_our_own_incident_and_he_reads_its_notices(world, sam, bob):
    """The master is worked around the clock by our policy; sam's own clocks follow his plan."""
    master = _own_trouble(bob)
    assert (master.organization, master.engagement) == (None, "now")
    incident = sam.reports("Nothing is found", service=_search().pk)
    assert (incident.master, incident.engagement) == (master, "queued")
    assert _clock(world, "first_response").due_at == datetime(2026, 11, 30, 9, tzinfo=UTC)
    bob.presses_button("notice", master, page=str(StatusPage.objects.get(slug="status").pk))
    notice = Notice.objects.get(incident=master)
    bob.post(f"/console/status/{notice.pk}/post/", {"text": "The index is being rebuilt.", "state": "identified"})
    world.settle()
    assert "The index is being rebuilt." in sam.mail
    assert "The index is being rebuilt." in sam.reads(f"/portal/incidents/{incident.pk}/")
    assert not _clock(world, "first_response").satisfied_at, "a notice satisfies no clock"


def test_reports_that_came_first_are_linked_when_we_see_it_ourselves(world, sam, mallory, bob):
    mine = sam.reports("Nothing is found", service=_search().pk)
    other = mallory.reports("Labels are empty", impact="limited", urgency="normal")
    master = _own_trouble(bob)
    mine.refresh_from_db()
    other.refresh_from_db()
    assert (mine.master, other.master) == (master, None)

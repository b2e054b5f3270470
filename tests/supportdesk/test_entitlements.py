"""ENT-1 … ENT-14 as pure rules: which contract holds, what it gives, and what happens with an incident under it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from supportdesk.calendars import ALWAYS, Calendar, is_open
from supportdesk.entitlements import (
    Claim,
    Contract,
    ContractState,
    Coverage,
    Engagement,
    Entitlement,
    Feature,
    Goodwill,
    Hours,
    Level,
    Plan,
    claims_stand_out,
    decide,
    is_better,
    is_worse,
    resolve,
)
from supportdesk.organizations.catalogue import PLANS
from tests.vectors import calendar_spec

AWKWARD = ("Australia/Lord_Howe", "Pacific/Chatham", "Africa/Cairo", "America/Santiago", "America/St_Johns")
HOUR, MINUTE, DAY = timedelta(hours=1), timedelta(minutes=1), timedelta(days=1)
BER, BER10 = (Calendar.from_spec(calendar_spec(name)) for name in ("BER", "BER10"))
HOURS = Hours(business=BER, extended=BER10)


def plan(code: str, version: int = 1) -> Plan:
    spec = PLANS[code]
    return Plan(
        code,
        spec["name"],
        version,
        {severity: Level.from_spec(level) for severity, level in spec["levels"].items()},
        frozenset(spec["features"]),
        tuple(spec["channels"]),
    )


XS, S, M = plan("XS"), plan("S"), plan("M")


def contract(number: int, of: Plan, begins: str = "2026-01-01", ends: str | None = None, **more: object) -> Contract:
    return Contract(number, of, date.fromisoformat(begins), date.fromisoformat(ends) if ends else None, **more)  # type: ignore[arg-type]


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def owed(*contracts: Contract, when: str = "2026-06-12T19:00:00Z", zone: str = "Europe/Berlin") -> Entitlement:
    return resolve(contracts, zone=zone, hours=HOURS, at=at(when))


def rules(entitlement: Entitlement) -> list[str]:
    return [reason.rule for reason in entitlement.reasons]


# --- the catalogue (§2.1) --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("of", "severity", "coverage", "first", "update", "mitigated", "solved"),
    [
        (XS, "P1", "business", 4 * HOUR, None, None, None),
        (XS, "P2", "business", 8 * HOUR, None, None, None),
        (XS, "P3", "business", 16 * HOUR, None, None, None),
        (XS, "P4", "business", None, None, None, None),
        (S, "P1", "business", 1 * HOUR, 2 * HOUR, None, 8 * HOUR),
        (S, "P2", "business", 2 * HOUR, 4 * HOUR, None, 16 * HOUR),
        (S, "P3", "business", 8 * HOUR, 16 * HOUR, None, None),
        (S, "P4", "business", 16 * HOUR, None, None, None),
        (M, "P1", "24x7", 10 * MINUTE, 15 * MINUTE, 30 * MINUTE, 4 * HOUR),
        (M, "P2", "24x7", 30 * MINUTE, 60 * MINUTE, None, 8 * HOUR),
        (M, "P3", "extended", 4 * HOUR, 8 * HOUR, None, 40 * HOUR),
        (M, "P4", "extended", 8 * HOUR, 40 * HOUR, None, None),
    ],
)
def test_d2_the_shipped_plans_promise_what_the_catalogue_says(of, severity, coverage, first, update, mitigated, solved):
    assert of.levels[severity] == Level(Coverage(coverage), first, update, mitigated, solved)


def test_only_plan_m_carries_24x7_the_phone_and_the_war_room():
    assert [p.has_24x7() for p in (XS, S, M)] == [False, False, True]
    for feature in (Feature.EMERGENCY_PHONE, Feature.WAR_ROOM, Feature.PRIVATE_STATUS_PAGE, Feature.REPORT_ALWAYS):
        assert [feature in p.features for p in (XS, S, M)] == [False, False, True]


@pytest.mark.parametrize("kept", [XS, S, M])
def test_a_plan_survives_being_stored(kept):
    assert Plan.from_spec(kept.to_spec()) == kept


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ({"coverage": "24x7", "first_respones": 60}, "first_respones"),
        ({"coverage": "24x7", "first_response": 0}, "positive"),
        ({"coverage": "24x7", "first_response": True}, "positive"),
        ({"coverage": "24x7", "first_response": "60"}, "positive"),
        ({"coverage": "nights"}, "nights"),
    ],
)
def test_a_bad_level_says_what_is_wrong(spec, words):
    with pytest.raises(ValueError, match=words):
        Level.from_spec(spec)


# --- which contract holds (ENT-1 … ENT-5) ----------------------------------------------------------------------------


def test_ent_1_the_contract_that_covers_the_instant_holds_and_its_snapshot_can_be_kept():
    found = owed(contract(1, XS, ends="2026-05-31"), contract(2, S, "2026-06-01"))
    assert (found.contract_id, found.plan, rules(found)) == (2, S, ["ENT-1"])
    assert Entitlement.from_spec(found.to_spec()) == found


@pytest.mark.parametrize(
    ("zone", "ends"), [("Australia/Sydney", "2026-12-31T13:00:00Z"), ("America/New_York", "2027-01-01T05:00:00Z")]
)
def test_ent_2_s16_validity_is_local_and_the_last_day_is_covered_whole(zone, ends):
    terms = contract(1, M, ends="2026-12-31")
    end = at(ends)
    assert terms.ends(zone) == end
    last = resolve([terms], zone=zone, hours=HOURS, at=end - timedelta(seconds=1))
    then = resolve([terms], zone=zone, hours=HOURS, at=end)
    assert (last.state, then.state) == (ContractState.ACTIVE, ContractState.GRACE)
    assert then.plan == M, "in grace the service stays the same"


def test_grace_is_seven_local_days_and_then_there_is_nothing():
    terms = contract(1, M, ends="2026-03-26")  # Berlin's clocks jump on the 29th: the seven days have 167 hours
    over = at("2026-04-02T22:00:00Z")
    assert terms.grace_ends("Europe/Berlin") == over
    assert terms.state_at(over - timedelta(seconds=1), "Europe/Berlin") is ContractState.GRACE
    assert terms.state_at(over, "Europe/Berlin") is ContractState.EXPIRED


def test_ent_3_the_hours_are_the_customers_own_a_severity_takes_those_of_its_coverage():
    held = owed(contract(1, M))
    assert [held.calendar(severity) for severity in ("P1", "P2", "P3", "P4")] == [ALWAYS, ALWAYS, BER10, BER10]
    assert owed(contract(1, S)).calendar("P1") == BER


@pytest.mark.parametrize(
    ("first", "second", "wins", "why"),
    [
        (M, S, 1, "includes 24×7"),
        (S, M, 2, "includes 24×7"),
        (XS, S, 2, "answers a P1 sooner"),
        (S, plan("S", 2), 2, "is the newer one"),
    ],
)
def test_ent_4_of_two_that_overlap_the_better_one_wins_and_says_why(first, second, wins, why):
    found = owed(contract(1, first), contract(2, second))
    assert found.contract_id == wins
    assert rules(found) == ["ENT-1", "ENT-4"]
    assert why in found.reasons[1].text


def test_an_active_contract_goes_before_a_better_one_in_its_grace():
    found = owed(contract(1, M, ends="2026-06-10"), contract(2, S))
    assert (found.contract_id, found.state) == (2, ContractState.ACTIVE)


@pytest.mark.parametrize(
    ("held", "words"),
    [
        ((), "no contract"),
        ((contract(1, M, "2026-07-01"),), "has not begun"),
        ((contract(1, M, ends="2026-05-31"),), "grace period is over"),
        ((contract(1, M, state=ContractState.SUSPENDED),), "suspended"),
        ((contract(1, M, state=ContractState.TERMINATED),), "terminated"),
        ((contract(1, M, state=ContractState.DRAFT),), "has not begun"),
    ],
)
def test_ent_5_without_a_contract_it_is_kept_without_clocks_and_says_why(held, words):
    found = owed(*held)
    decision = decide(found, "P1", at("2026-06-12T19:00:00Z"))
    assert (found.plan, rules(found)) == (None, ["ENT-5"])
    assert words in found.reasons[0].text
    assert (decision.engagement, decision.pages, decision.first_response_due) == (Engagement.UNENTITLED, False, None)


@settings(max_examples=60, deadline=None)
@given(
    zone=st.sampled_from(AWKWARD),
    first=st.dates(date(2024, 1, 1), date(2029, 12, 1)),
    days=st.integers(0, 400),
    grace=st.integers(0, 30),
)
def test_validity_is_whole_local_days_in_every_zone(zone, first, days, grace):
    terms = Contract(1, M, first, first + days * DAY, grace=grace * DAY)
    begins, ends, over = terms.begins(zone), terms.ends(zone), terms.grace_ends(zone)
    assert ends is not None
    assert over is not None
    assert begins < ends <= over
    tz = ZoneInfo(zone)
    for instant, day in ((begins, first), (ends, first + (days + 1) * DAY), (over, first + (days + 1 + grace) * DAY)):
        local, before = instant.astimezone(tz), (instant - timedelta(seconds=1)).astimezone(tz)
        assert local.date() == day
        assert before.date() == day - DAY
        assert local.time() == time(0) or local.utcoffset() != before.utcoffset(), "midnight, or the end of the gap"
    assert terms.state_at(begins, zone) is ContractState.ACTIVE
    assert terms.state_at(begins - timedelta(seconds=1), zone) is ContractState.DRAFT
    assert terms.state_at(ends - timedelta(seconds=1), zone) is ContractState.ACTIVE
    assert terms.state_at(over, zone) is ContractState.EXPIRED
    assert set(terms.boundaries(zone).values()) == {begins, ends, over}


# --- what happens with an incident (ENT-6 … ENT-13) ------------------------------------------------------------------

NIGHT = at("2026-06-12T19:00:00Z")  # Friday 21:00 in Berlin
NOON = at("2026-06-12T10:00:00Z")


def test_ent_6_outside_its_hours_an_incident_waits_for_the_opening_and_wakes_nobody():
    decision = decide(owed(contract(1, S)), "P1", NIGHT)
    assert (decision.engagement, decision.pages, decision.war_room) == (Engagement.QUEUED, False, False)
    assert decision.opens_at == at("2026-06-15T07:00:00Z")
    assert decision.first_response_due == at("2026-06-15T08:00:00Z")


def test_s24_queued_on_the_night_that_has_two_o_clock_twice_the_wait_is_real_time():
    for received, wait in (("2026-10-25T00:15:00Z", 31 * HOUR + 45 * MINUTE), ("2026-10-25T01:15:00Z", 30.75 * HOUR)):
        decision = decide(owed(contract(1, S), when=received), "P1", at(received))
        assert decision.opens_at == at("2026-10-26T08:00:00Z")
        assert decision.opens_at - at(received) == wait


def test_in_its_hours_it_is_worked_now_and_p4_wakes_nobody():
    assert decide(owed(contract(1, S)), "P1", NOON).pages
    quiet = decide(owed(contract(1, S)), "P4", NOON)
    assert (quiet.engagement, quiet.pages) == (Engagement.NOW, False)


def test_d1_ent_11_the_plan_decides_the_service_and_never_the_severity():
    decision = decide(owed(contract(1, XS)), "P1", NIGHT)
    assert (decision.severity, decision.plan, decision.engagement) == ("P1", "XS Starter v1", Engagement.QUEUED)


def test_ent_13_an_entitled_claim_is_paged_first_and_judged_later():
    decision = decide(owed(contract(1, M)), "P1", NIGHT)
    assert (decision.pages, decision.war_room, decision.opens_at) == (True, True, None)
    assert decision.first_response_due == NIGHT + 10 * MINUTE
    assert "ENT-13" in {reason.rule for reason in decision.reasons}


@pytest.mark.parametrize("held", [(), (contract(1, XS),), (contract(1, S),)])
def test_ent_10_data_loss_reaches_the_duty_manager_whatever_the_plan_and_promises_nothing(held):
    with_care, without = (decide(owed(*held), "P1", NIGHT, duty_of_care=care) for care in (True, False))
    assert with_care.pages_duty_manager
    assert not without.pages_duty_manager
    assert with_care.first_response_due == without.first_response_due
    assert not with_care.pages


def test_ent_12_an_exception_pages_and_opens_what_it_says_until_it_ends():
    grant = Goodwill(frozenset({"page", "24x7", "war_room"}), NIGHT + 8 * HOUR, "Dana Petrova")
    held = owed(contract(1, S))
    now = decide(held, "P1", NIGHT, goodwill=grant)
    assert (now.engagement, now.pages, now.war_room) == (Engagement.NOW, True, True)
    assert now.first_response_due == NIGHT + 1 * HOUR
    assert "Dana Petrova granted an exception" in now.reasons[-1].text
    assert decide(held, "P1", NIGHT + 8 * HOUR, goodwill=grant).engagement is Engagement.QUEUED


def test_hours_that_never_come_are_told_to_the_duty_manager():
    shut = Calendar.from_spec({"time_zone": "UTC", "weekly": {}})
    held = replace(owed(contract(1, S)), hours=Hours(shut, shut))
    decision = decide(held, "P1", NIGHT)
    assert (decision.engagement, decision.opens_at, decision.pages_duty_manager) == (Engagement.QUEUED, None, True)


@settings(max_examples=100, deadline=None)
@given(
    of=st.sampled_from((XS, S, M)),
    severity=st.sampled_from(("P1", "P2", "P3", "P4")),
    moment=st.datetimes(datetime(2026, 1, 1), datetime(2028, 1, 1), timezones=st.just(UTC)),
    care=st.booleans(),
)
def test_whatever_is_decided_agrees_with_the_hours_and_gives_its_reasons(of, severity, moment, care):
    moment = moment.replace(microsecond=0)
    held = resolve([contract(1, of, "2025-01-01")], zone="Europe/Berlin", hours=HOURS, at=moment)
    decision = decide(held, severity, moment, duty_of_care=care)
    open_now = is_open(held.calendar(severity), moment)
    assert (decision.engagement is Engagement.NOW) == open_now
    assert not (decision.pages and not open_now), "nobody is woken outside the hours that were bought"
    assert (decision.opens_at is None) == open_now
    assert decision.opens_at is None or (
        decision.opens_at > moment and is_open(held.calendar(severity), decision.opens_at)
    )
    assert decision.pages_duty_manager == (care and not decision.pages)
    assert decision.war_room == (of is M and severity == "P1")
    assert len(decision.reasons) >= 2
    assert all(reason.rule.startswith("ENT-") and reason.text for reason in decision.reasons)


# --- better and worse (§2.4) -----------------------------------------------------------------------------------------


def test_an_upgrade_is_what_does_more_for_a_p1_and_anything_is_better_than_nothing():
    ladder = [owed(), owed(contract(1, XS)), owed(contract(1, S)), owed(contract(1, M))]
    for low, worse in enumerate(ladder):
        for high, better in enumerate(ladder):
            assert is_better(better, worse) == (high > low)
            assert is_worse(worse, better) == (high > low)


def test_the_same_plan_in_its_grace_gives_less_and_is_no_upgrade():
    active, grace = owed(contract(1, M)), owed(contract(1, M, ends="2026-06-10"))
    assert is_worse(grace, active)
    assert not is_better(grace, active)
    assert not is_better(active, grace)


# --- claims (ENT-14) -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lowered", "kept", "stands_out"), [(2, 0, False), (3, 0, True), (3, 3, True), (3, 4, False), (10, 11, False)]
)
def test_ent_14_three_lowered_claims_and_half_of_all_in_ninety_days(lowered, kept, stands_out):
    claims = [Claim(NOON - DAY, True)] * lowered + [Claim(NOON - DAY, False)] * kept
    assert claims_stand_out(claims, NOON) is stands_out


def test_claims_older_than_ninety_days_are_forgotten():
    old = [Claim(NOON - 90 * DAY, True)] * 3
    assert not claims_stand_out(old, NOON)
    assert claims_stand_out(old, NOON - timedelta(seconds=1))

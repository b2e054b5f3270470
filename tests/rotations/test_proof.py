"""The coverage proof, told link by link: what breaks, from which minute on, and who can mend it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from rotations import bound
from rotations.escalation import Policy, Step, Target
from rotations.escalation.defaults import DEFAULTS, P1
from rotations.escalation.policy import Kind, Pager
from rotations.proof import Claim, Evidence, Failure, Link, Proof, Roster, Weakness
from rotations.proof.firings import Course, Firing, Rung
from rotations.proof.links import Judge
from rotations.proof.meant import Meant
from rotations.responders import EMERGENCY
from rotations.rules import BACKUP, Leave, Override, Rules
from rotations.schedule import Schedule
from supportdesk.accounts.reach import Attempt, Method
from tests.rotations.proof_cast import START, claim, evidence, person, proof
from tests.rotations.schedule_cast import at, follow_the_sun, layer, rotation, tight

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def team(ring: str = "bob carol", **changes: object) -> Rules:
    """One ring around the clock, handed over every day at nine in Berlin."""
    turns = layer("Team", "Europe/Berlin", rotation("daily", "2026-02-02T09:00", ring))
    return Rules((turns,), **changes)


def first(given: Evidence, *claims: Claim) -> Failure:
    """The first failure; the proof must fail."""
    found = proof(given, *claims).first
    assert found is not None
    return found


def steps(*steps: tuple[str, int]) -> Policy:
    """A policy in few words: targets of each step, and the minutes it waits."""
    made = [Step(tuple(map(Target.parse, targets.split())), timedelta(minutes=wait)) for targets, wait in steps]
    return Policy("Made up", 1, tuple(made))


# --- it holds --------------------------------------------------------------------------------------------------------


def test_the_shipped_schedule_is_certified_over_both_changes_of_clock() -> None:
    """R-09: no gap, a backup who differs, everybody reachable. March to March is 400 days."""
    outcome = proof(evidence(follow_the_sun()), claim("P1", 400), claim("P2", 400), days=400)
    assert outcome.holds
    assert outcome.first is None
    certificate = outcome.certificate
    assert certificate is not None
    assert (certificate.claims, certificate.organizations) == (2, 1)
    assert (certificate.start, certificate.end) == (START, START + 400 * DAY)
    assert certificate.stamps["schedule Platform"] == "v1"


def test_nothing_promised_is_nothing_broken() -> None:
    outcome = Proof(START, START + DAY, ())
    assert outcome.holds
    assert outcome.certificate is not None
    assert outcome.certificate.claims == 0


def test_a_proof_needs_a_stretch_of_time() -> None:
    with pytest.raises(ValueError, match="stretch"):
        proof(evidence(team()), claim(days=0), days=0)


# --- it fails, link by link ------------------------------------------------------------------------------------------


def test_contract_hours_that_never_come_are_the_account_managers_to_mend() -> None:
    found = first(evidence(team()), claim(problem="P3 is worked in hours that never come."))
    assert (found.link, found.at, found.menders) == (Link.CONTRACT, START, ("dana",))


def test_a_severity_without_a_policy_is_the_managers_to_mend() -> None:
    found = first(evidence(team()), claim(policy=None))
    assert (found.link, found.menders) == (Link.POLICY, ("hana",))
    assert found.text == "No escalation rule covers P1 of Acme on plan M Mission-critical v1."


def test_a_policy_slower_than_the_promise_is_shown_with_its_arithmetic() -> None:
    """ESC-1: five minutes a step is rejected for a ten-minute promise."""
    slow = replace(P1, steps=tuple(replace(step, delay=5 * MINUTE) for step in P1.steps))
    found = first(evidence(team(), {1: slow}))
    assert (found.link, found.menders) == (Link.BOUND, ("hana",))
    assert "Step 4 at T+15:00 = 5:00 + 5:00 + 5:00" in found.text
    assert "80 % of the first-response target of 10:00 is T+8:00: too late" in found.text


def test_a_first_step_that_tells_channels_only_is_no_page() -> None:
    found = first(evidence(team(), {1: steps(("channel:#ops", 1), ("primary", 1))}))
    assert found.link is Link.STEP
    assert "tells channels only" in found.text


def test_a_policy_whose_every_step_has_a_condition_has_hours_without_any() -> None:
    weekdays = {"targets": ["primary"], "delay_seconds": 60, "condition": {"weekdays": [0, 1, 2, 3, 4]}}
    found = first(evidence(team(), {1: Policy.from_spec({"name": "Weekdays", "steps": [weekdays]})}))
    assert (found.link, found.at) == (Link.STEP, START)  # 1 March 2026 is a Sunday
    assert found.until == at("2026-03-02T00:00:00Z")


def test_a_gap_is_found_to_the_minute() -> None:
    """R-10: tight windows leave the hour before midnight open from the day America changes its clocks."""
    outcome = proof(evidence(tight()), claim(days=400), days=400)
    found = outcome.first
    assert found is not None
    assert (found.link, found.at, found.until) == (
        Link.SCHEDULE, at("2026-03-08T23:00:00Z"), at("2026-03-09T00:00:00Z"))  # fmt: skip
    assert found.text == "Nobody is planned as primary of Platform."
    assert found.menders == ("hana",)
    assert outcome.verdicts[0].failing >= 238 * HOUR  # and some of March 2027


def test_leave_that_nobody_covers_names_who_is_away() -> None:
    away = Leave("bob", START + 10 * HOUR, START + 12 * HOUR)
    found = first(evidence(team("bob", leave=(away,))))
    assert (found.link, found.at, found.until) == (Link.LEAVE, away.start, away.end)
    assert found.text == "Bob is away and nobody else can take primary of Platform."
    assert "override or a swap" in found.remedy


def test_two_people_on_leave_at_once_are_both_named() -> None:
    away = tuple(Leave(name, START + 10 * HOUR, START + 12 * HOUR) for name in ("bob", "carol"))
    assert "are away" in first(evidence(team(leave=away))).text


def test_leave_that_the_ring_covers_breaks_nothing_but_leaves_no_backup() -> None:
    away = Leave("bob", START, START + 30 * DAY)
    outcome = proof(evidence(team(leave=(away,))))
    assert outcome.holds
    assert Weakness.THIN in {caution.kind for caution in outcome.warnings}


def test_a_primary_who_left_is_found_as_a_person() -> None:
    found = first(evidence(team("bob"), people=[person("bob", is_active=False)]))
    assert (found.link, found.text) == (Link.PERSON, "Bob is no longer active.")
    assert found.menders == ("hana",)


def test_a_ring_of_people_who_left_is_found_as_a_person() -> None:
    found = first(evidence(team("bob", inactive=frozenset({"bob"}))))
    assert found.link is Link.PERSON
    assert found.text == "Bob is no longer active and nobody else can take primary of Platform."


def test_a_primary_without_a_verified_method_can_mend_it_themselves() -> None:
    found = first(evidence(team("bob"), people=[person("bob", "", is_verified=False)]))
    assert (found.link, found.menders) == (Link.METHOD, ("bob", "hana"))
    assert found.text == "Bob has no verified contact method."


def test_a_method_the_desk_is_not_connected_to_is_the_managers_to_mend() -> None:
    found = first(evidence(team("bob"), people=[person("bob", "")]))
    assert (found.link, found.menders) == (Link.METHOD, ("hana",))


def test_only_a_phone_rings_nothing_for_a_p3() -> None:
    found = first(evidence(team("bob"), people=[person("bob", "phone")]), claim("P3"))
    assert (found.link, found.text) == (Link.METHOD, "A P3 page rings nothing at Bob: they have phone only.")


def test_the_pager_of_record_must_be_connected() -> None:
    policy = replace(steps(("primary pagerduty", 1)), pager=Pager.PAGERDUTY)
    found = first(evidence(team(), {1: policy}))
    assert found.link is Link.METHOD
    assert "the desk is not connected to it" in found.text
    assert proof(evidence(team(), {1: policy}, has_pagerduty=True)).holds


def test_a_backup_who_is_the_primary_is_found_although_schedules_never_make_one() -> None:
    """ROT-6 forbids it; the proof does not take its word for it."""
    standing = layer("Standing", "UTC", rotation("weekly", "2026-01-05T00:00", "bob"), slot=BACKUP)
    given = evidence(Rules((*team("bob").layers, standing)))
    assert proof(given, claim(days=2), days=2).holds
    judge = Judge(given, given.ladders[1], "P1", None, START)
    bob = Meant(("bob",))
    rings_bob = Firing(1, timedelta(0), Rung(True, (("bob", Kind.PRIMARY),)), None)
    (broken,) = judge.judge(Course(START, START + DAY, (rings_bob,), (bob, bob), "dana")).broken
    assert (broken.link, broken.menders) == (Link.BACKUP, ("hana",))
    assert broken.text == "Bob is primary and backup of Platform at once."


def test_a_last_resort_who_cannot_be_called_is_broken() -> None:
    given = evidence(team(), people=[person("dana", "email")])
    found = first(given)
    assert (found.link, found.menders) == (Link.FALLBACK, ("hana",))
    assert "Dana is the last resort of Platform, and cannot be called" in found.text


def test_without_fallback_duty_manager_or_number_there_is_no_last_resort() -> None:
    given = evidence(team(), has_emergency_number=False)
    bare = replace(given, rosters={"platform": Roster("Platform", Schedule(team()))})
    found = first(bare)
    assert (found.link, found.menders) == (Link.FALLBACK, ("hana",))
    assert "has no last resort" in found.text


def test_a_policy_that_leads_only_to_a_missing_emergency_number_rings_nothing() -> None:
    given = evidence(team(), {1: steps(("manager", 1))}, has_emergency_number=False)
    bare = replace(given, rosters={"platform": Roster("Platform", Schedule(team()))})
    assert {failure.link for failure in proof(bare).verdicts[0].failures} == {Link.METHOD, Link.FALLBACK}


def test_own_rules_that_wait_too_long_break_the_bound() -> None:
    sms = Method("sms", "bob-sms")
    slow = person("bob", important=(Attempt(sms, 9 * MINUTE),))
    found = first(evidence(team("bob"), {1: steps(("primary", 1))}, [slow]))
    assert found.link is Link.BOUND
    assert "rung at T+9:03 at the latest" in found.text


# --- what fails first, and for whom ----------------------------------------------------------------------------------


def test_of_two_failures_at_one_instant_the_one_nearest_the_contract_comes_first() -> None:
    given = evidence(team("bob"), people=[person("bob", is_active=False), person("dana", "email")])
    assert first(given).link is Link.PERSON


def test_a_gap_outside_the_promised_hours_breaks_nothing() -> None:
    away = Leave("bob", START + 2 * HOUR, START + 4 * HOUR)
    given = evidence(team("bob", leave=(away,)))
    assert proof(given, claim(windows=((START + 8 * HOUR, START + 16 * HOUR),))).holds
    inside = first(given, claim(windows=((START + 3 * HOUR, START + 16 * HOUR),)))
    assert (inside.at, inside.until) == (START + 3 * HOUR, START + 4 * HOUR)


def test_a_report_just_before_a_gap_is_judged_by_its_first_step() -> None:
    """Whoever is on duty when it comes in is rung; that a later step finds nobody is a weakness."""
    away = Leave("bob", START + 10 * HOUR, START + 12 * HOUR)
    given = evidence(team("bob", leave=(away,)), {1: steps(("primary", 5), ("primary", 5))})
    outcome = proof(given)
    assert [failure.at for failure in outcome.verdicts[0].failures] == [away.start]
    empty = next(caution for caution in outcome.warnings if caution.kind is Weakness.EMPTY_STEP)
    assert empty.at == away.start - 5 * MINUTE


def test_an_override_of_an_instant_is_enough_to_mend_a_gap() -> None:
    away = Leave("bob", START + 10 * HOUR, START + 12 * HOUR)
    cover = Override("primary", "carol", away.start, away.end)
    assert proof(evidence(team("bob", leave=(away,), overrides=(cover,)))).holds
    short = cover._replace(end=away.end - timedelta(seconds=1))
    found = first(evidence(team("bob", leave=(away,), overrides=(short,))))
    assert (found.at, found.until) == (away.end - timedelta(seconds=1), away.end)


def test_an_override_given_to_somebody_on_leave_changes_the_reason_in_the_middle_of_a_gap() -> None:
    gap = layer("Half", "UTC", rotation("daily", "2026-02-02T00:00", "bob"), "0-12")
    span = (START + 14 * HOUR, START + 16 * HOUR)
    rules = Rules((gap,), (Override("primary", "cem", *span),), (Leave("cem", *span),))
    day = ((START, START + DAY),)
    found = proof(evidence(rules), claim(windows=day)).verdicts[0].failures
    assert [(failure.link, failure.at) for failure in found] == [
        (Link.SCHEDULE, START + 12 * HOUR), (Link.LEAVE, span[0]), (Link.SCHEDULE, span[1])]  # fmt: skip


# --- the bound -------------------------------------------------------------------------------------------------------


def test_the_bound_of_the_default_policy_counts_the_lateness_once() -> None:
    """§5.1: steps at 0, 3, 6 and 8 minutes; three seconds of hand-over, and one beat of the clock later on."""
    people = proof(evidence(follow_the_sun(), duty=("platform",))).verdicts[0].people
    assert people[0] == bound.Kth(1, 1, timedelta(0), timedelta(seconds=3))
    assert (people[1].planned, people[1].latest) == (3 * MINUTE, 3 * MINUTE + timedelta(seconds=4))


def test_the_default_policies_keep_what_plan_m_promises() -> None:
    """ESC-1: the P1 table satisfies the check exactly, at eight of ten minutes."""
    checked = bound.check(P1, 10 * MINUTE, "P1", "P1 on plan M")
    assert checked.passes
    assert checked.lines[0] == "P1 on plan M: the first response is promised within 10:00."
    assert "Step 4 at T+8:00 = 3:00 + 3:00 + 2:00: persons 5 to 6 (seniors, head_of_support)." in checked.lines
    assert checked.lines[-1].endswith("everybody has been paged by T+8:04: within the promise.")
    assert bound.check(DEFAULTS["P2"], 30 * MINUTE, "P2").passes


def test_five_minutes_a_step_does_not_keep_it() -> None:
    slow = replace(P1, steps=tuple(replace(step, delay=5 * MINUTE) for step in P1.steps))
    checked = bound.check(slow, 10 * MINUTE)
    assert not checked.passes
    assert checked.lines[-1].endswith("paged by T+15:04: 5:04 after the promise.")


def test_a_step_for_other_severities_adds_no_wait() -> None:
    spec = {
        "name": "Mixed",
        "steps": [
            {"targets": ["primary"], "delay_seconds": 3600, "condition": {"severities": ["P3"]}},
            {"targets": ["primary"], "delay_seconds": 60},
        ],
    }
    assert bound.check(Policy.from_spec(spec), 10 * MINUTE, "P1").passes
    assert not bound.check(Policy.from_spec({**spec, "steps": spec["steps"] + [
        {"targets": ["backup"], "delay_seconds": 60}]}), 10 * MINUTE, "P3").passes  # fmt: skip


def test_the_vendors_pager_counts_until_ours_takes_over() -> None:
    """ESC-17: no accepted response in 20 s; from step 3 on we page ourselves."""
    policy = replace(P1, pager=Pager.PAGERDUTY, steps=(
        replace(P1.steps[0], targets=(*P1.steps[0].targets, Target(Kind.PAGERDUTY))), *P1.steps[1:]))  # fmt: skip
    people = proof(evidence(follow_the_sun(), {1: policy}, has_pagerduty=True)).verdicts[0].people
    assert people[0].latest == timedelta(seconds=23)


def test_a_page_that_rang_nothing_still_holds_back_the_next_for_a_minute() -> None:
    """ESC-6: who has only a phone is paged in vain for a P3, and spared the emergency phone that would have rung."""
    policy = steps(("primary", 0), ("person:sven", 0), ("emergency_phone", 30))
    ladders = {3: policy}
    given = evidence(team("bob"), ladders, [person("bob", "phone")], duty=("platform",))
    people = proof(given, claim("P3", policy=3)).verdicts[0].people
    assert len(people) == 1  # sven; bob is never rung in the first pass


# --- weaknesses ------------------------------------------------------------------------------------------------------


def test_a_small_team_is_warned_not_refused() -> None:
    """E-10: primary and duty manager are one person; distinct humans 2 < 3."""
    outcome = proof(evidence(team("bob carol"), {1: steps(("primary", 1), ("backup", 1))}))
    assert outcome.holds
    few = next(caution for caution in outcome.warnings if caution.kind is Weakness.FEW)
    assert few.text == "“Made up” reaches 2 different people: 2 < 3."


def test_a_primary_whom_a_p1_cannot_call_is_weak() -> None:
    """ESC-14: important rules need a phone and something silent."""
    outcome = proof(evidence(team(), people=[person("bob", "slack")]))
    silent = [caution for caution in outcome.warnings if caution.kind is Weakness.SILENT]
    assert [caution.text for caution in silent] == ["Bob is primary of Platform without a phone."]
    assert silent[0].menders == ("bob", "hana")


def test_an_untried_phone_is_weak_where_drills_are_held() -> None:
    outcome = proof(evidence(team(), drilled={"bob": START}))
    assert [c.text for c in outcome.warnings if c.kind is Weakness.UNDRILLED] == [
        "Carol, primary of Platform, has not passed a fire drill in 30 days."
    ]
    assert not [c for c in proof(evidence(team())).warnings if c.kind is Weakness.UNDRILLED]


def test_the_emergency_number_is_called_by_its_name() -> None:
    assert evidence(team()).name(EMERGENCY) == "the emergency number"


def test_two_claims_on_one_policy_are_swept_once_and_judged_apart() -> None:
    away = Leave("bob", START + 10 * HOUR, START + 12 * HOUR)
    given = evidence(team("bob", leave=(away,)))
    acme = claim()
    rival = replace(claim(windows=((START + 20 * DAY, START + 30 * DAY),)), organization="Rival")
    outcome = proof(given, acme, rival)
    assert [verdict.holds for verdict in outcome.verdicts] == [False, True]
    assert outcome.first is not None
    assert outcome.first.organization == "Acme"


def test_a_daily_gap_is_counted_whole_and_listed_in_part() -> None:
    half = layer("Half", "UTC", rotation("daily", "2026-02-02T00:00", "bob"), "0-12")
    verdict = proof(evidence(Rules((half,)))).verdicts[0]
    assert verdict.count == 90
    assert len(verdict.failures) == 50
    assert verdict.failing == 90 * 12 * HOUR


def test_texts_have_names_and_no_keys() -> None:
    """What people read has names, not keys."""
    gone = evidence(team("bob"), people=[person("bob", is_active=False)])
    assert "bob" not in first(gone).text

"""What is wrong with a schedule before it pages anybody (domain §4.2), and who carries how much (R-23)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from rotations.coverage import ON_SAVE, Action, Kind, Sweep, findings, quality
from rotations.fairness import balance, overload, shares
from rotations.fatigue import Duty
from rotations.rules import Override, Rules
from rotations.schedule import Schedule
from tests.rotations.schedule_cast import (
    BERLIN,
    at,
    follow_the_sun,
    layer,
    rotation,
    tight,
    week_of_three,
    weekly,
)

FEBRUARY = at("2026-02-01T00:00")


def found(rules: Rules, days: int, sweep: Sweep | None = None, start=FEBRUARY) -> list:
    return list(findings(Schedule(rules), start, start + timedelta(days=days), sweep or Sweep(start)))


def of_kind(kind: Kind, items: list) -> list:
    return [item for item in items if item.kind is kind]


def test_r10_two_weeks_ahead_look_fine_and_ninety_days_do_not() -> None:
    assert of_kind(Kind.GAP, found(tight(), 14)) == []
    gaps = of_kind(Kind.GAP, found(tight(), 90))
    assert gaps[0].start == at("2026-03-08T23:00")
    assert len(of_kind(Kind.GAP, found(tight(), ON_SAVE.days))) == 238


def test_the_shipped_schedule_has_no_gap_and_nothing_thin() -> None:
    items = found(follow_the_sun(), 400)
    assert of_kind(Kind.GAP, items) == of_kind(Kind.THIN, items) == of_kind(Kind.FEW, items) == []


@pytest.mark.parametrize(
    ("hours_ahead", "is_save", "expected"),
    [(71, False, Action.PAGE), (72, False, Action.LIST), (72, True, Action.BLOCK), (14 * 24, True, Action.LIST)],
)
def test_a_gap_matters_more_the_nearer_it_is(hours_ahead: int, is_save: bool, expected: Action) -> None:
    gap_starts = at("2026-03-08T23:00")
    sweep = Sweep(gap_starts - timedelta(hours=hours_ahead), is_save)
    first = of_kind(Kind.GAP, found(tight(), 90, sweep))[0]
    assert (first.start, first.action) == (gap_starts, expected)


def test_the_fallback_does_not_hide_a_gap() -> None:
    covered = replace(tight(), fallback="dana")
    assert of_kind(Kind.GAP, found(covered, 90)) == of_kind(Kind.GAP, found(tight(), 90))


def test_a_primary_alone_is_thin() -> None:
    alone = Rules((layer("desk", BERLIN, rotation("weekly", "2026-01-05T09:00", "ada")),))
    thin = of_kind(Kind.THIN, found(alone, 7))
    assert [(item.action, item.start, item.end) for item in thin] == [
        (Action.WARN, FEBRUARY, FEBRUARY + timedelta(days=7))
    ]


def test_r12_sites_that_overlap_two_hours_are_mentioned() -> None:
    doubles = of_kind(Kind.DOUBLE, found(follow_the_sun(), 60))
    atlantic = [item for item in doubles if item.layers == ("EMEA", "AMER")]
    assert (atlantic[0].start, atlantic[0].end) == (at("2026-03-08T15:00"), at("2026-03-08T17:00"))
    assert atlantic[-1].start == at("2026-03-28T15:00")
    assert {item.action for item in doubles} == {Action.INFO}
    summer = [item for item in doubles if item.layers == ("APAC", "EMEA")]
    assert (summer[0].start, summer[0].end) == (at("2026-03-29T07:00"), at("2026-03-29T09:00"))


def test_a_layer_may_allow_more_overlap_and_priorities_are_no_doubles() -> None:
    allowing = [replace(one, max_overlap=timedelta(hours=2)) for one in follow_the_sun().layers]
    assert of_kind(Kind.DOUBLE, found(Rules(tuple(allowing)), 60)) == []
    ranked = [replace(one, priority=i) for i, one in enumerate(follow_the_sun().layers)]
    assert of_kind(Kind.DOUBLE, found(Rules(tuple(ranked)), 60)) == []


def test_somebody_who_cannot_be_paged_must_not_be_on_the_plan() -> None:
    march = at("2026-05-04T00:00")
    sweep = Sweep(march, unreachable=frozenset({"cem"}))
    orphans = of_kind(Kind.ORPHAN, found(week_of_three(), 60, sweep, march))
    assert [(item.person, item.start, item.action) for item in orphans] == [
        ("cem", at("2026-05-18T07:00"), Action.LIST),
        ("cem", at("2026-06-08T07:00"), Action.LIST),
        ("cem", at("2026-06-29T07:00"), Action.LIST),
    ]
    near = replace(sweep, now=at("2026-05-12T00:00"))
    assert of_kind(Kind.ORPHAN, found(week_of_three(), 60, near, march))[0].action is Action.WARN
    saving = replace(sweep, is_save=True)
    assert of_kind(Kind.ORPHAN, found(week_of_three(), 60, saving, march))[0].action is Action.BLOCK


def test_an_override_by_somebody_inactive_is_an_orphan_too() -> None:
    may = at("2026-05-04T00:00")
    override = Override("primary", "zoe", at("2026-05-06T12:00"), at("2026-05-06T16:00"))
    rules = week_of_three(overrides=(override,), inactive=frozenset({"zoe"}))
    assert [item.person for item in of_kind(Kind.ORPHAN, found(rules, 7, start=may))] == ["zoe"]


def test_a_ring_too_small_to_last_is_warned_about() -> None:
    few = of_kind(Kind.FEW, found(Rules((*week_of_three().layers, weekly("day", BERLIN, "09-18", "a b c d e"))), 7))
    assert [item.layers for item in few] == [("desk",)]


def test_r23_balance_and_overload() -> None:
    assert balance([168, 168, 120]) == 81
    assert overload({"a": 168, "b": 168, "c": 120}) == {"a": 11, "b": 11, "c": -21}
    assert balance([90, 72, 54, 72]) == 78
    assert list(overload({"a": 90, "b": 72, "c": 54, "d": 72}).values()) == [25, 0, -25, 0]


def test_what_is_nearly_even_counts_as_even() -> None:
    assert balance([167, 168, 169]) == 100
    assert balance([168]) == balance([]) == balance([0, 0]) == 100
    assert overload({"a": 0.0}) == {"a": 0}


def test_quality_is_half_coverage_half_balance() -> None:
    four_weeks = (at("2026-01-05T00:00"), at("2026-02-02T00:00"))
    always = Rules((layer("desk", "UTC", rotation("weekly", "2026-01-05T00:00", "ada ben")),))
    half = Rules((weekly("desk", "UTC", "00-12", "ada ben"),), fallback="dana")
    assert quality(Schedule(always).shifts(*four_weeks)) == 100
    assert quality(Schedule(half).shifts(*four_weeks)) == 75


def test_a_share_counts_nights_and_weekends_on_the_clock_at_home() -> None:
    tokyo_window = Duty("carol", at("2026-06-13T00:00"), at("2026-06-13T09:00"))  # a Saturday
    homes = {"carol": "America/New_York", "erin": "Asia/Tokyo"}
    carol, erin = shares({"carol": [tokyo_window], "erin": [tokyo_window]}, homes, {"carol": [date(2026, 6, 12)]})
    assert (carol.hours, carol.night_hours, carol.weekend_hours, carol.holiday_hours) == (9, 6, 5, 4)
    assert (erin.hours, erin.night_hours, erin.weekend_hours, erin.holiday_hours) == (9, 0, 9, 0)
    assert carol.overload == erin.overload == 0


def test_hours_are_real_hours_when_the_clocks_change() -> None:
    night = Duty("bob", at("2026-10-24T18:00"), at("2026-10-25T07:00"))
    [bob] = shares({"bob": [night]}, {"bob": BERLIN})
    assert (bob.hours, bob.night_hours) == (13, 8)

"""Who is on duty: the shipped schedule, overrides, leave, swaps, sites that overlap (R-09 to R-14, ROT-3 to ROT-8)."""

from __future__ import annotations

from dataclasses import replace
from datetime import time, timedelta
from itertools import pairwise

import pytest

from rotations.resolution import Reason
from rotations.rules import Block, Leave, Override, Rules, Swap, SwapState, overlapping
from rotations.schedule import Schedule
from tests.rotations.schedule_cast import (
    BERLIN,
    at,
    follow_the_sun,
    layer,
    on_duty,
    rotation,
    tight,
    week_of_three,
    weekly,
)

NOON = "2026-05-06T12:00"


def site(rules: Rules, moment: str) -> str | None:
    hold = Schedule(rules).who(at(moment)).primary_shift
    return hold and hold.layer


class TestTheShippedSchedule:
    @pytest.mark.parametrize(
        ("moment", "expected"),
        [
            ("2026-01-15T07:59:59", "APAC"),
            ("2026-01-15T08:00:00", "EMEA"),
            ("2026-01-15T16:00:00", "AMER"),
            ("2026-01-16T00:00:00", "APAC"),
            ("2026-07-15T07:00:00", "EMEA"),
            ("2026-07-15T15:00:00", "AMER"),
            ("2026-07-15T23:59:59", "AMER"),
            ("2026-07-16T00:00:00", "APAC"),
            ("2026-03-17T15:00:00", "AMER"),
        ],
    )
    def test_r09_the_incoming_site_is_primary(self, moment: str, expected: str) -> None:
        assert site(follow_the_sun(), moment) == expected

    def test_five_years_without_a_gap(self) -> None:
        final = Schedule(follow_the_sun()).shifts(at("2026-01-01T00:00"), at("2031-01-01T00:00"))
        assert final.gaps == ()
        assert all(earlier.end == later.start for earlier, later in pairwise(final.primary))
        assert len(final.primary) > 3 * 365 * 5

    def test_r10_tight_windows_lose_an_hour_every_summer_night(self) -> None:
        gaps = Schedule(tight()).shifts(at("2026-01-01T00:00"), at("2027-01-01T00:00")).gaps
        assert len(gaps) == 238
        assert {gap.end - gap.start for gap in gaps} == {timedelta(hours=1)}
        assert {gap.slot for gap in gaps} == {"primary"}
        assert (gaps[0].start, gaps[-1].end) == (at("2026-03-08T23:00"), at("2026-11-01T00:00"))

    def test_r11_sydney_needs_the_later_window(self) -> None:
        year = (at("2026-01-01T00:00"), at("2027-01-01T00:00"))
        gaps = Schedule(follow_the_sun("Australia/Sydney", "09-18")).shifts(*year).gaps
        assert len(gaps) == 155
        assert {gap.start.hour for gap in gaps} == {7}
        five_years = (at("2026-01-01T00:00"), at("2031-01-01T00:00"))
        assert Schedule(follow_the_sun("Australia/Sydney", "10-19")).shifts(*five_years).gaps == ()

    @pytest.mark.parametrize(
        ("day", "starts", "ends"),
        [("03-04", 16, 17), ("03-17", 15, 17), ("03-31", 15, 16), ("10-28", 15, 17), ("11-04", 16, 17)],
    )
    def test_r12_the_outgoing_site_is_the_handover_contact_while_they_overlap(
        self, day: str, starts: int, ends: int
    ) -> None:
        schedule = Schedule(follow_the_sun())
        before = schedule.who(at(f"2026-{day}T{starts - 1}:59:59"))
        first, last, after = (
            schedule.who(at(f"2026-{day}T{time}")) for time in (f"{starts}:00", f"{ends - 1}:59", f"{ends}:00")
        )
        assert before.handover_contact is None
        assert first.handover_contact == last.handover_contact == before.primary
        assert first.primary != before.primary
        assert after.handover_contact is None


class TestBackup:
    """R-13: Ada's week, Ben next, Cem after him."""

    def test_the_next_primary_is_backup(self) -> None:
        assert on_duty(week_of_three(), NOON) == ("ada", "ben")

    def test_an_override_by_the_backup_moves_the_backup_on(self) -> None:
        rules = week_of_three(overrides=(Override("primary", "ben", at(NOON), at("2026-05-06T16:00")),))
        assert on_duty(rules, "2026-05-06T11:59:59") == ("ada", "ben")
        assert on_duty(rules, NOON) == ("ben", "cem")
        assert on_duty(rules, "2026-05-06T16:00") == ("ada", "ben")

    def test_leave_promotes_the_backup(self) -> None:
        rules = week_of_three(leave=(Leave("ada", at("2026-05-06T00:00"), at("2026-05-07T00:00")),))
        assert on_duty(rules, NOON) == ("ben", "cem")
        found = Schedule(rules).who(at(NOON))
        assert found.primary_shift.reason is Reason.PROMOTION
        assert "ada:leave" in found.reasons

    def test_the_last_primary_can_be_backup_instead(self) -> None:
        assert on_duty(week_of_three(backup_offset=-1), NOON) == ("ada", "cem")

    def test_a_ring_of_two_with_one_away_turns_to_the_manager(self) -> None:
        desk = layer("desk", BERLIN, rotation("weekly", "2026-05-04T09:00", "ada ben"))
        away = (Leave("ada", at("2026-05-06T00:00"), at("2026-05-07T00:00")),)
        assert on_duty(Rules((desk,), leave=away), NOON) == ("ben", None)
        assert on_duty(Rules((desk,), leave=away, fallback="dana"), NOON) == ("ben", "dana")

    def test_before_the_manager_comes_the_neighbouring_site(self) -> None:
        bob = weekly("EMEA", BERLIN, "09-18", "bob")
        erin = weekly("AMER", "America/New_York", "11-20", "erin dave")
        rules = Rules((bob, erin), fallback="dana")
        assert on_duty(rules, "2026-05-06T10:00") == ("bob", "erin")
        hold = Schedule(rules).who(at("2026-05-06T10:00")).backup_shift
        assert (hold.reason, hold.layer) == (Reason.NEIGHBOUR, "AMER")

    @pytest.mark.parametrize("fallback", [None, "dana"])
    def test_a_gap_has_no_backup(self, fallback: str | None) -> None:
        rules = replace(tight(), fallback=fallback)
        assert on_duty(rules, "2026-03-20T23:30") == (fallback, None)
        assert Schedule(rules).who(at("2026-03-20T23:30")).scheduled_primary is None

    def test_an_explicit_backup_layer_goes_before_the_ring(self) -> None:
        second = layer("second", BERLIN, rotation("weekly", "2026-05-04T09:00", "carol"), slot="backup")
        rules = Rules((*week_of_three().layers, second))
        assert on_duty(rules, NOON) == ("ada", "carol")

    def test_an_explicit_backup_who_is_primary_falls_back_to_the_ring_and_says_so(self) -> None:
        second = layer("second", BERLIN, rotation("weekly", "2026-05-04T09:00", "ada"), slot="backup")
        found = Schedule(Rules((*week_of_three().layers, second))).who(at(NOON))
        assert (found.primary, found.backup) == ("ada", "ben")
        assert "ada:already-primary" in found.reasons


class TestWhoIsPassedOver:
    def test_the_inactive_are_nobodys_colleagues(self) -> None:
        assert on_duty(week_of_three(inactive=frozenset({"ada", "ben"})), NOON) == ("cem", None)

    def test_the_resting_are_left_to_rest(self) -> None:
        rules = week_of_three(blocked=(Block("ada", at(NOON), at("2026-05-06T14:00")),))
        assert on_duty(rules, NOON) == ("ben", "cem")
        assert on_duty(rules, "2026-05-06T14:00") == ("ada", "ben")

    def test_a_lower_layer_steps_in_when_a_ring_is_exhausted(self) -> None:
        below = layer("below", BERLIN, rotation("weekly", "2026-05-04T09:00", "zoe eva"), priority=-1)
        rules = Rules((*week_of_three().layers, below), inactive=frozenset({"ada", "ben", "cem"}))
        assert on_duty(rules, NOON) == ("zoe", "eva")

    def test_when_everyone_is_away_the_fallback_answers(self) -> None:
        everyone = frozenset({"ada", "ben", "cem"})
        assert on_duty(week_of_three(inactive=everyone, fallback="dana"), NOON) == ("dana", None)
        assert on_duty(week_of_three(inactive=everyone), NOON) == (None, None)

    def test_an_override_by_somebody_away_promotes_the_backup(self) -> None:
        rules = week_of_three(
            overrides=(Override("primary", "zoe", at(NOON), at("2026-05-06T16:00")),), inactive=frozenset({"zoe"})
        )
        assert on_duty(rules, NOON) == ("ben", "cem")

    def test_no_layers_is_a_schedule_of_nobody(self) -> None:
        schedule = Schedule(Rules(()))
        assert schedule.who(at(NOON)).primary is None
        assert schedule.who(at(NOON)).changes_at is None
        final = schedule.shifts(at(NOON), at("2026-05-07T12:00"))
        assert final.shifts == ()
        assert [(gap.slot, gap.start, gap.end) for gap in final.gaps] == [("primary", at(NOON), at("2026-05-07T12:00"))]

    def test_the_leave_of_strangers_changes_nothing(self) -> None:
        away = (Leave("mallory", at("2026-05-01T00:00"), at("2026-06-01T00:00")),)
        week = (at("2026-05-04T07:00"), at("2026-05-11T07:00"))
        assert Schedule(week_of_three(leave=away)).shifts(*week) == Schedule(week_of_three()).shifts(*week)


def swap(**more) -> Swap:
    """Ada gives 11:00 to 13:00 to Cem, accepted, but for what is said otherwise."""
    usual = Swap(
        "s1", "primary", "ada", "cem", at("2026-05-06T11:00"), at("2026-05-06T13:00"), state=SwapState.ACCEPTED
    )
    return replace(usual, **more)


class TestSwaps:
    """R-14: Ada gives two hours to Cem."""

    def test_an_accepted_swap_moves_its_span_and_no_more(self) -> None:
        rules = week_of_three(swaps=(swap(),))
        assert on_duty(rules, "2026-05-06T10:59:59") == ("ada", "ben")
        assert on_duty(rules, "2026-05-06T11:00") == ("cem", "ben")
        assert on_duty(rules, "2026-05-06T12:59:59") == ("cem", "ben")
        assert on_duty(rules, "2026-05-06T13:00") == ("ada", "ben")

    @pytest.mark.parametrize("state", [SwapState.OPEN, SwapState.EXPIRED, SwapState.WITHDRAWN])
    def test_any_other_swap_moves_nothing(self, state: SwapState) -> None:
        assert on_duty(week_of_three(swaps=(swap(state=state),)), NOON) == ("ada", "ben")

    def test_an_open_swap_expires_at_its_start(self) -> None:
        offered = swap(state=SwapState.OPEN, taker=None)
        assert offered.state_at(at("2026-05-06T10:59:59")) is SwapState.OPEN
        assert offered.state_at(at("2026-05-06T11:00")) is SwapState.EXPIRED
        assert swap().state_at(at("2026-05-06T11:00")) is SwapState.APPLIED
        assert swap(state=SwapState.WITHDRAWN).state_at(at(NOON)) is SwapState.WITHDRAWN

    def test_the_return_span_goes_the_other_way(self) -> None:
        back = swap(return_start=at("2026-05-20T11:00"), return_end=at("2026-05-20T13:00"))
        rules = week_of_three(swaps=(back,))
        assert on_duty(rules, "2026-05-20T10:59") == ("cem", "ada")
        assert on_duty(rules, "2026-05-20T12:00") == ("ada", "ben")

    def test_a_swap_does_not_undo_itself_where_its_spans_overlap(self) -> None:
        both = swap(return_start=at("2026-05-06T11:00"), return_end=at("2026-05-06T13:00"))
        assert on_duty(week_of_three(swaps=(both,)), NOON) == ("cem", "ben")

    def test_a_swap_can_be_handed_on(self) -> None:
        onward = Swap(
            "s2", "primary", "cem", "zoe", at("2026-05-06T12:00"), at("2026-05-06T13:00"), state=SwapState.ACCEPTED
        )
        rules = week_of_three(swaps=(swap(), onward))
        assert on_duty(rules, "2026-05-06T11:30") == ("cem", "ben")
        assert on_duty(rules, "2026-05-06T12:30") == ("zoe", "ben")

    def test_a_taker_who_is_away_is_replaced_by_the_backup(self) -> None:
        rules = week_of_three(swaps=(swap(),), leave=(Leave("cem", at("2026-05-06T00:00"), at("2026-05-07T00:00")),))
        assert on_duty(rules, NOON) == ("ben", "ada")

    def test_a_backup_can_give_their_duty_too(self) -> None:
        rules = week_of_three(swaps=(swap(slot="backup", giver="ben", taker="zoe"),))
        assert on_duty(rules, NOON) == ("ada", "zoe")

    def test_a_swap_by_somebody_who_is_not_on_duty_moves_nothing(self) -> None:
        assert on_duty(week_of_three(swaps=(swap(giver="ben", taker="zoe"),)), NOON) == ("ada", "ben")


class TestWindows:
    def test_rot3_the_person_is_decided_when_the_window_opens(self) -> None:
        nights = layer("nights", BERLIN, rotation("daily", "2026-05-04T00:00", "ada ben"), "22-06")
        rules = Rules((nights,))
        assert on_duty(rules, "2026-05-04T21:00")[0] == "ada"
        assert on_duty(rules, "2026-05-05T03:59")[0] == "ada"
        assert on_duty(rules, "2026-05-05T04:00")[0] is None

    def test_weekdays_are_the_dates_a_window_starts_on(self) -> None:
        friday_nights = layer(
            "nights", BERLIN, rotation("daily", "2026-05-01T00:00", "ada ben"), "22-06", weekdays=frozenset({4})
        )
        final = Schedule(Rules((friday_nights,))).shifts(at("2026-05-04T00:00"), at("2026-05-11T00:00"))
        assert [(shift.start, shift.end) for shift in final.primary] == [
            (at("2026-05-08T20:00"), at("2026-05-09T04:00"))
        ]

    def test_weekdays_alone_are_whole_local_days(self) -> None:
        weekend = layer("weekend", BERLIN, rotation("weekly", "2026-03-23T00:00", "ada"), weekdays=frozenset({5, 6}))
        final = Schedule(Rules((weekend,))).shifts(at("2026-03-27T00:00"), at("2026-04-01T00:00"))
        assert [(shift.start, shift.end) for shift in final.primary] == [
            (at("2026-03-27T23:00"), at("2026-03-28T23:00")),
            (at("2026-03-28T23:00"), at("2026-03-29T22:00")),
        ]

    def test_a_window_opens_at_the_first_and_closes_at_the_last_of_a_doubled_hour(self) -> None:
        opening = replace(weekly("a", BERLIN, "", "ada"), window=(time(2, 30), time(9)))
        closing = replace(weekly("b", BERLIN, "", "ben"), window=(time(20), time(2, 30)))
        day = (at("2026-10-24T12:00"), at("2026-10-25T12:00"))
        assert Schedule(Rules((opening,))).shifts(*day).primary[0].start == at("2026-10-25T00:30")
        assert Schedule(Rules((closing,))).shifts(*day).primary[0].end == at("2026-10-25T01:30")

    def test_rot4_higher_priority_first_then_the_later_start_then_the_order(self) -> None:
        low = weekly("low", "UTC", "08-20", "low", priority=0)
        early, late = (
            weekly("early", "UTC", "09-18", "early", priority=1),
            weekly("late", "UTC", "12-15", "late", priority=1),
        )
        twin = weekly("twin", "UTC", "12-15", "twin", priority=1)
        rules = Rules((low, early, late, twin))
        found = [on_duty(rules, f"2026-05-06T{hour}:00")[0] for hour in ("08", "09", "12", "15", "18")]
        assert found == ["low", "early", "late", "early", "low"]

    def test_a_layer_refuses_what_cannot_be_meant(self) -> None:
        with pytest.raises(ValueError, match="Mars"):
            weekly("x", "Mars/Base", "09-18", "ada")
        with pytest.raises(ValueError, match="slot"):
            weekly("x", BERLIN, "09-18", "ada", slot="tertiary")
        with pytest.raises(ValueError, match="weekdays"):
            weekly("x", BERLIN, "09-18", "ada", weekdays=frozenset({7}))
        desk = weekly("x", BERLIN, "09-18", "ada")
        with pytest.raises(ValueError, match="ordered"):
            replace(desk, revisions=desk.revisions * 2)


class TestShifts:
    def test_shifts_are_cut_to_the_range_and_remember_the_whole(self) -> None:
        shift = Schedule(week_of_three()).shifts(at(NOON), at("2026-05-06T13:00")).primary[0]
        assert (shift.start, shift.end) == (at(NOON), at("2026-05-06T13:00"))
        assert (shift.shift_start, shift.shift_end) == (at("2026-05-04T07:00"), at("2026-05-11T07:00"))

    def test_two_shifts_of_one_person_that_touch_stay_two(self) -> None:
        alone = Rules((layer("desk", "UTC", rotation("daily", "2026-05-04T00:00", "ada")),))
        assert len(Schedule(alone).shifts(at("2026-05-04T00:00"), at("2026-05-07T00:00")).primary) == 3

    def test_one_shift_seen_from_both_sides_of_anothers_override_is_one_shift(self) -> None:
        rules = week_of_three(overrides=(Override("backup", "zoe", at(NOON), at("2026-05-06T13:00")),))
        final = Schedule(rules).shifts(at("2026-05-04T07:00"), at("2026-05-11T07:00"))
        assert [shift.person for shift in final.primary] == ["ada"]
        assert [shift.person for shift in final.backup] == ["ben", "zoe", "ben"]

    def test_a_primary_with_nobody_behind_is_a_gap_in_the_backup(self) -> None:
        alone = Rules((weekly("desk", "UTC", "09-18", "ada"),))
        final = Schedule(alone).shifts(at("2026-05-06T00:00"), at("2026-05-07T00:00"))
        assert [(gap.slot, gap.start.hour, gap.end.hour) for gap in final.gaps] == [
            ("primary", 0, 9), ("primary", 18, 0), ("backup", 9, 18),
        ]  # fmt: skip

    def test_a_range_ends_after_it_starts(self) -> None:
        with pytest.raises(ValueError, match="after its start"):
            Schedule(week_of_three()).shifts(at(NOON), at(NOON))

    def test_overlapping_overrides_are_found_before_they_are_saved(self) -> None:
        one = Override("primary", "ben", at(NOON), at("2026-05-06T16:00"))
        touching = Override("primary", "cem", at("2026-05-06T16:00"), at("2026-05-06T18:00"))
        other_slot = Override("backup", "cem", at(NOON), at("2026-05-06T16:00"))
        inside = Override("primary", "cem", at("2026-05-06T13:00"), at("2026-05-06T14:00"))
        assert overlapping((touching, one, other_slot)) is None
        assert overlapping((inside, one)) == (one, inside)


class TestWhatComesNext:
    def test_the_next_change_is_the_next_other_person(self) -> None:
        schedule = Schedule(follow_the_sun())
        assert schedule.boundary_after(at("2026-07-15T06:58:30")) == at("2026-07-15T07:00")
        assert schedule.who(at("2026-07-15T06:58:30")).changes_at == at("2026-07-15T07:00")

    def test_a_hand_off_to_the_same_person_is_no_change(self) -> None:
        alone = Schedule(Rules((layer("desk", "UTC", rotation("daily", "2026-05-04T00:00", "ada")),)))
        assert alone.boundary_after(at(NOON)) is None

    def test_a_change_far_ahead_is_found(self) -> None:
        yearly = Schedule(Rules((layer("desk", "UTC", rotation("monthly", "2026-05-01T00:00", "ada ben", every=12)),)))
        assert yearly.boundary_after(at(NOON)) == at("2027-05-01T00:00")

    @pytest.mark.parametrize(
        ("moment", "expected"),
        [("2026-07-15T07:04:30", "AMER"), ("2026-07-15T15:30:00", "APAC"), ("2026-07-15T03:00:00", "EMEA")],
    )
    def test_the_neighbouring_site_is_the_one_that_starts_soonest(self, moment: str, expected: str) -> None:
        turn = Schedule(follow_the_sun()).next_layer_after(at(moment))
        assert turn.crew.layer == expected
        assert turn.start > at(moment)

    def test_in_a_gap_the_neighbour_is_whoever_starts_next(self) -> None:
        turn = Schedule(tight()).next_layer_after(at("2026-03-20T23:30"))
        assert (turn.crew.layer, turn.start, turn.person) == ("APAC", at("2026-03-21T00:00"), "mei")

    def test_a_single_site_has_no_neighbour(self) -> None:
        assert Schedule(week_of_three()).next_layer_after(at(NOON)) is None


def test_answers_do_not_depend_on_what_was_asked_before() -> None:
    rules = week_of_three(overrides=(Override("primary", "ben", at(NOON), at("2026-05-06T16:00")),))
    asked = Schedule(rules)
    for hours in range(2000):
        asked.who(at("2026-01-01T00:00") + timedelta(hours=13 * hours))
    for day in range(100):
        asked.shifts(at("2026-05-01T00:00") + timedelta(days=day), at("2026-05-02T00:00") + timedelta(days=day))
    week = (at("2026-05-04T07:00"), at("2026-05-11T07:00"))
    assert asked.shifts(*week) == Schedule(rules).shifts(*week)
    assert asked.who(at(NOON)) == Schedule(rules).who(at(NOON))

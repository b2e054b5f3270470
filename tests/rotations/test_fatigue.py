"""What people can carry: R-18 to R-22 and R-24, and each limit at its edge (FAT-1 to FAT-8)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from rotations.fatigue import (
    EU,
    Acknowledged,
    Candidate,
    Duty,
    Finding,
    Kind,
    Person,
    Severity,
    blocked_at,
    call_out,
    check,
    check_change,
    duties,
    fit_again,
    is_loaded,
    night_interruptions,
    people,
    rest_blocks,
    substitute,
)
from rotations.rules import Override, Rules, Swap, SwapState
from rotations.schedule import Schedule
from supportdesk import zones
from tests.rotations.schedule_cast import BERLIN, at, follow_the_sun, layer, rotation, week_of_three

HOUR, DAY, WEEK = timedelta(hours=1), timedelta(days=1), timedelta(weeks=1)
MONDAY = at("2026-06-01T00:00")


def shift(start: str, end: str, person: str = "bob") -> Duty:
    """An active shift, written in Berlin's local time."""
    return Duty(person, *(zones.first_instant(datetime.fromisoformat(text), BERLIN) for text in (start, end)))


def windows(days: range, hours: int = 9, begin: int = 7, person: str = "bob") -> list[Duty]:
    """A window of so many hours on each of these days, counted from Monday 1 June 2026."""
    starts = [MONDAY + day * DAY + begin * HOUR for day in days]
    return [Duty(person, start, start + hours * HOUR) for start in starts]


def weeks(numbers: list[int], kind: Kind = Kind.STANDBY, slot: str = "primary") -> list[Duty]:
    """Whole weeks of standby around the clock."""
    return [Duty("bob", MONDAY + n * WEEK, MONDAY + (n + 1) * WEEK, kind, slot, all_day=True) for n in numbers]


def judged(own: list[Duty], home: str = BERLIN, rule: str = "", **more) -> list[Finding]:
    return [item for item in check([Person("bob", home, tuple(own))], **more) if item.rule.startswith(rule)]


class TestDailyRest:
    @pytest.mark.parametrize(
        ("ends", "starts", "rest"),
        [
            ("2026-03-28T18:00", "2026-03-29T05:00", 10),  # looks like 11 h
            ("2026-10-24T18:00", "2026-10-25T04:00", None),  # looks like 10 h, is 11 h
            ("2026-06-10T18:00", "2026-06-11T04:30", 10.5),
            ("2026-06-10T18:00", "2026-06-11T05:00", None),
        ],
    )
    def test_r18_rest_is_real_time(self, ends: str, starts: str, rest: float | None) -> None:
        before = shift(ends[:11] + "09:00", ends)
        after = shift(starts, starts[:11] + "13:00")
        found = judged([before, after], rule="FAT-1")
        assert [(item.severity, item.numbers) for item in found] == (
            [(Severity.BLOCK, (("rest", rest),))] if rest else []
        )

    def test_r20_the_tokyo_window_after_a_berlin_shift_is_too_soon(self) -> None:
        berlin = Duty("bob", at("2026-06-10T07:00"), at("2026-06-10T16:00"))
        tokyo = Duty("bob", at("2026-06-11T00:00"), at("2026-06-11T09:00"))
        [found] = judged([berlin, tokyo], rule="FAT-1")
        assert found.severity is Severity.BLOCK
        assert found.text == "8 h of rest between two shifts; 11 h are needed."

    def test_a_hole_inside_one_shift_is_no_short_rest(self) -> None:
        whole = (MONDAY + 7 * HOUR, MONDAY + 16 * HOUR)
        morning = Duty("bob", MONDAY + 7 * HOUR, MONDAY + 11 * HOUR, shift=whole)
        rest_of_it = Duty("bob", MONDAY + 13 * HOUR, MONDAY + 16 * HOUR, shift=whole)
        assert judged([morning, rest_of_it], rule="FAT-1") == []
        assert len(judged([morning, rest_of_it._replace(shift=None)], rule="FAT-1")) == 1

    def test_standby_is_not_work_but_a_call_out_in_it_is(self) -> None:
        standby = Duty("bob", MONDAY + 16 * HOUR, MONDAY + 31 * HOUR, Kind.STANDBY)
        days = windows(range(2))
        assert judged([*days, standby], rule="FAT-1") == []
        called = call_out("bob", MONDAY + 22 * HOUR, MONDAY + 22 * HOUR)
        assert called.end - called.start == timedelta(minutes=30)
        rests = [dict(item.numbers)["rest"] for item in judged([*days, standby, called], rule="FAT-1")]
        assert rests == [6, 8.5]


class TestRunTime:
    """R-19: a call-out ends 03:05 CEST; the next active shift starts 09:00."""

    called = call_out("bob", at("2026-06-12T00:10"), at("2026-06-12T01:05"))
    planned = (shift("2026-06-12T09:00", "2026-06-12T18:00"),)

    def test_r19_rest_starts_again_when_the_call_out_ends(self) -> None:
        assert fit_again([self.called]) == at("2026-06-12T12:05")
        assert rest_blocks([self.called], self.planned) == (("bob", at("2026-06-12T07:00"), at("2026-06-12T12:05")),)

    @pytest.mark.parametrize(
        ("moment", "is_blocked"),
        [("06:59:59", False), ("07:00", True), ("12:04:59", True), ("12:05", False)],
    )
    def test_the_shift_is_blocked_until_rest_is_complete(self, moment: str, is_blocked: bool) -> None:
        block = blocked_at(at(f"2026-06-12T{moment}"), "bob", [self.called], self.planned)
        assert (block is not None) == is_blocked

    def test_the_blocked_primary_is_substituted_by_the_schedule(self) -> None:
        desk = layer("EMEA", BERLIN, rotation("weekly", "2026-06-08T00:00", "bob carol anna"), "09-18")
        schedule = Schedule(Rules((desk,), blocked=rest_blocks([self.called], self.planned)))
        primaries = [schedule.who(at(f"2026-06-12T{time}")).primary for time in ("07:00", "12:04:59", "12:05")]
        assert primaries == ["carol", "carol", "bob"]

    def test_standby_and_other_people_are_not_blocked(self) -> None:
        standby = self.planned[0]._replace(kind=Kind.STANDBY)
        somebody_else = self.planned[0]._replace(person="carol")
        assert rest_blocks([self.called], [standby, somebody_else]) == ()

    def test_a_call_out_during_the_shift_does_not_end_it(self) -> None:
        inside = call_out("bob", at("2026-06-12T08:00"), at("2026-06-12T09:00"))
        assert rest_blocks([inside], self.planned) == ()

    def test_nobody_who_has_not_worked_needs_rest(self) -> None:
        assert fit_again([self.called._replace(kind=Kind.STANDBY)]) is None


class TestWeeklyHours:
    @pytest.mark.parametrize(
        ("count", "expected"),
        [(5, []), (6, [(Severity.WARN, 54.0)]), (7, [(Severity.BLOCK, 63.0)])],
    )
    def test_r21_nine_hour_windows_in_seven_days(self, count: int, expected: list) -> None:
        found = judged(windows(range(count)), rule="FAT-2")
        assert [(item.severity, dict(item.numbers)["hours"]) for item in found] == expected

    def test_the_seven_days_roll(self) -> None:
        split = windows(range(4, 7)) + windows(range(7, 10))  # Friday to Wednesday
        [found] = judged(split, rule="FAT-2")
        assert dict(found.numbers)["hours"] == 54
        assert found.end - found.start == WEEK

    def test_the_average_over_seventeen_weeks_blocks(self) -> None:
        days = [day for week in range(17) for day in range(7 * week, 7 * week + 5)]
        within = [duty for day in days for duty in windows(range(day, day + 1), hours=9)]
        over = [duty for day in days for duty in windows(range(day, day + 1), hours=10)]
        assert not any("average" in dict(item.numbers) for item in judged(within, rule="FAT-2"))
        [average] = [item for item in judged(over, rule="FAT-2") if "average" in dict(item.numbers)]
        assert (average.severity, dict(average.numbers)["average"]) == (Severity.BLOCK, 50)

    def test_a_region_may_make_a_limit_law(self) -> None:
        week = windows(range(7))
        assert [item.is_legal_limit for item in judged(week, rule="FAT-2")] == [False]
        assert [item.is_legal_limit for item in judged(week, rule="FAT-2", profile=EU)] == [True]
        assert not any(item.is_legal_limit for item in judged(windows(range(9)), rule="FAT-3", profile=EU))


class TestWeeklyRest:
    @pytest.mark.parametrize(
        ("days", "expected"), [(7, None), (8, Severity.WARN), (14, Severity.WARN), (15, Severity.BLOCK)]
    )
    def test_a_rest_of_35_hours_comes_within_seven_days(self, days: int, expected: Severity | None) -> None:
        found = judged(windows(range(days), hours=4), rule="FAT-3")
        assert [item.severity for item in found] == ([expected] if expected else [])

    def test_a_weekend_is_rest_enough(self) -> None:
        assert judged(windows(range(5)) + windows(range(7, 12)), rule="FAT-3") == []


class TestNights:
    tokyo_window = (at("2026-06-11T00:00"), at("2026-06-11T09:00"))

    @pytest.mark.parametrize(
        ("home", "counts"), [("America/New_York", True), (BERLIN, True), ("Australia/Sydney", False)]
    )
    def test_r22_a_night_is_a_night_at_home(self, home: str, counts: bool) -> None:
        nights = [Duty("bob", *(t + day * DAY for t in self.tokyo_window)) for day in range(4)]
        found = judged(nights, home, rule="FAT-4")
        assert bool([item for item in found if "4 nights" in item.text]) == counts

    def test_three_nights_then_two_days_off(self) -> None:
        nights = windows(range(3), begin=21, hours=8)
        assert judged(nights, rule="FAT-4") == []
        [found] = judged(nights + windows(range(4, 5), begin=7), rule="FAT-4")
        assert (found.severity, dict(found.numbers)["rest"]) == (Severity.BLOCK, 26)
        assert judged(nights + windows(range(5, 6), begin=7), rule="FAT-4") == []

    def test_a_night_off_in_between_starts_the_count_again(self) -> None:
        broken = windows(range(2), begin=21, hours=8) + windows(range(3, 5), begin=21, hours=8)
        assert judged(broken, rule="FAT-4") == []

    def test_less_than_two_hours_are_no_night(self) -> None:
        late = windows(range(5), begin=16, hours=6)  # until 24:00 in Berlin
        assert judged(late, rule="FAT-4") == []


class TestLoad:
    """R-24: shift 07–16Z, P1/P2 acknowledged at 08:10Z and 10:40Z; a third starts 13:05Z."""

    begins = at("2026-06-10T07:00")
    two = (Acknowledged("i-1", at("2026-06-10T08:10")), Acknowledged("i-2", at("2026-06-10T10:40")))

    def test_r24_from_the_third_on_the_backup_is_first(self) -> None:
        assert is_loaded(self.two, at("2026-06-10T13:05"), self.begins)
        assert not is_loaded(self.two[:1], at("2026-06-10T13:05"), self.begins)

    def test_one_incident_acknowledged_twice_is_one(self) -> None:
        again = (self.two[0], self.two[0]._replace(at=at("2026-06-10T12:00")))
        assert not is_loaded(again, at("2026-06-10T13:05"), self.begins)

    def test_only_this_shift_and_twelve_hours_count(self) -> None:
        assert not is_loaded(self.two, at("2026-06-10T13:05"), shift_start=at("2026-06-10T09:00"))
        assert is_loaded(self.two, at("2026-06-10T20:10"), self.begins)
        assert not is_loaded(self.two, at("2026-06-10T20:10:01"), self.begins)


def test_fat6_a_broken_night_is_noted_once() -> None:
    acknowledged = [Acknowledged(f"i-{i}", at(text)) for i, text in enumerate(
        ["2026-06-10T20:59", "2026-06-10T21:00", "2026-06-11T03:59", "2026-06-11T04:00", "2026-06-12T00:00"]
    )]  # fmt: skip
    first, second = night_interruptions("bob", BERLIN, acknowledged)
    assert (first.start, first.end, first.numbers) == (
        at("2026-06-10T21:00"),
        at("2026-06-11T03:59"),
        (("pages", 2.0),),
    )
    assert second.start == at("2026-06-12T00:00")
    assert first.severity is Severity.INFO


class TestStreak:
    @pytest.mark.parametrize(
        ("days", "expected"), [(7, None), (8, Severity.WARN), (11, Severity.WARN), (12, Severity.BLOCK)]
    )
    def test_seven_days_in_a_row_are_enough(self, days: int, expected: Severity | None) -> None:
        found = judged(windows(range(days), hours=2), rule="FAT-7")
        assert [item.severity for item in found] == ([expected] if expected else [])

    def test_a_week_is_seven_days_also_when_it_lasts_169_hours(self) -> None:
        desk = layer("desk", BERLIN, rotation("weekly", "2026-10-19T09:00", "bob carol anna"))
        rules = Rules((desk,))
        final = Schedule(rules).shifts(at("2026-10-19T07:00"), at("2026-11-09T08:00"))
        own = [duty for duty in duties(final, rules.layers) if duty.person == "bob"]
        assert judged(own, rule="FAT-7") == []

    def test_a_day_off_starts_the_count_again(self) -> None:
        assert judged(windows(range(6), hours=2) + windows(range(7, 13), hours=2), rule="FAT-7") == []

    def test_the_week_as_backup_before_does_not_count(self) -> None:
        assert judged([*weeks([0], slot="backup"), *weeks([1])], rule="FAT-7") == []
        assert [item.severity for item in judged(weeks([0, 1]), rule="FAT-7")] == [Severity.BLOCK]


class TestShareOfStandby:
    def test_a_quarter_is_fine_and_more_is_not(self) -> None:
        assert judged(weeks([0, 4, 8]), rule="FAT-8") == []
        [found] = judged(weeks([0, 3]), rule="FAT-8")
        assert (found.severity, dict(found.numbers)["percent"]) == (Severity.WARN, 50)

    def test_an_hour_of_daylight_saving_makes_no_finding(self) -> None:
        start = at("2026-10-19T07:00")
        long_week = Duty("bob", start, start + WEEK + HOUR, Kind.STANDBY, all_day=True)
        assert judged([long_week], rule="FAT-8") == []

    def test_windows_are_not_measured_by_it(self) -> None:
        standby = [duty._replace(kind=Kind.STANDBY) for duty in windows(range(28))]
        assert judged(standby, rule="FAT-8") == []


class TestAPlan:
    def test_the_shipped_schedule_warns_of_seven_windows_a_week(self) -> None:
        rules = follow_the_sun()
        final = Schedule(rules).shifts(at("2026-06-01T00:00"), at("2026-06-08T00:00"))
        bobs = [duty for duty in duties(final, rules.layers) if duty.person == "bob"]
        assert {duty.kind for duty in bobs if duty.slot == "primary"} <= {Kind.ACTIVE}
        assert {duty.kind for duty in bobs if duty.slot == "backup"} <= {Kind.STANDBY}
        primary = final.primary[1].person
        own = tuple(duty for duty in duties(final, rules.layers) if duty.person == primary)
        rules_broken = {item.rule for item in check([Person(primary, BERLIN, own)])}
        assert "FAT-1" not in rules_broken
        assert "FAT-2" in rules_broken

    def test_rot8_a_swap_is_checked_for_both_people(self) -> None:
        """Jan of Berlin takes Yuki's Tokyo window right after his own day (R-20)."""
        rules = follow_the_sun()
        span = (at("2026-06-11T00:00"), at("2026-06-11T07:00"))
        swap = Swap("s", "primary", "yuki", "jan", *span, state=SwapState.ACCEPTED)
        homes = {name: site.time_zone for site in rules.layers for name in site.revisions[0].rotation.ring}
        week = (at("2026-06-08T00:00"), at("2026-06-15T00:00"))
        plans = (rules, replace(rules, swaps=(swap,)))
        before, after = (people(Schedule(plan).shifts(*week), plan.layers, homes) for plan in plans)
        added = check_change(before, after)
        assert ("FAT-1", "jan") in {(item.rule, item.person) for item in added}
        assert "yuki" not in {item.person for item in added}

    def test_around_the_clock_is_standby_and_so_is_an_override_of_it(self) -> None:
        override = Override("primary", "zoe", at("2026-05-06T12:00"), at("2026-05-06T16:00"))
        rules = week_of_three(overrides=(override,), fallback="dana")
        final = Schedule(rules).shifts(at("2026-05-01T00:00"), at("2026-05-11T07:00"))
        found = duties(final, rules.layers)
        assert {(duty.kind, duty.all_day) for duty in found} == {(Kind.STANDBY, True)}
        assert {duty.person for duty in found} == {"ada", "ben", "zoe"}

    def test_a_change_answers_only_for_what_it_adds(self) -> None:
        tired = Person("bob", BERLIN, tuple(windows(range(6))))
        before = [tired, Person("carol", BERLIN, ())]
        night = Duty("carol", MONDAY, MONDAY + 8 * HOUR)
        too_soon = Duty("carol", MONDAY + 12 * HOUR, MONDAY + 20 * HOUR)
        assert check_change(before, [tired, Person("carol", BERLIN, (night,))]) == ()
        [added] = check_change(before, [tired, Person("carol", BERLIN, (night, too_soon))])
        assert (added.rule, added.person) == ("FAT-1", "carol")


class TestSubstitute:
    span = (MONDAY + 7 * HOUR, MONDAY + 16 * HOUR)

    def candidate(self, name: str, own: list[Duty] = (), has_phone: bool = True) -> Candidate:
        return Candidate(Person(name, BERLIN, tuple(own)), has_phone)

    def test_the_least_loaded_of_those_who_can(self) -> None:
        busy = [Duty("anna", MONDAY - 4 * DAY, MONDAY - 3 * DAY)]
        candidates = [
            self.candidate("bob"),
            self.candidate("carol", has_phone=False),
            self.candidate("dave", [Duty("dave", MONDAY - 4 * HOUR, MONDAY)]),
            self.candidate("anna", busy),
            self.candidate("eva"),
            self.candidate("jan"),
        ]
        assert substitute(candidates, "bob", *self.span) == "eva"
        assert substitute(candidates[:4], "bob", *self.span) == "anna"

    def test_nobody_is_an_answer(self) -> None:
        assert substitute([self.candidate("bob")], "bob", *self.span) is None

    def test_an_old_finding_does_not_rule_somebody_out(self) -> None:
        long_ago = [Duty("eva", MONDAY - 40 * DAY, MONDAY - 40 * DAY + 9 * HOUR),
                    Duty("eva", MONDAY - 40 * DAY + 12 * HOUR, MONDAY - 40 * DAY + 20 * HOUR)]  # fmt: skip
        assert substitute([self.candidate("eva", long_ago)], "bob", *self.span) == "eva"

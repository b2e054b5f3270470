"""Hand-offs on the wall clock: R-01 to R-08 and R-15 to R-17, and what must hold for every rotation (domain §4.5)."""

from __future__ import annotations

import json
import zoneinfo
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rotations.rotation import Revision, Rotation, Unit, evenly
from rotations.turns import LayerTurns, revise
from supportdesk import zones
from tests.rotations.schedule_cast import BERLIN, at, layer, rotation

SECOND = timedelta(seconds=1)
HALF_DAY = timedelta(hours=12)
VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "shift_at.json").read_text())
ZONES = (
    "Europe/Berlin", "America/New_York", "Australia/Sydney", "Asia/Tokyo", "Australia/Lord_Howe", "Africa/Cairo",
    "Pacific/Chatham", "America/Santiago", "America/St_Johns",
)  # fmt: skip


@pytest.mark.parametrize("case", VECTORS, ids=[f"{case['id']} {case['at']}" for case in VECTORS])
def test_worked_example(case: dict) -> None:
    turns = rotation(case["unit"], case["anchor_local"], " ".join(case["ring"]), case["n"])
    shift = turns.shift_at(at(case["at"]), case["tz"])
    assert shift is not None
    expected = case["expected"]
    assert (shift.person, shift.start, shift.end) == (expected["person"], at(expected["start"]), at(expected["end"]))
    assert (shift.end - shift.start) / timedelta(hours=1) == expected["hours"]


def test_r03_the_shift_before_the_skipped_handoff_is_as_short_as_the_one_after() -> None:
    turns = rotation("daily", "2026-03-23T02:30", "a b")
    lengths = [turns.handoff(k + 1, BERLIN) - turns.handoff(k, BERLIN) for k in (5, 6)]
    assert lengths == [timedelta(hours=23, minutes=30)] * 2


def test_r17_a_month_end_is_counted_from_the_anchor_and_never_drifts() -> None:
    turns = rotation("monthly", "2027-01-31T09:00", "a b c")
    expected = ["2027-01-31T08", "2027-02-28T08", "2027-03-31T07", "2027-04-30T07", "2027-05-31T07"]
    assert [turns.handoff(k, BERLIN) for k in range(5)] == [at(f"{text}:00") for text in expected]
    assert turns.handoff(13, BERLIN) == at("2028-02-29T08:00")


def test_nobody_is_on_duty_before_the_anchor() -> None:
    turns = rotation("daily", "2026-03-23T09:00", "a b")
    anchor = turns.handoff(0, BERLIN)
    assert turns.shift_at(anchor - SECOND, BERLIN) is None
    assert turns.index_at(anchor - SECOND, BERLIN) == -1
    assert turns.shift_at(anchor, BERLIN) is not None


def test_an_empty_ring_is_nobodys_turn() -> None:
    shift = rotation("daily", "2026-03-23T09:00", "").shift_at(at("2026-03-24T12:00"), BERLIN)
    assert shift is not None
    assert shift.person is None


def test_a_rotation_refuses_what_cannot_be_meant() -> None:
    with pytest.raises(ValueError, match="1 or more"):
        rotation("daily", "2026-03-23T09:00", "a", every=0)
    with pytest.raises(ValueError, match="carries no time zone"):
        Rotation(Unit.DAILY, 1, at("2026-03-23T09:00"), ("a",))
    with pytest.raises(ValueError, match="fortnightly"):
        rotation("fortnightly", "2026-03-23T09:00", "a")


rotations = st.builds(
    Rotation,
    unit=st.just(Unit.HOURLY),
    every=st.sampled_from([4, 6, 8, 12]),
    anchor=st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 31)).map(lambda t: t.replace(second=0, microsecond=0)),
    ring=st.just(("ada", "ben", "cem")),
) | st.builds(
    Rotation,
    unit=st.sampled_from([Unit.DAILY, Unit.WEEKLY, Unit.MONTHLY]),
    every=st.integers(1, 4),
    anchor=st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 31)).map(lambda t: t.replace(second=0, microsecond=0)),
    ring=st.just(("ada", "ben", "cem")),
)


@given(rotations, st.sampled_from(ZONES), st.integers(-800, 1500))
@settings(max_examples=300, deadline=None)
def test_handoffs_rise_and_each_turn_begins_with_its_own(turns: Rotation, zone: str, k: int) -> None:
    assert turns.handoff(k, zone) < turns.handoff(k + 1, zone)
    assert turns.index_at(turns.handoff(k, zone), zone) == k
    assert turns.index_at(turns.handoff(k, zone) - SECOND, zone) == k - 1


@given(rotations, st.sampled_from(ZONES), st.integers(0, 200), st.integers(1, 500))
@settings(max_examples=60, deadline=None)
def test_many_handoffs_are_the_same_as_each_alone(turns: Rotation, zone: str, first: int, days: int) -> None:
    until = turns.handoff(first, zone) + timedelta(days=days)
    found = turns.handoffs(first, until, zone)
    assert found == [turns.handoff(first + i, zone) for i in range(len(found))]
    assert found[-1] >= until
    assert all(instant < until for instant in found[:-1])


@pytest.mark.parametrize("convert", [zones.first_instant, zones.last_instant])
@pytest.mark.parametrize("reading", ["00:00", "00:30", "01:30", "02:00", "02:30", "03:00", "23:30"])
def test_every_wall_time_of_a_year_in_every_zone_of_the_tests(convert, reading: str) -> None:
    for zone in ZONES:
        wall = datetime.fromisoformat(f"2026-01-01T{reading}")
        found = evenly(
            lambda i, zone=zone, wall=wall: convert(wall + i * timedelta(days=1), zone), 0, at("2027-01-01T00:00"),
            timedelta(days=1), zone,
        )  # fmt: skip
        assert found == [convert(wall + i * timedelta(days=1), zone) for i in range(len(found))]
        assert len(found) in range(364, 368)


def test_no_clock_is_turned_to_and_fro_within_a_day() -> None:
    """What lets a range between two changes be filled by addition."""
    for zone in sorted(zoneinfo.available_timezones()):
        info = zoneinfo.ZoneInfo(zone)
        offsets = [(at("2026-01-01T00:00") + i * HALF_DAY).astimezone(info).utcoffset() for i in range(730)]
        changes = [i for i, (before, after) in enumerate(pairwise(offsets)) if before != after]
        assert all(later - earlier > 4 for earlier, later in pairwise(changes)), zone


def people(edited, start: str, count: int) -> list[str]:
    turns = LayerTurns(edited).between(at(start), at(start) + timedelta(weeks=count))
    return [turn.person for turn in turns][:count]


class TestRevisions:
    """Ring edits (ROT-10)."""

    def desk(self):
        return layer("desk", BERLIN, rotation("weekly", "2026-05-04T09:00", "ada ben cem"))

    def test_r15_a_newcomer_never_takes_the_current_week(self) -> None:
        edited, overrides = revise(self.desk(), ("ada", "ben", "cem", "dan"), at("2026-05-27T12:00"))
        assert overrides == ()
        assert edited.revisions[1].effective_from == at("2026-06-01T07:00")
        assert people(edited, "2026-05-25T07:00", 6) == ["ada", "ben", "cem", "dan", "ada", "ben"]

    def test_history_stays_as_it_was(self) -> None:
        before = people(self.desk(), "2026-05-04T07:00", 4)
        edited, _ = revise(self.desk(), ("dan",), at("2026-05-27T12:00"))
        assert people(edited, "2026-05-04T07:00", 4) == before
        assert people(edited, "2026-06-01T07:00", 2) == ["dan", "dan"]

    def test_when_the_holder_leaves_the_next_of_the_old_ring_follows(self) -> None:
        edited, overrides = revise(self.desk(), ("cem", "dan", "ben"), at("2026-05-27T12:00"))
        assert overrides == ()
        assert people(edited, "2026-05-25T07:00", 4) == ["ada", "ben", "cem", "dan"]

    def test_now_relieves_a_removed_holder_at_once(self) -> None:
        edited, overrides = revise(self.desk(), ("ben", "cem"), at("2026-05-27T12:00"), now=True)
        assert overrides == (("primary", "ben", at("2026-05-27T12:00"), at("2026-06-01T07:00")),)
        assert people(edited, "2026-06-01T07:00", 3) == ["ben", "cem", "ben"]

    def test_now_changes_nothing_for_a_holder_who_stays(self) -> None:
        assert revise(self.desk(), ("ada", "ben"), at("2026-05-27T12:00"), now=True).overrides == ()

    def test_now_relieves_window_by_window(self) -> None:
        windowed = layer("desk", BERLIN, rotation("weekly", "2026-05-04T00:00", "ada ben cem"), "09-18")
        _, overrides = revise(windowed, ("ben", "cem"), at("2026-05-09T12:00"), now=True)
        assert [(o.start, o.end) for o in overrides] == [
            (at("2026-05-09T12:00"), at("2026-05-09T16:00")),
            (at("2026-05-10T07:00"), at("2026-05-10T16:00")),
        ]

    def test_a_second_edit_before_the_handoff_replaces_the_first(self) -> None:
        once, _ = revise(self.desk(), ("ada", "ben", "cem", "dan"), at("2026-05-27T12:00"))
        twice, _ = revise(once, ("ada", "zoe"), at("2026-05-28T12:00"))
        assert len(twice.revisions) == 2
        assert people(twice, "2026-05-25T07:00", 3) == ["ada", "zoe", "ada"]

    def test_a_rotation_of_the_31st_stays_one(self) -> None:
        monthly = layer("desk", BERLIN, rotation("monthly", "2027-01-31T09:00", "ada ben"))
        edited, _ = revise(monthly, ("ada", "ben", "cem"), at("2027-02-10T12:00"))
        starts = [turn.start for turn in LayerTurns(edited).between(at("2027-02-28T08:00"), at("2027-05-01T00:00"))]
        assert starts == [at("2027-02-28T08:00"), at("2027-03-31T07:00"), at("2027-04-30T07:00")]

    def test_a_layer_that_has_not_begun_begins_with_the_new_ring(self) -> None:
        edited, _ = revise(self.desk(), ("zoe", "ada"), at("2026-04-01T12:00"))
        assert people(edited, "2026-05-04T07:00", 2) == ["zoe", "ada"]

    def test_a_layer_that_begins_later_than_its_anchor_keeps_its_beginning(self) -> None:
        desk = self.desk()
        dated = replace(desk, revisions=(Revision(at("2026-06-01T07:00"), desk.revisions[0].rotation),))
        edited, _ = revise(dated, ("zoe", "ada", "ben"), at("2026-05-10T00:00"))
        assert people(edited, "2026-05-04T07:00", 6) == ["zoe", "ada"]

    def test_there_must_be_something_to_revise(self) -> None:
        with pytest.raises(ValueError, match="no rotation"):
            revise(replace(self.desk(), revisions=()), ("ada",), at("2026-05-27T12:00"))

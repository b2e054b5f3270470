"""Escalations on the shipped schedule: follow the sun, with its overlaps, and with the gaps of tight windows."""

from __future__ import annotations

from datetime import UTC, datetime, time

import pytest

from rotations.escalation import State, Target, run
from rotations.escalation import effects as fx
from rotations.escalation.defaults import P1
from rotations.escalation.roles import SchedulePeople, backup, neighbour, primary
from rotations.rotation import Revision, Rotation, Unit
from rotations.rules import Layer, Leave, Override, Rules
from rotations.schedule import Schedule
from tests.rotations.escalation_cast import start, told

APAC = ("akira", "aiko", "amy")
EMEA = ("bob", "carol", "cem")
AMER = ("erin", "emil", "eve")
SENIORS = {"seniors": ("sven",), "head_of_support": ("hana",)}


def layer(name: str, zone: str, opens: int, closes: int, ring: tuple[str, ...], **fields: object) -> Layer:
    daily = Rotation(Unit.DAILY, 1, datetime(2026, 1, 1, opens), ring)
    return Layer(name, zone, (Revision(None, daily),), window=(time(opens), time(closes)), **fields)


def follow_the_sun(*windows: tuple[int, int], **fields: object) -> Schedule:
    sites = (("APAC", "Asia/Tokyo", APAC), ("EMEA", "Europe/Berlin", EMEA), ("AMER", "America/New_York", AMER))
    layers = (layer(name, zone, *window, ring) for (name, zone, ring), window in zip(sites, windows, strict=True))
    return Schedule(Rules(tuple(layers), **fields))


SHIPPED = ((9, 18), (9, 18), (11, 20))
TIGHT = ((9, 17), (9, 17), (11, 19))


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def pages(schedule: Schedule, begin: str, until: str) -> list[tuple[str, str, str]]:
    people = SchedulePeople(schedule, manager="dana", others=SENIORS)
    ran = run(P1, people, [start(at(begin))], at(until))
    return [(f"{page.at:%H:%M:%S}", page.person, str(page.reason)) for page in ran.pages]


def test_e04_a_shift_change_on_the_shipped_schedule():
    schedule = follow_the_sun(*SHIPPED)
    before, now = schedule.who(at("2026-07-15T06:59Z")), schedule.who(at("2026-07-15T07:00Z"))
    assert before.primary in APAC
    assert {now.primary, now.backup} <= set(EMEA)
    amer = schedule.who(at("2026-07-15T15:00Z")).primary
    assert pages(schedule, "2026-07-15T06:58:30Z", "2026-07-15T07:05Z") == [
        ("06:58:30", before.primary, "primary"),
        ("07:00:00", now.primary, "shift_change"),
        ("07:01:30", now.backup, "backup"),
        ("07:01:30", now.primary, "primary"),
        ("07:04:30", "dana", "emergency_phone"),
        ("07:04:30", amer, "neighbour"),
    ]


@pytest.mark.parametrize("fallback", [None, "dana"])
def test_e05_a_gap_of_the_tight_schedule_whether_or_not_it_names_its_fallback(fallback):
    schedule = follow_the_sun(*TIGHT, fallback=fallback)
    apac = schedule.who(at("2026-03-21T00:00Z")).primary
    assert apac in APAC
    assert pages(schedule, "2026-03-20T23:30Z", "2026-03-20T23:34:01Z") == [
        ("23:30:00", "dana", "no_target"),
        ("23:30:00", apac, "neighbour"),
        ("23:32:00", "sven", "seniors"),
        ("23:32:00", "hana", "head_of_support"),
        ("23:34:00", "dana", "no_target"),
        ("23:34:00", apac, "neighbour"),
    ]


def test_the_end_of_a_shift_in_a_gap_is_not_silent():
    schedule = follow_the_sun(*TIGHT)
    amer = schedule.who(at("2026-03-20T22:59Z")).primary
    assert pages(schedule, "2026-03-20T22:58Z", "2026-03-20T23:00:30Z") == [
        ("22:58:00", amer, "primary"),
        ("23:00:00", "dana", "no_target"),
    ]


def test_the_fallback_of_a_schedule_is_nobody_to_a_step():
    schedule = follow_the_sun(*TIGHT, fallback="dana")
    gap = at("2026-03-20T23:30Z")
    assert schedule.who(gap).primary == "dana"
    assert (primary(schedule, gap), backup(schedule, gap)) == (None, None)


def test_the_neighbour_is_whoever_will_really_hold_the_next_window():
    morning, noon = at("2026-07-15T07:30Z"), at("2026-07-15T15:00Z")
    nominal = neighbour(follow_the_sun(*SHIPPED), morning)
    assert nominal in AMER
    away = follow_the_sun(*SHIPPED, leave=(Leave(nominal, noon, at("2026-07-16T00:00Z")),))
    assert neighbour(away, morning) in set(AMER) - {nominal}
    replaced = follow_the_sun(*SHIPPED, overrides=(Override("primary", "zoe", noon, at("2026-07-16T00:00Z")),))
    assert neighbour(replaced, morning) == "zoe"


def test_a_layer_that_goes_first_does_not_hide_the_neighbouring_site():
    always = Rotation(Unit.WEEKLY, 1, datetime(2026, 1, 5), ("pia",))
    site = follow_the_sun(*SHIPPED).rules.layers
    schedule = Schedule(Rules((Layer("seniors", "UTC", (Revision(None, always),), priority=9), *site)))
    assert primary(schedule, at("2026-07-15T07:30Z")) == "pia"
    assert neighbour(schedule, at("2026-07-15T07:30Z")) in AMER


def test_a_single_site_has_no_neighbour():
    schedule = Schedule(Rules((layer("Berlin", "Europe/Berlin", 9, 18, EMEA),)))
    assert neighbour(schedule, at("2026-07-15T07:30Z")) is None


def test_every_manager_a_policy_can_name_is_the_manager():
    people = SchedulePeople(follow_the_sun(*SHIPPED), manager="dana")
    for name in ("duty_manager", "emergency_phone", "manager"):
        assert people.resolve(Target.parse(name), at("2026-07-15T07:30Z")).people == ("dana",)
    assert people.resolve(Target.parse("person:ada"), at("2026-07-15T07:30Z")).people == ("ada",)
    assert people.resolve(Target.parse("seniors"), at("2026-07-15T07:30Z")).people == ()


def test_without_a_manager_a_gap_is_on_record():
    people = SchedulePeople(follow_the_sun(*TIGHT))
    ran = run(P1, people, [start(at("2026-03-20T23:30Z"))], at("2026-03-20T23:31Z"), state=State())
    assert [gone.fallback for gone in told(ran.effects, fx.NobodyOnCall)] == [None, None]

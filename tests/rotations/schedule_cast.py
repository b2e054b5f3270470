"""Schedules in few words, for the tests beside this file."""

from __future__ import annotations

from datetime import UTC, datetime, time
from typing import Any

from rotations.rotation import Revision, Rotation, Unit
from rotations.rules import Layer, Rules
from rotations.schedule import Schedule

BERLIN = "Europe/Berlin"


def at(text: str) -> datetime:
    """An instant, written 2026-05-06T12:00 and meant in UTC."""
    return datetime.fromisoformat(text.removesuffix("Z")).replace(tzinfo=UTC)


def rotation(unit: str, anchor: str, ring: str, every: int = 1, start_index: int = 0) -> Rotation:
    return Rotation(Unit(unit), every, datetime.fromisoformat(anchor), tuple(ring.split()), start_index)


def layer(name: str, zone: str, turns: Rotation, window: str = "", **more: Any) -> Layer:
    """`window` is written 09-18; empty is around the clock."""
    opens, _, closes = window.partition("-")
    hours = (time(int(opens)), time(int(closes))) if window else None
    return Layer(name, zone, (Revision(None, turns),), hours, **more)


def weekly(name: str, zone: str, window: str, ring: str, **more: Any) -> Layer:
    """A layer that hands over on the first Monday of 2026 and every week after."""
    return layer(name, zone, rotation("weekly", "2025-12-29T00:00", ring), window, **more)


def follow_the_sun(apac: str = "Asia/Tokyo", apac_window: str = "09-18") -> Rules:
    """The shipped schedule: three sites, nine local hours each (domain §4.3)."""
    return Rules(
        (
            weekly("APAC", apac, apac_window, "aiko kenji mei yuki ren"),
            weekly("EMEA", BERLIN, "09-18", "bob carol anna jan eva"),
            weekly("AMER", "America/New_York", "11-20", "erin dave luis kim zoe"),
        )
    )


def tight() -> Rules:
    """Eight hours per site and no hour to spare (R-10)."""
    return Rules(
        (
            weekly("APAC", "Asia/Tokyo", "09-17", "aiko kenji mei"),
            weekly("EMEA", BERLIN, "09-17", "bob carol anna"),
            weekly("AMER", "America/New_York", "11-19", "erin dave luis"),
        )
    )


def week_of_three(**more: Any) -> Rules:
    """Ada, Ben and Cem, a week each from Monday 4 May 2026 09:00 Berlin (R-13)."""
    return Rules((layer("desk", BERLIN, rotation("weekly", "2026-05-04T09:00", "ada ben cem")),), **more)


def on_duty(rules: Rules, moment: str) -> tuple[str | None, str | None]:
    """Primary and backup."""
    found = Schedule(rules).who(at(moment))
    return found.primary, found.backup

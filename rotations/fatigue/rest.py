"""Run time: rest owed after a call-out, and what a heavy shift or a broken night changes (FAT-1, 5, 6). Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import date, datetime, timedelta
from typing import NamedTuple

from rotations import local_days
from rotations.fatigue.terms import DEFAULT, Duty, Finding, Kind, Profile, Severity, work
from rotations.rules import Block


def call_out(person: str, first_page: datetime, work_ends: datetime, profile: Profile = DEFAULT) -> Duty:
    """The work of a call-out: from the first page until work ends, thirty minutes at the least."""
    return Duty(person, first_page, max(work_ends, first_page + profile.shortest_call_out), Kind.CALL_OUT)


def fit_again(worked: Iterable[Duty], profile: Profile = DEFAULT) -> datetime | None:
    """When somebody who has done this work has had their daily rest (R-19); None if there was no work in it."""
    stretches = work(worked)
    return stretches[-1].end + profile.daily_rest if stretches else None


def rest_blocks(called_out: Iterable[Duty], planned: Collection[Duty], profile: Profile = DEFAULT) -> tuple[Block, ...]:
    """The parts of planned active shifts that call-outs before them have turned into rest (FAT-1 at run time).

    Rest does not end standby: being reachable is not work.
    """
    blocks = []
    for call in called_out:
        for duty in planned:
            start, end = max(duty.start, call.end), min(duty.end, call.end + profile.daily_rest)
            if duty.person == call.person and duty.kind is Kind.ACTIVE and call.start < duty.start and start < end:
                blocks.append(Block(call.person, start, end))
    return tuple(sorted(blocks, key=lambda block: (block.start, block.person)))


def blocked_at(
    t: datetime, person: str, called_out: Iterable[Duty], planned: Collection[Duty], profile: Profile = DEFAULT
) -> Block | None:
    """The rest that keeps `person` from their planned shift at `t`, if any does."""
    blocks = rest_blocks(called_out, planned, profile)
    return next((block for block in blocks if block.person == person and block.start <= t < block.end), None)


class Acknowledged(NamedTuple):
    """A P1 or P2 incident, and when the primary acknowledged it."""

    incident: str
    at: datetime


def is_loaded(
    acknowledged: Iterable[Acknowledged], t: datetime, shift_start: datetime, profile: Profile = DEFAULT
) -> bool:
    """Whether the next P1 or P2 of this shift at `t` goes to the backup first (FAT-5, R-24)."""
    since = max(shift_start, t - profile.incidents_within)
    return len({ack.incident for ack in acknowledged if since <= ack.at <= t}) >= profile.incidents


def night_interruptions(
    person: str, home: str, acknowledged: Iterable[Acknowledged], profile: Profile = DEFAULT
) -> tuple[Finding, ...]:
    """One note for each night at home in which a page was acknowledged: offer a late start and time off (FAT-6)."""
    nights: dict[date, list[datetime]] = {}
    for ack in sorted(acknowledged, key=lambda ack: ack.at):
        for night, _ in local_days.nights(ack.at, ack.at + timedelta.resolution, home, profile.night):
            nights.setdefault(night, []).append(ack.at)
    return tuple(
        Finding(
            "FAT-6",
            person,
            Severity.INFO,
            pages[0],
            pages[-1],
            "A night was interrupted. Offer a late start and enter compensatory time.",
            numbers=(("pages", float(len(pages))),),
        )
        for pages in nights.values()
    )

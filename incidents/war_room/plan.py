"""When the desk does what during a critical incident and after it (domain §6). Pure; intervals are real time.

A slot counts the repetitions of one kind. A series is planned up to its first instant in the future: what was missed
while the desk was away is known, and only the latest of it is still worth doing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class Kind(StrEnum):
    """What a prompt is there for."""

    NOTICE_DRAFT = "notice_draft"
    LIAISON = "liaison"
    COMMANDER = "commander"
    BRIEFING_DRAFT = "briefing_draft"
    BRIEFING = "briefing"
    BRIEFING_UNREVIEWED = "briefing_unreviewed"
    ROLES = "roles"
    SECOND_RESPONDER = "second_responder"
    RELIEF = "relief"
    HAND_OFF = "hand_off"
    VERIFICATION = "verification"
    LAST_BRIEFING = "last_briefing"
    REMINDER = "reminder"
    SURVEY = "survey"
    ARCHIVE = "archive"


@dataclass(frozen=True, slots=True)
class Situation:
    """What the plan looks at. `declared_at` is T: when it became a P1 that gets a war room; None: it has none."""

    declared_at: datetime | None = None
    mitigated_at: datetime | None = None
    resolved_at: datetime | None = None
    confirmed_at: datetime | None = None
    published_at: datetime | None = None
    shift_ends_at: datetime | None = None
    was_notice_settled: bool = False
    was_commander_claimed: bool = False
    commander_left_at: datetime | None = None  # when the last one who had claimed it gave it up
    is_over: bool = False  # cancelled or merged: nothing more is due


@dataclass(frozen=True, slots=True)
class Planned:
    """One thing that is to happen at an instant."""

    kind: Kind
    slot: int
    at: datetime


MINUTE = timedelta(minutes=1)
NOTICE_AFTER = 1 * MINUTE
LIAISON_AFTER = 5 * MINUTE
COMMANDER_AFTER = 10 * MINUTE
COMMANDER_EVERY = 5 * MINUTE  # as long as there is none
BRIEFING_AFTER = 30 * MINUTE
BRIEFING_EVERY = timedelta(hours=1)
DRAFT_BEFORE = 5 * MINUTE
UNREVIEWED_AFTER = 5 * MINUTE
ROLES_AFTER = 30 * MINUTE
SECOND_AFTER = timedelta(hours=1)
RELIEF_EVERY = timedelta(hours=4)
HAND_OFF_BEFORE = 15 * MINUTE
LAST_BRIEFING_AFTER = 25 * MINUTE  # at most 30 after the resolution
REMINDERS_AFTER = (timedelta(hours=24), timedelta(hours=48))
SURVEY_AFTER = timedelta(hours=1)
ARCHIVE_AFTER = timedelta(days=14)


def plan(situation: Situation, now: datetime) -> tuple[Planned, ...]:
    """Everything that is due or was, and the next of every series, in order."""
    if situation.is_over:
        return ()
    return tuple(sorted(_all(situation, now), key=lambda planned: (planned.at, planned.kind, planned.slot)))


def _all(now_is: Situation, now: datetime) -> Iterator[Planned]:
    if now_is.resolved_at is not None:
        yield from _afterwards(now_is, now_is.resolved_at)
    elif now_is.declared_at is not None:
        yield from _during(now_is, now_is.declared_at, now)


def _during(now_is: Situation, declared: datetime, now: datetime) -> Iterator[Planned]:
    if not now_is.was_notice_settled:
        yield Planned(Kind.NOTICE_DRAFT, 1, declared + NOTICE_AFTER)
    yield Planned(Kind.LIAISON, 1, declared + LIAISON_AFTER)
    if not now_is.was_commander_claimed:
        yield from _until_commanded(now_is, declared + COMMANDER_AFTER, now)
    yield Planned(Kind.ROLES, 1, declared + ROLES_AFTER)
    yield Planned(Kind.SECOND_RESPONDER, 1, declared + SECOND_AFTER)
    yield from _series(Kind.BRIEFING_DRAFT, declared + BRIEFING_AFTER - DRAFT_BEFORE, BRIEFING_EVERY, now)
    yield from _series(Kind.BRIEFING, declared + BRIEFING_AFTER, BRIEFING_EVERY, now)
    yield from _series(Kind.BRIEFING_UNREVIEWED, declared + BRIEFING_AFTER + UNREVIEWED_AFTER, BRIEFING_EVERY, now)
    yield from _series(Kind.RELIEF, declared + RELIEF_EVERY, RELIEF_EVERY, now)
    if now_is.shift_ends_at is not None and now_is.shift_ends_at - HAND_OFF_BEFORE > declared:
        ends = now_is.shift_ends_at
        yield Planned(Kind.HAND_OFF, int(ends.timestamp()) // 60, ends - HAND_OFF_BEFORE)
    if now_is.mitigated_at is not None and now_is.mitigated_at >= declared:
        yield Planned(Kind.VERIFICATION, 1, now_is.mitigated_at)


def _until_commanded(now_is: Situation, first: datetime, now: datetime) -> Iterator[Planned]:
    """A P1 has exactly one commander (§1.3): from T+10 on, and at once when they leave later. A slot is the minutes
    since the first of them, so that it stays the same whenever it is planned."""
    begins = max(first, now_is.commander_left_at or first)
    for planned in _series(Kind.COMMANDER, begins, COMMANDER_EVERY, now):
        yield Planned(planned.kind, 1 + int((planned.at - first) / MINUTE), planned.at)


def _series(kind: Kind, first: datetime, every: timedelta, now: datetime) -> Iterator[Planned]:
    slot, at = 1, first
    while at <= now:
        yield Planned(kind, slot, at)
        slot, at = slot + 1, at + every
    yield Planned(kind, slot, at)


def _afterwards(now_is: Situation, resolved: datetime) -> Iterator[Planned]:
    if now_is.declared_at is not None:
        yield Planned(Kind.LAST_BRIEFING, 1, resolved + LAST_BRIEFING_AFTER)
    if now_is.confirmed_at is None:
        for slot, after in enumerate(REMINDERS_AFTER, start=1):
            yield Planned(Kind.REMINDER, slot, resolved + after)
    else:
        yield Planned(Kind.SURVEY, 1, now_is.confirmed_at + SURVEY_AFTER)
    if now_is.declared_at is not None and now_is.published_at is not None:
        yield Planned(Kind.ARCHIVE, 1, now_is.published_at + ARCHIVE_AFTER)

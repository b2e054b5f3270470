"""What a change to the rota does to the people in it, before it is made (§4.4, plan time) and who covers an absence."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Q

from rotations import fatigue, oncall
from rotations.fatigue import Duty, Finding, Person, Profile, Severity
from rotations.models import CallOut, Schedule
from rotations.resolution import Reason
from rotations.rules import BACKUP, PRIMARY, Leave, Rules, Slot
from rotations.schedule import Schedule as Compiled
from rotations.shifts import Shift
from supportdesk.accounts.models import User

LOOK_BACK = timedelta(weeks=17)  # FAT-2 averages over as much
LOOK_AHEAD = timedelta(weeks=4)
PROFILES: Mapping[str, Profile] = {"default": fatigue.DEFAULT, "EU": fatigue.EU}


def profile() -> Profile:
    """The limits of this desk's region."""
    return PROFILES[settings.FATIGUE_PROFILE]


def consequences(
    changed: Mapping[int, Rules], people: Collection[str], start: datetime, end: datetime
) -> tuple[Finding, ...]:
    """What replacing the rules of some schedules (by key) makes worse for these people, around `start` … `end`.

    All schedules count together: whoever works in two of them still sleeps once.
    """
    rows = list(Schedule.objects.order_by("pk"))
    before = oncall.schedules(rows)
    after = [Compiled(changed[row.pk]) if row.pk in changed else now for row, now in zip(rows, before, strict=True)]
    low, high = start - LOOK_BACK, end + LOOK_AHEAD
    called = call_outs(people, low, high)
    homes = zones_of(people)
    return fatigue.check_change(
        persons(before, people, homes, low, high, called), persons(after, people, homes, low, high, called), profile()
    )


def persons(
    schedules: Iterable[Compiled],
    people: Collection[str],
    homes: Mapping[str, str],
    start: datetime,
    end: datetime,
    called: Iterable[Duty] = (),
) -> list[Person]:
    """These people with all their duties in these schedules, and what they were called out for."""
    own: dict[str, list[Duty]] = {person: [] for person in people}
    for schedule in schedules:
        for duty in fatigue.duties(schedule.shifts(start, end), schedule.rules.layers):
            if duty.person in own:
                own[duty.person].append(duty)
    for duty in called:
        own[duty.person].append(duty)
    return [Person(person, homes.get(person, "UTC"), tuple(duties)) for person, duties in sorted(own.items())]


def zones_of(people: Collection[str]) -> dict[str, str]:
    """The zones people sleep in."""
    known = User.objects.filter(pk__in=[int(person) for person in people if person.isdigit()])
    return {str(pk): zone for pk, zone in known.values_list("pk", "time_zone")}


def call_outs(people: Collection[str], start: datetime, end: datetime) -> list[Duty]:
    """The work of call-outs that were acknowledged and are over."""
    rows = CallOut.objects.filter(
        user__in=[int(person) for person in people if person.isdigit()],
        acknowledged_at__isnull=False,
        ended_at__isnull=False,
        paged_at__lt=end,
        ended_at__gt=start,
    )
    return [fatigue.call_out(str(row.user_id), row.paged_at, row.ended_at, profile()) for row in rows if row.ended_at]


def blocking(findings: Iterable[Finding]) -> list[Finding]:
    """Those that forbid a plan, unless a manager has the engineer's consent and a reason."""
    return [finding for finding in findings if finding.severity is Severity.BLOCK]


def in_words(findings: Iterable[Finding]) -> list[dict[str, Any]]:
    """Findings as a form, a page and the API show them."""
    findings = list(findings)
    known = dict(User.objects.filter(pk__in={int(f.person) for f in findings}).values_list("pk", "name"))
    return [
        {
            "rule": finding.rule,
            "severity": finding.severity.value,
            "person": known.get(int(finding.person), ""),
            "text": finding.text,
            "start": finding.start,
            "end": finding.end,
            "is_legal_limit": finding.is_legal_limit,
        }
        for finding in findings
    ]


@dataclass(frozen=True, slots=True)
class Hit:
    """A duty that an absence would leave open from `start` until `end`, and who would step up for it, if anybody."""

    schedule: Schedule
    slot: Slot
    start: datetime
    end: datetime
    covered_by: str | None

    @property
    def is_uncovered(self) -> bool:
        """Nobody would be paged first."""
        return self.covered_by is None and self.slot == PRIMARY


def hits(user_id: int, start: datetime, end: datetime, now: datetime) -> list[Hit]:
    """The duties of a person that an absence from `start` until `end` would leave open from now on (ROT-9)."""
    low, person = max(start, now), str(user_id)
    if low >= end:
        return []
    found: list[Hit] = []
    rows = list(schedules_of(user_id))
    for row, compiled in zip(rows, oncall.schedules(rows), strict=True):
        rules = replace(compiled.rules, leave=(*compiled.rules.leave, Leave(person, start, end)))
        without = Compiled(rules)
        for shift in compiled.shifts(low, end).shifts:
            if shift.person == person:
                found += _open(row, without, shift)
    return sorted(found, key=lambda hit: (hit.start, hit.slot))


def _open(row: Schedule, without: Compiled, shift: Shift) -> list[Hit]:
    final = without.shifts(shift.start, shift.end)
    held = [s for s in final.shifts if s.slot == shift.slot and s.reason is not Reason.FALLBACK]
    taken = [Hit(row, shift.slot, s.start, s.end, s.person) for s in held]
    gaps = [g for g in final.gaps if g.slot == shift.slot]
    return taken + [Hit(row, shift.slot, g.start, g.end, None) for g in gaps]


def schedules_of(user_id: int) -> list[Schedule]:
    """Every schedule this person could come to hold a slot of."""
    return list(
        Schedule.objects.filter(
            Q(layers__revisions__members__user=user_id)
            | Q(overrides__user=user_id)
            | Q(swaps__giver=user_id)
            | Q(swaps__taker=user_id)
        )
        .distinct()
        .order_by("pk")
    )


def holds_throughout(row: Schedule, slot: Slot, user_id: int, start: datetime, end: datetime) -> bool:
    """Whether a person has a slot for every moment from `start` until `end`."""
    reached = start
    for shift in oncall.schedule(row).shifts(start, end).shifts:
        if shift.slot == slot and shift.person == str(user_id) and shift.start == reached:
            reached = shift.end
    return reached == end


def crew(row: Schedule) -> list[int]:
    """Everybody in the rings of a schedule as they stand now, by key."""
    layers = oncall.schedule(row).layers
    people = {person for layer in layers for turns in layer.crews[-1:] for person in turns.ring}
    return sorted(int(person) for person in people)


SLOTS: tuple[Slot, ...] = (PRIMARY, BACKUP)

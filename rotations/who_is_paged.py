"""What an edit changes about who is paged: the rows before it against the rows after it, over the next 30 days.

Asked twice in one transaction, around a save that may be rolled back. Stores nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from rotations import changes, oncall, promises, proving
from rotations.changes import Change
from rotations.escalation.policy import Policy
from rotations.models import Schedule as ScheduleRow
from rotations.promises import Unkept
from rotations.proof import Claim, Ladder
from rotations.proof.firings import longest
from rotations.proof.meant import Desk
from rotations.rules import Rules

_Case = tuple[str, str, str]  # organization, severity, service


@dataclass(frozen=True, slots=True)
class Assigned:
    """The policy an incident of some claim gets, and the schedule it means by `primary`."""

    policy: Policy
    roster: str


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Who is on duty, which policy everybody's incidents get, and which promises that breaks, as the rows stand."""

    schedules: Mapping[int, tuple[str, Rules]]
    assigned: Mapping[_Case, Assigned]
    unkept: tuple[Unkept, ...]


def snapshot(start: datetime, end: datetime) -> Snapshot:
    """The rows as they stand, from `start` until `end`."""
    schedules = list(ScheduleRow.objects.order_by("pk"))
    named = {row.pk: (row.name, made) for row, made in zip(schedules, oncall.rules(schedules), strict=True)}
    rules = proving.handed_out()
    values = {rule.policy_id: rule.policy for rule in rules}
    made = {pk: Assigned(_unversioned(row.value()), row.schedule.slug) for pk, row in values.items()}
    claims = proving.claimed(rules, start, start + proving.ON_SAVE)
    soon = [claim for claim in claims if claim.policy is not None and claim.held[0][0] < end]
    return Snapshot(
        named, {_case(claim): made[claim.policy] for claim in soon if claim.policy}, tuple(promises.of(rules, claims))
    )


def difference(before: Snapshot, after: Snapshot, start: datetime, end: datetime) -> list[Change]:
    """What is different between two snapshots: duty by schedule, and the chain of whoever gets another policy."""
    found = [
        change
        for pk in {**before.schedules, **after.schedules}
        for change in _of_schedule(before.schedules.get(pk), after.schedules.get(pk), start, end)
    ]
    moved = [case for case in {**before.assigned, **after.assigned} if _moved(case, before, after)]
    if moved:
        found += _of_policies(moved, before, after, start, end)
    return sorted(found, key=lambda change: (change.start, change.what, change.slot))


def _of_schedule(
    before: tuple[str, Rules] | None, after: tuple[str, Rules] | None, start: datetime, end: datetime
) -> list[Change]:
    """One schedule under its present name; one that is new or gone had, or has, nobody."""
    name, _ = after or before or ("", None)
    return changes.of_schedule(name, before and before[1], after and after[1], start, end)


def newly_unkept(before: Snapshot, after: Snapshot) -> list[Unkept]:
    """Promises that are not kept after an edit and were, or were broken otherwise, before."""
    known = {(one.policy_id, one.lines) for one in before.unkept}
    return [one for one in after.unkept if (one.policy_id, one.lines) not in known]


def names(found: Iterable[Change]) -> dict[str, str]:
    """The names of everybody in some changes, by id."""
    name = proving.names()
    return {person: name(person) for change in found for person in (*change.before, *change.after)}


def _case(claim: Claim) -> _Case:
    return claim.organization, claim.severity, claim.service


def _moved(case: _Case, before: Snapshot, after: Snapshot) -> bool:
    return before.assigned.get(case) != after.assigned.get(case)


def _of_policies(
    cases: Iterable[_Case], before: Snapshot, after: Snapshot, start: datetime, end: datetime
) -> Iterator[Change]:
    """The chains of these claims, before and after; claims that move alike are compared once."""
    alike: dict[tuple[str, Assigned | None, Assigned | None], list[str]] = defaultdict(list)
    for organization, severity, service in cases:
        case = (organization, severity, service)
        who = f"{organization}, {service}" if service else organization
        alike[severity, before.assigned.get(case), after.assigned.get(case)].append(who)
    evidence = proving.evidence(proving.handed_out())
    for (severity, old, new), cases_of in alike.items():
        margin = max(longest(one.policy) for one in (old, new) if one is not None)
        desk = Desk(evidence, start, end + margin + timedelta.resolution)
        chains = [
            changes.chain(desk, Ladder(one.policy, one.roster), severity, start, end) if one else {}
            for one in (old, new)
        ]
        yield from changes.between(f"{severity} of {_listed(cases_of)}", chains[0], chains[1], start, end)


def _unversioned(policy: Policy) -> Policy:
    """Without its name and number: an edit that changes neither steps nor waits changes nobody's page."""
    return Policy("", 0, policy.steps, pager=policy.pager)


def _listed(who: list[str]) -> str:
    distinct = sorted(set(who))
    return ", ".join(distinct[:3]) + (f" and {len(distinct) - 3} more" if len(distinct) > 3 else "")

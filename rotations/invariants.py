"""What must be true of the rota: the next day is covered, and whoever has it can be rung."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from rotations import oncall
from rotations.models import Schedule
from supportdesk.accounts.models import User
from supportdesk.auditor.invariants import Invariant
from supportdesk.auditor.models import Finding
from supportdesk.integrations.lines import Lines

AHEAD = timedelta(hours=24)
ENOUGH_METHODS = 2


def uncovered(now: datetime) -> Sequence[tuple[str, str]]:
    """Schedules without a primary at some time of the next day."""
    wrong = []
    rows = list(Schedule.objects.order_by("pk"))
    for row, compiled in zip(rows, oncall.schedules(rows), strict=True):
        gaps = [gap for gap in compiled.shifts(now, now + AHEAD).gaps if gap.slot == "primary"]
        if gaps:
            span = f"{gaps[0].start:%a %H:%M} to {gaps[0].end:%a %H:%M} UTC"
            wrong.append((f"schedule:{row.slug}", f"{row.name} has no primary from {span}"))
    return wrong


def hard_to_reach(now: datetime) -> Sequence[tuple[str, str]]:
    """People who have a shift within the next day and fewer than two ways to be reached, or no telephone."""
    rows = list(Schedule.objects.order_by("pk"))
    people = {
        shift.person
        for compiled in oncall.schedules(rows)
        for shift in compiled.shifts(now, now + AHEAD).shifts
        if shift.person and shift.person.isdigit()
    }
    lines = Lines.load()
    users = User.objects.filter(pk__in=[int(pk) for pk in people]).prefetch_related(
        "contact_methods", "page_rules__method"
    )
    wrong = []
    for user in users:
        kinds = {method.kind for method in oncall.responder(user, lines).methods}
        if len(kinds) < ENOUGH_METHODS or "phone" not in kinds:
            wrong.append((f"user:{user.pk}", f"{user.name} can be reached by {', '.join(sorted(kinds)) or 'nothing'}"))
    return wrong


INVARIANTS = (
    Invariant(
        "I6-coverage",
        "Nobody is on call at some time of the next 24 hours",
        "Put somebody into the schedule; until then its fallback is paged, and after that the emergency number.",
        ask=uncovered,
    ),
    Invariant(
        "I6-methods",
        "Somebody on call within a day can be reached in fewer than two ways, or not by telephone",
        "They verify a phone and a second method under Your settings.",
        level=Finding.Level.WARNING,
        ask=hard_to_reach,
    ),
)

"""Rest after a call-out: whoever was called at night is relieved until they have slept, if anybody can (FAT-1, D13).

Coverage wins: where nobody fit can be reached the person keeps the shift, a manager is told, and it is written down.
"""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction

from rotations import fatigue, oncall, planning, telling
from rotations.actions.overriding import place
from rotations.fatigue import Candidate
from rotations.models import Override, Schedule
from rotations.rules import PRIMARY, Block
from supportdesk import instants
from supportdesk.accounts.models import User
from supportdesk.actors import Actor
from supportdesk.audit import trail
from supportdesk.integrations.lines import Lines

REASON = "rest after a call-out (FAT-1)"
_LOAD = timedelta(days=28)


def relieve(user_id: int, *, actor: Actor) -> list[Override]:
    """Give the part of somebody's coming shifts that their rest covers to whoever is fit and least on call."""
    made: list[Override] = []
    with transaction.atomic():
        now, limits = instants.now(), planning.profile()
        ids = [row.pk for row in planning.schedules_of(user_id)]
        rows = list(Schedule.objects.select_for_update().filter(pk__in=ids).order_by("pk"))
        called = planning.call_outs({str(user_id)}, now - limits.daily_rest, now + timedelta(seconds=1))
        if not called:
            return made
        for row in rows:
            compiled = oncall.schedule(row)
            final = compiled.shifts(now, now + limits.daily_rest + timedelta(hours=1))
            planned = [d for d in fatigue.duties(final, compiled.rules.layers) if d.person == str(user_id)]
            whole = [d._replace(start=d.shift[0] if d.shift else d.start) for d in planned if d.slot == PRIMARY]
            for block in _merged(fatigue.rest_blocks(called, whole, limits)):
                made += _substitute(row, block._replace(start=max(block.start, now)), actor)
    return made


def _merged(blocks: tuple[Block, ...]) -> list[Block]:
    """Rest that several call-outs made necessary is one rest."""
    merged: list[Block] = []
    for block in blocks:
        if merged and block.start <= merged[-1].end:
            merged[-1] = merged[-1]._replace(end=max(merged[-1].end, block.end))
        else:
            merged.append(block)
    return merged


def _substitute(row: Schedule, block: Block, actor: Actor) -> list[Override]:
    """One override for the rest, or a record that there was nobody for it."""
    if block.start >= block.end or _is_relieved(row, block):
        return []
    tired = User.objects.get(pk=int(block.person))
    chosen = fatigue.substitute(_candidates(row, block), block.person, block.start, block.end, planning.profile())
    if chosen is None:
        _keep(row, tired, block, actor)
        return []
    user = User.objects.get(pk=int(chosen))
    return [
        place(row, PRIMARY, user, block.start, block.end, reason=REASON, actor=actor, verb="relieve", kind="stand_in")
    ]


def _is_relieved(row: Schedule, block: Block) -> bool:
    """Somebody put another person there already, or this person by hand: that stands."""
    return Override.objects.filter(schedule=row, slot=PRIMARY, start__lt=block.end, end__gt=block.start).exists()


def _candidates(row: Schedule, block: Block) -> list[Candidate]:
    """Everybody in the rings, backups of that time first, who is not away; with what they have on them already."""
    compiled = oncall.schedule(row)
    final = compiled.shifts(block.start, block.end)
    backups = [int(shift.person) for shift in final.backup]
    order = list(dict.fromkeys([*backups, *planning.crew(row)]))
    away = {leave.person for leave in compiled.rules.leave if leave.start < block.end and leave.end > block.start}
    people = [str(pk) for pk in order if str(pk) not in away and str(pk) != block.person]
    start, end = block.start - planning.LOOK_BACK, block.end + planning.LOOK_AHEAD
    rows = list(Schedule.objects.order_by("pk"))
    called = planning.call_outs(people, start, end)
    homes = planning.zones_of(people)
    found = {p.name: p for p in planning.persons(oncall.schedules(rows), people, homes, start, end, called)}
    directory = oncall.Directory(Lines.load())
    directory.load(people)
    return [Candidate(found[person], not directory.why_not(person)) for person in people]


def _keep(row: Schedule, tired: User, block: Block, actor: Actor) -> None:
    """Nobody else is fit: the shift stays with them, loudly."""
    after = {"schedule": row.pk, "user": tired.pk, "start": block.start.isoformat(), "end": block.end.isoformat()}
    trail.record(actor, "fatigue_exception", f"schedule:{row.pk}", after=after, reason=REASON)
    telling.tell(
        "fatigue_exception", f"{row.pk}:{tired.pk}:{block.end.isoformat()}", row.subject, telling.managers([row]),
        times={"start": block.start, "end": block.end}, page="rotations:fairness",
        person=tired.name, schedule=row.name,
    )  # fmt: skip

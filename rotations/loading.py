"""Schedules from rows to the values the pure rules want: two queries for any number of them. People are keys as text.

One query reads the layers with their rings, the other whatever comes between: overrides, accepted swaps, approved
leave, and who left. In SQL, because the first answer after a change waits for it, and a busy schedule has a thousand
rows.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time
from itertools import groupby
from operator import itemgetter
from typing import Any

from django.db import connection

from rotations.models import Layer as LayerRow
from rotations.models import Schedule as ScheduleRow
from rotations.rotation import Revision, Rotation, Unit
from rotations.rules import BACKUP, PRIMARY, Layer, Leave, Override, Rules, Slot, Swap, SwapState


@dataclass(slots=True)
class _Between:
    """What comes between the layers of the schedules and their turns, by the schedule's key."""

    overrides: dict[int, list[Override]] = field(default_factory=lambda: defaultdict(list))
    swaps: dict[int, list[Swap]] = field(default_factory=lambda: defaultdict(list))
    leave: list[Leave] = field(default_factory=list)
    inactive: set[str] = field(default_factory=set)


def rules(rows: Sequence[ScheduleRow]) -> list[Rules]:
    """Everything that decides who is on duty, row by row."""
    schedules = [row.pk for row in rows]
    layers, between = _layers(schedules), _between(schedules)
    return [_rules(row, layers.get(row.pk, ()), between) for row in rows]


def layer_value(row: LayerRow) -> Layer:
    """A layer from its row and those below it."""
    revisions = [
        _revision((r.effective_from, r.unit, r.every, r.anchor, r.start_index), [m.user_id for m in r.members.all()])
        for r in row.revisions.all()
    ]
    known = (row.name, row.time_zone, row.window_start, row.window_end, row.weekdays, row.priority, row.slot)
    return _layer(known, revisions)


def _rules(row: ScheduleRow, layers: Sequence[Layer], between: _Between) -> Rules:
    overrides, swaps = between.overrides.get(row.pk, ()), between.swaps.get(row.pk, ())
    people = {person for layer in layers for revision in layer.revisions for person in revision.rotation.ring}
    people |= {override.person for override in overrides} | {swap.taker for swap in swaps if swap.taker}
    return Rules(
        layers=tuple(layers),
        overrides=tuple(overrides),
        leave=tuple(absence for absence in between.leave if absence.person in people),
        swaps=tuple(swaps),
        backup_offset=row.backup_offset,
        inactive=frozenset(between.inactive & people),
        fallback=None,  # nobody on call is a fact to be recorded (D12); who stands in is the escalation's answer
    )


_LAYERS = """
SELECT layer.schedule_id, layer.id, layer.name, layer.time_zone, layer.window_start, layer.window_end, layer.weekdays,
    layer.priority, layer.slot, revision.id, revision.effective_from, revision.unit, revision.every, revision.anchor,
    revision.start_index, array_remove(array_agg(member.user_id ORDER BY member.position), NULL)
FROM rotations_layer AS layer
LEFT JOIN rotations_rotationrevision AS revision ON revision.layer_id = layer.id
LEFT JOIN rotations_rotationmember AS member ON member.revision_id = revision.id
WHERE layer.schedule_id = ANY(%s)
GROUP BY layer.id, revision.id
ORDER BY layer.schedule_id, layer.priority DESC, layer.position, layer.id, revision.effective_from NULLS FIRST
"""


def _layers(schedules: list[int]) -> dict[int, list[Layer]]:
    """The layers of each schedule in their order, with revisions and rings."""
    made: dict[int, list[Layer]] = defaultdict(list)
    for (schedule, _), revisions in groupby(_read(_LAYERS, schedules), key=itemgetter(0, 1)):
        rows = list(revisions)
        _, _, name, zone, opens, closes, weekdays, priority, slot = rows[0][:9]
        known = (name, zone, opens, closes, json.loads(weekdays), priority, slot)
        made[schedule].append(_layer(known, [_revision(row[10:15], row[15]) for row in rows if row[9] is not None]))
    return made


def _read(question: str, schedules: list[int]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(question, [schedules] * question.count("%s"))
        return cursor.fetchall()


def _layer(known: tuple[Any, ...], revisions: Iterable[Revision]) -> Layer:
    name, zone, opens, closes, weekdays, priority, slot = known
    window: tuple[time, time] | None = None if opens is None or closes is None else (opens, closes)
    return Layer(
        name=name,
        time_zone=zone,
        revisions=tuple(revisions),
        window=window,
        weekdays=frozenset(weekdays) if weekdays else None,
        priority=priority,
        slot=_slot(slot),
    )


def _revision(known: tuple[Any, ...], members: Iterable[int | None]) -> Revision:
    effective_from, unit, every, anchor, start_index = known
    ring = tuple(str(member) for member in members if member is not None)
    return Revision(effective_from, Rotation(Unit(unit), every, datetime.fromisoformat(anchor), ring, start_index))


_BETWEEN = """
SELECT 'override', id, schedule_id, slot, user_id, NULL::bigint, start, "end", NULL::timestamptz, NULL::timestamptz
FROM rotations_override WHERE schedule_id = ANY(%s)
UNION ALL
SELECT 'swap', id, schedule_id, slot, giver_id, taker_id, start, "end", return_start, return_end
FROM rotations_swap WHERE schedule_id = ANY(%s) AND state = 'accepted'
UNION ALL
SELECT 'leave', id, NULL, NULL, user_id, NULL, start, "end", NULL, NULL FROM rotations_leave WHERE state = 'approved'
UNION ALL
SELECT 'gone', id, NULL, NULL, id, NULL, NULL, NULL, NULL, NULL FROM supportdesk_user WHERE NOT is_active
ORDER BY 7, 2
"""


def _between(schedules: list[int]) -> _Between:
    """Overrides, swaps, leave and people who left: four questions in one query."""
    between = _Between()
    for kind, pk, schedule, slot, user, taker, start, end, return_start, return_end in _read(_BETWEEN, schedules):
        person = str(user)
        match kind:
            case "override":
                between.overrides[schedule].append(Override(_slot(slot), person, start, end))
            case "swap":
                given = (str(pk), _slot(slot), person, str(taker) if taker else None, start, end)
                between.swaps[schedule].append(Swap(*given, return_start, return_end, SwapState.ACCEPTED))
            case "leave":
                between.leave.append(Leave(person, start, end))
            case "gone":
                between.inactive.add(person)
    return between


def _slot(name: str) -> Slot:
    return BACKUP if name == BACKUP else PRIMARY

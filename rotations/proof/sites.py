"""The neighbouring site over a stretch: `roles.neighbour` for a whole year, at the cost of its windows. Pure."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from operator import attrgetter

from rotations import calm
from rotations.escalation import roles
from rotations.rules import PRIMARY
from rotations.schedule import Schedule
from rotations.shifts import Shift
from rotations.turns import Turn

_AHEAD = timedelta(days=8)  # the next window of a site is rarely further away
_start = attrgetter("start")


def neighbours(schedule: Schedule, start: datetime, end: datetime) -> Iterator[tuple[datetime, str | None]]:
    """Who is the primary of the neighbouring site from each instant on (ESC-5a)."""
    sites = _Sites(schedule, start, end)
    for point in sites.points(start, end):
        yield point, sites.neighbour(point)


class _Sites:
    """The windows of every site that takes the primary slot, and who holds them in the end."""

    def __init__(self, schedule: Schedule, start: datetime, end: datetime) -> None:
        until = end + _AHEAD
        layers = sorted(
            (layer for layer in schedule.layers if layer.layer.slot == PRIMARY),
            key=lambda layer: -layer.layer.priority,
        )
        self._schedule = schedule
        self._until = until
        self._turns: list[list[Turn]] = [layer.between(start, until) for layer in layers]
        self._starts = [[turn.start for turn in turns] for turns in self._turns]
        self._orders = [min((turn.crew.order for turn in turns), default=-1) for turns in self._turns]
        self._winning = calm.winners([turns for turns in self._turns if turns], start, until)
        self._winning_from = [piece[0] for piece in self._winning]
        self._held = schedule.shifts(start, until).primary

    def points(self, start: datetime, end: datetime) -> list[datetime]:
        """`start`, and every instant before `end` at which a window opens or closes."""
        edges = {edge for turns in self._turns for turn in turns for edge in (turn.start, turn.end)}
        return [start, *sorted(edge for edge in edges if start < edge < end)]

    def neighbour(self, t: datetime) -> str | None:
        upcoming = self._next_turn(t)
        if upcoming is None:
            return roles.neighbour(self._schedule, t)
        hold = _at(self._held, upcoming.start)
        if hold is None:
            return None
        # a layer of higher priority is on duty then too: the neighbour is still this one
        return hold.person if hold.layer in (None, upcoming.crew.layer) else upcoming.person

    def _next_turn(self, t: datetime) -> Turn | None:
        """The window that opens soonest after `t`, not counting the site on duty; None where one is too far to see."""
        place = bisect_right(self._winning_from, t) - 1
        on_duty = self._winning[place][2].crew.order if place >= 0 and self._winning[place][1] > t else None
        found: Turn | None = None
        for turns, starts, order in zip(self._turns, self._starts, self._orders, strict=True):
            if turns and order == on_duty:
                continue
            k = bisect_right(starts, t)
            if k == len(turns):
                continue
            if found is None or turns[k].start < found.start:
                found = turns[k]
        return found if found is not None and found.start < self._until else None


def _at(shifts: Sequence[Shift], t: datetime) -> Shift | None:
    k = bisect_right(shifts, t, key=_start) - 1
    return shifts[k] if k >= 0 and shifts[k].end > t else None

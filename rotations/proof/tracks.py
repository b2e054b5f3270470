"""Answers that hold for a while: a value from each of some instants on, until the next. Pure."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Hashable, Iterable, Sequence
from datetime import datetime
from typing import Generic, TypeVar

T = TypeVar("T", bound=Hashable)
U = TypeVar("U", bound=Hashable)


class Track(Generic[T]):
    """`values[i]` holds from `points[i]` until the next point, the last one for ever. Neighbouring values differ."""

    __slots__ = ("points", "values")

    def __init__(self, pieces: Iterable[tuple[datetime, T]]) -> None:
        self.points: list[datetime] = []
        self.values: list[T] = []
        for start, value in pieces:
            if not self.values or self.values[-1] != value:
                self.points.append(start)
                self.values.append(value)

    def at(self, t: datetime) -> T:
        """The value at `t`, which is not before the first point."""
        return self.values[bisect_right(self.points, t) - 1]


def joined(tracks: Sequence[Track[T]], combine: Callable[[tuple[T, ...]], U]) -> Track[U]:
    """One track of what `combine` makes of the values of all, which begin together. Equal values are combined once."""
    made: dict[tuple[T, ...], U] = {}
    places = [0] * len(tracks)
    pieces = []
    for point in sorted({point for track in tracks for point in track.points}):
        for i, track in enumerate(tracks):
            if places[i] + 1 < len(track.points) and track.points[places[i] + 1] == point:
                places[i] += 1
        key = tuple(track.values[place] for track, place in zip(tracks, places, strict=True))
        if key not in made:
            made[key] = combine(key)
        pieces.append((point, made[key]))
    return Track(pieces)

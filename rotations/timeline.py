"""What holds at an instant, out of many intervals: sorted once, found by bisection. Pure."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from datetime import datetime
from itertools import pairwise
from typing import Generic, Protocol, TypeVar


class Span(Protocol):
    """Anything with a half-open interval."""

    @property
    def start(self) -> datetime: ...
    @property
    def end(self) -> datetime: ...


T = TypeVar("T", bound=Span)


class Timeline(Generic[T]):
    """Which of `spans` hold at an instant, in the order given. An empty or reversed span never holds."""

    def __init__(self, spans: Iterable[T]) -> None:
        kept = [span for span in spans if span.start < span.end]
        begins: dict[datetime, list[int]] = {}
        ends: dict[datetime, list[int]] = {}
        for i, span in enumerate(kept):
            begins.setdefault(span.start, []).append(i)
            ends.setdefault(span.end, []).append(i)
        self._points = sorted(begins.keys() | ends.keys())
        self._held: list[tuple[T, ...]] = []
        live: set[int] = set()
        for point in self._points:
            live.difference_update(ends.get(point, ()))
            live.update(begins.get(point, ()))
            self._held.append(tuple(kept[i] for i in sorted(live)))

    def at(self, t: datetime) -> tuple[T, ...]:
        """The spans that hold at `t`."""
        i = bisect_right(self._points, t)
        return self._held[i - 1] if i else ()

    def points(self, start: datetime, end: datetime) -> list[datetime]:
        """The instants strictly between `start` and `end` at which a span begins or ends."""
        return strictly_between(self._points, start, end)

    def __bool__(self) -> bool:
        """Whether anything ever holds."""
        return bool(self._points)

    def busy(self, start: datetime, end: datetime) -> list[tuple[datetime, datetime]]:
        """The stretches of `start` … `end` in which at least one span holds, in order, touching ones apart."""
        points = [start, *self.points(start, end), end]
        return [(a, b) for a, b in pairwise(points) if self.at(a)]


def strictly_between(instants: list[datetime], start: datetime, end: datetime) -> list[datetime]:
    """Those of the ordered `instants` that lie after `start` and before `end`."""
    return instants[bisect_right(instants, start) : bisect_left(instants, end)]

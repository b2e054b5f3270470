"""Why a series fired, as a picture: usual range, what came, and where it crossed. Coordinates only; no colour here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from incidents.monitoring.anomaly import HIT_SCORE, Point

WIDTH, HEIGHT = 720.0, 200.0
LEFT, BOTTOM, TOP = 48.0, 22.0, 8.0
MOST_POINTS = 360


@dataclass(frozen=True, slots=True)
class Mark:
    """A point worth a dot: outside the range. `at` and `value` are for the words beside it."""

    x: float
    y: float
    at: datetime
    value: float


@dataclass(frozen=True, slots=True)
class Label:
    """A figure beside an axis."""

    x: float
    y: float
    text: str
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Chart:
    """Everything the template draws. `band` is the usual range, `usual_y` its middle; None where none is known."""

    line: str
    marks: tuple[Mark, ...]
    labels: tuple[Label, ...]
    times: tuple[Label, ...]
    band: tuple[float, float] | None
    usual_y: float | None
    low: float | None
    high: float | None
    began_x: float | None
    points: tuple[Point, ...]
    width: float = WIDTH
    height: float = HEIGHT
    left: float = LEFT

    @property
    def right(self) -> float:
        return self.width - 8

    @property
    def inner(self) -> float:
        return self.right - self.left

    @property
    def last_points(self) -> tuple[Point, ...]:
        """The newest figures, newest first, for the table beside the picture."""
        return self.points[:-41:-1]


def draw(
    points: Sequence[Point],
    *,
    usual: float | None = None,
    scale: float = 0.0,
    began_at: datetime | None = None,
) -> Chart | None:
    """A chart of points in order; None for fewer than two. `usual` and `scale` give the band."""
    shown = _thinned(points)
    if len(shown) < 2:
        return None
    low, high = (usual - HIT_SCORE * scale, usual + HIT_SCORE * scale) if usual is not None else (None, None)
    values = [point.value for point in shown] + [edge for edge in (low, high) if edge is not None]
    place = _Place(shown[0].at, shown[-1].at, min(values), max(values))
    marks = tuple(
        Mark(place.x(p.at), place.y(p.value), p.at, p.value)
        for p in shown
        if low is not None and high is not None and not low < p.value < high
    )
    return Chart(
        line=" ".join(f"{place.x(p.at):.1f},{place.y(p.value):.1f}" for p in shown),
        marks=marks[-60:],
        labels=tuple(Label(LEFT - 6, place.y(v) + 4, _figure(v)) for v in _ticks(place.least, place.most)),
        times=tuple(
            Label(place.x(at), HEIGHT - 6, "", at) for at in (shown[0].at, shown[len(shown) // 2].at, shown[-1].at)
        ),
        band=(place.y(high), place.y(low) - place.y(high)) if low is not None and high is not None else None,
        usual_y=place.y(usual) if usual is not None else None,
        low=low,
        high=high,
        began_x=place.x(began_at) if began_at and shown[0].at <= began_at <= shown[-1].at else None,
        points=tuple(shown),
    )


class _Place:
    """From instants and figures to places in the picture."""

    def __init__(self, first: datetime, last: datetime, least: float, most: float) -> None:
        margin = (most - least) * 0.06 or abs(most) * 0.1 or 1.0
        self.first, self.seconds = first, (last - first).total_seconds() or 1.0
        self.least, self.most = least - margin, most + margin

    def x(self, at: datetime) -> float:
        return round(LEFT + (at - self.first).total_seconds() / self.seconds * (WIDTH - LEFT - 8), 1)

    def y(self, value: float) -> float:
        share = (value - self.least) / (self.most - self.least)
        return round(HEIGHT - BOTTOM - share * (HEIGHT - BOTTOM - TOP), 1)


def _thinned(points: Sequence[Point]) -> list[Point]:
    """At most so many points: of each stretch the one that lies farthest out, so that no spike is lost."""
    if len(points) <= MOST_POINTS:
        return list(points)
    size = -(-len(points) // MOST_POINTS)
    middle = sorted(point.value for point in points)[len(points) // 2]
    stretches = [points[start : start + size] for start in range(0, len(points), size)]
    return [max(stretch, key=lambda point: abs(point.value - middle)) for stretch in stretches]


def _ticks(least: float, most: float) -> list[float]:
    return [least + (most - least) * share for share in (0.05, 0.5, 0.95)]


def _figure(value: float) -> str:
    return f"{value:.3g}" if abs(value) < 10_000 else f"{value:.2e}"

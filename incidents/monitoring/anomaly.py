"""Is this figure unusual for the hour of the week it comes in? A rule people can follow with a pencil (§9.2). Pure.

Usual is the median of the same hour of the week, an hour either side, over the last eight weeks; normal spread is the
median distance from it. Floors keep a flat series from crying at every ripple. State in, state out: replaying the same
points gives the same firings.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from statistics import median
from typing import NamedTuple

from supportdesk import zones

WEEKS = 8
FEWEST_SAMPLES = 20
MAD_TO_SIGMA = 1.4826
RELATIVE_FLOOR = 0.05
HIT_SCORE = 4.0
CALM_SCORE = 2.0
HITS, OF_LAST = 3, 5
CALM_POINTS = 5
DRIFT_WEIGHT = 0.3
DRIFT_LIMIT = 3.0
DRIFT_POINTS = 2
WEEK = timedelta(days=7)
HOUR = timedelta(hours=1)


class Direction(StrEnum):
    """Which side of usual is unusual."""

    UP = "up"
    DOWN = "down"
    BOTH = "both"


class Kind(StrEnum):
    """How a figure left its usual range: at once, or slowly."""

    SPIKE = "spike"
    DRIFT = "drift"


class Point(NamedTuple):
    """One figure at one instant."""

    at: datetime
    value: float


@dataclass(frozen=True, slots=True)
class Sensitivity:
    """What a person set for one series. `min_delta` is in the series' own unit, `min_abs_scale` too."""

    direction: Direction = Direction.BOTH
    min_delta: float = 0.0
    min_abs_scale: float = 0.0

    def __post_init__(self) -> None:
        if not all(math.isfinite(value) and value >= 0 for value in (self.min_delta, self.min_abs_scale)):
            raise ValueError("a sensitivity is a number of zero or more")


@dataclass(frozen=True, slots=True)
class Baseline:
    """What is usual: `usual` is the median, `scale` and `drift_scale` the normal spread with their floors."""

    usual: float
    scale: float
    drift_scale: float
    samples: int
    mad: float = 0.0

    @property
    def is_learning(self) -> bool:
        """Too few samples to judge anything by."""
        return self.samples < FEWEST_SAMPLES

    def score(self, value: float) -> float:
        """How many normal spreads a value lies from usual; infinite where there is no spread at all."""
        distance = value - self.usual
        if self.scale:
            return distance / self.scale
        return math.copysign(math.inf, distance) if distance else 0.0


def baseline(samples: Sequence[float], how: Sensitivity) -> Baseline:
    """Median and spread of the samples (§9.2)."""
    if not samples:
        return Baseline(0.0, 0.0, 0.0, 0)
    usual = median(samples)
    mad = median(abs(value - usual) for value in samples)
    spread = MAD_TO_SIGMA * mad
    scale = max(spread, RELATIVE_FLOOR * abs(usual), how.min_abs_scale)
    drift_scale = max(spread, how.min_abs_scale) if spread else scale
    return Baseline(usual, scale, drift_scale, len(samples), mad)


def sample_spans(at: datetime, zone: str) -> list[tuple[datetime, datetime]]:
    """The eight three-hour spans whose points are the samples for an instant, half-open, oldest first.

    They are the same hour of the week on the wall, an hour either side: a night the clocks change moves them along.
    """
    hour = zones.local(at, zone).replace(minute=0, second=0, microsecond=0)
    return [
        (zones.first_instant(there - HOUR, zone), zones.last_instant(there + 2 * HOUR, zone))
        for weeks in range(WEEKS, 0, -1)
        for there in [hour - weeks * WEEK]
    ]


def slot(at: datetime, zone: str) -> str:
    """The local hour an instant lies in: all its points share one baseline."""
    return zones.local(at, zone).strftime("%Y-%m-%dT%H")


def samples(
    points: Iterable[Point],
    spans: Sequence[tuple[datetime, datetime]],
    left_out: Sequence[tuple[datetime, datetime]] = (),
) -> list[float]:
    """The values inside the spans, without those of incidents, maintenance and earlier firings."""
    return [
        point.value
        for point in points
        if any(start <= point.at < end for start, end in spans)
        and not any(start <= point.at < end for start, end in left_out)
    ]


def is_hit(value: float, usual: Baseline, how: Sensitivity) -> bool:
    """Far from usual, on the side that matters, and by enough to matter."""
    if usual.is_learning:
        return False
    distance = value - usual.usual
    right_side = how.direction is Direction.BOTH or (distance > 0) == (how.direction is Direction.UP)
    return abs(usual.score(value)) >= HIT_SCORE and right_side and abs(distance) >= how.min_delta


@dataclass(frozen=True, slots=True)
class State:
    """What is remembered between two points. `ewma` is in normal spreads; `outside` counts points beyond its limit."""

    hits: tuple[bool, ...] = ()
    calm: int = 0
    firing: Kind | None = None
    ewma: float = 0.0
    seen: int = 0
    outside: int = 0


@dataclass(frozen=True, slots=True)
class Step:
    """What one point changed. `fired` and `cleared` say what began or ended with it."""

    state: State
    score: float
    hit: bool
    fired: Kind | None = None
    cleared: Kind | None = None


def step(state: State, value: float, usual: Baseline, how: Sensitivity) -> Step:
    """Take in one point: fire at three hits of the last five or two points of drift, clear after five calm points."""
    if usual.is_learning:
        return Step(replace(state, hits=(), ewma=0.0, seen=0, outside=0), 0.0, hit=False)
    score, hit = usual.score(value), is_hit(value, usual, how)
    moved = _drifted(state, value, usual, how)
    hits = (*state.hits, hit)[-OF_LAST:]
    calm = state.calm + 1 if abs(score) < CALM_SCORE else 0
    moved = replace(moved, hits=hits, calm=calm)
    if state.firing is None:
        fired = _begins(moved)
        return Step(replace(moved, firing=fired, calm=0 if fired else calm), score, hit, fired=fired)
    if calm >= CALM_POINTS and not _is_outside(moved, state.firing):
        return Step(State(), score, hit, cleared=state.firing)
    if state.firing is Kind.DRIFT and sum(hits) >= HITS:
        return Step(replace(moved, firing=Kind.SPIKE), score, hit, fired=Kind.SPIKE, cleared=Kind.DRIFT)
    return Step(moved, score, hit)


def _begins(state: State) -> Kind | None:
    if sum(state.hits) >= HITS:
        return Kind.SPIKE
    return Kind.DRIFT if state.outside >= DRIFT_POINTS and not any(state.hits) else None


def _is_outside(state: State, firing: Kind) -> bool:
    return firing is Kind.DRIFT and state.outside > 0


def _drifted(state: State, value: float, usual: Baseline, how: Sensitivity) -> State:
    """Slow drift: an average that forgets, against the limits such an average stays within (EWMA).

    A point that is far out by itself is the other rule's business: it would drag the average along.
    """
    if not usual.drift_scale or abs(usual.score(value)) >= HIT_SCORE:
        return state
    seen = state.seen + 1
    ewma = (1 - DRIFT_WEIGHT) * state.ewma + DRIFT_WEIGHT * (value - usual.usual) / usual.drift_scale
    is_out = abs(ewma) > drift_limit(seen) and abs(value - usual.usual) >= how.min_delta
    right_side = how.direction is Direction.BOTH or (ewma > 0) == (how.direction is Direction.UP)
    return replace(state, ewma=ewma, seen=seen, outside=state.outside + 1 if is_out and right_side else 0)


def drift_limit(seen: int) -> float:
    """How far the average of so many points may lie from usual, in normal spreads."""
    share = DRIFT_WEIGHT / (2 - DRIFT_WEIGHT) * (1 - (1 - DRIFT_WEIGHT) ** (2 * seen))
    return DRIFT_LIMIT * math.sqrt(share)


def explanation(metric: str, value: float, when: str, usual: Baseline, state: State, kind: Kind) -> str:
    """Why it fired, in one sentence anybody can check. `when` is the hour of the week in the reader's words."""
    known = f"{metric} is {_figure(value)}; usual for {when} ± 1 h is {_figure(usual.usual)} "
    known += f"({usual.samples} samples, {WEEKS} weeks); deviation {usual.score(value):.1f} × normal spread"
    if kind is Kind.DRIFT:
        side = "above" if state.ewma > 0 else "below"
        return f"{known}; its moving average has stayed {side} its limit for {state.outside} points."
    return f"{known}; {sum(state.hits)} of the last {OF_LAST} points."


def _figure(value: float) -> str:
    return f"{value:.4g}" if abs(value) < 10_000 else f"{value:,.0f}"


def is_worth_keeping(verdicts: Collection[bool]) -> bool:
    """Under 30 % useful over the last ten verdicts: back to observing (§9.2 (4)). Fewer than ten decide nothing."""
    last = list(verdicts)[-10:]
    return len(last) < 10 or sum(last) / len(last) >= 0.3

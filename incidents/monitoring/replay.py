"""What a rule would have said: every point of the last 28 days again, with what was known then (§9.2). Pure."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from incidents.monitoring import anomaly
from incidents.monitoring.anomaly import Baseline, Kind, Point, Sensitivity, State
from supportdesk import zones

REPLAYED = timedelta(days=28)
MOST_A_WEEK = 2.0
SHORTEST = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Firing:
    """One time the rule would have fired. `ended_at` is None where it had not cleared by the end."""

    kind: Kind
    began_at: datetime
    value: float
    explanation: str
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a replay. `judged` counts the points there were enough samples for."""

    firings: tuple[Firing, ...]
    judged: int
    learning: int
    judged_for: timedelta

    @property
    def a_week(self) -> float:
        """Firings a week of judged time."""
        weeks = self.judged_for / anomaly.WEEK
        return len(self.firings) / weeks if weeks else 0.0

    @property
    def may_enable(self) -> bool:
        """At most two firings a week, over at least a week of judged points."""
        return self.judged_for >= SHORTEST and self.a_week <= MOST_A_WEEK

    @property
    def verdict(self) -> str:
        """One sentence for the person who wants to switch it on."""
        if self.judged_for < SHORTEST:
            days = self.judged_for / timedelta(days=1)
            return f"Still learning: {days:.1f} days could be judged, at least 7 are needed."
        said = (
            f"{len(self.firings)} firings in {self.judged_for / timedelta(days=1):.0f} days, {self.a_week:.1f} a week"
        )
        return f"{said}." if self.may_enable else f"{said}; more than {MOST_A_WEEK:g} a week is too noisy."


def replay(
    points: Sequence[Point],
    now: datetime,
    *,
    metric: str,
    zone: str,
    how: Sensitivity,
    left_out: Sequence[tuple[datetime, datetime]] = (),
) -> Result:
    """Run the rule over the last 28 days of `points` (in order). Each point is judged by the weeks before it, without
    what the rule itself had flagged by then."""
    run = _Run(points, metric, zone, how, list(left_out))
    for point in points[bisect_left(points, now - REPLAYED, key=lambda one: one.at) :]:
        if point.at >= now:
            break
        run.take(point)
    return run.result()


class _Run:
    """One replay on its way."""

    def __init__(
        self,
        points: Sequence[Point],
        metric: str,
        zone: str,
        how: Sensitivity,
        left_out: list[tuple[datetime, datetime]],
    ) -> None:
        self.points, self.metric, self.zone, self.how, self.left_out = points, metric, zone, how, left_out
        self.times = [point.at for point in points]
        self.state = State()
        self.slot = ""
        self.usual = Baseline(0.0, 0.0, 0.0, 0)
        self.firings: list[Firing] = []
        self.judged: list[datetime] = []
        self.learning = 0

    def take(self, point: Point) -> None:
        if (here := anomaly.slot(point.at, self.zone)) != self.slot:
            self.slot, self.usual = here, self._usual(point.at)
        if self.usual.is_learning:
            self.learning += 1
        else:
            self.judged.append(point.at)
        done = anomaly.step(self.state, point.value, self.usual, self.how)
        self.state = done.state
        if done.cleared:
            self._end(point.at)
        if done.fired:
            words = anomaly.explanation(
                self.metric, point.value, hour_words(point.at, self.zone), self.usual, done.state, done.fired
            )
            self.firings.append(Firing(done.fired, point.at, point.value, words))

    def _usual(self, at: datetime) -> Baseline:
        values: list[float] = []
        for start, end in anomaly.sample_spans(at, self.zone):
            inside = self.points[bisect_left(self.times, start) : bisect_left(self.times, end)]
            values += anomaly.samples(inside, [(start, end)], [*self.left_out, *self._flagged()])
        return anomaly.baseline(values, self.how)

    def _flagged(self) -> list[tuple[datetime, datetime]]:
        return [(one.began_at, one.ended_at) for one in self.firings if one.ended_at is not None]

    def _end(self, at: datetime) -> None:
        last = self.firings[-1]
        self.firings[-1] = Firing(last.kind, last.began_at, last.value, last.explanation, at)

    def result(self) -> Result:
        judged_for = self.judged[-1] - self.judged[0] if self.judged else timedelta()
        return Result(tuple(self.firings), len(self.judged), self.learning, judged_for)


def hour_words(at: datetime, zone: str) -> str:
    """`Mon 09:00`: the hour of the week an instant lies in."""
    return zones.local(at, zone).strftime("%a %H:00")

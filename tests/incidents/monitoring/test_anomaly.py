"""The explainable rule of §9.2: its worked examples, and the laws it keeps whatever the figures."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from incidents.monitoring import anomaly, replay
from incidents.monitoring.anomaly import Baseline, Direction, Kind, Point, Sensitivity, State

B = [
    118,
    121,
    125,
    119,
    122,
    130,
    117,
    124,
    120,
    123,
    126,
    119,
    121,
    128,
    122,
    118,
    124,
    120,
    125,
    121,
    122,
    119,
    127,
    123,
]
ANY = Sensitivity()
TEN = datetime(2026, 6, 15, 10, 0, tzinfo=UTC)
figures = st.floats(-1e6, 1e6, allow_nan=False).map(lambda x: round(x, 3))


def played(values, usual, how=ANY):
    """Each minute from 10:00: what fired and cleared when, as `HH:MM`."""
    state, fired, cleared = State(), [], []
    for minute, value in enumerate(values):
        done = anomaly.step(state, value, usual, how)
        state = done.state
        at = (TEN + timedelta(minutes=minute)).strftime("%H:%M")
        if done.fired:
            fired.append((at, done.fired))
        if done.cleared:
            cleared.append((at, done.cleared))
    return fired, cleared


def test_a_01_the_floor_of_five_percent_wins_over_a_calm_history():
    usual = anomaly.baseline(B, ANY)
    assert (usual.usual, usual.mad, usual.samples) == (122, 2.5, 24)
    assert usual.scale == pytest.approx(6.1)
    assert [round(usual.score(x), 3) for x in (121, 140, 149, 162)] == [-0.164, 2.951, 4.426, 6.557]
    without_the_floor = (140 - 122) / (1.4826 * 2.5)
    assert round(without_the_floor, 2) == 4.86
    assert not anomaly.is_hit(140, usual, ANY)
    assert anomaly.is_hit(149, usual, ANY)


def test_a_02_a_flat_series_has_no_spread_of_its_own():
    flat = [10] * 23 + [11]
    assert anomaly.baseline(flat, ANY).score(12) == pytest.approx(4.0)
    wider = anomaly.baseline(flat, Sensitivity(min_abs_scale=1))
    assert (wider.score(12), wider.score(14)) == (2.0, 4.0)


def test_a_03_zeros_need_a_floor_somebody_set():
    usual = anomaly.baseline([0] * 24, Sensitivity(min_abs_scale=0.5))
    assert (usual.score(1), usual.score(2)) == (2.0, 4.0)
    assert not anomaly.is_hit(1, usual, ANY)
    assert anomaly.is_hit(2, usual, ANY)


def test_a_04_three_wild_samples_do_not_blind_it():
    spoilt = [*B[:-3], 900, 950, 870]
    assert anomaly.baseline(spoilt, ANY).score(200) == pytest.approx(12.787, abs=0.001)


def test_a_05_it_fires_at_the_third_hit_of_five_and_clears_after_five_calm_points():
    values = [122, 152, 121, 155, 158, 160, 131, 124, 123, 122, 121, 120]
    fired, cleared = played(values, anomaly.baseline(B, ANY))
    assert fired == [("10:04", Kind.SPIKE)]
    assert cleared == [("10:10", Kind.SPIKE)]


def test_a_06_a_slow_drift_fires_although_no_single_point_is_far_off():
    usual = Baseline(usual=122, scale=6.1, drift_scale=3.7065, samples=24)
    values = [126, 127, 128, 127, 129, 128]
    fired, _ = played(values, usual)
    assert fired == [("10:05", Kind.DRIFT)]
    assert max(abs(v - 122) / 3.7065 for v in values) < 1.9
    state = State()
    for value in values[:5]:
        state = anomaly.step(state, value, usual, ANY).state
    assert 122 + state.ewma * 3.7065 == pytest.approx(126.8346, abs=0.0001)
    assert 122 + anomaly.drift_limit(5) * 3.7065 == pytest.approx(126.6047, abs=0.0001)
    assert 122 + anomaly.drift_limit(6) * 3.7065 == pytest.approx(126.6387, abs=0.0001)


def test_too_few_samples_judge_nothing():
    few = anomaly.baseline(B[:19], ANY)
    assert few.is_learning
    assert played([1_000_000] * 10, few) == ([], [])


def test_only_the_side_and_the_size_that_matter_count():
    usual = anomaly.baseline(B, ANY)
    assert not anomaly.is_hit(60, usual, Sensitivity(direction=Direction.UP))
    assert anomaly.is_hit(60, usual, Sensitivity(direction=Direction.DOWN))
    assert not anomaly.is_hit(150, usual, Sensitivity(min_delta=30))


def test_the_explanation_can_be_checked_with_a_pencil():
    usual = anomaly.baseline(B, ANY)
    state = State(hits=(False, True, False, True, True))
    assert anomaly.explanation("Checkout errors", 158, "Mon 09:00", usual, state, Kind.SPIKE) == (
        "Checkout errors is 158; usual for Mon 09:00 ± 1 h is 122 (24 samples, 8 weeks); "
        "deviation 5.9 × normal spread; 3 of the last 5 points."
    )


def test_samples_come_from_the_same_hour_of_the_week_on_the_wall():
    """Eight weeks before a Monday 09:00 in Berlin lies the other side of the clock change."""
    monday = datetime(2026, 4, 13, 7, 30, tzinfo=UTC)  # 09:30 CEST
    spans = anomaly.sample_spans(monday, "Europe/Berlin")
    assert len(spans) == 8
    assert spans[-1] == (datetime(2026, 4, 6, 6, tzinfo=UTC), datetime(2026, 4, 6, 9, tzinfo=UTC))
    assert spans[0] == (datetime(2026, 2, 16, 7, tzinfo=UTC), datetime(2026, 2, 16, 10, tzinfo=UTC))


def test_noise_sends_a_rule_back():
    assert anomaly.is_worth_keeping([False] * 9)
    assert not anomaly.is_worth_keeping([True, True] + [False] * 8)
    assert anomaly.is_worth_keeping([True] * 3 + [False] * 7)


# --- laws ------------------------------------------------------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(st.lists(figures, min_size=20, max_size=40), figures, st.floats(0.1, 100))
def test_what_is_usual_moves_and_stretches_with_the_figures(values, shift, factor):
    how = Sensitivity(min_abs_scale=1.0)
    usual = anomaly.baseline(values, how)
    moved = anomaly.baseline([v * factor for v in values], Sensitivity(min_abs_scale=factor))
    assert moved.usual == pytest.approx(usual.usual * factor, rel=1e-6, abs=1e-6)
    assert moved.score(shift * factor) == pytest.approx(usual.score(shift), rel=1e-6, abs=1e-6)


@settings(max_examples=60, deadline=None)
@given(st.lists(figures, min_size=20, max_size=40), figures, figures)
def test_farther_out_never_scores_less(values, first, second):
    usual = anomaly.baseline(values, Sensitivity(min_abs_scale=0.5))
    near, far = sorted((first, second), key=lambda x: abs(x - usual.usual))
    assert abs(usual.score(near)) <= abs(usual.score(far))


@settings(max_examples=60, deadline=None)
@given(st.lists(figures, min_size=20, max_size=30), st.lists(figures, max_size=60))
def test_it_fires_only_with_cause_and_clears_only_what_fires(values, points):
    usual, state, firing = anomaly.baseline(values, ANY), State(), None
    recent: list[bool] = []
    for value in points:
        done = anomaly.step(state, value, usual, ANY)
        state = done.state
        recent = [*recent, done.hit][-5:]
        if done.fired is Kind.SPIKE:
            assert sum(recent) >= 3
        if done.cleared:
            assert firing is not None
        firing = done.fired or (None if done.cleared else firing)
        assert state.firing == firing
        if done.cleared and not done.fired:
            recent = []


@settings(max_examples=40, deadline=None)
@given(st.lists(st.sampled_from(B), min_size=1, max_size=100))
def test_a_series_that_stays_as_it_was_never_spikes(points):
    fired, _ = played(points, anomaly.baseline(B, ANY))
    assert all(kind is Kind.DRIFT for _, kind in fired)


# --- replay ----------------------------------------------------------------------------------------------------------


def history(days: int, value=lambda at: 122.0, every=timedelta(minutes=30)):
    start = TEN - timedelta(days=days)
    return [Point(at, value(at)) for n in range(int(timedelta(days=days) / every)) for at in [start + n * every]]


def ripple(at: datetime) -> float:
    return B[int(at.timestamp() // 1800 * 7) % len(B)]


def test_a_calm_series_may_be_enabled():
    result = replay.replay(
        history(84, ripple), TEN, metric="Errors", zone="Europe/Berlin", how=Sensitivity(min_abs_scale=8)
    )
    assert result.may_enable, result.verdict
    assert result.firings == ()
    assert result.verdict == "0 firings in 28 days, 0.0 a week."


def test_a_noisy_rule_may_not():
    def noisy(at: datetime) -> float:
        return 400.0 if at > TEN - timedelta(days=28) and at.hour in (3, 4, 5) else ripple(at)

    result = replay.replay(history(84, noisy), TEN, metric="Errors", zone="UTC", how=Sensitivity(min_abs_scale=8))
    assert not result.may_enable
    assert result.a_week > 2
    assert "too noisy" in result.verdict


def test_a_young_series_is_still_learning():
    result = replay.replay(history(9, ripple), TEN, metric="Errors", zone="UTC", how=ANY)
    assert not result.may_enable
    assert result.verdict.startswith("Still learning")


def test_replaying_twice_gives_the_same():
    points = history(70, lambda at: 300.0 if at > TEN - timedelta(hours=6) else ripple(at))
    first, second = (replay.replay(points, TEN, metric="E", zone="UTC", how=Sensitivity(min_abs_scale=8)) for _ in "12")
    assert first == second
    assert [one.kind for one in first.firings] == [Kind.SPIKE]

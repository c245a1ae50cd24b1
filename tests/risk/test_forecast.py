"""The forecast and the multivariate monitor."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hazwatch.risk import forecast
from hazwatch.risk.configuration import DEFAULT as K
from hazwatch.risk.features import SERVICES
from hazwatch.risk.forecast import CURVES, HORIZONS_H, PLAIN, Standing, calibrated, chance, learn, reaches, walk
from hazwatch.risk.multivariate import fit, ratios

NONE = math.nan
LIMITS = np.array([[1.0, 2.0, 8.0, 9.0]])
CALM = Standing(0.1, dict.fromkeys(SERVICES["production-unit"].terms, 0.0))


def past(slope: float, end: float = 5.0, sd: float = 0.02, seed: int = 1) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return (end - slope * np.arange(23, -1, -1) / 6 + sd * rng.standard_normal(24))[None, :]


def test_a_quiet_point_far_from_its_limits_reaches_none() -> None:
    assert reaches(walk(past(0.0)), LIMITS, 1).max() < 0.01


def test_a_point_that_rises_fast_reaches_high_before_high_high() -> None:
    got = reaches(walk(past(3.0, end=7.0)), LIMITS, 1)[0]
    assert got[2] > 0.3
    assert got[2] > got[3] > got[1] >= got[0]


@given(st.floats(-2, 2), st.floats(2.1, 7.9), st.floats(0.01, 0.5), st.integers(0, 100))
def test_a_longer_horizon_and_a_nearer_limit_are_never_less_likely(slope, end, sd, seed) -> None:
    moving = walk(past(slope, end, sd, seed))
    one, four, day = (reaches(moving, LIMITS, h) for h in HORIZONS_H)
    assert (one <= four + 1e-12).all()
    assert (four <= day + 1e-12).all()
    assert (day >= 0).all()
    assert (day <= 1).all()
    assert day[0, 2] >= day[0, 3]
    assert day[0, 1] >= day[0, 0]


def test_a_limit_that_is_not_set_and_a_point_that_is_not_known_are_not_reached() -> None:
    assert reaches(walk(past(3.0, 7.9)), np.full((1, 4), NONE), 24).max() == 0
    gone = past(3.0, 7.9)
    gone[0, 5] = NONE
    assert reaches(walk(gone), LIMITS, 24).max() == 0


def test_what_stands_is_certain_and_what_cannot_be_reached_is_not() -> None:
    high = Standing(0.3, CALM.x | {"A": 1.0})
    assert chance(high, [], [], 60, K) == 1.0
    assert chance(CALM, [0.4], [0.2], 60, K) == pytest.approx(0.4), "a first limit with no time left is 橙"
    assert chance(CALM, [0.4], [0.2], 99, K) == 0.0
    assert chance(CALM, [], [], 60, K) == 0.0


@given(st.lists(st.floats(0, 1), max_size=6), st.floats(0, 1))
def test_one_more_point_never_makes_it_less_likely(chances, more) -> None:
    assert chance(CALM, [*chances, more], [], 60, K) >= chance(CALM, chances, [], 60, K) - 1e-9


def test_a_curve_learns_what_forecasts_are_worth() -> None:
    rng = np.random.default_rng(1)
    truth = rng.random(5000)
    boastful = 1 / (1 + np.exp(-3 * np.log(truth / (1 - truth))))  # three times too sure of itself
    curve = learn(boastful, rng.random(5000) < truth)
    assert curve.b == pytest.approx(1 / 3, abs=0.05)
    p, low, high = calibrated(0.9, curve)
    assert low <= p <= high
    assert p < 0.75
    assert calibrated(1.0, curve) == (1.0, 1.0, 1.0)
    assert calibrated(0.3, PLAIN)[0] == pytest.approx(0.3)


def test_the_shipped_curves_cover_every_bound_and_horizon() -> None:
    assert set(CURVES) == {(c, h) for c in ("orange", "red") for h in HORIZONS_H}
    for curve in CURVES.values():
        assert curve.b > 0
        assert all(low <= high for low, high in zip(curve.low, curve.high, strict=True))


def test_the_monitor_sees_a_broken_correlation_that_no_single_limit_would() -> None:
    rng = np.random.default_rng(1)
    hidden = rng.standard_normal((2000, 3))
    normal = hidden @ rng.standard_normal((3, 10)) + 0.05 * rng.standard_normal((2000, 10))
    model = fit(normal)
    assert max(r.mean() for r in ratios(model, normal)) < 1
    odd = normal[:1].copy()
    odd[0, 4] += 2 * normal[:, 4].std()
    assert ratios(model, odd)[1][0] > 5
    still = np.column_stack([normal, np.full(2000, 7.0)])
    assert np.isfinite(ratios(fit(still), still)).all(), "a variable that never moves"
    with pytest.raises(ValueError, match="正常工况"):
        fit(normal[:8])


def test_forecast_is_as_the_module_says() -> None:
    assert forecast.score(CALM, {}, K) == pytest.approx(10.0)


def test_the_outlook_grows_with_the_horizon_and_tells_intervals() -> None:
    rows = forecast.outlook(CALM, past(0.8, end=6.5), LIMITS, np.array([0]), K)
    assert [row["hours"] for row in rows] == list(HORIZONS_H)
    assert all(row["orange_low"] <= row["orange"] <= row["orange_high"] for row in rows)
    assert all(0 <= row["red"] <= 1 for row in rows)
    standing = forecast.outlook(Standing(0.3, CALM.x | {"A": 1.0, "T": 1.0}), past(0.0), LIMITS, np.array([2]), K)
    assert standing[0]["red"] == 1.0

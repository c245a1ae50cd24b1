"""Points that move towards a limit: the window, the Theil–Sen slope, the time left."""

from __future__ import annotations

import math
import statistics

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from tests.risk.reference import slope_per_minute

from hazwatch.risk.trend import KEPT, STEP_MS, Window
from hazwatch.vocabulary.levels import Level

NOON = 1_795_417_200_000
NONE = math.nan
LIMITS = [1.0, 2.0, 8.0, 9.0]


def window(*columns: list[float]) -> Window:
    """Each column is one point, a value every 30 s."""
    out = Window(len(columns))
    for k, row in enumerate(zip(*columns, strict=True)):
        out.add(NOON + k * STEP_MS, np.array(row))
    return out


def near(w: Window, limits=LIMITS, span=10.0, horizon=30.0, points=1):
    return w.approaches(np.tile(np.array(limits, float), (points, 1)), np.full(points, span), horizon)


def line(begin: float, per_minute: float, n: int = KEPT) -> list[float]:
    return [begin + per_minute * k / 2 for k in range(n)]


def test_rising_half_a_metre_a_minute_from_5_reaches_high_in_time() -> None:
    values = line(2.5, 0.25)  # ends at 4.875 m, 3.125 m below 高
    tau, level = near(window(values))[0]
    assert math.isclose(tau, (8 - values[-1]) / 0.25)
    assert level is Level.H


def test_falling_points_are_asked_about_the_low_limits() -> None:
    values = line(7.5, -0.25)
    tau, level = near(window(values))[0]
    assert (level, math.isclose(tau, (values[-1] - 2) / 0.25)) == (Level.L, True)


def test_beyond_high_the_next_limit_is_high_high() -> None:
    values = line(6.3, 0.2)  # ends at 8.2
    assert near(window(values))[0][1] is Level.HH


def test_a_flat_point_or_one_too_far_away_is_no_approach() -> None:
    assert near(window([5.0] * KEPT)) == {}
    assert near(window(line(2.5, 0.02)), horizon=30.0) == {}, "noise: 0.19 m in the window, 2 % of the span is 0.2 m"
    assert near(window(line(2.5, 0.05))) == {}, "an hour away"
    assert near(window(line(2.5, 0.05)), horizon=300.0) != {}


def test_a_limit_that_is_not_set_is_not_approached() -> None:
    assert near(window(line(2.5, 0.25)), limits=[NONE] * 4) == {}
    assert near(window(line(2.5, 0.25)), limits=[1, 2, NONE, 9])[0][1] is Level.HH


def test_one_wild_sample_does_not_turn_the_trend() -> None:
    values = line(2.5, 0.25)
    values[10] = 1e6
    assert math.isclose(near(window(values))[0][0], (8 - values[-1]) / 0.25, rel_tol=0.05)


def test_a_gap_in_the_window_means_no_trend() -> None:
    values = line(2.5, 0.25)
    values[3] = NONE
    assert near(window(values)) == {}


def test_few_values_are_no_trend() -> None:
    assert near(window(line(5.0, 1.0, 5))) == {}
    assert near(window(line(5.0, 1.0, 6)), horizon=60.0) != {}
    assert near(Window(1)) == {}


def test_the_window_forgets_what_is_older_than_ten_minutes() -> None:
    values = line(8.0, -0.5, 10) + line(3.0, 0.25)
    assert near(window(values))[0][1] is Level.H


def test_when_the_next_value_is_due() -> None:
    w = Window(1)
    assert w.due == 0
    w.add(NOON, np.array([1.0]))
    assert w.due == NOON + 30_000


def test_points_that_come_later_have_no_past() -> None:
    w = Window(0)
    for k in range(KEPT):
        row = line(2.5, 0.25)[k]
        w.add(NOON + k * STEP_MS, np.array([row] if k < 5 else [row, row]))
    assert set(near(w, points=2)) == {0}
    for k in range(KEPT, KEPT + 6):
        w.add(NOON + k * STEP_MS, np.array([2.5 + 0.125 * k] * 2))
    assert set(near(w, points=2)) == {0, 1}


@given(st.lists(st.lists(st.floats(-50, 50, width=32), min_size=8, max_size=KEPT), min_size=1, max_size=3))
def test_the_time_left_agrees_with_a_naive_reference(columns) -> None:
    n = min(map(len, columns))
    columns = [c[:n] for c in columns]
    found = near(window(*columns), limits=[-60, -55, 55, 60], span=1.0, horizon=1e9, points=len(columns))
    minutes = [k / 2 for k in range(n)]
    for k, values in enumerate(columns):
        slope = slope_per_minute(minutes, values)
        if abs(slope) * minutes[-1] <= 0.02 + 1e-9:
            continue
        limit, level = (55, Level.H) if slope > 0 else (-55, Level.L)
        line = statistics.median(v - slope * (t - minutes[-1]) for t, v in zip(minutes, values, strict=True))
        tau = (limit - line) / slope
        if tau <= 0:
            assert k not in found
            continue
        if tau >= 1e8:
            continue
        assert math.isclose(found[k][0], tau, rel_tol=1e-9)
        assert found[k][1] is level

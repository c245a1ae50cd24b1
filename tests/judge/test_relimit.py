"""New limits while samples are on their way: they hold from the newest sample on and never reach into the past."""

from __future__ import annotations

import numpy as np
import pytest

from hazwatch.judge import kernel
from hazwatch.judge.judge import judge, relimit, tick
from hazwatch.judge.limits import Limits
from hazwatch.judge.state import fresh
from hazwatch.samples.batch import SampleBatch

SECOND = 1000
AT = 1_000_000


def high(limit: float, on_s: int = 0) -> Limits:
    return Limits(
        1, np.array([[np.nan, np.nan, limit, np.nan]]), np.zeros(1), np.array([on_s * SECOND]), np.zeros(1, int)
    )


def fed(state, limits, *samples):
    ts, value = zip(*samples, strict=True)
    return judge(state, limits, SampleBatch.of(np.zeros(len(ts)), np.array(ts), np.array(value)))


def running(value: float = 18.0):
    """A point with a sample a second, the newest half a second before the limits change."""
    state = fresh(1)
    fed(state, high(45), *((AT - 500 - k * SECOND, value) for k in range(40, -1, -1)))
    return state


def test_samples_on_their_way_are_in_order_and_revise_nothing() -> None:
    state = running()
    rows = relimit(state, high(45), high(17, on_s=5), AT)
    assert len(rows) == 0
    verdict = fed(state, high(17, on_s=5), *((AT - 400 + k * SECOND, 18.0) for k in range(10)))
    assert verdict.fate.tolist() == [kernel.IN_ORDER] * 10
    assert [(r["kind"], r["to_level"]) for r in verdict.rows] == [(kernel.TRANSITION, 1)]
    assert AT < verdict.rows[0]["event_ts"] <= AT + 5 * SECOND


def test_a_held_value_beyond_the_new_limit_rings_at_once() -> None:
    (row,) = relimit(running(), high(45), high(17), AT)
    assert (row["to_level"], row["value"]) == (1, 18.0)
    assert AT - SECOND < row["event_ts"] <= AT


@pytest.mark.parametrize("silent_s", [31, 3600])
def test_a_point_that_is_silent_for_long_is_judged_from_the_change_on(silent_s) -> None:
    state = fresh(1)
    fed(state, high(45), (AT - silent_s * SECOND, 18.0))
    (row,) = relimit(state, high(45), high(17), AT)
    assert row["event_ts"] == AT


def test_after_a_tick_that_fired_new_limits_hold_from_the_tick_on() -> None:
    state = fresh(1)
    old = high(17, on_s=5)
    fed(state, old, (AT - 9 * SECOND, 18.0))
    assert len(tick(state, old, AT - 2 * SECOND)) == 1
    (row,) = relimit(state, old, high(20), AT)
    assert (row["from_level"], row["to_level"]) == (1, 0)
    assert AT - 2 * SECOND < row["event_ts"] <= AT

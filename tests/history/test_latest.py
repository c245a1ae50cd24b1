"""The latest value of every point."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from hazwatch.history import latest
from hazwatch.samples.batch import SampleBatch

NOON = 1_795_417_200_000


def take(state, *samples, received=NOON + 500) -> None:
    """Samples (point, seconds, value, quality)."""
    batch = SampleBatch.of(
        [s[0] for s in samples], [NOON + s[1] * 1000 for s in samples], [s[2] for s in samples],
        [s[3] if len(s) > 3 else 0 for s in samples],
    )  # fmt: skip
    latest.update(state, batch, np.full(len(batch), received, np.int64), np.zeros(len(batch), np.uint8))


def test_the_newest_in_event_time_stands() -> None:
    state = latest.fresh(2)
    take(state, (0, 5, 1.0), (0, 3, 9.0), (1, 4, 2.0, 7))
    assert (state.ts[0], state.value[0]) == (NOON + 5000, 1.0)
    assert (state.value[1], state.quality[1], state.received[1]) == (2.0, 7, NOON + 500)


def test_since_when_the_value_is_what_it_is() -> None:
    state = latest.fresh(1)
    take(state, (0, 1, 1.0), (0, 2, 1.0), (0, 3, 2.0), (0, 4, 2.0))
    assert state.changed[0] == NOON + 3000


def test_what_was_not_touched_is_not_told() -> None:
    state = latest.fresh(3)
    take(state, (1, 5, 1.0))
    assert state.touched.tolist() == [0, latest.CAME | latest.CHANGED, 0]
    state.touched[:] = 0
    take(state, (1, 4, 7.0))
    assert state.touched.tolist() == [0, 0, 0], "an older sample is no news"


def test_nothing_known_is_never() -> None:
    state = latest.grown(latest.fresh(1), 3)
    assert state.ts.tolist() == [latest.NEVER] * 3
    assert all(math.isnan(v) for v in state.value)


@given(st.lists(st.tuples(st.integers(0, 1), st.integers(0, 9), st.floats(-5, 5)), max_size=20), st.integers(0, 20))
def test_the_cut_into_batches_leaves_no_trace(samples, cut) -> None:
    one, two = latest.fresh(2), latest.fresh(2)
    take(one, *samples)
    take(two, *samples[:cut])
    take(two, *samples[cut:])
    assert all(np.array_equal(a, b, equal_nan=True) for a, b in zip(one, two, strict=True))

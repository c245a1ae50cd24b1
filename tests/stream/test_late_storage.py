"""What is stored of samples in any order of arrival tells the value at any time."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from hazwatch.history import thinning
from hazwatch.judge.judge import judge
from hazwatch.judge.limits import Limits
from hazwatch.judge.state import fresh
from hazwatch.samples.batch import SampleBatch

ARRIVALS = st.lists(st.tuples(st.integers(0, 15), st.sampled_from([1.0, 2.0])), min_size=1, max_size=30)


@given(ARRIVALS, st.lists(st.integers(0, 30), max_size=4))
@example([(0, 1.0), (1, 1.0), (3, 1.0), (4, 1.0), (2, 2.0)], [])
@settings(max_examples=400, deadline=None)
def test_a_late_value_holds_only_until_its_successor(arrivals, cuts):
    """Unchanged values are left out; when a late one comes between them, the one after it is stored after all."""
    state, kept, limits = fresh(1, 64), thinning.fresh(1), Limits.none(1)
    stored: dict[int, float] = {}
    truth: dict[int, float] = {}
    bounds = sorted({0, len(arrivals), *(c % (len(arrivals) + 1) for c in cuts)})
    for a, b in pairwise(bounds):
        part = arrivals[a:b]
        batch = SampleBatch.of([0] * len(part), [t * 1000 for t, _ in part], [v for _, v in part])
        verdict = judge(state, limits, batch)
        for thinned in (verdict.followers, thinning.thin(kept, batch, verdict.fate, 60_000)[0]):
            stored |= dict(zip(thinned.ts.tolist(), thinned.value.tolist(), strict=True))
        for t, v in part:
            # Of two samples of one time the greater value stands (judge.kernel, _wins).
            truth[t * 1000] = max(v, truth.get(t * 1000, v))

    moments = np.array(sorted(stored))
    for ts, value in truth.items():
        at = moments[np.searchsorted(moments, ts, side="right") - 1]
        assert stored[int(at)] == value, (ts, stored)

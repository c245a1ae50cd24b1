"""What is stored, and the minutes it adds up to: laws over judged batches in any cut."""

from __future__ import annotations

import itertools
import math
from collections import defaultdict

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from hazwatch.history import thinning
from hazwatch.judge import kernel
from hazwatch.judge.judge import judge
from hazwatch.judge.limits import Limits
from hazwatch.judge.state import fresh
from hazwatch.samples.batch import SampleBatch

MIDNIGHT = 1_795_392_000_000
MINUTE = thinning.MINUTE
POINTS = 3
HEARTBEAT = 20_000

values = st.sampled_from([1.0, 1.5, 2.0, -3.0, math.nan])
sample = st.tuples(st.integers(0, POINTS - 1), st.integers(0, 180), values, st.sampled_from([0, 0, 0, 2, 3, 7]))
in_order = st.lists(sample, max_size=60, unique_by=lambda s: s[:2]).map(lambda s: sorted(s, key=lambda x: x[1]))
any_order = st.lists(sample, max_size=40)


def batch_of(samples) -> SampleBatch:
    return SampleBatch.of(
        [p for p, *_ in samples], [MIDNIGHT + t * 1000 for _, t, *_ in samples], [v for _, _, v, _ in samples],
        [q for *_, q in samples],
    )  # fmt: skip


def thinned(samples, cuts=()):
    """(kept, rollup rows, state, fates) of samples judged and thinned in the batches that ``cuts`` make."""
    judged, state = fresh(POINTS, 64), thinning.fresh(POINTS)
    kept, rows, fates = [], [], []
    edges = [0, *sorted(c % (len(samples) + 1) for c in cuts), len(samples)]
    for a, b in itertools.pairwise(edges):
        batch = batch_of(samples[a:b])
        fate = judge(judged, Limits.none(POINTS), batch).fate
        k, r = thinning.thin(state, batch, fate, HEARTBEAT)
        kept.append(k)
        rows.append(r)
        fates += fate.tolist()
    return SampleBatch.concat(kept), np.concatenate(rows), state, fates


def listed(batch: SampleBatch):
    return [(int(p), int(t), repr(float(v)), int(q)) for p, t, v, q in zip(*columns(batch), strict=True)]


def columns(batch: SampleBatch):
    return batch.point, batch.ts, batch.value, batch.quality


def minutes(rows, state) -> dict[tuple[int, int], tuple]:
    """Partials of every point and minute added up, the running one included."""
    parts = defaultdict(list)
    for row in [*rows, *(r for p in range(POINTS) for r in thinning.running(state, p))]:
        parts[int(row["point"]), int(row["minute"])].append(row)
    return {
        key: (
            min(r["low"] for r in own), max(r["high"] for r in own), round(sum(float(r["total"]) for r in own), 9),
            int(sum(int(r["count"]) for r in own)), float(max(reversed(own), key=lambda r: r["last_ts"])["last"]),
        )
        for key, own in parts.items()
    }  # fmt: skip


def naive_minutes(samples, fates):
    parts = defaultdict(list)
    for (p, t, v, q), fate in zip(samples, fates, strict=True):
        if q <= 2 and not math.isnan(v) and fate != kernel.DUPLICATE:
            ts = MIDNIGHT + t * 1000
            parts[p, ts // MINUTE * MINUTE].append((ts, v))
    return {
        key: (
            min(v for _, v in own), max(v for _, v in own), round(sum(v for _, v in own), 9), len(own),
            max(enumerate(own), key=lambda pair: (pair[1][0], pair[0]))[1][1],
        )
        for key, own in parts.items()
    }  # fmt: skip


@given(in_order, st.lists(st.integers(0, 60), max_size=5))
def test_the_cut_into_batches_leaves_no_trace(samples, cuts) -> None:
    kept, rows, state, _ = thinned(samples, cuts)
    whole, whole_rows, whole_state, _ = thinned(samples)
    assert listed(kept) == listed(whole)
    assert rows.tobytes() == whole_rows.tobytes()
    assert all(np.array_equal(a, b, equal_nan=True) for a, b in zip(state, whole_state, strict=True))


@given(in_order)
def test_the_value_at_any_time_is_the_last_one_kept(samples) -> None:
    kept = listed(thinned(samples)[0])
    for p, t, v, q in samples:
        ts = MIDNIGHT + t * 1000
        last = max((k for k in kept if k[0] == p and k[1] <= ts), key=lambda k: k[1])
        assert last[2:] == (repr(float(v)), q)
        assert ts - last[1] < HEARTBEAT, "a longer gap is a real gap"


@given(in_order)
def test_nothing_is_kept_without_a_reason(samples) -> None:
    kept = listed(thinned(samples)[0])
    for p in range(POINTS):
        own = [k for k in kept if k[0] == p]
        for a, b in itertools.pairwise(own):
            assert a[2:] != b[2:] or b[1] - a[1] >= HEARTBEAT


@given(any_order, st.lists(st.integers(0, 40), max_size=5))
def test_minutes_add_up_to_the_naive_sum_over_what_is_no_duplicate(samples, cuts) -> None:
    _, rows, state, fates = thinned(samples, cuts)
    assert kernel.OLDER not in fates
    assert minutes(rows, state) == naive_minutes(samples, fates)


@given(any_order)
def test_a_batch_that_comes_twice_changes_nothing(samples) -> None:
    judged, state = fresh(POINTS, 64), thinning.fresh(POINTS)
    batch = batch_of(samples)
    thinning.thin(state, batch, judge(judged, Limits.none(POINTS), batch).fate, HEARTBEAT)
    before = [a.copy() for a in state]
    fate = judge(judged, Limits.none(POINTS), batch).fate
    kept, rows = thinning.thin(state, batch, fate, HEARTBEAT)
    twice = batch.take(fate != kernel.DUPLICATE)
    assert listed(kept) == listed(twice), "only a late sample of better quality at the same time may stand again"
    if not len(twice):
        assert len(rows) == 0
        assert all(np.array_equal(a, b, equal_nan=True) for a, b in zip(before, state, strict=True))


def test_at_10s_back_to_5s_late_samples_are_kept_and_do_not_disturb_the_heartbeat() -> None:
    kept, _, state, fates = thinned([(0, 0, 1.0, 0), (0, 10, 1.0, 0), (0, 5, 1.0, 0), (0, 19, 1.0, 0), (0, 20, 1.0, 0)])
    assert fates == [0, 0, kernel.LATE, 0, 0]
    assert [(t - MIDNIGHT) // 1000 for t in kept.ts] == [0, 5, 20]
    assert state.ts[0] == MIDNIGHT + 20_000


def test_nan_after_nan_is_no_change() -> None:
    kept = thinned([(0, 0, math.nan, 3), (0, 1, math.nan, 3), (0, 2, 1.0, 0), (0, 3, math.nan, 3)])[0]
    assert [(t - MIDNIGHT) // 1000 for t in kept.ts] == [0, 2, 3]


def test_the_running_minute_is_given_out_when_the_next_begins() -> None:
    samples = [(0, 58, 1.0, 0), (0, 59, 3.0, 0), (1, 59, 9.0, 0)]
    _, rows, state, _ = thinned(samples)
    assert len(rows) == 0
    (now,) = thinning.running(state, 0)
    assert (now["minute"], now["low"], now["high"], now["total"], now["count"], now["last"]) == (
        MIDNIGHT,
        1,
        3,
        4,
        2,
        3,
    )
    assert len(thinning.running(state, 2)) == 0
    _, rows, state, _ = thinned([*samples, (0, 60, 5.0, 0)])
    assert [(r["point"], r["minute"], r["count"]) for r in rows] == [(0, MIDNIGHT, 2)]
    assert thinning.running(state, 0)[0]["minute"] == MIDNIGHT + MINUTE


def test_points_that_come_later_begin_with_nothing() -> None:
    _, _, state, _ = thinned([(0, 1, 1.0, 0)])
    more = thinning.grown(state, 5)
    assert [len(a) for a in more] == [5] * 10
    assert len(thinning.running(more, 4)) == 0
    assert more.value[0] == 1.0

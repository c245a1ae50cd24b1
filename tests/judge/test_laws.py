"""The laws of design/alarms §1 as properties, against the reference judge."""

from __future__ import annotations

import importlib.util
import math
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from hazwatch.judge import kernel
from hazwatch.judge.judge import from_history, judge, narrowed, tick
from hazwatch.judge.limits import Limits
from hazwatch.judge.outcome import Outcome
from hazwatch.judge.state import copied, flatten, fresh, unflatten
from hazwatch.samples.batch import SampleBatch
from hazwatch.vocabulary.levels import Level

_spec = importlib.util.spec_from_file_location("reference", Path(__file__).with_name("reference.py"))
reference = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(reference)

VALUES = st.one_of(
    st.sampled_from([0.0, 10.0, 19.0, 20.0, 50.0, 78.0, 79.0, 80.0, 81.0, 90.0, 95.0]), st.just(math.nan)
)
QUALITY = st.sampled_from([0, 0, 0, 0, 1, 2, 3, 4, 7])


@st.composite
def settings_of_limits(draw):
    limits = {
        name: value for name, value in (("LL", 10.0), ("L", 20.0), ("H", 80.0), ("HH", 90.0)) if draw(st.booleans())
    }
    return (
        limits,
        draw(st.sampled_from([0.0, 1.0, 5.0])),
        draw(st.sampled_from([0, 1000, 2500])),
        draw(st.sampled_from([0, 1000, 3000])),
    )


@st.composite
def arrivals(draw, points=2, disorder=True):
    """Samples (point, ts, value, quality) in arrival order."""
    n = draw(st.integers(1, 40))
    rows = [
        (draw(st.integers(0, points - 1)), draw(st.integers(0, 20)) * 500, draw(VALUES), draw(QUALITY))
        for _ in range(n)
    ]
    return rows if disorder else sorted(rows, key=lambda r: r[1])


def limits_array(spec, points=2):
    limits, deadband, on_ms, off_ms = spec
    row = [limits.get(name, math.nan) for name in reference.NAMES]
    return Limits(
        1,
        np.array([row] * points),
        np.full(points, deadband),
        np.full(points, on_ms, np.int64),
        np.full(points, off_ms, np.int64),
    )


def batches(rows, cuts):
    bounds = sorted({0, len(rows), *[c % (len(rows) + 1) for c in cuts]})
    return [SampleBatch.of(*(list(column) for column in zip(*rows[a:b], strict=True))) for a, b in pairwise(bounds)]


def play(rows, spec, cuts=(), ring=64, until=None):
    state, limits, outcome = fresh(2, ring), limits_array(spec), Outcome()
    seen = []

    def deferred_in(batch):
        def judged(m):
            i = int(batch.point[m])
            known = [
                *seen,
                *(
                    (int(p), int(t), float(v), int(q))
                    for p, t, v, q in zip(
                        batch.point[: m + 1],
                        batch.ts[: m + 1],
                        batch.value[: m + 1],
                        batch.quality[: m + 1],
                        strict=True,
                    )
                ),
            ]
            best = {}
            for p, t, v, q in known:
                if p == i and t <= state.base.ts[i] and (t not in best or reference.better((v, q), best[t])):
                    best[t] = (v, q)
            ts = sorted(best)
            return from_history(
                state, limits, i, np.array(ts), np.array([best[t][0] for t in ts]),
                np.array([best[t][1] for t in ts], np.uint8),
            )  # fmt: skip

        return judged

    for batch in batches(rows, cuts):
        outcome.add(judge(state, limits, batch, deferred_in(batch)).rows)
        seen += [(int(p), int(t), float(v), int(q)) for p, t, v, q in zip(
            batch.point, batch.ts, batch.value, batch.quality, strict=True)]  # fmt: skip
    if until is not None:
        outcome.add(tick(state, limits, until))
    return outcome, state


def told(outcome):
    rows, _ = outcome.rows()
    return [
        (
            int(r["point"]),
            int(r["event_ts"]),
            Level(int(r["from_level"])).word,
            Level(int(r["to_level"])).word,
            float(r["value"]),
        )
        for r in rows
    ]


def expected(rows, spec, until=None):
    limits, deadband, on_ms, off_ms = spec
    out = []
    for p in (0, 1):
        own = [r[1:] for r in rows if r[0] == p]
        out += [(p, *t) for t in reference.judge_point(own, limits, deadband, on_ms, off_ms, until)]
    return sorted(out, key=lambda t: (t[1], t[0]))


@given(arrivals(disorder=False), settings_of_limits())
@settings(max_examples=300, deadline=None)
def test_in_order_it_is_the_reference(rows, spec):
    assert told(play(rows, spec, until=60_000)[0]) == expected(rows, spec, until=60_000)


@given(arrivals(), settings_of_limits(), st.lists(st.integers(0, 60), max_size=5), st.sampled_from([1, 2, 3, 5, 64]))
@settings(max_examples=500, deadline=None)
def test_any_arrival_order_and_any_ring_ends_in_the_reference(rows, spec, cuts, ring):
    """Within the ring from memory, beyond it from history: the same alarm history as in order."""
    assert told(play(rows, spec, cuts, ring, until=60_000)[0]) == expected(rows, spec, until=60_000)


@given(arrivals(), settings_of_limits(), st.lists(st.integers(0, 60), max_size=5))
@settings(max_examples=300, deadline=None)
def test_batches_do_not_matter_not_even_for_the_late_mark(rows, spec, cuts):
    one, many = play(rows, spec)[0].rows(), play(rows, spec, cuts)[0].rows()

    assert one[0].tobytes() == many[0].tobytes()
    assert one[1].tolist() == many[1].tolist()


@given(arrivals(), settings_of_limits(), st.integers(0, 60))
@settings(max_examples=200, deadline=None)
def test_a_snapshot_loses_nothing(rows, spec, cut):
    """Saving and loading the state between two batches changes neither timers nor memory."""
    limits = limits_array(spec)
    straight, broken = fresh(2), fresh(2)
    first, second = rows[: cut % len(rows)], rows[cut % len(rows) :]
    for part in (first, second):
        if part:
            batch = SampleBatch.of(*(list(c) for c in zip(*part, strict=True)))
            a = judge(straight, limits, batch).rows
            b = judge(broken, limits, batch).rows
            assert a.tobytes() == b.tobytes()
        broken = unflatten([x.copy() for x in flatten(broken)])
    assert tick(straight, limits, 60_000).tobytes() == tick(broken, limits, 60_000).tobytes()


@given(arrivals(), settings_of_limits(), st.integers(0, 60), st.integers(0, 20))
@example(
    rows=[(1, 6000, 0.0, 0), (1, 6500, math.nan, 0), (1, 6500, 0.0, 0)],
    spec=({"L": 20.0}, 0.0, 1000, 0),
    cut=0,
    moment=14,
)
@settings(max_examples=600, deadline=None)
def test_ticks_between_batches_end_in_the_same_history(rows, spec, cut, moment):
    """A tick that ran ahead of a sample is put right when the sample comes."""
    limits, state, outcome = limits_array(spec), fresh(2, 64), Outcome()
    for part in (rows[: cut % len(rows)], rows[cut % len(rows) :]):
        if part:
            outcome.add(judge(state, limits, SampleBatch.of(*(list(c) for c in zip(*part, strict=True)))).rows)
        outcome.add(tick(state, limits, moment * 500))
    outcome.add(tick(state, limits, 60_000))

    assert told(outcome) == expected(rows, spec, until=60_000)


def test_a_checkpoint_is_a_deep_copy():
    state = fresh(1)
    saved = copied(state)
    judge(state, limits_array(({"H": 80.0}, 0.0, 0, 0), 1), SampleBatch.of([0], [0], [85.0]))

    assert int(state.live.active[0]) == 4
    assert int(saved.live.active[0]) == 0


def remembered(state):
    """What a state says: rings from their oldest sample on, due times where a timer runs."""
    ring, points = state.ring, range(len(state.ticked))
    size = len(ring.ts)
    rings = [
        [(int(ring.ts[j, i]), repr(float(ring.value[j, i])), int(ring.quality[j, i])) for j in places]
        for i in points
        for places in [[(int(ring.start[i]) + n) % size for n in range(int(ring.filled[i]))]]
    ]
    others = [
        [p.active.tolist(), p.timing.tolist(), repr(p.held.tolist()), p.ts.tolist(),
         [[int(d) for k, d in enumerate(row) if t >> k & 1] for row, t in zip(p.due, p.timing, strict=True)]]
        for p in (state.live, state.base)
    ]  # fmt: skip
    return rings, others, state.ticked.tolist(), state.clock.tolist()


@given(arrivals(disorder=False), settings_of_limits(), st.integers(1, 6))
@settings(max_examples=200, deadline=None)
def test_a_longer_memory_made_shorter_is_the_shorter_memory(rows, spec, ring):
    """A snapshot of a program with a longer ring is read: what must not be remembered any more was judged the same."""
    long, short, limits = fresh(2, 16), fresh(2, ring), limits_array(spec)
    for state in (long, short):
        judge(state, limits, SampleBatch.of(*(list(column) for column in zip(*rows, strict=True))))
    copy = copied(long)
    assert remembered(copy) == remembered(long)
    assert remembered(narrowed(copy, limits, ring)) == remembered(short)


SECOND = 1000


@st.composite
def seconds_of_many(draw):
    """Batches of 700 points in order of points, a few samples restless: beyond a limit, bad, late, missing or twice."""
    points, batches_ = 700, []
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    for k in range(draw(st.integers(2, 12))):
        point = np.arange(points, dtype=np.uint32)
        ts = np.full(points, k * SECOND, np.int64)
        value, quality = rng.uniform(25, 75, points), np.zeros(points, np.uint8)
        for _ in range(draw(st.integers(0, 3))):
            i = int(rng.integers(0, points))
            value[i] = draw(VALUES)
            quality[i] = draw(QUALITY)
            ts[i] -= draw(st.sampled_from([0, 0, 500, 2500, 9000]))
        keep = np.ones(points, bool)
        keep[rng.integers(0, points, draw(st.integers(0, 2)))] = False
        order = np.flatnonzero(keep)
        if draw(st.booleans()):
            order = np.append(order, rng.integers(0, points, 3))
        batches_.append(SampleBatch.of(point[order], ts[order], value[order], quality[order]))
    return batches_


@given(seconds_of_many(), settings_of_limits(), st.integers(1, 6), st.booleans())
@settings(max_examples=60, deadline=None)
def test_the_dense_path_is_the_exact_path(many, spec, ring, ticks):
    """Same rows, same fates and the same memory to the last bit, whatever else happens among the calm points."""
    limits = limits_array(spec, 700)
    states = fresh(700, ring), fresh(700, ring)
    for k, batch in enumerate(many):
        dense, exact = (judge(s, limits, batch, dense=d) for s, d in zip(states, (True, False), strict=True))
        assert dense.rows.tobytes() == exact.rows.tobytes()
        assert np.array_equal(dense.fate, exact.fate)
        assert np.array_equal(dense.followers.ts, exact.followers.ts)
        if ticks:
            assert tick(states[0], limits, k * SECOND).tobytes() == tick(states[1], limits, k * SECOND).tobytes()
        for a, b in zip(flatten(states[0]), flatten(states[1]), strict=True):
            assert np.array_equal(a, b, equal_nan=True)


def takes_run(state, limits, batch, m):
    """Whether the run from sample ``m`` on goes the dense path; asked of a copy, since asking takes it."""
    live, base, ring, ticked, _ = copied(state)
    return kernel._dense(
        live.active, live.timing, live.held, live.ts, base.active, base.timing, base.held, base.ts, *ring, ticked,
        batch.point, batch.ts, batch.value, batch.quality, m, *limits.band(),
    )  # fmt: skip


def test_calm_neighbours_do_take_the_dense_path():
    """The law above would hold of a dense path that nobody takes. One restless point costs its own run only."""
    limits, state, taken = limits_array(({"H": 80.0}, 1.0, 1000, 1000), 700), fresh(700), []
    for k in range(40):
        value = np.full(700, 50.0)
        value[300] = 85.0 if k == 20 else 50.0
        batch = SampleBatch.of(np.arange(700), np.full(700, k * SECOND), value, np.zeros(700, np.uint8))
        taken.append([takes_run(state, limits, batch, m) for m in (0, 256)])
        judge(state, limits, batch)
    # At 20 s beyond the limit, at 21 s its timer still runs, at 28 s it is what the full ring gives up.
    assert [k for k, run in enumerate(taken) if run != [True, True]] == [20, 21, 28, 29]
    assert all(first for first, _ in taken)


def test_limits_that_were_judged_with_cannot_be_written():
    """The band is worked out once: thresholds written later would be judged with a band that is not theirs."""
    limits = Limits.none(300)
    limits.threshold[7, 3] = 90.0
    batch = SampleBatch.of(np.arange(300), np.zeros(300), np.full(300, 95.0))
    assert [int(row["point"]) for row in judge(fresh(300), limits, batch).rows] == [7]
    with pytest.raises(ValueError, match="read-only"):
        limits.threshold[8, 3] = 90.0

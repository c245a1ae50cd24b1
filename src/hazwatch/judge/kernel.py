"""The per-sample loop of the judge, compiled. Read ``state.py`` first for what the arrays mean.

Event time passes for a point by its own samples and by ticks. A timer fires at its due time; a sample exactly at the
due time is looked at first (the condition must have held for the whole delay, and the sample says whether it still
does). So the outcome depends only on the samples in order of event time, never on how they were cut into batches.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from hazwatch.judge import dense
from hazwatch.judge.dense import LAST_JUDGED, BitMatrix, Counts, FloatMatrix, IntMatrix
from hazwatch.judge.state import JudgeState, PointStates, Ring

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Rows = NDArray[np.void]
Bits = NDArray[np.uint8]
#: The limits of all points: threshold[P, 4], deadband[P], on-delay[P], off-delay[P].
Columns = tuple[Floats, Floats, Ints, Ints]

#: Kinds of output rows: said in order · "what was said of this point after event_ts is void" · said instead.
TRANSITION, REVISION, AMENDED = 0, 1, 2
#: What became of a sample: newest of its point · put in its place late · already known · needs history.
IN_ORDER, LATE, DUPLICATE, OLDER = 0, 1, 2, 3
#: Why ``run`` came back.
DONE, OUTPUT_FULL, DEFERRED = 0, 1, 2
#: Column of 高 in the thresholds; those from here on are high sides.
_FIRST_HIGH = 2
_RUN = dense.RUN

ROW = np.dtype(
    [
        ("kind", "u1"),
        ("point", "u4"),
        ("event_ts", "i8"),
        ("from_level", "i1"),
        ("to_level", "i1"),
        ("level", "i1"),
        ("value", "f8"),
        ("limit", "f8"),
    ]
)

#: The sample that follows a late one.
FOLLOWER = np.dtype([("point", "u4"), ("ts", "i8"), ("value", "f8"), ("quality", "u1")])


@njit(cache=True, nogil=True, inline="always")
def _level(active: int) -> int:
    """Most severe active threshold; the high side wins a tie that only faulty limits can make."""
    if active & 8:
        return 2
    if active & 1:
        return -2
    if active & 4:
        return 1
    if active & 2:
        return -1
    return 0


@njit(cache=True, nogil=True)
def _emit(out: Rows, n: int, i: int, ts: int, before: int, after: int, value: float, limit: Floats) -> int:
    """Write one transition. Its level is the one entered, or on the way back to calm the one left."""
    worse = after != 0 and (abs(after) > abs(before) or after * before < 0)
    level = after if worse else before
    column = level + 2 if level < 0 else level + 1
    row = out[n]
    row["kind"] = TRANSITION
    row["point"] = i
    row["event_ts"] = ts
    row["from_level"] = before
    row["to_level"] = after
    row["level"] = level
    row["value"] = value
    row["limit"] = limit[i, column]
    return n + 1


@njit(cache=True, nogil=True)
def _fire(
    active: Bits, timing: Bits, due: Ints, held: Floats, i: int, until: int, threshold: Floats, out: Rows, n: int,
) -> int:  # fmt: skip
    """Let time pass up to and including ``until``: timers fire in order of due time, equal ones together."""
    while timing[i] != 0:
        first = until + 1
        for k in range(4):
            if timing[i] >> k & 1 and due[i, k] < first:
                first = due[i, k]
        if first > until:
            return n
        before = _level(active[i])
        for k in range(4):
            if timing[i] >> k & 1 and due[i, k] == first:
                timing[i] ^= np.uint8(1 << k)
                active[i] ^= np.uint8(1 << k)
        after = _level(active[i])
        if after != before:
            n = _emit(out, n, i, first, before, after, held[i], threshold)
    return n


@njit(cache=True, nogil=True)
def _compare(
    active: Bits, timing: Bits, due: Ints, i: int, ts: int, v: float, threshold: Floats, deadband: Floats, on: int,
    off: int,
) -> None:  # fmt: skip
    """Start and stop the timers of the four thresholds for a value seen at ``ts``."""
    for k in range(4):
        limit = threshold[i, k]
        bit = np.uint8(1 << k)
        if np.isnan(limit):
            continue
        beyond = v >= limit if k >= _FIRST_HIGH else v <= limit
        if active[i] & bit:
            wanted = v < limit - deadband[i] if k >= _FIRST_HIGH else v > limit + deadband[i]
            delay = off
        else:
            wanted = beyond
            delay = on
        if not wanted:
            timing[i] &= ~bit
        elif not timing[i] & bit:
            timing[i] |= bit
            due[i, k] = ts + delay


@njit(cache=True, nogil=True, inline="always")
def _calm(bits: int, v: float, q: int, threshold: Floats, i: int) -> bool:
    """The common case: nothing active, no timer, a good value between all limits ("not ≥": there may be none)."""
    return (
        bits == 0
        and q <= LAST_JUDGED
        and v == v  # noqa: PLR0124  # not NaN, in one instruction
        and not v <= threshold[i, 0]
        and not v <= threshold[i, 1]
        and not v >= threshold[i, 2]
        and not v >= threshold[i, 3]
    )


@njit(cache=True, nogil=True)
def _step(
    active: Bits, timing: Bits, due: Ints, held: Floats, newest: Ints, i: int, ts: int, v: float, q: int,
    threshold: Floats, deadband: Floats, on: Ints, off: Ints, out: Rows, n: int,
) -> int:  # fmt: skip
    """One sample in order of event time."""
    if timing[i]:
        n = _fire(active, timing, due, held, i, ts - 1, threshold, out, n)
    if q <= LAST_JUDGED and not np.isnan(v):
        held[i] = v
        _compare(active, timing, due, i, ts, v, threshold, deadband, on[i], off[i])
    newest[i] = ts
    if timing[i]:
        n = _fire(active, timing, due, held, i, ts, threshold, out, n)
    return n


@njit(cache=True, nogil=True)
def _copy_point(to: PointStates, frm: PointStates, j: int, i: int) -> None:
    to.active[j] = frm.active[i]
    to.timing[j] = frm.timing[i]
    for k in range(4):
        to.due[j, k] = frm.due[i, k]
    to.held[j] = frm.held[i]
    to.ts[j] = frm.ts[i]


@njit(cache=True, nogil=True)
def _evict(st: JudgeState, i: int, limits: Columns, scratch: Rows) -> None:
    """Move the oldest sample of a full ring into the base."""
    threshold, deadband, on, off = limits
    ring = st.ring
    j = ring.start[i]
    active, timing, due, held, newest = st.base
    _step(
        active, timing, due, held, newest, i, ring.ts[j, i], ring.value[j, i], ring.quality[j, i],
        threshold, deadband, on, off, scratch, 0,
    )  # fmt: skip
    ring.start[i] = (j + 1) % ring.ts.shape[0]
    ring.filled[i] -= 1


@njit(cache=True, nogil=True)
def keep_newest(st: JudgeState, most: int, limits: Columns, scratch: Rows) -> None:
    """Move all but the newest ``most`` samples of every ring into the base."""
    for i in range(len(st.ticked)):
        while st.ring.filled[i] > most:
            _evict(st, i, limits, scratch)


@njit(cache=True, nogil=True)
def _wins(v: float, q: int, old_v: float, old_q: int) -> bool:
    """Which of two samples of one point and one event time stands: better quality, then the greater value."""
    if q != old_q:
        return q < old_q
    return v > old_v or (np.isnan(old_v) and not np.isnan(v))


@njit(cache=True, nogil=True)
def _place(ring: Ring, i: int, ts: int) -> int:
    """How many ring samples lie before ``ts``."""
    size = ring.ts.shape[0]
    n = ring.filled[i]
    while n > 0 and ring.ts[(ring.start[i] + n - 1) % size, i] >= ts:
        n -= 1
    return n


@njit(cache=True, nogil=True)
def _insert(ring: Ring, i: int, at: int, ts: int, v: float, q: int) -> None:
    """Put a sample at place ``at``, moving the newer ones up. There is room."""
    size = ring.ts.shape[0]
    for n in range(ring.filled[i], at, -1):
        j, k = (ring.start[i] + n) % size, (ring.start[i] + n - 1) % size
        ring.ts[j, i] = ring.ts[k, i]
        ring.value[j, i] = ring.value[k, i]
        ring.quality[j, i] = ring.quality[k, i]
    j = (ring.start[i] + at) % size
    ring.ts[j, i] = ts
    ring.value[j, i] = v
    ring.quality[j, i] = q
    ring.filled[i] += 1


@njit(cache=True, nogil=True)
def _rejudge(st: JudgeState, i: int, work: PointStates, limits: Columns, out: Rows, n: int, clock: int) -> int:
    """Judge the ring of a point from its base; the outcome is left in row 0 of ``work``, transitions go to ``out``."""
    threshold, deadband, on, off = limits
    ring = st.ring
    size = ring.ts.shape[0]
    _copy_point(work, st.base, 0, i)
    # One row of limits, so that row 0 of ``work`` meets the limits of point i.
    t, d, a, b = threshold[i : i + 1], deadband[i : i + 1], on[i : i + 1], off[i : i + 1]
    active, timing, due, held, newest = work
    r_ts, r_value, r_quality = ring.ts[:, i], ring.value[:, i], ring.quality[:, i]
    j = ring.start[i]
    for _ in range(ring.filled[i]):
        if _calm(active[0] | timing[0], r_value[j], r_quality[j], t, 0):
            held[0] = r_value[j]
            newest[0] = r_ts[j]
        else:
            n = _step(active, timing, due, held, newest, 0, r_ts[j], r_value[j], r_quality[j], t, d, a, b, out, n)
        j = 0 if j + 1 == size else j + 1
    return _fire(active, timing, due, held, 0, max(newest[0], clock), t, out, n)


@njit(cache=True, nogil=True)
def _same(a: Rows, b: Rows, k: int) -> bool:
    return (
        a[k]["event_ts"] == b[k]["event_ts"]
        and a[k]["from_level"] == b[k]["from_level"]
        and a[k]["to_level"] == b[k]["to_level"]
        and a[k]["value"] == b[k]["value"]
        and a[k]["limit"] == b[k]["limit"]
    )


@njit(cache=True, nogil=True)
def _late(
    st: JudgeState, i: int, ts: int, v: float, q: int, limits: Columns, work: PointStates,
    old: Rows, new: Rows, out: Rows, n: int,
) -> tuple[int, int, int]:  # fmt: skip
    """A sample that is not newer than what was judged. Returns the output count, or −1 when history is needed."""
    ring = st.ring
    if ts <= st.base.ts[i]:
        return n, OLDER, -1
    at = _place(ring, i, ts)
    size = ring.ts.shape[0]
    clock = st.clock[0]
    replaces = False
    if at < ring.filled[i] and ring.ts[(ring.start[i] + at) % size, i] == ts:
        j = (ring.start[i] + at) % size
        if not _wins(v, q, ring.value[j, i], ring.quality[j, i]):
            return n, DUPLICATE, -1
        replaces = True
    into_base = not replaces and ring.filled[i] == size and at == 0
    if not replaces and not into_base and ring.filled[i] == size:
        _evict(st, i, limits, new)
        at -= 1
    n_old = _rejudge(st, i, work, limits, old, 0, clock)
    n_new = 0
    base_ts = st.base.ts[i]
    if into_base:
        threshold, deadband, on, off = limits
        active, timing, due, held, newest = st.base
        n_new = _step(active, timing, due, held, newest, i, ts, v, q, threshold, deadband, on, off, new, 0)
    elif replaces:
        j = (ring.start[i] + at) % size
        ring.value[j, i] = v
        ring.quality[j, i] = q
    else:
        _insert(ring, i, at, ts, v, q)
    after = 0 if into_base else at + 1
    follower = (ring.start[i] + after) % size if after < ring.filled[i] else -1
    n_new = _rejudge(st, i, work, limits, new, n_new, clock)
    st.ticked[i] = np.uint8(1) if work.ts[0] < clock else np.uint8(0)
    _copy_point(st.live, work, i, 0)
    same = 0
    while same < n_old and same < n_new and _same(old, new, same):
        same += 1
    if same == n_old and same == n_new:
        return n, LATE, follower
    row = out[n]
    row["kind"] = REVISION
    row["point"] = i
    row["event_ts"] = new[same - 1]["event_ts"] if same > 0 else base_ts
    n += 1
    for k in range(same, n_new):
        out[n] = new[k]
        out[n]["kind"] = AMENDED
        out[n]["point"] = i
        n += 1
    return n, LATE, follower


@njit(cache=True, nogil=True, inline="always")
def _dense(
    active: Bits, timing: Bits, held: Floats, newest: Ints, b_active: Bits, b_timing: Bits, b_held: Floats,
    b_newest: Ints, r_ts: IntMatrix, r_value: FloatMatrix, r_quality: BitMatrix, start: Counts, filled: Counts,
    ticked: Bits, point: NDArray[np.uint32], ts: Ints, value: Floats, quality: Bits, first: int, low: Floats,
    high: Floats,
) -> bool:  # fmt: skip
    """Take a whole run of samples from ``first`` on if all of it is calm; else change nothing and say so."""
    m = np.uint64(first)
    if not dense.neighbours(point, m):
        return False
    i = np.uint64(point[m])
    if not (
        dense.quiet(active, timing, i)
        and dense.quiet(ticked, ticked, i)
        and dense.newer(ts, m, newest, i)
        and dense.within(value, quality, m, low, high, i)
        and dense.in_step(start, filled, i)
    ):
        return False
    size = r_ts.shape[0]
    at = np.uint64(start[i])
    if filled[i] == size:
        # The oldest of the ring moves into the base: that too must be calm.
        if not (dense.quiet(b_active, b_timing, i) and dense.within_row(r_value, r_quality, at, low, high, i)):
            return False
        dense.move(r_value, r_ts, at, b_held, b_newest, i)
        dense.fill(start, i, (start[i] + 1) % size)
    else:
        at = np.uint64((start[i] + filled[i]) % size)
        dense.fill(filled, i, filled[i] + 1)
    dense.write(ts, value, quality, m, held, newest, r_ts, r_value, r_quality, at, i)
    return True


@njit(cache=True, nogil=True)
def run(  # noqa: C901, PLR0912, PLR0915  # one flat loop: calls would cost more than the work
    st: JudgeState, point: NDArray[np.uint32], ts: Ints, value: Floats,
    quality: NDArray[np.uint8], first: int, limits: Columns, work: PointStates,
    old: Rows, new: Rows, out: Rows, fate: NDArray[np.uint8], follow: Rows, follows: Ints,
    defer: bool, low: Floats, high: Floats,
) -> tuple[int, int, int]:  # fmt: skip
    """Judge samples from ``first`` on; ``fate`` (zeros at first) learns what became of each.

    ``follow`` takes the sample that follows each late one, ``follows`` how many. ``low`` and ``high`` are the calm
    band of each point (``Limits.band``); without them (length 0) every sample goes the exact path.

    Returns:
        (next sample, rows written, why it came back). After ``DEFERRED``, which comes only when ``defer`` asks for it,
        the next sample is the deferred one.
    """
    threshold, deadband, on, off = limits
    # Taken apart once: reaching into nested tuples costs reference counts at every access, ten times the work itself.
    active, timing, due, held, newest = st.live
    b_active, b_timing, b_due, b_held, b_newest = st.base
    r_ts, r_value, r_quality, r_start, r_count = st.ring
    ticked, clock = st.ticked, st.clock
    size = r_ts.shape[0]
    n = 0
    room = len(out) - len(new) - 8
    m, run_at = first - 1, first if len(low) else len(point)
    while m + 1 < len(point):
        m += 1
        if m >= run_at:
            while m + _RUN <= len(point) and _dense(
                active, timing, held, newest, b_active, b_timing, b_held, b_newest, r_ts, r_value, r_quality,
                r_start, r_count, ticked, point, ts, value, quality, m, low, high,
            ):  # fmt: skip
                m += _RUN
            if m == len(point):
                break
            run_at = m + _RUN
        if n > room:
            return m, n, OUTPUT_FULL
        i, t, v, q = np.int64(point[m]), ts[m], value[m], quality[m]
        if t <= newest[i] or (ticked[i] and t <= clock[0]):
            n, fate[m], j = _late(st, i, t, v, q, limits, work, old, new, out, n)
            if defer and fate[m] == OLDER:
                return m, n, DEFERRED
            if j >= 0:
                row = follow[follows[0]]
                row["point"] = i
                row["ts"] = r_ts[j, i]
                row["value"] = r_value[j, i]
                row["quality"] = r_quality[j, i]
                follows[0] += 1
            continue
        if _calm(active[i] | timing[i], v, q, threshold, i):
            held[i] = v
            newest[i] = t
        else:
            n = _step(active, timing, due, held, newest, i, t, v, q, threshold, deadband, on, off, out, n)
        ticked[i] = 0
        if timing[i] and t < clock[0]:
            # Time has already been let pass beyond this sample: what it started may be due.
            running = timing[i]
            n = _fire(active, timing, due, held, i, clock[0], threshold, out, n)
            ticked[i] = np.uint8(running != timing[i])
        # Append to the ring; when it is full its oldest sample moves into the base.
        j = np.int64(r_start[i])
        if r_count[i] == size:
            if _calm(b_active[i] | b_timing[i], r_value[j, i], r_quality[j, i], threshold, i):
                b_held[i] = r_value[j, i]
                b_newest[i] = r_ts[j, i]
            else:
                _step(
                    b_active, b_timing, b_due, b_held, b_newest, i, r_ts[j, i], r_value[j, i], r_quality[j, i],
                    threshold, deadband, on, off, new, 0,
                )  # fmt: skip
            r_start[i] = 0 if j + 1 == size else j + 1
        else:
            j += r_count[i]
            if j >= size:
                j -= size
            r_count[i] += 1
        r_ts[j, i] = t
        r_value[j, i] = v
        r_quality[j, i] = q
    return len(point), n, DONE


@njit(cache=True, nogil=True)
def tick(st: JudgeState, until: int, first: int, threshold: Floats, out: Rows) -> tuple[int, int]:
    """Let event time pass for every point. Returns (next point, rows written); call again while next < P."""
    active, timing, due, held, newest = st.live
    ticked, clock = st.ticked, st.clock
    n = 0
    for i in range(first, len(ticked)):
        if n > len(out) - 8:
            return i, n
        running = timing[i]
        if running != 0:
            n = _fire(active, timing, due, held, i, until, threshold, out, n)
            if running != timing[i] and until > newest[i]:
                ticked[i] = 1
    clock[0] = max(clock[0], until)
    return len(ticked), n


@njit(cache=True, nogil=True)
def rejudge_ring(
    st: JudgeState, i: int, limits: Columns, work: PointStates, out: Rows
) -> int:  # fmt: skip
    """Judge the ring of a point anew after its base was replaced; the outcome becomes the live state."""
    n = _rejudge(st, i, work, limits, out, 0, st.clock[0])
    st.ticked[i] = np.uint8(1) if work.ts[0] < st.clock[0] else np.uint8(0)
    _copy_point(st.live, work, i, 0)
    for k in range(n):
        out[k]["point"] = i
    return n

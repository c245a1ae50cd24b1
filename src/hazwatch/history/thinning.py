"""Pure: what of a batch is stored, and the 1-minute rollups over all of it.

Store on change: a sample is kept when its value or quality differs from the last one kept of its point, or when the
heartbeat has passed. So the value at any time is the last kept one, and a gap longer than the heartbeat is a real gap.
Late samples are always kept. Rollups count every sample, kept or not.

A rollup row is a *partial*: several rows of one point and minute add up (min of mins, sum of sums …), so a late
sample is one more row and nothing has to be read back.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from hazwatch.judge import kernel
from hazwatch.judge.dense import LAST_JUDGED
from hazwatch.samples.batch import SampleBatch

MINUTE = 60_000
#: A quality that no sample has: the next sample of the point is kept whatever it says.
_UNLIKE_ANY = 255
#: "No minute yet".
NONE = -1
#: Fewer rollup rows than this are stored as they are.
_WORTH_GATHERING = 16

ROLLUP = np.dtype(
    [
        ("point", "u4"),
        ("minute", "i8"),
        ("low", "f8"),
        ("high", "f8"),
        ("total", "f8"),
        ("last", "f8"),
        ("last_ts", "i8"),
        ("count", "u4"),
    ]
)


class Thinning(NamedTuple):
    """What must be remembered of P points.

    Attributes:
        ts, value, quality: the last kept sample.
        minute: start of the running minute, epoch ms, ``NONE`` before the first.
        low, high, total, last, last_ts, counted: what the running minute adds up to.
    """

    ts: NDArray[np.int64]
    value: NDArray[np.float64]
    quality: NDArray[np.uint8]
    minute: NDArray[np.int64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    total: NDArray[np.float64]
    last: NDArray[np.float64]
    last_ts: NDArray[np.int64]
    counted: NDArray[np.uint32]


def fresh(points: int) -> Thinning:
    """Nothing kept yet of P points."""
    return Thinning(
        np.full(points, np.iinfo(np.int64).min // 2),
        np.full(points, np.nan),
        np.full(points, _UNLIKE_ANY, np.uint8),
        np.full(points, NONE, np.int64),
        np.zeros(points),
        np.zeros(points),
        np.zeros(points),
        np.zeros(points),
        np.zeros(points, np.int64),
        np.zeros(points, np.uint32),
    )


def grown(state: Thinning, points: int) -> Thinning:
    """The same with room for more points."""
    more = fresh(points - len(state.ts))
    joined: list[Any] = [np.concatenate([a, b]) for a, b in zip(state, more, strict=True)]
    return Thinning(*joined)


@njit(cache=True, nogil=True)
def _run(  # noqa: C901  # one flat loop: calls would cost more than the work
    s: Thinning, point: NDArray[np.uint32], ts: NDArray[np.int64], value: NDArray[np.float64],
    quality: NDArray[np.uint8], fate: NDArray[np.uint8], heartbeat: int,
    keep: NDArray[np.bool_], rows: NDArray[np.void],
) -> int:  # fmt: skip
    k_ts, k_value, k_quality, minute, low, high, total, last, last_ts, count = s
    n = 0
    for m in range(len(point)):
        if fate[m] == kernel.DUPLICATE:
            continue
        i, t, v, q = point[m], ts[m], value[m], quality[m]
        other = q != k_quality[i] or (v != k_value[i] and not (np.isnan(v) and np.isnan(k_value[i])))
        if fate[m] != kernel.IN_ORDER:
            keep[m] = True
            if other and t >= k_ts[i]:
                # It stands between the last kept sample and the next one, which therefore has to be kept.
                k_quality[i] = _UNLIKE_ANY
        elif other or t - k_ts[i] >= heartbeat:
            keep[m] = True
            k_ts[i], k_value[i], k_quality[i] = t, v, q
        if q > LAST_JUDGED or np.isnan(v):
            continue
        start = t - t % MINUTE
        if start < minute[i]:
            n = _row(rows, n, i, start, v, v, v, v, t, 1)
            continue
        if start > minute[i]:
            if count[i] > 0:
                n = _row(rows, n, i, minute[i], low[i], high[i], total[i], last[i], last_ts[i], count[i])
            minute[i] = start
            low[i] = high[i] = v
            total[i] = 0.0
            count[i] = 0
            last_ts[i] = t
            last[i] = v
        low[i] = min(low[i], v)
        high[i] = max(high[i], v)
        total[i] += v
        count[i] += 1
        if t >= last_ts[i]:
            last[i], last_ts[i] = v, t
    return n


@njit(cache=True, nogil=True)
def _row(
    rows: NDArray[np.void], n: int, i: int, minute: int, low: float, high: float, total: float, last: float,
    last_ts: int, count: int,
) -> int:  # fmt: skip
    row = rows[n]
    row["point"] = i
    row["minute"] = minute
    row["low"] = low
    row["high"] = high
    row["total"] = total
    row["last"] = last
    row["last_ts"] = last_ts
    row["count"] = count
    return n + 1


def thin(
    state: Thinning, batch: SampleBatch, fate: NDArray[np.uint8], heartbeat_ms: int
) -> tuple[SampleBatch, NDArray[np.void]]:
    """What of a judged batch is stored, and the rollup rows that it completed.

    Args:
        state: changed in place.
        batch: N samples in arrival order.
        fate: what the judge made of each (``kernel.IN_ORDER …``); duplicates leave no trace.
        heartbeat_ms: an unchanged value is kept again after this time.
    """
    keep = np.zeros(len(batch), np.bool_)
    rows = np.zeros(len(batch), ROLLUP)
    n = _run(state, batch.point, batch.ts, batch.value, batch.quality, fate, heartbeat_ms, keep, rows)
    return batch.take(keep), _gathered(rows[:n])


def _gathered(rows: NDArray[np.void]) -> NDArray[np.void]:
    """Partials of one point and minute in one row: a day that is backfilled would else be a row for every sample.

    Of two that end together the later one stands, as in the store.
    """
    if len(rows) < _WORTH_GATHERING:
        return rows.copy()
    order = np.lexsort((rows["last_ts"], rows["minute"], rows["point"]))
    ordered = rows[order]
    new = np.ones(len(rows), np.bool_)
    new[1:] = (ordered["point"][1:] != ordered["point"][:-1]) | (ordered["minute"][1:] != ordered["minute"][:-1])
    first = np.flatnonzero(new)
    last = np.append(first[1:], len(rows)) - 1
    out = ordered[last]
    out["low"] = np.minimum.reduceat(ordered["low"], first)
    out["high"] = np.maximum.reduceat(ordered["high"], first)
    out["total"] = np.add.reduceat(ordered["total"], first)
    out["count"] = np.add.reduceat(ordered["count"], first)
    return out


def running(state: Thinning, point: int) -> NDArray[np.void]:
    """The rollup of the minute that is still running, 0 or 1 rows."""
    rows = np.zeros(int(state.counted[point] > 0), ROLLUP)
    for row in rows:
        for name in ROLLUP.names or ():
            row[name] = point if name == "point" else getattr(state, "counted" if name == "count" else name)[point]
    return rows

"""The dense path: many calm points in a row, judged without looking at each alone.

Most seconds of most points are calm: nothing active, no timer, a good value well inside the limits, newer than the one
before. For a run of neighbouring points of which all that holds, judging means writing the values down; the loops here
do it in a form the compiler turns into vector instructions. A run with one exception is left untouched and goes
through the exact path sample by sample, so both paths say the same (a law of the tests).

The compiled ``kernel`` contains these loops: whoever changes them touches that file too, or its old cache is used.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bits = NDArray[np.uint8]
Counts = NDArray[np.uint8] | NDArray[np.int32]
#: Of the ring, [K, P].
IntMatrix = NDArray[np.int64]
FloatMatrix = NDArray[np.float64]
BitMatrix = NDArray[np.uint8]

#: Samples looked at together: long enough to be worth it, short enough that one restless point spoils few others.
RUN = 256
#: Unsigned places: a signed one might count from the end, and the compiler would test each.
_RUN = np.uint64(RUN)
LAST_JUDGED = 2  # vocabulary.quality.LAST_JUDGED; compiled code wants a plain number


@njit(cache=True, nogil=True)
def neighbours(point: NDArray[np.uint32], m: np.uint64) -> bool:
    """Whether RUN samples from ``m`` on belong to RUN points in a row, one each."""
    first = point[m]
    strangers = np.uint32(0)
    for k in range(_RUN):
        strangers |= point[m + k] ^ np.uint32(first + np.uint32(k))
    return strangers == 0


@njit(cache=True, nogil=True)
def within(value: Floats, quality: Bits, m: np.uint64, low: Floats, high: Floats, i: np.uint64) -> bool:
    """Whether RUN samples from ``m`` on are good and strictly inside the band of points ``i`` on (no NaN is)."""
    outside = 0
    for k in range(_RUN):
        outside += not (value[m + k] > low[i + k] and value[m + k] < high[i + k])
    worst = np.uint8(0)
    for k in range(_RUN):
        worst = max(worst, quality[m + k])
    return bool(outside == 0 and worst <= LAST_JUDGED)


@njit(cache=True, nogil=True)
def newer(ts: Ints, m: np.uint64, newest: Ints, i: np.uint64) -> bool:
    """Whether each of RUN samples is newer than what is known of its point."""
    old = 0
    for k in range(_RUN):
        old += ts[m + k] <= newest[i + k]
    return old == 0


@njit(cache=True, nogil=True)
def quiet(a: Bits, b: Bits, i: np.uint64) -> bool:
    """Whether two bit sets of RUN points are all empty."""
    bits = np.uint8(0)
    for k in range(_RUN):
        bits |= a[i + k] | b[i + k]
    return bits == 0


@njit(cache=True, nogil=True)
def in_step(start: Counts, filled: Counts, i: np.uint64) -> bool:
    """Whether the rings of RUN points stand at the same place."""
    differ = start[i] ^ start[i]
    for k in range(_RUN):
        differ |= (start[i + k] ^ start[i]) | (filled[i + k] ^ filled[i])
    return differ == 0


@njit(cache=True, nogil=True)
def within_row(value: FloatMatrix, quality: BitMatrix, at: np.uint64, low: Floats, high: Floats, i: np.uint64) -> bool:
    """The same for row ``at`` of the ring."""
    outside = 0
    for k in range(i, i + _RUN):
        outside += not (value[at, k] > low[k] and value[at, k] < high[k])
    worst = np.uint8(0)
    for k in range(i, i + _RUN):
        worst = max(worst, quality[at, k])
    return bool(outside == 0 and worst <= LAST_JUDGED)


@njit(cache=True, nogil=True)
def move(value: FloatMatrix, ts: IntMatrix, at: np.uint64, held: Floats, newest: Ints, i: np.uint64) -> None:
    """Row ``at`` of the ring becomes the state of RUN points."""
    for k in range(i, i + _RUN):
        held[k] = value[at, k]
    for k in range(i, i + _RUN):
        newest[k] = ts[at, k]


@njit(cache=True, nogil=True)
def fill(count: Counts, i: np.uint64, n: int) -> None:
    """The same number for RUN points."""
    for k in range(i, i + _RUN):
        count[k] = n


@njit(cache=True, nogil=True)
def write(
    ts: Ints, value: Floats, quality: Bits, m: np.uint64, held: Floats, newest: Ints,
    r_ts: IntMatrix, r_value: FloatMatrix, r_quality: BitMatrix, at: np.uint64, i: np.uint64,
) -> None:  # fmt: skip
    """RUN samples from ``m`` on become the state of points ``i`` on, and row ``at`` of their rings."""
    for k in range(_RUN):
        held[i + k] = value[m + k]
    for k in range(_RUN):
        newest[i + k] = ts[m + k]
    for k in range(_RUN):
        r_ts[at, i + k] = ts[m + k]
    for k in range(_RUN):
        r_value[at, i + k] = value[m + k]
    for k in range(_RUN):
        r_quality[at, i + k] = quality[m + k]

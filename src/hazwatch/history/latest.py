"""The latest value of every point, from memory: the newest in event time, with its arrival and its alarm level."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from hazwatch.judge import kernel
from hazwatch.samples.batch import SampleBatch

#: "Nothing yet".
NEVER = 0


class Latest(NamedTuple):
    """P points.

    Attributes:
        ts: event time, epoch ms, 0 = never.
        value, quality: of that sample.
        received: its arrival, epoch ms.
        changed: event time since when the value is what it is.
        touched: 1 where something came since the last look.
    """

    ts: NDArray[np.int64]
    value: NDArray[np.float64]
    quality: NDArray[np.uint8]
    received: NDArray[np.int64]
    changed: NDArray[np.int64]
    touched: NDArray[np.uint8]


def fresh(points: int) -> Latest:
    """Nothing known of P points."""
    return Latest(
        np.zeros(points, np.int64),
        np.full(points, np.nan),
        np.zeros(points, np.uint8),
        np.zeros(points, np.int64),
        np.zeros(points, np.int64),
        np.zeros(points, np.uint8),
    )


def grown(state: Latest, points: int) -> Latest:
    """The same with room for more points."""
    more = fresh(points - len(state.ts))
    return Latest(*(np.concatenate([a, b]) for a, b in zip(state, more, strict=True)))


@njit(cache=True, nogil=True)
def _update(
    s: Latest, point: NDArray[np.uint32], ts: NDArray[np.int64], value: NDArray[np.float64],
    quality: NDArray[np.uint8], received: NDArray[np.int64], fate: NDArray[np.uint8],
) -> None:  # fmt: skip
    s_ts, s_value, s_quality, s_received, changed, touched = s
    for m in range(len(point)):
        i = point[m]
        if ts[m] < s_ts[i] or fate[m] == kernel.DUPLICATE:
            continue
        if value[m] != s_value[i]:
            changed[i] = ts[m]
        s_ts[i] = ts[m]
        s_value[i] = value[m]
        s_quality[i] = quality[m]
        s_received[i] = received[m]
        touched[i] = 1


def update(state: Latest, batch: SampleBatch, received: NDArray[np.int64], fate: NDArray[np.uint8]) -> None:
    """Take a judged batch in; older samples and duplicates leave no trace. Changes the state in place."""
    _update(state, batch.point, batch.ts, batch.value, batch.quality, received, fate)

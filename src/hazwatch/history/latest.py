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
#: Bits of ``touched``.
CAME, CHANGED = np.uint8(1), np.uint8(2)


class Latest(NamedTuple):
    """P points.

    Attributes:
        ts: event time, epoch ms, 0 = never.
        value, quality: of that sample.
        received: its arrival, epoch ms.
        changed: event time since when the value is what it is.
        touched: since the last look, ``CAME`` where a sample came, with ``CHANGED`` where it said something new.
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
        touched[i] |= CAME
        if value[m] != s_value[i]:
            changed[i] = ts[m]
            touched[i] |= CHANGED
        if quality[m] != s_quality[i]:
            touched[i] |= CHANGED
        s_ts[i] = ts[m]
        s_value[i] = value[m]
        s_quality[i] = quality[m]
        s_received[i] = received[m]


def update(state: Latest, batch: SampleBatch, received: NDArray[np.int64], fate: NDArray[np.uint8]) -> None:
    """Take a judged batch in; older samples and duplicates leave no trace. Changes the state in place."""
    _update(state, batch.point, batch.ts, batch.value, batch.quality, received, fate)


#: Up to so many points that something came of are told whole; beyond it those whose value did not change take turns.
_ALL_TOLD = 20_000
_TURNS = 20


def news(state: Latest, turn: int) -> NDArray[np.int64]:
    """Points to be told now, and no longer touched after it.

    What changed is told at once. Where a nation sends every value every second, unchanged ones are told only now and
    then, a twentieth of them each time, so that their age on the pages stays true to some seconds.
    """
    touched = state.touched != 0
    if int(np.count_nonzero(touched)) > _ALL_TOLD:
        touched &= (state.touched & CHANGED) != 0
        touched[turn % _TURNS :: _TURNS] |= state.touched[turn % _TURNS :: _TURNS] != 0
    told = np.flatnonzero(touched)
    state.touched[told] = 0
    return told

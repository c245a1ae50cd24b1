"""Pure: what share of each source's inputs may be used. Missing data never lowers a risk; it lowers this figure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hazwatch.vocabulary.quality import LAST_JUDGED

#: A value that arrived longer ago says nothing about now (access.md §5: a point is stale after 5 min).
YOUNG_MS = 5 * 60_000


@dataclass(frozen=True, slots=True)
class Inputs:
    """Which points feed which source, and through which gateway.

    Attributes:
        order: points sorted by source, int64[M].
        starts: where each source's points begin in ``order``, int64[S].
        counts: how many points each source has, int64[S].
        gateway: number of each point's gateway, −1 = none, int64[P].
        by_exception: True where the gateway reports changes only, bool[P]: any point of it speaks for the others.
    """

    order: NDArray[np.int64]
    starts: NDArray[np.int64]
    counts: NDArray[np.int64]
    gateway: NDArray[np.int64]
    by_exception: NDArray[np.bool_]

    @classmethod
    def of(cls, points: Sequence[Sequence[int]], gateway: NDArray[np.int64], by_exception: NDArray[np.bool_]) -> Inputs:
        """From the points of each source, in the order of the sources."""
        counts = np.array([len(p) for p in points], np.int64)
        order = np.array([i for p in points for i in p], np.int64)
        return cls(order, np.cumsum(counts) - counts, counts, gateway, by_exception)


def usable(inputs: Inputs, received: NDArray[np.int64], quality: NDArray[np.uint8], now: int) -> NDArray[np.bool_]:
    """Which points have a value that may be used now, bool[P].

    Args:
        inputs: P points.
        received: arrival of each point's newest value, epoch ms, 0 = never.
        quality: its quality code.
        now: epoch ms.
    """
    heard = received.copy()
    known = inputs.gateway >= 0
    if known.any():
        newest = np.zeros(int(inputs.gateway.max()) + 1, np.int64)
        np.maximum.at(newest, inputs.gateway[known], received[known])
        spoken = known & inputs.by_exception
        heard[spoken] = newest[inputs.gateway[spoken]]
    return (received > 0) & (heard > now - YOUNG_MS) & (quality <= LAST_JUDGED)


def shares(inputs: Inputs, good: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Share of usable points of each source, float64[S]; 0 where it has none."""
    share = np.zeros(len(inputs.counts))
    some = inputs.counts > 0
    if some.any():
        sums = np.add.reduceat(good[inputs.order].astype(np.int64), inputs.starts[some])
        share[some] = sums / inputs.counts[some]
    return share

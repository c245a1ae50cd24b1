"""What every adapter asks of a batch before it passes: numbers that are numbers, times that can be true.

Nearly every batch is in order, so that is found out in one compiled pass; only the others are taken apart.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from hazwatch.access.columns import mark_unusable
from hazwatch.access.times import EARLIEST_MS, FUTURE_MS, believable
from hazwatch.samples.batch import SampleBatch


@njit(cache=True, nogil=True)
def _in_order(ts: NDArray[np.int64], value: NDArray[np.float64], earliest: int, latest: int) -> bool:
    """Whether all N values are finite and all N times, epoch ms, lie between the two."""
    wrong = 0
    for k in range(len(ts)):
        wrong += ts[k] < earliest or ts[k] > latest
    for k in range(len(value)):
        wrong += not np.isfinite(value[k])
    return wrong == 0


def accepted(batch: SampleBatch, now: int, future_ms: int = FUTURE_MS) -> tuple[SampleBatch, str]:
    """The samples that may pass, NaN and ±Inf marked as such.

    Args:
        batch: of any times and values.
        now: arrival, epoch ms.
        future_ms: how far ahead of our clock a sample may be.

    Returns:
        The batch, and what is wrong with the samples left out (Chinese; "" when nothing is).
    """
    if _in_order(batch.ts, batch.value, EARLIEST_MS, now + future_ms):
        return batch, ""
    return believable(mark_unusable(batch), now, future_ms)


def warm_up() -> None:
    """Compile now: values of a frame lie in read-only memory, others do not, and each is a type of its own."""
    ts, value = np.zeros(1, np.int64), np.zeros(1)
    for values in (value, np.frombuffer(value.tobytes(), np.float64)):
        _in_order(ts, values, 0, 1)

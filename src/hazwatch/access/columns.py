"""Columns that grow: where a protocol hands over values one by one, they land in four flat arrays at once.

``array`` stores machine numbers, so a sample costs four stores and no Python object survives it.
"""

from __future__ import annotations

import math
from array import array

import numpy as np

from hazwatch.samples.batch import SampleBatch
from hazwatch.vocabulary.quality import Quality


class Columns:
    """Gathers samples until ``take`` makes a batch of them."""

    __slots__ = ("_point", "_quality", "_ts", "_value")

    def __init__(self) -> None:
        self._point = array("I")
        self._ts = array("q")
        self._value = array("d")
        self._quality = array("B")

    def __len__(self) -> int:
        return len(self._point)

    def add(self, point: int, ts: int, value: float, quality: int = Quality.GOOD) -> None:
        """Append one sample. NaN and ±Inf become NaN with quality NOT_A_NUMBER unless the quality is worse already.

        Args:
            point: dense index.
            ts: event time, epoch ms UTC.
            value: engineering value.
            quality: code from ``Quality``.
        """
        if not math.isfinite(value):
            value = math.nan
            quality = max(quality, Quality.NOT_A_NUMBER)
        self._point.append(point)
        self._ts.append(ts)
        self._value.append(value)
        self._quality.append(quality)

    def take(self) -> SampleBatch:
        """The gathered samples as a batch; the columns are empty afterwards."""
        batch = SampleBatch(
            np.array(self._point, np.uint32),
            np.array(self._ts, np.int64),
            np.array(self._value, np.float64),
            np.array(self._quality, np.uint8),
        )
        self.__init__()  # type: ignore[misc]  # starting afresh is exactly what is meant
        return batch


def mark_unusable(batch: SampleBatch) -> SampleBatch:
    """The batch with every NaN or ±Inf turned into NaN of quality NOT_A_NUMBER (worse codes stay)."""
    bad = ~np.isfinite(batch.value)
    if not bad.any():
        return batch
    quality = np.where(bad, np.maximum(batch.quality, np.uint8(Quality.NOT_A_NUMBER)), batch.quality)
    return SampleBatch(batch.point, batch.ts, np.where(bad, np.nan, batch.value), quality.astype(np.uint8))

"""A batch of samples as a struct of arrays. No Python object is made per sample between the socket and the store."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hazwatch.vocabulary.lanes import Lane


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a batch came from.

    Attributes:
        gateway: dense number of the gateway (0 = the node itself).
        sequence: the gateway's own running number of this batch, −1 when its protocol has none.
        received_at: arrival at access, epoch ms UTC.
        lane: live or background.
    """

    gateway: int
    sequence: int
    received_at: int
    lane: Lane = Lane.LIVE


@dataclass(frozen=True, slots=True)
class SampleBatch:
    """N samples in arrival order.

    Attributes:
        point: dense point index, uint32[N].
        ts: event time, epoch ms UTC, int64[N].
        value: float64[N]; NaN where there is no number.
        quality: ``Quality`` codes, uint8[N].
    """

    point: NDArray[np.uint32]
    ts: NDArray[np.int64]
    value: NDArray[np.float64]
    quality: NDArray[np.uint8]

    def __post_init__(self) -> None:
        n = len(self.point)
        if not (len(self.ts) == len(self.value) == len(self.quality) == n):
            raise ValueError(
                f"columns of one batch differ in length: point {n}, ts {len(self.ts)}, "
                f"value {len(self.value)}, quality {len(self.quality)}"
            )

    def __len__(self) -> int:
        return len(self.point)

    @classmethod
    def of(
        cls,
        point: Sequence[int] | NDArray[np.integer],
        ts: Sequence[int] | NDArray[np.integer],
        value: Sequence[float] | NDArray[np.floating],
        quality: Sequence[int] | NDArray[np.integer] | None = None,
    ) -> SampleBatch:
        """Build a batch from anything array-like; quality defaults to good."""
        points = np.ascontiguousarray(point, dtype=np.uint32)
        codes = np.zeros(len(points), np.uint8) if quality is None else np.ascontiguousarray(quality, dtype=np.uint8)
        return cls(
            points,
            np.ascontiguousarray(ts, dtype=np.int64),
            np.ascontiguousarray(value, dtype=np.float64),
            codes,
        )

    @classmethod
    def empty(cls) -> SampleBatch:
        """A batch of nothing."""
        return cls.of([], [], [])

    @classmethod
    def concat(cls, batches: Sequence[SampleBatch]) -> SampleBatch:
        """The batches one after the other."""
        if len(batches) == 1:
            return batches[0]
        if not batches:
            return cls.empty()
        return cls(
            np.concatenate([b.point for b in batches]),
            np.concatenate([b.ts for b in batches]),
            np.concatenate([b.value for b in batches]),
            np.concatenate([b.quality for b in batches]),
        )

    def take(self, keep: NDArray[np.bool_] | slice) -> SampleBatch:
        """The samples that a mask or slice keeps, in order."""
        return SampleBatch(self.point[keep], self.ts[keep], self.value[keep], self.quality[keep])

"""Pure: what the value itself tells about its quality.

The source's own code is kept; only what it calls good is looked at. Beyond the range by more than a tolerance is over
or under range and still takes part in alarming. *Frozen* is a suspicion that has rules by kind: a flat level in a
static tank is normal, a flat level while the tank's flow runs is a stuck gauge.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hazwatch.samples.batch import SampleBatch
from hazwatch.vocabulary.quality import Quality

#: Share of the span by which a live transmitter may leave its range (NAMUR NE 43: 3.8–20.5 mA is still a measurement).
RANGE_TOLERANCE = 0.03
#: A flow above this share of its span moves the level.
FLOWING = 0.05


@dataclass(frozen=True, slots=True)
class PointKinds:
    """What the quality rules know of P points.

    Attributes:
        low, high: measuring range, engineering units, NaN = not known, float64[P].
        flow_of: for a level, the index of the flow at the same equipment, else −1, int64[P].
        frozen_after_ms: how long a level may stand still while its flow runs.
    """

    low: NDArray[np.float64]
    high: NDArray[np.float64]
    flow_of: NDArray[np.int64]
    frozen_after_ms: int = 60_000

    @classmethod
    def unknown(cls, points: int) -> PointKinds:
        """Nothing known of P points."""
        return cls(np.full(points, np.nan), np.full(points, np.nan), np.full(points, -1, np.int64))


def examined(batch: SampleBatch, kinds: PointKinds) -> SampleBatch:
    """The batch with quality codes for what is no number or outside its range."""
    value, quality = batch.value, batch.quality
    low, high = kinds.low[batch.point], kinds.high[batch.point]
    slack = RANGE_TOLERANCE * (high - low)
    finite = np.isfinite(value)
    good = quality == Quality.GOOD
    over = good & (value > high + slack)
    under = good & (value < low - slack)
    if finite.all() and not over.any() and not under.any():
        return batch
    codes = quality.copy()
    codes[over] = Quality.OVER_RANGE
    codes[under] = Quality.UNDER_RANGE
    codes[~finite & (codes <= Quality.UNDER_RANGE)] = Quality.NOT_A_NUMBER
    return SampleBatch(batch.point, batch.ts, np.where(finite, value, np.nan), codes)


def frozen(
    kinds: PointKinds,
    value: NDArray[np.float64],
    quality: NDArray[np.uint8],
    ts: NDArray[np.int64],
    changed: NDArray[np.int64],
) -> NDArray[np.bool_]:
    """Which points stand still though they should move.

    Args:
        kinds: ranges and neighbours, P points.
        value, quality, ts: latest of every point.
        changed: event time of the last change of value.
    """
    n = len(kinds.low)
    flow = kinds.flow_of
    has = flow >= 0
    at = np.where(has, flow, 0)
    span = (kinds.high - kinds.low)[at]
    with np.errstate(invalid="ignore"):
        running = (np.abs(value[:n][at]) > FLOWING * span) & (quality[:n][at] == Quality.GOOD)
    still = ts[:n] - changed[:n] >= kinds.frozen_after_ms
    found: NDArray[np.bool_] = has & running & still & (quality[:n] == Quality.GOOD)
    return found

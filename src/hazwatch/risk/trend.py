"""Pure: which points move towards a limit, from a window of their recent values."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hazwatch.risk.model import Approach
from hazwatch.vocabulary.levels import Level

#: Values kept per point; one every ``STEP_MS``, so the window is 10 minutes.
KEPT = 20
STEP_MS = 30_000
#: A drift below this share of the span over the window is noise.
_NOISE = 0.02
_FEWEST = 6


class Window:
    """The last values of P points, one every 30 s of event time."""

    def __init__(self, points: int) -> None:
        self._values = np.full((KEPT, points), np.nan)
        self._ts = np.zeros(KEPT, np.int64)
        self._filled = 0

    @property
    def due(self) -> int:
        """Event time from which the next value is wanted."""
        return int(self._ts[-1]) + STEP_MS if self._filled else 0

    def add(self, ts: int, value: NDArray[np.float64]) -> None:
        """Take the values of all points at one moment; NaN where there is none that counts."""
        points = len(value)
        if points > self._values.shape[1]:
            more = np.full((KEPT, points - self._values.shape[1]), np.nan)
            self._values = np.concatenate([self._values, more], axis=1)
        self._values[:-1] = self._values[1:]
        self._ts[:-1] = self._ts[1:]
        self._values[-1] = value
        self._ts[-1] = ts
        self._filled = min(KEPT, self._filled + 1)

    def approaches(
        self, threshold: NDArray[np.float64], span: NDArray[np.float64], horizon_min: float
    ) -> dict[int, tuple[float, Level]]:
        """Points that reach a limit within the horizon: index → (minutes, level).

        τ = (limit − v) / slope with the Theil–Sen slope (median over all pairs) of the window.

        Args:
            threshold: LL L H HH, NaN = none, float64[P, 4].
            span: measuring range, float64[P].
            horizon_min: minutes that count.
        """
        n = self._filled
        points = min(len(threshold), self._values.shape[1])
        if n < _FEWEST or points == 0:
            return {}
        values = self._values[-n:, :points]
        minutes = (self._ts[-n:] - self._ts[-1]) / 60_000
        i, j = np.triu_indices(n, 1)
        with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
            slopes = (values[j] - values[i]) / (minutes[j] - minutes[i])[:, None]
        slope = np.full(points, np.nan)
        whole = ~np.isnan(values).any(axis=0)
        slope[whole] = np.median(slopes[:, whole], axis=0)
        moved = np.abs(slope) * -minutes[0] > _NOISE * span[:points]
        now = values[-1]
        found: dict[int, tuple[float, Level]] = {}
        for column, level in ((3, Level.HH), (2, Level.H), (0, Level.LL), (1, Level.L)):
            with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
                tau = (threshold[:points, column] - now) / slope
            for k in np.flatnonzero(moved & (tau > 0) & (tau < horizon_min)).tolist():
                if k not in found or tau[k] < found[k][0]:
                    found[k] = (float(tau[k]), level)
        return found


def named(found: dict[int, tuple[float, Level]], names: dict[int, str], points: list[int]) -> list[Approach]:
    """The approaches of some points, with their names."""
    return [Approach(names[p], *found[p]) for p in points if p in found]

"""Pure: which points move towards a limit, from a window of their recent values."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from hazwatch.vocabulary.levels import Level

#: Values kept per point; one every ``STEP_MS``, so the window is 10 minutes.
KEPT = 20
STEP_MS = 30_000
#: A drift below this share of the span over the window is noise.
_NOISE = 0.02
_FEWEST = 6
_MEDIAN = 3


@njit(cache=True, nogil=True)
def _slopes(
    values: NDArray[np.float32], minutes: NDArray[np.float64], order: NDArray[np.int64], noise: NDArray[np.float64],
    out: NDArray[np.float64], now: NDArray[np.float64],
) -> None:  # fmt: skip
    """Theil–Sen slope of each point that moves by more than its noise over the window, else NaN; and where its line is.

    The line goes through the median of what the slope leaves over: one wild last sample does not move it.

    The median of the pairwise slopes cannot exceed four times the range over the length of the window (at least 55 %
    of all pairs lie so far apart), so most points are done after one look at their range.
    """
    n = len(order)
    pairs, rest = np.empty(n * (n - 1) // 2), np.empty(n)
    length = minutes[order[n - 1]] - minutes[order[0]]
    for i in range(len(out)):
        low, high = np.inf, -np.inf
        whole = True
        for k in range(n):
            v = values[i, order[k]]
            whole = whole and v == v  # noqa: PLR0124  # not NaN
            low, high = min(low, v), max(high, v)
        if not whole or not 4.0 * (high - low) > noise[i]:
            continue
        m = 0
        for a in range(n):
            for b in range(a + 1, n):
                dv = np.float64(values[i, order[b]]) - np.float64(values[i, order[a]])
                pairs[m] = dv / (minutes[order[b]] - minutes[order[a]])
                m += 1
        slope = np.median(pairs)
        if abs(slope) * length > noise[i]:
            out[i] = slope
            for k in range(n):
                rest[k] = values[i, order[k]] - slope * (minutes[order[k]] - minutes[order[n - 1]])
            now[i] = np.median(rest)


class Window:
    """The last values of P points, one every 30 s of event time."""

    def __init__(self, points: int) -> None:
        self._values = np.full((points, KEPT), np.nan, np.float32)
        self._ts = np.zeros(KEPT, np.int64)
        self._next = 0
        self._filled = 0

    @property
    def due(self) -> int:
        """Event time from which the next value is wanted."""
        return int(self._ts[self._next - 1]) + STEP_MS if self._filled else 0

    def add(self, ts: int, value: NDArray[np.float64]) -> None:
        """Take the values of all points at one moment; NaN where there is none that counts."""
        points = len(value)
        if points > len(self._values):
            more = np.full((points - len(self._values), KEPT), np.nan, np.float32)
            self._values = np.concatenate([self._values, more])
        self._values[:, self._next] = np.nan
        self._values[:points, self._next] = value
        self._ts[self._next] = ts
        self._next = (self._next + 1) % KEPT
        self._filled = min(KEPT, self._filled + 1)

    def recent(self, points: int) -> NDArray[np.float64]:
        """Median of the last three values of each point: one wild sample does not move it; NaN where one is missing."""
        if self._filled < _MEDIAN:
            return np.full(points, np.nan)
        out = np.full(points, np.nan)
        n = min(points, len(self._values))
        a, b, c = (self._values[:n, (self._next - 1 - k) % KEPT] for k in range(_MEDIAN))
        out[:n] = np.maximum(np.minimum(a, b), np.minimum(np.maximum(a, b), c))  # a NaN among them stays one
        return out

    def approaches(
        self, threshold: NDArray[np.float64], span: NDArray[np.float64], horizon_min: float
    ) -> dict[int, tuple[float, Level]]:
        """Points that reach a limit within the horizon: index → (minutes, level).

        τ = (limit − v) / slope with the Theil–Sen slope (median over all pairs) of the window, v on its line.

        Args:
            threshold: LL L H HH, NaN = none, float64[P, 4].
            span: measuring range, float64[P].
            horizon_min: minutes that count.
        """
        n = self._filled
        points = min(len(threshold), len(self._values), len(span))
        if n < _FEWEST or points == 0:
            return {}
        order = (self._next - n + np.arange(n)) % KEPT
        minutes = (self._ts - self._ts[order[-1]]) / 60_000
        slope, line = np.full(points, np.nan), np.full(points, np.nan)
        _slopes(self._values[:points], minutes, order, _NOISE * span[:points], slope, line)
        moving = np.flatnonzero(~np.isnan(slope))
        now = line[moving]
        found: dict[int, tuple[float, Level]] = {}
        for column, level in ((3, Level.HH), (2, Level.H), (0, Level.LL), (1, Level.L)):
            with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
                tau = (threshold[moving, column] - now) / slope[moving]
            near = (tau > 0) & (tau < horizon_min)
            for k, minutes_left in zip(moving[near].tolist(), tau[near].tolist(), strict=True):
                if k not in found or minutes_left < found[k][0]:
                    found[k] = (minutes_left, level)
        return found

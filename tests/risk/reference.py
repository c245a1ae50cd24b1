"""Obviously right, and slow: what the fast code is compared with."""

from __future__ import annotations

from collections.abc import Sequence


def slope_per_minute(minutes: Sequence[float], values: Sequence[float]) -> float:
    """Theil–Sen slope: the median of the slopes of all pairs. 0 with fewer than two different times."""
    slopes = sorted(
        (values[j] - values[i]) / (minutes[j] - minutes[i])
        for i in range(len(minutes))
        for j in range(i + 1, len(minutes))
        if minutes[j] != minutes[i]
    )
    if not slopes:
        return 0.0
    middle = len(slopes) // 2
    return slopes[middle] if len(slopes) % 2 else (slopes[middle - 1] + slopes[middle]) / 2

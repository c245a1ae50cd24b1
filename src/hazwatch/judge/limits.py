"""Limits of all points as arrays: what the judge compares with, one version at a time."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of P points, by dense index (design/alarms §2).

    Attributes:
        version: running number of the set.
        threshold: 低低 低 高 高高 in engineering units, NaN = none, float64[P, 4].
        deadband: for leaving only, engineering units, float64[P].
        on_delay_ms, off_delay_ms: int64[P].
    """

    version: int
    threshold: NDArray[np.float64]
    deadband: NDArray[np.float64]
    on_delay_ms: NDArray[np.int64]
    off_delay_ms: NDArray[np.int64]
    _band: list[tuple[NDArray[np.float64], NDArray[np.float64]]] = field(
        default_factory=list, repr=False, compare=False
    )

    def __len__(self) -> int:
        return len(self.deadband)

    def band(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The calm band (low, high) of every point: strictly between them no threshold is met; ∓inf where none is.

        From the first call on the thresholds can no longer be written: a band that is not theirs would hide alarms.
        """
        if not self._band:
            self.threshold.flags.writeable = False
            low = np.fmax(self.threshold[:, 0], self.threshold[:, 1])
            high = np.fmin(self.threshold[:, 2], self.threshold[:, 3])
            low, high = np.where(np.isnan(low), -np.inf, low), np.where(np.isnan(high), np.inf, high)
            self._band.append((low, high))
        return self._band[0]

    @classmethod
    def none(cls, points: int, version: int = 0) -> Limits:
        """No limits at all for P points."""
        return cls(
            version,
            np.full((points, 4), np.nan),
            np.zeros(points),
            np.zeros(points, np.int64),
            np.zeros(points, np.int64),
        )

    def changed(self, new: Limits) -> NDArray[np.intp]:
        """Indices of points whose limits differ in ``new`` (which may know more points)."""
        n = min(len(self), len(new))
        same = np.all(
            (self.threshold[:n] == new.threshold[:n]) | (np.isnan(self.threshold[:n]) & np.isnan(new.threshold[:n])),
            axis=1,
        )
        same &= self.deadband[:n] == new.deadband[:n]
        same &= self.on_delay_ms[:n] == new.on_delay_ms[:n]
        same &= self.off_delay_ms[:n] == new.off_delay_ms[:n]
        return np.concatenate([np.flatnonzero(~same), np.arange(n, len(new))])

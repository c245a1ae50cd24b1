"""Pure: heat balance of a cooled unit: the heat that the coolant takes away against what the temperatures drive.

Heat removed is flow × (outlet − inlet) of the coolant; what drives it is the unit's temperature above the mean coolant.
Their ratio, the apparent heat transfer, stands still in normal operation whatever the load is. Its logarithm is
averaged over an interval, compared with a reference period of the unit, divided by the spread that such averages had
there, and summed on both sides (Page's CUSUM). Less than expected is fouling, a failing pump, a meter that reads low;
more is warmer coolant than assumed, a valve that is further open than the unit needs, a meter that reads high.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class HeatRules:
    """Figures of the detection; ours. ``least_sd``: an average is never trusted better than this, as a logarithm."""

    interval_s: float = 300.0
    allowance: float = 1.0
    threshold: float = 12.0
    least_sd: float = 0.01
    fewest_intervals: int = 24


@dataclass(frozen=True, slots=True)
class Reference:
    """Normal operation: the mean of the logarithm, and the spread of its averages over an interval."""

    mean: float
    sd: float


@dataclass(frozen=True, slots=True)
class HeatVerdict:
    """What one interval led to: the larger CUSUM by its threshold, and how far off the interval was, a share."""

    ratio: float
    off: float


def transfer(flow: float, inlet: float, outlet: float, temperature: float) -> float | None:
    """Logarithm of the apparent heat transfer; None where nothing flows or nothing is cooled.

    Args:
        flow: of the coolant, in any one unit. inlet, outlet: of it, ℃. temperature: of the unit, ℃.
    """
    taken, driving = flow * (outlet - inlet), temperature - (inlet + outlet) / 2
    if not (math.isfinite(taken) and math.isfinite(driving) and taken > 0 and driving > 0):
        return None
    return math.log(taken / driving)


def reference_of(at_s: NDArray[np.float64], value: NDArray[np.float64], rules: HeatRules) -> Reference | None:
    """Normal operation from a period; None where it is too short.

    Args:
        at_s: seconds, rising, float64[N]. value: logarithms, NaN = none, float64[N].
        rules: figures.
    """
    good = np.isfinite(value)
    number = np.floor(at_s[good] / rules.interval_s).astype(np.int64)
    _, place = np.unique(number, return_inverse=True)
    if not len(place) or place[-1] + 1 < rules.fewest_intervals:
        return None
    means = np.bincount(place, value[good]) / np.bincount(place)
    middle = float(np.median(means))
    spread = float(1.4826 * np.median(np.abs(means - middle)))
    return Reference(middle, max(spread, rules.least_sd))


@dataclass(slots=True)
class HeatBalance:
    """A unit and its sums. ``up`` and ``down`` are the CUSUMs of more and of less heat than expected."""

    reference: Reference
    rules: HeatRules = HeatRules()
    begun: int | None = None
    total: float = 0.0
    count: int = 0
    up: float = 0.0
    down: float = 0.0

    def look(self, at: int, value: float | None) -> HeatVerdict | None:
        """Take one look; a verdict when an interval is over and something was seen in it.

        What is missing changes no sum: a unit that nobody sees gets no calmer.

        Args:
            at: epoch ms, rising. value: as of ``transfer``.
        """
        if self.begun is None:
            self.begun = at
        if value is not None:
            self.total += value
            self.count += 1
        if (at - self.begun) / 1000.0 < self.rules.interval_s:
            return None
        count, total = self.count, self.total
        self.begun, self.total, self.count = at, 0.0, 0
        if not count:
            return None
        off = total / count - self.reference.mean
        z = off / self.reference.sd
        self.up = max(0.0, self.up + z - self.rules.allowance)
        self.down = max(0.0, self.down - z - self.rules.allowance)
        # A fault that lasted for days must not take days to be over.
        self.up, self.down = (min(one, 4 * self.rules.threshold) for one in (self.up, self.down))
        return HeatVerdict(max(self.up, self.down) / self.rules.threshold, math.expm1(off))

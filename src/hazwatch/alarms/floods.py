"""Pure: alarm rate in a sliding window, and alarm floods (design/alarms §4; ISA-18.2, IEC 62682).

The rate at a moment t is N(t) = activations in the half-open window (t − 10 min, t]. It changes only when an activation
enters (at its own time) and when it leaves (ten minutes later), so every figure here is exact: there is no grid.

A **flood** starts at the first moment at which N(t) > 10, which is the time of the eleventh activation within ten
minutes, and ends at the first moment after that at which N(t) < 5, which is ten minutes after an activation.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hazwatch.vocabulary.moments import MINUTE

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class FloodRule:
    """More than ``above`` in ``window_ms`` begins a flood, fewer than ``below`` ends it."""

    above: int = 10
    below: int = 5
    window_ms: int = 10 * MINUTE


STANDARD = FloodRule()


@dataclass(frozen=True, slots=True)
class Rate:
    """N(t) as a staircase: from ``at[k]`` until ``at[k + 1]`` it is ``count[k]``; 0 before and after."""

    at: Ints
    count: Ints

    def share_above(self, most: int, start: int, end: int) -> float:
        """Share of the time from ``start`` to ``end`` during which N(t) > ``most``."""
        if end <= start or len(self.at) == 0:
            return 0.0
        edges = np.clip(np.append(self.at, max(int(self.at[-1]), end)), start, end)
        return float(np.diff(edges)[self.count > most].sum() / (end - start))

    def peak(self, start: int, end: int) -> tuple[int, int | None]:
        """The highest N(t) from ``start`` to ``end`` and the first moment at which it was reached."""
        inside = np.flatnonzero((self.at >= start) & (self.at < end))
        if not len(inside):
            return 0, None
        best = inside[int(np.argmax(self.count[inside]))]
        return int(self.count[best]), int(self.at[best])


@dataclass(frozen=True, slots=True)
class Floods:
    """F floods: ``start``, ``end`` (epoch ms), activations including those that led to it, and the highest rate."""

    start: Ints
    end: Ints
    activations: Ints
    peak: Ints

    def __len__(self) -> int:
        return len(self.start)


def rate(times: Ints, window_ms: int = STANDARD.window_ms) -> Rate:
    """N(t) of activations at ``times`` (epoch ms, ascending)."""
    # Both halves are sorted already, so a merging sort is nearly free; np.unique would hash.
    at = np.sort(np.concatenate([times, times + window_ms]), kind="stable")
    at = at[np.diff(at, prepend=at[:1] - 1) > 0]
    count = np.searchsorted(times, at, "right") - np.searchsorted(times, at - window_ms, "right")
    return Rate(at, count.astype(np.int64))


def floods(times: Ints, rule: FloodRule = STANDARD, staircase: Rate | None = None) -> Floods:
    """All floods of activations at ``times`` (epoch ms, ascending); ``staircase`` is their rate where it is known.

    The last flood has an end too: the moment at which it is over if nothing else comes.
    """
    found = rate(times, rule.window_ms) if staircase is None else staircase
    mark = np.where(found.count > rule.above, 1, np.where(found.count < rule.below, 0, -1))
    # Between the two bounds the state is what it was: the last mark that said something holds.
    last = np.maximum.accumulate(np.where(mark >= 0, np.arange(len(mark)), -1)) if len(mark) else mark
    state = np.where(last >= 0, mark[last], 0) if len(mark) else mark
    edge = np.diff(state, prepend=0)
    begins, ends = np.flatnonzero(edge > 0), np.flatnonzero(edge < 0)
    start, end = found.at[begins], found.at[ends]
    lead = np.searchsorted(times, start - rule.window_ms, "right")
    peaks = [int(found.count[a:b].max()) for a, b in zip(begins.tolist(), ends.tolist(), strict=True)]
    return Floods(start, end, np.searchsorted(times, end, "left") - lead, np.array(peaks, np.int64))


def fixed_floods(times: Ints, start: int, end: int, rule: FloodRule = STANDARD) -> tuple[int, float]:
    """The coarser count over fixed ten-minute intervals from ``start``, as many publications give it.

    Returns:
        How many floods begin (an interval with more than ``above``), and the share of intervals from such a one until
        before one with fewer than ``below``.
    """
    if end <= start:
        return 0, 0.0
    inside = times[(times >= start) & (times <= end)]
    counts = np.bincount((inside - start) // rule.window_ms, minlength=int((end - start) // rule.window_ms) + 1)
    flooded = begun = 0
    on = False
    for count in counts.tolist():
        if not on and count > rule.above:
            on, begun = True, begun + 1
        elif on and count < rule.below:
            on = False
        flooded += on
    return begun, flooded / len(counts)

"""Pure: a period judged anew under several sets of limits side by side, by the judge itself.

Points are numbered 0 … P − 1 within a trial. Samples come in order of event time for each point; how they are cut into
batches does not matter (the judge is batch-invariant), so a month of thousands of points is fed in pieces.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hazwatch.alarms.assistant import Change
from hazwatch.alarms.journal import AlarmLog, from_levels
from hazwatch.judge.judge import Rows, judge, tick
from hazwatch.judge.limits import Limits
from hazwatch.judge.state import fresh
from hazwatch.samples.batch import SampleBatch

_FIRST_LOW, _FIRST_HIGH = 1, 2


class Trial:
    """Judges side by side. The ring is as short as it may be: what comes is in order."""

    def __init__(self, sets: Sequence[Limits]) -> None:
        self._sets = sets
        self._states = [fresh(len(limits), 1) for limits in sets]
        self._rows: list[list[Rows]] = [[] for _ in sets]
        self.samples = 0

    def feed(self, batch: SampleBatch) -> None:
        """The next samples."""
        self.samples += len(batch)
        for limits, state, rows in zip(self._sets, self._states, self._rows, strict=True):
            found = judge(state, limits, batch).rows
            if len(found):
                rows.append(found)

    def logs(self, until: int, names: Sequence[str]) -> list[AlarmLog]:
        """What each set led to, after time has passed up to ``until``; ``names`` are the tags of the points."""
        logs = []
        for limits, state, rows in zip(self._sets, self._states, self._rows, strict=True):
            last = tick(state, limits, until)
            every = np.concatenate([*rows, last]) if rows else last
            # Judged in order, so nothing was revised; by time, for the points were judged one after the other.
            every = every[np.argsort(every["event_ts"], kind="stable")]
            logs.append(
                from_levels(every["point"], every["event_ts"], every["from_level"], every["to_level"], names)
            )  # fmt: skip
        return logs


@dataclass(frozen=True, slots=True)
class Wanted:
    """A change of limits for some points; None = as it is.

    Attributes:
        points: which, bool[P].
        thresholds: new 低低 低 高 高高 by column, absent = as it is, NaN = taken away.
        deadband: engineering units; ``deadband_share``: share of the span.
        on_ms, off_ms: delays.
    """

    points: NDArray[np.bool_]
    thresholds: dict[int, float]
    deadband: float | None = None
    deadband_share: float | None = None
    on_ms: int | None = None
    off_ms: int | None = None


def changed(limits: Limits, span: NDArray[np.float64], wanted: Sequence[Wanted]) -> Limits:
    """Limits after changes, in order. ``span``: measuring range, float64[P]."""
    threshold, deadband = limits.threshold.copy(), limits.deadband.copy()
    on, off = limits.on_delay_ms.copy(), limits.off_delay_ms.copy()
    for one in wanted:
        for column, value in one.thresholds.items():
            threshold[one.points, column] = value
        if one.deadband is not None:
            deadband[one.points] = one.deadband
        if one.deadband_share is not None:
            deadband[one.points] = (span * one.deadband_share)[one.points]
        if one.on_ms is not None:
            on[one.points] = one.on_ms
        if one.off_ms is not None:
            off[one.points] = one.off_ms
    return Limits(limits.version, threshold, deadband, on, off)


def of_change(change: Change, point: int, limits: Limits, span: NDArray[np.float64]) -> Wanted:
    """What the assistant's change of a point means in limits. First set points never pass the second ones."""
    only = np.zeros(len(limits), np.bool_)
    only[point] = True
    thresholds = {}
    if change.widen is not None:
        step = change.widen * float(span[point])
        ll, low, high, hh = limits.threshold[point].tolist()
        thresholds[_FIRST_LOW] = max(low - step, ll + step) if ll == ll else low - step  # noqa: PLR0124  # not NaN
        thresholds[_FIRST_HIGH] = min(high + step, hh - step) if hh == hh else high + step  # noqa: PLR0124  # same
    return Wanted(only, thresholds, None, change.deadband, change.on_ms, change.off_ms)


def one_point(limits: Limits, point: int) -> Limits:
    """The limits of one point by itself."""
    i = slice(point, point + 1)
    return Limits(
        limits.version, limits.threshold[i], limits.deadband[i], limits.on_delay_ms[i], limits.off_delay_ms[i]
    )  # fmt: skip

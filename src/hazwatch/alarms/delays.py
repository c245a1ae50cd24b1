"""Pure: on-delay and off-delay applied to an alarm log, exactly as the judge would have applied them to the values.

An activation and its return say when a value crossed its limit and came back, and that is all that the two delays look
at. So a log with activations and returns can be replayed with other delays without the values: exact where the log was
judged without delays and deadband, and on top of what it had where it was not. A deadband or another limit cannot be
replayed this way: they need the values.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from hazwatch.alarms.journal import FOREVER, AlarmLog, Ints, spans


@njit(cache=True, nogil=True)
def _run(
    alarm: Ints, begin: Ints, end: Ints, on: Ints, off: Ints, out_alarm: Ints, out_begin: Ints, out_end: Ints,
    forever: int,
) -> int:  # fmt: skip
    """Walk the spans of each alarm; returns how many spans are left."""
    n = 0
    open_alarm = -1
    leaving = 0
    for k in range(len(alarm)):
        a = alarm[k]
        if a == open_alarm and begin[k] <= leaving:
            # Back before the off-delay was over (at the due time the value is looked at first): it never left.
            leaving = forever if end[k] >= forever else max(leaving, end[k] + off[a])
            out_end[n - 1] = leaving
            continue
        open_alarm = -1
        # The condition must have held for the whole delay; at the due time the value is looked at first.
        if on[a] > 0 and end[k] - begin[k] <= on[a]:
            continue
        leaving = forever if end[k] >= forever else end[k] + off[a]
        out_alarm[n] = a
        out_begin[n] = begin[k] + on[a]
        out_end[n] = leaving
        open_alarm = a
        n += 1
    return n


def delayed(log: AlarmLog, on_ms: NDArray[np.int64], off_ms: NDArray[np.int64]) -> AlarmLog:
    """The log as it would have been with these delays.

    Args:
        log: activations and returns; an activation of an alarm that stands already is taken for the same standing.
        on_ms, off_ms: by alarm, int64[len(log.names)].
    """
    kept = spans(log)
    alarm, begin, end = kept.alarm[kept.fresh], kept.begin[kept.fresh], kept.end[kept.fresh]
    out_alarm, out_begin, out_end = np.empty_like(alarm), np.empty_like(begin), np.empty_like(end)
    n = _run(alarm, begin, end, on_ms, off_ms, out_alarm, out_begin, out_end, FOREVER)
    over = out_end[:n] < FOREVER
    return AlarmLog.of(
        np.concatenate([out_end[:n][over], out_begin[:n]]),
        np.concatenate([out_alarm[:n][over], out_alarm[:n]]),
        np.concatenate([np.zeros(int(over.sum()), np.bool_), np.ones(n, np.bool_)]),
        log.names,
    )

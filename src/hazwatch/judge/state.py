"""What the judge remembers of every point.

Each of the four thresholds of a point is a small machine of its own: inactive or active, with at most one timer that
runs towards the other side (on-delay while inactive, off-delay while active). The level of a point is its most severe
active threshold. A timer is a due time in event time, so it is data: it survives a restart and needs no clock.

Late samples: of every point the last ``K`` samples are kept in order of event time, together with the *base*, the
judged state just before the oldest of them. A late sample is put in its place and the point is judged again from the
base; what differs from before is given out as a revision. A sample older than the base is handed back (deferred): it
needs history.

Invariants: base + ring samples, judged in order and advanced to the newest tick, equal the live state. Ring samples
have strictly rising event times. All arrays have one row a point, except the matrices of the ring.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

#: "Nothing seen yet"; far below any event time, with room to add delays.
NEVER = -(1 << 62)
#: Samples of a point that may be overtaken: seconds of jitter. What is later is judged from history, slower.
DEFAULT_RING = 8
#: Start + filled fit into a byte up to here; a larger ring (judging files) has wider counters.
_COUNTED_IN_A_BYTE = 127
#: Where the three matrices of the ring stand among all arrays (``flatten``); all others have one row a point.
_RING = (10, 11, 12)
#: Where the due times of live and base stand.
DUE = (2, 7)


class PointStates(NamedTuple):
    """Judged state of P points at one moment (live, or base).

    Attributes:
        active: bit k set = threshold k is active, uint8[P].
        timing: bit k set = the timer of threshold k runs, uint8[P].
        due: event time at which the timer fires, int64[P, 4]; says nothing where no timer runs.
        held: last usable value (NaN before the first), float64[P].
        ts: event time of the newest sample, int64[P].
    """

    active: NDArray[np.uint8]
    timing: NDArray[np.uint8]
    due: NDArray[np.int64]
    held: NDArray[np.float64]
    ts: NDArray[np.int64]


class Ring(NamedTuple):
    """The last samples of each point in order of event time, oldest first from ``start``.

    Attributes:
        ts, value, quality: [K, P]: what came at one time lies side by side, so a batch in order of points is one run.
        start, filled: uint8[P], int32[P] where K is beyond 127.
    """

    ts: NDArray[np.int64]
    value: NDArray[np.float64]
    quality: NDArray[np.uint8]
    start: NDArray[np.uint8] | NDArray[np.int32]
    filled: NDArray[np.uint8] | NDArray[np.int32]


class JudgeState(NamedTuple):
    """Everything the judge remembers.

    Attributes:
        live: state after all samples and ticks so far.
        base: state before the oldest sample of the ring.
        ring: recent samples.
        ticked: 1 where a tick fired a timer after the newest sample, uint8[P].
        clock: the newest tick, int64[1].
    """

    live: PointStates
    base: PointStates
    ring: Ring
    ticked: NDArray[np.uint8]
    clock: NDArray[np.int64]


def _points(n: int) -> PointStates:
    return PointStates(
        np.zeros(n, np.uint8),
        np.zeros(n, np.uint8),
        np.zeros((n, 4), np.int64),  # most points never have a timer: pages nobody writes to take no memory
        np.full(n, np.nan),
        np.full(n, NEVER, np.int64),
    )


def fresh(points: int, ring: int = DEFAULT_RING) -> JudgeState:
    """The state of P points that nothing is known of, with room for ``ring`` recent samples of each."""
    small = ring <= _COUNTED_IN_A_BYTE
    return JudgeState(
        _points(points),
        _points(points),
        Ring(
            np.zeros((ring, points), np.int64),
            np.zeros((ring, points)),
            np.zeros((ring, points), np.uint8),
            np.zeros(points, np.uint8) if small else np.zeros(points, np.int32),
            np.zeros(points, np.uint8) if small else np.zeros(points, np.int32),
        ),
        np.zeros(points, np.uint8),
        np.full(1, NEVER, np.int64),
    )


def points_in(state: JudgeState) -> int:
    """How many points the state holds."""
    return len(state.ticked)


def grown(state: JudgeState, points: int) -> JudgeState:
    """The same state with room for more points; the new ones are fresh."""
    extra = points - points_in(state)
    if extra <= 0:
        return state
    more = fresh(extra, state.ring.ts.shape[0])
    pairs = zip(flatten(state)[:-1], flatten(more)[:-1], strict=True)
    # The last axis of the ring counts points, the first of everything else.
    joined = [np.concatenate(pair, axis=1 if k in _RING else 0) for k, pair in enumerate(pairs)]
    return unflatten([*joined, state.clock])


def flatten(state: JudgeState) -> list[NDArray[np.generic]]:
    """All arrays of the state in a fixed order; ``clock`` is the last."""
    return [*state.live, *state.base, *state.ring, state.ticked, state.clock]


def unflatten(arrays: list[NDArray[np.generic]]) -> JudgeState:
    """Inverse of ``flatten``."""
    a: list[NDArray[np.generic]] = list(arrays)
    return JudgeState(
        PointStates(*a[0:5]),  # type: ignore[arg-type]  # the order of flatten() fixes the dtypes
        PointStates(*a[5:10]),  # type: ignore[arg-type]  # same
        Ring(*a[10:15]),  # type: ignore[arg-type]  # same
        a[15],  # type: ignore[arg-type]  # same
        a[16],  # type: ignore[arg-type]  # same
    )


def take_over(to: JudgeState, state: JudgeState) -> None:
    """Make one state the same as another of its size; of due times only those of timers that run are looked at."""
    for k, (there, here) in enumerate(zip(flatten(to), flatten(state), strict=True)):
        if k not in DUE:
            np.copyto(there, here)
    for theirs, ours in ((to.live, state.live), (to.base, state.base)):
        running = np.flatnonzero(ours.timing)
        theirs.due[running] = ours.due[running]


def copied(state: JudgeState) -> JudgeState:
    """A deep copy, for a checkpoint."""
    copy = fresh(points_in(state), len(state.ring.ts))
    take_over(copy, state)
    return copy

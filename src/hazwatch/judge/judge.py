"""Judging batches: the pure function around the compiled loop.

The arrays of the state are changed in place (copying tens of megabytes a batch would be the whole budget); whoever
needs the old state takes a copy first (``state.copied``). Nothing else is remembered here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hazwatch.judge import kernel
from hazwatch.judge.limits import Limits
from hazwatch.judge.state import NEVER, JudgeState, PointStates, Ring, fresh
from hazwatch.samples.batch import SampleBatch

#: Rows of the output: see ``kernel.ROW``. A REVISION row says "what was said of this point after event_ts is void".
Rows = NDArray[np.void]
#: Called with the position of a deferred sample; the callee judges its point from history and returns those rows.
OnDeferred = Callable[[int], Rows]

_OUTPUT_ROWS = 4096
#: Samples of a live point that are on their way when its limits change are at most so old: gateways gather up to 30 s.
_IN_FLIGHT_MS = 30_000


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a batch led to.

    Attributes:
        rows: transitions and revisions in the order in which they were found.
        fate: what became of each sample (``kernel.IN_ORDER LATE DUPLICATE OLDER``), uint8[N]. Samples that are
            OLDER than memory were not judged, unless ``on_deferred`` did it; they need history.
        followers: for each late sample the one that follows it in memory. Storing on change leaves out what equals
            its predecessor; a late sample with another value becomes that predecessor, so its follower is stored too.
    """

    rows: Rows
    fate: NDArray[np.uint8]
    followers: SampleBatch


def _columns(limits: Limits) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64], NDArray[np.int64]]:
    # Read-only from here on (see ``band``), always: to the compiler that is a type of its own.
    limits.band()
    return limits.threshold, limits.deadband, limits.on_delay_ms, limits.off_delay_ms


def _scratch(state: JudgeState) -> tuple[PointStates, Rows, Rows]:
    rows = 5 * (state.ring.ts.shape[0] + 2)
    return fresh(1).live, np.zeros(rows, kernel.ROW), np.zeros(rows, kernel.ROW)


def judge(
    state: JudgeState, limits: Limits, batch: SampleBatch, on_deferred: OnDeferred | None = None, *, dense: bool = True
) -> Verdict:
    """Judge N samples in arrival order (design/alarms §1).

    Args:
        state: of at least as many points as the batch names; changed in place.
        limits: the version in force, of as many points as the state.
        batch: N samples; bad quality holds the state.
        on_deferred: judges a sample that is older than memory at once (files); without it the sample is only listed.
        dense: runs of calm neighbours may be taken together (``judge/dense.py``); the outcome is the same without.

    Raises:
        IndexError: a point index that the state does not hold.
    """
    if len(batch) and int(batch.point.max()) >= len(limits):
        raise IndexError(
            f"point index {int(batch.point.max())} in a batch, but limits are known for {len(limits)} points"
        )
    work, old, new = _scratch(state)
    out = np.zeros(_OUTPUT_ROWS + len(new), kernel.ROW)
    columns = _columns(limits)
    low, high = limits.band()
    found: list[Rows] = []
    fate = np.zeros(len(batch), np.uint8)
    follow, follows = np.zeros(len(batch), kernel.FOLLOWER), np.zeros(1, np.int64)
    at = 0
    while True:
        at, n, why = kernel.run(
            state,
            batch.point,
            batch.ts,
            batch.value,
            batch.quality,
            at,
            columns,
            work,
            old,
            new,
            out,
            fate,
            follow,
            follows,
            on_deferred is not None,
            low if dense else low[:0],
            high,
        )
        if n:
            found.append(out[:n].copy())
        if why == kernel.DONE:
            break
        if why == kernel.DEFERRED and on_deferred is not None:
            found.append(on_deferred(at))
            at += 1
    near = follow[: int(follows[0])]
    followers = SampleBatch.of(near["point"], near["ts"], near["value"], near["quality"])
    return Verdict(np.concatenate(found) if found else out[:0].copy(), fate, followers)


def narrowed(state: JudgeState, limits: Limits, ring: int) -> JudgeState:
    """The same state with room for ``ring`` samples a point: the oldest move into the base, as newer ones would do it.

    Args:
        state: loses its samples; not to be used any more.
        limits: the version in force.
        ring: samples that stay, at most as many as there is room for now.
    """
    kernel.keep_newest(state, ring, _columns(limits), _scratch(state)[2])
    old = state.ring
    points = np.arange(old.ts.shape[1])
    places = [(old.start + np.int64(n)) % old.ts.shape[0] for n in range(ring)]
    ts, value, quality = (np.stack([a[at, points] for at in places]) for a in (old.ts, old.value, old.quality))
    kept = Ring(ts, value, quality, np.zeros_like(old.start), old.filled)
    return state._replace(ring=kept)


def tick(state: JudgeState, limits: Limits, until: int) -> Rows:
    """Let event time pass up to ``until`` (epoch ms): timers that are due fire."""
    out = np.zeros(_OUTPUT_ROWS, kernel.ROW)
    threshold = _columns(limits)[0]
    found: list[Rows] = []
    at = 0
    while at < len(limits):
        at, n = kernel.tick(state, until, at, threshold, out)
        if n:
            found.append(out[:n].copy())
    return np.concatenate(found) if found else out[:0].copy()


def relimit(state: JudgeState, old: Limits, new: Limits, at: int) -> Rows:
    """Put a new version of limits in force at event time ``at`` and judge the held values at once.

    The memory of changed points is closed (base = live): what was judged under the old limits stays as it is. For a
    point that is live the new limits hold from its newest sample on, not from ``at``: samples that are on their way
    would otherwise be older than memory, and judging them from history would put the new limits on the past.
    """
    changed = old.changed(new)
    changed = changed[changed < len(old)]
    # A point that never had a sample has no past to close: whatever comes first is judged under the new limits.
    changed = changed[state.live.ts[changed] != NEVER]
    since = _since(state, changed, at)
    for i, moment in zip(changed.tolist(), since.tolist(), strict=True):
        # A timer that runs was started by the old limit; the held value decides anew.
        state.live.timing[i] = 0
        _close_memory(state, i, moment)
    judged = ~np.isnan(state.live.held[changed])
    known = changed[judged]
    rows = [_drop_gone(state, new, int(i), at) for i in changed]
    verdict = judge(state, new, SampleBatch.of(known.astype(np.uint32), since[judged], state.live.held[known]))
    return np.concatenate([*rows, verdict.rows]) if rows else verdict.rows


def _since(state: JudgeState, points: NDArray[np.intp], at: int) -> NDArray[np.int64]:
    """From which event time on new limits hold for some points, int64."""
    newest = state.live.ts[points]
    # Where time passed by a tick has fired a timer, what comes before that tick is late in any case.
    past = np.where(state.ticked[points] == 1, np.maximum(newest, state.clock[0]), newest)
    from_then: NDArray[np.int64] = np.where(at - newest <= _IN_FLIGHT_MS, past + 1, np.maximum(past + 1, at))
    return from_then


def _copy(to: PointStates, j: int, source: PointStates, i: int) -> None:
    """The state of one point, copied."""
    to.active[j], to.timing[j], to.due[j] = source.active[i], source.timing[i], source.due[i]
    to.held[j], to.ts[j] = source.held[i], source.ts[i]


def _close_memory(state: JudgeState, i: int, at: int) -> None:
    _copy(state.base, i, state.live, i)
    state.base.ts[i] = max(int(state.live.ts[i]), at - 1)
    state.live.ts[i] = state.base.ts[i]
    state.ring.filled[i] = 0
    state.ring.start[i] = 0


def _drop_gone(state: JudgeState, new: Limits, i: int, at: int) -> Rows:
    """An active threshold whose limit no longer exists ends now."""
    before = kernel._level.py_func(int(state.live.active[i]))  # noqa: SLF001  # one definition of "level", also here
    for k in range(4):
        if np.isnan(new.threshold[i, k]):
            state.live.active[i] &= np.uint8(~(1 << k) & 0xFF)
    after = kernel._level.py_func(int(state.live.active[i]))  # noqa: SLF001  # same
    rows = np.zeros(int(before != after), kernel.ROW)
    for row in rows:
        row["point"], row["event_ts"] = i, at
        row["from_level"], row["to_level"], row["level"] = before, after, before
        row["value"], row["limit"] = state.live.held[i], np.nan
    return rows


def from_history(
    state: JudgeState, limits: Limits, point: int, ts: NDArray[np.int64], value: NDArray[np.float64],
    quality: NDArray[np.uint8],
) -> Rows:  # fmt: skip
    """Judge one point anew from its history and put the outcome in the state.

    Args:
        state: changed in place, for this point only.
        limits: the version in force.
        point: dense index.
        ts, value, quality: all samples of the point that are older than its ring, M each, in order of event time
            (an unchanged value need not be repeated). Judged from nothing, so they should begin at a moment of calm.

    Returns:
        A REVISION from the first sample on, and every transition of the point after it, up to now.
    """
    i = point
    one = fresh(1, 1)
    single = Limits(
        limits.version, limits.threshold[i : i + 1], limits.deadband[i : i + 1],
        limits.on_delay_ms[i : i + 1], limits.off_delay_ms[i : i + 1],
    )  # fmt: skip
    rows = judge(one, single, SampleBatch.of(np.zeros(len(ts), np.uint32), ts, value, quality)).rows
    _copy(state.base, i, one.live, 0)
    work, _, out = _scratch(state)
    n = kernel.rejudge_ring(state, i, _columns(limits), work, out)
    rows = np.concatenate([np.zeros(1, kernel.ROW), rows, out[:n]])
    rows["kind"] = kernel.AMENDED
    rows["point"] = i
    rows[0]["kind"] = kernel.REVISION
    rows[0]["event_ts"] = int(ts[0]) - 1 if len(ts) else NEVER
    return rows

"""Everything the pipeline remembers, and its snapshots on disk.

A snapshot is the state after one place in the log. Start = newest whole snapshot + the log after it; what the sinks
(history, alarms) have on disk already, they skip by their own offsets.
"""

from __future__ import annotations

import io
import os
import time
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hazwatch.disk import replace_durably
from hazwatch.history import latest, thinning
from hazwatch.history.offsets import Place
from hazwatch.judge import judge as judging
from hazwatch.judge import state as judged
from hazwatch.judge.limits import Limits

#: Frames of gateways with sequence numbers that are remembered, to recognise one that comes twice.
_REMEMBERED = 200_000
_KEPT = 2
#: Of the arrays in a snapshot: 2 = the ring of the judge lies in order of time, 3 = due times only of timers that run.
_LAYOUT = 3
#: Layout from which on due times are kept of running timers only.
_SPARSE = 3
_SYNC_BYTES = 4 << 20
#: A breath after each, in which others get at the disk.
_BREATH_S = 0.005


def _one(gateway: int, sequence: int) -> int:
    return gateway << 63 | sequence


class SeenFrames:
    """Which (gateway, sequence) were taken already: a frame whose gateway got no answer comes again.

    The set answers; the ring says which is the oldest, and is what a snapshot keeps.
    """

    def __init__(self, known: NDArray[np.int64] | None = None) -> None:
        known = np.zeros((0, 2), np.int64) if known is None else known[-_REMEMBERED:]
        self._ring = np.zeros((_REMEMBERED, 2), np.int64)
        self._ring[: len(known)] = known
        self._count = len(known)
        #: One number for both, a third of the memory of a pair. Made when it is asked: a snapshot has no use for it.
        self._seen: set[int] | None = None

    def is_new(self, gateway: int, sequence: int) -> bool:
        """Note a frame; False when it was here before. Frames without a number (−1) are always new."""
        if sequence < 0:
            return True
        key = _one(gateway, sequence)
        if self._seen is None:
            self._seen = {_one(a, b) for a, b in self._ring[: self._count].tolist()}
        if key in self._seen:
            return False
        row = self._ring[self._count % len(self._ring)]
        if self._count >= len(self._ring):
            self._seen.discard(_one(int(row[0]), int(row[1])))
        row[0], row[1] = gateway, sequence
        self._seen.add(key)
        self._count += 1
        return True

    def array(self) -> NDArray[np.int64]:
        """All of them, oldest first, int64[N, 2]."""
        if self._count <= len(self._ring):
            return self._ring[: self._count].copy()
        return np.roll(self._ring, -(self._count % len(self._ring)), axis=0)


@dataclass(slots=True)
class StreamState:
    """State after ``place`` in the log.

    Attributes:
        place: last messages taken, per lane.
        limits: in force.
        judge: of all points.
        thinning: of the history sink.
        latest: values by point.
        seen: frames taken.
        owed: points that wait for a judgement from history, with the oldest event time that needs it.
    """

    place: Place
    limits: Limits
    judge: judged.JudgeState
    thinning: thinning.Thinning
    latest: latest.Latest
    seen: SeenFrames = field(default_factory=SeenFrames)
    owed: dict[int, int] = field(default_factory=dict)

    @classmethod
    def fresh(cls) -> StreamState:
        """The state of a node that has seen nothing."""
        return cls(Place(), Limits.none(0), judged.fresh(0), thinning.fresh(0), latest.fresh(0))

    @property
    def points(self) -> int:
        """How many points there is room for."""
        return len(self.limits)

    def grow(self, points: int) -> None:
        """Make room for more points."""
        if points > judged.points_in(self.judge):
            self.judge = judged.grown(self.judge, points)
            self.thinning = thinning.grown(self.thinning, points)
            self.latest = latest.grown(self.latest, points)


def copied(state: StreamState, spare: StreamState | None = None) -> StreamState:
    """A copy that stays as it is while the stream goes on. Limits are replaced, never changed, so they are shared.

    Args:
        state: to copy.
        spare: an older copy that nobody needs any more; its memory is used again (fresh memory costs ten times more).
    """
    if spare is None or spare.judge.ring.ts.shape != state.judge.ring.ts.shape:
        size = len(state.latest.ts)
        ring = state.judge.ring.ts.shape[0]
        spare = StreamState(
            Place(), state.limits, judged.fresh(judged.points_in(state.judge), ring), thinning.fresh(size),
            latest.fresh(size),
        )  # fmt: skip
    judged.take_over(spare.judge, state.judge)
    there: list[NDArray[Any]] = [*spare.thinning, *spare.latest]
    here: list[NDArray[Any]] = [*state.thinning, *state.latest]
    for to, source in zip(there, here, strict=True):
        np.copyto(to, source)
    spare.place, spare.limits, spare.owed = state.place, state.limits, dict(state.owed)
    spare.seen = SeenFrames(state.seen.array())
    return spare


class _Steady(io.FileIO):
    """A file that goes to the disk as it is written: one large sync at the end would stop everybody else's."""

    _since = 0

    def write(self, data: Any, /) -> int:
        written = super().write(data) or 0
        self._since += written
        if self._since > _SYNC_BYTES:
            self._since = 0
            os.fdatasync(self.fileno())
            time.sleep(_BREATH_S)
        return written


def save(state: StreamState, folder: Path) -> Path:
    """Write a snapshot durably and drop those before the last two."""
    folder.mkdir(parents=True, exist_ok=True)
    arrays: dict[str, np.ndarray[tuple[int, ...], np.dtype[np.generic]]] = {
        "layout": np.array([_LAYOUT]),
        "place": np.array([state.place.live, state.place.background, state.limits.version], np.int64),
        "seen": state.seen.array(),
        "owed": np.array(list(state.owed.items()), np.int64).reshape(-1, 2),
    }
    arrays |= {f"j{k}": a for k, a in enumerate(judged.flatten(state.judge)) if k not in judged.DUE}
    for k, points in zip(judged.DUE, (state.judge.live, state.judge.base), strict=True):
        running = np.flatnonzero(points.timing)
        arrays |= {f"j{k}of": running, f"j{k}": points.due[running]}
    arrays |= dict(zip(_names("t"), state.thinning, strict=False))
    arrays |= dict(zip(_names("v"), state.latest, strict=False))
    limits = state.limits
    arrays |= {
        f"l{k}": a for k, a in enumerate((limits.threshold, limits.deadband, limits.on_delay_ms, limits.off_delay_ms))
    }
    path = folder / f"{state.place.live:020d}-{state.place.background:020d}.npz"
    fresh = path.with_name(path.name + ".new")
    with _Steady(fresh, "w") as file:
        np.savez(file, **arrays)  # type: ignore[arg-type]  # the stubs take the names for options
        os.fsync(file.fileno())
    replace_durably(fresh, path)
    for old in sorted(folder.glob("*.npz"))[:-_KEPT]:
        old.unlink()
    return path


def _names(letter: str) -> list[str]:
    """Names of the arrays of one part."""
    return [f"{letter}{k}" for k in range(20)]


def load(folder: Path) -> StreamState:
    """The newest snapshot that can be read; a fresh state when there is none."""
    for path in sorted(folder.glob("*.npz"), reverse=True):
        try:
            return _read(path)
        except (ValueError, KeyError, OSError, EOFError, NotImplementedError, zipfile.BadZipFile):
            # Written durably, so this is a damaged disk: the one before it and more of the log will do.
            continue
    return StreamState.fresh()


def _judged(kept: Any, limits: Limits) -> judged.JudgeState:
    """The judge's part, with a ring as long as it is now.

    In the first layout the ring had one row a point and wider counters; up to the second all due times were there.
    """
    layout = int(kept["layout"][0]) if "layout" in kept else 1
    arrays = [kept[f"j{k}"] for k in range(17)]
    if layout == 1:
        arrays[10:13] = [np.ascontiguousarray(a.T) for a in arrays[10:13]]
        arrays[13:15] = [a.astype(np.uint8) for a in arrays[13:15]]
    if layout >= _SPARSE:
        for k in judged.DUE:
            due = np.zeros((len(arrays[0]), 4), np.int64)
            due[kept[f"j{k}of"]] = arrays[k]
            arrays[k] = due
    state = judged.unflatten(arrays)
    return judging.narrowed(state, limits, judged.DEFAULT_RING) if len(state.ring.ts) > judged.DEFAULT_RING else state


def _read(path: Path) -> StreamState:
    with np.load(path, allow_pickle=False) as kept:
        live, background, version = (int(n) for n in kept["place"])
        limits = Limits(version, kept["l0"], kept["l1"], kept["l2"], kept["l3"])
        return StreamState(
            Place(live, background),
            limits,
            _judged(kept, limits),
            thinning.Thinning(*(kept[f"t{k}"] for k in range(10))),
            latest.Latest(*(kept[f"v{k}"] for k in range(6))),
            SeenFrames(kept["seen"]),
            {int(a): int(b) for a, b in kept["owed"]},
        )

"""Everything the pipeline remembers, and its snapshots on disk.

A snapshot is the state after one place in the log. Start = newest whole snapshot + the log after it; what the sinks
(history, alarms) have on disk already, they skip by their own offsets.
"""

from __future__ import annotations

import io
import zipfile
from collections import OrderedDict
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from hazwatch.history import latest, thinning
from hazwatch.history.offsets import Place, write_durably
from hazwatch.judge import state as judged
from hazwatch.judge.limits import Limits

#: Frames of gateways with sequence numbers that are remembered, to recognise one that comes twice.
_REMEMBERED = 200_000
_KEPT = 2


class SeenFrames:
    """Which (gateway, sequence) were taken already: a frame whose gateway got no answer comes again."""

    def __init__(self, known: list[tuple[int, int]] | None = None) -> None:
        self._seen: OrderedDict[tuple[int, int], None] = OrderedDict.fromkeys(known or [])

    def is_new(self, gateway: int, sequence: int) -> bool:
        """Note a frame; False when it was here before. Frames without a number (−1) are always new."""
        if sequence < 0:
            return True
        key = (gateway, sequence)
        if key in self._seen:
            return False
        self._seen[key] = None
        if len(self._seen) > _REMEMBERED:
            self._seen.popitem(last=False)
        return True

    def array(self) -> np.ndarray[tuple[int, int], np.dtype[np.int64]]:
        """All of them, oldest first, int64[N, 2]."""
        return np.array(list(self._seen), np.int64).reshape(-1, 2)


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


def save(state: StreamState, folder: Path) -> Path:
    """Write a snapshot durably and drop those before the last two."""
    folder.mkdir(parents=True, exist_ok=True)
    arrays: dict[str, np.ndarray[tuple[int, ...], np.dtype[np.generic]]] = {
        "place": np.array([state.place.live, state.place.background, state.limits.version], np.int64),
        "seen": state.seen.array(),
        "owed": np.array(list(state.owed.items()), np.int64).reshape(-1, 2),
    }
    arrays |= {f"j{k}": a for k, a in enumerate(judged.flatten(state.judge))}
    arrays |= dict(zip(_names("t"), state.thinning, strict=False))
    arrays |= dict(zip(_names("v"), state.latest, strict=False))
    limits = state.limits
    arrays |= {
        f"l{k}": a for k, a in enumerate((limits.threshold, limits.deadband, limits.on_delay_ms, limits.off_delay_ms))
    }
    file = io.BytesIO()
    np.savez(file, **arrays)  # type: ignore[arg-type]  # the stubs take the names for options
    path = folder / f"{state.place.live:020d}-{state.place.background:020d}.npz"
    write_durably(path, file.getvalue())
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


def _read(path: Path) -> StreamState:
    with np.load(path, allow_pickle=False) as kept:
        live, background, version = (int(n) for n in kept["place"])
        limits = Limits(version, kept["l0"], kept["l1"], kept["l2"], kept["l3"])
        return StreamState(
            Place(live, background),
            limits,
            judged.unflatten([kept[f"j{k}"] for k in range(17)]),
            thinning.Thinning(*(kept[f"t{k}"] for k in range(10))),
            latest.Latest(*(kept[f"v{k}"] for k in range(6))),
            SeenFrames([(int(a), int(b)) for a, b in kept["seen"]]),
            {int(a): int(b) for a, b in kept["owed"]},
        )

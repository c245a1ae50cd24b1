"""How the engine tells the pages: packed arrays, no object per point."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:  # the pages' process needs the words of this module and not the compiler behind these
    from hazwatch.history.latest import Latest
    from hazwatch.judge.state import JudgeState

#: One point as told to the pages.
VALUE = np.dtype(
    [("point", "<u4"), ("ts", "<i8"), ("value", "<f8"), ("quality", "u1"), ("level", "i1"), ("received", "<i8")]
)


def levels(state: JudgeState, points: NDArray[np.integer]) -> NDArray[np.int8]:
    """Current level of some points: the most severe active threshold (as in the judge)."""
    active = state.live.active[points]
    level = np.zeros(len(points), np.int8)
    for bit, value in ((2, -1), (4, 1), (1, -2), (8, 2)):
        level[(active & bit) > 0] = value
    return level


def pack(latest: Latest, state: JudgeState, points: NDArray[np.integer]) -> bytes:
    """Latest values of some points."""
    rows = np.zeros(len(points), VALUE)
    rows["point"] = points
    rows["ts"] = latest.ts[points]
    rows["value"] = latest.value[points]
    rows["quality"] = latest.quality[points]
    rows["level"] = levels(state, points)
    rows["received"] = latest.received[points]
    return rows.tobytes()


def unpack(data: bytes) -> NDArray[np.void]:
    """The rows again."""
    return np.frombuffer(data, VALUE)

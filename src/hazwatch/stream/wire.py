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

SUBJECT_VALUES, SUBJECT_ALARMS, SUBJECT_GRADES, SUBJECT_BEAT, SUBJECT_LINKS = (
    "hz.live.values",
    "hz.live.alarms",
    "hz.live.grades",
    "hz.live.beat",
    "hz.live.links",
)
SUBJECT_REGISTRY = "hz.live.registry"
#: Warnings that were raised or changed; and that their rules were.
SUBJECT_WARNINGS, SUBJECT_WARNING_RULES = "hz.live.warnings", "hz.live.warningrules"
RPC_LEDGER = "hz.rpc.ledger"
RPC_WHATIF = "hz.rpc.whatif"
RPC_FORECAST = "hz.rpc.forecast"
#: Rules of suppression or ways of annunciation were changed.
SUBJECT_ALARM_ROOM = "hz.live.alarmroom"
#: Records for the risk terms were declared or withdrawn, or another configuration of the models is in force.
SUBJECT_RISK = "hz.live.risk"
RPC_VALUES, RPC_GRADES, RPC_SERIES, RPC_ALARM = (
    "hz.rpc.values",
    "hz.rpc.grades",
    "hz.rpc.series",
    "hz.rpc.alarm",
)
RPC_SCENARIOS, RPC_SCENARIO_START, RPC_SCENARIO_STOP = (
    "hz.rpc.scenarios",
    "hz.rpc.scenario.start",
    "hz.rpc.scenario.stop",
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

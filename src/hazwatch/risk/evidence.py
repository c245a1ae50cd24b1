"""Pure: from what stands at a source to the inputs of its model.

Lists become maxima, counts and sums of powers of two, so the order in which things came does not matter.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from hazwatch.risk import declared as records
from hazwatch.risk.configuration import DEFAULT, Configuration
from hazwatch.risk.declared import Declared
from hazwatch.risk.features import COLUMN, FAR, NONE, SINCE_COLUMNS, Service
from hazwatch.risk.model import COMBUSTIBLE, MINUTE_MS, TOXIC
from hazwatch.risk.objects import Asked, blank
from hazwatch.vocabulary.levels import Level
from hazwatch.vocabulary.moments import clock_text

_GAS = (TOXIC, COMBUSTIBLE)
_ASIDE = ("maintenance", "cut_off", "transfer_order")


@dataclass(frozen=True, slots=True)
class ActiveAlarm:
    """A standing process alarm as the model sees it.

    Attributes:
        point, point_name: of the alarm.
        equipment: code of its equipment (two detectors are two pieces of equipment).
        level: current level.
        kind: ``toxic``, ``combustible`` or ``other``.
        since: event time of the excursion's begin, epoch ms.
        second_since: since when the second set point stands, None when it does not.
        acknowledged: whether somebody has seen it.
        trip: it says that an interlock has acted.
        must_cut: a 高高 level or overpressure of a vessel: its inlet has to be cut off.
        cut: and the cut-off is confirmed.
    """

    point: str
    point_name: str
    equipment: str
    level: Level
    kind: str
    since: int
    second_since: int | None
    acknowledged: bool
    trip: bool = False
    must_cut: bool = False
    cut: bool = False


@dataclass(frozen=True, slots=True)
class Approach:
    """A point that moves towards a limit: name, minutes until it at the present slope, which limit."""

    point_name: str
    minutes: float
    level: Level
    point: str = ""


@dataclass(frozen=True, slots=True)
class Around:
    """All that is known of a source at a moment.

    Attributes:
        alarms, approaches: standing alarms, points that move towards a limit.
        declared: records in force.
        usable: share of its points whose value may be used; silent: how much of them is lost, drifted.
        live: other inputs by name: value and note (wind, T², stock …).
        holiday: whether today is one.
        ages: how long ago a value of ``live`` was last valid, s, where that is not now.
        elsewhere: what is in force at its place and does not concern it, with the reason.
    """

    alarms: Sequence[ActiveAlarm] = ()
    approaches: Sequence[Approach] = ()
    declared: Sequence[Declared] = ()
    usable: float = 1.0
    silent: float = 0.0
    live: Mapping[str, tuple[float, str]] = field(default_factory=dict)
    holiday: bool = False
    ages: Mapping[str, float] = field(default_factory=dict)
    elsewhere: Sequence[str] = ()


def two_detectors(a: ActiveAlarm, b: ActiveAlarm) -> bool:
    """Whether two gas alarms come from two sensors: different devices, or two points of one kind.

    A device that measures one gas as poison and as fuel has two points, but is one witness.
    """
    return a.point != b.point and (a.equipment != b.equipment or a.kind == b.kind)


def collect(
    service: Service, code: str, r: float, level: int, around: Around, now: int, k: Configuration = DEFAULT
) -> Asked:
    """The inputs of a source. What stands is kept as the moment since it stands (``minutes`` makes minutes of it)."""
    value, age = blank(service)
    notes: dict[str, str] = {}
    at = COLUMN[service.id]
    value[list(SINCE_COLUMNS[service.id])] = NONE
    value[at["r"]], value[at["level"]] = max(0.0, r), float(level)
    value[at["usable"]], value[at["silent"]] = around.usable, around.silent
    scored = [a for a in around.alarms if not records.in_maintenance(around.declared, a.point)]
    given = _alarms(scored) | _floors(around.alarms, k)
    near = [a for a in around.approaches if not records.in_maintenance(around.declared, a.point)]
    given["to_limit"] = _approach(near)
    beyond = frozenset(a.point for a in around.alarms)
    given |= records.features(around.declared, code, beyond, now, holiday=around.holiday)
    for name, (live, note) in around.live.items():
        if name not in given or live > given[name][0]:
            given[name] = (live, note)
    for name, (one, note) in given.items():
        column = at.get(name)
        if column is None:
            continue
        feature = service.features[column]
        value[column] = one if feature.since or math.isnan(one) else min(max(one, feature.low), feature.high)
        age[column] = around.ages.get(name, 0.0)
        if note:
            notes[name] = note
    # What feeds a term is told there; what takes something out of the score is told beside it.
    aside = [d for d in around.declared if d.kind in _ASIDE]
    told = [*(records.title(d.kind, d.body) for d in sorted(aside, key=lambda d: d.id)), *around.elsewhere]
    return Asked(code, value, age, notes, tuple(told))


def _alarms(alarms: Sequence[ActiveAlarm]) -> dict[str, tuple[float, str]]:
    """Since when alarms of each class stand: the longest of each."""
    oldest: dict[str, tuple[int, str, str]] = {}
    for a in alarms:
        name = "trip" if a.trip else f"{'second' if a.level.severity > 1 else 'first'}_{a.kind}"
        key = (a.since, a.point, a.point_name)
        if name not in oldest or key < oldest[name]:
            oldest[name] = key
    zh = {"trip": "联锁动作"}
    out: dict[str, tuple[float, str]] = {}
    for name, (since, point, _) in oldest.items():
        told = next(a for a in alarms if a.point == point)
        text = zh.get(name) or f"{told.level.zh}报警"
        out[name] = (float(since), f"{told.point_name}{text},始于 {clock_text(since)}")
    gas = [a for a in alarms if a.kind in _GAS]
    if any(two_detectors(a, b) for a, b in combinations(gas, 2)):
        out["gas_pair"] = (1.0, f"{len({a.point for a in gas})} 个气体检测点同时报警")
    out["alarming"] = (float(len({a.point for a in alarms})), "")
    return out


def _floors(alarms: Sequence[ActiveAlarm], k: Configuration) -> dict[str, tuple[float, str]]:
    """What feeds the direct rules only. Nothing that was declared takes an alarm out of here."""
    out: dict[str, tuple[float, str]] = {}
    second = [a for a in alarms if a.kind in _GAS and a.second_since is not None]
    window = k.floor_two_detectors_min * MINUTE_MS
    if any(
        two_detectors(a, b) and abs((a.second_since or 0) - (b.second_since or 0)) <= window
        for a, b in combinations(second, 2)
    ):
        out["gas_pair_second"] = (1.0, "")
    uncut = [a.second_since for a in alarms if a.must_cut and not a.cut and a.second_since is not None]
    if uncut:
        out["uncut"] = (float(min(uncut)), "")
    unseen = [a.second_since for a in alarms if a.second_since is not None and not a.acknowledged]
    if unseen:
        out["unseen"] = (float(min(unseen)), "")
    toxic = [a for a in second if a.kind == TOXIC]
    if toxic:
        # In maintenance it is not scored, but the direct rule holds all the same.
        out["toxic_floor"] = (1.0, "")
    return out


def _approach(approaches: Sequence[Approach]) -> tuple[float, str]:
    nearest = min(approaches, key=lambda a: (a.minutes, a.point_name), default=None)
    if nearest is None:
        return FAR, ""
    minutes = max(0.0, nearest.minutes)
    return minutes, f"{nearest.point_name}按当前趋势约 {minutes:.0f} 分钟后到达{nearest.level.zh}限"


def minutes(service: Service, value: NDArray[np.float64], now: int) -> NDArray[np.float64]:
    """The inputs as the model wants them: moments become the minutes that have passed, float64[..., F]."""
    columns = list(SINCE_COLUMNS[service.id])
    out = value.copy()
    moments = out[..., columns]
    stands = moments > NONE  # not missing, and not none
    if stands.any():
        top = np.array([service.features[n].high for n in columns])
        out[..., columns] = np.where(stands, np.clip((now - moments) / MINUTE_MS, 0.0, top), moments)
    return out


def at_moment(service: Service, asked: Sequence[Asked], now: int) -> list[Asked]:
    """The same objects with minutes in place of moments."""
    value = minutes(service, np.array([a.value for a in asked]), now)
    return [Asked(a.object, value[n], a.age, a.notes, a.declared) for n, a in enumerate(asked)]

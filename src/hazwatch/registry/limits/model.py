"""Pure: two sets of limits and what becomes of them.

The enterprise's set (edge 企业端) shapes the judgement: thresholds, deadband, delays. The regulator's set (cloud
监管端) holds thresholds only. An alarm is raised on either: what is judged is, threshold by threshold, the more
conservative of the two (the lower 高, the higher 低), and which set that was is known for every threshold.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hazwatch.registry.limits.gas import ceiling_of
from hazwatch.registry.model import DEFAULT_OFF_DELAY_S, MAX_DELAY_S, PointRow, faults_of, span_share
from hazwatch.vocabulary.quantities import QUANTITIES

THRESHOLDS = ("ll", "l", "h", "hh")
SHAPE = ("deadband", "on_delay_s", "off_delay_s")
TITLES = {
    "ll": "低低报", "l": "低报", "h": "高报", "hh": "高高报", "deadband": "死区", "on_delay_s": "报警延时 s",
    "off_delay_s": "恢复延时 s",
}  # fmt: skip
_LOW_SIDES = 2


class LimitSet(StrEnum):
    """Whose limits. The words are part of the API."""

    ENTERPRISE = "enterprise"
    REGULATOR = "regulator"

    @property
    def fields(self) -> tuple[str, ...]:
        """What the set holds."""
        return THRESHOLDS + SHAPE if self is LimitSet.ENTERPRISE else THRESHOLDS


Values = Mapping[str, float | None]


@dataclass(frozen=True, slots=True)
class Subject:
    """What a point's limits must fit: code, unit, range, and the substance at its equipment."""

    code: str
    name: str
    unit: str
    range_low: float
    range_high: float
    cas: str | None = None


def complaints(which: LimitSet, values: Values) -> Iterator[tuple[str, str]]:
    """(field, reason) of values that no limits may have. They are refused, unlike faults."""
    for name, value in values.items():
        if name not in which.fields:
            yield name, "监管限值只含低低报、低报、高报、高高报" if name in SHAPE else "没有这个字段"
        elif value is None:
            if name in SHAPE:
                yield name, f"{TITLES[name]}不能为空"
        elif not math.isfinite(value):
            yield name, f"{TITLES[name]}应为有限的数值"
        elif name == "deadband" and value < 0:
            yield name, "死区不能为负"
        elif name in ("on_delay_s", "off_delay_s") and not 0 <= value <= MAX_DELAY_S:
            yield name, "延时应在 0–86400 秒之间"


def faults(subject: Subject, values: Values) -> list[str]:
    """阈值有误: order, range, GB/T 50493 ceilings, delays of gas detectors. Listed, never silent, never refused."""
    row = PointRow(
        subject.code, subject.name, "", unit=subject.unit, range_low=subject.range_low, range_high=subject.range_high,
        ll=values.get("ll"), l=values.get("l"), h=values.get("h"), hh=values.get("hh"),
        deadband=values.get("deadband"), on_delay_s=values.get("on_delay_s"),
    )  # fmt: skip
    found = faults_of(row)
    ceiling = ceiling_of(subject.cas, subject.unit) if subject.code[17:19] == "QT" else None
    if ceiling is not None:
        for name, most, share in (("h", ceiling.first, 100), ("hh", ceiling.second, 200)):
            value = values.get(name)
            if value is not None and value > most:
                found.append(
                    f"有毒气体{ceiling.name}{TITLES[name]} {value:g} 应不大于 {share} %OEL = {most:g} {subject.unit}"
                    "(GB/T 50493;量程达不到时方可改用 IDLH)"
                )
    return found


def defaults(code: str, low: float, high: float) -> dict[str, float]:
    """Deadband and delays of a point's quantity (design/alarms §2)."""
    quantity = QUANTITIES[code[17:19]]
    return {
        "deadband": span_share(low, high, quantity.deadband_share), "on_delay_s": quantity.on_delay_s,
        "off_delay_s": 0.0 if quantity.discrete else DEFAULT_OFF_DELAY_S,
    }  # fmt: skip


def effective(enterprise: NDArray[np.float64], regulator: NDArray[np.float64]) -> NDArray[np.float64]:
    """What is judged: the more conservative of both, float64[P, 4]; NaN = not set."""
    low, high = slice(0, _LOW_SIDES), slice(_LOW_SIDES, 4)
    out = np.empty_like(enterprise)
    out[:, low] = np.fmax(enterprise[:, low], regulator[:, low])
    out[:, high] = np.fmin(enterprise[:, high], regulator[:, high])
    return out


#: Words for ``origin``.
ORIGINS = ("", LimitSet.ENTERPRISE.value, LimitSet.REGULATOR.value, "both")


def origin(enterprise: NDArray[np.float64], regulator: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Whose threshold is judged, uint8[P, 4]: bit 0 the enterprise's, bit 1 the regulator's, both where equal."""
    judged = effective(enterprise, regulator)
    bits: NDArray[np.uint8] = (enterprise == judged) * np.uint8(1) | (regulator == judged) * np.uint8(2)
    return bits


def judged(enterprise: Values, regulator: Values) -> dict[str, dict[str, Any]]:
    """One point: ``{threshold: {value, set}}`` of those that are set."""
    sets = [np.array([[_number(values.get(name)) for name in THRESHOLDS]]) for values in (enterprise, regulator)]
    value, whose = effective(*sets)[0], origin(*sets)[0]
    return {
        name: {"value": float(value[k]), "set": ORIGINS[whose[k]]}
        for k, name in enumerate(THRESHOLDS)
        if not math.isnan(value[k])
    }


def _number(value: float | None) -> float:
    return math.nan if value is None else value


@dataclass(frozen=True, slots=True)
class Item:
    """One point of a proposal: what its set holds now and what it is to hold, for the fields that change."""

    point: int
    subject: Subject
    before: dict[str, float | None]
    after: dict[str, float | None]

    def changed(self) -> Item:
        """The same with nothing but what changes."""
        keys = [key for key, value in self.after.items() if self.before.get(key) != value]
        return replace(
            self, before={key: self.before.get(key) for key in keys}, after={key: self.after[key] for key in keys}
        )

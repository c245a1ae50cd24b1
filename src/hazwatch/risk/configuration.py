"""Pure: the numbers of HW-1. None has a public source; all are this product's own, versioned, and shown.

A configuration is plain data. Its digest travels with every grade, and a grade of years ago is computed again with the
configuration of that digest.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from functools import cached_property
from typing import Any

from hazwatch.vocabulary.colours import Colour

#: No term may decide alone: w ≤ 0.95 (domain/risk.md §3).
MAX_WEIGHT = 0.95

#: Default weight w of every term.
WEIGHTS: Mapping[str, float] = {
    "A": 0.80, "T": 0.60, "Q": 0.35, "I": 0.70, "M": 0.70, "W": 0.50, "E": 0.30, "D": 0.30,
    "L": 0.40, "N": 0.30, "R": 0.30, "O": 0.40,
    "P": 0.15, "X": 0.10, "H": 0.40,
    "K": 0.50, "C": 0.50, "G": 0.25, "V": 0.25,
}  # fmt: skip

#: What x is taken to be when nothing is known of a term for long: pessimistic, never calm.
PRIORS: Mapping[str, float] = {
    "A": 0.30, "T": 0.20, "Q": 0.20, "I": 0.30, "M": 0.20, "W": 0.30, "E": 0.20, "D": 0.20,
    "L": 0.20, "N": 0.20, "R": 0.20, "O": 0.20, "P": 0.20, "X": 0.20, "H": 0.20,
    "K": 0.20, "C": 0.20, "G": 0.20, "V": 0.20,
}  # fmt: skip

#: x of one special work by kind and level (GB 30871-2022 names the kinds and levels; the figures are ours).
WORKS: Mapping[str, float] = {
    "hot_special": 0.30, "hot_first": 0.18, "hot_second": 0.08, "confined_space": 0.18, "blinding": 0.14,
    "height_high": 0.08, "height_low": 0.04, "lifting_first": 0.10, "lifting_other": 0.05, "temp_power": 0.05,
    "excavation": 0.05, "road_closure": 0.02,
}  # fmt: skip

#: Ranges of the single figures, inclusive.
_RANGES: Mapping[str, tuple[float, float]] = {
    "base": (0.0, 0.5), "base_span": (0.0, 0.5), "base_r_full": (2.0, 1e6), "first_set_point": (0.0, 1.0),
    "second_set_point": (0.0, 1.0), "interlock_trip": (0.0, 1.0), "toxic_factor": (1.0, 2.0),
    "combustible_factor": (1.0, 2.0), "half_life_min": (0.1, 1440.0), "growth": (0.0, 1.0),
    "two_detectors": (0.0, 1.0), "confirm_s": (0.0, 3600.0), "time_horizon_min": (1.0, 1440.0),
    "red": (0.0, 100.0), "orange": (0.0, 100.0), "yellow": (0.0, 100.0), "blue": (0.0, 100.0),
    "fall_margin": (0.0, 20.0), "fall_after_min": (0.0, 1440.0), "floor_two_detectors_min": (0.0, 60.0),
    "floor_unacknowledged_min": (0.0, 1440.0), "floor_cut_off_s": (0.0, 3600.0), "floor_hot_work_lel": (0.0, 100.0),
    "hold_min": (0.0, 60.0), "drift_half_life_min": (0.1, 1440.0), "unknown_below": (0.0, 1.0),
    "q_repeat_full": (1.0, 1e4), "q_count_full": (1.0, 1e4), "q_clear_full_min": (1.0, 1440.0),
    "q_longest_full_min": (1.0, 10_080.0), "commitment_missing": (0.0, 1.0), "commitment_unsafe": (0.0, 1.0),
    "trial_production": (0.0, 1.0), "start_stop": (0.0, 1.0), "danger_general": (0.0, 1.0),
    "danger_major": (0.0, 1.0), "tasks_missed": (0.0, 1.0), "interlock_removed": (0.0, 1.0),
    "weather_step": (0.0, 0.25), "wind_ms": (1.0, 60.0), "wind_x": (0.0, 1.0), "lightning_x": (0.0, 1.0),
    "heat_c": (20.0, 60.0), "heat_x": (0.0, 1.0), "towards_people_x": (0.0, 1.0), "neighbour_orange": (0.0, 1.0),
    "neighbour_red": (0.0, 1.0), "multivariate_full": (1.1, 1e6), "overstock_full": (1.01, 10.0),
    "enterprise_step": (0.0, 20.0), "park_worst": (0.0, 1.0), "park_top": (0.0, 1.0), "park_domino": (0.0, 1.0),
    "ring_m": (0.0, 5000.0),
}  # fmt: skip


@dataclass(frozen=True)
class Configuration:
    """All numbers of the model. Minutes, seconds and units stand in the names."""

    base: float = 0.05
    base_span: float = 0.25
    base_r_full: float = 401.0
    first_set_point: float = 0.4
    second_set_point: float = 0.7
    interlock_trip: float = 0.9
    toxic_factor: float = 1.25
    combustible_factor: float = 1.15
    half_life_min: float = 10.0
    growth: float = 0.25
    two_detectors: float = 0.9
    confirm_s: float = 30.0
    time_horizon_min: float = 30.0
    red: float = 80.0
    orange: float = 60.0
    yellow: float = 40.0
    blue: float = 20.0
    fall_margin: float = 5.0
    fall_after_min: float = 30.0
    floor_two_detectors_min: float = 5.0
    floor_unacknowledged_min: float = 15.0
    floor_cut_off_s: float = 30.0
    floor_hot_work_lel: float = 25.0
    hold_min: float = 5.0
    drift_half_life_min: float = 10.0
    unknown_below: float = 0.5
    q_repeat_full: float = 20.0
    q_count_full: float = 10.0
    q_clear_full_min: float = 60.0
    q_longest_full_min: float = 480.0
    commitment_missing: float = 0.3
    commitment_unsafe: float = 0.6
    trial_production: float = 0.3
    start_stop: float = 0.4
    danger_general: float = 0.1
    danger_major: float = 0.6
    tasks_missed: float = 0.3
    interlock_removed: float = 0.4
    weather_step: float = 0.2
    wind_ms: float = 13.8
    wind_x: float = 0.4
    lightning_x: float = 0.5
    heat_c: float = 37.0
    heat_x: float = 0.3
    towards_people_x: float = 0.9
    neighbour_orange: float = 0.6
    neighbour_red: float = 1.0
    multivariate_full: float = 10.0
    overstock_full: float = 1.5
    enterprise_step: float = 8.0
    park_worst: float = 0.6
    park_top: float = 0.25
    park_domino: float = 0.15
    ring_m: float = 500.0
    weights: Mapping[str, float] = field(default_factory=lambda: dict(WEIGHTS))
    priors: Mapping[str, float] = field(default_factory=lambda: dict(PRIORS))
    works: Mapping[str, float] = field(default_factory=lambda: dict(WORKS))

    def form(self) -> dict[str, Any]:
        """As plain data."""
        return asdict(self)

    def digest(self) -> str:
        """SHA-256 of the configuration, 12 hex digits."""
        return self._digest

    @cached_property
    def _digest(self) -> str:
        text = json.dumps(self.form(), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    @property
    def bounds(self) -> dict[Colour, float]:
        """From which score each colour holds."""
        return {
            Colour.RED: self.red, Colour.ORANGE: self.orange, Colour.YELLOW: self.yellow, Colour.BLUE: self.blue,
        }  # fmt: skip


DEFAULT = Configuration()
_TABLES = ("weights", "priors", "works")
_NAMES = {f.name for f in fields(Configuration)}


class ConfigurationError(ValueError):
    """What is wrong with a configuration: field → reason, in Chinese."""

    def __init__(self, wrong: Mapping[str, str]) -> None:
        super().__init__(";".join(f"{name}:{why}" for name, why in wrong.items()))
        self.wrong = dict(wrong)


def parse(body: Mapping[str, Any], base: Configuration = DEFAULT) -> Configuration:
    """A configuration from plain data; what is not given is taken from ``base``.

    Raises:
        ConfigurationError: unknown names, no numbers, figures out of range, bounds out of order.
    """
    wrong = dict(_wrong(body))
    if wrong:
        raise ConfigurationError(wrong)
    given: dict[str, Any] = {name: float(body[name]) for name in body if name not in _TABLES}
    for table in _TABLES:
        if table in body:
            given[table] = {**getattr(base, table), **{k: float(v) for k, v in body[table].items()}}
    made = replace(base, **given)
    if not made.blue < made.yellow < made.orange < made.red:
        raise ConfigurationError({"red": "界限应满足 蓝 < 黄 < 橙 < 红"})
    if not made.first_set_point <= made.second_set_point <= made.interlock_trip:
        raise ConfigurationError({"second_set_point": "应满足 第一设定值 ≤ 第二设定值 ≤ 联锁"})
    return made


def _wrong(body: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in body.items():
        if name not in _NAMES:
            yield name, "没有这个参数"
        elif name in _TABLES:
            yield from _wrong_table(name, value)
        else:
            low, high = _RANGES[name]
            if not _number(value, low, high):
                yield name, f"应为 {low:g}–{high:g} 的数值"


def _wrong_table(name: str, value: object) -> Iterator[tuple[str, str]]:
    if not isinstance(value, Mapping):
        yield name, "应为 名称 → 数值"
        return
    known = getattr(DEFAULT, name)
    top = MAX_WEIGHT if name == "weights" else 1.0
    for key, one in value.items():
        if key not in known:
            yield f"{name}.{key}", "没有这一项"
        elif not _number(one, 0.0, top):
            yield f"{name}.{key}", f"应为 0–{top:g} 的数值"


def _number(value: object, low: float, high: float) -> bool:
    return (
        isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value) and low <= value <= high
    )


def differences(old: Configuration, new: Configuration) -> dict[str, tuple[float, float]]:
    """What differs: name (``weights.A`` for tables) → old, new."""
    found: dict[str, tuple[float, float]] = {}
    for name in sorted(_NAMES - set(_TABLES)):
        if getattr(old, name) != getattr(new, name):
            found[name] = (getattr(old, name), getattr(new, name))
    for table in _TABLES:
        a, b = getattr(old, table), getattr(new, table)
        found |= {f"{table}.{key}": (a[key], b[key]) for key in a if a[key] != b[key]}
    return found

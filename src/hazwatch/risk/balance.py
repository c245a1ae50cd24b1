"""Pure: material balance of tanks, in − out − Δinventory, with its uncertainty and a CUSUM (domain/functions.md §14).

Inventory is volume by strapping table (or area × level) times the density at the liquid's temperature; flows are booked
as they come. What the books say minus what is there, the imbalance, stands still while nothing is lost, whatever
valves do meanwhile; its mean over an interval, minus that of the interval before, is the residual. Beyond what the
meters may be wrong by, and divided by its standard uncertainty, the residual is summed on both
sides (Page's CUSUM). Told apart:

    leak                 mass goes that no meter saw: less is there than should be
    gain                 mass comes that no meter saw
    stuck gauge          the level does not move at all though the meters say that much moved
    transfer             something flows, metered or through an open valve, and no order is in force

A group of tanks balances as one: what its members give each other cancels.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

#: Reference temperature of densities, ℃ (GB/T 1885 works with 20 ℃).
REFERENCE_C = 20.0
#: Expansion per K of a liquid of which only the density was declared.
USUAL_EXPANSION = 0.0012


class Finding(StrEnum):
    """What a balance looks like."""

    CLOSED = "closed"
    LEAK = "leak"
    GAIN = "gain"
    STUCK = "stuck_gauge"
    TRANSFER = "transfer_without_order"

    @property
    def zh(self) -> str:
        """The word on screen."""
        return {
            "closed": "平衡", "leak": "疑似泄漏", "gain": "来源不明的进料", "stuck_gauge": "液位计卡滞",
            "transfer_without_order": "无令收发",
        }[self.value]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Vessel:
    """A tank as the balance sees it.

    Attributes:
        density: kg/m³ at 20 ℃. expansion: per K.
        heights, volumes: strapping table, m and m³, rising; empty = area × level.
        area: m² where there is no table.
        level_sd: m of one reading.
        expansion_share: how wrong the expansion may be, as a share of it (one sigma).
        flow_share: systematic error of a meter as a share of what flows (one sigma). flow_sd: m³/h of one reading.
        temperature_sd: K.
    """

    density: float
    expansion: float = USUAL_EXPANSION
    heights: tuple[float, ...] = ()
    volumes: tuple[float, ...] = ()
    area: float = 0.0
    level_sd: float = 0.0015
    flow_share: float = 0.001
    flow_sd: float = 0.25
    temperature_sd: float = 0.05
    expansion_share: float = 0.0


@dataclass(frozen=True, slots=True)
class Rules:
    """Figures of the detection; ours.

    Attributes:
        interval_s: imbalances are averaged over it.
        allowance, threshold: of the CUSUM, in standard uncertainties.
        systematic: meters may be wrong by so many sigmas.
        transfer_m3h: a flow, metered or not, from which on something is being transferred.
        moved_sigmas: so much must have moved, in uncertainties, before a gauge that stands still is stuck.
    """

    interval_s: float = 600.0
    allowance: float = 0.25
    threshold: float = 5.0
    systematic: float = 3.0
    transfer_m3h: float = 3.0
    moved_sigmas: float = 5.0


def volume(vessel: Vessel, level: float) -> float:
    """m³ at a level, by the table (linear between its rows) or the area."""
    if vessel.heights:
        return float(np.interp(level, vessel.heights, vessel.volumes))
    return vessel.area * level


def density(vessel: Vessel, temperature: float) -> float:
    """kg/m³ at a temperature."""
    return vessel.density * (1.0 - vessel.expansion * (temperature - REFERENCE_C))


@dataclass(frozen=True, slots=True)
class Readings:
    """One look at a tank: level m, temperature ℃, flows m³/h; whether an order is in force, whether a valve is open."""

    level: float
    temperature: float
    inflow: float
    outflow: float
    ordered: bool = True
    open: bool = False


@dataclass(slots=True)
class Sums:
    """What has been seen in the running interval. ``unordered``, ``opened``: flows and open valves without an order."""

    count: int = 0
    imbalance: float = 0.0
    warm: float = 0.0
    low: float = math.inf
    high: float = -math.inf
    came: float = 0.0
    went: float = 0.0
    unordered: int = 0
    opened: int = 0


@dataclass(slots=True)
class Balance:
    """A tank and its books. ``up`` and ``down`` are the CUSUMs of loss and of gain, in standard uncertainties."""

    vessel: Vessel
    rules: Rules = field(default_factory=Rules)
    booked: float = 0.0
    begun: int | None = None
    last_at: int = 0
    sums: Sums = field(default_factory=Sums)
    before: float | None = None
    before_warm: float = 0.0
    up: float = 0.0
    down: float = 0.0
    lost: float = 0.0
    moved: float = 0.0

    def look(self, at: int, now: Readings) -> Verdict | None:
        """Take one look; a verdict when an interval is over.

        A reading that is no number, or a gap of more than an interval, begins the books anew: what is not known is no
        loss, and the sums of what was seen stay.

        Args:
            at: epoch ms, rising. now: the readings.
        """
        if not all(map(math.isfinite, (now.level, now.temperature, now.inflow, now.outflow))):
            return None
        gap = (at - self.last_at) / 1000.0
        if self.begun is None or gap > self.rules.interval_s:
            self.begun, self.last_at, self.booked, self.before, self.sums = at, at, 0.0, None, Sums()
            gap = 0.0
        rho = density(self.vessel, now.temperature)
        came, went = now.inflow / 3600.0 * gap * rho, now.outflow / 3600.0 * gap * rho
        self.booked += came - went
        self.last_at = at
        sums = self.sums
        sums.count += 1
        sums.imbalance += self.booked - volume(self.vessel, now.level) * rho
        sums.warm += now.temperature
        sums.low, sums.high = min(sums.low, now.level), max(sums.high, now.level)
        sums.came += came
        sums.went += went
        sums.unordered += not now.ordered and max(now.inflow, now.outflow) >= self.rules.transfer_m3h
        sums.opened += not now.ordered and now.open
        if (at - self.begun) / 1000.0 < self.rules.interval_s:
            return None
        self.begun, self.sums = at, Sums()
        return self._close(sums, now, rho)

    def _close(self, sums: Sums, now: Readings, rho: float) -> Verdict | None:
        mean = sums.imbalance / sums.count
        before, self.before = self.before, mean
        warm, before_warm = sums.warm / sums.count, self.before_warm
        self.before_warm = warm
        if before is None:
            return None
        residual = mean - before
        sigma = _uncertainty(self.vessel, self.rules, now, sums.count, rho)
        through = max(sums.came, sums.went)
        grown = volume(self.vessel, now.level) * self.vessel.density * self.vessel.expansion * abs(warm - before_warm)
        wrong = math.hypot(
            self.vessel.flow_share * math.hypot(sums.came, sums.went), self.vessel.expansion_share * grown
        )
        spare = self.rules.systematic * wrong / sigma
        z = residual / sigma
        self.up = max(0.0, self.up + z - self.rules.allowance - spare)
        self.down = max(0.0, self.down - z - self.rules.allowance - spare)
        fresh = self.up == 0.0 and self.down == 0.0
        self.lost = 0.0 if fresh else self.lost + residual
        self.moved = 0.0 if fresh else self.moved + through
        ratio = max(self.up, self.down) / self.rules.threshold
        finding = self._finding(sums, residual, sigma, rho, ratio)
        return Verdict(residual, sigma, ratio, finding, self.lost / self.moved if self.moved > 0 else 0.0)

    def _finding(self, sums: Sums, residual: float, sigma: float, rho: float, ratio: float) -> Finding:
        net = abs(sums.came - sums.went)
        if sums.low == sums.high and net > self.rules.moved_sigmas * sigma:
            return Finding.STUCK
        per_hour = abs(residual) / rho / (self.rules.interval_s / 3600.0)
        unmetered = sums.opened > sums.count // 2 and per_hour >= self.rules.transfer_m3h
        if sums.unordered > sums.count // 4 or (ratio >= 1 and unmetered and self.down < self.up):
            return Finding.TRANSFER
        if ratio >= 1:
            return Finding.LEAK if self.up >= self.down else Finding.GAIN
        return Finding.CLOSED


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one interval led to.

    Attributes:
        residual: kg that cannot be explained, positive = lost. sigma: its standard uncertainty, kg.
        ratio: the larger CUSUM as a multiple of its threshold.
        finding: what it looks like. share: what was lost since the sum began to rise, of what flowed meanwhile.
    """

    residual: float
    sigma: float
    ratio: float
    finding: Finding
    share: float = 0.0


def _uncertainty(vessel: Vessel, rules: Rules, now: Readings, count: int, rho: float) -> float:
    """Random standard uncertainty of a residual, kg: two mean levels, two mean temperatures, the meters between."""
    root = math.sqrt(max(1, count))
    slope = (volume(vessel, now.level + 0.01) - volume(vessel, now.level - 0.01)) / 0.02
    level = math.sqrt(2) * slope * rho * vessel.level_sd / root
    warm = math.sqrt(2) * volume(vessel, now.level) * vessel.density * vessel.expansion * vessel.temperature_sd / root
    noise = math.sqrt(2) * vessel.flow_sd / root * rules.interval_s / 3600.0 * rho
    return math.sqrt(level**2 + warm**2 + noise**2)


@dataclass(slots=True)
class Group:
    """Several tanks as one: its residual is that of its members without what they give each other."""

    rules: Rules = field(default_factory=Rules)
    up: float = 0.0
    down: float = 0.0

    def step(self, verdicts: Sequence[Verdict | None]) -> Verdict | None:
        """Join one interval of all members; None when one of them has none."""
        known = [v for v in verdicts if v is not None]
        if len(known) < len(verdicts) or not known:
            return None
        residual = math.fsum(v.residual for v in known)
        sigma = math.sqrt(math.fsum(v.sigma**2 for v in known))
        z = residual / sigma
        self.up = max(0.0, self.up + z - self.rules.allowance)
        self.down = max(0.0, self.down - z - self.rules.allowance)
        ratio = max(self.up, self.down) / self.rules.threshold
        finding = Finding.CLOSED
        if ratio >= 1:
            finding = Finding.LEAK if self.up >= self.down else Finding.GAIN
        return Verdict(residual, sigma, ratio, finding)


def held_volume(diameter: float, height: float, level: float, *, sphere: bool = False) -> float:
    """m³ at a level, m, of a standing cylinder or a sphere, by geometry."""
    h = min(max(level, 0.0), height)
    return math.pi * h**2 * (3 * diameter / 2 - h) / 3 if sphere else math.pi * diameter**2 / 4 * h


def strapping(
    diameter: float, height: float, *, sphere: bool = False, rows: int = 200
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """A table for a standing cylinder or a sphere, by geometry; a surveyed table replaces it."""
    h: NDArray[np.float64] = np.linspace(0.0, height, rows)
    v = math.pi * h**2 * (3 * diameter / 2 - h) / 3 if sphere else math.pi * diameter**2 / 4 * h
    return tuple(h.tolist()), tuple(v.tolist())

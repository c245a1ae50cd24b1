"""The tank farm as a whole: four vessels, their routine, their detectors, and what scenarios do to them.

Routine: the methanol day tank is filled from the storage tank in batches and drawn on all the time; the benzene tank
and the sphere receive and deliver slowly. All levels stay between their limits for ever.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np

from hazwatch.simulator.physics import plume
from hazwatch.simulator.physics import tankfarm as tf
from hazwatch.simulator.registry import DETECTORS
from hazwatch.simulator.weather import Weather

LSHH: Final = {"101": 13.2, "102": 5.2, "201": 12.0}
VESSELS: Final = {
    "101": tf.Vessel(tf.METHANOL, 17.0, 14.0, ua=900.0, sun_w=60_000.0),
    "102": tf.Vessel(tf.METHANOL, 3.5, 6.2, ua=90.0, sun_w=3_000.0),
    "201": tf.Vessel(tf.BENZENE, 14.5, 12.8, ua=750.0, sun_w=45_000.0),
    "301": tf.Vessel(tf.AMMONIA, 12.4, 12.4, sphere=True, ua=250.0, sun_w=15_000.0),
}
_DAY_TANK_LOW, _DAY_TANK_HIGH = 1.8, 3.6
_NOISE: Final = {"LT": 0.0015, "TT": 0.03, "PT": 0.008, "FT": 0.25}
_RING_M: Final = {"GT-1": 14.0, "GT-2": 12.0, "AT-3": 12.0}


@dataclass(slots=True)
class Disturbance:
    """What scenarios ask for; the neutral values are normal operation.

    Attributes:
        time_lapse: how much faster the tank farm runs.
        stuck_fill: m³/h that flow into the day tank whatever its level (0 = none).
        frozen_gauge: the day tank's level gauge shows what it showed last.
        ammonia_leak: kg/s at the sphere.
    """

    time_lapse: float = 1.0
    stuck_fill: float = 0.0
    frozen_gauge: bool = False
    ammonia_leak: float = 0.0


@dataclass(slots=True)
class TankFarm:
    """State of the tank farm."""

    tanks: dict[str, tf.TankState] = field(
        default_factory=lambda: {
            "101": tf.TankState(tf.mass_at(VESSELS["101"], 0.62)),
            "102": tf.TankState(tf.mass_at(VESSELS["102"], 0.45)),
            "201": tf.TankState(tf.mass_at(VESSELS["201"], 0.55)),
            "301": tf.TankState(tf.mass_at(VESSELS["301"], 0.50), temperature=16.0),
        }
    )
    disturbance: Disturbance = field(default_factory=Disturbance)
    filling: bool = False
    receiving: dict[str, bool] = field(default_factory=lambda: {"101": False, "201": True, "301": False})
    detectors: dict[str, float] = field(default_factory=dict)
    shown_level: float = 0.0

    def level(self, n: str) -> float:
        """True level of a tank, m."""
        return tf.level(VESSELS[n], self.tanks[n])

    def step(self, weather: Weather, dt: float) -> None:
        """Run ``dt`` seconds of our clock."""
        lapse = self.disturbance.time_lapse
        steps = max(1, round(lapse * dt / 2.0))
        for _ in range(steps):
            self._orders_and_step(weather, lapse * dt / steps)
        self._sniff(weather, dt)

    def _orders_and_step(self, weather: Weather, dt: float) -> None:
        orders = self._orders()
        for n, vessel in VESSELS.items():
            self.tanks[n] = tf.step(vessel, self.tanks[n], orders[n], weather.temperature, weather.sun, dt)

    def _orders(self) -> dict[str, tf.Orders]:
        day = self.level("102")
        self.filling = day < _DAY_TANK_LOW or (self.filling and day < _DAY_TANK_HIGH)
        for n, low, high in (("101", 5.0, 11.0), ("201", 4.0, 9.5), ("301", 3.5, 8.0)):
            at = self.level(n)
            self.receiving[n] = at < low or (self.receiving[n] and at < high)
        stuck = self.disturbance.stuck_fill
        fill = stuck if stuck > 0 else 65.0 if self.filling else 0.0
        tall = day > 4.0  # noqa: PLR2004  # after an overfill the day tank is drawn down faster
        draw = 60.0 if tall and stuck <= 0 else 22.0
        return {
            "101": tf.Orders(120.0 if self.receiving["101"] else 0.0, fill),
            "102": tf.Orders(fill, draw),
            "201": tf.Orders(75.0 if self.receiving["201"] else 0.0, 40.0),
            "301": tf.Orders(
                42.0 if self.receiving["301"] else 0.0, 18.0, feed_temperature=14.0, leak=self.disturbance.ammonia_leak
            ),
        }

    def _sniff(self, weather: Weather, dt: float) -> None:
        for group, count in DETECTORS.items():
            rate = self.disturbance.ammonia_leak if group == "AT-3" else 0.0
            for i, spot in enumerate(plume.ring(count, _RING_M[group]), start=1):
                tag = f"{group}{i:02d}"
                truth = plume.concentration(rate, plume.Spot(0.0, 0.0), spot, weather.wind, weather.direction)
                self.detectors[tag] = plume.respond(self.detectors.get(tag, 0.0), truth, dt)

    def values(self, rng: np.random.Generator) -> dict[str, float]:
        """What the instruments show, by tag."""
        out: dict[str, float] = {}
        for n in ("101", "102", "201"):
            out |= self._tank_values(n, rng)
        out |= self._sphere_values(rng)
        for tag, reading in self.detectors.items():
            floor = abs(float(rng.normal(0.0, 0.15)))  # zero drift; detectors show nothing below zero
            out[tag] = min(reading + floor, 100.0 if tag.startswith("GT") else 60.0)
        return out

    def _tank_values(self, n: str, rng: np.random.Generator) -> dict[str, float]:
        state, vessel = self.tanks[n], VESSELS[n]
        true_level = tf.level(vessel, state)
        shown = true_level + float(rng.normal(0.0, _NOISE["LT"]))
        if n == "102":
            self.shown_level = self.shown_level if self.disturbance.frozen_gauge else shown
            shown = self.shown_level
        return {
            f"LT-{n}": shown,
            f"TT-{n}A": state.temperature + float(rng.normal(0.0, _NOISE["TT"])),
            f"TT-{n}B": 0.7 * state.temperature + 0.3 * state.skin + float(rng.normal(0.0, _NOISE["TT"])),
            f"PT-{n}": state.blanket + float(rng.normal(0.0, _NOISE["PT"])),
            f"FT-{n}A": _flow(state.inflow, rng),
            f"FT-{n}B": _flow(state.outflow, rng),
            f"XV-{n}A": 100.0 * state.inlet,
            f"XV-{n}B": 100.0 * state.outlet,
            f"MT-{n}": state.mass / 1000.0,
            f"LSHH-{n}": 1.0 if true_level >= LSHH[n] else 0.0,
        }

    def _sphere_values(self, rng: np.random.Generator) -> dict[str, float]:
        state, vessel = self.tanks["301"], VESSELS["301"]
        at = tf.level(vessel, state)
        gauge = (tf.vapour_pressure(vessel.fluid, state.temperature) - tf.ATMOSPHERE) / 1e6
        return {
            "LT-301A": at + float(rng.normal(0.0, 0.004)),
            "LT-301B": at + 0.03 + float(rng.normal(0.0, 0.004)),
            "TT-301A": state.temperature + float(rng.normal(0.0, _NOISE["TT"])),
            "TT-301B": 0.6 * state.temperature + 0.4 * state.skin + float(rng.normal(0.0, _NOISE["TT"])),
            "PT-301A": gauge + float(rng.normal(0.0, 0.0008)),
            "PT-301B": gauge + 0.002 + float(rng.normal(0.0, 0.0008)),
            "FT-301A": _flow(state.inflow, rng),
            "FT-301B": _flow(state.outflow, rng),
            "XV-301A": 100.0 * state.inlet,
            "XV-301B": 100.0 * state.outlet,
            "MT-301": state.mass / 1000.0,
            "SW-301": 1.0 if self.disturbance.ammonia_leak > 0 and max(self.detectors.values()) > 40 else 0.0,  # noqa: PLR2004  # 二级报警联锁水喷淋
        }


def _flow(true: float, rng: np.random.Generator) -> float:
    return max(0.0, true + float(rng.normal(0.0, _NOISE["FT"]))) if true > 0 else 0.0

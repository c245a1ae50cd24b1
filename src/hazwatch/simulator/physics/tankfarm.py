"""Tanks: mass, energy, level and pressure. Pure step functions.

Mass is the state, level and volume follow from it, so that what flows in minus what flows out is exactly what is there
(or was spilt over the rim). Heat comes with the feed, through the wall and from the sun. The atmospheric tanks have a
nitrogen blanket; the sphere stands under the vapour pressure of what it holds (Antoine).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Final


@dataclass(frozen=True, slots=True)
class Fluid:
    """A stored liquid.

    Attributes:
        density: kg/m³ at 20 ℃; expansion: per K; heat: J/(kg K).
        antoine: A, B, C for log10(mmHg), ℃.
    """

    density: float
    expansion: float
    heat: float
    antoine: tuple[float, float, float]


METHANOL: Final = Fluid(792.0, 0.00118, 2510.0, (8.08097, 1582.271, 239.726))
BENZENE: Final = Fluid(879.0, 0.00124, 1740.0, (6.90565, 1211.033, 220.790))
AMMONIA: Final = Fluid(610.0, 0.0024, 4700.0, (7.36050, 926.132, 240.17))

_MMHG: Final = 133.322
ATMOSPHERE: Final = 101_325.0


@dataclass(frozen=True, slots=True)
class Vessel:
    """A vessel that does not change.

    Attributes:
        fluid: what it holds.
        diameter, height: m. A sphere has its diameter as height.
        sphere: shape.
        ua: heat passage of the wall, W/K.
        sun_w: heat of full sun, W.
    """

    fluid: Fluid
    diameter: float
    height: float
    sphere: bool = False
    ua: float = 400.0
    sun_w: float = 20_000.0

    @property
    def volume(self) -> float:
        """m³ to the rim."""
        return math.pi * self.diameter**3 / 6 if self.sphere else math.pi * self.diameter**2 / 4 * self.height


@dataclass(frozen=True, slots=True)
class TankState:
    """State of a vessel.

    Attributes:
        mass: kg. temperature: ℃ of the liquid. skin: ℃ of the gas space.
        inlet, outlet: valve positions 0–1 on their way to what is ordered.
        inflow, outflow: m³/h at the moment.
        spilt: kg lost over the rim since the beginning.
        blanket: kPa above atmosphere.
    """

    mass: float
    temperature: float = 18.0
    skin: float = 18.0
    inlet: float = 0.0
    outlet: float = 0.0
    inflow: float = 0.0
    outflow: float = 0.0
    spilt: float = 0.0
    blanket: float = 0.8


@dataclass(frozen=True, slots=True)
class Orders:
    """What the operators ordered: flows in m³/h (0 = valve closed), feed temperature ℃, leak kg/s."""

    fill: float = 0.0
    draw: float = 0.0
    feed_temperature: float = 20.0
    leak: float = 0.0


def density(fluid: Fluid, temperature: float) -> float:
    """Density in kg/m³ at a temperature in ℃."""
    return fluid.density * (1.0 - fluid.expansion * (temperature - 20.0))


def vapour_pressure(fluid: Fluid, temperature: float) -> float:
    """Pressure in Pa absolute at a temperature in ℃ (Antoine)."""
    a, b, c = fluid.antoine
    return float(10.0 ** (a - b / (c + temperature)) * _MMHG)


def volume(vessel: Vessel, state: TankState) -> float:
    """Liquid, m³."""
    return state.mass / density(vessel.fluid, state.temperature)


def level(vessel: Vessel, state: TankState) -> float:
    """Level above the bottom, m."""
    v = min(volume(vessel, state), vessel.volume)
    if not vessel.sphere:
        return 4 * v / (math.pi * vessel.diameter**2)
    # Height of a spherical segment of volume v: V = π h² (3R − h)/3, found by bisection.
    low, high, r = 0.0, vessel.diameter, vessel.diameter / 2
    for _ in range(40):
        mid = (low + high) / 2
        low, high = (mid, high) if math.pi * mid * mid * (3 * r - mid) / 3 < v else (low, mid)
    return (low + high) / 2


def mass_at(vessel: Vessel, fraction: float, temperature: float = 18.0) -> float:
    """Mass in kg that fills a vessel to a fraction of its volume."""
    return fraction * vessel.volume * density(vessel.fluid, temperature)


def step(vessel: Vessel, state: TankState, orders: Orders, air: float, sun: float, dt: float) -> TankState:
    """The vessel ``dt`` seconds on.

    Args:
        vessel: that does not change.
        state: now.
        orders: in force.
        air: ambient temperature, ℃.
        sun: irradiance, 0–1.
        dt: seconds.
    """
    inlet = _move(state.inlet, 1.0 if orders.fill > 0 else 0.0, dt)
    outlet = _move(state.outlet, 1.0 if orders.draw > 0 else 0.0, dt)
    rho = density(vessel.fluid, state.temperature)
    wanted_out = outlet * max(orders.draw, state.outflow if orders.draw <= 0 else 0.0)
    inflow = inlet * max(orders.fill, state.inflow if orders.fill <= 0 else 0.0)
    added = inflow / 3600.0 * rho * dt
    removed = min(wanted_out / 3600.0 * rho * dt, state.mass)
    outflow = removed / rho / dt * 3600.0 if dt > 0 else 0.0
    leaked = min(orders.leak * dt, state.mass - removed)
    mass = state.mass + added - removed - leaked
    over = max(0.0, mass - vessel.volume * rho)
    mass -= over
    heat_capacity = max(mass, 0.02 * vessel.volume * rho) * vessel.fluid.heat
    power = vessel.ua * (air - state.temperature) + vessel.sun_w * sun
    power += added / dt * vessel.fluid.heat * (orders.feed_temperature - state.temperature) if dt > 0 else 0.0
    temperature = state.temperature + power * dt / heat_capacity
    skin_target = 0.5 * (temperature + air) + 8.0 * sun
    skin = skin_target + (state.skin - skin_target) * math.exp(-dt / 1800.0)
    breathing = (inflow - outflow) / max(vessel.volume, 1.0)  # 1/h: how fast the gas space shrinks
    blanket_target = min(1.5, max(0.2, 0.8 + 0.15 * breathing))  # the blanketing valves hold it there
    blanket = blanket_target + (state.blanket - blanket_target) * math.exp(-dt / 60.0)
    return replace(
        state,
        mass=mass,
        temperature=temperature,
        skin=skin,
        inlet=inlet,
        outlet=outlet,
        inflow=inflow,
        outflow=outflow,
        spilt=state.spilt + over,
        blanket=blanket,
    )


def _move(position: float, target: float, dt: float, stroke_s: float = 8.0) -> float:
    """A shut-off valve moves over its stroke in some seconds."""
    change = dt / stroke_s
    return min(target, position + change) if target > position else max(target, position - change)

"""Gas from a small leak at the detectors around it, and what a detector makes of it. Pure.

A steady Gaussian plume at ground level (neutral air) with an initial width for the turbulence behind vessels: coarse,
but it has what matters to an operator: downwind detectors see it, upwind ones do not, more wind thins it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

_WAKE_M: Final = 5.0
_CALM: Final = 0.5


@dataclass(frozen=True, slots=True)
class Spot:
    """A place on the ground, metres east and north of the middle of the unit."""

    east: float
    north: float


def ring(n: int, radius: float) -> tuple[Spot, ...]:
    """``n`` places evenly on a circle, clockwise from north."""
    return tuple(Spot(radius * math.sin(2 * math.pi * i / n), radius * math.cos(2 * math.pi * i / n)) for i in range(n))


def concentration(rate: float, source: Spot, at: Spot, wind: float, direction: float) -> float:
    """Concentration at a place.

    Args:
        rate: of the leak, kg/s.
        source: where it leaks.
        at: where it is smelt.
        wind: m/s; below 0.5 m/s counted as 0.5.
        direction: where the wind comes from, degrees.

    Returns:
        mg/m³.
    """
    if rate <= 0.0:
        return 0.0
    toward = math.radians(direction + 180.0)
    east, north = at.east - source.east, at.north - source.north
    along = east * math.sin(toward) + north * math.cos(toward)
    across = east * math.cos(toward) - north * math.sin(toward)
    if along <= -_WAKE_M:
        return 0.0
    x = max(along, 1.0)
    sigma_y = _WAKE_M + 0.08 * x / math.sqrt(1.0 + 0.0001 * x)
    sigma_z = _WAKE_M + 0.06 * x / math.sqrt(1.0 + 0.0015 * x)
    speed = max(wind, _CALM)
    core = rate / (math.pi * speed * sigma_y * sigma_z)
    upwind = math.exp(-0.5 * (min(along, 0.0) / 2.0) ** 2)  # a little diffuses against the wind
    return 1e6 * core * upwind * math.exp(-0.5 * (across / sigma_y) ** 2)


def respond(reading: float, truth: float, dt: float, t90: float = 20.0) -> float:
    """A detector follows with a first-order lag that reaches 90 % in ``t90`` seconds."""
    return truth + (reading - truth) * math.exp(-dt * math.log(10.0) / t90)

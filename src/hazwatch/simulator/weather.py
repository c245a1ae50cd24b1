"""Weather of the park: a season, a day curve and slow wandering. Pure: time and a random generator come in."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from hazwatch.vocabulary.moments import DAY, HOUR

_CHINA_MS: Final = 8 * HOUR
_YEAR_DAYS: Final = 365.25


@dataclass(frozen=True, slots=True)
class Weather:
    """State of the air.

    Attributes:
        temperature: ℃.
        humidity: %RH.
        wind: m/s.
        direction: where the wind comes from, degrees clockwise from north.
        pressure: hPa.
        sun: irradiance as a share of full sun, 0–1.
        anomaly, front: wandering parts of temperature (K) and pressure (hPa).
    """

    temperature: float = 15.0
    humidity: float = 55.0
    wind: float = 2.5
    direction: float = 180.0
    pressure: float = 1012.0
    sun: float = 0.0
    anomaly: float = 0.0
    front: float = 0.0


def wander(value: float, mean: float, spread: float, tau_s: float, dt: float, rng: np.random.Generator) -> float:
    """One step of an Ornstein–Uhlenbeck process: returns to the mean in ``tau_s``, standard deviation ``spread``."""
    keep = math.exp(-dt / tau_s)
    return mean + (value - mean) * keep + spread * math.sqrt(1.0 - keep * keep) * float(rng.standard_normal())


def step(state: Weather, now: int, dt: float, rng: np.random.Generator) -> Weather:
    """The weather ``dt`` seconds on, at epoch ms ``now`` (China time rules the day)."""
    local = now + _CHINA_MS
    hour = local % DAY / HOUR
    day = local / DAY % _YEAR_DAYS
    season = 14.5 + 13.5 * math.cos(2 * math.pi * (day - 201) / _YEAR_DAYS)  # Puyang: about 1 ℃ in January, 28 in July
    swing = 5.0 * math.cos(2 * math.pi * (hour - 15) / 24)
    anomaly = wander(state.anomaly, 0.0, 1.5, 6 * 3600.0, dt, rng)
    front = wander(state.front, 0.0, 4.0, 24 * 3600.0, dt, rng)
    mean_wind = 2.4 + 0.9 * math.cos(2 * math.pi * (hour - 14) / 24)
    turn = wander(0.0, 0.0, 1.2 * math.sqrt(dt), 1.0, 1e9, rng)
    return replace(
        state,
        temperature=season + swing + anomaly,
        humidity=min(98.0, max(15.0, 62.0 - 3.0 * (swing + anomaly) - 0.5 * front)),
        wind=min(12.0, max(0.3, wander(state.wind, mean_wind, 0.7, 120.0, dt, rng))),
        direction=(state.direction + 0.0005 * dt * (180.0 - state.direction) + turn) % 360.0,
        pressure=1019.0 - 8.0 * math.cos(2 * math.pi * (day - 201) / _YEAR_DAYS) + front,
        sun=max(0.0, math.sin(math.pi * (hour - 6.0) / 12.0)) if 6.0 < hour < 18.0 else 0.0,  # noqa: PLR2004  # daylight
        anomaly=anomaly,
        front=front,
    )


def settled(now: int, rng: np.random.Generator) -> Weather:
    """Plausible weather to begin with."""
    return step(Weather(direction=float(rng.uniform(120, 240))), now, 1.0, rng)

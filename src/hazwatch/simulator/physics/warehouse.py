"""A zone of a store: temperature, humidity, ventilation and gas from a leaking cylinder or drum. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Zone:
    """A zone that does not change.

    Attributes:
        volume: m³ of air.
        tau_s: how fast the inside follows the outside, seconds.
        changes_idle, changes_fan: air changes an hour with the fan off and on.
    """

    volume: float = 1200.0
    tau_s: float = 6 * 3600.0
    changes_idle: float = 1.0
    changes_fan: float = 12.0


@dataclass(frozen=True, slots=True)
class ZoneState:
    """State of a zone.

    Attributes:
        temperature: ℃. humidity: %RH. fan: running. stock: t.
        gas: mg/m³ in the well-mixed air.
    """

    temperature: float = 18.0
    humidity: float = 50.0
    fan: bool = False
    stock: float = 8.0
    gas: float = 0.0


def step(
    zone: Zone, state: ZoneState, air: float, humidity: float, leak: float, fan_order: bool | None, dt: float,
    fan_at: float = 0.8,
) -> ZoneState:  # fmt: skip
    """The zone ``dt`` seconds on.

    Args:
        zone: that does not change.
        state: now.
        air: outside, ℃.
        humidity: outside, %RH.
        leak: kg/s.
        fan_order: a person's order; None = automatic (on above ``fan_at`` mg/m³, off below a fifth of it).
        dt: seconds.
        fan_at: mg/m³ at which the emergency fan starts.
    """
    automatic = state.gas > fan_at or (state.fan and state.gas > fan_at / 5)
    fan = automatic if fan_order is None else fan_order
    rate = (zone.changes_fan if fan else zone.changes_idle) / 3600.0
    keep = math.exp(-rate * dt)
    # Exact solution of dc/dt = leak/V − rate·c over the step: mass balance holds for any dt.
    steady = 1e6 * leak / zone.volume / rate
    gas = steady + (state.gas - steady) * keep
    slow = math.exp(-dt / (zone.tau_s / (2.0 if fan else 1.0)))
    temperature = air + (state.temperature - air) * slow
    inside = min(95.0, max(20.0, humidity - 1.2 * (temperature - air)))
    return replace(
        state,
        temperature=temperature,
        humidity=inside + (state.humidity - inside) * slow,
        fan=fan,
        gas=max(0.0, gas),
        stock=max(0.0, state.stock - leak * dt / 1000.0),
    )

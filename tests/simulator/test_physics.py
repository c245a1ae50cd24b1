"""Laws of the physics: mass is conserved, heat flows down, gas is carried by the wind."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hazwatch.simulator import weather as sky
from hazwatch.simulator.physics import plume, warehouse
from hazwatch.simulator.physics import tankfarm as tf

TANK = tf.Vessel(tf.METHANOL, 3.5, 6.2)
SPHERE = tf.Vessel(tf.AMMONIA, 12.4, 12.4, sphere=True)
FLOW = st.floats(0, 300)
FAN = True
FRACTION = st.floats(0, 1)


@given(
    st.sampled_from([TANK, SPHERE]), FRACTION,
    st.lists(st.tuples(FLOW, FLOW, st.floats(0, 2), st.floats(0.1, 60)), max_size=20),
)  # fmt: skip
def test_what_flows_in_minus_what_flows_out_is_there_or_was_spilt(vessel: Any, fraction: Any, moves: Any) -> None:
    state = tf.TankState(tf.mass_at(vessel, fraction))
    begin, balance = state.mass, 0.0
    for fill, draw, leak, dt in moves:
        rho = tf.density(vessel.fluid, state.temperature)
        before = state
        state = tf.step(vessel, state, tf.Orders(fill, draw, leak=leak), 15.0, 0.3, dt)
        after_draw = max(0.0, before.mass - state.outflow / 3600 * rho * dt)
        balance += (state.inflow - state.outflow) / 3600 * rho * dt - min(leak * dt, after_draw)
        assert state.mass >= 0
        assert state.mass <= vessel.volume * rho * (1 + 1e-9)
    assert state.mass + state.spilt - begin == pytest.approx(balance, abs=1e-3 + 1e-9 * begin)


@given(FRACTION, FRACTION)
def test_more_liquid_stands_higher(a: float, b: float) -> None:
    for vessel in (TANK, SPHERE):
        low, high = sorted((a, b))
        levels = [tf.level(vessel, tf.TankState(tf.mass_at(vessel, f))) for f in (low, high)]
        assert -1e-9 <= levels[0] <= levels[1] + 1e-9 <= vessel.height + 1e-6


def test_a_half_full_sphere_stands_at_its_middle() -> None:
    assert tf.level(SPHERE, tf.TankState(tf.mass_at(SPHERE, 0.5))) == pytest.approx(6.2, abs=1e-6)


@given(st.floats(-20, 50), st.floats(-20, 50))
def test_a_still_tank_goes_to_the_temperature_of_the_air(start: float, air: float) -> None:
    state = tf.TankState(tf.mass_at(TANK, 0.5), temperature=start)
    for _ in range(5):
        warmer = tf.step(TANK, state, tf.Orders(), air, 0.0, 600.0)
        assert abs(warmer.temperature - air) <= abs(state.temperature - air) + 1e-9
        state = warmer


@pytest.mark.parametrize(
    ("fluid", "temperature", "pascal"),
    [(tf.AMMONIA, -33.4, 101_325), (tf.METHANOL, 64.7, 101_325), (tf.BENZENE, 80.1, 101_325), (tf.AMMONIA, 25, 1.0e6)],
)
def test_vapour_pressure_at_known_points(fluid: tf.Fluid, temperature: float, pascal: float) -> None:
    """Normal boiling points, and ammonia at 25 ℃ (about 10 bar)."""
    assert tf.vapour_pressure(fluid, temperature) == pytest.approx(pascal, rel=0.03)


@given(st.floats(0.001, 1), st.floats(0.5, 10), st.floats(0, 360))
def test_gas_is_where_the_wind_blows_and_more_leak_means_more_gas(rate: float, wind: float, direction: float) -> None:
    toward = math.radians(direction + 180)
    down = plume.Spot(20 * math.sin(toward), 20 * math.cos(toward))
    up = plume.Spot(-down.east, -down.north)
    here = plume.Spot(0, 0)
    seen = plume.concentration(rate, here, down, wind, direction)
    assert seen > 0
    assert plume.concentration(rate, here, up, wind, direction) == 0
    assert plume.concentration(2 * rate, here, down, wind, direction) == pytest.approx(2 * seen)
    assert plume.concentration(rate, here, down, wind * 2, direction) == pytest.approx(seen / 2)


@given(st.floats(0, 0.01), st.floats(1, 3600), st.integers(1, 60))
def test_the_gas_balance_of_a_zone_does_not_depend_on_the_step(leak: float, total: float, parts: int) -> None:
    zone, once, often = warehouse.Zone(), warehouse.ZoneState(), warehouse.ZoneState()
    once = warehouse.step(zone, once, 15, 50, leak, FAN, total)
    for _ in range(parts):
        often = warehouse.step(zone, often, 15, 50, leak, FAN, total / parts)
    assert often.gas == pytest.approx(once.gas, rel=1e-6, abs=1e-9)


def test_a_detector_reaches_ninety_percent_in_its_time() -> None:
    assert plume.respond(0.0, 100.0, 20.0, t90=20.0) == pytest.approx(90.0)


def test_the_day_is_warmer_than_the_night_and_july_than_january() -> None:
    def mean(month_ms: int, hour: int) -> float:
        now = month_ms + hour * 3_600_000 - 8 * 3_600_000
        return float(np.mean([sky.settled(now, np.random.default_rng(i)).temperature for i in range(20)]))

    january, july = 1_767_571_200_000, 1_784_073_600_000
    assert mean(january, 15) > mean(january, 3) + 5
    assert mean(july, 15) > mean(january, 15) + 20

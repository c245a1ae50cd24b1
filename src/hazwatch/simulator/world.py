"""The world: every process of the park on one clock, and what all instruments show at a moment."""

from __future__ import annotations

from typing import Final

import numpy as np

from hazwatch.simulator import weather as sky
from hazwatch.simulator.plant import TankFarm
from hazwatch.simulator.stores import Store, Utilities
from hazwatch.simulator.tennessee import DEFAULT_SPEED, Tennessee

_SETTLE_S: Final = 30.0


class World:
    """State of the park.

    Args:
        now: epoch ms at the beginning.
        seed: of everything random.
        te_speed: plant seconds of the Tennessee Eastman process per second.
        live_te: False plays the recorded runs.
    """

    def __init__(self, now: int, seed: int = 1, te_speed: float = DEFAULT_SPEED, *, live_te: bool = True) -> None:
        self._rng = np.random.default_rng(seed)
        self.weather = sky.settled(now, self._rng)
        self.farm = TankFarm()
        self.chlorine = Store.chlorine()
        self.drums = Store.drums()
        self.utilities = Utilities()
        self.tennessee = Tennessee(te_speed, live=live_te)
        self.chlorine.settle(self.weather)
        self.drums.settle(self.weather)
        self.now = now
        self.step(now, _SETTLE_S)

    def step(self, now: int, dt: float) -> None:
        """Run ``dt`` seconds; ``now`` (epoch ms) is the time at their end."""
        self.now = now
        self.weather = sky.step(self.weather, now, dt, self._rng)
        self.farm.step(self.weather, dt)
        self.chlorine.step(self.weather, dt)
        self.drums.step(self.weather, dt)
        self.utilities.step(dt, self._rng)
        self.tennessee.step(dt)

    def values(self) -> dict[str, float]:
        """What every instrument shows now, by tag."""
        rng = self._rng
        return {
            **self.farm.values(rng),
            **self.chlorine.values(rng),
            **self.drums.values(rng),
            **self.utilities.values(self.weather, rng),
            **self.tennessee.values(),
        }

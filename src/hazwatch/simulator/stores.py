"""The two stores and the utilities as a whole: state, step, values by tag."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np

from hazwatch.simulator.physics import warehouse as wh
from hazwatch.simulator.registry import DRUM_ZONES, WAREHOUSE_ZONES
from hazwatch.simulator.weather import Weather, wander

_ZONE: Final = wh.Zone()
_METHANOL_LEL_MG: Final = 73_000.0  # 5.5 % by volume of methanol vapour


@dataclass(slots=True)
class Store:
    """Zones of one store.

    Attributes:
        prefix: of the zone numbers (4 chlorine, 5 drums).
        toxic: chlorine detectors in mg/m³; otherwise combustible ones in %LEL.
        leak: kg/s in zone 1.
    """

    prefix: str
    zones: list[wh.ZoneState]
    toxic: bool
    leak: float = 0.0

    @classmethod
    def chlorine(cls) -> Store:
        """The chlorine store."""
        return cls("4", [wh.ZoneState(stock=s) for s in (11.0, 12.5, 9.0, 12.0)][:WAREHOUSE_ZONES], toxic=True)

    @classmethod
    def drums(cls) -> Store:
        """The methanol drum store."""
        return cls("5", [wh.ZoneState(stock=s) for s in (180.0, 220.0, 205.0)][:DRUM_ZONES], toxic=False)

    def settle(self, weather: Weather) -> None:
        """Begin in balance with the weather."""
        inside = max(5.0, weather.temperature)
        self.zones = [replace(z, temperature=inside, humidity=min(78.0, weather.humidity)) for z in self.zones]

    def step(self, weather: Weather, dt: float) -> None:
        """Run ``dt`` seconds."""
        air = max(5.0, weather.temperature)  # frost protection
        for i, zone in enumerate(self.zones):
            leak = self.leak if i == 0 else 0.0
            self.zones[i] = wh.step(_ZONE, zone, air, min(78.0, weather.humidity), leak, None, dt)

    def values(self, rng: np.random.Generator) -> dict[str, float]:
        """What the instruments show, by tag."""
        out: dict[str, float] = {}
        for i, zone in enumerate(self.zones, start=1):
            n = f"{self.prefix}{i}1"
            out[f"TT-{n}"] = zone.temperature + float(rng.normal(0.0, 0.05))
            out[f"MT-{n}"] = zone.humidity + float(rng.normal(0.0, 0.2))
            out[f"FAN-{n}"] = float(zone.fan)
            out[f"WT-{n}"] = zone.stock
            kind, top = ("AT", 3.0) if self.toxic else ("GT", 100.0)
            shown = zone.gas if self.toxic else 100.0 * zone.gas / _METHANOL_LEL_MG
            for k in (1, 2):
                floor = abs(float(rng.normal(0.0, 0.005 * top / 3.0)))
                out[f"{kind}-{self.prefix}{i}{k}"] = min(top, shown * (1.0 if k == 1 else 0.85) + floor)
        return out


#: tag → mean, standard deviation, time to return in seconds
_UTILITIES: Final = {
    "PT-601": (0.45, 0.006, 120.0),
    "TT-602": (36.0, 0.6, 900.0),
    "FT-601": (3600.0, 40.0, 300.0),
    "PT-611": (1.25, 0.015, 180.0),
    "TT-611": (205.0, 1.2, 600.0),
    "FT-611": (42.0, 1.5, 400.0),
    "PT-612": (0.68, 0.012, 90.0),
    "PT-613": (0.80, 0.015, 120.0),
    "JT-611": (11_500.0, 250.0, 900.0),
    "PT-621": (0.24, 0.006, 120.0),
    "PT-622": (1.32, 0.015, 240.0),
    "TT-621": (88.0, 1.0, 600.0),
    "IT-621": (255.0, 4.0, 120.0),
    "IT-601": (52.0, 0.5, 120.0),
    "IT-602": (51.0, 0.5, 120.0),
    "IT-451": (22.0, 0.3, 120.0),
    "PT-451": (-320.0, 12.0, 60.0),
    "TT-451": (24.0, 0.5, 1800.0),
    "AT-451": (17.0, 0.2, 7200.0),
}


@dataclass(slots=True)
class Utilities:
    """Cooling water, steam, air, power and the absorption unit: processes that wander about their set points."""

    state: dict[str, float] = field(default_factory=lambda: {tag: mean for tag, (mean, _, _) in _UTILITIES.items()})

    def step(self, dt: float, rng: np.random.Generator) -> None:
        """Run ``dt`` seconds."""
        for tag, (mean, spread, tau) in _UTILITIES.items():
            self.state[tag] = wander(self.state[tag], mean, spread, tau, dt, rng)

    def values(self, weather: Weather, rng: np.random.Generator) -> dict[str, float]:
        """What the instruments show, by tag."""
        supply = min(31.0, max(16.0, 18.0 + 0.45 * weather.temperature))
        return {
            **self.state,
            "TT-601": supply + float(rng.normal(0.0, 0.05)),
            "IT-603": 0.0,
            "P-601": 1.0,
            "P-602": 1.0,
            "P-603": 0.0,
            "P-451": 1.0,
            "WX-TEMP": weather.temperature,
            "WX-RH": weather.humidity,
            "WX-WS": weather.wind,
            "WX-WD": weather.direction,
            "WX-P": weather.pressure,
            **{f"AT-62{i}": abs(float(rng.normal(0.0, 0.1))) for i in (1, 2, 3)},
        }

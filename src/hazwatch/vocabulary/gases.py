"""Concentrations of gases in air: ppm, mg/m³, %vol, %LEL. Ideal gas at a temperature and pressure that are stated."""

from __future__ import annotations

from dataclasses import dataclass

#: Molar gas constant, J/(mol·K) (exact, SI 2019).
GAS_CONSTANT = 8.314462618
ZERO_CELSIUS = 273.15
PPM_PER_VOL = 10_000.0


@dataclass(frozen=True, slots=True)
class Air:
    """State of the air that a concentration is stated for: 25 °C and 101.325 kPa unless said otherwise."""

    celsius: float = 25.0
    kpa: float = 101.325

    def __post_init__(self) -> None:
        if self.celsius <= -ZERO_CELSIUS or self.kpa <= 0:
            raise ValueError(f"没有这样的空气状态:{self.celsius} ℃、{self.kpa} kPa")

    @property
    def molar_volume(self) -> float:
        """Litres that a mole of gas takes."""
        return GAS_CONSTANT * (self.celsius + ZERO_CELSIUS) / self.kpa


STANDARD = Air()


def mg_m3_of_ppm(ppm: float, molar_mass: float, air: Air = STANDARD) -> float:
    """Ppm by volume → mg/m³; ``molar_mass`` in g/mol."""
    return ppm * _mass(molar_mass) / air.molar_volume


def ppm_of_mg_m3(mg_m3: float, molar_mass: float, air: Air = STANDARD) -> float:
    """mg/m³ → ppm by volume; ``molar_mass`` in g/mol."""
    return mg_m3 * air.molar_volume / _mass(molar_mass)


def vol_of_lel(share: float, lel: float) -> float:
    """%LEL → %vol; ``lel`` is the lower explosion limit in %vol."""
    return share * _limit(lel) / 100


def lel_of_vol(vol: float, lel: float) -> float:
    """%vol → %LEL; ``lel`` is the lower explosion limit in %vol."""
    return vol * 100 / _limit(lel)


def _mass(molar_mass: float) -> float:
    if not molar_mass > 0:
        raise ValueError(f"摩尔质量应大于 0,收到 {molar_mass}")
    return molar_mass


def _limit(lel: float) -> float:
    if not 0 < lel <= 100:  # noqa: PLR2004  # a share of the air
        raise ValueError(f"爆炸下限应在 0–100 %vol 之间,收到 {lel}")
    return lel

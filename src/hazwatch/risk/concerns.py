"""Pure: which weather warnings concern a source, by what it holds and what it is (docs/models.md).

No public text gives such a table: it is this product's own [ours]. What is not known concerns: missing data never
lowers risk.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from enum import StrEnum


class Trait(StrEnum):
    """What a source holds or is, as far as weather can harm it."""

    FLAMMABLE = "flammable"  # burns or ignites by itself
    PRESSURISED = "pressurised"  # a gas under pressure or liquefied, or boils below 60 °C
    UNSTABLE = "unstable"  # decomposes, polymerises, or oxidises as a liquid or solid
    TOXIC = "toxic"  # toxic by the air
    WATER = "water"  # reacts with water
    FREEZES = "freezes"  # solid at -15 °C
    TANK_FARM = "tank-farm"  # floating roofs, bunds, water seals, earthed steel in the open
    PRODUCTION_UNIT = "production-unit"  # in the open, with cooling water and steam
    WAREHOUSE = "warehouse"  # a roof, and goods on the floor

    @property
    def zh(self) -> str:
        """The word on screen."""
        return _ZH[self]


T = Trait
_ZH: Mapping[Trait, str] = {
    T.FLAMMABLE: "易燃物", T.PRESSURISED: "受压或低沸点物", T.UNSTABLE: "不稳定或氧化性物质", T.TOXIC: "有毒物",
    T.WATER: "遇水反应物", T.FREEZES: "易凝固物", T.TANK_FARM: "储罐区", T.PRODUCTION_UNIT: "生产装置",
    T.WAREHOUSE: "仓库",
}  # fmt: skip
_WIND = {T.TOXIC, T.FLAMMABLE, T.TANK_FARM, T.PRODUCTION_UNIT}
_RAIN = {T.WATER, T.TANK_FARM, T.WAREHOUSE}
#: Kind of signal → what it concerns.
CONCERNS: Mapping[str, frozenset[Trait]] = {
    "heat": frozenset({T.FLAMMABLE, T.PRESSURISED, T.UNSTABLE}),
    "lightning": frozenset({T.FLAMMABLE, T.UNSTABLE, T.TANK_FARM}),
    "rainstorm": frozenset(_RAIN),
    "wind": frozenset(_WIND),
    "typhoon": frozenset(_RAIN | _WIND),
    "snowstorm": frozenset(T),
    "cold_wave": frozenset({T.FREEZES, T.TANK_FARM, T.PRODUCTION_UNIT}),
    "frost": frozenset({T.FREEZES, T.PRODUCTION_UNIT}),
    "icing": frozenset({T.TANK_FARM, T.WAREHOUSE}),  # loading and lorries
    "hail": frozenset({T.TANK_FARM, T.PRODUCTION_UNIT}),
    "sandstorm": frozenset({T.TANK_FARM, T.PRODUCTION_UNIT}),
    "fog": frozenset({T.TOXIC, T.FLAMMABLE}),  # still air carries a release away slowly
}  # fmt: skip


def concerns(signal: str | None, traits: Collection[str] | None) -> bool:
    """Whether a weather warning counts for a source.

    Args:
        signal: its kind; None when nobody said it.
        traits: of the source, words of ``Trait``; None when a medium of it is not known.
    """
    for_whom = CONCERNS.get(signal or "")
    return traits is None or for_whom is None or not for_whom.isdisjoint(traits)


def why_not(signal: str) -> str:
    """Why a signal does not count for a source that it does not concern."""
    return "只涉及" + "、".join(trait.zh for trait in Trait if trait in CONCERNS[signal])

"""Pure: what is known of a substance. What is not known is absent and listed as unknown, never guessed."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

ZERO_CELSIUS = 273.15

#: Properties of substances: key → Chinese name.
PROPERTIES: Mapping[str, str] = {
    "molar_mass": "摩尔质量", "melting_point": "熔点", "boiling_point": "沸点(101.325 kPa)",
    "critical_temperature": "临界温度", "critical_pressure": "临界压力", "liquid_density_25c": "液体密度(25 ℃)",
    "flash_point": "闪点", "autoignition": "自燃温度", "lel": "爆炸下限", "uel": "爆炸上限",
}  # fmt: skip
#: Kinds of limits of exposure: MAC, PC-TWA, PC-STEL of GBZ 2.1, IDLH, and the explosion limits of the set points.
EXPOSURES = ("LEL", "UEL", "MAC", "PC-TWA", "PC-STEL", "IDLH")
FLAGS: Mapping[str, str] = {
    "key_regulated": "重点监管", "special_control": "特别管控", "highly_toxic": "剧毒", "explosive_precursor": "易制爆",
    "drug_precursor": "易制毒",
}  # fmt: skip
#: Families whose members fall apart before they boil: no boiling point and no vapour pressure is told of them.
DECOMPOSING = frozenset({"explosive", "org_perox", "self_react"})
_GHS: Mapping[str, str] = {
    "FG": "易燃气体", "PG": "加压气体", "OG": "氧化性气体", "FL": "易燃液体", "FS": "易燃固体", "PL": "自燃液体",
    "PS": "自燃固体", "SH": "自热物质", "WR": "遇水放出易燃气体", "OL": "氧化性液体", "OS": "氧化性固体",
    "OP": "有机过氧化物", "EX": "爆炸物", "UEX": "不稳定爆炸物", "AO": "急性毒性(经口)", "AD": "急性毒性(经皮)",
    "AI": "急性毒性(吸入)", "SC": "皮肤腐蚀", "SI": "皮肤刺激", "ED": "严重眼损伤", "EI": "眼刺激",
    "RS": "呼吸道致敏", "SS": "皮肤致敏", "MU": "生殖细胞致突变", "CA": "致癌", "RT": "生殖毒性",
    "SE": "特异性靶器官毒性(一次)", "RE": "特异性靶器官毒性(反复)", "AS": "吸入危害", "AQC": "危害水生环境(长期)",
    "AQ": "危害水生环境(急性)",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Fact:
    """One value with unit and source; ``certainty`` H, M or L where somebody has judged it."""

    value: float
    unit: str
    source: str
    certainty: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Flag:
    """A list that the substance stands on; ``no`` its number there."""

    flag: str
    no: str
    source: str


@dataclass(frozen=True, slots=True)
class Curve:
    """Vapour pressure: ln(p/Pa) = a + b/T + c·ln T + d·T^e between two temperatures, K."""

    coefficients: tuple[float, float, float, float, float]
    lowest: float
    highest: float
    critical: float
    source: str


@dataclass(frozen=True, slots=True)
class Family:
    """How substances of one kind are stored, fought and treated; distances in m, None where none is told."""

    key: str
    name: str
    storage: str
    fire: str
    first_aid: str
    isolation: float | None
    isolation_fire: float | None


@dataclass(frozen=True, slots=True)
class Substance:
    """What is known of a substance, by CAS number."""

    cas: str
    name: str
    name_en: str
    aliases: tuple[str, ...]
    un: tuple[str, ...]
    ghs: tuple[str, ...]
    groups: tuple[str, ...]
    families: tuple[str, ...]
    properties: Mapping[str, tuple[Fact, ...]] = field(default_factory=dict)
    exposure: Mapping[str, Fact] = field(default_factory=dict)
    flags: tuple[Flag, ...] = ()
    rules: tuple[tuple[str, str], ...] = ()
    curve: Curve | None = None

    @property
    def decomposes(self) -> bool:
        """Whether it falls apart before it boils."""
        return bool(DECOMPOSING & set(self.families))

    def property(self, key: str) -> Fact | None:
        """The value of a property that is used where one is needed."""
        found = self.properties.get(key)
        return found[0] if found else None


class NoVapourPressureError(ValueError):
    """No vapour pressure is told at this temperature; the message says why."""


def vapour_pressure(substance: Substance, celsius: float) -> float:
    """Vapour pressure in kPa.

    Raises:
        NoVapourPressureError: it decomposes; no curve is known; above the critical temperature, where there is none;
            outside the range in which the curve holds.
    """
    if substance.decomposes:
        raise NoVapourPressureError("受热分解,不给出蒸气压")
    curve = substance.curve
    if curve is None:
        raise NoVapourPressureError("未知")
    kelvin = celsius + ZERO_CELSIUS
    if kelvin > curve.critical:
        raise NoVapourPressureError(f"高于临界温度 {curve.critical - ZERO_CELSIUS:.1f} ℃,不存在蒸气压")
    if not curve.lowest <= kelvin <= curve.highest:
        span = f"{curve.lowest - ZERO_CELSIUS:.1f}–{curve.highest - ZERO_CELSIUS:.1f} ℃"
        raise NoVapourPressureError(f"超出数据的适用范围 {span}")
    a, b, c, d, e = curve.coefficients
    return math.exp(a + b / kelvin + c * math.log(kelvin) + d * kelvin**e) / 1000


def hazard_words(code: str) -> str:
    """A GHS class in Chinese: ``FL2`` → 易燃液体 类别2."""
    for prefix in sorted(_GHS, key=len, reverse=True):
        if code.startswith(prefix):
            rest = code[len(prefix) :]
            if prefix == "EX" and rest:
                return f"{_GHS[prefix]} {rest[0]}.{rest[1:]} 项"
            if prefix == "OP":
                return f"{_GHS[prefix]} {rest} 型"
            return f"{_GHS[prefix]} 类别{rest}" if rest else _GHS[prefix]
    return code

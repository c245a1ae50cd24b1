"""Pure: set points of a gas detector after GB/T 50493-2019.

Combustible: 25 and 50 %LEL at most. Toxic: 100 and 200 % of the occupational limit, in the order MAC, PC-TWA, PC-STEL;
5 and 10 %IDLH only where the detector's range cannot do it. Oxygen: 19.5 and 23.5 %vol. Open path: 1 and 2 LEL·m.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from hazwatch.vocabulary.gases import STANDARD, Air, mg_m3_of_ppm, ppm_of_mg_m3, vol_of_lel

OEL_ORDER = ("MAC", "PC-TWA", "PC-STEL")
OXYGEN = "7782-44-7"
#: Below this share of the span a set point drowns in the detector's error: the range cannot do it. Ours, not the
#: standard's.
LEAST_SHARE = 0.02
_DIGITS = 3
_UNITS = {"mg/m³": "mg/m³", "mg/m3": "mg/m³", "ppm": "ppm", "ppb": "ppb", "μmol/mol": "ppm", "umol/mol": "ppm"}
_PPB = 1000.0


@dataclass(frozen=True, slots=True)
class GasFacts:
    """What a set point needs of a gas: limits in the units of their source, None where unknown.

    Attributes:
        molar_mass: g/mol.
        lel: lower explosion limit, %vol.
        oel: occupational limits by kind (MAC, PC-TWA, PC-STEL), mg/m³.
        idlh_mg_m3, idlh_ppm: immediately dangerous to life or health, in whichever unit it is told.
    """

    cas: str
    name: str
    molar_mass: float | None = None
    lel: float | None = None
    oel: Mapping[str, float] = field(default_factory=dict)
    idlh_mg_m3: float | None = None
    idlh_ppm: float | None = None

    @property
    def basis(self) -> tuple[str, float] | None:
        """The occupational limit that counts."""
        return next(((kind, self.oel[kind]) for kind in OEL_ORDER if kind in self.oel), None)


@dataclass(frozen=True, slots=True)
class Detector:
    """A gas detector: unit and measuring range."""

    unit: str
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class SetPoints:
    """What is proposed; ``values`` has ``l``, ``h``, ``hh`` as far as they exist.

    Attributes:
        kind: combustible, toxic, oxygen, open_path, or unknown.
        basis: on what it rests, with the state of the air where a conversion took part.
        clause: of the standard.
        range: the range that the standard asks for, in the detector's unit; None where unknown.
        problems: why nothing, or not all, is proposed.
    """

    kind: str
    values: Mapping[str, float]
    basis: str
    clause: str = "GB/T 50493-2019 5.5"
    range: tuple[float, float] | None = None
    problems: tuple[str, ...] = ()


def propose(detector: Detector, gas: GasFacts | None, air: Air = STANDARD) -> SetPoints:
    """Set points for a detector.

    Args:
        detector: unit and range.
        gas: what it looks for; None where the substance is unknown.
        air: the state of the air for which volumes and masses are converted.
    """
    unit = detector.unit.strip()
    if unit == "%LEL":
        return _within(detector, SetPoints("combustible", {"h": 25.0, "hh": 50.0}, "25 %LEL、50 %LEL", range=(0, 100)))
    if unit in {"LEL·m", "LEL.m"}:
        return _within(detector, SetPoints("open_path", {"h": 1.0, "hh": 2.0}, "1 LEL·m、2 LEL·m", range=(0, 5)))
    if gas is not None and gas.cas == OXYGEN:
        return _oxygen(detector)
    if gas is None:
        return SetPoints("unknown", {}, "", problems=("不知道探测的是什么物质:请在设备上填写 CAS 号",))
    if unit == "%vol":
        return _combustible_vol(detector, gas)
    if unit in _UNITS:
        return _toxic(detector, gas, _UNITS[unit], air)
    return SetPoints("unknown", {}, "", problems=(f"单位 {unit!r} 不是气体探测器的常用单位",))


def _oxygen(detector: Detector) -> SetPoints:
    if detector.unit.strip() != "%vol":
        return SetPoints("oxygen", {}, "", problems=("氧气探测器的单位应为 %vol",))
    basis = "欠氧 19.5 %vol,过氧 23.5 %vol"
    return _within(detector, SetPoints("oxygen", {"l": 19.5, "h": 23.5}, basis, range=(0, 25)))


def _combustible_vol(detector: Detector, gas: GasFacts) -> SetPoints:
    if gas.lel is None:
        return SetPoints("combustible", {}, "", problems=(f"{gas.name}的爆炸下限未知",))
    values = {name: _down(vol_of_lel(share, gas.lel)) for name, share in (("h", 25), ("hh", 50))}
    basis = f"25 %LEL、50 %LEL;{gas.name} LEL {gas.lel:g} %vol"
    return _within(detector, SetPoints("combustible", values, basis, range=(0, gas.lel)))


def _toxic(detector: Detector, gas: GasFacts, unit: str, air: Air) -> SetPoints:
    limit = gas.basis
    if limit is None:
        return SetPoints("toxic", {}, "", problems=(f"{gas.name}的职业接触限值未知,不能给出有毒气体设定值",))
    if unit != "mg/m³" and gas.molar_mass is None:
        return SetPoints("toxic", {}, "", problems=(f"{gas.name}的摩尔质量未知(混合物?),不能换算为 {unit}",))
    kind, mg_m3 = limit
    oel = _in_unit(mg_m3, gas, unit, air)
    stated = "" if unit == "mg/m³" else f",按 {air.celsius:g} ℃、{air.kpa:g} kPa 换算"
    basis = f"100 %、200 %{kind};{gas.name} {kind} {mg_m3:g} mg/m³{stated}"
    wanted = SetPoints("toxic", {"h": _down(oel), "hh": _down(2 * oel)}, basis, range=(0.0, _down(3 * oel)))
    if oel >= LEAST_SHARE * (detector.high - detector.low):
        return _within(detector, wanted)
    return _by_idlh(detector, gas, unit, air, wanted, oel)


def _by_idlh(
    detector: Detector, gas: GasFacts, unit: str, air: Air, wanted: SetPoints, oel: float
) -> SetPoints:  # fmt: skip
    """The range is so wide that 100 %OEL cannot be told apart from zero."""
    wide = (
        f"量程 {detector.low:g}–{detector.high:g} {unit} 过宽,100 %OEL = {oel:.3g} {unit} 不足量程的 {LEAST_SHARE:.0%}"
    )
    idlh = _idlh(gas, unit, air)
    if idlh is None:
        return SetPoints("toxic", {}, "", wanted.clause, wanted.range, (wide, f"{gas.name}的 IDLH 未知,应更换探测器"))
    if idlh * 0.05 <= oel:
        return SetPoints("toxic", {}, "", wanted.clause, wanted.range, (wide, "5 %IDLH 不高于 100 %OEL,应更换探测器"))
    values = {"h": _down(idlh * 0.05), "hh": _down(idlh * 0.1)}
    basis = f"5 %、10 %IDLH;{gas.name} IDLH {idlh:.3g} {unit}({air.celsius:g} ℃、{air.kpa:g} kPa)"
    found = _within(detector, SetPoints("toxic", values, basis, wanted.clause, (0.0, _down(0.3 * idlh))))
    return SetPoints(found.kind, found.values, found.basis, found.clause, found.range, (wide, *found.problems))


def _idlh(gas: GasFacts, unit: str, air: Air) -> float | None:
    if gas.idlh_mg_m3 is not None:
        known = unit == "mg/m³" or gas.molar_mass is not None
        return _in_unit(gas.idlh_mg_m3, gas, unit, air) if known else None
    if gas.idlh_ppm is None:
        return None
    if unit == "mg/m³":
        return mg_m3_of_ppm(gas.idlh_ppm, gas.molar_mass, air) if gas.molar_mass else None
    return gas.idlh_ppm * (_PPB if unit == "ppb" else 1)


def _in_unit(mg_m3: float, gas: GasFacts, unit: str, air: Air) -> float:
    if unit == "mg/m³" or gas.molar_mass is None:
        return mg_m3
    return ppm_of_mg_m3(mg_m3, gas.molar_mass, air) * (_PPB if unit == "ppb" else 1)


def _within(detector: Detector, wanted: SetPoints) -> SetPoints:
    """Without what lies outside the range of the detector; that is a problem of the detector."""
    inside = {name: value for name, value in wanted.values.items() if detector.low <= value <= detector.high}
    lost = [f"量程 {detector.low:g}–{detector.high:g} {detector.unit} 达不到设定值 {wanted.values[name]:g},应更换探测器"
            for name in wanted.values if name not in inside]  # fmt: skip
    return SetPoints(wanted.kind, inside, wanted.basis, wanted.clause, wanted.range, (*wanted.problems, *lost))


def _down(value: float) -> float:
    """Three digits, never above: the standard gives the most that a set point may be."""
    if value <= 0:
        return 0.0
    step = 10.0 ** (math.floor(math.log10(value)) - _DIGITS + 1)
    down = math.floor(value / step * (1 + 1e-12)) * step
    return float(f"{down:.{_DIGITS}g}")


#: What kinds of differences are called on screen and in files.
WORDS = {"missing": "未设", "laxer": "宽于标准", "stricter": "严于标准", "sets": "企业与监管不一致"}


@dataclass(frozen=True, slots=True)
class Difference:
    """One threshold that is not as proposed, or on which the two sets do not agree.

    ``kind``: ``missing`` nothing is configured; ``laxer`` it rings later than the standard allows; ``stricter`` it
    rings earlier, which is allowed; ``sets`` the enterprise's and the regulator's set differ.
    """

    threshold: str
    kind: str
    proposed: float | None
    own: float | None
    regulator: float | None


def differences(
    proposed: Mapping[str, float], own: Mapping[str, float | None], regulator: Mapping[str, float | None]
) -> list[Difference]:
    """What stands between the standard, the enterprise's set and the regulator's, threshold by threshold."""
    found = []
    for name in ("ll", "l", "h", "hh"):
        wanted, held, theirs = proposed.get(name), own.get(name), regulator.get(name)
        if wanted is not None and held is None:
            found.append(Difference(name, "missing", wanted, held, theirs))
        elif wanted is not None and held is not None and not math.isclose(wanted, held, rel_tol=5e-3):
            laxer = held < wanted if name in {"ll", "l"} else held > wanted
            found.append(Difference(name, "laxer" if laxer else "stricter", wanted, held, theirs))
        if theirs is not None and theirs != held:
            found.append(Difference(name, "sets", wanted, held, theirs))
    return found

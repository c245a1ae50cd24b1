"""Writes physical properties and vapour pressure curves of the knowledge base, one source for each value.

Run it by hand after `pip install "chemicals>=1.5,<2" pypinyin`; the node itself needs neither. Guards: nothing for
mixtures, no boiling point and no vapour pressure for what decomposes before it boils, no estimate ever.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Callable, Iterator
from pathlib import Path

from chemicals.identifiers import search_chemical

import chemicals
from chemicals import safety, vapor_pressure, volume

HERE = Path(__file__).parents[1] / "src" / "hazwatch" / "chemicals" / "data"
#: Whatever a library says of these, it is one of many compositions.
MIXTURES = {
    "86290-81-5", "8030-30-6", "8002-05-9", "68334-30-5", "8008-20-6", "68476-85-7", "8006-14-2", "52583-42-3",
    "8014-95-7", "1336-21-6", "1330-20-7", "9004-70-0", "26471-62-5", "8006-64-2", "65996-93-2", "8007-45-2",
    "68476-34-6", "7681-52-9", "28653-16-9", "1338-23-4",
}  # fmt: skip
#: Mixtures of isomers: what their formula fixes is known all the same.
ISOMERS = {"1330-20-7": 106.165, "26471-62-5": 174.156}
DECOMPOSING = {"explosive", "org_perox", "self_react"}
DECOMPOSERS = {
    "7722-84-1", "6484-52-2", "506-93-4", "3811-04-9", "7775-09-9", "7790-98-9", "7778-74-7", "7601-89-0", "7601-90-3",
    "7757-79-1", "7631-99-4", "10022-31-8", "7761-88-8", "7722-64-7", "7778-50-9", "1333-82-0", "7727-54-0",
    "7632-00-0", "7778-54-3", "2893-78-9", "87-90-1", "7758-19-2", "26628-22-8", "101-25-7", "123-77-3", "10049-04-4",
    "144-55-8", "12125-02-9", "7783-20-2", "16940-66-2", "7775-14-6", "88-89-1", "506-77-4", "7803-62-5", "463-51-4",
}  # fmt: skip
MEASURED = {
    "flash_point": (safety.T_flash, ("IEC 60079-20-1 (2010)", "NFPA 497 (2008)", "Serat DIPPR (2017)", "WIKIDATA")),
    "autoignition": (safety.T_autoignition, ("IEC 60079-20-1 (2010)", "NFPA 497 (2008)")),
    "lel": (safety.LFL, ("IEC 60079-20-1 (2010)", "NFPA 497 (2008)")),
    "uel": (safety.UFL, ("IEC 60079-20-1 (2010)", "NFPA 497 (2008)")),
}
#: Compilations in the order in which they are believed. Estimates, and the open notebook of melting points, which tells
#: those of solutions too, are not among them.
PHASE = ("CRC_ORG", "CRC_INORG", "HEOS", "WEBBOOK", "COMMON_CHEMISTRY")
CRITICAL = ("HEOS", "IUPAC", "MATTHEWS", "CRC", "PSRK", "PINAMARTINES", "WEBBOOK")
CELSIUS = 273.15
MISFIT = 0.05


def substances() -> Iterator[dict[str, str]]:
    with (HERE / "substances.csv").open(encoding="utf-8") as file:
        yield from csv.DictReader(file)


def first(function: Callable, methods: Callable, cas: str, wanted: tuple[str, ...]) -> tuple[float, str] | None:
    """The value of the first of the wanted compilations of measured values that has one."""
    there = methods(CASRN=cas)
    for method in wanted:
        value = function(CASRN=cas, method=method) if method in there else None
        if value is not None and math.isfinite(value):
            return value, method
    return None


def identified(row: dict[str, str]) -> bool:
    """Whether name and CAS mean the same substance to the library."""
    try:
        return search_chemical(row["name_en"]).CASs == row["cas"]
    except ValueError:
        return False


def properties(row: dict[str, str]) -> Iterator[tuple[str, float, str, str]]:
    cas = row["cas"]
    if cas in ISOMERS:
        yield "molar_mass", ISOMERS[cas], "g/mol", "sum of atoms of the isomers"
    if cas in MIXTURES:
        return
    if identified(row):
        yield "molar_mass", round(search_chemical(cas).MW, 3), "g/mol", "chemicals: sum of atoms"
    falls_apart = bool(set(row["families"].split()) & DECOMPOSING) or cas in DECOMPOSERS
    melting = first(chemicals.Tm, chemicals.Tm_methods, cas, PHASE)
    boiling = None if falls_apart else first(chemicals.Tb, chemicals.Tb_methods, cas, PHASE)
    if melting and boiling and boiling[0] < melting[0]:
        boiling = None  # it sublimes, or one of the two is of something else
    critical = None if falls_apart else first(chemicals.Tc, chemicals.Tc_methods, cas, CRITICAL)
    pressure = None if falls_apart else first(chemicals.Pc, chemicals.Pc_methods, cas, CRITICAL)
    for name, found in (("melting_point", melting), ("boiling_point", boiling), ("critical_temperature", critical)):
        if found:
            yield name, round(found[0] - CELSIUS, 1), "℃", f"chemicals: {found[1]}"
    if pressure:
        yield "critical_pressure", round(pressure[0] / 1e6, 3), "MPa", f"chemicals: {pressure[1]}"
    yield from measured(cas)
    density = liquid_density(cas)
    if density is not None:
        yield "liquid_density_25c", density, "kg/m³", "chemicals: Perry 8E table 2-32 (DIPPR 105)"


def measured(cas: str) -> Iterator[tuple[str, float, str, str]]:
    for name, (function, wanted) in MEASURED.items():
        found = first(function, getattr(safety, f"{function.__name__}_methods"), cas, wanted)
        if found and name in {"lel", "uel"}:
            yield name, round(found[0] * 100, 3), "%vol", f"chemicals: {found[1]}"
        elif found:
            yield name, round(found[0] - CELSIUS, 1), "℃", f"chemicals: {found[1]}"


def liquid_density(cas: str) -> float | None:
    """kg/m³ at 25 °C where the curve is valid there and the substance is a liquid or liquefied below Tc."""
    table = volume.rho_data_Perry_8E_105_l
    if cas not in table.index:
        return None
    row = table.loc[cas]
    t = 298.15
    if not row["Tmin"] <= t <= row["Tmax"]:
        return None
    molar = row["C1"] / row["C2"] ** (1 + (1 - t / row["C3"]) ** row["C4"])  # mol/m³
    return round(molar * search_chemical(cas).MW / 1000, 1)


def curves(row: dict[str, str]) -> Iterator[tuple]:
    """Coefficients of ln(p/Pa) = A + B/T + C ln T + D T^E with the range in which they hold."""
    cas, families = row["cas"], set(row["families"].split())
    table = vapor_pressure.Psat_data_Perrys2_8
    if cas in MIXTURES or families & DECOMPOSING or cas in DECOMPOSERS or cas not in table.index:
        return
    tc = first(chemicals.Tc, chemicals.Tc_methods, cas, CRITICAL)
    tb = first(chemicals.Tb, chemicals.Tb_methods, cas, PHASE)
    data = table.loc[cas]
    if tc is None or not identified(row):
        return
    if tb and data["Tmin"] <= tb[0] <= data["Tmax"]:
        terms = data["C1"] + data["C2"] / tb[0] + data["C3"] * math.log(tb[0]) + data["C4"] * tb[0] ** data["C5"]
        if abs(math.exp(terms) / 101_325 - 1) > MISFIT:
            return  # curve and boiling point contradict each other
    yield (
        cas, *(float(data[f"C{n}"]) for n in range(1, 6)), float(data["Tmin"]), min(float(data["Tmax"]), tc[0]),
        round(tc[0], 3), "chemicals: Perry 8E table 2-8 (DIPPR 101)",
    )  # fmt: skip


def write(name: str, head: str, rows: Iterator[tuple]) -> None:
    with (HERE / name).open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(head.split(","))
        writer.writerows(rows)


def pinyin() -> Iterator[tuple[str, str]]:
    """Syllables without tones of the letters of GB 2312, for names typed by their sound."""
    from pypinyin import Style
    from pypinyin import pinyin as sounds

    letters = {bytes([high, low]).decode("gb2312", "ignore") for high in range(0xB0, 0xF8) for low in range(0xA1, 0xFF)}
    for row in substances():
        letters |= {letter for letter in row["name_zh"] + row["aliases"] if "\u4e00" <= letter <= "\u9fff"}
    by_sound: dict[str, list[str]] = {}
    for letter in sorted(filter(None, letters)):
        by_sound.setdefault(sounds(letter, style=Style.NORMAL)[0][0], []).append(letter)
    for sound, found in sorted(by_sound.items()):
        yield sound, "".join(found)


if __name__ == "__main__":
    rows = list(substances())
    write("properties.csv", "cas,property,value,unit,source", ((r["cas"], *p) for r in rows for p in properties(r)))
    write(
        "vapour_pressure.csv", "cas,a,b,c,d,e,t_min_k,t_max_k,t_critical_k,source", (c for r in rows for c in curves(r))
    )
    write("pinyin.csv", "sound,letters", pinyin())

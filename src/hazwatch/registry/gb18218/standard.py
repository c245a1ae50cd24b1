"""The tables of GB 18218-2018 as data; every row names its place in the standard."""

from __future__ import annotations

import csv
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from importlib.resources import files

#: What the standard does not cover (clause 1), by the word that the API uses.
NOT_APPLICABLE: Mapping[str, str] = {
    "nuclear": "核设施和加工放射性物质的工厂(其中处理非放射性物质的部门适用)",
    "military": "军事设施",
    "mining": "采矿业(其中危险化学品的加工工艺及储存活动适用)",
    "transport": "危险化学品的厂外运输(包括铁路、道路、水路、航空、管道等)",
    "offshore": "海上石油天然气开采活动",
}
#: How a unit is delimited (clause 3.5, 3.6): kind of unit → what bounds it.
UNIT_KINDS: Mapping[str, str] = {
    "production": "生产单元:装置及设施之间有切断阀时,以切断阀作为分隔界限",
    "tanks": "储存单元(储罐区):以罐区防火堤为界限",
    "warehouse": "储存单元(仓库):以独立库房(独立建筑物)为界限",
}


@dataclass(frozen=True, slots=True)
class Row:
    """A row of Table 1.

    Attributes:
        called: further names (for coal gas also the CAS number of its carbon monoxide) by which the row may be meant
            once its form is known.
        forms: wordings of the form that the row asks for.
        form_needed: ``always`` (a name or CAS alone does not tell the row), ``with_cas`` (the CAS does not) or empty.
        symbols: classes of Table 4 that are usual for the substance (our suggestion); empty where Table 3 names it.
        certainty: of these classes: H, M, L, or ``table3``.
    """

    no: int
    name: str
    name_en: str
    aliases: tuple[str, ...]
    called: tuple[str, ...]
    forms: tuple[str, ...]
    form_needed: str
    cas: tuple[str, ...]
    critical: Fraction
    symbols: tuple[str, ...]
    certainty: str


@dataclass(frozen=True, slots=True)
class Category:
    """A class of Table 2 with its β of Table 4."""

    symbol: str
    hazard: str
    description: str
    critical: Fraction
    beta: Fraction


@dataclass(frozen=True, slots=True)
class Step:
    """A step of Table 5 (people → α) or Table 6 (R → level): from ``least`` on."""

    least: Fraction
    name: str
    value: Fraction


def normal(text: str) -> str:
    """A name or form as it is compared: width, case, spaces and kinds of brackets do not matter."""
    text = unicodedata.normalize("NFKC", text).casefold()
    text = re.sub(r"[\[{〔【]", "(", re.sub(r"[\]}〕】]", ")", text))
    text = re.sub(r"(?:>=|≧|⩾|大于等于|不小于|不低于)", "≥", re.sub(r"(?:<=|≦|⩽|小于等于|不大于|不高于)", "≤", text))
    text = re.sub(r"(?:大于|高于)", ">", re.sub(r"(?:小于|低于)", "<", text))
    return re.sub(r"[\s·]+", "", text.replace("、", ",").replace("﹐", ","))


@cache
def table1() -> tuple[Row, ...]:
    """Named substances, 85 rows, in the order of the standard."""
    return tuple(
        Row(
            int(r["no"]), r["name_zh"], r["name_en"], _list(r["aliases"]), _list(r["called"]), _list(r["forms"]),
            r["form_needed"], _list(r["cas"]), Fraction(r["critical_quantity_t"]),
            tuple(re.split(r"[;|]", r["symbols"])) if r["symbols"] else (), r["symbols_confidence"],
        )
        for r in _rows("table1")
    )  # fmt: skip


@cache
def table2() -> Mapping[str, Category]:
    """Classes by symbol, with β of Table 4."""
    return {
        r["symbol"]: Category(
            r["symbol"], r["hazard_class_zh"], r["description_zh"], Fraction(r["critical_quantity_t"]),
            Fraction(r["beta"]),
        )
        for r in _rows("table2")
    }  # fmt: skip


@cache
def table3() -> Mapping[str, tuple[str, Fraction]]:
    """β of named toxic gases: CAS → (name, β)."""
    return {r["cas"]: (r["name_zh"], Fraction(r["beta"])) for r in _rows("table3")}


@cache
def table5() -> tuple[Step, ...]:
    """α by people within 500 m of the site boundary, most people first."""
    return tuple(Step(Fraction(r["population_min"]), r["label_zh"], Fraction(r["alpha"])) for r in _rows("table5"))


@cache
def table6() -> tuple[Step, ...]:
    """Levels by R, worst first; ``value`` is the number of the level, 1 the worst."""
    return tuple(Step(Fraction(r["r_min_inclusive"]), r["name_zh"], Fraction(r["level"])) for r in _rows("table6"))


def _rows(name: str) -> list[dict[str, str]]:
    text = files(__package__).joinpath(f"{name}.csv").read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))


def _list(text: str) -> tuple[str, ...]:
    return tuple(part for part in text.split(";") if part)

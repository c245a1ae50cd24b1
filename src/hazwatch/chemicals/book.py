"""The data of the knowledge base, read once from the package."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from hazwatch.chemicals.model import Curve, Fact, Family, Flag, Substance
from hazwatch.chemicals.reactivity import Matrix, Rule


@dataclass(frozen=True, slots=True)
class Accident:
    """A well-known accident, told in our own words; ``cas`` of the substances in it."""

    date: str
    place: str
    title: str
    cas: tuple[str, ...]
    kind: str
    cause: str
    lesson: str
    deaths: str
    source: str


@dataclass(frozen=True, slots=True)
class Book:
    """The knowledge base; ``sounds`` tells the syllable of a Chinese letter."""

    substances: Mapping[str, Substance]
    families: Mapping[str, Family]
    groups: Mapping[str, str]
    matrix: Matrix
    accidents: tuple[Accident, ...]
    sounds: Mapping[str, str]


@cache
def book() -> Book:
    """The whole book. The first call reads about 300 kB."""
    groups = {row["group"]: row["name_zh"] for row in _rows("groups")}
    families = {
        row["family"]: Family(
            row["family"], row["name_zh"], row["storage"], row["fire"], row["first_aid"],
            _number(row["isolation_m"]), _number(row["isolation_fire_m"]),
        )
        for row in _rows("families")
    }  # fmt: skip
    rules = [
        Rule(
            tuple(r["a"].split()), tuple(r["b"].split()), r["verdict"], _list(r["effects"]), _list(r["gases"]),
            r["reason"],
        )
        for r in _rows("matrix")
    ]  # fmt: skip
    accidents = tuple(
        Accident(
            r["date"], r["place"], r["title"], _list(r["cas"]), r["kind"], r["cause"], r["lesson"], r["deaths"],
            r["source"],
        )
        for r in _rows("accidents")
    )  # fmt: skip
    sounds = {letter: row["sound"] for row in _rows("pinyin") for letter in row["letters"]}
    return Book(_substances(), families, groups, Matrix(rules), accidents, sounds)


def _substances() -> dict[str, Substance]:
    properties: dict[str, dict[str, list[Fact]]] = defaultdict(lambda: defaultdict(list))
    exposure: dict[str, dict[str, Fact]] = defaultdict(dict)
    for row in _rows("exposure"):
        fact = Fact(float(row["value"]), row["unit"], row["source"], row["certainty"], row["note"])
        exposure[row["cas"]][row["kind"]] = fact
        if row["kind"] in {"LEL", "UEL"}:
            properties[row["cas"]][row["kind"].lower()].append(fact)
    for row in _rows("properties"):
        properties[row["cas"]][row["property"]].append(Fact(float(row["value"]), row["unit"], row["source"]))
    flags: dict[str, list[Flag]] = defaultdict(list)
    for row in _rows("flags"):
        flags[row["cas"]].append(Flag(row["flag"], row["no"], row["source"]))
    rules: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for row in _rows("rules"):
        rules[row["cas"]].append((row["topic"], row["rule"]))
    curves = {
        row["cas"]: Curve(
            (float(row["a"]), float(row["b"]), float(row["c"]), float(row["d"]), float(row["e"])),
            float(row["t_min_k"]), float(row["t_max_k"]), float(row["t_critical_k"]), row["source"],
        )
        for row in _rows("vapour_pressure")
    }  # fmt: skip
    return {
        row["cas"]: Substance(
            row["cas"], row["name_zh"], row["name_en"], _list(row["aliases"]), _list(row["un"]),
            tuple(row["ghs"].split()), tuple(row["groups"].split()), tuple(row["families"].split()),
            {key: tuple(facts) for key, facts in properties[row["cas"]].items()}, dict(exposure[row["cas"]]),
            tuple(flags[row["cas"]]), tuple(rules[row["cas"]]), curves.get(row["cas"]),
        )
        for row in _rows("substances")
    }  # fmt: skip


def _rows(name: str) -> list[dict[str, str]]:
    text = files(__package__).joinpath("data", f"{name}.csv").read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))


def _list(text: str) -> tuple[str, ...]:
    return tuple(part for part in text.split(";") if part)


def _number(text: str) -> float | None:
    return float(text) if text else None

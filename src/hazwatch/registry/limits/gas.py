"""Ceilings of toxic gas set points after GB/T 50493-2019: 高 ≤ 100 %OEL, 高高 ≤ 200 %OEL."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from importlib.resources import files


@dataclass(frozen=True, slots=True)
class Ceiling:
    """Highest first and second set point of a substance in one unit."""

    name: str
    first: float
    second: float


def ceiling_of(cas: str | None, unit: str) -> Ceiling | None:
    """The ceiling for a substance, None when none is known or the unit is neither ppm nor mg/m³."""
    column = {"ppm": "ppm", "mg/m³": "mgm3", "mg/m3": "mgm3"}.get(unit.lower())
    row = _table().get(cas or "")
    if row is None or column is None:
        return None
    return Ceiling(row["name"], float(row[f"h_{column}"]), float(row[f"hh_{column}"]))


@cache
def _table() -> dict[str, dict[str, str]]:
    text = files(__package__).joinpath("toxic_ceilings.csv").read_text(encoding="utf-8")
    return {row["cas"]: row for row in csv.DictReader(text.splitlines())}

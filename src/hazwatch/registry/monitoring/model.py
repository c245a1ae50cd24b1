"""Pure: which points an object is expected to have, and which of them it has.

A point counts for an expectation when its quantity fits and, where words are given, one of them stands in its name or
tag. That is a check of completeness, not law: what is missing here asks for a look at the drawing, not for a fine.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import NamedTuple

TANK, STORE, PROCESS = "tank", "warehouse", "process"
#: What kinds of objects are called in files.
KINDS = {TANK: "储罐", STORE: "仓库", PROCESS: "工艺"}
_TANKS = "GB 17681-2024、40号令第13条"
_STORES = "GB 17681-2024(原 AQ 3035-2010)"
_GAS = "GB/T 50493-2019"
_COMBUSTIBLE_UNITS = ("%LEL", "%vol", "LEL·m")
_TOXIC_UNITS = ("ppm", "ppb", "mg/m³")
#: Forms of tanks whose gas space is closed, so that its pressure must be watched.
_CLOSED = ("球", "压力", "卧", "氮封", "低温", "固定顶", "气柜")


class Place(NamedTuple):
    """A point as far as it counts here; a tuple, because a province has 60,000 of them."""

    code: str
    name: str
    tag: str
    quantity: str
    unit: str = ""


#: Points by the code of their quantity.
Places = Mapping[str, Sequence[Place]]


@dataclass(frozen=True, slots=True)
class Expectation:
    """One thing to be watched.

    Attributes:
        quantities: codes of quantities that will do.
        words: one of them must stand in name or tag; empty = any point of the quantity.
        least: how many points.
        of_source: detectors of the same hazard source count too.
        units: one of them must be the point's; empty = any.
    """

    name: str
    quantities: tuple[str, ...]
    words: tuple[str, ...]
    clause: str
    least: int = 1
    of_source: bool = False
    units: tuple[str, ...] = ()


class Answer(NamedTuple):
    """An expectation with the points that meet it."""

    wanted: Expectation
    points: tuple[str, ...]

    @property
    def met(self) -> bool:
        """Whether there are enough."""
        return len(self.points) >= self.wanted.least


@cache
def for_tank(form: str, *, combustible: bool | None, toxic: bool | None) -> tuple[Expectation, ...]:
    """What a tank is expected to have; None where nobody knows whether the medium burns or is toxic."""
    wanted = [
        Expectation("液位", ("YW",), (), _TANKS),
        Expectation("第二路独立液位", ("YW", "KG"), ("液位", "LT", "LI", "LS"), _TANKS, least=2),
        Expectation("温度", ("WD",), (), _TANKS),
        Expectation("进出口切断阀状态", ("FW", "KG"), ("阀", "XV", "SDV", "ESDV"), _TANKS),
    ]
    if not form or any(word in form for word in _CLOSED):
        wanted.append(Expectation("压力", ("YL",), (), _TANKS))
    return (*wanted, *_detectors(combustible=combustible, toxic=toxic))


@cache
def for_warehouse(*, combustible: bool | None, toxic: bool | None) -> tuple[Expectation, ...]:
    """What a warehouse is expected to have."""
    wanted = [Expectation("温度", ("WD",), (), _STORES), Expectation("湿度", ("SD",), (), _STORES)]
    if combustible is not False:
        wanted.append(Expectation("火焰或感烟", ("KG",), ("火", "烟", "感温"), _STORES, of_source=True))
    return (*wanted, *_detectors(combustible=combustible, toxic=toxic))


@cache
def processes() -> Mapping[str, tuple[Expectation, ...]]:
    """What each of the 18 hazardous processes is expected to have, by its name in the official list."""
    found: dict[str, list[Expectation]] = {}
    text = files(__package__).joinpath("processes.csv").read_text(encoding="utf-8")
    for row in csv.DictReader(text.splitlines()):
        found.setdefault(row["process"], []).append(
            Expectation(
                row["parameter"], tuple(row["quantities"].split()), tuple(row["words"].split()), row["document"],
                of_source="QT" in row["quantities"],
            )
        )  # fmt: skip
    return {name: tuple(wanted) for name, wanted in found.items()}


def by_quantity(places: Iterable[Place]) -> Places:
    """Points by their quantity."""
    found: dict[str, list[Place]] = {}
    for place in places:
        found.setdefault(place.quantity, []).append(place)
    return found


def answer(wanted: Sequence[Expectation], own: Places, of_source: Places) -> list[Answer]:
    """Which points meet which expectation.

    Args:
        wanted: expectations.
        own: points of the object itself.
        of_source: points of all detectors of its hazard source.
    """
    return [Answer(one, _meeting(one, own, of_source)) for one in wanted]


def _meeting(one: Expectation, own: Places, of_source: Places) -> tuple[str, ...]:
    """Codes of the points that meet an expectation: its own first, then those of the source."""
    codes: list[str] = []
    for places in (own, of_source) if one.of_source else (own,):
        for quantity in one.quantities:
            codes += [p.code for p in places.get(quantity, ()) if _fits(one, p)]
    # A detector of the object stands in both; keys of a dict keep the order.
    return tuple(dict.fromkeys(codes)) if len(codes) > 1 else tuple(codes)


def percent(answers: Sequence[Answer]) -> float | None:
    """Share of expectations that are met, in %, one digit; None where there are none."""
    return round(100 * sum(one.met for one in answers) / len(answers), 1) if answers else None


def _fits(one: Expectation, place: Place) -> bool:
    """Whether a point of a wanted quantity has the unit and one of the words that are asked for."""
    if one.units and place.unit not in one.units:
        return False
    return not one.words or any(word in place.name or word in place.tag for word in one.words)


def _detectors(*, combustible: bool | None, toxic: bool | None) -> list[Expectation]:
    """Gas detectors; a gas that is both is watched as toxic. Where the medium is unknown, any detector will do."""
    if toxic:
        return [Expectation("有毒气体探测", ("QT",), (), _GAS, of_source=True, units=_TOXIC_UNITS)]
    if combustible:
        return [Expectation("可燃气体探测", ("QT",), (), _GAS, of_source=True, units=_COMBUSTIBLE_UNITS)]
    if combustible is None and toxic is None:
        return [Expectation("气体探测(介质未知)", ("QT",), (), _GAS, of_source=True)]
    return []

"""Completeness of monitoring of all objects in scope: tanks, warehouses, and processes as the files declare them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from hazwatch.identity.errors import invalid
from hazwatch.identity.model import Principal
from hazwatch.identity.scope import scoped
from hazwatch.registry.files.tables import FileRow
from hazwatch.registry.monitoring.model import (
    Answer,
    Place,
    answer,
    for_tank,
    for_warehouse,
    percent,
    processes,
)
from hazwatch.registry.tables import Enterprise, Equipment, Point, Source

#: (combustible, toxic) of a medium by CAS number and name; None where it is not known. Handed in from outside.
NatureOf = Callable[[str | None, str | None], tuple[bool | None, bool | None]]
TANK, STORE, PROCESS = "tank", "warehouse", "process"
KINDS = {TANK: "储罐", STORE: "仓库", PROCESS: "工艺"}
_TYPES = {"G0": TANK, "C0": STORE}


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which objects; empty = all in scope."""

    enterprise: str = ""
    source: str = ""
    kind: str = ""
    missing_only: bool = False


@dataclass(slots=True)
class _Plant:
    """Everything read at once."""

    equipment: list[tuple[Equipment, str, str]] = field(default_factory=list)
    points: dict[str, list[Place]] = field(default_factory=lambda: defaultdict(list))
    detectors: dict[str, list[Place]] = field(default_factory=lambda: defaultdict(list))


def completeness(session: Session, who: Principal, wanted: Wanted, nature_of: NatureOf) -> dict[str, Any]:
    """``{percent, expected, present, by_kind, items}``; the items with most missing first.

    Raises:
        ApiError: 422 an unknown kind.
    """
    if wanted.kind and wanted.kind not in KINDS:
        raise invalid("kind", f"应为 {'、'.join(KINDS)} 之一")
    plant = _read(session, who, wanted)
    items = [
        _of_equipment(plant, row, names, nature_of) for row, *names in plant.equipment if row.code[12:14] in _TYPES
    ]
    if not wanted.source:
        items += _of_processes(session, who, wanted, plant)
    items = [item for item in items if not wanted.kind or item["kind"] == wanted.kind]
    by_kind = {kind: _sum([item for item in items if item["kind"] == kind]) for kind in KINDS}
    whole = _sum(items)
    if wanted.missing_only:
        items = [item for item in items if item["missing"]]
    items.sort(key=lambda item: (-len(item["missing"]), item["code"]))
    return whole | {"by_kind": by_kind, "items": items}


def _read(session: Session, who: Principal, wanted: Wanted) -> _Plant:
    plant = _Plant()
    statement = (
        scoped(select(Equipment, Source.name, Enterprise.name), who, Equipment)
        .join(Source, Source.code == Equipment.source)
        .join(Enterprise, Enterprise.code == Source.enterprise)
        .order_by(Equipment.code)
    )
    points = scoped(select(Point.code, Point.name, Point.tag, Point.quantity, Point.unit, Point.equipment), who, Point)
    if wanted.enterprise:
        statement = statement.where(Source.enterprise == wanted.enterprise)
        points = points.where(Point.enterprise == wanted.enterprise)
    if wanted.source:
        statement = statement.where(Equipment.source == wanted.source)
        points = points.where(Point.source == wanted.source)
    plant.equipment = [(row, source, enterprise) for row, source, enterprise in session.execute(statement)]
    for code, name, tag, quantity, unit, equipment in session.execute(points.order_by(Point.code)):
        place = Place(code, name, tag or "", quantity, unit)
        plant.points[equipment].append(place)
        if equipment[12:14] == "Q0":
            plant.detectors[equipment[:12]].append(place)
    return plant


def _of_equipment(plant: _Plant, row: Equipment, names: list[str], nature_of: NatureOf) -> dict[str, Any]:
    combustible, toxic = nature_of(row.cas, row.medium)
    kind = _TYPES[row.code[12:14]]
    if kind == TANK:
        expected = for_tank(row.form or "", combustible=combustible, toxic=toxic)
    else:
        expected = for_warehouse(combustible=combustible, toxic=toxic)
    answers = answer(expected, plant.points.get(row.code, []), plant.detectors.get(row.source, []))
    return _form(kind, row.code, row.name, answers) | {
        "source": row.source, "source_name": names[0], "enterprise": row.source[:9], "enterprise_name": names[1],
        "medium": row.medium,
    }  # fmt: skip


def _of_processes(session: Session, who: Principal, wanted: Wanted, plant: _Plant) -> list[dict[str, Any]]:
    """Processes that the files declare, each with the points of its unit, or of all units where no name fits."""
    statement = (
        scoped(select(FileRow, Enterprise.name).where(FileRow.group == "processes"), who, FileRow)
        .join(Enterprise, Enterprise.code == FileRow.owner)
        .order_by(FileRow.owner, FileRow.row)
    )
    if wanted.enterprise:
        statement = statement.where(FileRow.owner == wanted.enterprise)
    units: dict[str, list[Equipment]] = defaultdict(list)
    for row, *_ in plant.equipment:
        if row.code[12:14] == "S0":
            units[row.code[:9]].append(row)
    found = []
    for held, owner in session.execute(statement):
        expected = processes().get(str(held.body.get("kind")))
        if expected is not None:
            found.append(_of_process(plant, held, owner, units.get(held.owner, []), answer_to=expected))
    return found


def _of_process(
    plant: _Plant, held: FileRow, owner: str, units: list[Equipment], *, answer_to: Any
) -> dict[str, Any]:  # fmt: skip
    body: Mapping[str, Any] = held.body
    unit = str(body.get("unit") or "")
    named = [row for row in units if unit and (unit in row.name or row.name in unit)]
    chosen = named or units
    own = [place for row in chosen for place in plant.points.get(row.code, [])]
    detectors = [place for source in {row.source for row in chosen} for place in plant.detectors.get(source, [])]
    title = f"{body['kind']}({unit})" if unit else str(body["kind"])
    form = _form(PROCESS, f"{held.owner}/{held.row}", title, answer(answer_to, own, detectors))
    return form | {
        "source": chosen[0].source if len(chosen) == 1 else None, "source_name": None, "enterprise": held.owner,
        "enterprise_name": owner, "medium": None, "units": [row.name for row in chosen], "unit_found": bool(named),
    }  # fmt: skip


def _form(kind: str, code: str, name: str, answers: list[Answer]) -> dict[str, Any]:
    return {
        "kind": kind, "code": code, "name": name, "percent": percent(answers),
        "expected": [
            {"name": one.wanted.name, "met": one.met, "points": list(one.points), "clause": one.wanted.clause}
            for one in answers
        ],
        "missing": [one.wanted.name for one in answers if not one.met],
    }  # fmt: skip


def _sum(items: list[dict[str, Any]]) -> dict[str, Any]:
    expected = sum(len(item["expected"]) for item in items)
    present = expected - sum(len(item["missing"]) for item in items)
    share = round(100 * present / expected, 1) if expected else None
    return {"objects": len(items), "expected": expected, "present": present, "percent": share}

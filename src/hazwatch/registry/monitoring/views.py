"""Completeness of monitoring of all objects in scope: tanks, warehouses, and processes as the files declare them."""

from __future__ import annotations

from collections import OrderedDict, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from threading import Lock
from typing import Any, NamedTuple

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from hazwatch.identity.errors import invalid
from hazwatch.identity.model import Principal
from hazwatch.identity.scope import scoped
from hazwatch.registry.files.tables import FileHead, FileRow
from hazwatch.registry.monitoring.model import (
    KINDS,
    PROCESS,
    STORE,
    TANK,
    Answer,
    Expectation,
    Place,
    answer,
    for_tank,
    for_warehouse,
    percent,
    processes,
)
from hazwatch.registry.service import version
from hazwatch.registry.tables import Enterprise, Equipment, Point, Source

#: (combustible, toxic) of a medium by CAS number and name; None where it is not known. Handed in from outside.
NatureOf = Callable[[str | None, str | None], tuple[bool | None, bool | None]]
_TYPES = {"G0": TANK, "C0": STORE}


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which objects; empty = all in scope."""

    enterprise: str = ""
    source: str = ""
    kind: str = ""
    missing_only: bool = False


class _Equipment(NamedTuple):
    """A piece of equipment with what decides here, and the name of its source."""

    code: str
    name: str
    source: str
    form: str | None
    cas: str | None
    medium: str | None
    source_name: str


@dataclass(slots=True)
class _Plant:
    """Everything read at once, from plain columns: a province has 60,000 points."""

    equipment: list[_Equipment] = field(default_factory=list)
    enterprises: dict[str, str] = field(default_factory=dict)
    points: dict[str, list[Place]] = field(default_factory=lambda: defaultdict(list))
    detectors: dict[str, list[Place]] = field(default_factory=lambda: defaultdict(list))


@dataclass(frozen=True, slots=True)
class _Item:
    """An object, its answers and how many expectations are not met, before it is dressed for a list."""

    kind: str
    code: str
    name: str
    answers: tuple[Answer, ...]
    lacks: int
    rest: dict[str, Any]

    def form(self) -> dict[str, Any]:
        """In the form of the API."""
        return {
            "kind": self.kind, "code": self.code, "name": self.name, "percent": percent(self.answers),
            "expected": [
                {"name": one.wanted.name, "met": one.met, "points": list(one.points), "clause": one.wanted.clause}
                for one in self.answers
            ],
            "missing": [one.wanted.name for one in self.answers if not one.met],
        } | self.rest  # fmt: skip


class Memory:
    """Answers of the last questions, each as long as neither registry nor files have changed.

    A page asks for one part and one kind after the other, and a province takes a second.
    """

    _MOST = 16

    def __init__(self) -> None:
        self._held: OrderedDict[tuple[Any, ...], tuple[_Item, ...]] = OrderedDict()
        self._lock = Lock()

    def get(
        self, session: Session, who: Principal, wanted: Wanted, ask: Callable[[], tuple[_Item, ...]]
    ) -> tuple[_Item, ...]:  # fmt: skip
        """The answer, from ``ask`` where it is not held."""
        # scope: node-internal because only whether anything changed is asked; answers are held by scope
        files = session.execute(select(func.sum(FileHead.version), func.count(FileHead.owner))).one()
        key = (version(session), *files, who.scope, wanted.enterprise, wanted.source)
        with self._lock:
            found = self._held.get(key)
        if found is None:
            found = ask()
        with self._lock:
            self._held[key] = found
            self._held.move_to_end(key)
            while len(self._held) > self._MOST:
                self._held.popitem(last=False)
        return found


def completeness(
    session: Session, who: Principal, wanted: Wanted, nature_of: NatureOf, part: slice = slice(None),
    memory: Memory | None = None,
) -> dict[str, Any]:  # fmt: skip
    """``{objects, expected, present, percent, by_kind, total, items}``; the items with most missing first.

    Args:
        session: a reading unit.
        who: who asks.
        wanted: which objects.
        nature_of: whether a medium burns and is toxic.
        part: which of the items are wanted.
        memory: of former answers, if any.

    Raises:
        ApiError: 422 an unknown kind.
    """
    if wanted.kind and wanted.kind not in KINDS:
        raise invalid("kind", f"应为 {'、'.join(KINDS)} 之一")

    def ask() -> tuple[_Item, ...]:
        return _all(session, who, wanted, nature_of)

    items = memory.get(session, who, wanted, ask) if memory else ask()
    if wanted.kind:
        items = tuple(item for item in items if item.kind == wanted.kind)
    sums = _sum(items) | {"by_kind": {kind: _sum([item for item in items if item.kind == kind]) for kind in KINDS}}
    if wanted.missing_only:
        items = tuple(item for item in items if item.lacks)
    return sums | {"total": len(items), "items": [item.form() for item in items[part]]}


def _all(session: Session, who: Principal, wanted: Wanted, nature_of: NatureOf) -> tuple[_Item, ...]:
    """Every object of the enterprise or source that is wanted, whatever its kind; most missing first."""
    plant = _read(session, who, wanted)
    items = [_of_equipment(plant, row, nature_of) for row in plant.equipment if row.code[12:14] in _TYPES]
    if not wanted.source:
        items += _of_processes(session, who, wanted, plant)
    items.sort(key=lambda item: (-item.lacks, item.code))
    return tuple(items)


def _item(kind: str, code: str, name: str, answers: Sequence[Answer], rest: dict[str, Any]) -> _Item:
    return _Item(kind, code, name, tuple(answers), sum([not one.met for one in answers]), rest)


def _read(session: Session, who: Principal, wanted: Wanted) -> _Plant:
    plant = _Plant()
    statement = (
        scoped(
            select(
                Equipment.code,
                Equipment.name,
                Equipment.source,
                Equipment.form,
                Equipment.cas,
                Equipment.medium,
                Source.name,
            ),
            who,
            Equipment,
        )
        .join(Source, Source.code == Equipment.source)
        .order_by(Equipment.code)
    )
    points = scoped(select(Point.code, Point.name, Point.tag, Point.quantity, Point.unit, Point.equipment), who, Point)
    if wanted.enterprise:
        statement = statement.where(Source.enterprise == wanted.enterprise)
        points = points.where(Point.enterprise == wanted.enterprise)
    if wanted.source:
        statement = statement.where(Equipment.source == wanted.source)
        points = points.where(Point.source == wanted.source)
    plant.equipment = [_Equipment(*row) for row in session.execute(statement).tuples()]
    names = scoped(select(Enterprise.code, Enterprise.name), who, Enterprise)
    plant.enterprises = dict(row.tuple() for row in session.execute(names))
    for code, name, tag, quantity, unit, equipment in session.execute(points).tuples():
        place = Place(code, name, tag or "", quantity, unit)
        plant.points[equipment].append(place)
        if equipment[12:14] == "Q0":
            plant.detectors[equipment[:12]].append(place)
    return plant


def _of_equipment(plant: _Plant, row: _Equipment, nature_of: NatureOf) -> _Item:
    combustible, toxic = nature_of(row.cas, row.medium)
    kind = _TYPES[row.code[12:14]]
    if kind == TANK:
        expected = for_tank(row.form or "", combustible=combustible, toxic=toxic)
    else:
        expected = for_warehouse(combustible=combustible, toxic=toxic)
    answers = answer(expected, plant.points.get(row.code, ()), plant.detectors.get(row.source, ()))
    enterprise = row.source[:9]
    rest = {
        "source": row.source, "source_name": row.source_name, "enterprise": enterprise,
        "enterprise_name": plant.enterprises.get(enterprise), "medium": row.medium,
    }  # fmt: skip
    return _item(kind, row.code, row.name, answers, rest)


def _of_processes(session: Session, who: Principal, wanted: Wanted, plant: _Plant) -> list[_Item]:
    """Processes that the files declare, each with the points of its unit, or of all units where no name fits."""
    columns = (FileRow.owner, FileRow.row, FileRow.body)
    statement = scoped(select(*columns).where(FileRow.group == "processes"), who, FileRow)
    if wanted.enterprise:
        statement = statement.where(FileRow.owner == wanted.enterprise)
    units: dict[str, list[_Equipment]] = defaultdict(list)
    for row in plant.equipment:
        if row.code[12:14] == "S0":
            units[row.code[:9]].append(row)
    found = []
    for owner, key, body in session.execute(statement):
        expected = processes().get(str(body.get("kind")))
        if expected is not None:
            found.append(_of_process(plant, f"{owner}/{key}", body, units.get(owner, []), expected))
    return found


def _of_process(
    plant: _Plant, code: str, body: Mapping[str, Any], units: list[_Equipment], expected: Sequence[Expectation]
) -> _Item:
    unit, enterprise = str(body.get("unit") or ""), code[:9]
    named = [row for row in units if unit and (unit in row.name or row.name in unit)]
    chosen = named or units
    own = [place for row in chosen for place in plant.points.get(row.code, ())]
    detectors = [place for source in {row.source for row in chosen} for place in plant.detectors.get(source, ())]
    rest = {
        "source": chosen[0].source if len(chosen) == 1 else None, "source_name": None, "enterprise": enterprise,
        "enterprise_name": plant.enterprises.get(enterprise), "medium": None, "units": [row.name for row in chosen],
        "unit_found": bool(named),
    }  # fmt: skip
    title = f"{body['kind']}({unit})" if unit else str(body["kind"])
    return _item(PROCESS, code, title, answer(expected, own, detectors), rest)


def _sum(items: Sequence[_Item]) -> dict[str, Any]:
    expected = sum(len(item.answers) for item in items)
    present = expected - sum(item.lacks for item in items)
    share = round(100 * present / expected, 1) if expected else None
    return {"objects": len(items), "expected": expected, "present": present, "percent": share}

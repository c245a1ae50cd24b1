"""Completeness of monitoring of all objects in scope: tanks, warehouses, and processes as the files declare them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from threading import Lock
from time import perf_counter, sleep
from typing import Any, NamedTuple

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from hazwatch.identity.errors import invalid
from hazwatch.identity.model import Principal
from hazwatch.identity.scope import scoped
from hazwatch.records.bulk import columns as driver_columns
from hazwatch.records.engine import Sessions, reading
from hazwatch.registry.files.tables import FileHead, FileRow, RowChange
from hazwatch.registry.monitoring.model import (
    KINDS,
    PROCESS,
    STORE,
    TANK,
    Answer,
    Expectation,
    Place,
    Places,
    answer,
    by_quantity,
    for_tank,
    for_warehouse,
    percent,
    processes,
)
from hazwatch.registry.service import version
from hazwatch.registry.tables import Enterprise, Equipment, Point, Source
from hazwatch.vocabulary.codes import ENTERPRISE_LENGTH, EQUIPMENT_LENGTH, SOURCE_LENGTH

#: (combustible, toxic) of a medium by CAS number and name; None where it is not known. Handed in from outside.
NatureOf = Callable[[str | None, str | None], tuple[bool | None, bool | None]]
_TYPES = {"G0": TANK, "C0": STORE}
#: Enterprises that are read at once.
_CHUNK = 100


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
    points: dict[str, dict[str, list[Place]]] = field(default_factory=dict)
    detectors: dict[str, dict[str, list[Place]]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Item:
    """An object and its answers, before it is dressed for a list."""

    kind: str
    code: str
    name: str
    answers: tuple[Answer, ...]
    rest: dict[str, Any]

    def brief(self) -> Brief:
        """What sums and order need."""
        return Brief(-sum([not one.met for one in self.answers]), self.code, self.kind, len(self.answers))

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


class Brief(NamedTuple):
    """An object in short, in the order of the list: how much it has (0 = everything, −n = n things are missing)."""

    has: int
    code: str
    kind: str
    expected: int


class _Held(NamedTuple):
    """Objects of an enterprise in short, and the version of its file that they hold for."""

    version: int
    briefs: tuple[Brief, ...]


class Memory:
    """What every enterprise's objects lack, in short, each as long as neither its registry rows nor its file change.

    A province takes half a second to look at anew, an enterprise a few milliseconds. Held by enterprise and filled as
    it is asked for, so that a county waits for its own enterprises only.
    """

    def __init__(self) -> None:
        self._held: dict[str, _Held] = {}
        #: Version of the registry up to which changes have been looked at.
        self._seen = 0
        self._lock = Lock()

    def briefs(self, session: Session, enterprises: Collection[str], nature_of: NatureOf) -> list[Brief]:
        """Objects of enterprises, most missing first."""
        # scope: node-internal because the enterprises were found in scope; versions only tell what to read anew
        files = dict(session.execute(select(FileHead.owner, FileHead.version)).tuples().all())
        now = version(session)
        with self._lock:
            self._forget(session, now)
            held = {code: self._held[code] for code in enterprises if code in self._held}
        missing = sorted(code for code in enterprises if code not in held or held[code].version != files.get(code, 0))
        for part in _parts(missing):
            fresh: dict[str, list[Brief]] = {code: [] for code in part}
            for item in _items(session, part, nature_of):
                fresh[item.code[:ENTERPRISE_LENGTH]].append(item.brief())
            held |= {code: _Held(files.get(code, 0), tuple(found)) for code, found in fresh.items()}
        with self._lock:
            # What was read before a change that others have looked at already would never be read again.
            if now >= self._seen:
                self._held |= {code: held[code] for code in missing}
        return sorted(brief for one in held.values() for brief in one.briefs)

    def warm(self, sessions: Sessions, nature_of: NatureOf, rest: Callable[[float], None] = sleep) -> None:
        """Look at every enterprise ahead of the first question, a few at a time with rests between.

        Args:
            sessions: of the records.
            nature_of: as ``completeness``.
            rest: seconds → waits; four times as long as the work took, so that pages are served meanwhile.
        """
        # scope: node-internal because nothing is told, only held
        with reading(sessions) as session:
            everybody = sorted(session.scalars(select(Enterprise.code)))
        for part in _parts(everybody):
            start = perf_counter()
            with reading(sessions) as session:
                self.briefs(session, part, nature_of)
            rest(4 * (perf_counter() - start))

    def _forget(self, session: Session, now: int) -> None:
        """Drop enterprises of which the registry has changed since."""
        if now > self._seen:
            # scope: node-internal because only whether anything changed is asked
            owner = func.substr(RowChange.code, 1, ENTERPRISE_LENGTH)
            for code in session.scalars(select(owner).where(RowChange.version > self._seen).distinct()):
                self._held.pop(code, None)
            self._seen = now


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
    found = (memory or Memory()).briefs(session, _enterprises(session, who, wanted), nature_of)
    if wanted.source:
        found = [one for one in found if one.kind != PROCESS and one.code.startswith(wanted.source)]
    if wanted.kind:
        found = [one for one in found if one.kind == wanted.kind]
    sums = _sum(found) | {"by_kind": {kind: _sum([one for one in found if one.kind == kind]) for kind in KINDS}}
    if wanted.missing_only:
        found = [one for one in found if one.has]
    return sums | {"total": len(found), "items": list(_dressed(session, found[part], nature_of))}


def _enterprises(session: Session, who: Principal, wanted: Wanted) -> set[str]:
    """Enterprises in scope that are asked for."""
    statement = scoped(select(Enterprise.code), who, Enterprise)
    for code in (wanted.enterprise, wanted.source[:ENTERPRISE_LENGTH]):
        if code:
            statement = statement.where(Enterprise.code == code)
    return set(session.scalars(statement))


def _dressed(session: Session, briefs: Sequence[Brief], nature_of: NatureOf) -> Iterator[dict[str, Any]]:
    """Objects in the form of the API, in the order given; read a few enterprises at a time."""
    forms: dict[str, dict[str, Any]] = {}
    wanted = {brief.code for brief in briefs}
    for part in _parts(sorted({code[:ENTERPRISE_LENGTH] for code in wanted})):
        forms |= {item.code: item.form() for item in _items(session, part, nature_of) if item.code in wanted}
    return (forms[brief.code] for brief in briefs if brief.code in forms)


def _parts(codes: list[str]) -> Iterator[list[str]]:
    return (codes[start : start + _CHUNK] for start in range(0, len(codes), _CHUNK))


def _items(session: Session, enterprises: Sequence[str], nature_of: NatureOf) -> Iterator[_Item]:
    """Every object of some enterprises."""
    plant = _read(session, enterprises)
    for row in plant.equipment:
        if row.code[12:14] in _TYPES:
            yield _of_equipment(plant, row, nature_of)
    yield from _of_processes(session, enterprises, plant)


def _read(session: Session, enterprises: Sequence[str]) -> _Plant:
    # scope: node-internal because the enterprises were found in scope
    columns = (
        Equipment.code, Equipment.name, Equipment.source, Equipment.form, Equipment.cas, Equipment.medium, Source.name,
    )  # fmt: skip
    equipment = select(*columns).join(Source, Source.code == Equipment.source).where(Source.enterprise.in_(enterprises))
    tag = func.coalesce(Point.tag, "")
    points = select(Point.code, Point.name, tag, Point.quantity, Point.unit).where(Point.enterprise.in_(enterprises))
    names = select(Enterprise.code, Enterprise.name).where(Enterprise.code.in_(enterprises))
    plant = _Plant([_Equipment._make(row) for row in _rows(session, equipment)], dict(_rows(session, names)))
    own, detectors = plant.points, plant.detectors
    for place in map(Place._make, _rows(session, points)):
        code = place.code[:EQUIPMENT_LENGTH]
        own.setdefault(code, {}).setdefault(place.quantity, []).append(place)
        if code[12:14] == "Q0":
            detectors.setdefault(code[:SOURCE_LENGTH], {}).setdefault(place.quantity, []).append(place)
    return plant


def _rows(session: Session, statement: Select[*tuple[Any, ...]]) -> Iterator[tuple[Any, ...]]:
    """Rows straight from the driver."""
    return (row for part in driver_columns(session, statement) for row in zip(*part, strict=True))


def _of_equipment(plant: _Plant, row: _Equipment, nature_of: NatureOf) -> _Item:
    combustible, toxic = nature_of(row.cas, row.medium)
    kind = _TYPES[row.code[12:14]]
    if kind == TANK:
        expected = for_tank(row.form or "", combustible=combustible, toxic=toxic)
    else:
        expected = for_warehouse(combustible=combustible, toxic=toxic)
    answers = answer(expected, plant.points.get(row.code, {}), plant.detectors.get(row.source, {}))
    enterprise = row.source[:ENTERPRISE_LENGTH]
    rest = {
        "source": row.source, "source_name": row.source_name, "enterprise": enterprise,
        "enterprise_name": plant.enterprises.get(enterprise), "medium": row.medium,
    }  # fmt: skip
    return _Item(kind, row.code, row.name, tuple(answers), rest)


def _of_processes(session: Session, enterprises: Sequence[str], plant: _Plant) -> Iterator[_Item]:
    """Processes that the files declare, each with the points of its unit, or of all units where no name fits."""
    # scope: node-internal because the enterprises were found in scope
    statement = select(FileRow.owner, FileRow.row, FileRow.body)
    statement = statement.where(FileRow.group == "processes", FileRow.owner.in_(enterprises))
    units: dict[str, list[_Equipment]] = defaultdict(list)
    for row in plant.equipment:
        if row.code[12:14] == "S0":
            units[row.code[:9]].append(row)
    for owner, key, body in session.execute(statement):
        expected = processes().get(str(body.get("kind")))
        if expected is not None:
            yield _of_process(plant, f"{owner}/{key}", body, units.get(owner, []), expected)


def _of_process(
    plant: _Plant, code: str, body: Mapping[str, Any], units: list[_Equipment], expected: Sequence[Expectation]
) -> _Item:
    unit, enterprise = str(body.get("unit") or ""), code[:9]
    named = [row for row in units if unit and (unit in row.name or row.name in unit)]
    chosen = named or units
    own = _together(plant.points.get(row.code, {}) for row in chosen)
    detectors = _together(plant.detectors.get(source, {}) for source in {row.source for row in chosen})
    rest = {
        "source": chosen[0].source if len(chosen) == 1 else None, "source_name": None, "enterprise": enterprise,
        "enterprise_name": plant.enterprises.get(enterprise), "medium": None, "units": [row.name for row in chosen],
        "unit_found": bool(named),
    }  # fmt: skip
    title = f"{body['kind']}({unit})" if unit else str(body["kind"])
    return _Item(PROCESS, code, title, tuple(answer(expected, own, detectors)), rest)


def _together(parts: Iterable[Places]) -> Places:
    """Points of several objects."""
    return by_quantity(place for part in parts for places in part.values() for place in places)


def _sum(briefs: Sequence[Brief]) -> dict[str, Any]:
    expected = sum([one.expected for one in briefs])
    present = expected + sum([one.has for one in briefs])
    share = round(100 * present / expected, 1) if expected else None
    return {"objects": len(briefs), "expected": expected, "present": present, "percent": share}
